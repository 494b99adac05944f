"""Where a failing and a passing attempt go apart, in words."""

from collections.abc import Iterator

from pytest_flakehunt.model import Parting, Spot


def sentences(parting: Parting | None) -> Iterator[str]:
    """Yield what is to be said: a line for where they part, and one for where values differ before that."""
    if parting is None:
        return
    ways = f"failing it {parting.failing}, passing it {parting.passing}" if parting.failing else ""
    values = _values(parting.at)
    if ways or values:
        how = "parts" if ways else "has other values"
        end = ", and was followed no further" if parting.cut else ""
        yield f"{how} at {_where(parting.at)}: {'; '.join(filter(None, (values, ways)))}{end}"
    else:
        yield f"goes the same way up to {_where(parting.at)}, and was followed no further"
    if parting.first is not None:
        yield f"has other values first at {_where(parting.first)}: {_values(parting.first)}"


def _where(spot: Spot) -> str:
    return f"{spot.where} ({spot.text})" if spot.text else str(spot.where)


def _values(spot: Spot) -> str:
    return f"fails with {', '.join(spot.failing)}, passes with {', '.join(spot.passing)}" if spot.failing else ""
