"""Whether a mode has the cause that another one was shown to have: of the same sweeps, or after the same polluter."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pytest_flakehunt.analysis import naming
from pytest_flakehunt.analysis.association import fisher
from pytest_flakehunt.analysis.pinning import ENOUGH
from pytest_flakehunt.analysis.polluters import Found
from pytest_flakehunt.analysis.reduction import Experiment, OutOfRuns, one, tally
from pytest_flakehunt.analysis.target import MOST_CANDIDATES, Target, from_start
from pytest_flakehunt.model import CALM, Condition, Diagnosis, Reply

MEMBER_RUNS = 3
"""Runs each way of another mode of a group that was seen in one or two sweeps only."""
MEMBER_AT = 1e-3
"""Chance at which the cause of a group is accepted for another of its modes, where it does not always fail."""


MOST_POLLUTERS = 2
"""Polluters of others that a victim is tried after, before its own are looked for."""


def known_polluter(shown: Sequence[Diagnosis], target: Target) -> Experiment[Diagnosis | None]:
    """See whether a test is the victim of one that others were shown to be victims of; None where it is not.

    A test that replaces modules has hundreds of victims, which fail in as many
    sets of sweeps, each after it and never without it.
    """
    history = [] if target.calm.failures else target.history()
    failing, passing = ([frozenset(ran.before) for ran in history if ran.fails is fails] for fails in (True, False))
    if not failing or not passing:
        return None
    victims = Counter(
        found.setup.before
        for found in shown
        if found.setup is not None and len(found.setup.before) == 1 and not found.setup.plan.settings and found.sure
    )
    tried = 0
    for before, _ in victims.most_common():
        polluter = before[0]
        if tried == MOST_POLLUTERS or polluter == target.nodeid:
            break
        if not all(polluter in ran for ran in failing) or any(polluter in ran for ran in passing):
            continue
        tried += 1
        found = next(one for one in shown if one.setup is not None and one.setup.before == before and one.sure)
        told = naming.victim(Found(before), CALM)  # what it changed may be another
        causes = tuple(replace(cause, sentence=told, changes=(), cleaners=()) for cause in found.causes)
        if (same := (yield from shared(replace(found, causes=causes), target, MEMBER_RUNS))) is not None:
            return same
    return None


def shared(diagnosis: Diagnosis, target: Target, runs: int = 1) -> Experiment[Diagnosis | None]:
    """See whether another mode that failed in the same sweeps has the same cause; None where it has not.

    That it failed in three sweeps or more, always the same ones, says as much
    as experiments could: one run each way is enough where the cause is sure.

    Args:
        diagnosis: of the other one.
        target: this one.
        runs: each way, at least.
    """
    setup, without = diagnosis.setup, diagnosis.without
    if setup is None or without is None or diagnosis.ours:
        return None
    few = runs if len(target.candidates) >= MOST_CANDIDATES else MEMBER_RUNS
    try:
        seen = yield (setup, without) * (few if diagnosis.sure else ENOUGH)
        early = from_start(setup.plan)  # each may have read, or asked, something else as it was imported
        fresh = (yield from one(replace(setup, fresh=True, interpreter="", early=early))) if early.settings else None
    except OutOfRuns:
        return None
    present, absent = tally(seen[::2]), tally(seen[1::2])
    p_value = fisher(present, absent)
    sure = present.failures == present.runs and not absent.failures
    same = present.runs and absent.runs and (sure if diagnosis.sure else p_value <= MEMBER_AT)
    if not same or (fresh is not None and fresh.reply is Reply.PASSES):
        return None
    causes = tuple(replace(c, present=present, absent=absent, p_value=p_value) for c in diagnosis.causes)
    rows = ("with the cause of its group", present), ("without it", absent)
    tried = tuple(Condition(what, count, decisive=True) for what, count in rows)
    return replace(diagnosis, causes=causes, tried=tried, parting=None)
