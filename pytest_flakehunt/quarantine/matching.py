"""Whether a failure is excused, and if not, why not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase

from pytest_flakehunt.analysis.fingerprints import named
from pytest_flakehunt.model import Entry, Failure, Limits, Released

SLACK = timedelta(days=1)
"""By which clocks may differ."""


UNKNOWN = "unknown"
"""How the cause of an entry begins that no experiment showed."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a quarantine file says of one failure."""

    entry: Entry | None
    """By which it is excused."""
    words: str
    """Why it is, or why it is not; empty where the file has nothing to do with it."""


def inert(entry: Entry, limits: Limits, today: date) -> str:
    """Say why an entry excuses nothing on a day; empty where it does.

    Args:
        entry: the entry.
        limits: of its file.
        today: in UTC.
    """
    days = (entry.expires - entry.added).days
    if entry.expires < today:
        return f"expired on {entry.expires}"
    if days > limits.max_days:
        return f"expires on {entry.expires}, {days} days after {entry.added}: max_days allows {limits.max_days}"
    if entry.added > today + SLACK:
        return f"was added on {entry.added}, which is yet to come"
    return ""


def judge(
    failure: Failure, entries: Iterable[Entry], released: Sequence[Released], limits: Limits, today: date
) -> Judgement:
    """Judge a failure.

    Args:
        failure: what failed, and how.
        entries: of its test.
        released: of its test.
        limits: of the file.
        today: in UTC.
    """
    known = named(failure.phase, failure.kind, failure.statement)
    words = ""
    for entry in entries:
        words = _refusal(failure, known, entry, limits, today)
        if not words:
            return Judgement(entry, f"quarantined until {entry.expires}: {_what(entry)}")
    if words:
        return Judgement(None, words)
    back = [item for item in released if known in item.fingerprints]
    return Judgement(None, returned(back[-1]) if back else "")


def _refusal(failure: Failure, known: str, entry: Entry, limits: Limits, today: date) -> str:
    if why := inert(entry, limits, today):
        return f"its quarantine ({_what(entry)}) {why}"
    if " " not in failure.statement:
        return f"quarantined for {_what(entry)}, failed with {failure}: which statement failed cannot be told"
    if known not in entry.fingerprints:
        return f"quarantined for {_what(entry)}, failed with {failure} ({known})"
    if entry.message and not fnmatchcase(failure.message, entry.message):
        first = failure.message.partition("\n")[0][:200]
        return f"quarantined for {_what(entry)} with a message like {entry.message!r}, failed with {first!r}"
    return ""


def _what(entry: Entry) -> str:
    cause = "" if entry.cause.startswith(UNKNOWN) else entry.cause
    return cause or " or ".join(entry.at or entry.fingerprints) or "what hangs or ends its process"


def returned(item: Released) -> str:
    """Say that what was released fails again."""
    cause = f" ({item.cause})" if item.cause else ""
    shown = f" after {item.shown}" if item.shown else ""
    return f"it is back: released from quarantine{cause} on {item.released}{shown}"
