"""The machinery under the clock: time-machine; freezegun, made to keep local time, on Pythons that have none.

freezegun alone takes the local zone for UTC, stops ``monotonic`` and knows
nothing of files. Here all readings of the wall clock follow from one number,
the offset to the true time, through the C library's own calendar;
``monotonic``, ``perf_counter`` and event loops keep the true time; and files
written while the clock is moved bear the time that it showed.
"""

import datetime
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.perturbations import file_times, foreign_clocks
from pytest_flakehunt.perturbations.replacing import replaced

FILE_CLOCK_SLACK = 2.0
"""Seconds by which a file system's time stamps may lie beside the clock."""


class WallClock:
    """What the wall clock shows, and how far that is from the truth."""

    def __init__(self) -> None:
        self.base = 0.0
        """True time less ``monotonic``, in seconds: time-machine moves even ``time`` functions that are held on to."""
        self.offset = 0.0
        """Seconds added to the true time while the clock ticks."""
        self.standing: float | None = None
        """Seconds since 1970 where the clock is frozen, else None."""
        self.traveller: Any = None
        """time-machine's own clock, while it is the engine."""
        self.since: float | None = None
        """The true time since which files bear the time shown; None while the clock is not ours."""
        self.step = 0
        """Nanoseconds between the points in time that are shown, 0 where all are."""
        self.movers: list[Callable[[float], object]] = []
        """Are told where the clock is moved to: an engine that keeps its own time, and other clocks."""

    def true(self) -> float:
        """Give the true time, in seconds since 1970."""
        return self.base + realtime.monotonic()

    def seconds(self) -> float:
        """Give the time shown, in seconds since 1970, as if there were no steps."""
        return self.true() + self.offset if self.standing is None else self.standing

    def shown(self) -> float:
        """Give the time shown, in seconds since 1970."""
        return file_times.stepped(int(self.seconds() * 1e9), self.step) / 1e9 if self.step else self.seconds()


_clock = WallClock()


def true_time() -> float:
    """Give the true time while the clock is ours, in seconds since 1970."""
    return _clock.true()


def now() -> float:
    """Give the true time, whether or not the clock is ours, in seconds since 1970."""
    return realtime.time() if _clock.since is None else _clock.true()


def moved_by(shown: int) -> int:
    """Tell by how much a file's time stamp differs from the true one, for the clock was moved; both in nanoseconds."""
    offset = int(_clock.offset * 1e9)
    if _clock.since is None or not _clock.since * 1e9 <= shown - offset <= (_clock.true() + FILE_CLOCK_SLACK) * 1e9:
        return 0
    return offset


def move_to(seconds: float) -> None:
    """Set the clock, in seconds since 1970; from now on it ticks, where it does."""
    if _clock.standing is None:
        _clock.offset = seconds - _clock.true()
    else:
        _clock.standing = seconds
        _clock.offset = 0.0
    for move in _clock.movers:
        move(seconds)
    _start()


def step_to(seconds: float, *, most: float) -> None:
    """Let a ticking clock step forward, as clocks of machines do that are set right.

    Args:
        seconds: since 1970; a clock that is past it stays.
        most: seconds that it steps at most: one that is farther off, a test has set.
    """
    if _clock.standing is not None or not 0 < seconds - _clock.seconds() <= most:
        return
    _clock.offset = seconds - _clock.true()
    if _clock.traveller is not None:
        _clock.traveller.move_to(seconds)
    _start()


def _start() -> None:
    """Let time-machine's clock tick, which it does from its first reading: files written before would seem later."""
    if _clock.standing is None and _clock.traveller is not None:
        reading = type(_clock.traveller).time_ns(_clock.traveller)
        _clock.offset = reading / 1e9 - _clock.true()


def prepare() -> None:
    """Import what moves clocks, and find what is to agree with them; no clock is moved."""
    if importlib.util.find_spec("time_machine"):
        import time_machine  # noqa: F401
    else:
        import freezegun  # noqa: F401
    learn(file_times.ASKED)
    foreign_clocks.prepare()


@contextmanager
def mounted(*, ticking: bool) -> Iterator[None]:
    """Put the wall clock under our control, and let what can be made to agree with it agree.

    Args:
        ticking: whether time goes on; one that does not stops nothing but the
            wall clock.
    """
    with movable(ticking=ticking), _dated_files(), foreign_clocks.agreeing(_clock.shown, _clock.true) as begin:
        _clock.movers.append(lambda _seconds: begin())
        yield


