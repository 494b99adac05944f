"""Sweeps in which most tests fail: set aside, unless the tests themselves turn out to be behind it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from pytest_flakehunt.model import Attempt, Isolation, Outage, Plan, Sweep
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.pool.slots import Job
from pytest_flakehunt.pool.tallies import Tallies

WITHIN = frozenset({"order", "repeat", "random", "hashseed"})
"""Perturbations that leave all outside the suite as it is."""
MOST_AGAIN = 3
"""Outages that are tried again."""


@dataclass(slots=True)
class Outages:
    """The outages of one survey."""

    tallies: Tallies
    set_aside: list[Outage] = field(default_factory=list)
    _again: dict[int, Plan] = field(default_factory=dict)
    """Plans that are tried again, by the number of the sweep that does so."""

    def sets_aside(self, sweep: Sweep, attempts: Sequence[Attempt], left_out: int, others: Collection[Sweep]) -> bool:
        """Tell whether a sweep is set aside.

        Args:
            sweep: which.
            attempts: its own.
            left_out: tests that were not worth running in it.
            others: all sweeps before it.
        """
        outage = self.tallies.outage(sweep, attempts, left_out)
        if outage is None or self._comes_back(sweep, others):
            return False
        self.set_aside.append(outage)
        return True

    def _comes_back(self, sweep: Sweep, others: Collection[Sweep]) -> bool:
        """Tell whether it came back though all is well otherwise: then the tests make each other fail."""
        calm = max((other for other in others if other.calm), key=lambda other: other.started)
        return sweep.number in self._again and not calm.outage

    def try_again(self, sweep: Sweep, number: Callable[[], int], isolation: Isolation) -> list[Job]:
        """Give the sweep that tells, where a plan holds nothing but what lies in the suite, such as an order."""
        plan = sweep.plan
        outside = not plan.settings or plan.names - WITHIN
        if outside or plan in self._again.values() or len(self._again) == MOST_AGAIN:
            return []
        again = number()
        self._again[again] = plan
        return [Job(Draft(again, plan, sweep.focus), isolation=isolation)]
