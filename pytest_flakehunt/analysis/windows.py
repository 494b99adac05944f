"""Two windows of one clock bug: what else fails that the words do not cover, and whether they say too much."""

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from random import Random

from pytest_flakehunt.analysis import moments
from pytest_flakehunt.analysis.moments import DAY, EARLIEST, LATEST, MIDNIGHT, MINUTE, NOON, SECOND, Naming
from pytest_flakehunt.analysis.reduction import Experiment

MOST_MOMENTS = 40
"""Further moments that are looked at once the words are found, a run each."""
MOST_FAILING, MOST_PASSING = 12, 8
"""Of these: moments at which the survey saw the test fail though the words do not say so, and the other way round."""
LATE = time(23, 59)
FAR = timedelta(hours=15)
"""How far another zone's day may reach beyond one here: a test may ask for the date in UTC."""
NEAR = timedelta(hours=11)
"""How far from the edge of a day noon is surely within it, whatever the zone."""

Foretelling = Callable[[datetime], bool | None]
"""Says whether a test should fail at a moment; None where the words do not say."""


@dataclass(slots=True)
class Windows:
    """The moments at which one test fails, asked for by experiment."""

    now: datetime
    """Local time at which it passes."""
    zone: tzinfo | None
    seed: int
    fails: Callable[[datetime], Experiment[bool]]
    """Decides whether it fails at a moment."""
    look: Callable[[Sequence[datetime]], Experiment[list[bool]]]
    """Tells of each moment whether it failed there in a single run."""
    _seen: dict[datetime, bool] = field(default_factory=dict)

    def named(self, moment: datetime, survey: Sequence[tuple[datetime, bool]]) -> Experiment[Naming]:
        """Say when it fails: in one window, or in two.

        Args:
            moment: at which it is known to fail.
            survey: moments at which it was seen, and whether it failed there; other settings may have had a hand in it.
        """
        self._seen = {moment: True, self.now: False}
        first = yield from self._searched(moment, ())
        if not first.certain and (other := self._other_day(moment)) is not None:
            first = yield from self._searched(moment, [other])
        foretold = reading(first, moment, self.zone) if first.certain else None
        if foretold is None:
            return first
        looked = yield from self._looked(first, foretold, survey)
        for one, failed in looked.items():
            if foretold(one) and not failed and not (yield from self._asked(one)):
                return _bare(first.moment)
        for one, failed in looked.items():
            if foretold(one) is False and failed and (yield from self._asked(one)):
                return (yield from self._two(first, foretold, one, looked))
        return first

    def _two(
        self, first: Naming, foretold: Foretelling, other: datetime, looked: dict[datetime, bool]
    ) -> Experiment[Naming]:
        """Name a second window as well; where a third one shows, say that there are more."""
        second = yield from self._searched(other, [foretold])
        # Nothing was asked within a stretch that the first words tell of: what else it has is not known.
        known = second.certain and _stretch(first.words) is None
        also = reading(second, other, self.zone) if known else None
        for one, failed in looked.items():
            if also is not None and also(one) and not failed and not (yield from self._asked(one)):
                also = None
        if also is None:
            second, also = _bare(other), _just(other)
        more = ""
        for one, failed in looked.items():
            if failed and (foretold(one), also(one)) == (False, False) and (yield from self._asked(one)):
                more = ", among others"
                break
        return Naming(f"{first.words}, and {second.words}{more}", first.moment, certain=True)

    def _asked(self, moment: datetime) -> Experiment[bool]:
        if moment not in self._seen:
            self._seen[moment] = yield from self.fails(moment)
        return self._seen[moment]

    def _searched(self, moment: datetime, masks: Sequence[Foretelling]) -> Experiment[Naming]:
        """Name what failing moments have in common, but for those that other words tell of."""
        search = moments.named(moment, self.now, self.zone, Random(self.seed))
        shown = next(search)
        while True:
            hidden = any(mask(shown) is not False for mask in masks)
            answer = False if hidden else (yield from self._asked(shown if moment.microsecond else _early(shown)))
            try:
                shown = search.send(answer)
            except StopIteration as end:
                said: Naming = end.value
                return said

    def _other_day(self, moment: datetime) -> Foretelling | None:
        """Give the one other day of the year on which it was seen failing; None where there are none, or several."""
        near = {(moment + days * DAY).strftime("%m-%d") for days in (-1, 0, 1)}
        days = {one.strftime("%m-%d") for one, fails in self._seen.items() if fails} - near
        return (lambda one: one.strftime("%m-%d") in days) if len(days) == 1 else None

    def _looked(
        self, first: Naming, foretold: Foretelling, survey: Sequence[tuple[datetime, bool]]
    ) -> Experiment[dict[datetime, bool]]:
        """Look at moments that may not be as the words say: what the survey saw, then those that tell much."""
        failing = [one for one, failed in survey if failed and foretold(one) is False]
        passing = [one for one, failed in survey if not failed and foretold(one)]
        some = (*failing[:MOST_FAILING], *passing[:MOST_PASSING], *_telling(first.moment, self.now.year + 1))
        fresh = [one for one in dict.fromkeys(some) if one not in self._seen and EARLIEST < one < LATEST]
        chosen = [one for one in fresh if foretold(one) is not None][:MOST_MOMENTS]
        return dict(zip(chosen, (yield from self.look(chosen)), strict=True))


