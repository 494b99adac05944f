"""Whether forks can be trusted beside native threads: calm sweeps with forks and without are compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pytest_flakehunt.analysis import association
from pytest_flakehunt.model import Attempt, Count, Isolation, Outcome, Sweep
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.pool.slots import Job
from pytest_flakehunt.pool.tallies import Tallies

TRIALS = 4
"""Calm sweeps of each kind: with fewer, a test that fails in every fork and nowhere else would not stand out."""
FEWEST = 24
"""Sweeps of a hunt from which on it pays to find out."""
STANDS_OUT = 0.05
"""How likely chance alone may be to make a test fail so much more often in forks."""


@dataclass(slots=True)
class ForkTrial:
    """Forks that are tried before they are trusted."""

    tallies: Tallies
    left: int = TRIALS
    """Forked sweeps that are still to be begun."""
    numbers: set[int] = field(default_factory=set)
    """Of the forked sweeps."""
    ended: int = 0
    calm: int = 0
    """Calm sweeps with fresh interpreters that have ended."""
    forked: dict[str, Count] = field(default_factory=dict)
    verdict: str | None = None
    """Why forks are not trusted; empty where they are, None while it is not known."""

    def job(self, number: Callable[[], int], calm: Callable[[], Draft | None]) -> Job | None:
        """Give the next sweep that helps to find out; None where none does.

        Args:
            number: gives a number for a sweep that the schedule does not know.
            calm: gives a calm sweep of the schedule ahead of its turn.
        """
        if self.left:
            self.left -= 1
            draft = Draft(number())
            self.numbers.add(draft.number)
            return Job(draft, isolation=Isolation.FORK, trial=True)
        if self.calm < TRIALS and (draft_ahead := calm()) is not None:
            return Job(draft_ahead, isolation=Isolation.FRESH)
        return None

    def take(self, attempts: Sequence[Attempt]) -> None:
        """Take in a forked sweep."""
        self.ended += 1
        for attempt in attempts:
            if attempt.outcome is Outcome.HUNG:
                self.verdict = self.verdict or f"{attempt.nodeid} hangs in a forked process"
            if attempt.outcome.counts:
                before = self.forked.get(attempt.nodeid, Count())
                self.forked[attempt.nodeid] = before.plus(1, int(attempt.outcome.fails))
        self._decide()

    def saw(self, sweep: Sweep) -> None:
        """Take note of a sweep of the survey."""
        if sweep.calm and sweep.isolation is Isolation.FRESH:
            self.calm += 1
            self._decide()

    def _decide(self) -> None:
        if self.verdict is None and self.ended >= TRIALS <= self.calm:
            worse = [nodeid for nodeid, count in self.forked.items() if self._worse(nodeid, count)]
            self.verdict = f"{worse[0]} fails in forked processes only" if worse else ""

    def _worse(self, nodeid: str, forked: Count) -> bool:
        fresh = self.tallies.named(nodeid).unforked
        oftener = forked.failures * fresh.runs > fresh.failures * forked.runs
        return oftener and association.fisher(forked, fresh) < STANDS_OUT
