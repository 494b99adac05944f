from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from random import Random
from zlib import crc32
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_flakehunt.analysis.moments import Naming, catalogue, named

World = Callable[[datetime], bool]
NOW = datetime(2026, 7, 8, 18, 20, 7, 123456)
BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def inquire(
    world: World, failing: datetime, now: datetime = NOW, zone: tzinfo | None = None, seed: int = 0
) -> tuple[Naming, dict[datetime, bool]]:
    """Answer every question about a world, and return what it is named together with all answers."""
    assert world(failing)
    assert not world(now)
    answers = {failing: True, now: False}
    asking = named(failing, now, zone, Random(seed))
    try:
        moment = next(asking)
        while True:
            assert moment not in answers
            assert datetime(1970, 1, 2) <= moment < datetime(9998, 1, 1)
            answers[moment] = world(moment)
            moment = asking.send(answers[moment])
    except StopIteration as stop:
        naming: Naming = stop.value
    assert answers[naming.moment]
    return naming, answers


def probes(answers: dict[datetime, bool]) -> int:
    return len(answers) - 2


def last(day: datetime | date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


def saving(moment: datetime) -> timedelta:
    return datetime.combine(moment.date(), time(12)).replace(tzinfo=BERLIN).dst() or timedelta(0)


def since(text: str) -> World:
    return lambda m: m >= datetime.fromisoformat(text)


def until(text: str) -> World:
    return lambda m: m < datetime.fromisoformat(text)


def daily(start: str, end: str) -> World:
    return lambda m: time.fromisoformat(start) <= m.time() and (end == "24" or m.time() < time.fromisoformat(end))


def both(*worlds: World) -> World:
    return lambda m: all(world(m) for world in worlds)


def starts_saving(moment: datetime) -> bool:
    return saving(moment) > saving(moment - DAY)


def ends_saving(moment: datetime) -> bool:
    return saving(moment) < saving(moment - DAY)


def seconds_of_the_day(moment: datetime) -> float:
    return (moment - datetime.combine(moment.date(), time())).total_seconds()


STRETCHES: list[tuple[World, str, str]] = [
    (since("2027-03-01"), "2028-02-29T23:59:58", "from 2027-03-01 on"),
    (since("2027-03-01T09:30:00"), "2027-08-05T12:00:00", "from 2027-03-01T09:30:00 on"),
    (since("2027-03-01T09:30:00"), "2027-03-01T09:45:00", "from 2027-03-01T09:30:00 on"),
    (since("2026-12-24T15:00:00"), "2026-12-24T20:30:00", "from 2026-12-24T15:00:00 on"),
    (since("2028-02-29"), "2028-02-29T12:00:00", "from 2028-02-29 on"),
    (since("2026-07-08T18:20:10"), "2026-07-08T21:00:00", "from 2026-07-08T18:20:10 on"),
    (lambda m: m.year >= 2038, "2040-06-15T12:00:00", "from 2038-01-01 on"),
    (lambda m: m.year >= 2100, "2100-02-28T23:59:58", "from 2100-01-01 on"),
    (since("2038-01-19T03:14:08"), "2040-06-15T12:00:00", "from 2038-01-19T03:14:08 on"),
    (
        both(since("2038-01-19T03:14:08"), until("2041-01-01")),
        "2040-06-15T12:00:00",
        "from 2038-01-19T03:14:08 until 2041-01-01",
    ),
    (
        both(since("2027-03-01T09:30"), until("2031-06-07T08:00")),
        "2028-02-29T23:59:58",
        "from 2027-03-01T09:30:00 until 2031-06-07T08:00:00",
    ),
    (
        both(since("2028-02-29T09:00"), until("2028-02-29T17:30")),
        "2028-02-29T12:00:00",
        "from 2028-02-29T09:00:00 until 2028-02-29T17:30:00",
    ),
    (both(since("2027-01-01"), until("2075-01-01")), "2028-12-31T20:30:00", "from 2027-01-01 until 2075-01-01"),
    (until("2026-01-01"), "2025-07-01T12:00:00", "before 2026-01-01"),
    (until("2026-01-01"), "2025-12-31T23:59:58", "before 2026-01-01"),
    (until("2025-09-08T07:06:05"), "2025-07-31T12:00:00", "before 2025-09-08T07:06:05"),
    (lambda m: m.date() == date(2028, 2, 29), "2028-02-29T23:59:58", "on 2028-02-29"),
    (lambda m: m.date() == date(2027, 12, 31), "2027-12-31T12:00:00", "on 2027-12-31"),
    (lambda m: m.date() == date(2025, 12, 31), "2025-12-31T12:00:00", "on 2025-12-31"),
]

DATES: list[tuple[World, str, str]] = [
    (lambda m: (m.month, m.day) == (2, 29), "2028-02-29T23:59:58", "on 29 February"),
    (lambda m: m.month == 2 and last(m), "2028-02-29T23:59:58", "on the last day of February"),
    (last, "2028-02-29T23:59:58", "on the last day of a month"),
    (last, "2027-12-31T23:59:59.995", "on the last day of a month"),
    (last, "2027-02-28T23:59:59.995", "on the last day of a month"),
    (lambda m: m.day == 31, "2027-01-31T23:59:58", "on the 31st of a month"),
    (lambda m: m.day == 31, "2027-12-31T23:59:58", "on the 31st of a month"),
    (lambda m: m.day == 22, "2027-05-22T09:00:00", "on the 22nd of a month"),
    (lambda m: m.day == 13, "2027-05-13T09:00:00", "on the 13th of a month"),
    (lambda m: m.day == 3, "2027-05-03T09:00:00", "on the 3rd of a month"),
    (lambda m: m.day > 28, "2028-02-29T23:59:58", "after the 28th of a month"),
    (lambda m: m.day > 29, "2027-01-31T23:59:58", "after the 29th of a month"),
    (lambda m: m.day > 30, "2027-01-31T23:59:58", "on the 31st of a month"),
    (lambda m: m.day > 12, "2027-01-31T23:59:58", "after the 12th of a month"),
    (lambda m: m.day > 9, "2027-01-31T23:59:58", "after the 9th of a month"),
    (lambda m: (m.month, m.day) == (12, 31), "2027-12-31T12:00:00", "on 31 December"),
    (lambda m: (m.month, m.day) == (1, 1), "2029-01-01T00:00:01", "on 1 January"),
    (lambda m: m.month % 3 == 0 and last(m), "2027-12-31T12:00:00", "on the last day of a quarter"),
    (lambda m: m.month % 3 == 0 and last(m), "2027-06-30T23:59:58", "on the last day of a quarter"),
    (lambda m: m.month % 3 == 1 and m.day == 1, "2027-10-01T12:00:00", "on the first day of a quarter"),
    (lambda m: m.day == 1, "2029-01-01T00:00:01", "on the first day of a month"),
    (lambda m: m.month == 12, "2027-12-31T12:00:00", "in December"),
    (lambda m: m.month >= 10, "2027-12-31T12:00:00", "from October to December"),
    (lambda m: isleap(m.year), "2028-12-31T20:30:00", "in leap years"),
    (lambda m: isleap(m.year), "2040-06-15T12:00:00", "in leap years"),
    (lambda m: m.timetuple().tm_yday == 366, "2028-12-31T20:30:00", "on 31 December of a leap year"),
    (lambda m: m.isocalendar().week == 53, "2032-12-31T12:00:00", "in ISO week 53"),
    (
        lambda m: m.isocalendar().year != m.year,
        "2027-01-01T12:00:00",
        "when the ISO year is not the calendar year",
    ),
    (lambda m: m.isocalendar().week == 53, "2027-01-01T12:00:00", "in ISO week 53"),
    (lambda m: m.weekday() == 5, "2027-01-02T12:00:00", "on a Saturday"),
    (lambda m: m.weekday() >= 5, "2027-01-02T12:00:00", "at weekends"),
    (lambda m: m.day > monthrange(m.year, m.month % 12 + 1)[1], "2027-01-31T23:59:58", "on days that the month after lacks"),
    (lambda m: m.day > monthrange(m.year, (m.month - 2) % 12 + 1)[1], "2027-03-31T12:00:00", "on days that the month before lacks"),
    (starts_saving, "2027-03-28T01:59:58", "on the day daylight saving starts"),
    (ends_saving, "2027-10-31T01:30:00", "on the day daylight saving ends"),
]  # fmt: skip

HOURS: list[tuple[World, str, str]] = [
    (daily("23:57", "24"), "2028-02-29T23:59:58", "between 23:57 and midnight"),
    (daily("00:00", "00:30"), "2029-01-01T00:00:01", "between 00:00 and 00:30"),
    (daily("01:57", "03:00"), "2027-03-28T01:59:58", "between 01:57 and 03:00"),
    (daily("23:59:59.995", "24"), "2027-12-31T23:59:59.995", "between 23:59:59.995 and midnight"),
    (daily("23:59:59.990", "23:59:59.998"), "2027-12-31T23:59:59.995", "between 23:59:59.990 and midnight"),
    (daily("19:59:59.992", "24"), "2027-06-30T20:00:00", "between 20:00 and midnight"),
    (daily("13:14:15.161", "13:14:15.700"), "2027-12-31T13:14:15.5", "between 13:14:15.161 and 13:14:15.700"),
    (
        daily("13:14:15.500100", "13:14:15.500900"),
        "2027-12-31T13:14:15.500500",
        "between 13:14:15.500 and 13:14:15.501",
    ),
    (daily("01:23:45", "04:56:07"), "2027-12-31T02:30:00", "between 01:23:45 and 04:56:07"),
    (daily("09:00", "15:00"), "2027-01-31T10:00:00", "between 09:00 and 15:00"),
    (daily("19:00", "24"), "2027-01-31T23:59:58", "between 19:00 and midnight"),
    (lambda m: not daily("11:00", "20:00")(m), "2027-01-31T23:59:58", "between 20:00 and 11:00"),
    (lambda m: not daily("00:30", "23:30")(m), "2029-01-01T00:00:01", "between 23:30 and 00:30"),
]

HOURS_OF_DATES: list[tuple[World, str, str]] = [
    (both(last, daily("23:59:58", "24")), "2028-02-29T23:59:58", "on the last day of a month between 23:59:58 and midnight"),
    (both(starts_saving, daily("02:00", "03:00")), "2027-03-28T02:30:00", "on the day daylight saving starts between 02:00 and 03:00"),
    (both(lambda m: m.weekday() < 5, daily("09:00", "17:00")), "2027-01-29T12:00:00", "on weekdays between 09:00 and 17:00"),
    (both(lambda m: m.month == 12, daily("09:00", "24")), "2027-12-31T12:00:00", "in December between 09:00 and midnight"),
    (both(lambda m: m.month == 12, daily("00:00", "17:15")), "2027-12-31T12:00:00", "in December between 00:00 and 17:15"),
    (both(lambda m: m.date() == date(2028, 2, 29), daily("20:00", "24")), "2028-02-29T23:59:58", "on 2028-02-29 between 20:00 and midnight"),
    (lambda m: (m + timedelta(hours=5)).month == 12, "2027-12-31T12:00:00", "in December"),
    (lambda m: (m + timedelta(hours=5)).month == 12, "2027-11-30T23:59:58", "in December"),
]  # fmt: skip


@pytest.mark.parametrize(("world", "failing", "words"), STRETCHES + DATES + HOURS + HOURS_OF_DATES)
def test_a_world_is_named(world: World, failing: str, words: str) -> None:
    naming, answers = inquire(world, datetime.fromisoformat(failing), zone=BERLIN)
    assert naming.words == words
    assert naming.certain
    assert probes(answers) < 60


WINTER = datetime(2026, 1, 11, 15, 20, 7)
"""A Sunday, so that weekdays and summer can be what fails."""


@pytest.mark.parametrize(
    ("world", "now", "failing", "words"),
    [
        (lambda m: saving(m) > timedelta(0), WINTER, "2027-06-30T23:59:58", "while daylight saving is in force"),
        (lambda m: saving(m) == timedelta(0), NOW, "2027-01-31T23:59:58", "outside daylight saving"),
        (lambda m: m.weekday() < 5, WINTER, "2027-06-30T23:59:58", "on weekdays"),
        (since("2026-07-08T09:30:00"), datetime(2026, 7, 8, 9), "2028-02-29T23:59:58", "from 2026-07-08T09:30:00 on"),
        (lambda m: m.day <= 12, datetime(2026, 1, 13), "2027-03-04T23:59:58", "up to the 12th of a month"),
        (lambda m: m.day <= 9, datetime(2026, 1, 11), "2027-03-04T23:59:58", "up to the 9th of a month"),
    ],
)
def test_a_world_that_fails_at_the_usual_now_is_named(world: World, now: datetime, failing: str, words: str) -> None:
    naming, answers = inquire(world, datetime.fromisoformat(failing), now, BERLIN)
    assert naming.words == words
    assert naming.certain
    assert probes(answers) < 60


def test_no_words_are_found_for_days_that_have_nothing_in_common() -> None:
    naming, answers = inquire(arbitrary(8, 50), datetime(2027, 6, 2, 23, 59, 58))
    assert naming == ("at 2027-06-02T23:59:58", datetime(2027, 6, 2, 23, 59, 58), False)
    assert probes(answers) < 60


def test_no_words_are_found_for_an_hour_of_such_days() -> None:
    naming, _ = inquire(both(arbitrary(8, 50), daily("20:00", "24")), datetime(2027, 6, 2, 23, 59, 58))
    assert naming == ("at 2027-06-02T23:59:58", datetime(2027, 6, 2, 23, 59, 58), False)


def test_hours_that_fail_only_after_some_date_are_not_said_to_fail_every_day() -> None:
    naming, _ = inquire(both(since("2030-01-01"), daily("20:00", "24")), datetime(2040, 6, 15, 23, 59, 58))
    assert naming == ("at 2040-06-15T23:59:58", datetime(2040, 6, 15, 23, 59, 58), False)


@pytest.mark.parametrize(
    ("world", "failing", "simplest"),
    [
        (since("2027-03-01T09:30"), "2028-02-29T23:59:58", "2027-03-01T09:30:00"),
        (until("2026-01-01"), "2025-12-30T23:59:58", "2025-12-30T12:00:00"),
        (last, "2028-02-29T23:59:58", "2028-02-29T12:00:00"),
        (lambda m: m.date() == date(2028, 2, 29), "2028-02-29T23:59:58", "2028-02-29T12:00:00"),
        (daily("23:51:17", "24"), "2028-02-29T23:59:58.5", "2028-02-29T23:52:00"),
        (daily("23:59:59.980", "24"), "2028-02-29T23:59:59.983", "2028-02-29T23:59:59.990"),
    ],
)
def test_the_simplest_failing_moment_is_given(world: World, failing: str, simplest: str) -> None:
    naming, _ = inquire(world, datetime.fromisoformat(failing))
    assert naming.moment == datetime.fromisoformat(simplest)


def test_the_overflow_of_32_bits_is_found_soon_also_where_clocks_are_ahead_of_utc() -> None:
    naming, answers = inquire(since("2038-01-19T04:14:08"), datetime(2040, 6, 15, 12), zone=BERLIN)
    assert naming.words == "from 2038-01-19T04:14:08 on"
    assert probes(answers) < 25


@pytest.mark.parametrize(("zone", "start", "end"), [("America/New_York", "2027-03-14", "2027-11-07"), ("Europe/Dublin", "2027-03-28", "2027-10-31"), ("Australia/Sydney", "2027-10-03", "2027-04-04")])  # fmt: skip
def test_every_zone_has_daylight_saving_days_of_its_own(zone: str, start: str, end: str) -> None:
    def offset(moment: datetime) -> timedelta:
        return datetime.combine(moment.date(), time(12)).replace(tzinfo=ZoneInfo(zone)).utcoffset() or timedelta(0)

    now = datetime(2026, 7, 8, 12)
    starts, _ = inquire(lambda m: offset(m) > offset(m - DAY), datetime.fromisoformat(start), now, ZoneInfo(zone))
    ends, _ = inquire(lambda m: offset(m) < offset(m - DAY), datetime.fromisoformat(end), now, ZoneInfo(zone))
    assert starts.words == "on the day daylight saving starts"
    assert ends.words == "on the day daylight saving ends"


@pytest.mark.thorough
@given(
    flip=st.datetimes(NOW + timedelta(seconds=1), datetime(2060, 1, 1)).map(lambda m: m.replace(microsecond=0)),
    later=st.integers(0, 20 * 365 * 86400).map(lambda seconds: timedelta(seconds=seconds)),
    seed=st.integers(0, 100),
)
def test_every_flip_is_found_to_the_second(flip: datetime, later: timedelta, seed: int) -> None:
    naming, answers = inquire(lambda m: m >= flip, flip + later, zone=BERLIN, seed=seed)
    said = flip.isoformat().removesuffix("T00:00:00")
    assert naming == (f"from {said} on", flip, True)
    assert probes(answers) < 60


@pytest.mark.thorough
@given(
    start=st.integers(0, 24 * 3600 - 1),
    length=st.integers(1, 11 * 3600),
    share=st.floats(0, 0.999),
    day=st.dates(date(2026, 1, 1), date(2040, 1, 1)),
)
def test_every_daily_window_is_found_to_the_second(start: int, length: int, share: float, day: date) -> None:
    def world(moment: datetime) -> bool:
        return (seconds_of_the_day(moment) - start) % 86400 < length

    assume(not world(NOW))
    failing = datetime.combine(day, time()) + timedelta(seconds=start + int(length * share))
    naming, answers = inquire(world, failing)
    end = "midnight" if (start + length) % 86400 == 0 else clock(start + length)
    assert naming.words == f"between {clock(start)} and {end}"
    assert naming.certain
    assert probes(answers) < 70


def clock(seconds: int) -> str:
    moment = datetime(2026, 1, 1) + timedelta(seconds=seconds)
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")


def arbitrary(seed: int, percent: int) -> World:
    """Make a world whose failing days have nothing in common; this July, none fails."""
    return lambda m: (m.year, m.month) != (2026, 7) and crc32(f"{seed} {m.date()}".encode()) % 100 < percent


def holds(words: str, failing: datetime) -> World:
    """Read the words of a naming."""
    match words.split():
        case ["from", start, "on"]:
            return since(start)
        case ["before", end]:
            return until(end)
        case ["from", start, "until", end]:
            return both(since(start), until(end))
        case ["on", day] if day[0].isdigit():
            return lambda m: str(m.date()) == day
    meant = next(one.holds for one in catalogue(failing.date(), BERLIN) if one.words == words)
    return lambda m: meant(m.date())


@pytest.mark.thorough
@given(
    seed=st.integers(0, 10_000), percent=st.sampled_from([1, 5, 20, 50, 90, 99]), days=st.integers(-300, 3000),
)  # fmt: skip
def test_what_is_certain_agrees_with_all_that_was_seen(seed: int, percent: int, days: int) -> None:
    world = arbitrary(seed, percent)
    failing = NOW + days * DAY
    assume(world(failing))
    naming, answers = inquire(world, failing, zone=BERLIN, seed=seed)
    if naming.certain:
        foretold = holds(naming.words, failing)
        assert all(foretold(moment) == fails for moment, fails in answers.items())
    else:
        assert naming == (f"at {failing.isoformat()}", failing, False)