@contextmanager
def movable(*, ticking: bool = True) -> Iterator[None]:
    """Put what Python itself says of the time under our control.

    Args:
        ticking: as above.
    """
    _clock.base = realtime.time() - realtime.monotonic()
    _clock.offset, _clock.standing = 0.0, None if ticking else _clock.true()
    engine = _time_machine() if importlib.util.find_spec("time_machine") else _freezegun()
    _clock.since = _clock.true() - FILE_CLOCK_SLACK
    try:
        with engine:
            yield
    finally:
        _clock.offset, _clock.standing, _clock.since = 0.0, None, None
        _clock.movers.clear()


@contextmanager
def stepping(nanoseconds: int) -> Iterator[None]:
    """Let the clock go in steps, be it moved or not; one that stands still, or that the suite holds, stays as it is.

    Args:
        nanoseconds: the length of a step.
    """
    with ExitStack() as undo:
        exact: Callable[[], int] | None = None
        if _clock.since is not None:
            exact = _clock.traveller and _clock.traveller.time_ns
        elif not held_by_suite() and importlib.util.find_spec("time_machine"):
            undo.enter_context(mounted(ticking=True))
            exact = _true_nanoseconds()
        if exact is not None and _clock.standing is None:
            undo.enter_context(replaced(_clock.traveller, "time_ns", partial(_in_steps, exact, nanoseconds)))
            undo.enter_context(replaced(_clock, "step", nanoseconds))
        yield


def _in_steps(exact: Callable[[], int], step: int) -> int:
    return file_times.stepped(exact(), step)


def _true_nanoseconds() -> Callable[[], int]:
    """Give what asks the system's own clock: time-machine's lags behind by what passes before its first reading."""
    import time_machine

    return time_machine.escape_hatch.time.time_ns


def held_by_suite() -> str:
    """Say what of the suite holds the clock by now; empty where nothing does."""
    freezegun, time_machine = sys.modules.get("freezegun.api"), sys.modules.get("time_machine")
    if freezegun is not None and datetime.datetime is freezegun.FakeDatetime:
        return "the suite freezes the clock with freezegun as it is imported"
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return "the suite moves the clock with time-machine as it is imported"
    return ""


@contextmanager
def _time_machine() -> Iterator[None]:
    import time_machine

    with time_machine.travel(_clock.true(), tick=_clock.standing is None) as traveller:
        _clock.movers.append(traveller.move_to)
        with replaced(_clock, "traveller", traveller):
            yield


@contextmanager
def _freezegun() -> Iterator[None]:
    import freezegun
    from freezegun import api

    with ExitStack() as undo:
        for owner, name, value in _local_time(api):
            undo.enter_context(replaced(owner, name, value))
        undo.enter_context(_named(api.FakeDate, api.real_date))
        undo.enter_context(_named(api.FakeDatetime, api.real_datetime))
        undo.enter_context(
            freezegun.freeze_time(_naive_utc(), ignore=["pytest_flakehunt"], tick=_clock.standing is None)
        )
        api.freeze_factories[-1] = _Shown()  # type: ignore[call-overload]
        api.ignore_lists[-1] = ("pytest_flakehunt",)  # else the first calls of a thread are shown the true time
        yield


@contextmanager
def _named(fake: Any, real: type) -> Iterator[None]:
    """Let a stand-in class bear the name of the real one, also in ``repr``: doctests compare it."""
    names = fake.__name__, fake.__qualname__, fake.__module__
    written: Any = real.__repr__

    def own_repr(self: Any) -> str:
        text: str = written(self)
        return f"datetime.{text}" if type(self) is fake else text

    fake.__name__, fake.__qualname__, fake.__module__ = real.__name__, real.__qualname__, real.__module__
    try:
        with replaced(fake, "__repr__", own_repr):
            yield
    finally:
        fake.__name__, fake.__qualname__, fake.__module__ = names


class _Shown:
    """What freezegun asks for the time: naive UTC. Tests that tick or move it move ours."""

    def __call__(self) -> datetime.datetime:
        return _naive_utc()


def _naive_utc() -> datetime.datetime:
    from freezegun.api import real_datetime

    return real_datetime.fromtimestamp(_clock.seconds(), datetime.UTC).replace(tzinfo=None)


