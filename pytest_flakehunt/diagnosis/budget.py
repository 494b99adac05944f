"""How much time or how many runs experiments and printed commands may take, and how findings share them."""

from collections.abc import Sequence
from typing import NamedTuple

DEFAULT_EACH = 3000
"""Runs for each finding, unless runs are given."""
RESERVE = 1 / 3
"""Share of the time that the user gave for a hunt, kept for experiments once a test has failed."""
LEAST_SECONDS = 90.0
SECONDS_EACH = 8.0
"""Seconds of experiments for each finding, ..."""
MOST_SECONDS = 1350.0
"""... up to these for all; unless runs are given."""
SHARES_AT_ONCE = 3
"""Equal shares that a finding may use up before others have their turn: most need less, and are settled then.

With half a share, all of the zoo went on side by side, and 19 of 50 were not settled in the end; with three, 4 of 51.
"""
LEAST_COMMANDS = 30.0
STARTS_EACH = 4
"""Starts of an interpreter that the printed command of each finding may take, ..."""
MOST_COMMANDS = 450.0
"""... up to so many seconds for all."""
COMMANDS_SHARE = 0.25
"""What the commands may take of the time, where the user gave it."""


class Budget(NamedTuple):
    """Seconds that are allowed."""

    experiments: float
    commands: float
    """For running the printed commands: these, and what experiments left."""

    @property
    def whole(self) -> float:
        """Both."""
        return self.experiments + self.commands


def allowed(findings: int, spent: float, start: float, hunt: float | None = None) -> Budget:
    """Give the time for all experiments, where no runs are given: as long as the survey, or longer where it was short.

    Args:
        findings: how many there are.
        spent: seconds that the survey took.
        start: seconds that an interpreter takes to start and to collect the suite.
        hunt: seconds that the user gave for all of the hunt.

    >>> [tuple(allowed(findings, 5.0, 1.0)) for findings in (1, 50, 3000)]
    [(90.0, 30.0), (400.0, 200.0), (1350.0, 450.0)]
    >>> tuple(allowed(1, 7200.0, 1.0)), tuple(allowed(1, 400.0, 1.0, 600.0))
    ((7200.0, 30.0), (150.0, 50.0))
    """
    if hunt is not None:
        left = max(hunt - spent, 0.0)
        return Budget(left * (1 - COMMANDS_SHARE), left * COMMANDS_SHARE)
    experiments = max(LEAST_SECONDS, min(MOST_SECONDS, findings * SECONDS_EACH), spent)
    return Budget(experiments, max(LEAST_COMMANDS, min(MOST_COMMANDS, findings * STARTS_EACH * start)))


def what_is_left(runs: int, usual: Sequence[int], each: float) -> str:
    """Say what experiments would still take that were ended.

    Args:
        runs: that were made.
        usual: runs that experiments took which came to an end, from the fewest to the most.
        each: seconds that a run takes.

    >>> what_is_left(4, [30, 40, 90], 2.0), what_is_left(50, [30, 40, 90], 2.0), what_is_left(4, [], 2.0)
    ('; others took 40 runs: about 72 s more', '; others took 40 runs', '')
    """
    if not usual:
        return ""
    middle = usual[len(usual) // 2]
    more = f": about {max(1, round((middle - runs) * each))} s more" if middle > runs else ""
    return f"; others took {middle} runs{more}"
