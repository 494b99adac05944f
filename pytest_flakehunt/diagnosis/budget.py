"""How much time or how many runs experiments may take, and how findings share them."""

DEFAULT_EACH = 3000
"""Runs for each finding, unless runs are given."""
RESERVE = 1 / 3
"""Share of the time that the user gave for a hunt, kept for experiments once a test has failed."""
LEAST_SECONDS = 120.0
SECONDS_EACH = 15.0
"""Seconds for each finding, ..."""
MOST_SECONDS = 1800.0
"""... up to these for all; unless runs are given."""
SHARES_AT_ONCE = 3
"""Equal shares that a finding may use up before others have their turn: most need less, and are settled then."""
COMMANDS_SHARE = 0.25
"""Of the time, kept for running the printed commands."""


def allowed_seconds(findings: int, spent: float, hunt: float | None = None) -> float:
    """Give the time for all experiments, where no runs are given: as long as the survey, or longer where it was short.

    Args:
        findings: how many there are.
        spent: seconds that the survey took.
        hunt: seconds that the user gave for all of the hunt.

    >>> [allowed_seconds(findings, 5.0) for findings in (1, 10, 300)]
    [120.0, 150.0, 1800.0]
    >>> allowed_seconds(1, 7200.0), allowed_seconds(1, 400.0, 600.0)
    (7200.0, 200.0)
    """
    if hunt is not None:
        return max(hunt - spent, 0.0)
    return max(LEAST_SECONDS, min(MOST_SECONDS, findings * SECONDS_EACH), spent)
