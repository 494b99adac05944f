"""The command that makes a failure come back, ready to paste into a shell."""

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from pytest_flakehunt.model import Arranging, Plan

ALONE = "alone"
DROPPED = re.compile(
    r"--flakehunt|-n(?=\d|auto|logical|$)|--numprocesses|--dist|--maxprocesses|-x$|--exitfirst|--maxfail"
    r"|--junit-?xml|--(lf|ff|nf|sw|last-failed|failed-first|new-first|stepwise)|--durations|--(no-)?cov"
    r"|--reruns|--count|-[vq]+$"
)
TAKES_VALUE = re.compile(r"(--flakehunt[a-z-]*|-n|--numprocesses|--dist|--maxprocesses|--maxfail|--junit-?xml)$")


def command(
    nodeid: str,
    plan: str,
    *,
    needs_others: bool,
    context: "Context",
    sweeps: int = 0,
    before: Sequence[str] = (),
) -> str:
    """Give a shell command.

    Args:
        nodeid: the test.
        plan: in written form; empty for a calm failure.
        needs_others: whether the plan arranges other tests around this one.
        context: how the hunt itself was called.
        sweeps: how many to run where no plan can pin the failure.
        before: tests that must run first, in order.
    """
    named = [context.argument(test) for test in (*before, nodeid)]
    words = ["pytest", *(context.selection if needs_others else named), *context.options]
    if plan:
        words.append(f"--flakehunt-plan={plan}")
    if sweeps:
        words.append(f"--flakehunt={sweeps}")
    return shlex.join(words)


def needs_others(plan: Plan) -> bool:
    """Tell whether a plan means nothing for one test alone: it is an order."""
    return any(isinstance(setting, Arranging) and str(setting) != ALONE for _, setting in plan.settings)


class Context:
    """How pytest was called: from where, on what, with which options."""

    def __init__(self, args: Sequence[str], positional: Sequence[str], directory: Path, root: Path) -> None:
        self.directory, self.root = directory, root
        self.selection = list(positional)
        self.options = self._kept(args, set(positional))

    @staticmethod
    def _kept(args: Sequence[str], positional: set[str]) -> list[str]:
        kept: list[str] = []
        words = iter(args)
        for word in words:
            if DROPPED.match(word):
                if TAKES_VALUE.fullmatch(word):
                    next(words, None)
            elif word not in positional:
                kept.append(word)
        return kept

    def argument(self, nodeid: str) -> str:
        """Give a node id as it must be written where the command is called."""
        if self.directory == self.root:
            return nodeid
        file, separator, rest = nodeid.partition("::")
        return os.path.relpath(self.root / file, self.directory) + separator + rest
