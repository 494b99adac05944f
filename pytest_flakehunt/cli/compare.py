"""``flakehunt compare``: what fails more often than before, or less, by tests with a stated error."""

import argparse
from pathlib import Path

from pytest_flakehunt.analysis.comparison import Change, added, compared
from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.cli import choosing, nearest
from pytest_flakehunt.cli.ending import FOUND, OK, Refused

KINDS = ("new", "worse", "better", "gone", "added")
"""What ``--fail-on`` may name."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "compare two hunts, revisions or files: what fails anew, worse, better, or not any more"
    more = (
        "Each side is the path of a ledger or of a JSON report (its last hunt), the number of a hunt in the ledger or "
        "how its id begins, or a revision (all its hunts together). Differences that chance gives are not told as any."
    )
    reads = commands.add_parser("compare", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    reads.add_argument("before", metavar="A", help="what to compare with")
    reads.add_argument("after", metavar="B", help="what to compare")
    reads.add_argument("--ledger", metavar="PATH", type=Path, default=nearest.ledger(), help=f"(default: {LEDGER})")
    reads.add_argument(
        "--error", metavar="SHARE", type=choosing.share, default=0.05,
        help="chance that anything said to have changed has not, all together (default: 0.05)",
    )  # fmt: skip
    reads.add_argument(
        "--fail-on", metavar="KINDS", type=kinds, default=("new", "worse", "added"),
        help=f"what makes the exit status 1: of {', '.join(KINDS)}, or none (default: new,worse,added)",
    )  # fmt: skip
    reads.add_argument("-v", "--verbose", action="count", default=0, help="list what did not change, too")
    reads.set_defaults(run=compare)


def compare(asked: argparse.Namespace) -> int:
    """Say what changed."""
    from pytest_flakehunt.reports import changes, terminal

    sides = [choosing.hunts(word, asked.ledger) for word in (asked.before, asked.after)]
    for side in sides:
        if not any(hunt.tests for hunt in side.hunts):
            raise Refused(f"{side.name}: it has no tests to compare")
    before, after = ({test.nodeid for hunt in side.hunts for test in hunt.tests} for side in sides)
    if not before & after:
        raise Refused(f"{sides[0].name} and {sides[1].name} have no test in common: give two hunts of one suite")
    rows = compared(sides[0].hunts, sides[1].hunts, asked.error)
    alone = added(sides[0].hunts, sides[1].hunts)
    terminal.printed(changes.parts(sides[0], sides[1], rows, alone, asked.error, asked.verbose))
    met = {row.change.value for row in rows if row.change is not Change.SAME} | ({"added"} if alone else set())
    return FOUND if met.intersection(asked.fail_on) else OK


def kinds(text: str) -> tuple[str, ...]:
    """Give what makes the exit status 1."""
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if words == ("none",):
        return ()
    for word in words:
        if word not in KINDS:
            raise argparse.ArgumentTypeError(f"{word}: give some of {', '.join(KINDS)}, between commas, or none")
    return words
