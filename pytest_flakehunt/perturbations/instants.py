"""The moments at which date bugs show: pure calendar, those first that show several kinds of mistake at once."""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

BEFORE_SECOND = ("999", "9985", "997", "995", "99", "98", "95", "9995")
"""Fractions of a second at which the next one is near: how far apart a test reads the clock, nobody knows."""
WITH_SUMMER = ("America/New_York", "Europe/London", "Australia/Adelaide")
"""Zones that have daylight saving, for its days: most machines that test stand in UTC."""


class Instant(NamedTuple):
    """A local time, or a shift; and the zone without which it says little, if any."""

    moment: str
    zone: str = ""


def telling(year: int) -> list[Instant]:
    """List moments for the years that follow ``year``.

    Those just before midnight come in two kinds: two seconds before, for what
    waits a moment, and milliseconds before, for what reads the clock twice in
    a row; the latter also stand before seconds of ordinary days.
    """
    after = year + 1
    leap = next(candidate for candidate in range(after, after + 8) if calendar.isleap(candidate))
    long_year = next(y for y in range(after, after + 8) if date(y, 12, 28).isocalendar().week == 53)
    london = _last_sunday(after, 3), _last_sunday(after, 10)
    adelaide = _first_sunday(after, 4), _first_sunday(after, 10)
    york = _first_sunday(after, 3) + timedelta(days=7), _first_sunday(after, 11)
    return [
        Instant(f"{leap}-02-29T23:59:58"),
        Instant("+400d"),
        Instant(f"{york[0]}T01:59:58", "America/New_York"),
        Instant(f"{after}-12-31T23:59:59.998"),
        Instant(f"{_month_end(after, calendar.FRIDAY)}T23:30:00"),
        Instant("2040-06-15T12:00:00"),
        Instant(f"{adelaide[0]}T02:30:00", "Australia/Adelaide"),
        Instant(f"{_month_start(after, calendar.SATURDAY)}T00:00:01"),
        Instant(f"{_working_day(after)}T12:34:56.9985"),
        Instant("+31d"),
        Instant(f"{after}-01-31T23:59:58"),
        Instant(f"{leap}-12-31T20:30:00"),
        Instant(f"{_month_start(after, calendar.SUNDAY)}T12:00:00"),
        Instant("2038-01-19T03:14:06"),
        Instant(f"{london[0]}T00:59:58", "Europe/London"),
        Instant(f"{after}-02-28T23:59:59.999"),
        Instant(f"{long_year}-12-31T12:00:00"),
        Instant(f"{york[1]}T01:30:00", "America/New_York"),
        Instant(f"{after}-06-30T23:59:58"),
        Instant("+1d"),
        Instant(f"{_month_end(after, calendar.SUNDAY)}T12:00:00"),
        Instant(f"{adelaide[1]}T01:59:58", "Australia/Adelaide"),
        Instant(f"{leap + 1}-01-01T00:00:01"),
        Instant("+100d"),
        Instant(f"{after}-09-30T00:30:00"),
        Instant(f"{london[1]}T01:30:00", "Europe/London"),
        Instant("2100-02-28T23:59:58"),
    ]


def drawn(year: int, seed: int) -> Instant:
    """Draw some moment of the twelve years that follow: before midnight or a second, of a day of 23 hours, or any."""
    chance = Random(seed)
    day = date(year + 1, 1, 1) + timedelta(days=chance.randrange(12 * 365))
    second = f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
    match chance.choices(("midnight", "second", "summer", "any"), (4, 3, 1, 2))[0]:
        case "midnight":
            return Instant(f"{day}T23:59:{chance.choice(('58', '59.5', *(f'59.{part}' for part in BEFORE_SECOND)))}")
        case "second":
            return Instant(f"{day}T{second}.{chance.choice(BEFORE_SECOND)}")
        case "summer":
            zone = chance.choice(WITH_SUMMER)
            return Instant(f"{chance.choice(list(changes(day.year, zone)))}T{second}", zone)
        case _:
            return Instant(f"{day}T{second}")


def changes(year: int, zone: str) -> Iterator[date]:
    """Give the days of a year on which a zone's clocks change, by the rules of today."""
    match zone:
        case "Europe/London":
            yield from (_last_sunday(year, 3), _last_sunday(year, 10))
        case "America/New_York":
            yield from (_first_sunday(year, 3) + timedelta(days=7), _first_sunday(year, 11))
        case _:
            yield from (_first_sunday(year, 4), _first_sunday(year, 10))


def _last(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _first_sunday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(calendar.SUNDAY - first.weekday()) % 7)


def _last_sunday(year: int, month: int) -> date:
    last = _last(year, month)
    return last - timedelta(days=(last.weekday() - calendar.SUNDAY) % 7)


def _month_end(year: int, weekday: int) -> date:
    """Give the first end of a month, from a year on, that falls on a day of the week."""
    return next(day for month in range(24) if (day := _last(year + month // 12, month % 12 + 1)).weekday() == weekday)


def _month_start(year: int, weekday: int) -> date:
    """Give the first start of a month, from a year on, that falls on a day of the week."""
    return next(day for month in range(24) if (day := date(year + month // 12, month % 12 + 1, 1)).weekday() == weekday)


def _working_day(year: int) -> date:
    """Give the first working day of a year's second month: nothing but a day."""
    return next(day for number in range(1, 8) if (day := date(year, 2, number)).weekday() < calendar.SATURDAY)
