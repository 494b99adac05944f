"""What is to be diagnosed: one mode of one test, and what the survey knows of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pytest_flakehunt.model import Count, Perturbation, Plan

MOST_CANDIDATES = 3
"""Failing sweeps that are tried to bring a failure back."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sweep that the mode was seen in."""

    plan: Plan
    """Without an order."""
    before: tuple[str, ...]
    """The tests that ran before, in that sweep's own order."""
    number: int
    neighbours: int
    ordered: bool = False
    """Whether that order was another than the one written."""
    seconds: float = 0.0
    """That the sweep took."""

    def before_all(self, tests: Collection[str]) -> bool:
        """Tell whether some tests all ran before."""
        return set(tests) <= set(self.before)


class Ran(NamedTuple):
    """A sweep of the survey that the test ran in."""

    before: tuple[str, ...]
    """The tests that ran before it in its process, in order."""
    fails: bool


@dataclass(frozen=True, slots=True)
class Target:
    """One mode of one test, and what the survey knows of it."""

    nodeid: str
    candidates: Sequence[Candidate]
    """The most telling first."""
    calm: Count
    """In the survey: calm sweeps through all tests, as written."""
    calm_before: tuple[str, ...]
    """The tests before it as written."""
    others: tuple[str, ...]
    """All tests but this one, as written; those left out that take their process with them."""
    known: Mapping[str, Perturbation]
    active: frozenset[str]
    """Perturbations in use; the rest is left alone in experiments too."""
    now: datetime
    workers: int = 1
    seed: int = 0
    history: Callable[[], Sequence[Ran]] = tuple
    """Gives sweeps in which it failed in this way, and in which it passed, with who ran before."""
    failures: Callable[[], Sequence[Candidate]] = tuple
    """Gives sweeps that the mode was seen in, of as many kinds as there are: a first cause had no part in some."""
    leaky: Collection[str] = ()
    """Tests that were seen to leave state changed."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Of each test, where that is known."""
    seeds: Mapping[str, Count] = field(default_factory=dict)
    """Sweeps of the survey, and those in which it failed in this way, by the hash seed of their interpreter."""
    preferred: Sequence[str] = ()
    """Hash seeds that other tests are tried under too, the first before the others."""
    clocks: Sequence[tuple[str, bool]] = ()
    """Settings of the clock in the survey, and whether it failed in this way under each."""
    quiet: bool = False
    """Whether its runs must have the machine for themselves: neighbours may be what makes it fail."""


def only(plan: Plan, names: Collection[str]) -> Plan:
    """Keep some settings of a plan."""
    return Plan(tuple((name, setting) for name, setting in plan.settings if name in names))


def from_start(plan: Plan) -> Plan:
    """Give what of a plan no process meets a change of: where a machine has it, it has it as the suite is imported."""
    return Plan(tuple((name, one) for name, one in plan.settings if getattr(one, "from_start", False)))
