"""How finely time is told: time stamps of files, and the wall clock, that go in steps."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, ClassVar

from pytest_flakehunt.ground import auditing, project, scratch
from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import file_times

CLOCK = "16ms"
STEPS = {"1s": file_times.SECOND, CLOCK: 16_000_000, "2s": 2 * file_times.SECOND}
"""Nanoseconds of each step, the most telling first: file systems of old, a clock, FAT."""
GRACE = 1_000
"""Nanoseconds by which a stamp that was set from a float may fall short of the step it was read at."""
LAG = 20_000_000
"""Nanoseconds by which the time that a file is given may lie behind the clock: the kernel looks at it on its ticks."""
UNEVEN = 2_000_000_001_123_456_789
"""Nanoseconds since 1970 that are no whole step."""
IMPORTING = frozenset({"_frozen_importlib_external", "importlib", "linecache", "zipimport"})
"""Packages that keep times of sources from before, to know whether these have changed."""
STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system")
"""Audit events of processes that begin."""
APART = "the clocks of processes that a test starts do not go in steps"
_began: list[bool] = []
"""Whether the test at hand has started a process."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Points in time are this far apart, so that what happens in a row happens at once.

    Whole seconds are those of a file system: all of a file's times, also those
    that are set. Milliseconds are those of a machine's clock: what it shows,
    and the times it gives to files. No stamp is later than the exact one.
    """

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    length: str
    """A key of ``STEPS``."""

    @property
    def patience(self) -> float:
        """Nothing waits longer, but telling the time in steps takes some."""
        return 2.0 if self.length == CLOCK else 1.0

    def __str__(self) -> str:
        return self.length

    def simpler(self) -> list["Steps"]:
        """Give the shorter steps of file systems."""
        return [Steps("1s")] if self.length == "2s" else []

    @property
    def graded(self) -> bool:
        """What is equal in some steps is equal in steps of twice the length."""
        return True

    def prepare(self) -> None:
        """Find what it looks for in the project's modules, and import what it tells times with."""
        from pytest_flakehunt.perturbations import wall_clock

        learn(self.stand_ins(), in_project=True)
        if self.length == CLOCK:
            wall_clock.prepare()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Tell times in steps: of files that change from now on, and of the clock."""
        from pytest_flakehunt.perturbations import wall_clock

        with ExitStack() as undo:
            if self.length == CLOCK:
                undo.enter_context(wall_clock.stepping(STEPS[self.length]))
                undo.enter_context(auditing.listening(dict.fromkeys(STARTS, lambda _: _began.append(True))))
            undo.enter_context(standing(self.stand_ins(), in_project=True))
            yield

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Forget which processes other tests have started."""
        del nodeid
        _began.clear()
        yield

    def disputed(self, error: BaseException, test: object) -> str:
        """Say that two clocks may disagree, where they may."""
        del error, test
        return APART if self.length == CLOCK and _began else ""

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what stands in for the functions that tell times of files."""
        from pytest_flakehunt.perturbations import wall_clock

        stamps = Stamps(STEPS[self.length], wall_clock.now, wall_clock.moved_by)
        return dict.fromkeys(file_times.ASKED, partial(_coarse, stamps.coarse))


class Stamps:
    """Times of files that have changed since; those of others may have been noted by the suite as it was imported."""

    def __init__(self, step: int, now: Callable[[], float], moved_by: Callable[[int], int]) -> None:
        """Make some.

        Args:
            step: nanoseconds between two of them.
            now: gives the true time, in seconds since 1970.
            moved_by: tells by how much a stamp differs from the true one where the clock is moved.
        """
        self._step, self._now, self._moved_by = step, now, moved_by
        self._since = int(now() * 1e9) - LAG

    def coarse(self, status: os.stat_result) -> os.stat_result:
        """Give a status with times in steps."""
        if status.st_ctime_ns - self._moved_by(status.st_ctime_ns) < self._since:
            return status
        return file_times.restamped(status, self._of_clock if self._step < file_times.SECOND else self._of_files)

    def _of_files(self, stamp: int) -> int:
        """Give a stamp of a file system: in the very first step none may seem older than files from before it."""
        first = self._since + self._moved_by(stamp)
        coarse = file_times.stepped(stamp, self._step)
        return max(coarse, first) if stamp >= first else coarse

    def _of_clock(self, stamp: int) -> int:
        """Give a stamp that the clock gave; one that was set otherwise is kept."""
        exact = stamp - self._moved_by(stamp)
        given = self._since <= exact <= self._now() * 1e9
        return file_times.stepped(stamp + GRACE, self._step) if given else stamp


def _coarse(
    coarse: Callable[[os.stat_result], os.stat_result], look: Callable[..., os.stat_result]
) -> Callable[..., os.stat_result]:
    def looked(*args: Any, **kwargs: Any) -> os.stat_result:
        status = look(*args, **kwargs)
        return coarse(status) if _asks_for_a_test(sys._getframe(1)) else status  # noqa: SLF001 - the only way to see who asks

    return looked


def _asks_for_a_test(frame: FrameType | None) -> bool:
    while frame is not None:
        if project.owns(frame.f_code.co_filename):
            return True
        package = project.package_of(frame)
        if package in IMPORTING:
            return False
        if package not in sys.stdlib_module_names and package != "pytest_flakehunt":
            return package not in project.RUNNING_TESTS
        frame = frame.f_back
    return True


def _modified(path: str) -> int:
    return os.stat(path).st_mtime_ns  # noqa: PTH116 - the function that is stood in for


class Resolutions:
    """How finely clocks and file systems tell the time."""

    name = "resolution"
    sources = frozenset({"clock", "status"})
    allowed = f"{', '.join(sorted(STEPS)[:-1])} or {max(STEPS)}"

    @staticmethod
    def idle() -> str:
        """Say that times of files do not go in steps; empty where they do."""
        with scratch.folder() as folder, standing(Steps("2s").stand_ins()):
            path = f"{folder}/file"
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            os.utime(path, ns=(UNEVEN, UNEVEN))
            stamp = project.posing(_modified)(path)
        return "" if stamp % STEPS["2s"] == 0 else "times of files do not go in steps"

    def draw(self, seed: int, turn: int) -> Steps:
        """Whole seconds first, then a clock's steps, then two seconds; and again."""
        del seed
        return Steps(list(STEPS)[turn % len(STEPS)])

    def read(self, text: str) -> Steps:
        """Read the length of a step."""
        if text not in STEPS:
            raise SettingError(f"resolution={text}: give {self.allowed}")
        return Steps(text)
