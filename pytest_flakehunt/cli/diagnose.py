"""``flakehunt diagnose``: experiments on what a hunt found go on, from what the ledger kept of it."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.asked.flags import LATER
from pytest_flakehunt.asked.later import Later
from pytest_flakehunt.cli import nearest
from pytest_flakehunt.cli.ending import OK, Refused
from pytest_flakehunt.cli.report import chosen, concluded, is_ledger
from pytest_flakehunt.model import Findings, Trial

if TYPE_CHECKING:
    from pytest_flakehunt.ledger.particulars import Particulars


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "go on with experiments on causes, where a hunt's budget ended them or none were made"
    more = (
        "What follows -- is given to pytest: what the hunt was given to collect the suite with, and options such as "
        "--flakehunt-diagnose=RUNS or --flakehunt-json=PATH. A hunt whose budget was spent prints the whole command."
    )
    reads = commands.add_parser("diagnose", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    reads.add_argument("ledger", metavar="PATH", nargs="?", type=Path, help=f"of the ledger (default: {LEDGER})")
    which = "which hunt of the ledger: its number, or how its id begins (default: the last that was concluded)"
    reads.add_argument("--hunt", metavar="ID", default="", help=which)
    reads.add_argument(
        "--test", metavar="NODEID", action="append", default=[], help="only this test, and it again if it was given up"
    )
    reads.set_defaults(run=diagnose, starts_pytest=True)


def diagnose(asked: argparse.Namespace) -> int:
    """Run pytest with what is needed to go on."""
    path: Path = asked.ledger or nearest.ledger()
    if not path.exists():
        raise Refused(f"{path}: there is no such ledger; hunt first, or give the path of one")
    if not is_ledger(path):
        raise Refused(f"{path}: it is no ledger, and experiments go on from the sweeps that only a ledger keeps")
    if (merged := _unconcluded(path, asked.hunt)) is not None:
        return _started(asked, path, Later(merged[0], frozenset(), concluded=False), merged[1].trial)
    hunt = chosen(path, asked.hunt)
    findings = concluded(path, str(hunt.number))
    _check(findings, asked.test, path)
    later = Later(hunt.number, frozenset(asked.test))
    if not any(later.modes(findings)):
        sys.stdout.write(
            "nothing is left to find out: every finding has its cause, or its experiments came to an end\n"
        )
        return OK
    return _started(asked, path, later, findings.trial)


def _unconcluded(path: Path, wanted: str) -> "tuple[int, Particulars] | None":
    """Give the hunt that is meant, with its number, where it was put together from shards and is not concluded."""
    from pytest_flakehunt.ledger import archive, recalling
    from pytest_flakehunt.ledger.errors import LedgerError

    try:
        if archive.format_of(path) < archive.WITH_TERMS:
            return None
        hunts = recalling.particulars(path)
        kept = {hunt.number: hunt for hunt in archive.hunts(path)}
    except LedgerError as error:
        raise Refused(str(error)) from None
    open_ = {n: hunt for n, hunt in hunts.items() if hunt.merged and not kept[n].concluded}
    if wanted:
        meant = [n for n in open_ if str(n) == wanted or archive.begins_id(hunts[n].trial.uid, wanted)]
    else:
        meant = [n for n in open_ if n > max((n for n, one in kept.items() if one.concluded), default=0)]
    return (meant[-1], hunts[meant[-1]]) if meant else None


def _started(asked: argparse.Namespace, path: Path, later: Later, trial: Trial) -> int:
    """Start pytest, and give its exit status."""
    sweeps = trial.asked if not later.concluded else str(max(1, trial.sweeps))
    words = [
        f"--flakehunt={sweeps}",
        f"--flakehunt-seed={trial.seed}",
        f"--flakehunt-ledger={path.resolve()}",
        *([f"--flakehunt-only={','.join(trial.perturbations)}"] if trial.perturbations else []),
    ]
    for word in words[:2] + words[3:]:
        if not word.isprintable():
            raise Refused(
                f"{path}: it asks for {word[:60]!r}, and no hunt does; give a ledger that only hunts wrote to"
            )
    environment = {**os.environ, LATER: str(later)}
    name = Path(sys.executable).name  # as it would be typed, where that is the same: printed commands begin with it
    program = name if shutil.which(name) == sys.executable else sys.executable
    command = [program, "-m", "pytest", *asked.pytest, *words]
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603 - this very interpreter
        while process.returncode is None:
            try:
                process.wait()
            except KeyboardInterrupt as wish:  # by hand pytest is interrupted as well, and may end in order
                for number in wish.args:
                    process.send_signal(number)
    return process.returncode


def _check(findings: Findings, tests: Sequence[str], path: Path) -> None:
    """Refuse tests that the hunt did not find."""
    failing = [finding.nodeid for finding in findings.tests if finding.modes]
    for test in tests:
        if test not in failing:
            raise Refused(f"--test {test}: it did not fail in {path}; those that did: {', '.join(failing) or 'none'}")
