"""Who makes a victim fail or a brittle test pass, what they changed, and who cleans up after them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_flakehunt.analysis.notebook import Notebook
from pytest_flakehunt.analysis.reduction import Experiment, Rates, decide, one, smallest
from pytest_flakehunt.analysis.target import Ran, Target
from pytest_flakehunt.model import Reply, Setup

MOST_UNDONE = 8
"""Changes that are each undone by themselves, to see which makes the difference."""
FIRST_SUSPECTS = 20
"""Earlier tests that are tried one by one before all of them together are."""
FORK = 0.05
"""Seconds that a process of its own costs, about."""
HALVINGS = 3.0
"""Times of all earlier tests that it takes to halve them until one is left: half, a quarter and so on, mostly twice."""
LONG_SEARCH = 60.0
"""Seconds that a search one by one may take even so: it goes on side by side."""
TOGETHER = 8
"""Suspects that are tried side by side."""
MOST_CLEANERS = 40
"""Tests that are each tried as a cleaner."""


@dataclass(frozen=True, slots=True)
class Found:
    """The earlier tests that matter."""

    needed: tuple[str, ...]
    changes: tuple[str, ...] = ()
    """What they changed that makes the difference, as ``TEST VERB PATH``."""
    cleaners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspects:
    """Earlier tests, the likeliest first: who may do it alone."""

    first: list[str]
    """Those to be tried one by one before all are tried together."""
    rest: list[str]
    """Those to be tried one by one after that; none where it takes less time to halve all."""
    likely: tuple[str, ...]
    """Who ran before in every sweep that came out so, as they ran: who does it alone is among them."""


def suspects(target: Target, before: Sequence[str], *, brittle: bool = False) -> Suspects:
    """Rank earlier tests by what the survey knows: one alone may make the victim fail, or the brittle test pass.

    Who did it alone ran before in every sweep that came out so, and in few
    others. Of equals those come first that are known to leave state behind,
    then those of the same file, then the quickest. Where tests take longer
    than forks do, all likely ones one by one cost less than two runs of all
    together, and say more.

    Args:
        target: the test.
        before: those in question.
        brittle: whether to look for one that makes it pass.
    """
    history = target.history()
    did = [frozenset(ran.before) for ran in history if ran.fails is not brittle]
    did_not = [frozenset(ran.before) for ran in history if ran.fails is brittle]
    file = target.nodeid.partition("::")[0]

    def rank(test: str) -> tuple[int, float, bool, bool, float]:
        missing = sum(test not in ran for ran in did)
        idle = sum(test in ran for ran in did_not) / max(1, len(did_not))
        elsewhere = test.partition("::")[0] != file
        return missing, idle, test not in target.leaky, elsewhere, target.seconds.get(test, 0.0)

    ranked = sorted(before, key=rank)
    likely = tuple(test for test in before if all(test in ran for ran in did))
    whole = sum(target.seconds.get(test, 0.0) for test in ranked)
    most = len(likely) if len(likely) * FORK < whole else min(len(likely), FIRST_SUSPECTS)
    rest = ranked[most:]
    singly = whole + FORK * len(rest)
    return Suspects(ranked[:most], [] if singly > max(LONG_SEARCH, HALVINGS * whole) else rest, likely)


def first_to(
    tests: Sequence[str], setup: Setup, wanted: Reply, target: Target, book: Notebook
) -> Experiment[str | None]:
    """Try tests one by one, each in a process of its own: after which does it come out so? None where after none."""
    for start in range(0, len(tests), TOGETHER):
        some = tests[start : start + TOGETHER]
        seconds = max(1.0, sum(target.seconds.get(test, 0.0) + FORK for test in tests[start:]))
        book.left = (
            f"{start} of {len(tests)} earlier tests were tried one by one; the others take about {seconds:.0f} s"
        )
        seen = yield [replace(setup, before=(*setup.before, test)) for test in some]
        for test, run in zip(some, seen, strict=True):
            if run.reply is wanted:
                book.left = ""
                return test
    book.left = ""
    return None


def fewest(setup: Setup, rates: Rates) -> Experiment[Setup]:
    """Leave out the earlier tests that a victim fails without just as often."""

    def fails_after(before: Sequence[str]) -> Experiment[bool]:
        return decide(replace(setup, before=tuple(before)), rates)

    return replace(setup, before=tuple((yield from smallest(setup.before, fails_after))))


def of_victim(setup: Setup, rates: Rates, target: Target) -> Experiment[Found]:
    """Find what the earlier tests changed that the victim fails after, and a cleaner."""
    changes = yield from _telling(setup, rates, fails_when_undone=False)
    return Found(setup.before, changes, (yield from _cleaners(setup, rates, target)))


def _cleaners(setup: Setup, rates: Rates, target: Target) -> Experiment[tuple[str, ...]]:
    """Find the fewest tests between that undo it: first who stood there as the victim passed."""
    needed = setup.before
    rest = [test for test in target.others if test not in needed]
    between = [_between(ran, needed) for ran in target.history() if not ran.fails]
    stood = [frozenset(tests) for tests in between if tests]

    def rank(test: str) -> tuple[int, bool, float]:
        return -sum(test in tests for tests in stood), test not in target.leaky, target.seconds.get(test, 0.0)

    def cleaned_by(tests: Sequence[str]) -> Experiment[bool]:
        return not (yield from decide(replace(setup, before=(*needed, *tests)), rates))

    seen_between = [test for test in rest if any(test in tests for tests in stood)]
    for test in sorted(rest if len(rest) <= MOST_CLEANERS else seen_between, key=rank)[:MOST_CLEANERS]:
        seen = yield from one(replace(setup, before=(*needed, test)))
        if seen.reply is Reply.PASSES and (yield from cleaned_by([test])):
            return (test,)
    shortest = min((tests for tests in between if tests), key=len, default=())
    together = [test for test in shortest if test in target.others]
    if len(together) > 1 and (yield from cleaned_by(together)):
        return tuple((yield from smallest(together, cleaned_by)))
    return ()


def _between(ran: Ran, needed: Sequence[str]) -> tuple[str, ...]:
    """Give the tests after the last of those needed; empty where one of them did not run before."""
    places = [ran.before.index(test) for test in needed if test in ran.before]
    return ran.before[max(places) + 1 :] if len(places) == len(needed) else ()


def of_brittle(setup: Setup, rates: Rates) -> Experiment[Found]:
    """Find the fewest earlier tests that a brittle one needs, and what they set for it."""

    def passes_after(before: Sequence[str]) -> Experiment[bool]:
        return not (yield from decide(replace(setup, before=tuple(before)), rates))

    needed = tuple((yield from smallest(setup.before, passes_after)))
    changes = yield from _telling(replace(setup, before=needed), rates, fails_when_undone=True)
    return Found(needed, changes)


def _telling(setup: Setup, rates: Rates, *, fails_when_undone: bool) -> Experiment[tuple[str, ...]]:
    """Undo each change by itself, then all of them: which one turns the outcome?"""
    seen = yield from one(replace(setup, changes=True))
    changes = [(test, verb, path) for test, verb, path in seen.changes if test in setup.before]
    paths = list(dict.fromkeys(path for _, _, path in changes))[:MOST_UNDONE]
    groups = [(path,) for path in paths] + ([tuple(paths)] if len(paths) > 1 else [])
    for undone in groups:
        fails = yield from decide(replace(setup, undone=undone), rates)
        if fails is fails_when_undone:
            return tuple(f"{test} {verb} {path}" for test, verb, path in changes if path in undone)
    return ()
