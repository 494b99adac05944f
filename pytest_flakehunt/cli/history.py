"""``flakehunt history``: how often a test failed, hunt by hunt, and when that began."""

import argparse
from pathlib import Path

from pytest_flakehunt.analysis.comparison import began, seen
from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.cli import choosing, nearest
from pytest_flakehunt.cli.ending import OK, Refused


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "show how often a test failed in each hunt of a ledger, and when that began"
    more = "Hunts that were killed before they were concluded are left out, and so are those that did not run the test."
    reads = commands.add_parser("history", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    reads.add_argument("test", metavar="TEST", help="its node id, or a part of it that only one test has")
    reads.add_argument("--ledger", metavar="PATH", type=Path, default=nearest.ledger(), help=f"(default: {LEDGER})")
    reads.add_argument(
        "--error", metavar="SHARE", type=choosing.share, default=0.05,
        help="chance that a change which is told is none (default: 0.05)",
    )  # fmt: skip
    reads.set_defaults(run=history)


def history(asked: argparse.Namespace) -> int:
    """Show it."""
    from pytest_flakehunt.reports import changes, terminal

    if not asked.ledger.is_file():
        raise Refused(f"{asked.ledger}: there is no such ledger; hunt first, or give --ledger PATH")
    kept = choosing.every(asked.ledger)
    nodeid = choosing.test_of(asked.test, (test.nodeid for hunt in reversed(kept.values()) for test in hunt.tests))
    points = [
        changes.Point(number, hunt, finding, seen(hunt, finding))
        for number, hunt in kept.items()
        for finding in hunt.tests
        if finding.nodeid == nodeid and finding.total.runs
    ]
    if not points:
        raise Refused(f"{nodeid}: no hunt of {asked.ledger} ran it to a result")
    when = began([point.seen for point in points])
    terminal.printed(changes.history(nodeid, points, when, asked.error))
    return OK
