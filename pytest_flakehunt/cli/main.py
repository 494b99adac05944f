"""The command ``flakehunt``, and its exit statuses."""

# PYTHON_ARGCOMPLETE_OK: what says so to argcomplete, which looks into this file for a command of that name
import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_flakehunt.cli import (
    bisect,
    compare,
    diagnose,
    doctor,
    history,
    merge,
    plan,
    prune,
    quarantine,
    report,
    show,
)
from pytest_flakehunt.cli.ending import REFUSED, Refused
from pytest_flakehunt.cli.parsing import Parser
from pytest_flakehunt.cli.version import Version
from pytest_flakehunt.ground import interrupting
from pytest_flakehunt.reports.words import safe


def parser() -> argparse.ArgumentParser:
    """Give what reads the command line."""
    reads: argparse.ArgumentParser = Parser(
        prog="flakehunt",
        description="What there is to do around hunts for flaky tests; pytest --flakehunt=N hunts.",
        epilog="Exit status: 0 all is well, 1 something was found, 2 it could not be done as asked.",
    )
    reads.add_argument("--version", action=Version)
    commands = reads.add_subparsers(metavar="COMMAND", required=True)
    report.declare(commands)
    show.declare(commands)
    history.declare(commands)
    compare.declare(commands)
    merge.declare(commands)
    diagnose.declare(commands)
    bisect.declare(commands)
    quarantine.declare(commands)
    plan.declare(commands)
    prune.declare(commands)
    doctor.declare(commands)
    return reads


def main(words: Sequence[str] | None = None) -> int:
    """Do what is asked, and give the exit status.

    Args:
        words: of the command line; those of the process by default.
    """
    given = list(sys.argv[1:] if words is None else words)
    more: list[str] = []
    if "--" in given:
        at = given.index("--")
        given, more = given[:at], given[at + 1 :]
    reads = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
        with contextlib.suppress(ImportError):
            import argcomplete

            argcomplete.autocomplete(reads)
    asked = reads.parse_args(given)
    if more and not getattr(asked, "starts_pytest", False):
        reads.error(f"-- {' '.join(more)}: what follows -- is for pytest, which is not started here; leave out the --")
    asked.pytest = more
    _can_write()
    try:
        with interrupting.as_ctrl_c():
            status: int = asked.run(asked)
        sys.stdout.flush()
    except (Refused, OSError, KeyboardInterrupt) as error:
        if isinstance(error, OSError) and not error.filename:  # of an output, for one
            _say_no_more()
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"flakehunt: {safe(_said(error))}\n")
        return REFUSED
    return status


def _can_write() -> None:
    """See to it that a closed output takes what it is given, and one that lacks a letter another in its place."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _say_no_more() -> None:
    """Let go of what the output did not take: the interpreter would try again as it ends."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _said(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError):
        return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
    return str(error)
