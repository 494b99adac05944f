"""What experiments on one mode have shown so far: rows of evidence, and contrasts that decide."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pytest_flakehunt.analysis.association import fisher
from pytest_flakehunt.analysis.reduction import Experiment, counted
from pytest_flakehunt.model import Condition, Count, Diagnosis, Setup

FINAL = 20
"""Runs with the cause, and without it, that decide where the rate is high."""
LOOKS = (FINAL, 40, 80, 160, 320, 640)
"""Runs of each after which a contrast is looked at; the fewer the looks, the less often chance passes for a cause."""
NAMED_AT = 1e-5
"""Chance, at each look, that rates as different come from one rate; a cause is named below it."""
HOPELESS_AFTER = 80
"""Runs after which ..."""
HOPELESS_AT = 0.25
"""... a difference that chance gives so often is not followed any further."""
LOOKS_AT_SEEDS = (10, *LOOKS)
"""The same where a hash seed is on trial: there each run has an interpreter of its own, which is dear."""
RUNS_AN_INTERPRETER = 5
"""Where a hash seed is held but not on trial: both sides then take place in the same interpreters."""


class Arm(NamedTuple):
    """One side of a contrast."""

    what: str
    """As the evidence calls it."""
    setup: Setup


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two setups run by turns."""

    present: Count
    absent: Count
    p_value: float
    """One-sided, exact: chance of so many failures on the present side, were both the same."""

    @property
    def shown(self) -> bool:
        """Whether chance is ruled out."""
        return self.p_value <= NAMED_AT


@dataclass(slots=True)
class Notebook:
    """The evidence, row by row; single steps of reductions are left out."""

    tried: list[Condition] = field(default_factory=list)

    def count(self, what: str, setup: Setup, runs: int) -> Experiment[Count]:
        """Run a setup so many times."""
        count = yield from counted(setup, runs)
        self.note(what, count)
        return count

    def decisive(self, what: str, setup: Setup, runs: int) -> Experiment[Count]:
        """Run a setup so many times; the row is shown beside the cause."""
        count = yield from counted(setup, runs)
        self.tried.append(Condition(what, count, decisive=True))
        return count

    def note(self, what: str, count: Count) -> None:
        """Add a row; what was tried again is one row."""
        for place, row in enumerate(self.tried):
            if row.what == what and not row.decisive:
                self.tried[place] = Condition(what, row.count.plus(*count))
                return
        self.tried.append(Condition(what, count))

    def contrast(self, present: Arm, absent: Arm, *, sure: bool = False) -> Experiment[Contrast]:
        """Run two setups by turns, until chance is ruled out, or it is plain that it will not be.

        Args:
            present: what should fail.
            absent: what should pass, or fail less often.
            sure: whether a single pass of the former says that it is not the cause.
        """
        on_trial = present.setup.plan.setting("hashseed") != absent.setup.plan.setting("hashseed")
        one, other = Count(), Count()
        looks = LOOKS_AT_SEEDS if on_trial else LOOKS
        for turn in range(LOOKS[-1]):
            if turn in looks and settled(one, other):
                break
            if sure and one.failures < one.runs:
                break
            first, second = present.setup, absent.setup
            if on_trial:  # what is drawn as the suite is imported must not stand in for the seed
                first, second = elsewhere(first, turn), elsewhere(second, turn)
            elif "hashseed" in first.plan.names:
                place = turn // RUNS_AN_INTERPRETER
                first, second = elsewhere(first, place), elsewhere(second, place)
            one = one.plus(*(yield from counted(first, 1)))
            other = other.plus(*(yield from counted(second, 1)))
        self.tried.append(Condition(present.what, one, decisive=True))
        self.tried.append(Condition(absent.what, other, decisive=True))
        return contrasted(one, other)

    def unknown(self, note: str) -> Diagnosis:
        """Give the diagnosis that names nothing."""
        return Diagnosis(tried=tuple(self.tried), note=note)

    def chance(self, nearest: str) -> Diagnosis:
        """Give the diagnosis that names a suspect only."""
        return self.unknown(f"{nearest} is the nearest suspect; the difference could be chance")


def settled(present: Count, absent: Count) -> bool:
    """Tell at a look whether more runs are of no use: the difference is shown, or hardly can be."""
    if contrasted(present, absent).shown or present.failures <= absent.failures:
        return True
    return present.runs >= HOPELESS_AFTER and fisher(present, absent) > HOPELESS_AT


def contrasted(present: Count, absent: Count) -> Contrast:
    """Give two counts with what tells them apart."""
    return Contrast(present, absent, fisher(present, absent))


def elsewhere(setup: Setup, place: int) -> Setup:
    """Give the setup in one of several interpreters with its hash seed."""
    return replace(setup, interpreter=f"{setup.plan.setting('hashseed')} {place}")


def listed(names: tuple[str, ...]) -> str:
    """Name one, or say how many.

    >>> listed(("a",)), listed(("a", "b"))
    ('a', '2 tests')
    """
    return names[0] if len(names) == 1 else f"{len(names)} tests"
