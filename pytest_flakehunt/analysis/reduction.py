"""Deciding and reducing by repeated runs: how often to run, and what can be left out."""

from collections.abc import Callable, Generator, Hashable, Sequence
from math import log
from typing import NamedTuple, TypeAlias, TypeVar

from pytest_flakehunt.model import Count, Reply, Seen, Setup

T = TypeVar("T")
Part = TypeVar("Part", bound=Hashable)
Experiment: TypeAlias = Generator[Sequence[Setup], Sequence[Seen], T]
"""Yields what to run, side by side where that is possible; is sent what was seen of each; returns what follows."""
AT_ONCE = 2
"""Runs of a step that are asked for together: a sure failure takes two or three."""
ERROR = 0.01
"""Chance that one step of a reduction is wrong, each way, at the rates it tells apart."""
MOST_RUNS = 240
"""Runs after which a step that is still open counts as not shown."""


class OutOfRuns(Exception):  # noqa: N818 - it says what is the matter
    """The budget of a diagnosis is spent."""


class Rates(NamedTuple):
    """Two rates of failure to be told apart."""

    low: float
    """At most so often it fails without the cause; above 0."""
    high: float
    """At least so often with it; below 1, and above ``low``."""


def bounds(present: Count, absent: Count) -> Rates | None:
    """Give the rates to tell apart after some runs of each; None where they are too close.

    The bounds are one-sided, 90 %: exact where all or none failed, else
    three quarters and five quarters of what was seen.

    >>> rates = bounds(Count(8, 8), Count(48, 0))
    >>> f"{rates.low:.2f} {rates.high:.2f}"
    '0.05 0.75'
    """
    if not present.failures or not absent.runs:
        return None
    share, other = present.failures / present.runs, absent.failures / absent.runs
    high = 0.1 ** (1 / present.runs) if share == 1 else 0.75 * share
    low = 1 - 0.1 ** (1 / absent.runs) if other == 0 else 1.25 * other
    low = min(low, high / 10) if other == 0 else low
    return Rates(low, high) if low < 0.85 * high else None


def decide(setup: Setup, rates: Rates, most: int = MOST_RUNS) -> Experiment[bool]:
    """Run a setup until it is clear whether it fails at the high rate or at the low one.

    Wald's sequential test of the ratio of likelihoods: sure failures take
    two or three runs, rare ones as many as they need. Another failure of
    the same test counts as no failure of this mode.

    Source:
        A. Wald, Ann. Math. Stat. 16 (1945) 117-186.
    """
    limit = log((1 - ERROR) / ERROR)
    evidence = 0.0
    for _ in range(0, most, AT_ONCE):
        for seen in (yield (setup,) * AT_ONCE):
            if abs(evidence) < limit:
                fails = seen.reply is Reply.FAILS
                evidence += log(rates.high / rates.low if fails else (1 - rates.high) / (1 - rates.low))
        if abs(evidence) >= limit:
            break
    return evidence >= limit


def one(setup: Setup) -> Experiment[Seen]:
    """Run a setup once."""
    (seen,) = yield (setup,)
    return seen


def counted(setup: Setup, runs: int) -> Experiment[Count]:
    """Run a setup so many times."""
    return Count().plus(*tally((yield (setup,) * runs))) if runs > 0 else Count()


def tally(runs: Sequence[Seen]) -> Count:
    """Count runs that said something, and their failures."""
    replies = [seen.reply for seen in runs if seen.reply is not Reply.NOTHING]
    return Count(len(replies), replies.count(Reply.FAILS))


def smallest(parts: Sequence[Part], holds: Callable[[Sequence[Part]], Experiment[bool]]) -> Experiment[list[Part]]:
    """Leave out parts while something still holds, until none can be left out alone.

    Args:
        parts: with all of them it holds, with none it does not; their order is kept.
        holds: decides by experiment whether it still holds with some of them.

    Source:
        A. Zeller and R. Hildebrandt, IEEE Trans. Softw. Eng. 28 (2002) 183-200: delta debugging, ``ddmin``.
    """
    left = list(parts)
    pieces = 2
    while len(left) > 1:
        size = -(-len(left) // pieces)
        chunks = [left[start : start + size] for start in range(0, len(left), size)]
        kept = yield from _one_of(chunks, left, holds, complements=len(chunks) > 2)
        if kept is None:
            if pieces >= len(left):
                return left
            pieces = min(2 * pieces, len(left))
        else:
            pieces = 2 if kept in chunks else max(pieces - 1, 2)
            left = kept
    return left


def _one_of(
    chunks: list[list[Part]],
    left: list[Part],
    holds: Callable[[Sequence[Part]], Experiment[bool]],
    *,
    complements: bool,
) -> Experiment[list[Part] | None]:
    """Find a chunk that is enough by itself, or one that is not needed; the last ones first."""
    for chunk in reversed(chunks):
        if (yield from holds(chunk)):
            return chunk
    if complements:
        for chunk in chunks:
            gone = set(chunk)
            rest = [part for part in left if part not in gone]
            if (yield from holds(rest)):
                return rest
    return None
