"""The wall clock: moved to telling moments as each test starts, ticking on from there."""

import datetime
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import BuiltinFunctionType

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import instants

YEAR = realtime.now().year
"""The year in which a hunt starts: were it asked for anew, a hunt over new year would draw other plans halfway."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FROZEN = "frozen:"
LEAD = 0.02
"""Seconds before a moment with parts of a second at which a test starts: its fixtures are set up meanwhile."""
EARLIEST, LATEST = 0.0, 253370764800.0 - 86400
"""Seconds since 1970 between which a clock may be set: 1970 to the end of 9998."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of day and the date, as a test reads them."""

    moment: str
    """A local time such as ``2028-02-29T23:59:58``, or a shift such as ``+400d``."""
    frozen: bool = False
    zone: str = field(default="", compare=False)
    """Where this is local time that says something, for whoever draws it; empty where any zone will do."""

    @property
    def companions(self) -> tuple[tuple[str, str], ...]:
        """Give what else is set where this is drawn."""
        return (("timezone", self.zone),) if self.zone else ()

    @property
    def contract(self) -> Contract:
        """A clock that stands still is nothing Python promises to cope with."""
        return Contract.STRESS if self.frozen else Contract.ENVIRONMENT

    @property
    def patience(self) -> float:
        """No waiting takes longer under a moved clock, but faking it takes some."""
        return 2.0

    def __str__(self) -> str:
        return (FROZEN if self.frozen else "") + self.moment

    def prepare(self) -> None:
        """Import what moves clocks, and find what is to agree with them."""
        from pytest_flakehunt.perturbations import wall_clock

        wall_clock.prepare()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the wall clock over; it shows the true time until a test starts."""
        from pytest_flakehunt.perturbations import wall_clock

        with wall_clock.mounted(ticking=not self.frozen):
            yield

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Set the clock for one test."""
        del nodeid
        from pytest_flakehunt.perturbations import wall_clock

        lead = LEAD if self.exact else 0.0
        wall_clock.move_to(epoch_seconds(self.moment, wall_clock.true_time) - lead)
        yield

    @property
    def exact(self) -> bool:
        """Whether parts of a second matter."""
        return "." in self.moment and not self.frozen

    def called(self) -> None:
        """Step forward to a moment that parts of a second matter in: how long fixtures take, nobody knows."""
        if self.exact:
            from pytest_flakehunt.perturbations import wall_clock

            wall_clock.step_to(epoch_seconds(self.moment, wall_clock.true_time), most=LEAD)

    def disputed(self, error: BaseException, test: object) -> str:
        """Say which clock that C reads disagrees with the one shown, where a failure comes of that."""
        from pytest_flakehunt.perturbations import foreign_clocks

        return foreign_clocks.disputed(error, test)


def epoch_seconds(moment: str, clock: Callable[[], float]) -> float:
    """Give the moment in seconds since 1970, local time taken as the time zone stands now.

    A local time that daylight saving skips or repeats is taken as the
    library's ``datetime`` takes it with ``fold=0``.

    >>> epoch_seconds("+2d", lambda: 100.0)
    172900.0
    """
    shift = re.fullmatch(r"([+-]\d{1,6})([smhd])", moment, re.ASCII)
    if shift:
        return clock() + int(shift[1]) * UNITS[shift[2]]
    naive = datetime.datetime.fromisoformat(moment)
    seconds = (naive - datetime.datetime(1970, 1, 1)) / datetime.timedelta(seconds=1)  # noqa: DTZ001 - the zone is added below
    return seconds - _offset(naive)


def _offset(naive: datetime.datetime) -> float:
    """Give the zone's offset at a local time, in seconds; the C library knows it, also under a moved clock."""
    guess = time.mktime(naive.timetuple()[:8] + (-1,))
    whole = naive.replace(microsecond=0)
    return (whole - datetime.datetime(1970, 1, 1)) / datetime.timedelta(seconds=1) - guess  # noqa: DTZ001 - as above


class Clocks:
    """What the wall clock shows; ``monotonic`` and event loops are never moved."""

    name = "clock"
    sources = frozenset({"clock", "timezone"})
    allowed = (
        "a local time such as 2028-02-29T23:59:58, a shift such as +400d, -1h or +30s, or one of them after frozen:"
    )

    @staticmethod
    def withdrawn() -> str:
        """Say why it stands down once the suite is imported; empty where it does not."""
        from pytest_flakehunt.perturbations import wall_clock

        return wall_clock.held_by_suite()

    @staticmethod
    def idle() -> str:
        """Say which clock stays where it is; empty where they are moved."""
        from pytest_flakehunt.perturbations import wall_clock

        ahead, before = 400 * UNITS["d"], realtime.time()
        replaced = not isinstance(time.time, BuiltinFunctionType)  # by the suite, which has it as it wants
        with wall_clock.movable():
            wall_clock.move_to(before + ahead)
            shown = {"datetime.now()": datetime.datetime.now().timestamp(), "time.time()": time.time()}  # noqa: DTZ005 - as tests ask
        stayed = [name for name, moment in shown.items() if moment - before < ahead / 2]
        return f"{' and '.join(stayed)} cannot be moved" if stayed and not replaced else ""

    def draw(self, seed: int, turn: int) -> Clock:
        """Catalogued moments first, then any of the coming years; a frozen one now and then."""
        moments = instants.telling(YEAR)
        instant = moments[turn] if turn < len(moments) else instants.drawn(YEAR, seed)
        return Clock(instant.moment, frozen=turn % 10 == 9, zone=instant.zone)

    def read(self, text: str) -> Clock:
        """Read a moment."""
        moment = text.removeprefix(FROZEN)
        try:
            local = re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?", moment, re.ASCII)
            if not local and not re.fullmatch(r"[+-]\d{1,6}[smhd]", moment, re.ASCII):
                raise ValueError(moment)
            possible = EARLIEST <= epoch_seconds(moment, realtime.time) < LATEST
        except (ValueError, OverflowError):
            possible = False
        if not possible:
            raise SettingError(f"clock={text}: give {self.allowed}, from 1970 to 9998")
        return Clock(moment, frozen=moment != text)
