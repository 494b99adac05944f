"""What experiments on one mode have shown so far: rows of evidence, and contrasts that decide."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count, islice
from typing import NamedTuple

from pytest_flakehunt.analysis.association import fisher
from pytest_flakehunt.analysis.reduction import Experiment, counted, tally
from pytest_flakehunt.model import Condition, Count, Diagnosis, Setup

FINAL = 20
"""Runs with the cause, and without it, that decide where the rate is high."""
LOOKS = (12, FINAL, 40, 80, 160, 320, 640)
"""Runs of each after which a contrast is looked at; the fewer the looks, the less often chance passes for a cause."""
NAMED_AT = 1e-5
"""Chance, at each look, that rates as different come from one rate; a cause is named below it."""
FIRST_LOOK = 5
"""Runs of each after which ..."""
NAMED_AT_FIRST = 0.004
"""... a test that was never seen to vary by itself is looked at: five of five against none of five, and nothing less.

One that does vary, however often, would come out so once in a thousand times.
"""
SEEDS_LOOK = 6
"""The same where a hash seed is on trial, whose test does vary between interpreters: six of six against none."""
NAMED_AT_SEEDS = 0.0011
"""Chance of that."""
SEVERAL_LOOK = 8
"""The same where each turn has an interpreter of its own, as calm sweeps failed: eight of eight against none."""
NAMED_AT_SEVERAL = 1e-4
"""Chance of that."""
HOPELESS_AFTER = 80
"""Runs after which ..."""
HOPELESS_AT = 0.25
"""... a difference that chance gives so often is not followed any further; at once where each turn takes a start."""
MOST_INTERPRETERS = 40
"""Turns at most where each has an interpreter of its own."""
RUNS_AN_INTERPRETER = 5
"""Turns in one interpreter where a hash seed is held, but not on trial."""


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
    named_at: float = NAMED_AT

    @property
    def shown(self) -> bool:
        """Whether chance is ruled out."""
        return self.p_value <= self.named_at


@dataclass(slots=True)
class Notebook:
    """The evidence, row by row; single steps of reductions are left out."""

    tried: list[Condition] = field(default_factory=list)
    left: str = ""
    """What is being tried, and what it would take to go on; empty where that cannot be told."""
    several: bool = False
    """Whether a contrast must hold in several interpreters: calm sweeps failed, and addresses may decide in each."""
    varies: bool = True
    """Whether the test may fail by itself; not where it never did, and always does with the cause."""
    inside: dict[tuple[str, int], Count] = field(default_factory=dict)
    """Of each row: runs and failures by the number of their interpreter."""

    def count(self, what: str, setup: Setup, runs: int) -> Experiment[Count]:
        """Run a setup so many times."""
        seen = (yield (setup,) * runs) if runs > 0 else ()
        count = tally(seen)
        for zygote in {one.zygote for one in seen}:
            of_this = tally([one for one in seen if one.zygote == zygote])
            self.inside[what, zygote] = self.inside.get((what, zygote), Count()).plus(*of_this)
        self.note(what, count)
        return count

    def mixed(self, what: str, most: int) -> bool:
        """Tell whether so many runs of a row failed, and so many passed, in one and the same interpreter."""
        counts = [count for (row, _), count in self.inside.items() if row == what]
        return any(min(count.failures, count.runs - count.failures) >= most for count in counts)

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
        first = [] if self.varies else [(FIRST_LOOK, NAMED_AT_FIRST)]
        first = [(SEVERAL_LOOK, NAMED_AT_SEVERAL)] if self.several else first
        first = [(SEEDS_LOOK, NAMED_AT_SEEDS)] if on_trial else first
        each = 1 if on_trial or self.several else RUNS_AN_INTERPRETER
        looks = [*first, *((look, NAMED_AT) for look in LOOKS if each > 1 or look <= MOST_INTERPRETERS)]
        held = on_trial or self.several or "hashseed" in present.setup.plan.names
        pairs = _pairs(present.setup, absent.setup, each, held=held)
        one, other, made = Count(), Count(), 0
        for look, named_at in looks:
            seen = yield [setup for pair in islice(pairs, look - made) for setup in pair]
            one, other, made = one.plus(*tally(seen[::2])), other.plus(*tally(seen[1::2])), look
            seen_so_far = Contrast(one, other, fisher(one, other), named_at)
            dear = each == 1 and seen_so_far.p_value > HOPELESS_AT
            if seen_so_far.shown or dear or hopeless(one, other) or (sure and one.failures < one.runs):
                break
        self.tried.append(Condition(present.what, one, decisive=True))
        self.tried.append(Condition(absent.what, other, decisive=True))
        return seen_so_far

    def unknown(self, note: str) -> Diagnosis:
        """Give the diagnosis that names nothing."""
        return Diagnosis(tried=tuple(self.tried), note=note)

    def chance(self, nearest: str) -> Diagnosis:
        """Give the diagnosis that names a suspect only."""
        return self.unknown(f"{nearest} is the nearest suspect; the difference could be chance")


def hopeless(present: Count, absent: Count) -> bool:
    """Tell at a look whether more runs are of no use, as a difference hardly can be shown."""
    if present.runs >= FINAL and present.failures <= absent.failures:
        return True
    return present.runs >= HOPELESS_AFTER and fisher(present, absent) > HOPELESS_AT


def _pairs(present: Setup, absent: Setup, each: int, *, held: bool) -> Iterator[tuple[Setup, Setup]]:
    """Give both sides of a contrast, turn by turn.

    Args:
        present: one side.
        absent: the other.
        each: turns in one interpreter. Where a hash seed is on trial, each has
            one of its own: what is drawn as the suite is imported must not stand in for the seed.
        held: whether both sides take place in the same interpreters, in others by and by.
    """
    for turn in count():
        place = turn // each
        yield (elsewhere(present, place), elsewhere(absent, place)) if held else (present, absent)


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
