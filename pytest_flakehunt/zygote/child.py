"""The process that runs a sweep: comes clean of what its siblings share, runs tests, writes the journal.

The only room that touches pytest's private parts: capture, base temp and
cache have no public way to be renewed in a forked process.
"""

import faulthandler
import os
import re
import signal
import tempfile
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _pytest.reports import pytest_report_to_serializable

from pytest_flakehunt.ground import project, scratch
from pytest_flakehunt.ground.failing import Failing, failing
from pytest_flakehunt.instruments import source_watch
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.leaks.watch import Watch
from pytest_flakehunt.model import CALM, Evidence, Leak, Outcome, Place
from pytest_flakehunt.perturbations import random as perturbation
from pytest_flakehunt.perturbations import steered
from pytest_flakehunt.zygote import fork, wire
from pytest_flakehunt.zygote.journal import Journal

STACKS_SIGNAL: int | None = signal.SIGRTMIN + 7 if hasattr(signal, "SIGRTMIN") else getattr(signal, "SIGINFO", None)
"""One that hardly anything uses asks a hanging child for its stacks: a real-time signal, or what a BSD has instead."""
LONGEST_TEXT = 40_000
"""Characters kept of a traceback or a captured section: the first and the last half."""
LONGEST_MESSAGE = 4_000
BLOB = re.compile(r"@reproduce_failure\('[^']+', b'[^']*'\)")
"""Hypothesis' own way back to a failing example."""


def clipped(text: str, longest: int = LONGEST_TEXT) -> str:
    """Shorten a text to its two ends, and say so.

    >>> clipped("abcdefghij", 4).splitlines()
    ['ab', '… 6 characters left out …', 'ij']
    """
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


