"""An ordinary run in which known failures are excused: in this process, or in xdist's workers and their controller."""

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_flakehunt.asked import flags
from pytest_flakehunt.ground import project, realtime
from pytest_flakehunt.quarantine import QuarantineError, node_ids
from pytest_flakehunt.quarantine.looking_up import QuarantineFile

if TYPE_CHECKING:
    from pytest_flakehunt.model import Entry, Failure
    from pytest_flakehunt.reports.quarantine import Excused

FAILURE = "flakehunt_failure"
"""Under which name a failing report keeps its test and what tells its failure, on its way from a worker."""
EXCUSED = "flakehunt_quarantined"
"""And one that is excused: why, until when, by whom."""
REFUSED = "flakehunt_not_quarantined"
"""And one of a quarantined test that counts all the same: why."""
NOT_RUN = "flakehunt_not_run"
"""And one of a test that is skipped for its quarantine: why."""
CACHED = "flakehunt/quarantine"
"""Where pytest's cache keeps which text is known to be right."""
DIGEST = "flakehunt_quarantine"
"""Under which name a worker is told that the file is right, and which one was read."""
LONGEST = 4000
"""Characters of a message that are looked at."""


SKIPPED = pytest.StashKey[str]()
"""Why an item must not run."""


def begin(config: pytest.Config) -> None:
    """Have failures judged from now on."""
    config.pluginmanager.register(Quarantining(config))


