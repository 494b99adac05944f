"""The zygote's end: collect the suite once, then run one sweep after another."""

import contextlib
import functools
import gc
import importlib.util
import os
import sys
import traceback
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt import perturbations
from pytest_flakehunt.asked import options, takeover
from pytest_flakehunt.instruments import stage
from pytest_flakehunt.instruments.artefacts import Artefacts
from pytest_flakehunt.leaks.watch import Watch, ready
from pytest_flakehunt.model import Prepared
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import random
from pytest_flakehunt.zygote import child, fork, forkable, wire
from pytest_flakehunt.zygote.journal import Journal

NAME = "flakehunt-zygote"
STACKS = "stacks"
"""File in the scratch folder that crashing and hanging children write their stacks to."""


class Control:
    """The pipes to the controller."""

    def __init__(self, commands: int, answers: int) -> None:
        self.commands, self.answers = commands, answers
        self._lines = os.fdopen(os.dup(commands), "rb")

    def receive(self) -> wire.Message | None:
        """Wait for the next command; None where the controller is gone."""
        line = self._lines.readline()
        return wire.decode(line) if line.endswith(b"\n") else None

    def send(self, message: wire.Message) -> None:
        """Answer."""
        data = b"\n" + wire.encode(message)  # a line of its own, whatever a test has written there before
        while data:
            data = data[_write(self.answers, data) :]

    def close(self) -> None:
        """Let go of the pipes, in a child that must not hold them open."""
        self._lines.close()
        os.close(self.commands)
        os.close(self.answers)


class Silenced:
    """Stands where plugins look for the terminal reporter: it answers them, and hears of no test."""

    def __init__(self, reporter: Any) -> None:
        self._reporter = reporter

    @property
    def __class__(self) -> Any:
        """Some plugins ask what it is."""
        return type(self._reporter)

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise TypeError(f"it cannot be made a {kind}")

    def __dir__(self) -> list[str]:
        return []  # where pytest looks for hooks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)


