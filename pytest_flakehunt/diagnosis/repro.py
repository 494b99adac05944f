"""The command that makes a failure come back, ready to paste into a shell, and the same without the cause."""

import hashlib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pytest_flakehunt.analysis import intervals
from pytest_flakehunt.model import CALM, Arranging, Count, Diagnosis, Finding, Mode, Plan, Repeating, Setup, Verdict

ALONE = "alone"
WRITTEN_CALM = "calm"
DROPPED = re.compile(
    r"--flakehunt|-n(?=\d|auto|logical|$)|--numprocesses|-x$|--exitfirst|--maxfail"
    r"|--(last-failed|failed-first|new-first|stepwise)|--durations|--debug|--(no-)?cov|--reruns|-[vq]+$"
)
TAKES_VALUE = re.compile(r"(--flakehunt[a-z-]*|-n|--numprocesses|--maxfail)$")
SETTLED = re.compile(r"-n(?=\d|auto|logical|$)|--(numprocesses|dist|reruns|count|forked)(=|$)")
"""What a plan switches off, where a configuration file asks for it."""
MOST_NEEDED = 3000
"""Sweeps that a command asks for at most, where nothing pins the failure."""
MOST_LISTED = 20
"""Tests that a command names itself; more are listed in a file that it names."""


class Command(NamedTuple):
    """A command line that runs pytest."""

    program: tuple[str, ...]
    """What starts pytest, as the user typed it."""
    words: tuple[str, ...]
    hunts: bool = False
    """Whether it hunts again, as nothing pins the failure: then its exit status tells."""

    def __str__(self) -> str:
        return shlex.join((*self.program, *self.words))


class Commands(NamedTuple):
    """What is run to see a failure again."""

    again: Command
    plan: Plan
    """What it holds; where it hunts, what the failure was seen under."""
    without: Command | None = None
    """The same without the cause; None where none is known."""


@dataclass(frozen=True, slots=True)
class Context:
    """How pytest was called: from where, on what, with which options."""

    program: tuple[str, ...]
    selection: tuple[str, ...]
    options: tuple[str, ...]
    directory: Path
    root: Path
    lists: Path
    """The folder for files that list tests."""
    unsettled: bool = False
    """Whether the configuration reruns, reorders, distributes or excuses tests unless a plan is given."""
    hunts: bool = False
    """Whether the configuration asks for a hunt, so that every command hunts."""

    def cause(self, nodeid: str, mode: str, found: Diagnosis, workers: int) -> Commands:
        """Give the commands for a mode whose cause is known."""
        setup = found.setup
        assert setup is not None
        if setup.beside:
            sweeps = needed(found.causes[0].present)
            return Commands(self._hunting(nodeid, str(setup.plan), sweeps, f"-n{workers}"), setup.plan)
        without = None if found.without is None else self._ordinary(nodeid, f"{mode} without", found.without)
        return Commands(self._ordinary(nodeid, mode, setup), setup.plan, without)

    def going_on(self, ledger: Path, hunt: str) -> str:
        """Give the command that goes on with the experiments of a hunt, another day."""
        starts = ("flakehunt",) if len(self.program) == 1 else (*self.program[:-1], "pytest_flakehunt")
        called = (*self.selection, *self.options)
        words = (
            "diagnose",
            os.path.relpath(ledger, self.directory),
            "--hunt",
            hunt,
            *(("--", *called) if called else ()),
        )
        return shlex.join((*starts, *words))

    def ordinary(self, nodeids: Sequence[str] = ()) -> Command:
        """Give the command that runs some tests, or all that were selected, without us."""
        if nodeids:
            *before, last = nodeids
            return self._ordinary(last, "by itself", Setup(before=tuple(before)))
        return self._command((*self.selection, *self.options, *self._held("")))

    def no_cause(self, finding: Finding, mode: Mode, plan: Plan) -> Commands:
        """Give the command for a mode that was only seen: under the simplest plan that it failed under."""
        if finding.verdict is Verdict.BROKEN:
            plan = CALM  # any will do
        if plan.settings or finding.verdict is Verdict.BROKEN:
            selection = self.selection if needs_others(plan) else (self.argument(finding.nodeid),)
            return Commands(self._command((*selection, *self.options, *self._held(str(plan)))), plan)
        sweeps = needed(Count(finding.total.runs, mode.failures))
        return Commands(self._hunting(finding.nodeid, mode.plan, sweeps), plan)

    def _ordinary(self, nodeid: str, mode: str, setup: Setup) -> Command:
        tests = [self.argument(test) for test in (*setup.before, nodeid)]
        if len(tests) > MOST_LISTED and not any("\n" in test for test in tests):
            tests = [self._listed(tests, f"{nodeid} {mode}")]
        return self._command((*tests, *self.options, *self._held(str(setup.plan))))

    def _hunting(self, nodeid: str, plan: str, sweeps: int, *more: str) -> Command:
        words = (self.argument(nodeid), *self.options, *([f"--flakehunt-plan={plan}"] if plan else []), *more)
        return Command(self.program, (*words, f"--flakehunt={sweeps}", "--flakehunt-diagnose=0"), hunts=True)

    def _command(self, words: Sequence[str]) -> Command:
        return Command(self.program, tuple(words), self.hunts)

    def _held(self, plan: str) -> list[str]:
        return [f"--flakehunt-plan={plan or WRITTEN_CALM}"] if plan or self.unsettled else []

    def _listed(self, tests: Sequence[str], name: str) -> str:
        """Write tests to a file, one a line, that pytest reads as part of its command line."""
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        path = self.lists / f"tests-{digest}.txt"
        path.write_text("\n".join(tests) + "\n", "utf-8")
        return f"@{os.path.relpath(path, self.directory)}"

    def argument(self, nodeid: str) -> str:
        """Give a node id as it must be written where the command is called."""
        if self.directory == self.root:
            return nodeid
        file, separator, rest = nodeid.partition("::")
        return os.path.relpath(self.root / file, self.directory) + separator + rest


