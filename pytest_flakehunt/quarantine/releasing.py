"""Whether a test may leave quarantine: its own plan, replayed as often as its own rate asks for."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from math import ceil, log
from pathlib import Path
from typing import Any

from pytest_flakehunt.analysis import intervals
from pytest_flakehunt.model import Count, Entry, Replayed
from pytest_flakehunt.quarantine import node_ids

FEWEST, MOST = 3, 300
CONFIDENCE = 0.95
ENOUGH_TO_SEE = 10
LONGEST = 3600.0
"""Seconds that one replay may take."""


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
    return max(FEWEST, min(MOST, ceil(log(1 - CONFIDENCE) / log(1 - low)) if low < 1 else FEWEST))


def words(entry: Entry, asked: int, folder: Path, scratch: Path, more: Sequence[str]) -> list[str]:
    """Give the command line of pytest that replays an entry.

    Args:
        entry: the entry.
        asked: how often.
        folder: which node ids begin from.
        scratch: a folder for what it writes.
        more: options of pytest that the suite needs.
    """
    test = node_ids.literal(entry.test) or node_ids.split(entry.test)[0]
    whole = "order=" in entry.plan and "order=alone" not in entry.plan
    alike = entry.cause.partition(":")[0] == "import"  # drawn anew in every interpreter, and in no fork
    return [
        *([] if whole else [*entry.after, test]),
        *more,
        f"--flakehunt={asked}",
        f"--flakehunt-plan={entry.plan or 'calm'}",
        "--flakehunt-diagnose=0",
        "--flakehunt-quarantine=off",
        f"--flakehunt-isolation={'fresh' if alike else 'auto'}",
        f"--flakehunt-ledger={scratch / 'ledger.sqlite'}",
        f"--flakehunt-json={scratch / 'report.json'}",
        "--flakehunt-annotate=none",
        f"--rootdir={folder}",
        "-q",
    ]


def replay(entry: Entry, folder: Path, more: Sequence[str]) -> Replayed:
    """Replay an entry, and tell whether it may leave.

    Args:
        entry: the entry.
        folder: which node ids begin from: pytest is called there.
        more: options of pytest that the suite needs.
    """
    asked = attempts(entry.seen)
    if asked > ENOUGH_TO_SEE:  # most of what still fails is seen to at once
        first = _replayed(entry, ENOUGH_TO_SEE, folder, more)
        if first.why_not:
            return first
    return _replayed(entry, asked, folder, more)


def _replayed(entry: Entry, asked: int, folder: Path, more: Sequence[str]) -> Replayed:
    with tempfile.TemporaryDirectory(prefix="flakehunt-release-") as name:
        scratch = Path(name)
        command = [sys.executable, "-m", "pytest", *words(entry, asked, folder, scratch, more)]
        environ = {name: value for name, value in os.environ.items() if name != "PYTEST_FLAKEHUNT_WITNESS"}
        try:
            ended = subprocess.run(  # noqa: S603 - pytest itself
                command, cwd=folder, env=environ, capture_output=True, text=True, timeout=LONGEST, check=False
            )
        except subprocess.TimeoutExpired:
            return Replayed(entry, asked, Count(), f"its replay took more than {LONGEST:.0f} s")
        report = scratch / "report.json"
        if not report.exists():
            last = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-1:] or ["it said nothing"]
            return Replayed(entry, asked, Count(), f"pytest ended with status {ended.returncode}: {last[0]}")
        document = json.loads(report.read_text("utf-8"))
    return judged(entry, asked, document["tests"])


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
        under, total = _under_plan(entry, worst), _count(worst)
        failing = under if under.failures else total
        often = "it fails every time" if total.failures == total.runs else "it still fails"
        return Replayed(entry, asked, failing, f"{often} ({failing.failures} of {failing.runs})")
    least = min((_under_plan(entry, test) for test in mine), key=lambda count: count.runs)
    if least.runs < asked:
        why = (
            f"{least.runs} of the {asked} attempts that its rate asks for ran to a result: what was skipped is no "
            "evidence"
        )
        return Replayed(entry, asked, least, why)
    return Replayed(entry, asked, least, excluded=intervals.rate(0, least.runs).high)


def _under_plan(entry: Entry, test: Mapping[str, Any]) -> Count:
    """Leave out the calm sweep that comes before those under a plan."""
    count = _count(test)
    calm = test["calm"]
    return Count(count.runs - calm["runs"], count.failures - calm["failures"]) if entry.plan else count


def _count(test: Mapping[str, Any]) -> Count:
    return Count(test["runs"], test["failures"])
