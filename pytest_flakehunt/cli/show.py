"""``flakehunt show``: one finding in full, with what the hunt does not exclude."""

import argparse
from pathlib import Path

from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.cli import choosing, nearest
from pytest_flakehunt.cli.ending import OK, Refused
from pytest_flakehunt.cli.report import concluded


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "show all that a hunt says of one test: evidence, experiments, and what is not excluded"
    reads = commands.add_parser("show", help=text, description=f"{text[0].upper()}{text[1:]}.")
    reads.add_argument("test", metavar="TEST", help="its node id, or a part of it that only one test has")
    reads.add_argument(
        "source", metavar="PATH", nargs="?", type=Path, default=nearest.ledger(),
        help=f"of a ledger or of a JSON report (default: {LEDGER})",
    )  # fmt: skip
    which = "which hunt of the ledger: its number, or how its id begins (default: the last that was concluded)"
    reads.add_argument("--hunt", metavar="ID", default="", help=which)
    reads.set_defaults(run=show)


def show(asked: argparse.Namespace) -> int:
    """Show it."""
    from pytest_flakehunt.reports import terminal

    if not asked.source.exists():
        raise Refused(f"{asked.source}: there is no such file; {nearest.advice()}")
    findings = concluded(asked.source, asked.hunt)
    nodeid = choosing.test_of(asked.test, (finding.nodeid for finding in findings.tests))
    terminal.printed(terminal.alone(findings, nodeid))
    return OK