class Quarantining:
    """The pytest plugin of an ordinary run with a quarantine file."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.today = config, realtime.now().date()
        self.path = flags.quarantine_file(config)
        self.project = project.folder_of(config)
        self.file: QuarantineFile | None = None
        """None where it is wrong: then nothing is excused."""
        self.excused: dict[str, list[Excused]] = {}
        """By test: the failing phases that do not count."""
        self.refused: list[tuple[str, str]] = []
        """Failures that count although their test is quarantined: test, and why."""
        self.skipped: dict[str, str] = {}
        self.notes: list[str] = []
        self._failed: set[str] = set()
        self._places: dict[str, tuple[str, int]] = {}
        """Of the tests concerned: file, and line from 1; 0 where it is unknown."""
        self._systemic = ""
        self._last: BaseException | None = None
        self._torn = False

    @property
    def _in_worker(self) -> bool:
        return hasattr(self.config, "workerinput")

    def _bear(self, look: Callable[[], None]) -> None:
        """Look something up; a file that is wrong excuses nobody, and stops nothing."""
        try:
            look()
        except QuarantineError as error:
            self.file = None
            self.notes.append(f"{error}; nothing is excused")

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Take in what the file says as the run begins."""
        self._bear(self._open)

    def _open(self) -> None:
        cache = getattr(self.config, "cache", None)
        known = getattr(self.config, "workerinput", {}).get(DIGEST) or (cache and cache.get(CACHED, ""))
        self.file = QuarantineFile(self.path, str(known))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Read all of the file for the workers of xdist."""
        self._bear(self._check)
        node.workerinput[DIGEST] = self.file.digest if self.file is not None and self.file.plain else ""

    def _check(self) -> None:
        if self.file is not None and not self.file.right:
            self.file.whole()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Skip what must not run."""
        self._bear(lambda: self._skip(items))

    def _skip(self, items: Sequence[pytest.Item]) -> None:
        if self.file is None or not self.file.skips:
            return
        from pytest_flakehunt.model import Excusing
        from pytest_flakehunt.quarantine.matching import inert
        from pytest_flakehunt.reports.quarantine import skipped

        said = self.file.skipping()
        live = [
            entry for entry in said.entries if entry.mode is Excusing.SKIP and not inert(entry, said.limits, self.today)
        ]
        for item in items if live else ():
            test = self._named(item)
            for entry in live:
                if node_ids.fits(entry.test, test):
                    item.stash[SKIPPED] = reason = skipped(entry)
                    item.add_marker(pytest.mark.skip(reason=reason))
                    break

    def _named(self, item: pytest.Item) -> str:
        """Give an item's node id from the configuration's folder on, wherever pytest's root directory is."""
        return node_ids.based(item.nodeid, item.path, self.project, rebase=self.config.rootpath != self.project)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Note the exception of the last attempt: a plugin that runs a test again reports it with that of the first."""
        self._last, self._torn = None, False
        try:
            return (yield)
        except BaseException as error:
            self._last = error
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Note that it failed: such a plugin tears down before it runs a test again, and reports the call alone."""
        try:
            return (yield)
        except BaseException:
            self._torn = True
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what tells a failure from others, while the exception itself is there."""
        report = yield
        last, self._last = self._last, None
        torn = self._torn and report.when == "call"
        if report.failed and call.excinfo is not None and not torn and self._listed(test := self._named(item)):
            from pytest_flakehunt.ground.failing import failing

            error = call.excinfo.value if last is None or report.when != "call" else last
            found = failing(error, self.config.rootpath, self.project)
            phase = report.when or "call"
            setattr(report, FAILURE, [test, phase, found.kind, found.statement, found.message[:LONGEST]])
        elif report.skipped and report.when == "setup" and SKIPPED in item.stash:
            setattr(report, NOT_RUN, item.stash[SKIPPED])
        return report

    def _listed(self, test: str) -> bool:
        return self.file is not None and self.file.names(test)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """Judge a failing report before anybody counts it; take in what a worker has judged."""
        if any(hasattr(report, name) for name in (FAILURE, NOT_RUN)):
            file, line, _ = report.location
            self._places[report.nodeid] = file, 0 if line is None else line + 1
        if report.failed and hasattr(report, FAILURE) and not hasattr(report, REFUSED):
            self._bear(lambda: self._judge(report))
        if report.failed:
            self._failed.add(report.nodeid)
        if hasattr(report, EXCUSED):
            from pytest_flakehunt.reports.quarantine import Excused

            self.excused.setdefault(report.nodeid, []).append(Excused(*getattr(report, EXCUSED)))
        elif hasattr(report, REFUSED):
            self.refused.append((report.nodeid, getattr(report, REFUSED)))
        elif hasattr(report, NOT_RUN):
            self.skipped[report.nodeid] = getattr(report, NOT_RUN)
        return (yield)

    def _judge(self, report: pytest.TestReport) -> None:
        if self.file is None:
            return
        from pytest_flakehunt.model import Failure
        from pytest_flakehunt.quarantine.matching import judge

        test, *failed = getattr(report, FAILURE)
        entries, released, limits = self.file.of(test)
        failure = Failure(*failed)
        judgement = judge(failure, entries, released, limits, self.today)
        if judgement.entry is not None:
            self._excuse(report, failure, judgement.entry, judgement.words)
        elif judgement.words:
            setattr(report, REFUSED, judgement.words)
            report.sections.append(("quarantine", judgement.words))

    def _excuse(self, report: pytest.TestReport, failure: "Failure", entry: "Entry", words: str) -> None:
        """Make a report one of a test that was skipped, with the failure kept for reading."""
        from pytest_flakehunt.reports.quarantine import Excused

        report.sections.append(("quarantined failure", report.longreprtext))
        file, line, _ = report.location
        reason = "; ".join(filter(None, (words, entry.owner, entry.issue)))
        report.longrepr = (str(self.config.rootpath / file), (line or 0) + 1, reason)
        report.outcome = "skipped"
        first = failure.message.partition("\n")[0][:200]
        excused = Excused(*failure.told, first, words, entry.owner, entry.issue)
        setattr(report, EXCUSED, list(excused))

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Give an excused failure a letter and a word of its own."""
        if hasattr(report, EXCUSED):
            return "quarantined", "q", ("QUARANTINED", {"yellow": True})
        if report.when == "call" and report.passed and report.nodeid in self.excused.keys() - self._failed:
            # pytest fails it here for its subtests, and these are excused
            return "passed", ".", ("PASSED", {"green": True})
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Fail a run in which too much was excused; look at what nobody needed, so that it is known to be wrong."""
        if not self._in_worker:
            self._bear(self._settle)
            if self._systemic and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    def _settle(self) -> None:
        if self.file is None:
            return
        known = self.file.right and not self.file.read
        self._check()
        if self.file.changed():
            self.notes.append(f"{self.path.name} was changed while the run went on: what it said as it began was used")
        cache = getattr(self.config, "cache", None)
        unknown = [] if known else self.file.whole().unknown
        self.notes += [f"{key} means nothing to us" for key in unknown]
        if not known and not unknown and self.file.plain and cache is not None:
            cache.set(CACHED, self.file.digest)
        if self.excused and len(self.excused) > (most := self.file.limits().max_excused):
            from pytest_flakehunt.reports.quarantine import systemic

            self._systemic = systemic(self.excused, most)

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Say who was excused of what, until when, and what was not excused, and why."""
        if self.excused or self.refused or self.skipped or self.notes:
            from pytest_flakehunt.reports import quarantine as told

            verbosity = self.config.get_verbosity()
            lines = told.lines(self.excused, self.refused, self.skipped, self.notes, self._systemic, verbosity)
            told.write(list(lines), terminalreporter)
            self._annotate()

    def _annotate(self) -> None:
        if not (self.excused or self.refused or self.skipped):
            return
        from pytest_flakehunt.model import Place
        from pytest_flakehunt.sessions import publishing

        said = [(nodeid, "quarantined: failed as expected", phases[0].words) for nodeid, phases in self.excused.items()]
        said += [(nodeid, "quarantined: not run", why) for nodeid, why in self.skipped.items()]
        said += [(nodeid, "quarantined, and not excused", why) for nodeid, why in self.refused]
        places = {nodeid: Place(file, line) for nodeid, (file, line) in self._places.items()}
        publishing.quarantined(self.config, said, places)
