"""When a test fails, put into words: experiments with the clock set to one local moment after another."""

from calendar import isleap, monthrange
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from random import Random
from typing import NamedTuple, TypeVar

T = TypeVar("T")
Asking = Generator[datetime, bool, T]
"""Yields moments to try, is sent whether the test fails there, and returns what was found."""

NOON, MIDNIGHT = time(12), time()
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
TO_THE_SECOND = (DAY, HOUR, MINUTE, SECOND)
TO_THE_MILLISECOND = (HOUR, MINUTE, SECOND, MILLISECOND)
LAG = 20 * MILLISECOND
"""What may pass between setting the clock and the test's first look at it."""
EARLIEST = datetime.combine(date(1970, 1, 2), MIDNIGHT)
LATEST = datetime.combine(date(9998, 1, 1), MIDNIGHT)
REACHES = (DAY, 31 * DAY, 366 * DAY, 3653 * DAY, 26_300 * DAY)
"""How far to look for the end of a stretch: a day, a month, a year, ten years, seventy-two."""
BISECT = 2**40
"""A stride that is longer than any stretch."""
NARROW = timedelta(seconds=5)
"""A window in which a few milliseconds more or less can matter."""
FAR_YEAR = 2200
"""Past it, the years ahead of ``now`` are tried rather than those ahead of the failing moment."""

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Naming(NamedTuple):
    """The condition under which a test fails."""

    words: str
    """Completes the sentence "fails …": ``from 2027-03-01 on``."""
    moment: datetime
    """The simplest failing moment seen: noon of a day, or where the failures begin."""
    certain: bool
    """Whether experiments bear the words out; else they say no more than that the test failed once."""


def named(
    moment: datetime, now: datetime, zone: tzinfo | None = None, chance: Random | None = None
) -> Generator[datetime, bool, Naming]:
    """Find out what failing moments have in common, in few experiments.

    Yields local moments, none twice, and is to be sent whether the test
    fails at each.

    Args:
        moment: local time at which the test is known to fail, from 1970-01-04 to 9997.
        now: local time at which it is known to pass.
        zone: says on which days daylight saving starts and ends; none are known without it.
        chance: draws the days on which the words are put to the test.
    """
    assert moment != now, "a test cannot both fail and pass at one moment"
    inquiry = _Inquiry(moment, now, zone, chance or Random(0), {moment: True, now: False})
    return (yield from inquiry.named())


class _Condition(NamedTuple):
    words: str
    holds: Callable[[date], bool]


class _Window(NamedTuple):
    """A part of the day, from its first failing moment to the first that passes again."""

    start: datetime
    end: datetime

    def shift(self, moment: datetime) -> timedelta | None:
        """Tell by how many days a moment lies in the window of another day; none where it lies outside."""
        days, rest = divmod(moment - self.start, DAY)
        return days * DAY if rest < self.end - self.start else None

    def words(self) -> str:
        end = "midnight" if self.end.time() == MIDNIGHT else _clock(self.end)
        second = self.start - (self.start - EARLIEST) % -SECOND
        # Set a few milliseconds before noon, the clock shows noon when the test first looks.
        start = second if second - self.start <= LAG and second < self.end else self.start
        return f"between {_clock(start)} and {end}"


