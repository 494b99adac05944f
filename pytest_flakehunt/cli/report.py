"""``flakehunt report``: every report again, from what a ledger keeps, or from a JSON report."""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.asked.flags import REPORTS
from pytest_flakehunt.asked.options import with_companions
from pytest_flakehunt.cli import nearest
from pytest_flakehunt.cli.ending import FOUND, OK, Refused
from pytest_flakehunt.cli.patience import within
from pytest_flakehunt.model import Findings, Service

if TYPE_CHECKING:
    from pytest_flakehunt.ledger.archive import Kept

GO_ON = "go on with --flakehunt-resume, or hunt again"


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "report a hunt again, from the ledger or from its JSON report, with nothing secret in files"
    reads = commands.add_parser("report", help=text, description=text[0].upper() + text[1:] + ".")
    reads.add_argument("source", metavar="PATH", nargs="?", type=Path, help=f"of either (default: {LEDGER})")
    which = "which hunt of the ledger: its number, or how its id begins (default: the last that was concluded)"
    reads.add_argument("--hunt", metavar="ID", default="", help=which)
    reads.add_argument("--list", action="store_true", help="list the hunts that the ledger has")
    for kind in REPORTS:
        reads.add_argument(f"--{kind}", metavar="PATH", type=Path, help=f"write it there as --flakehunt-{kind} does")
    reads.add_argument(
        "--annotate",
        choices=[service.value for service in Service],
        help="write annotations as this service reads them",
    )
    reads.add_argument(
        "--redacted-ledger", metavar="PATH", type=Path, help="write a copy of the ledger there, redacted"
    )
    reads.add_argument(
        "--redact", metavar="REGEX", type=compiled, action="append", default=[], help="further text to be hidden"
    )
    reads.add_argument("-v", "--verbose", action="count", default=0, help="say more")
    reads.add_argument("-q", "--quiet", action="count", default=0, help="say less")
    reads.set_defaults(run=report)


def report(asked: argparse.Namespace) -> int:
    """Write what is asked for; on the terminal where nothing is."""
    from pytest_flakehunt.reports import terminal
    from pytest_flakehunt.reports.redaction import Redactor, handed_on

    path: Path = asked.source or nearest.ledger()
    if not path.exists():
        raise Refused(f"{path}: there is no such file; {nearest.advice()}")
    paths = {kind: Path(getattr(asked, kind)) for kind in REPORTS if getattr(asked, kind) is not None}
    if asked.list and (paths or asked.annotate or asked.redacted_ledger):
        raise Refused("--list writes nothing; leave out what is to be written, or --list")
    if asked.list:
        return _list(path)
    if asked.annotate == Service.GITLAB:
        raise Refused("--annotate gitlab: GitLab reads a file; give --gitlab PATH")
    _check(paths, asked.redacted_ledger, path)
    patterns = _patterns(path)
    redact = [*asked.redact, *patterns]
    why = f"{path}: what its hunts were told to hide takes too long to look for: {', '.join(patterns)[:200]}"
    if asked.redacted_ledger is not None:
        with within(why, limited=bool(patterns)):
            _copy(path, asked.redacted_ledger, redact)
    if paths or asked.annotate:
        findings = concluded(path, asked.hunt)
        with within(why, limited=bool(patterns)):
            told = handed_on(findings, Redactor(os.environ, redact))
        return _report(told, path, paths, asked.annotate)
    if asked.redacted_ledger is None:
        terminal.printed(terminal.parts(concluded(path, asked.hunt), asked.verbose - asked.quiet, path))
    return OK


def _report(told: Findings, source: Path, paths: dict[str, Path], service: str | None) -> int:
    from pytest_flakehunt.reports import remarks, writing

    wrong = list(writing.reports(told, paths))
    lines = []
    if service:
        folder = source.resolve().parent
        lines = list(writing.annotated(remarks.of_hunt(told), Service(service), folder, told))
    for line in lines:
        sys.stdout.write(f"{line}\n")
    if wrong:
        raise Refused("\n".join(wrong))
    return OK


def concluded(path: Path, wanted: str) -> Findings:
    """Give what a hunt said in the end.

    Args:
        path: of a ledger, or of a JSON report.
        wanted: which hunt of a ledger: its number, or the beginning of its id; empty for the last that ended.
    """
    from pytest_flakehunt.ledger import archive
    from pytest_flakehunt.ledger.errors import LedgerError
    from pytest_flakehunt.reports import reading

    try:
        if not is_ledger(path):
            return reading.of_file(path)
        return reading.read(archive.document(path, chosen(path, wanted).number))
    except (LedgerError, OSError, ValueError, reading.DocumentError) as error:
        said = str(error)
        raise Refused(said if str(path) in said else f"{path}: {said}") from None


