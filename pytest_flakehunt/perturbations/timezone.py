"""The time zone of the machine."""

import os
import time
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pytest_flakehunt.model import SettingError
from pytest_flakehunt.perturbations.named import Named
from pytest_flakehunt.perturbations.replacing import set_variable

AT_START = os.environ.get("TZ")
"""The zone before the suite was imported."""
TELLING = (
    "Australia/Adelaide",
    "Europe/Moscow",
    "Pacific/Kiritimati",
    "America/Sao_Paulo",
    "Pacific/Pago_Pago",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/New_York",
    "Europe/London",
    "Asia/Tokyo",
    "UTC",
)
"""Those first that show several kinds of mistake at once.

Summer in January, with half an hour; an offset that is not what it was (and no
daylight saving any more); the farthest east; an end of daylight saving at
midnight in the past; the farthest west; half an hour west with daylight
saving; daylight saving by half an hour; and more of each kind.
"""
SUMMER = 1_750_000_000
"""A moment in June of 2025, in seconds since 1970."""
SIMPLE = ("UTC", "America/New_York", "Asia/Tokyo", "Asia/Kolkata")
"""No offset, daylight saving, whole hours ahead, half an hour: zones that everyone knows."""


def installed(key: str) -> bool:
    """Tell whether the C library can find the zone: it takes one it does not know for UTC, silently."""
    if key.startswith(("/", ".")) or ".." in key:
        return False
    with suppress(OSError):  # such a long name, for one
        return any(Path(folder, key).is_file() for folder in zoneinfo.TZPATH)
    return False


@dataclass(frozen=True, slots=True)
class Zone(Named):
    """An IANA zone as the local one, such as ``Asia/Kolkata``: ``TZ`` and ``tzset``."""

    widely_known: ClassVar[tuple[str, ...]] = SIMPLE
    installed: ClassVar[Callable[[str], bool]] = staticmethod(installed)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Move the process, and the processes it starts, to the zone."""
        if Zones.withdrawn():
            yield
            return
        try:
            with set_variable("TZ", self.name):
                time.tzset()
                yield
        finally:
            time.tzset()


def _local(zone: Zone) -> tuple[int, ...]:
    with zone.held():
        return tuple(time.localtime(SUMMER)[:6])


class Zones:
    """Where the machine seems to stand."""

    name = "timezone"
    sources = frozenset({"clock", "timezone", "process"})
    allowed = "the name of an installed IANA zone, such as Asia/Kolkata"

    @staticmethod
    def withdrawn() -> str:
        """Say why the zone is none of the machine's business here; empty where it is.

        A suite that sets its zone as it is imported fails under no machine's
        zone: moving it afterwards would invent failures.
        """
        return "" if os.environ.get("TZ") == AT_START else "the suite sets TZ itself as it is imported"

    @property
    def unavailable(self) -> str:
        """Say why no zone can be set here; empty where one can."""
        if not hasattr(time, "tzset"):
            return "this platform has no tzset"
        return "" if any(map(installed, TELLING)) else "no time zone database is installed"

    @staticmethod
    def idle() -> str:
        """Say that local time is the same in zones that have little in common; empty where it is not."""
        names = [name for name in TELLING if installed(name)]
        times = {_local(Zone(name)) for name in names}
        return "" if len(times) > 1 or len(names) == 1 else f"local time is the same in {' and '.join(names[:2])}"

    def draw(self, seed: int, turn: int) -> Zone:
        """The farthest zones first, then any of them."""
        zones = [key for key in TELLING if installed(key)] or TELLING
        return Zone(zones[turn] if turn < len(zones) else zones[seed % len(zones)])

    def read(self, text: str) -> Zone:
        """Read a zone's name."""
        if not installed(text):
            raise SettingError(f"timezone={text}: give {self.allowed}")
        return Zone(text)
