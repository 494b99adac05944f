"""``flakehunt doctor``: what a hunt would meet on this machine, with this suite."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pytest_flakehunt.cli.ending import FOUND, OK
from pytest_flakehunt.ground import machine, realtime
from pytest_flakehunt.model.examined import Examined
from pytest_flakehunt.reports.words import number, safe

EXAMINE = "from pytest_flakehunt.sessions.examining import main; main()"
LONGEST = 600.0
"""Seconds that collecting may take."""
REMEDIES = {
    "there is one core to begin with": "give the machine, or the container, a second one",
    "no locale in UTF-8 is installed but the machine's own": "install others, such as Debian's package locales-all",
    "no time zone database is installed": "install the system's package tzdata",
    "this Python has no sqlite3": "use one that was built with SQLite",
}
"""What helps, by the reason for which a perturbation stands down."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "say what a hunt would meet here: perturbations, forks, plugins, ledger and quarantine file"
    more = (
        "It collects the suite once, as a zygote does, in a process of its own, and runs no test. It keeps no bytecode "
        "of that, so that importing takes longer than in a hunt where there is none yet. What follows -- is "
        "given to pytest, as a hunt would be given it. Exit status 1 where something would keep a hunt from working "
        "as asked."
    )
    reads = commands.add_parser("doctor", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    reads.set_defaults(run=doctor, starts_pytest=True)


def doctor(asked: argparse.Namespace) -> int:
    """Examine, and say what was found."""
    found = examined(asked.pytest)
    for line in (*_head(), *_suite(found), *_perturbations(found), *_plugins(found), *_files(found), *_end(found)):
        sys.stdout.write(f"{safe(line)}\n")
    return FOUND if found.wrong else OK


def examined(words: Sequence[str]) -> Examined:
    """Examine in a process of its own, which writes neither cache nor bytecode.

    Args:
        words: pytest's arguments.
    """
    with tempfile.TemporaryDirectory(prefix="flakehunt-doctor-") as folder:
        answer, log = Path(folder) / "answer.json", Path(folder) / "log"
        command = [sys.executable, "-c", EXAMINE, str(answer), str(realtime.time())]
        with log.open("wb") as output:
            try:
                subprocess.run(  # noqa: S603 - this very interpreter
                    [*command, *words],
                    env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=LONGEST,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Examined(wrong=[f"collecting the suite took longer than {LONGEST:g} s"])
        if not answer.exists():
            return Examined(wrong=[f"collecting the suite ended the process: {_last(log)}"])
        found = Examined(**json.loads(answer.read_text("utf-8")))
        if found.ended:
            found.wrong.append(f"pytest ended with exit status {found.ended} before it had collected: {_last(log)}")
        return found


def _last(log: Path) -> str:
    """Give the last line that tells of an error, or else the last one."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return next(
        (line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "it said nothing"
    )


def _head() -> Iterator[str]:
    yield f"Python {machine.python()}, {_named('pytest')}, {_named('pytest-flakehunt')}, {sys.platform}"


def _named(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} (not installed)"


def _suite(found: Examined) -> Iterator[str]:
    if not found.tests:
        return
    yield f"{number(found.tests, 'test')} in {found.rootdir}; a new interpreter has them after {found.seconds:.1f} s"
    if not found.hindrance:
        yield f"sweeps are forked, {number(found.workers, 'zygote')} at a time: nothing speaks against it"
    elif found.certain:
        yield f"every sweep has a fresh interpreter: {found.hindrance}"
    else:
        yield f"forks are tried, and used where calm sweeps come out alike without them: {found.hindrance}"


def _perturbations(found: Examined) -> Iterator[str]:
    if not (found.acting or found.stand_down or found.left_out):
        return
    yield ""
    yield f"perturbing {', '.join(found.acting) or 'nothing'}"
    if found.seen:
        yield f"seen to act on this interpreter: {', '.join(found.seen)}"
    if untried := [name for name in found.acting if name not in found.seen]:
        yield f"taken to act, as they need nothing of it, or cannot be tried at once: {', '.join(untried)}"
    if found.left_out:
        yield f"left out, as asked: {', '.join(found.left_out)}"
    for name, reason in found.stand_down.items():
        remedy = REMEDIES.get(reason, "")
        yield f"{name} stands down: {reason}{'; ' * bool(remedy)}{remedy}"


def _plugins(found: Examined) -> Iterator[str]:
    if found.plugins:
        yield ""
    named = [(f"{name} {released}".strip(), treatment) for name, released, treatment in found.plugins]
    for name, treatment in named:
        if treatment:
            yield f"{name}: {treatment.replace('`', '')}"
    if kept := [name for name, treatment in named if not treatment]:
        yield f"as they are in every process of a hunt: {', '.join(kept)}"
    if found.switched_off:
        yield f"switched off, as it is in use here: {', '.join(found.switched_off)}"


def _files(found: Examined) -> Iterator[str]:
    lines = []
    if found.hunts is not None:
        size = f"{found.bytes / 1e6:.1f} MB, format {found.format}"
        lines.append(f"ledger: {found.ledger} has {number(found.hunts, 'hunt')} ({size})")
    elif found.ledger and not Path(found.ledger).exists():
        lines.append(f"ledger: a hunt makes {found.ledger}")
    if found.entries is not None:
        expired = f", {found.expired} expired" if found.expired else ""
        entries = "1 entry" if found.entries == 1 else f"{found.entries} entries"
        lines.append(f"quarantine: {found.quarantine} has {entries}{expired}")
    elif found.quarantine and not Path(found.quarantine).exists():
        lines.append(f"quarantine: there is no {found.quarantine}")
    if lines:
        yield ""
        yield from lines


def _end(found: Examined) -> Iterator[str]:
    yield ""
    if not found.wrong:
        yield "nothing keeps a hunt from working as asked"
        return
    yield "this keeps a hunt from working as asked:"
    for reason in found.wrong:
        yield f"- {reason}"
