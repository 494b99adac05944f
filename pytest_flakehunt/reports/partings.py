"""Where a failing and a passing attempt go apart, in words."""

from collections.abc import Iterator

from pytest_flakehunt.model import Diagnosis, Parting, Spot


def sentences(parting: Parting | None) -> Iterator[str]:
    """Yield what is to be said: a line for where they part, and one for where values differ before that."""
    if parting is None:
        return
    ways = f"the failing one {parting.failing}, the passing one {parting.passing}" if parting.failing else ""
    values = _values(parting.at)
    if ways or values:
        how = "a failing and a passing run " + ("part" if ways else "differ in values")
        end = ", and were followed no further" if parting.cut else ""
        yield f"{how} at {_where(parting.at)}: {'; '.join(filter(None, (values, ways)))}{end}"
    else:
        yield f"a failing and a passing run go the same way up to {_where(parting.at)}, and were followed no further"
    if parting.first is not None:
        yield f"their values differ first at {_where(parting.first)}: {_values(parting.first)}"


def exactly(found: Diagnosis) -> str:
    """Say that a command brings the very same run back; empty where that was not seen."""
    if found.meeting is None or not found.meeting.exact or found.verified is None:
        return ""
    runs, failures = found.verified
    return "replays exactly: two runs failed with the same switches of threads" if runs == failures > 1 else ""


def _where(spot: Spot) -> str:
    return f"{spot.where} ({spot.text})" if spot.text else str(spot.where)


def _values(spot: Spot) -> str:
    return f"fails with {', '.join(spot.failing)}, passes with {', '.join(spot.passing)}" if spot.failing else ""
