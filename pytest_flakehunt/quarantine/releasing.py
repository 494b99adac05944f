"""Whether a test may leave quarantine: its own plan, replayed as often as its own rate asks for."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_flakehunt.analysis import intervals
from pytest_flakehunt.model import Count, Entry, Replayed
from pytest_flakehunt.quarantine import node_ids
from pytest_flakehunt.replays.hunt import Hunt, under_plan

FEWEST, MOST = 3, 300
CONFIDENCE = 0.95
ENOUGH_TO_SEE = 10


def attempts(seen: Count) -> int:
    """Give how often a test has to pass to be held for mended, given how often it failed.

    As many passes in a row leave 5 % for a test that fails as often as the
    lower bound of its rate says.

    >>> attempts(Count(20, 20)), attempts(Count(60, 3)), attempts(Count())
    (3, 174, 300)
    """
    if not seen.failures:
        return MOST
    low = intervals.wilson(seen.failures, seen.runs).low
    return max(FEWEST, min(MOST, intervals.passes(low, 1 - CONFIDENCE)))


def hunt(entry: Entry, more: Sequence[str]) -> Hunt:
    """Give the hunt that replays an entry.

    Args:
        entry: the entry.
        more: options of pytest that the suite needs.
    """
    test = node_ids.literal(entry.test) or node_ids.split(entry.test)[0]
    alike = entry.cause.partition(":")[0] == "import"  # drawn anew in every interpreter, and in no fork
    return Hunt((*entry.after, test), entry.plan, fresh=alike, more=tuple(more))


def replay(entry: Entry, folder: Path, more: Sequence[str]) -> Replayed:
    """Replay an entry, and tell whether it may leave.

    Args:
        entry: the entry.
        folder: which node ids begin from: pytest is called there.
        more: options of pytest that the suite needs.
    """
    asked = attempts(entry.seen)
    if outside := [test for test in (*entry.after, entry.test) if not node_ids.inside(folder, test)]:
        return Replayed(entry, asked, Count(), f"{outside[0]} lies outside of the project, and is not run")
    if asked > ENOUGH_TO_SEE:  # most of what still fails is seen to at once
        first = _replayed(entry, ENOUGH_TO_SEE, folder, more)
        if first.why_not:
            return first
    return _replayed(entry, asked, folder, more)


def _replayed(entry: Entry, asked: int, folder: Path, more: Sequence[str]) -> Replayed:
    ended = hunt(entry, more).run(asked, folder, os.environ)
    if ended.why_not:
        return Replayed(entry, asked, Count(), ended.why_not)
    return judged(entry, asked, ended.tests)


def judged(entry: Entry, asked: int, tests: Sequence[Mapping[str, Any]]) -> Replayed:
    """Tell what a report says of an entry.

    Args:
        entry: the entry.
        asked: how often it was to run under its plan.
        tests: of the report, as JSON has them.
    """
    mine = [test for test in tests if node_ids.fits(entry.test, test["nodeid"])]
    if not mine:
        return Replayed(entry, asked, Count(), "no test of that name was collected: renamed, or removed?")
    worst = max(mine, key=lambda test: _count(test).failures / max(1, _count(test).runs))
    if _count(worst).failures:
        under, total = under_plan(entry.plan, worst), _count(worst)
        failing = under if under.failures else total
        often = "it fails every time" if total.failures == total.runs else "it still fails"
        return Replayed(entry, asked, failing, f"{often} ({failing.failures} of {failing.runs})")
    least = min((under_plan(entry.plan, test) for test in mine), key=lambda count: count.runs)
    if least.runs < asked:
        why = (
            f"{least.runs} of the {asked} attempts that its rate asks for ran to a result: what was skipped is no "
            "evidence"
        )
        return Replayed(entry, asked, least, why)
    return Replayed(entry, asked, least, excluded=intervals.rate(0, least.runs).high)


def _count(test: Mapping[str, Any]) -> Count:
    return Count(test["runs"], test["failures"])
