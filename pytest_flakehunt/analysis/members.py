"""Modes that failed in the same sweeps: whether one has the cause that another was shown to have."""

from dataclasses import replace

from pytest_flakehunt.analysis.association import fisher
from pytest_flakehunt.analysis.pinning import ENOUGH
from pytest_flakehunt.analysis.reduction import Experiment, OutOfRuns, one, tally
from pytest_flakehunt.analysis.target import MOST_CANDIDATES, Target, from_start
from pytest_flakehunt.model import Condition, Diagnosis, Reply

MEMBER_RUNS = 3
"""Runs each way of another mode of a group that was seen in one or two sweeps only."""
MEMBER_AT = 1e-3
"""Chance at which the cause of a group is accepted for another of its modes, where it does not always fail."""


def shared(diagnosis: Diagnosis, target: Target) -> Experiment[Diagnosis | None]:
    """See whether another mode that failed in the same sweeps has the same cause; None where it has not.

    That it failed in three sweeps or more, always the same ones, says as much
    as experiments could: one run each way is enough where the cause is sure.
    """
    setup, without = diagnosis.setup, diagnosis.without
    if setup is None or without is None or diagnosis.ours:
        return None
    few = 1 if len(target.candidates) >= MOST_CANDIDATES else MEMBER_RUNS
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