class Observer:
    """A pytest plugin that turns the reports of each test into one attempt."""

    journal: Journal
    """Where reports are passed on; there is one before the first test."""

    def __init__(self, config: pytest.Config, stage: Stage | None = None) -> None:
        """Make one.

        Args:
            config: of the session.
            stage: what holds the plan, if there is one.
        """
        self.config, self.stage = config, stage
        self.reported = False
        """Whether pytest itself should see the reports."""
        self._folder = project.folder_of(config)
        self._start(None)

    def _start(self, item: pytest.Item | None) -> None:
        self.item = item
        self.outcome: Outcome | None = None
        self.seconds = 0.0
        self.evidence: Evidence | None = None
        self._raised: Failing | None = None
        self._disputed = ""

    def begin(self, item: pytest.Item) -> None:
        """Turn to the next test."""
        self._start(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note the exception itself, of which a report keeps only text; unittest's is known only afterwards."""
        report = yield
        self._raised = None if call.excinfo is None else failing(call.excinfo.value, item.config.rootpath, self._folder)
        if call.excinfo is not None and report.failed and self.stage is not None:
            self._disputed = self.stage.disputed(call.excinfo.value, item)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Fold one phase into the attempt: the first failure decides."""
        self.seconds += getattr(report, "duration", 0.0)
        if self.reported:
            self.journal.write(wire.Reported(self._serialized(report)))
        if self.outcome is not None and self.outcome.fails:
            return
        if report.failed and self._disputed:
            self.outcome = Outcome.SKIPPED
            self.journal.write(wire.Told("note", {"text": self._disputed}))
        elif report.failed:
            self.outcome = Outcome.FAILED if report.when == "call" else Outcome.ERROR
            self.evidence = self._evidence(report)
        elif report.skipped:
            self.outcome = Outcome.XFAILED if hasattr(report, "wasxfail") else Outcome.SKIPPED
        elif report.when == "call":
            self.outcome = Outcome.XPASSED if hasattr(report, "wasxfail") else Outcome.PASSED

    def _serialized(self, report: pytest.TestReport) -> Any:
        """Give a report's data; where another plugin fails in that, as pytest itself does it."""
        try:
            return self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        except Exception as error:  # noqa: BLE001 - no test may fail for it
            text = f"a plugin failed in pytest_report_to_serializable: {wire.text_of(error)}"
            self.journal.write(wire.Told("note", {"text": text}))
            return pytest_report_to_serializable(report)

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: Any
    ) -> None:
        """Pass on a warning of the sweep that pytest itself sees."""
        if self.reported and when == "runtest":  # earlier ones are played back to every new plugin
            category = warning_message.category
            data = {
                "text": str(warning_message.message),
                "category": [category.__module__, category.__qualname__],
                "filename": warning_message.filename,
                "lineno": warning_message.lineno,
                "when": when,
                "nodeid": nodeid,
                "location": location,
            }
            self.journal.write(wire.Told("warning", data))

    def see_to_it_that_it_fits(self) -> None:
        """Have a pass say nothing where what the plan plays did not take place: the code is another one by now."""
        said = "" if self.stage is None else self.stage.unfit()
        if said:
            self.journal.write(wire.Told("note", {"text": said}))
            if self.outcome is Outcome.PASSED:
                self.outcome = Outcome.SKIPPED

    def finished(self, position: int) -> wire.Finished:
        """Give the attempt as it ended."""
        return wire.Finished(position, self.outcome or Outcome.UNREACHED, self.seconds, self.evidence)

    def interrupted(self, position: int, exception: BaseException) -> wire.Finished:
        """Give the attempt of a test that tried to stop the whole session."""
        evidence = Evidence(
            "call",
            type(exception).__name__,
            clipped(f"the test ended the session: {exception}", LONGEST_MESSAGE),
            place_of(self.item),
        )
        return wire.Finished(position, Outcome.CRASHED, self.seconds, evidence)

    def _evidence(self, report: pytest.TestReport) -> Evidence:
        crash = getattr(report.longrepr, "reprcrash", None)
        raised = self._raised or Failing("", "", "", "", "", 0, "")
        exception, message = raised.exception, raised.message
        if crash is not None and not message:
            message = crash.message
        if not exception:
            exception = message.partition(":")[0] if crash else "Failed"
        turn, times = (self.stage.turn, self.stage.times) if self.stage else (1, 1)
        blob = BLOB.search(report.longreprtext)
        notes = [f"run {turn} of {times} in one process"] if times > 1 else []
        return Evidence(
            phase=report.when or "call",
            exception=exception,
            message=clipped(message or str(report.longrepr).strip(), LONGEST_MESSAGE),
            where=Place(raised.file, raised.line, raised.function) if raised.file else place_of(self.item),
            traceback=clipped(report.longreprtext),
            sections=tuple((title, clipped(text)) for title, text in report.sections if text),
            note="; ".join([*notes, *([blob[0]] if blob else [])]),
            kind=raised.kind,
            statement=raised.statement,
        )


def place_of(item: pytest.Item | None) -> Place:
    """Give the line on which a test stands."""
    if item is None:
        return Place("", 0)
    file, line, name = item.location
    return Place(Path(file).as_posix(), (line or -1) + 1, name)


def own_folders(config: pytest.Config, start: str) -> None:
    """Let this process, and those that it forks, keep what they write apart from other sweeps.

    Args:
        config: the zygote's.
        start: how names of this sweep's own start; the folder around it exists.
    """
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is not None:
        factory._given_basetemp, factory._basetemp = Path(f"{start}.t"), None
    own_cache(config, Path(f"{start}.c"))
    scratch.begin(start)


def come_clean(config: pytest.Config, folder: str, items: Sequence[pytest.Item], stretch: float) -> None:
    """Part with everything that siblings of one zygote would share, and that no folder of their own keeps apart.

    Args:
        config: the zygote's.
        folder: where files without a name may lie.
        items: the tests to come.
        stretch: by how much Hypothesis' deadlines are stretched.
    """
    own_capture(config, folder)
    own_randomness()
    perturbation.own_hypothesis(items, stretch)


