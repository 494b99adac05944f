"""The search from its first run to its answer, told line by line."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_flakehunt.analysis import intervals
from pytest_flakehunt.bisecting.bench import FIRST, Bench
from pytest_flakehunt.bisecting.history import History
from pytest_flakehunt.bisecting.refusal import CannotBisect
from pytest_flakehunt.bisecting.search import Answer, Budget, Judged, Search, steps
from pytest_flakehunt.bisecting.tries import Notes, Tried
from pytest_flakehunt.model import Count
from pytest_flakehunt.reports.words import number

ENOUGH = 10
"""Failures by which a rate is known well enough to plan with."""
UNTIL_SEEN = 0.05
"""The chance that BAD is held for passing."""


class Ending(NamedTuple):
    """What the search says in the end."""

    found: bool
    text: str


@dataclass(slots=True)
class Bisection:
    """One search."""

    history: History
    bench: Bench
    notes: Notes
    good: str
    """As the user names it, and so the next."""
    bad: str
    tell: Callable[[str], None]
    """Takes what is to be shown meanwhile."""
    error: float = 0.05
    """The chance that the answer is wrong, at most."""
    most: int = 300
    """Runs at one revision, at most."""
    rate: float | None = None
    """At which the test fails at least; None where that is not given."""
    seen: Count = field(default=Count())
    """How often it failed before, under the same plan."""
    fingerprint: str = ""
    """Of the failure that is searched for; empty for the one that is seen most at BAD."""
    _budget: Budget = field(init=False)

    def run(self) -> Ending:
        """Search."""
        bad, good = self.history.commit(self.bad), self.history.commit(self.good)
        bases = self.history.bases(bad, good)
        if bad in bases:
            raise CannotBisect(
                f"{self.good} contains {self.bad}: the revision that passes has to be the earlier one; give GOOD first,"
                " then BAD"
            )
        if self.history.submodules(bad):
            self.tell("note: submodules are not checked out; --prepare may fetch what is needed of them")
        if (ending := self._start(bad)) is not None:
            return ending
        between = self.history.between(bad, bases)
        left = steps(len(between))
        first = self._budget.passes(left + len(bases))
        self.tell(f"{number(len(between), 'revision')}, about {number(left, 'step')} of {number(first, 'run')}")
        for revision in dict.fromkeys((good, *bases)):
            ending = self._passes(revision, self.good if revision == good else f"where {self.good} parts from it", left)
            if ending is not None:
                return ending
        return self._told(Search(self.history.between, self._judge).run(bad, bases))

    def _start(self, bad: str) -> Ending | None:
        """See it fail at BAD, and settle how often each revision is run; give the ending where it does not fail."""
        known = self.rate
        if known is None and self.seen.failures:
            known = intervals.wilson(self.seen.failures, self.seen.runs).low
        if known is not None:
            wanted = max(FIRST, min(self.most, intervals.passes(known, UNTIL_SEEN)))
            tried = self.bench.tried(bad, lambda seen: self._until_seen(seen, wanted))
            count = self._count(tried)
            if count.failures and intervals.wilson(count.failures, count.runs).high < known:
                often = f"it fails {count.failures} of {count.runs} here, which is less than"
                self.tell(f"{often} --rate {self.rate:g} says" if self.rate else f"{often} it did: it is measured")
                known = self.rate
        if known is None:
            self.seen = Count()
            tried = self.bench.tried(bad, self._until_known)
        count = self._count(tried)
        if not count.failures:
            return self._never(bad, tried)
        self._say(Judged.BAD, bad, tried)
        pooled = Count(self.seen.runs + count.runs, self.seen.failures + count.failures)
        self._budget = Budget(self.rate or intervals.wilson(pooled.failures, pooled.runs).low, self.error)
        return None

    def _never(self, bad: str, tried: Tried) -> Ending:
        named = f"{self.bad} ({self.history.named(bad)})"
        if tried.why_not:
            raise CannotBisect(f"the test cannot be run at {named}: {tried.why_not}")
        often = f"0 of {tried.runs}"
        if tried.kinds:
            return Ending(False, f"it does not fail so at {named}, {often}: it fails otherwise, {tried.otherwise}")
        return Ending(False, f"it does not fail at {named}, {often}: give the plan that it fails under, with --plan")

    def _until_seen(self, seen: Tried, wanted: int) -> int:
        settled = seen.why_not or (self._count(seen).failures and seen.runs >= FIRST)
        return 0 if settled else max(0, wanted - seen.runs)

    def _until_known(self, seen: Tried) -> int:
        settled = seen.why_not or self._count(seen).failures >= ENOUGH
        return 0 if settled else max(0, min(max(FIRST, seen.runs), self.most - seen.runs))

    def _count(self, tried: Tried) -> Count:
        """Count what is searched for; the most frequent failure at BAD is, where no other was named."""
        if not self.fingerprint and tried.kinds:
            self.fingerprint = max(tried.kinds, key=lambda name: tried.kinds[name].failures)
        return Count(tried.runs, tried.failures(self.fingerprint))

    def _passes(self, revision: str, name: str, left: int) -> Ending | None:
        """See that it passes where it has to; give the ending where it does not."""
        match self._judge(revision, left + 1):
            case Judged.GOOD:
                return None
            case Judged.BAD:
                more = f"give a GOOD that is earlier than {self.history.short(revision)}"
                return Ending(False, f"it fails at {name} already: {more}")
            case Judged.SKIPPED:
                raise CannotBisect(
                    f"whether it passes at {name} cannot be told: {self._why(self.notes.tries[revision])}; give "
                    "another GOOD, one that has the test, or bring the test there with --prepare"
                )

    def _judge(self, revision: str, left: int) -> Judged:
        wanted = self._budget.passes(left)
        if wanted > self.most:
            raise CannotBisect(
                f"it fails too rarely, perhaps {100 * self._budget.rate:.2g} % of the time: a revision would need "
                f"{wanted} runs to be called good, and {self.most} are allowed; give a --plan that it fails under more "
                "often, a larger --error, or more --runs"
            )
        tried = self.bench.tried(revision, lambda seen: self._missing(seen, wanted))
        judged = tried.judged(self.fingerprint, wanted)
        assert judged is not None, "it is run until it can be judged"
        if judged is Judged.GOOD:
            self._budget.called_good(tried.passes)
        self._say(judged, revision, tried)
        return judged

    def _missing(self, seen: Tried, wanted: int) -> int:
        return max(1, wanted - seen.passes) if seen.judged(self.fingerprint, wanted) is None else 0

    def _say(self, judged: Judged, revision: str, tried: Tried) -> None:
        said = self._why(tried) if judged is Judged.SKIPPED else self._often(revision)
        self.tell(f"{judged.value:<7}  {self.history.named(revision)}: {said}")
        if judged is not Judged.SKIPPED and any(name != self.fingerprint for name in tried.kinds):
            others = [kind for name, kind in tried.kinds.items() if name != self.fingerprint]
            self.tell(f"         it fails otherwise as well: {'; '.join(f'{how} ({n})' for n, how in others)}")

    def _why(self, tried: Tried) -> str:
        if tried.why_not:
            return tried.why_not
        failed = tried.runs - tried.passes
        return f"it fails otherwise, {failed} of {tried.runs}: {tried.otherwise}"

    def _often(self, revision: str) -> str:
        tried = self.notes.tries[revision]
        return f"fails {tried.failures(self.fingerprint)} of {tried.runs}"

    def _told(self, answer: Answer) -> Ending:
        """Say where it began, and what that is worth."""
        worth = (
            f"wrong with a chance of at most {100 * self._budget.spent:.2g} % if it fails at least "
            f"{100 * self._budget.rate:.2g} % of the time from then on"
        )
        if answer.skipped:
            range_ = "\n".join(f"  {self.history.named(revision)}" for revision in (*answer.skipped, answer.first))
            return Ending(
                False,
                f"began to fail with one of these, of which only the last could be judged ({worth}):\n{range_}",
            )
        parents = self.history.parents(answer.first)
        before = ", ".join(self._parent(parent) for parent in parents)
        whose = "its parent" if len(parents) == 1 else "its parents"
        return Ending(
            True,
            f"began to fail with {self.history.named(answer.first)} "
            f"({self._often(answer.first)}; {whose} {before}; {worth})",
        )

    def _parent(self, parent: str) -> str:
        """Say how a parent was seen passing: itself, or in a revision that contains it."""
        passing = {
            name for name, tried in self.notes.tries.items() if tried.passes and not tried.failures(self.fingerprint)
        }
        where = parent if parent in passing else next((p for p in passing if self.history.contains(p, parent)), "")
        if not where:
            return "not run"
        often = f"0 of {self.notes.tries[where].runs}"
        return often if where == parent else f"{often} in {self.history.short(where)}, which contains it"