@dataclass(frozen=True, slots=True)
class _Inquiry:
    moment: datetime
    now: datetime
    zone: tzinfo | None
    chance: Random
    seen: dict[datetime, bool]

    def named(self) -> Asking[Naming]:
        noon = _at(self.moment.date(), NOON)
        other = noon + DAY if self.moment > noon else noon - DAY
        if not (yield from self.ask(noon)) and not (yield from self.ask(other)):
            window = yield from self.window(self.moment, min(noon, other), max(noon, other))
            return (yield from self.by_date(self.moment, window))
        noon = noon if self.seen[noon] else other
        if not (yield from self.ask(_at(self.now.date(), NOON))):
            return (yield from self.by_date(noon, None))
        return (yield from self.around_noon(noon))

    def around_noon(self, noon: datetime) -> Asking[Naming]:
        """Name what fails at noon today too: either the hour of now is a quiet one, or today is when it began."""
        quiet = _at(noon.date(), self.now.time())
        quiet = quiet - DAY if quiet > noon else quiet
        if (yield from self.ask(quiet)) or (yield from self.ask(quiet + DAY)):
            return (yield from self.stretch(noon))
        window = yield from self.window(noon, quiet, quiet + DAY)
        return (yield from self.by_date(noon, window))

    def ask(self, moment: datetime) -> Asking[bool]:
        if moment not in self.seen:
            self.seen[moment] = yield moment
        return self.seen[moment]

    def bare(self) -> Naming:
        return Naming(f"at {self.moment.isoformat()}", self.moment, certain=False)

    # By date: which days are they?

    def by_date(self, anchor: datetime, window: _Window | None) -> Asking[Naming]:
        """Name the days that fail at the hour of ``anchor``; without a window, the hour is noon."""
        only = _Condition(f"on {anchor.date()}", lambda day: day == anchor.date())
        always = _Condition("", (lambda day: day >= anchor.date()) if window is None else (lambda _: True))
        suspects = (always, *catalogue(anchor.date(), self.zone), only)
        days = _twelve_years(self.now if window or anchor.year > FAR_YEAR else max(self.now, anchor))
        days = sorted({*days, anchor.date() - DAY, anchor.date() + DAY}) if window else days
        culprit = yield from self.culprit(anchor, window, suspects, days)
        if window is None and culprit in (None, always, only):
            return (yield from self.stretch(anchor))
        if culprit is None:
            return self.bare()
        hours = window or (yield from self.hours(anchor, culprit))
        words = f"{culprit.words} {hours.words() if hours else ''}".strip()
        return Naming(words, (yield from self.simplest(window)) if window else anchor, certain=True)

    def culprit(
        self, anchor: datetime, window: _Window | None, suspects: Iterable[_Condition], days: Sequence[date]
    ) -> Asking[_Condition | None]:
        """Rule out suspects until one is left that also foretells days drawn at random."""
        left = self.agreeing(suspects, self.evidence(anchor, window))
        kinds: dict[tuple[bool, ...], date] = {}
        # From all over the years, lest a long stretch be taken for what recurs.
        for day in self.chance.sample(days, len(days)):
            kinds.setdefault(tuple(suspect.holds(day) for suspect in left), day)
        while left:
            best = _most_even(left, kinds.values())
            fresh = [day for day in days if _at(day, anchor.time()) not in self.seen]
            for day in [best] if best else self.drawn(left[0], fresh):
                yield from self.ask(_at(day, anchor.time()))
            first, left = left[0], self.agreeing(left, self.evidence(anchor, window))
            if best is None and first in left:
                return first
        return None

    def evidence(self, anchor: datetime, window: _Window | None) -> dict[date, bool]:
        """Collect which days failed at the hour of ``anchor``."""
        days = {moment.date(): fails for moment, fails in self.seen.items() if moment.time() == anchor.time()}
        shift = window.shift(self.now) if window else None
        return days if shift is None else {**days, anchor.date() + shift: False}

    def agreeing(self, suspects: Iterable[_Condition], evidence: dict[date, bool]) -> list[_Condition]:
        return [one for one in suspects if all(one.holds(day) == fails for day, fails in evidence.items())]

    def drawn(self, suspect: _Condition, days: Sequence[date]) -> list[date]:
        """Draw three days that should fail, far apart, and three that should pass, two of which only just."""
        fails = [day for day in days if suspect.holds(day)]
        passes = [day for day in days if not suspect.holds(day)]
        close = [day for day in passes if suspect.holds(day - DAY) or suspect.holds(day + DAY)]
        third = -(-len(fails) // 3)
        pots = (fails[:third], fails[third : 2 * third], fails[2 * third :], passes)
        return [self.chance.choice(pot) for pot in pots if pot] + self.chance.sample(close, min(2, len(close)))

    # By hour: which part of the day?

    def hours(self, noon: datetime, culprit: _Condition) -> Asking[_Window | None]:
        """Find out which hours fail on days that fail at noon; none means all."""
        failing = [day for day, fails in self.evidence(noon, None).items() if fails]
        # Amid several such days, the edges of a stretch that some other time zone sets do not show.
        amid = (day for day in failing if culprit.holds(day - DAY) and culprit.holds(day + DAY))
        day = next(amid, noon.date())
        first, last, noon = _at(day, MIDNIGHT), _at(day, MIDNIGHT) + DAY - MINUTE, _at(day, NOON)
        early, late = (yield from self.ask(first)), (yield from self.ask(last))
        if early and late:
            return None
        start = first if early else (yield from self.flip(first, noon, TO_THE_MILLISECOND))
        end = last + MINUTE if late else (yield from self.flip(noon, last, TO_THE_MILLISECOND))
        return _Window(start, end)

    def window(self, inside: datetime, before: datetime, after: datetime) -> Asking[_Window]:
        start = yield from self.flip(before, inside, TO_THE_MILLISECOND)
        end = yield from self.flip(inside, after, TO_THE_MILLISECOND)
        midnight = _at(end.date(), MIDNIGHT) + DAY
        # In the last milliseconds of a day, the test itself looks at the clock only when the next has begun.
        return _Window(start, midnight if midnight - end <= LAG else end)

    def simplest(self, window: _Window) -> Asking[datetime]:
        """Give the simplest failing moment; in a narrow window the middle, as what starts late must not miss it."""
        if window.end - window.start < NARROW:
            middle = window.start + (window.end - window.start) / 2
            if (yield from self.ask(middle)):
                return middle
        inside = [m for m, fails in self.seen.items() if fails and window.start <= m < window.end]
        return min(inside, key=lambda m: (m.microsecond > 0, m.second > 0, m.minute > 0, m))

    # By time: since when, until when?

    def stretch(self, anchor: datetime) -> Asking[Naming]:
        """Name the one stretch of time around ``anchor`` in which the test fails."""
        before = yield from self.nearest_pass(anchor, -1)
        after = yield from self.nearest_pass(anchor, +1)
        if not self.fails_just(before, after):
            return self.bare()
        start = before and (yield from self.edge(before, min(m for m in self.seen if m > before)))
        end = after and (yield from self.edge(max(m for m in self.seen if m < after), after))
        for moment in self.within(start, end):
            if not (yield from self.ask(moment)):
                return (yield from self.stretch(anchor))
        words = _stretch_words(start, end)
        return Naming(words, start if start and words.startswith("from") else anchor, certain=True)

    def nearest_pass(self, anchor: datetime, sign: int) -> Asking[datetime | None]:
        """Look for a passing moment, near before far; before ``anchor`` where ``sign`` is negative."""
        known = [m for m, fails in self.seen.items() if not fails and (m - anchor) * sign > timedelta(0)]
        nearest = min(known, key=lambda m: abs(m - anchor), default=None)
        # Where the end is known to lie between, bisection is quicker, unless it is about one day.
        for reach in REACHES if sign > 0 or nearest is None else REACHES[:1]:
            moment = anchor + sign * reach
            closer = nearest is None or reach < abs(nearest - anchor)
            if closer and EARLIEST < moment < LATEST and not (yield from self.ask(moment)):
                return moment
        return nearest

    def fails_just(self, before: datetime | None, after: datetime | None) -> bool:
        """Tell whether all failures seen lie between two passing moments, and no pass does."""
        return all(
            fails == ((before is None or before < m) and (after is None or m < after)) for m, fails in self.seen.items()
        )

    def within(self, start: datetime | None, end: datetime | None) -> list[datetime]:
        forty_years = timedelta(days=14610)
        low = start or max(EARLIEST, (end or LATEST) - forty_years)
        high = end or min(LATEST, low + forty_years)
        drawn = (low + (high - low) * self.chance.random() for _ in range(3))
        return [max(low, moment.replace(microsecond=0)) for moment in drawn]

    def edge(self, old: datetime, new: datetime) -> Asking[datetime]:
        """Find the second at which the answer changes, trying first where clocks of 32 bits run out."""
        after = self.seen[new]
        overflows = {datetime.fromtimestamp(2**31, zone).replace(tzinfo=None) for zone in (UTC, self.zone or UTC)}
        for moment in sorted(overflows | {overflow - SECOND for overflow in overflows}):
            if old < moment < new:
                changed = (yield from self.ask(moment)) == after
                old, new = (old, moment) if changed else (moment, new)
        return (yield from self.flip(old, new, TO_THE_SECOND, stride=BISECT))

    def flip(self, old: datetime, new: datetime, steps: Sequence[timedelta], stride: int = 1) -> Asking[datetime]:
        """Find the first moment that answers as ``new`` does, round moments before others.

        Args:
            old: a moment that answers otherwise.
            new: a later one.
            steps: how round a moment is to be, falling; the last is the resolution.
            stride: how many steps from the failing side to look first: 1 suits short
                windows, and many the bisection of long stretches.
        """
        after = self.seen[new]
        for step in steps:
            tries = 0
            while points := _between(old, new, step):
                count = min(stride << tries, (len(points) + 1) // 2)
                point = EARLIEST + step * (points[-count] if after else points[count - 1])
                changed = (yield from self.ask(point)) == after
                old, new = (old, point) if changed else (point, new)
                tries += 1
            # A window that is not short may begin or end anywhere within the step.
            stride = stride if tries <= 1 else BISECT
            exact = (new - EARLIEST) % step == timedelta(0)
            if exact and (yield from self.ask(max(old, new - steps[-1]))) != after:
                break
        return new


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour)


def _between(old: datetime, new: datetime, step: timedelta) -> range:
    """Number the multiples of a step that lie strictly between two moments."""
    return range((old - EARLIEST) // step + 1, -((EARLIEST - new) // step))


def _twelve_years(start: datetime) -> list[date]:
    days = (start.date() + count * DAY for count in range(1, 12 * 366))
    return [day for day in days if day < LATEST.date()]


def _most_even(suspects: Sequence[_Condition], days: Iterable[date]) -> date | None:
    """Choose the day about which the suspects differ most; none where they all agree."""
    splits = ((sum(suspect.holds(day) for suspect in suspects), day) for day in days)
    telling = [(abs(2 * count - len(suspects)), day) for count, day in splits if 0 < count < len(suspects)]
    return min(telling)[1] if telling else None


def _clock(moment: datetime) -> str:
    if moment.microsecond:
        return moment.time().isoformat("milliseconds")
    return moment.time().isoformat("seconds" if moment.second else "minutes")


def _said(moment: datetime) -> str:
    return str(moment.date()) if moment.time() == MIDNIGHT else moment.isoformat()


def _stretch_words(start: datetime | None, end: datetime | None) -> str:
    if start is None:
        assert end is not None, "a stretch without any end would hold now, which passes"
        return f"before {_said(end)}"
    if end is None:
        return f"from {_said(start)} on"
    if start.time() == MIDNIGHT and end - start == DAY:
        return f"on {start.date()}"
    return f"from {_said(start)} until {_said(end)}"


def _length(day: date, months: int = 0) -> int:
    """Count the days of a month: that of ``day``, the one after or the one before."""
    return monthrange(day.year, (day.month - 1 + months) % 12 + 1)[1]


def _ordinal(number: int) -> str:
    teen = number in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def catalogue(day: date, zone: tzinfo | None) -> Iterable[_Condition]:
    """List what a day may be remarkable for, the simple before the odd."""
    return [
        _Condition(f"on {day.day} {MONTHS[day.month - 1]}", lambda d: (d.month, d.day) == (day.month, day.day)),
        _Condition("on the last day of a month", lambda d: d.day == _length(d)),
        _Condition("on the first day of a month", lambda d: d.day == 1),
        _Condition(f"on the {_ordinal(day.day)} of a month", lambda d: d.day == day.day),
        _Condition(f"in {MONTHS[day.month - 1]}", lambda d: d.month == day.month),
        _Condition(f"on a {WEEKDAYS[day.weekday()]}", lambda d: d.weekday() == day.weekday()),
        _Condition("at weekends", lambda d: d.weekday() >= 5),
        _Condition("on weekdays", lambda d: d.weekday() < 5),
        _Condition("on the last day of February", lambda d: d.month == 2 and d.day == _length(d)),
        _Condition("on the last day of a quarter", lambda d: d.month % 3 == 0 and d.day == _length(d)),
        _Condition("on the first day of a quarter", lambda d: d.month % 3 == 1 and d.day == 1),
        _Condition("after the 28th of a month", lambda d: d.day > 28),
        _Condition("after the 29th of a month", lambda d: d.day > 29),
        # Days of one digit, and days that could be months.
        _Condition("after the 9th of a month", lambda d: d.day > 9),
        _Condition("up to the 9th of a month", lambda d: d.day <= 9),
        _Condition("after the 12th of a month", lambda d: d.day > 12),
        _Condition("up to the 12th of a month", lambda d: d.day <= 12),
        *_daylight_saving(zone),
        _Condition("in leap years", lambda d: isleap(d.year)),
        _Condition("in ISO week 53", lambda d: d.isocalendar().week == 53),
        _Condition("when the ISO year is not the calendar year", lambda d: d.isocalendar().year != d.year),
        _Condition("on 31 December of a leap year", lambda d: isleap(d.year) and (d.month, d.day) == (12, 31)),
        _Condition("on days that the month after lacks", lambda d: d.day > _length(d, +1)),
        _Condition("on days that the month before lacks", lambda d: d.day > _length(d, -1)),
        _Condition("from October to December", lambda d: d.month >= 10),
    ]


def _daylight_saving(zone: tzinfo | None) -> Iterable[_Condition]:
    if zone is None:
        return []

    def ahead(day: date, hour: time = MIDNIGHT) -> timedelta:
        return zone.utcoffset(_at(day, hour).replace(tzinfo=zone)) or timedelta(0)

    # By offsets, for zones differ in whether they call the winter's or the summer's time a saving.
    def standard(day: date) -> timedelta:
        return min(ahead(date(day.year, 1, 1)), ahead(date(day.year, 7, 1)))

    def observed(day: date) -> bool:
        return ahead(date(day.year, 1, 1)) != ahead(date(day.year, 7, 1))

    return [
        _Condition("on the day daylight saving starts", lambda d: ahead(d) < ahead(d + DAY)),
        _Condition("on the day daylight saving ends", lambda d: ahead(d) > ahead(d + DAY)),
        _Condition("while daylight saving is in force", lambda d: ahead(d, NOON) > standard(d)),
        _Condition("outside daylight saving", lambda d: observed(d) and ahead(d, NOON) == standard(d)),
    ]