def own_capture(config: pytest.Config, folder: str) -> None:
    """Capture into files of this process' own, behind the very streams that code has kept since it was imported.

    Args:
        config: the zygote's.
        folder: where files without a name may lie.
    """
    manager = config.pluginmanager.get_plugin("capturemanager")
    streams = getattr(manager, "_global_capturing", None)
    each: Any
    for each in (getattr(streams, "out", None), getattr(streams, "err", None)):
        if not hasattr(each, "targetfd"):  # nothing is captured, or in memory
            continue
        file = each.tmpfile
        fresh = _unnamed_file(folder)
        os.dup2(fresh, file.fileno(), inheritable=False)
        os.close(fresh)
        file.seek(0)
        if each._state == "started":
            os.dup2(file.fileno(), each.targetfd)


def _unnamed_file(folder: str) -> int:
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_EXCL, 0o600)
    except (AttributeError, OSError):  # not Linux, or a file system without such files
        with tempfile.TemporaryFile(buffering=0) as file:
            return os.dup(file.fileno())


def own_cache(config: pytest.Config, folder: Path) -> None:
    """Keep what plugins put into pytest's cache apart from the user's, be it configured yet or not."""
    config._inicache["cache_dir"] = str(folder)
    cache = getattr(config, "cache", None)
    if cache is not None:
        cache._cachedir = folder


def own_randomness() -> None:
    """Reseed numpy, which unlike Python's own generator is inherited as it stands."""
    for generator, state in inherited:
        if generator.name in perturbation.spared:
            generator.restore(state)
        else:
            generator.seed(int.from_bytes(os.urandom(4), "big"))


inherited: list[tuple[perturbation.Generator, Any]] = []
"""The global generators, and their states when the suite had been collected: a forked Python reseeds its own."""


def note_randomness() -> None:
    """Keep the states of the global generators, before the first fork."""
    inherited[:] = [(generator, generator.state()) for generator in perturbation.generators()]


def studied(
    study: wire.Study,
    item: pytest.Item,
    position: int,
    journal: Journal,
    watch: source_watch.Watch | None,
    *,
    last: bool,
) -> AbstractContextManager[None]:
    """Note what one test consults and what it changes, as far as that is asked for; take back what should be undone."""
    if not study.of_tests:
        return nullcontext()
    return _studied(study if last else replace(study, path=False, tape=False), item, position, journal, watch)


@contextmanager
def _studied(
    study: wire.Study, item: pytest.Item, position: int, journal: Journal, watch: source_watch.Watch | None
) -> Iterator[None]:
    from pytest_flakehunt import state
    from pytest_flakehunt.instruments import source_lines
    from pytest_flakehunt.instruments.outside import Outside
    from pytest_flakehunt.instruments.walk import Walk

    root = item.config.rootpath
    before = state.Snapshot.take(root) if study.changes or study.undone else None
    with (
        source_lines.Recorder(root) if study.readings else nullcontext() as recorder,
        nullcontext() if watch is None else watch.during(item) as sources,
        Outside(root).noted() if study.outside else nullcontext() as names,
        Walk(item.config).noted() if study.path else nullcontext() as path,
    ):
        yield
    if study.tape and (taped := steered.heard.taped) is not None:
        journal.write(wire.Told(wire.TAPE, {"position": position, **taped.told()}))
    if path is not None:
        journal.write(wire.Told(wire.PATH, {"position": position, **path.told()}))
    if names:
        journal.write(wire.Told(wire.OUTSIDE, {"position": position, "names": sorted(names)}))
    if sources is not None:
        journal.write(wire.Told("sources", {"position": position, "sources": sorted(sources)}))
    if recorder is not None:
        journal.write(wire.Told("readings", {"position": position, "readings": recorder.readings}))
    if before is not None:
        changes = before.changes()
        written = [(change.verb, change.path) for change in changes]
        journal.write(wire.Told("changes", {"position": position, "changes": written}))
        for change in changes:
            if change.path in study.undone:
                with suppress(Exception):  # such as a working directory that is gone: the test then fails as before
                    change.undo()


def attend(config: pytest.Config) -> Observer:
    """Register what attends every sweep, once: to register a plugin in a fork copies hundreds of pages."""
    project.root_is(config.rootpath)
    observer = Observer(config, Stage(CALM))
    config.pluginmanager.register(observer)
    config.pluginmanager.register(observer.stage)
    return observer


