"""Further causes of one mode: what made the sweeps fail that the first one has no part in, each shown by itself."""

from collections.abc import Sequence
from dataclasses import replace

from pytest_flakehunt.analysis.attribution import Attribution
from pytest_flakehunt.analysis.members import shared
from pytest_flakehunt.analysis.reduction import Experiment, OutOfRuns
from pytest_flakehunt.analysis.target import MOST_CANDIDATES, Candidate, Ran, Target
from pytest_flakehunt.model import Cause, Diagnosis, Reply, Setup

MOST_OTHERS = 2
"""Further causes that are named."""
LOOKS = 2
"""Runs of a sweep's plan that tell whether it is worth a diagnosis of its own."""
MOST_LOOKED = 6
"""Sweeps whose plans are looked at; ..."""
MOST_ORDERS = 3
"""... with their orders, where none of those fails alone."""
EVERYWHERE = frozenset({"random", "hashseed", "import", "parallel"})
"""Causes that are at work in sweeps whose plans say nothing of them."""


def others(target: Target, first: Diagnosis) -> Experiment[tuple[Diagnosis, ...]]:
    """Diagnose failing sweeps that have no part in the cause that was found; what comes to nothing is left out.

    Args:
        target: the mode.
        first: what was found of it.
    """
    if target.calm.failures or not _tells_apart(first):
        return ()
    found = [first]
    try:
        while len(found) <= MOST_OTHERS and _tells_apart(found[-1]):
            left = [one for one in target.failures() if not any(explains(cause, one) for cause in found)]
            back = yield from _coming_back(left)
            another = (yield from Attribution(_narrowed(target, left, back)).run()) if back else Diagnosis()
            if not another.causes or another.ours or _key(another) in map(_key, found):
                break
            found.append(another)
    except OutOfRuns:
        pass  # with those found so far
    return tuple(found[1:])


def shared_too(also: Sequence[Diagnosis], target: Target) -> Experiment[tuple[Diagnosis, ...]]:
    """See which further causes of one mode are those of another one, too, that failed in the same sweeps."""
    found = []
    for one in also:
        found.append((yield from shared(one, target)))  # noqa: PERF401 - a comprehension cannot yield
    return tuple(one for one in found if one is not None)


def explains(found: Diagnosis, candidate: Candidate) -> bool:
    """Tell whether all that a diagnosis names was at work in a sweep."""
    return all(_took_part(cause, candidate) for cause in found.causes)


def _took_part(cause: Cause, candidate: Candidate) -> bool:
    if cause.perturbation != "order":
        return cause.perturbation in candidate.plan.names
    if cause.setters:
        return not candidate.before_all(cause.setters)
    return candidate.before_all(cause.polluters)


def _tells_apart(found: Diagnosis) -> bool:
    """Tell whether it is known in which sweeps the cause was at work, and that the test passes without it."""
    named = {cause.perturbation for cause in found.causes}
    never = not any(cause.absent.failures for cause in found.causes)
    return bool(named) and not found.ours and never and not named & EVERYWHERE


def _coming_back(left: Sequence[Candidate]) -> Experiment[list[Candidate]]:
    """Give those sweeps that fail again at once: their plans alone, or else with their orders."""
    plans = [one for one in left if one.plan.settings][:MOST_LOOKED]
    back = yield from _failing(plans, [Setup(one.plan) for one in plans])
    if back:
        return back
    orders = [one for one in left if one.before and one.ordered][:MOST_ORDERS]
    return (yield from _failing(orders, [Setup(one.plan, before=one.before) for one in orders]))


def _failing(some: Sequence[Candidate], setups: Sequence[Setup]) -> Experiment[list[Candidate]]:
    seen = (yield [setup for setup in setups for _ in range(LOOKS)]) if setups else ()
    failed = [
        any(run.reply is Reply.FAILS for run in seen[place : place + LOOKS]) for place in range(0, len(seen), LOOKS)
    ]
    return [one for one, fails in zip(some, failed, strict=True) if fails]


def _narrowed(target: Target, left: Sequence[Candidate], back: Sequence[Candidate]) -> Target:
    """Give the mode as though it had failed in those sweeps only."""

    def history() -> list[Ran]:
        return [*(Ran(one.before, fails=True) for one in left), *(ran for ran in target.history() if not ran.fails)]

    return replace(target, candidates=back[:MOST_CANDIDATES], history=history, seeds={})


def _key(found: Diagnosis) -> frozenset[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return frozenset((cause.perturbation, cause.polluters, cause.setters) for cause in found.causes)
