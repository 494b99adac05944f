"""Who makes a victim fail or a brittle test pass, what they changed, and who cleans up after them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_flakehunt.analysis.reduction import Experiment, Rates, decide, smallest
from pytest_flakehunt.model import Setup

MOST_UNDONE = 8
"""Changes that are each undone by themselves, to see which makes the difference."""


@dataclass(frozen=True, slots=True)
class Found:
    """The earlier tests that matter."""

    needed: tuple[str, ...]
    changes: tuple[str, ...] = ()
    """What they changed that makes the difference, as ``TEST VERB PATH``."""
    cleaners: tuple[str, ...] = ()


def of_victim(setup: Setup, rates: Rates, others: Sequence[str]) -> Experiment[Found]:
    """Find the fewest earlier tests that the victim fails after, what they changed, and a cleaner."""

    def fails_after(before: Sequence[str]) -> Experiment[bool]:
        return decide(replace(setup, before=tuple(before)), rates)

    needed = tuple((yield from smallest(setup.before, fails_after)))
    setup = replace(setup, before=needed)
    changes = yield from _telling(setup, rates, fails_when_undone=False)
    rest = tuple(test for test in others if test not in needed)

    def cleaned_by(between: Sequence[str]) -> Experiment[bool]:
        return not (yield from decide(replace(setup, before=(*needed, *between)), rates))

    cleaners: tuple[str, ...] = ()
    if rest and (yield from cleaned_by(rest)):
        cleaners = tuple((yield from smallest(rest, cleaned_by)))
    return Found(needed, changes, cleaners)


def of_brittle(setup: Setup, rates: Rates) -> Experiment[Found]:
    """Find the fewest earlier tests that a brittle one needs, and what they set for it."""

    def passes_after(before: Sequence[str]) -> Experiment[bool]:
        return not (yield from decide(replace(setup, before=tuple(before)), rates))

    needed = tuple((yield from smallest(setup.before, passes_after)))
    changes = yield from _telling(replace(setup, before=needed), rates, fails_when_undone=True)
    return Found(needed, changes)


def _telling(setup: Setup, rates: Rates, *, fails_when_undone: bool) -> Experiment[tuple[str, ...]]:
    """Undo each change by itself, then all of them: which one turns the outcome?"""
    seen = yield replace(setup, changes=True)
    changes = [(test, verb, path) for test, verb, path in seen.changes if test in setup.before]
    paths = list(dict.fromkeys(path for _, _, path in changes))[:MOST_UNDONE]
    groups = [(path,) for path in paths] + ([tuple(paths)] if len(paths) > 1 else [])
    for undone in groups:
        fails = yield from decide(replace(setup, undone=undone), rates)
        if fails is fails_when_undone:
            return tuple(f"{test} {verb} {path}" for test, verb, path in changes if path in undone)
    return ()