def chosen(path: Path, wanted: str) -> "Kept":
    """Give a hunt that was concluded.

    Args:
        path: of a ledger.
        wanted: its number, or the beginning of its id; empty for the last that ended.
    """
    from pytest_flakehunt.ledger import archive
    from pytest_flakehunt.ledger.errors import LedgerError

    try:
        kept = archive.hunts(path)
    except LedgerError as error:
        raise Refused(str(error)) from None
    if wanted:
        fitting = [hunt for hunt in kept if str(hunt.number) == wanted or archive.begins_id(hunt.uid, wanted)]
    else:
        fitting = [hunt for hunt in kept if hunt.concluded][-1:]
    if not fitting or (len(fitting) > 1 and all(str(hunt.number) != wanted for hunt in fitting)):
        which = f"--hunt {wanted}: {'several hunts are' if fitting else 'no hunt is'} called so" if wanted else (
            f"none of its hunts was concluded: they were killed, or are older than format 5; {GO_ON}"
        )  # fmt: skip
        raise Refused(f"{path}: {which}; flakehunt report --list shows those there are")
    hunt = next((hunt for hunt in fitting if str(hunt.number) == wanted), fitting[0])
    if not hunt.concluded:
        raise Refused(
            f"{path}: hunt {hunt.number} was not concluded: it was killed, or is older than format 5; {GO_ON}"
        )
    return hunt


def _list(path: Path) -> int:
    from pytest_flakehunt.ledger import archive
    from pytest_flakehunt.ledger.errors import LedgerError

    if not is_ledger(path):
        raise Refused(f"--list: {path} is no ledger; give the path of one")
    try:
        kept = archive.hunts(path)
    except LedgerError as error:
        raise Refused(str(error)) from None
    sys.stdout.writelines(map(line_of, kept))
    return OK if kept else FOUND


def line_of(hunt: "Kept") -> str:
    """Give the line of a hunt in a list of them."""
    from pytest_flakehunt.reports.words import number, safe

    state = "" if hunt.concluded else ", not concluded" if hunt.ended else ", cut short"
    line = f"{hunt.uid[:12] or '-':<12}  {hunt.started}  {number(hunt.sweeps, 'sweep')} of {hunt.asked} asked for"
    return f"{hunt.number:>4}  {safe(line)}{state}\n"


def is_ledger(path: Path) -> bool:
    """Tell whether a file is one, or at least of its kind."""
    with path.open("rb") as file:
        return file.read(15) == b"SQLite format 3"


def _patterns(path: Path) -> list[str]:
    """Give what the hunts of a ledger were told to hide."""
    from pytest_flakehunt.ledger import archive
    from pytest_flakehunt.ledger.errors import LedgerError

    try:
        kept = archive.hunts(path) if is_ledger(path) else []
        return [compiled(pattern) for hunt in kept for pattern in hunt.redact]
    except (LedgerError, OSError) as error:
        raise Refused(str(error)) from None
    except (argparse.ArgumentTypeError, TypeError) as error:
        raise Refused(f"{path}: what its hunts were told to hide cannot be read: {error}") from None


def _copy(path: Path, target: Path, redact: list[str]) -> None:
    from pytest_flakehunt.ledger import copying
    from pytest_flakehunt.ledger.errors import LedgerError
    from pytest_flakehunt.reports.redaction import Redactor

    if not is_ledger(path):
        raise Refused(f"--redacted-ledger {target}: {path} is no ledger; give the path of one")
    try:
        copying.copied(path, target, Redactor(os.environ, dict.fromkeys(redact)))
    except LedgerError as error:
        raise Refused(str(error)) from None


def _check(paths: dict[str, Path], copy: Path | None, source: Path) -> None:
    """Refuse paths that cannot be written, or where something else is, before anything is."""
    taken = {path.resolve(): str(source) for path in with_companions(source)}
    named = {**{f"--{kind}": path for kind, path in paths.items()}, **({"--redacted-ledger": copy} if copy else {})}
    for option, path in named.items():
        if path.is_dir():
            raise Refused(f"{option} {path}: that is a folder; give the path of a file")
        if not path.parent.is_dir():
            raise Refused(f"{option} {path}: there is no folder {path.parent}; make it, or give another path")
        other = taken.setdefault(path.resolve(), option)
        if other != option:
            what = f"{other} is written there" if other.startswith("--") else f"that is {other} itself, or a part of it"
            raise Refused(f"{option} {path}: {what}; give each a path of its own")
        if path == copy and path.exists() and not path.is_file():
            raise Refused(f"{option} {path}: that is no file; give the path of one")


def compiled(pattern: str) -> str:
    """Give a pattern that can be used."""
    try:
        empty = re.compile(pattern).search("")
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{pattern}: it is no regular expression: {error}") from None
    if empty:
        raise argparse.ArgumentTypeError(f"{pattern!r} fits no text at all; give one that needs some")
    return pattern
