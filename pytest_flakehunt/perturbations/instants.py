"""The moments at which date bugs show: pure calendar, most telling first."""

import calendar
from datetime import date, datetime, timedelta
from random import Random


def telling(year: int) -> list[str]:
    """List settings for the years that follow ``year``.

    Instants are local time. Those just before midnight come in two kinds:
    two seconds before, for what waits a moment, and milliseconds before, for
    what reads the clock twice in a row.
    """
    leap = next(candidate for candidate in range(year + 1, year + 9) if calendar.isleap(candidate))
    after = year + 1
    long_year = next(y for y in range(after, after + 8) if date(y, 12, 28).isocalendar().week == 53)
    spring, autumn = _last_sunday(after, 3), _last_sunday(after, 10)
    return [
        f"{leap}-02-29T23:59:58",
        "+400d",
        "2040-06-15T12:00:00",
        f"{after}-12-31T23:59:59.995",
        "2038-01-19T03:14:06",
        f"{after}-01-31T23:59:58",
        f"{leap}-12-31T20:30:00",
        "+31d",
        f"{spring}T01:59:58",
        f"{after}-02-28T23:59:59.995",
        f"{long_year}-12-31T12:00:00",
        f"{after}-06-30T23:59:58",
        f"{autumn}T01:30:00",
        "+1d",
        f"{_second_sunday(after, 3)}T01:59:58",
        f"{leap + 1}-01-01T00:00:01",
        "+100d",
        f"{after}-09-30T00:30:00",
        "2100-02-28T23:59:58",
    ]


def drawn(year: int, seed: int) -> str:
    """Draw some moment of the twelve years that follow; half of them lie just before midnight."""
    chance = Random(seed)
    day = date(year + 1, 1, 1) + timedelta(days=chance.randrange(12 * 365))
    if chance.random() < 0.5:
        return f"{day}T23:59:{chance.choice(('58', '59.5', '59.95', '59.995'))}"
    return (datetime(day.year, day.month, day.day) + timedelta(seconds=chance.randrange(86400))).isoformat()  # noqa: DTZ001 - local time is what is meant


def _sundays(year: int, month: int) -> list[date]:
    days = (date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1))
    return [day for day in days if day.weekday() == calendar.SUNDAY]


def _second_sunday(year: int, month: int) -> date:
    return _sundays(year, month)[1]


def _last_sunday(year: int, month: int) -> date:
    return _sundays(year, month)[-1]
