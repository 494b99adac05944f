"""A hunt within a session of pytest: the hooks that it answers, and the hunt itself."""

import os
import platform
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from pytest_flakehunt.asked.other_plugins import append_to_log
from pytest_flakehunt.asked.takeover import ASKED
from pytest_flakehunt.diagnosis.cases import Cases
from pytest_flakehunt.ground import interrupting, project, realtime
from pytest_flakehunt.ground.provenance import plugins
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.journal import Journal
from pytest_flakehunt.ledger.lock import Lock
from pytest_flakehunt.ledger.particulars import Particulars
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Finding, Findings, Trial
from pytest_flakehunt.pool.pool import HuntFailed
from pytest_flakehunt.pool.tallies import Tallies, Tally
from pytest_flakehunt.reports import document, progress, reading, terminal
from pytest_flakehunt.reports import quarantine as told
from pytest_flakehunt.reports.words import safe
from pytest_flakehunt.sessions import publishing
from pytest_flakehunt.sessions.choosing import Choosing
from pytest_flakehunt.sessions.closing import Closing
from pytest_flakehunt.sessions.concluding import Conclusions
from pytest_flakehunt.sessions.honouring import Honouring
from pytest_flakehunt.sessions.preparing import Setup
from pytest_flakehunt.survey.survey import Survey

EARLY = "while the suite was collected: no sweep has run, and nothing is kept"
"""What to say of a hunt that ended before it had begun."""


