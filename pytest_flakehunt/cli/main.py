"""The command ``flakehunt``, and its exit statuses."""

# PYTHON_ARGCOMPLETE_OK: what says so to argcomplete, which looks into this file for a command of that name
import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

from pytest_flakehunt.cli import bisect, compare, diagnose, doctor, history, plan, prune, quarantine, report, show
from pytest_flakehunt.cli.ending import REFUSED, Refused
from pytest_flakehunt.cli.version import Version
from pytest_flakehunt.reports.words import safe


def parser() -> argparse.ArgumentParser:
    """Give what reads the command line."""
    reads = argparse.ArgumentParser(
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
    asked.pytest = more
    try:
        status: int = asked.run(asked)
    except Refused as error:
        sys.stderr.write(f"flakehunt: {safe(str(error))}\n")
        return REFUSED
    except BrokenPipeError:
        return 0
    return status