def _local_time(api: Any) -> list[tuple[Any, str, Any]]:  # noqa: C901 - one list of small stand-ins
    """Give stand-ins for what freezegun puts in place that convert through the C library, daylight saving and all."""
    fake, fake_date, real = api.FakeDatetime, api.FakeDate, api.real_datetime

    def seconds() -> float:
        shown: datetime.datetime = api.get_current_time()
        return float(shown.replace(tzinfo=datetime.UTC).timestamp())

    def stand_in(given: datetime.datetime) -> Any:
        """Convert as freezegun does, and keep ``fold``, which it forgets."""
        fields = given.year, given.month, given.day, given.hour, given.minute, given.second, given.microsecond
        return fake(*fields, given.tzinfo, fold=given.fold)

    def now(_: Any, tz: datetime.tzinfo | None = None) -> Any:
        return stand_in(real.fromtimestamp(seconds(), tz))

    def utcnow(_: Any) -> Any:
        return stand_in(real.fromtimestamp(seconds(), datetime.UTC).replace(tzinfo=None))

    def fromtimestamp(_: Any, t: float, tz: datetime.tzinfo | None = None) -> Any:
        return stand_in(real.fromtimestamp(t, tz))

    def astimezone(self: Any, tz: datetime.tzinfo | None = None) -> Any:
        return stand_in(real.astimezone(self, tz))

    def today(_: Any) -> Any:
        return api.date_to_fakedate(real.fromtimestamp(seconds()).date())

    def localtime(t: float | None = None) -> time.struct_time:
        shown: time.struct_time = api.real_localtime(seconds() if t is None else t)
        return shown

    def while_ours(owner: Any, name: str, ours: Callable[..., Any]) -> tuple[Any, str, Any]:
        """Leave a clock that a test freezes itself to freezegun's own ways."""
        original = vars(owner)[name]
        theirs = getattr(original, "__func__", original)

        def chosen(*args: Any, **kwargs: Any) -> Any:
            at_work = ours if isinstance(api.freeze_factories[-1], _Shown) else theirs
            return at_work(*args, **kwargs)

        stood_for = theirs.__code__  # by its name a study of what tests consult knows it
        chosen.__code__ = chosen.__code__.replace(co_name=stood_for.co_name, co_qualname=stood_for.co_qualname)
        return owner, name, classmethod(chosen) if isinstance(original, classmethod) else chosen

    steady = ("monotonic", "perf_counter", "monotonic_ns", "perf_counter_ns")
    return [
        *(while_ours(api, f"fake_{name}", getattr(api, f"real_{name}")) for name in steady),
        (api, "datetime_to_fakedatetime", stand_in),
        while_ours(api, "fake_localtime", localtime),
        while_ours(fake, "now", now),
        while_ours(fake, "today", now),
        while_ours(fake, "utcnow", utcnow),
        while_ours(fake, "fromtimestamp", fromtimestamp),
        while_ours(fake, "timestamp", real.timestamp),
        while_ours(fake, "astimezone", astimezone),
        while_ours(fake_date, "today", today),
    ]


@contextmanager
def _dated_files() -> Iterator[None]:
    """Let files written since the clock was moved bear the time it showed.

    On a machine whose clock is moved they would; a test that compares the
    two must not be blamed for our tools' gap. Times that a test sets with
    ``os.utime`` are left as they are.
    """
    with standing(stand_ins(_clock.true() - FILE_CLOCK_SLACK)):
        yield


def stand_ins(since: float) -> Mapping[str, Maker]:
    """Give what stands in for the functions that tell times of files.

    Args:
        since: the true time since which files bear the time shown.
    """
    return dict.fromkeys(file_times.ASKED, partial(_dated, since=int(since * 1e9)))


def _dated(look: Callable[..., os.stat_result], since: int) -> Callable[..., os.stat_result]:
    def dated(*args: Any, **kwargs: Any) -> os.stat_result:
        status = look(*args, **kwargs)
        standing, offset = _clock.standing, int(_clock.offset * 1e9)
        if standing is None and not offset:
            return status
        until = int((_clock.true() + FILE_CLOCK_SLACK) * 1e9)

        def shown(stamp: int) -> int:
            if not since <= stamp <= until:
                return stamp
            return stamp + offset if standing is None else int(standing * 1e9)

        return file_times.restamped(status, shown)

    return dated