class Session:
    """The pytest plugin of one hunt."""

    going_on = "; the same command goes on with --flakehunt-resume"
    """What to do about an interruption."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.config, self.options = setup, setup.config, setup.options
        self.ledger: Ledger | None = None
        self.lock: Lock | None = None
        self.findings: Findings | None = None
        self.notes: list[str] = []
        self.choosing = Choosing(self.config, self.options)
        self.honouring = Honouring(self.config, update=self.options.update)
        self.away: list[str] | None = None
        """What stands down since the suite is imported; None where that is not known yet."""
        self.status: int | None = None
        """What the hunt ends with; None where there are no findings."""
        self.failed = False
        """Whether the hunt could not go on."""
        self.wrong: list[str] = []
        """What could not be written."""
        self.lines: list[str] = []
        """What a CI service reads in the log."""
        self.shown = False
        """Whether the user has seen what was found."""
        self.wishes = interrupting.Listening()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Open the ledger, so that a bad path is refused before anything is collected."""
        # after all others have registered what they do at the end
        self.config.pluginmanager.register(Closing(self.finish, self.pytest_terminal_summary))
        self.setup.reached.reach()
        try:
            self.ledger = Ledger(self.options.ledger)
        except LedgerError as error:
            raise pytest.UsageError(f"--flakehunt-ledger: {error}") from None
        self.wishes.collect(lambda name: session.Interrupted(f"by {name}, {EARLY}"))

    def pytest_report_header(self) -> list[str]:
        """Say what will be done."""
        return self.setup.header()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note what is not to be hunted, whoever selects."""
        self.setup.deselected.update(item.nodeid for item in items if item.nodeid not in self.choosing.company)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None]:
        """Choose what a change touches, of what all others have chosen."""
        yield
        self.choosing.choose(items)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say what was chosen, and why; and what stands down, now that the suite is imported."""
        return [*self.choosing.said, *(f"flakehunt: {reason}" for reason in self._withdrawn())]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Hunt instead of running the tests once."""
        if self.choosing.nothing and not session.testsfailed:
            return True
        if not session.items or (session.testsfailed and not session.config.option.continue_on_collection_errors):
            return None
        self._hunt(session)
        return True

    def finish(self, session: pytest.Session) -> bool:
        """Let the findings decide the exit status, and write the reports that were asked for; tell if there are any."""
        if self.failed:
            session.exitstatus = self.status = int(pytest.ExitCode.INTERNAL_ERROR)
        if self.findings is not None:
            ended = session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
            if ended and not self.findings.trial.interrupted:
                session.exitstatus = int(any(map(self._counts, self.findings.tests)))
            self.status = int(session.exitstatus)
            self._keep(self.findings)
            self.honouring.propose(self.findings)
        elif self.choosing.nothing and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = self.status = int(pytest.ExitCode.OK)
            self._publish(Findings(self.setup.trial(), (), notes=tuple(self.choosing.said)))
        self.setup.reached.close()
        self.wishes.close()
        if self.ledger is not None:
            if self.ledger.journal is not None:
                self.ledger.journal.close()
            self.ledger.close()
        if self.lock is not None:
            self.lock.release()
        return self.findings is not None or self.choosing.nothing

    def _counts(self, finding: Finding) -> bool:
        leaks = bool(finding.leaks) and not finding.company and "leaks" in self.options.fail_on
        return leaks or finding.fails_on(self.options.fail_on)

    def _keep(self, findings: Findings) -> None:
        """Keep what was found; whatever is reported is made from that."""
        assert self.ledger is not None
        text = document.text(findings)
        try:
            self.ledger.conclude(text)
        except LedgerError as error:
            self.wrong.append(f"--flakehunt-ledger: {error}")
        met = self._publish(reading.read(text), self.ledger.texts())
        if met:  # they stand in it, and where it is reported from the variables may not be set
            self.ledger.hide([*self.options.redact, *map(re.escape, met)])

    def _publish(self, findings: Findings, kept: Iterable[str] = ()) -> list[str]:
        """Write what leaves the machine; give the secrets that were met."""
        published = publishing.hunt(findings, self.options, kept)
        self.wrong += published.wrong
        self.lines = published.lines
        return published.secrets

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Show what was found."""
        if self.shown:
            return
        self.shown = True
        if self.findings is not None:
            verbosity = self.config.get_verbosity()
            terminal.show(self.findings, terminalreporter, verbosity, self.options.ledger)
            told.updated(
                self.honouring.difference, self.honouring.entries, self.honouring.notes, terminalreporter, verbosity
            )
        errors = [f"error: {safe(text)}" for text in self.wrong]
        publishing.write([*errors, *self.lines], terminalreporter)

    def _hunt(self, session: pytest.Session) -> None:
        """Hunt, and say what ended it where that came early."""
        self.wishes.start()
        try:
            self._hunt_to_the_end(session)
        except KeyboardInterrupt:
            raise session.Interrupted(self._interrupted()) from None
        except (HuntFailed, LedgerError) as error:
            self.failed = True
            session.shouldfail = f"flakehunt: {safe(str(error))}"
            raise session.Failed(session.shouldfail) from None

    def _hunt_to_the_end(self, session: pytest.Session) -> None:
        assert self.ledger is not None
        self._withdrawn()
        items = self.choosing.all or session.items
        different = self.setup.reached.compare(items, self.setup.active)
        trial = self._begun(self.ledger, [item.nodeid for item in items])
        for said in different:
            self._say(said)
        tests = Tallies.of((item.nodeid, *item.location[:2]) for item in items)
        tests.company = set(self.choosing.company)
        self._declare(tests.tests)
        asked = session.config.stash[ASKED]
        append_to_log(session.config, asked)
        display = progress.display(session.config)
        pool = self.setup.pool(session, tests, display, self._say, self._declare)
        survey = self.setup.survey(pool, tests, self.ledger, self._done())
        setup = self.setup
        cases = Cases(survey, self.ledger, setup.known, setup.active, setup.began, setup.seed)
        conclusions = Conclusions(setup, self.ledger, self._say)
        started = realtime.monotonic()
        interrupted = True
        try:
            with display, pool:
                self._work(survey, cases, conclusions)
            interrupted = False
        finally:
            if not interrupting.urged():
                self._close(survey)
                seconds = realtime.monotonic() - started
                trial = replace(trial, seconds=seconds, interrupted=interrupted)
                for said in (survey.company.sentence(), setup.reached.sentence(pool.ran)):
                    if said:
                        self._say(said)
                self.findings = self.honouring.marked(self._drawn(survey, cases, conclusions, trial))

    def _close(self, survey: Survey) -> None:
        """Keep sweeps that waited, as far as they can be kept: what was seen is told all the same."""
        try:
            survey.close()
        except LedgerError as error:
            self._say(f"the last sweeps are not kept: {error}")

    def _interrupted(self) -> str:
        """Say what ended the hunt, and what to do."""
        untold = "; nothing is told, as it came twice, and what was seen is kept" * interrupting.urged()
        return f"by {interrupting.by() or 'Ctrl-C'}{untold}{self.going_on}"

    def _withdrawn(self) -> Sequence[str]:
        """Say what stands down since the suite is imported, found out once."""
        if self.away is None:
            self.away = self.setup.withdraw()
            self.notes.extend(self.away)
        return self.away

    def _begun(self, ledger: Ledger, nodeids: Sequence[str]) -> Trial:
        """Begin in the ledger; give the record of the hunt as it begins."""
        trial = self.setup.trial()
        machine = f"{os.cpu_count()} cores, {platform.machine()}"
        terms, shard = self.setup.terms(nodeids), self.options.shard
        directory, parts = str(self.config.rootpath), {str(shard.index): trial.uid}
        hunt = Particulars(
            trial, machine, plugins(self.config), directory, self.options.redact, terms, parts, seconds=None
        )  # fmt: skip
        self._locked(trial.uid)
        ledger.copy(hunt)
        self._open_journal(ledger, hunt)
        return trial

    def _locked(self, uid: str) -> None:
        """Keep others from running this hunt meanwhile."""
        try:
            self.lock = Lock(self.options.ledger, uid)
        except LedgerError as error:
            raise pytest.UsageError(f"--flakehunt-resume: {error}") from None
        except OSError as error:
            raise LedgerError(
                f"{error.filename} cannot be written: {error.strerror}; make room, or give another path with "
                "--flakehunt-ledger"
            ) from None

    def _open_journal(self, ledger: Ledger, hunt: Particulars) -> None:
        if self.options.journal is None:
            return
        try:
            project.own_folder(self.options.journal.parent)
            ledger.journal = Journal(self.options.journal)
            ledger.journal.begin(hunt)
        except (LedgerError, OSError) as error:
            raise pytest.UsageError(f"--flakehunt-journal: {error}") from None

    def _done(self) -> Mapping[int, str]:
        """Give what was on trial in sweeps that were run before, by number."""
        return {}

    def _work(self, survey: Survey, cases: Cases, conclusions: Conclusions) -> None:
        survey.run()
        self._conclude(survey, cases, conclusions)

    @staticmethod
    def _conclude(survey: Survey, cases: Cases, conclusions: Conclusions) -> None:
        conclusions.confirm(survey, cases)
        start = survey.pool.starting / max(1, survey.pool.slots.zygotes)
        conclusions.diagnose(survey, cases, realtime.monotonic() - survey.pool.began, start)

    def _drawn(self, survey: Survey, cases: Cases, conclusions: Conclusions, trial: Trial) -> Findings:
        return self.choosing.marked(conclusions.drawn(survey, cases, trial, self.notes))

    def _say(self, text: str) -> None:
        assert self.ledger is not None
        if text not in self.notes:
            self.notes.append(text)
            with suppress(LedgerError):  # it is told all the same, and the next sweep says so
                self.ledger.note(text)

    def _declare(self, tests: Sequence[Tally]) -> None:
        assert self.ledger is not None
        self.ledger.declare([(test.nodeid, test.file, test.line) for test in tests])
