"""``flakehunt prune``: old hunts are taken out of a ledger."""

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.cli import nearest
from pytest_flakehunt.cli.ending import OK, Refused
from pytest_flakehunt.cli.report import is_ledger, line_of
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.reports.words import number

if TYPE_CHECKING:
    from pytest_flakehunt.ledger.archive import Kept

UNITS = {"h": "hours", "d": "days", "w": "weeks"}
UNFINISHED = timedelta(days=1)
"""How old a hunt must be that never ended: a younger one may still be running on another machine."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "take old hunts out of a ledger; without --yes, only show which"
    more = (
        "A hunt that never ended goes only where --hunt names it, and it is a day old. Tests, failures and leaks that "
        "no other hunt has go with their hunts, and the file gets smaller. A ledger keeps the format it was written "
        "in; one that a hunt or another command has open is left as it is."
    )
    reads = commands.add_parser("prune", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    reads.add_argument("ledger", metavar="PATH", nargs="?", type=Path, help=f"of the ledger (default: {LEDGER})")
    reads.add_argument("--keep", metavar="N", type=_count, help="all but the newest N that ended")
    age = reads.add_mutually_exclusive_group()
    age.add_argument(
        "--older-than", metavar="AGE", dest="before", type=_ago, help="those begun that long ago, such as 36h, 30d, 8w"
    )
    age.add_argument("--before", metavar="DATE", type=_day, help="those begun before a day (UTC), such as 2026-10-01")
    reads.add_argument(
        "--hunt", metavar="ID", action="append", default=[], help="this one: its number, or how its id begins"
    )
    reads.add_argument("--yes", action="store_true", help="do it")
    reads.set_defaults(run=prune)


def prune(asked: argparse.Namespace) -> int:
    """Show which hunts go, and take them out where that is meant."""
    from pytest_flakehunt.ledger import archive, pruning
    from pytest_flakehunt.ledger.errors import LedgerError

    path: Path = asked.ledger or nearest.ledger()
    if asked.keep is None and asked.before is None and not asked.hunt:
        raise Refused("which hunts are to go? give --keep N, --older-than AGE, --before DATE or --hunt ID")
    if asked.hunt and (asked.keep is not None or asked.before is not None):
        raise Refused("--hunt names what goes; leave out --keep, --older-than and --before, or --hunt")
    if not path.exists():
        raise Refused(f"{path}: there is no such ledger; give the path of one")
    if not is_ledger(path):
        raise Refused(f"{path}: it is no ledger; give the path of one")
    try:
        kept = archive.hunts(path)
        going, left = _chosen(kept, asked, path)
        for hunt in left:
            sys.stdout.write(f"hunt {hunt.number} never ended, and stays unless --hunt {hunt.number} names it\n")
        if not going:
            sys.stdout.write(f"nothing to take out: {path} keeps its {number(len(kept), 'hunt')}\n")
            return OK
        for hunt in going:
            sys.stdout.write(line_of(hunt))
        share = f"{len(going)} of {number(len(kept), 'hunt')}"
        if not asked.yes:
            sys.stdout.write(f"{share} would be taken out of {path}; nothing was: add --yes to do it\n")
            return OK
        before = path.stat().st_size
        large = pruning.removed(path, [hunt.number for hunt in going])
        sizes = f"{before / 1e6:.1f} MB before, {path.stat().st_size / 1e6:.1f} MB now"
        why = f"; it could not be made smaller: {large}; later hunts use the room" if large else ""
        sys.stdout.write(f"{share} taken out of {path}: {sizes}{why}\n")
    except LedgerError as error:
        raise Refused(str(error)) from None
    return OK


def _chosen(kept: "Sequence[Kept]", asked: argparse.Namespace, path: Path) -> "tuple[list[Kept], list[Kept]]":
    """Give the hunts that go, and those that would if they had ended."""
    if asked.hunt:
        named = [_named(kept, wanted, path) for wanted in asked.hunt]
        return [hunt for hunt in kept if hunt in named], []
    ended = [hunt for hunt in kept if hunt.ended]
    newest = ended[len(ended) - min(asked.keep or 0, len(ended)) :]
    old = [hunt for hunt in kept if hunt not in newest and (asked.before is None or _begun(hunt) < asked.before)]
    return [hunt for hunt in old if hunt.ended], [hunt for hunt in old if not hunt.ended]


def _named(kept: "Sequence[Kept]", wanted: str, path: Path) -> "Kept":
    from pytest_flakehunt.ledger import archive

    fitting = [hunt for hunt in kept if str(hunt.number) == wanted] or [
        hunt for hunt in kept if archive.begins_id(hunt.uid, wanted)
    ]
    if len(fitting) != 1:
        what = "several hunts are" if fitting else "no hunt is"
        raise Refused(f"{path}: --hunt {wanted}: {what} called so; flakehunt report --list shows those there are")
    (hunt,) = fitting
    if not hunt.ended and _begun(hunt) > realtime.now() - UNFINISHED:
        raise Refused(f"{path}: --hunt {wanted}: it has not ended, and may be running; try again when it is a day old")
    return hunt


def _begun(hunt: "Kept") -> datetime:
    begun = datetime.fromisoformat(hunt.started)
    return begun if begun.tzinfo else begun.replace(tzinfo=UTC)


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text}: give a whole number of hunts, 0 or more")
    return int(text)


def _ago(text: str) -> datetime:
    found = re.fullmatch(r"(\d{1,4})([hdw])", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text}: give hours, days or weeks, such as 36h, 30d or 8w")
    return realtime.now() - timedelta(**{UNITS[found[2]]: int(found[1])})


def _day(text: str) -> datetime:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: give a day, such as 2026-10-01") from None
    return day
