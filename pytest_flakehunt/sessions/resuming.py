"""A hunt that was interrupted or killed goes on, or one that was put together from shards is concluded."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from pytest_flakehunt.diagnosis.cases import Cases
from pytest_flakehunt.ledger import recalling
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.particulars import Particulars, differences
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Attempt, Findings, Purpose, Sweep, Trial
from pytest_flakehunt.pool.pool import listed
from pytest_flakehunt.pool.tallies import Tallies
from pytest_flakehunt.reports.words import number as counted
from pytest_flakehunt.sessions.concluding import Conclusions
from pytest_flakehunt.sessions.hunting import Session
from pytest_flakehunt.sessions.preparing import Setup
from pytest_flakehunt.survey.survey import TIMED, Survey


def numberless(nodeid: str) -> str:
    """Give a node id without what may be another in each process, such as an address or a time.

    >>> numberless("test_it.py::test_it[<Shop at 0x7f10>-2]")
    'test_it.py::test_it[<Shop at #>-#]'
    """
    head, bracket, parameters = nodeid.partition("[")
    return head + bracket + re.sub(r"\w*\d\w*", "#", parameters)


class ResumedSession(Session):
    """The pytest plugin of a hunt that goes on."""

    def __init__(self, setup: Setup, hunt: int, before: Particulars, *, complete: bool) -> None:
        """Make one.

        Args:
            setup: of this session.
            hunt: its number in the ledger.
            before: what the ledger keeps of it.
            complete: whether its survey is taken as it is: nothing but its sweeps is asked to fit.
        """
        super().__init__(setup)
        self.hunt, self.before, self.complete = hunt, before, complete
        if complete:
            self.going_on = "; the same command goes on"
        self.spent = 0.0

    def _begun(self, ledger: Ledger, nodeids: Sequence[str]) -> Trial:
        now, then = self.setup.terms(nodeids), self.before.terms
        wrong = differences(then, now)
        renamed = [] if self.complete else self._renamed(nodeids, then["collected"])
        if renamed:
            wrong = [difference for difference in wrong if difference.split()[0] != "collected"]
        if wrong and not self.complete:
            raise pytest.UsageError(
                f"--flakehunt-resume: the hunt that was interrupted and this one differ: {'; '.join(wrong)}; give all "
                "as it was, or leave --flakehunt-resume out for a new hunt"
            )
        self._locked(self.before.trial.uid)
        ledger.go_on(self.hunt)
        self.notes.extend(recalling.notes(self.options.ledger, self.hunt))
        for difference in wrong if self.complete else ():
            if difference.split()[0] in {"revision", "Python", "pytest", "collected"}:
                self._say(f"experiments were made where something else was there than in the sweeps: {difference}")
        if renamed:
            tests = "1 test has" if len(renamed) == 1 else f"{len(renamed)} tests have"
            self._say(
                f"{tests} other numbers in the node id than before the hunt was interrupted, so that what ran then is "
                f"in no rate: {listed(renamed)}"
            )
        self.spent = recalling.busy(self.options.ledger, self.hunt)
        if not self.complete:
            self._tear(ledger)
        self._go_on_in_journal(ledger)
        trial, old = self.setup.trial(), self.before.trial
        kept = replace(trial, uid=old.uid, started=old.started, seed=old.seed, asked=old.asked)
        return replace(kept, perturbations=old.perturbations, weights=old.weights) if self.complete else kept

    def _renamed(self, nodeids: Sequence[str], collected: str) -> list[str]:
        """Name the tests that are new, where they and those that are gone are the same but for numbers; else none."""
        then = {nodeid for nodeid, *_ in recalling.tests(self.options.ledger, self.hunt)}
        now = set(nodeids)
        same = {numberless(nodeid) for nodeid in then} == {numberless(nodeid) for nodeid in now}
        return sorted(now - then) if same and collected.startswith(f"{len(now)} ") and now & then else []

    def _tear(self, ledger: Ledger) -> None:
        """Free the numbers of sweeps that had not ended."""
        extra = [recalling.last_number(self.options.ledger, self.hunt)]

        def free() -> int:
            extra[0] = max(extra[0], self._limit()) + self.options.shard.count
            return extra[0]

        if torn := ledger.tear(self._limit(), free):
            again = f"{counted(len(torn), 'sweep')} that had not ended {'was' if len(torn) == 1 else 'were'} run again"
            self._say(f"the hunt was interrupted, and went on: {again}")

    def _done(self) -> Mapping[int, str]:
        return {sweep.number: " ".join(sweep.focus) for sweep, _ in self._seen() if sweep.number < self._limit()}

    def _limit(self) -> int:
        """Give the number from which on sweeps are not the schedule's."""
        return TIMED if self.options.sweeps is None else self.options.sweeps + bool(self.options.plan)

    def _seen(self) -> Iterator[tuple[Sweep, list[Attempt]]]:
        known = self.setup.plan_of
        found = recalling.recorded(self.options.ledger, self.hunt, known)
        return ((sweep, attempts) for sweep, attempts, _ in found)

    def _go_on_in_journal(self, ledger: Ledger) -> None:
        """Write the journal anew, from what the ledger has, and go on in it."""
        if self.options.journal is None:
            return
        self._open_journal(ledger, self.before)
        journal = ledger.journal
        assert journal is not None
        try:
            journal.declare(recalling.tests(self.options.ledger, self.hunt))
            for text in self.notes:
                journal.note(text)
            purposes = (Purpose.SURVEY, Purpose.STUDY, Purpose.TORN)
            for one in recalling.recorded(self.options.ledger, self.hunt, self.setup.plan_of, purposes):
                journal.write(*one)
        except LedgerError as error:
            raise pytest.UsageError(f"--flakehunt-journal: {error}") from None

    def _restored(self, survey: Survey) -> None:
        tests: Tallies = survey.tallies
        seen = ((sweep, [one for one in attempts if one.nodeid in tests.positions]) for sweep, attempts in self._seen())
        survey.restore(seen, recalling.last_number(self.options.ledger, self.hunt))
        survey.pool.began -= self.spent
        slots, last = survey.pool.slots, recalling.last_zygote(self.options.ledger, self.hunt)
        slots.earlier = -(-last // slots.shard.count)

    def _work(self, survey: Survey, cases: Cases, conclusions: Conclusions) -> None:
        self._restored(survey)
        if self.complete:
            survey.settle()
        else:
            self._show_sweep_0(survey)
            survey.go_on()
            survey.run()
        self._conclude(survey, cases, conclusions)

    def _show_sweep_0(self, survey: Survey) -> None:
        """Let pytest itself see how its tests ended, where that has run."""
        positions = survey.tallies.positions
        for sweep, attempts in self._seen():
            if sweep.number == 0:
                known = (attempt for attempt in attempts if attempt.nodeid in positions)
                for attempt in sorted(known, key=lambda attempt: positions[attempt.nodeid]):
                    survey.pool.audience.recalled(attempt)
            return

    def _drawn(self, survey: Survey, cases: Cases, conclusions: Conclusions, trial: Trial) -> Findings:
        return super()._drawn(survey, cases, conclusions, replace(trial, seconds=trial.seconds + self.spent))