class Warm:
    """The pytest plugin that makes an ordinary pytest process serve as a zygote."""

    __name__ = NAME

    def __init__(self, control: Control, birth: wire.Birth) -> None:
        self.control, self.birth = control, birth
        self.scratch = Path(birth.scratch)
        self.ballast: Any = None
        """What keeps the collector's counters where they were."""
        self.collection_errors: list[str] = []
        self.answered = False
        """Whether the controller knows how the collection went."""
        self.importing = contextlib.ExitStack()
        self.living = contextlib.ExitStack()
        """What is held as long as the process lives."""
        self.recorder: Any = None
        self.keeping = contextlib.ExitStack()
        self.observer: child.Observer
        self.stretch = 1.0
        """By how much Hypothesis' deadlines are stretched in the sweep at hand."""
        self.leaks: Watch | None = None
        self.unwatched = ""
        """Why no leak watch could be made."""
        self.served_by: frozenset[int] = frozenset()
        """Processes that importing the suite has started: they live as long as this one."""
        self.on_child: Any = None
        """What the suite has chosen to handle ends of children."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # those of installed plugins are registered later: they run before
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> Generator[None]:
        """Keep coverage from starting; hold what should be held while the suite is imported."""
        takeover.early(early_config)
        self.living.enter_context(Artefacts(early_config, self.scratch).noted())
        if self.birth.early:
            known = perturbations.registry(takeover.perturbations_of_plugins(early_config))
            self.importing.enter_context(stage.imported(read_plan(self.birth.early, known)))
        if self.birth.watching:
            from pytest_flakehunt.instruments import source_lines

            self.recorder = self.importing.enter_context(source_lines.Recorder(early_config.rootpath))
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        """Present this process the way xdist presents a worker, and put other plugins' reruns to rest."""
        config.workerinput = dict(self.birth.workerinput)  # type: ignore[attr-defined]
        config.workeroutput = {}  # type: ignore[attr-defined]
        takeover.settle(config)
        takeover.quieten(config, self.scratch, zygote=True)
        child.own_cache(config, self.scratch / "cache")
        takeover.settle_zygote(config)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Go without a terminal, as an xdist worker does, and without what writes for a user to see."""
        takeover.strip(config)
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            config.pluginmanager.unregister(reporter)
            config.pluginmanager.register(Silenced(reporter), "terminalreporter")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what cannot be collected under this interpreter's hash seed."""
        if report.failed:
            self.collection_errors.append(report.longreprtext)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve the controller instead of running the tests once."""
        self.answered = True
        counts = gc.get_count()
        self.importing.close()
        if self.collection_errors and not session.config.option.continue_on_collection_errors:
            self.control.send(wire.Failed(self.collection_errors[0]))
            return True
        with self.keeping:
            self._serve(session, counts)
        return True

    def _serve(self, session: pytest.Session, counts: tuple[int, int, int]) -> None:
        items = {item.nodeid: item for item in session.items}
        tests = [items.get(nodeid) for nodeid in self.birth.tests]
        known = set(self.birth.tests)
        missing = [position for position, item in enumerate(tests) if item is None]
        extra = [nodeid for nodeid in items if nodeid not in known]
        self.known = perturbations.registry(takeover.perturbations_of_plugins(session.config))
        for item in session.items:
            item.location  # noqa: B018 - found once, and not in each fork
        self.served_by, self.on_child = fork.children(), fork.unheeded()
        child.note_randomness()
        self.stacks = os.open(self.scratch / STACKS, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        if options.watch_leaks(session.config) is not False:  # what is ready before a fork costs no sweep anything
            self.leaks, self.unwatched = ready(session, self.keeping)
        self.observer = child.attend(session.config)
        self.ballast = tidied(counts)
        unsafe, certain = forkable.hindrance() or ("", False)
        self.control.send(wire.Ready(missing, extra, random.digests(), unsafe, certain=certain))
        fork.die_with_parent(wanted=False)  # whoever waits for a child hears of it, and ends the child as well
        while True:
            match self.control.receive():
                case wire.Run() as run:
                    self._run(session, [*tests, *map(items.get, run.late)], run)
                    if not run.forked:
                        return
                case wire.Retire() | None:
                    return
                case message:
                    raise AssertionError(f"a zygote cannot be told {type(message).__name__}")

    def _run(self, session: pytest.Session, tests: list[pytest.Item | None], run: wire.Run) -> None:
        os.ftruncate(self.stacks, 0)
        random.spared.clear()
        random.spared.update(run.spared)
        work = [
            [(position, item) for position in group if (item := tests[position]) is not None] for group in run.groups
        ]
        self._prepare(session, [test for some in work for test in some], run)
        if not run.forked:
            fork.die_with_parent()
            (only,) = work
            before, status = fork.used(), fork.ABORTED
            with contextlib.suppress(Exception):  # which stands among the stacks
                self._perform(session, only, run)
                status = 0
            fork.wake_controller()
            after = fork.used()
            self.control.send(wire.Ended(0, status, after.cpu - before.cpu, after.memory))
            return
        status, group, cpu, memory = 0, 0, 0.0, 0
        for group, some in enumerate(work):  # noqa: B007 - the last one is reported
            ending = self._forked(functools.partial(self._perform, session, some, run))
            status, cpu, memory = ending.status, cpu + ending.cpu, max(memory, ending.memory)
            if status:
                break
        self.observer.journal.close()
        self.control.send(wire.Ended(group, status, cpu, memory))

    def _prepare(self, session: pytest.Session, work: list[tuple[int, pytest.Item]], run: wire.Run) -> None:
        """Get ready what all processes of a sweep need: whatever a child runs or writes to are pages that it copies."""
        plan = read_plan(run.plan, self.known)
        self.stretch = plan.stretch
        for _, setting in plan.settings:
            if isinstance(setting, Prepared):
                setting.prepare()
        child.own_folders(session.config, run.journal)
        self.observer.journal = journal = Journal(run.journal)
        self.observer.reported = run.reported
        assert self.observer.stage is not None, "it comes with one from attend()"
        unheld = {
            name: {item.nodeid for position, item in work if position in positions}
            for name, positions in run.study.unheld.items()
        }
        self.observer.stage.take(plan, unheld)
        if self.leaks is not None:
            positions = {item.nodeid: position for position, item in work}
            child.watched(self.leaks, positions, journal, plan.patience, run.study)

    def _forked(self, work: Any) -> fork.Ending:
        pid = fork.forked(work)
        ending = fork.wait(pid, self.control.commands)
        if ending is None:
            os._exit(0)
        fork.sweep_up(pid, self.served_by)
        return ending

    def _perform(self, session: pytest.Session, work: list[tuple[int, pytest.Item]], run: wire.Run) -> None:
        if run.forked:
            self.control.close()
        fork.heeded(self.on_child)
        self.observer.journal.own()
        if run.reported:  # what plugins write now, an ordinary run would write
            self.living.close()
            takeover.show(session.config)
        child.come_clean(session.config, self.birth.scratch, [item for _, item in work], self.stretch)
        journal = self.observer.journal
        if run.study.imports and self.recorder is not None:
            journal.write(wire.Told("imports", {"readings": self.recorder.readings}))
        if self.unwatched:
            journal.write(wire.Told("note", {"text": self.unwatched}))
        try:
            child.perform(
                session,
                work,
                self.observer,
                stacks=self.stacks,
                study=run.study,
                leaks=self.leaks,
                waits=len(run.groups) == 1 and not run.study.hurried,
            )
        except Exception:  # another plugin's, or ours: whoever reads of the crash must see it
            _write(self.stacks, traceback.format_exc().encode("utf-8", "backslashreplace"))
            raise


def tidied(counts: tuple[int, int, int]) -> Any:
    """Collect garbage once, so that no fork has to, and leave the collector's counters where they would be without.

    Args:
        counts: of allocations, and of younger generations collected, since the
            last collection of each; as ``gc.get_count`` gives them.

    Returns:
        What must be kept for that.
    """
    gc.collect()
    for generation in (1, 0):
        while gc.get_count()[generation + 1] < counts[generation + 1]:
            gc.collect(generation)
    return [[] for _ in range(counts[0] - gc.get_count()[0])]


def become(program: Mapping[str, str | None]) -> None:
    """Let ``__main__`` be what it is in the controller: some code starts it again, or looks for its file.

    Args:
        program: as in :class:`wire.Birth`.
    """
    main = sys.modules["__main__"]
    for name in ("json", "main", "sys"):  # what has started this process
        vars(main).pop(name, None)
    for name, value in program.items():
        if name == "spec":
            with contextlib.suppress(ImportError, ValueError):  # whatever has started the controller
                main.__spec__ = None if value is None else importlib.util.find_spec(value)
        elif value is not None or name != "__file__":
            setattr(main, name, value)


def main() -> None:
    """Serve a controller that sits at standard input and output."""
    fork.die_with_parent()  # before it can be heard that it is gone, importing the suite may take long
    control = Control(os.dup(0), os.dup(1))
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    birth = control.receive()
    if birth is None or fork.is_closed(control.commands):
        return
    assert isinstance(birth, wire.Birth)
    sys.argv[:] = birth.argv
    for variable in birth.hidden:
        os.environ.pop(variable, None)
    os.chdir(birth.directory)
    become(birth.program)
    fork.adopt_orphans()
    warm = Warm(control, birth)
    try:
        status = pytest.main(list(birth.args), plugins=[warm])
        reason = f"pytest ended with exit status {int(status)} before it had collected the suite"
    except SystemExit as exception:
        reason = f"collecting the suite ended the process: exit status {exception.code}"
    if not warm.answered:
        control.send(wire.Failed(reason, died=True))


_write = os.write  # held on to: a test may replace it
