"""The true clock, whatever a test or a perturbation does to ``time``."""

from datetime import UTC, datetime
from time import monotonic, sleep, time

__all__ = ["monotonic", "now", "sleep", "time"]

_datetime = datetime


def now() -> datetime:
    """Give the present moment in UTC, to the microsecond."""
    return _datetime.fromtimestamp(time(), tz=UTC)