def needs_others(plan: Plan) -> bool:
    """Tell whether a plan is one for other tests as well: it is an order, or runs each of them again."""
    return any(
        (isinstance(setting, Arranging) and str(setting) != ALONE) or isinstance(setting, Repeating)
        for _, setting in plan.settings
    )


def needed(seen: Count) -> int:
    """Give how many sweeps show a failure 95 times in 100.

    >>> needed(Count(100, 50)), needed(Count(10, 10))
    (5, 2)
    """
    share = seen.failures / seen.runs
    return min(MOST_NEEDED, max(2, intervals.passes(share, 0.05)))


def program(argv: Sequence[str], typed: Sequence[str]) -> tuple[str, ...]:
    """Give what starts pytest, as it was typed.

    Args:
        argv: as in ``sys.argv``.
        typed: as in ``sys.orig_argv``.

    >>> program(["/lib/pytest/__main__.py", "-x"], ["python3", "-m", "pytest", "-x"])
    ('python3', '-m', 'pytest')
    >>> program(["/bin/pytest", "-x"], ["/bin/python3", "/bin/pytest", "-x"])
    ('pytest',)
    """
    return (typed[0], "-m", "pytest") if argv[0].endswith("__main__.py") else ("pytest",)


def kept(args: Sequence[str], positional: Sequence[str], others: Mapping[str, bool]) -> tuple[str, ...]:
    """Give the options that a command needs as well: all but those of the hunt, and of how tests are reported.

    Args:
        args: as given on the command line.
        positional: those that select tests.
        others: options that other plugins write or rewrite files for, and
            whether a value follows.

    >>> kept(["a.py", "--html", "a.html", "--strict", "-vv"], ["a.py"], {"--html": True})
    ('--strict',)
    """
    left: list[str] = []
    dropped = False
    for word in args:
        if DROPPED.match(word) or word.partition("=")[0] in others:
            dropped = "=" not in word
            takes = TAKES_VALUE.fullmatch(word) or others.get(word)
        elif dropped and (takes or not word.startswith("-")) and word not in positional:
            dropped = False  # its value
        else:
            dropped = False
            if word not in positional:
                left.append(word)
    return tuple(left)


def unsettled(written: Sequence[str]) -> bool:
    """Tell whether options of a configuration file say how tests are run, beyond how they are reported."""
    return any(SETTLED.match(word) for word in written)