def _early(moment: datetime) -> datetime:
    """Give the whole second before where a whole minute follows: on a busy machine, a test may look at the clock late.

    >>> str(_early(datetime(2027, 6, 30, 11, 59, 59, 999000)))
    '2027-06-30 11:59:59'
    """
    return moment.replace(microsecond=0) if moment.second == 59 else moment


def _telling(moment: datetime, year: int) -> Iterator[datetime]:
    """List moments of a year that a second window may lie at: first those on the same day of other months."""
    leap = next(one for one in range(year, year + 8) if monthrange(one, 2)[1] == 29)
    same = [(year, month, moment.day) for month in range(1, 13) if moment.day <= monthrange(year, month)[1]]
    ends = [(year, month, monthrange(year, month)[1]) for month in range(1, 13)]
    days = [datetime(*day) for day in (*same, (leap, 2, 29), (year, 1, 1), *ends)]  # noqa: DTZ001 - local time
    for hour in (LATE, NOON):
        yield from (datetime.combine(day, hour) for day in days)


def reading(said: Naming, failing: datetime, zone: tzinfo | None) -> Foretelling | None:
    """Read words back: what do they say of a moment? None where they cannot be read.

    Args:
        said: the words, with the simplest moment.
        failing: another failing moment that they are about.
        zone: as they were found with.
    """
    days, _, hours = said.words.rpartition("between ")
    part = _hours(hours) if "between " in said.words else None
    if (stretch := _stretch(said.words)) is not None:
        return stretch
    if not days.strip() and part is not None:
        return part
    words = days.strip() if part is not None else said.words
    holds = _days(words, [day + by * DAY for day in (said.moment, failing) for by in (0, -1, 1)], zone)
    if holds is None or (part is not None and _over_midnight(hours)):
        return None
    if part is None:
        return lambda moment: _about(holds, moment)
    return lambda moment: part(moment) if holds(moment) else False


def _days(words: str, near: Sequence[datetime], zone: tzinfo | None) -> Callable[[datetime], bool] | None:
    """Give the condition on days that words state, of all that hold near some days."""
    dates = [day.date() for day in near]
    known: dict[str, Callable[[date], bool]] = {f"on {day}": day.__eq__ for day in dates}
    known.update((one.words, one.holds) for day in dates for one in moments.catalogue(day, zone))
    holds = known.get(words)
    return None if holds is None else (lambda moment: holds(moment.date()))


def _about(holds: Callable[[datetime], bool], moment: datetime) -> bool | None:
    """Tell of a moment whether its day is meant, where that may be the day of another zone."""
    if all(holds(moment + by) for by in (-NEAR, timedelta(0), NEAR)):
        return True
    return None if any(holds(moment + by) for by in (-FAR, timedelta(0), FAR)) else False


def _hours(words: str) -> Foretelling:
    """Read ``23:57 and midnight``."""
    start, end = _ends(words)

    def foretold(moment: datetime) -> bool | None:
        hour = moment - datetime.combine(moment.date(), MIDNIGHT)
        if any(abs(hour - edge + by) < SECOND for edge in (start, end) for by in (-DAY, timedelta(0), DAY)):
            return None
        return start <= hour < end if start < end else not end <= hour < start

    return foretold


def _ends(words: str) -> tuple[timedelta, timedelta]:
    start, _, end = words.partition(" and ")
    last = DAY if end == "midnight" else _since_midnight(end)
    return _since_midnight(start), last


def _since_midnight(hour: str) -> timedelta:
    read = time.fromisoformat(hour)
    return timedelta(hours=read.hour, minutes=read.minute, seconds=read.second, microseconds=read.microsecond)


def _over_midnight(words: str) -> bool:
    """Tell whether hours begin on one day and end on the next.

    >>> _over_midnight("20:00 and 11:00"), _over_midnight("20:00 and midnight")
    (True, False)
    """
    start, end = _ends(words)
    return start >= end


def _stretch(words: str) -> Foretelling | None:
    """Read ``from 2027-03-01 on``, ``before 2026-01-01`` and ``from 2027-03-01 until 2028-01-01``."""
    start, end = EARLIEST, LATEST
    match words.split():
        case ["from", first, "on"]:
            start = datetime.fromisoformat(first)
        case ["before", last]:
            end = datetime.fromisoformat(last)
        case ["from", first, "until", last]:
            start, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
        case _:
            return None

    def foretold(moment: datetime) -> bool | None:
        near = any(abs(moment - edge) < MINUTE for edge in (start, end))
        return None if near else start <= moment < end

    return foretold


def _just(only: datetime) -> Foretelling:
    return lambda moment: moment == only


def _bare(moment: datetime) -> Naming:
    return Naming(f"at {moment.isoformat()}", moment, certain=False)