def perform(
    session: pytest.Session,
    work: Sequence[tuple[int, pytest.Item]],
    observer: Observer,
    *,
    stacks: int,
    study: wire.Study = wire.NO_STUDY,
    leaks: Watch | None = None,
    waits: bool = True,
) -> None:
    """Run tests in this process, in the order given.

    Args:
        session: the collected session.
        work: position and item of each test.
        observer: as :func:`attend` gives it, with the plan that is held, and the journal that everything is written to.
        stacks: a descriptor for stacks of all threads, in a crash or when asked.
        study: what to find out besides.
        leaks: the leak watch, if it is kept.
        waits: whether to wait, when the last test has ended, for what is on its way out.
    """
    faulthandler.enable(stacks)
    if hasattr(faulthandler, "register") and STACKS_SIGNAL is not None:
        faulthandler.register(STACKS_SIGNAL, stacks, all_threads=True)
    config, journal = session.config, observer.journal
    watch = source_watch.Watch(perturbation.states) if study.sources else None
    if watch is not None:
        config.pluginmanager.register(watch)
    journal.write(wire.Began(os.getpid()))
    assert observer.stage is not None, "it comes with one from attend()"
    with observer.stage.held():
        if leaks is not None:
            leaks.look_around()
        _each(session, work, observer, study, watch, leaks)
        if leaks is not None:
            leaks.finish(wait=waits)
    journal.write(wire.Done())


def watched(watch: Watch, positions: Mapping[str, int], journal: Journal, patience: float, study: wire.Study) -> None:
    """Have what tests leave behind written down from now on.

    Args:
        watch: the leak watch.
        positions: of the tests, by node id.
        journal: where it is written to.
        patience: by how much the grace is stretched.
        study: what is asked for.
    """

    def report(nodeid: str, leak: Leak) -> None:
        journal.write(wire.Leaked(positions[nodeid], leak))

    def settle(nodeid: str, judged: bool) -> None:
        journal.write(wire.Awaits(positions[nodeid], over=judged))

    def ours() -> tuple[int]:
        return (journal.descriptor,)

    def gave_up(why: str) -> None:
        journal.write(wire.Told("note", {"text": why}))

    def stirred() -> None:
        journal.write(wire.Told(wire.STIRRED, {}))

    watch.serve(
        report,
        gave_up=gave_up,
        settle=settle,
        patience=patience,
        ours=ours,
        traces=study.lines,
        near=study.near,
        modules=study.modules,
        stirred=stirred,
    )


def _each(
    session: pytest.Session,
    work: Sequence[tuple[int, pytest.Item]],
    observer: Observer,
    study: wire.Study,
    watch: source_watch.Watch | None,
    leaks: Watch | None,
) -> None:
    protocol, journal = session.config.hook.pytest_runtest_protocol, observer.journal
    ended: tuple[wire.Entry, ...] = ()
    for index, (position, item) in enumerate(work):
        nextitem = work[index + 1][1] if index + 1 < len(work) else None
        observer.begin(item)
        journal.write(*ended, wire.Started(position))
        try:
            with (
                studied(study, item, position, journal, watch, last=nextitem is None),
                nullcontext() if leaks is None else leaks.during(item, last=nextitem is None),
            ):
                protocol(item=item, nextitem=nextitem)
        except (KeyboardInterrupt, pytest.exit.Exception, SystemExit) as exception:
            journal.write(observer.interrupted(position, exception))
            raise
        finally:
            if journal.copied:  # a child that the test forked, and that comes back: what is left, the original runs
                fork.leave(int(observer.outcome is None or observer.outcome.fails))
        if session.shouldstop or session.shouldfail:
            session._shouldstop = session._shouldfail = False  # the sweep goes on, whatever a plugin wishes
        if study.fitting:
            observer.see_to_it_that_it_fits()
        ended = (observer.finished(position),)
    journal.write(*ended)
