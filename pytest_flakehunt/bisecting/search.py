"""Which revision is tried next, how often, and what the answer is worth: no git and no pytest in it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import ceil, log2

from pytest_flakehunt.analysis import intervals
from pytest_flakehunt.ground.seeds import derive


class Judged(Enum):
    """What the runs at a revision say."""

    BAD = "bad"
    GOOD = "good"
    SKIPPED = "skipped"


@dataclass(slots=True)
class Budget:
    """The chance of a wrong answer, shared out.

    A revision is called bad for a failure that was seen: that is no matter
    of chance. It is called good for passes alone, and wrongly so with a
    chance of (1 - rate) to the power of their number. The chances of all
    that were called good add up to no more than the error (union bound):
    each takes a share of what those before it have left.
    """

    rate: float
    """At which the test fails where it fails at all, at least; above 0, at most 1."""
    error: float
    """Strictly between 0 and 1."""
    fewest: int = 3
    spent: float = 0.0
    """The chance that any of those called good was not."""

    def passes(self, steps: int) -> int:
        """Give how many passes the next revision needs to be called good.

        Args:
            steps: still to come after it, as far as can be told.
        """
        return max(self.fewest, intervals.passes(self.rate, (self.error - self.spent) / (steps + 2)))

    def called_good(self, passes: int) -> None:
        """Take down that a revision was, for so many passes."""
        self.spent += (1 - self.rate) ** passes


def steps(count: int) -> int:
    """Give how many revisions have to be tried among so many, at most, where none is skipped.

    >>> [steps(count) for count in (1, 2, 3, 4, 24, 1000)]
    [0, 1, 2, 2, 5, 10]
    """
    return ceil(log2(count)) if count > 1 else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a test began to fail."""

    first: str
    """The earliest revision that was seen failing."""
    skipped: tuple[str, ...] = ()
    """Revisions that could not be judged, and each of which may be the one instead."""


@dataclass(slots=True)
class Search:
    """A search through a history, linear or not."""

    between: Callable[[str, Sequence[str]], Sequence[str]]
    """Gives the revisions that one contains and others do not, those first that halve them best."""
    judge: Callable[[str, int], Judged]
    """Tries a revision, given how many steps are left after it."""
    skipped: list[str] = field(default_factory=list)

    def run(self, bad: str, good: Sequence[str]) -> Answer:
        """Search.

        Args:
            bad: a revision that fails.
            good: revisions that do not: those that it contains tell something.
        """
        passing = list(good)
        while True:
            left = self.between(bad, passing)
            others = [revision for revision in left if revision != bad]
            revision = chosen(others, self.skipped)
            if revision is None:
                return Answer(bad, tuple(others))
            match self.judge(revision, max(0, steps(len(left)) - 1)):
                case Judged.BAD:
                    bad = revision
                case Judged.GOOD:
                    passing.append(revision)
                case Judged.SKIPPED:
                    self.skipped.append(revision)


def chosen(left: Sequence[str], skipped: Collection[str]) -> str | None:
    """Give the revision to try next: the best that was not skipped; None where none is left.

    Where the best was, its neighbours are as likely to be skipped as well:
    then one is drawn, the better ones more often, as ``git bisect skip`` does.

    Args:
        left: those that may be the one, the best first.
        skipped: those that could not be judged.

    >>> chosen(["b", "a", "c"], []), chosen(["b"], ["b"])
    ('b', None)
    """
    fitting = [revision for revision in left if revision not in skipped]
    if not fitting or fitting[0] == left[0]:
        return fitting[0] if fitting else None
    share = derive(len(skipped), *left) / 2**32
    return fitting[int(len(fitting) * share**1.5)]
