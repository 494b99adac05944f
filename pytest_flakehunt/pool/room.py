"""How many sweeps may go on at once: as many as the cores have time for, and the memory has room for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_flakehunt.ground import machine
from pytest_flakehunt.ground.machine import Cores
from pytest_flakehunt.model import Sweep

MOST = 4
"""Zygotes a core, where tests wait for something else than the CPU."""
LOAD = 0.75
"""Share of the cores that sweeps may keep busy when there are more of them than cores: tests are timed, too."""
LOOKS = 2
"""Sweeps a zygote that are seen before there are more of them."""
SLOWER = 1.5
"""How many times as long sweeps may take when there are more of them at once; then there are fewer again."""
PAYS = 0.9
"""What may be left of the time to come, at most, where there are to be more of them: they have to be started."""
MARGIN = 0.1
"""Share of the free memory that is left to others."""


class Needs(NamedTuple):
    """Bytes of memory that a zygote has, and a sweep that was forked from it."""

    zygote: int
    sweep: int


@dataclass(slots=True)
class Processes:
    """What is at work in one slot, as far as memory goes."""

    zygote: int | None
    """Its process id; None where there is none."""
    sweep: int | None
    """The same of the process that was forked from it."""
    at_work: bool
    """Whether a sweep goes on or is about to."""


@dataclass(slots=True)
class Room:
    """The width of a hunt, and what it follows from."""

    workers: int
    """Zygotes that were asked for: one a core unless the user says otherwise."""
    grows: bool = False
    """Whether there may be more of them: the user has named no number."""
    needs: Needs = field(default_factory=lambda: Needs(0, 0))
    """As far as was seen."""
    extra: int = 0
    """Zygotes beside those that were asked for."""
    _seen: list[Sweep] = field(default_factory=list)
    """Sweeps of today's width that nothing of ours slowed down."""
    _usual: float = 0.0
    """Seconds of a sweep before there were more of them at once."""
    _cores: Cores | None = None
    _cramped: bool = False

    def expect(self, zygote: int) -> None:
        """Take note of the memory that an interpreter has which has collected the suite; a sweep may take as much."""
        self.needs = Needs(max(self.needs.zygote, zygote), max(self.needs.sweep, zygote))

    def saw(self, sweep: Sweep, left: float, start: float, *, had_cores: bool = True) -> str:
        """Take in a sweep; say what changes with it, nothing where all stays as it is.

        Args:
            sweep: that has ended.
            left: sweeps to come.
            start: seconds that one more interpreter takes.
            had_cores: whether none was starting meanwhile, which takes time from sweeps that is soon over.
        """
        if sweep.memory:
            self.needs = Needs(self.needs.zygote, max(self.needs.sweep, sweep.memory))
        if not self.grows or sweep.torn or sweep.plan.patience > 1 or not sweep.cpu or not had_cores:
            return ""
        if self._cores is None:
            self._cores = Cores.now()
        self._seen.append(sweep)
        width = self.workers + self.extra
        if len(self._seen) < LOOKS * width:
            return ""
        seconds = sum(seen.seconds for seen in self._seen)
        mean, share = seconds / len(self._seen), sum(seen.cpu for seen in self._seen) / seconds
        self._seen.clear()
        if self.extra:
            return self._back(mean)
        return self._more(mean, share, left, start)

    def _more(self, mean: float, share: float, left: float, start: float) -> str:
        before, self._cores = self._cores, Cores.now()
        assert before is not None
        idle = self._cores.idle_since(before)
        most = min(int(idle * LOAD / max(share, 0.01)), (MOST - 1) * self.workers, int(left) - self.workers)
        times = [lasts(left * mean, self.workers, more, start, idle) for more in range(max(0, most) + 1)]
        more = times.index(min(times))
        if more < max(1, self.workers // 2) or times[more] > PAYS * times[0]:
            return ""
        self.extra, self._usual = more, mean
        return (
            f"tests compute for {100 * share:.0f} % of their time: {self.workers + more} sweeps at a time from here on "
            f"instead of {self.workers}; -n {self.workers} keeps it at that"
        )

    def _back(self, mean: float) -> str:
        if mean <= SLOWER * self._usual:
            return ""
        width, self.extra, self.grows = self.workers + self.extra, 0, False
        return f"{self.workers} sweeps at a time again: with {width} each took {mean / self._usual:.1f} times as long"

    def bears(self, begins: Processes, others: Iterable[Processes]) -> bool:
        """Tell whether there is memory for one more sweep; there always is for one that would be the only one.

        What others have been promised and have not taken yet is counted as taken.

        Args:
            begins: the slot that would run it.
            others: all other slots.
        """
        busy = [other for other in others if other.at_work]
        if not busy or not self.needs.sweep:
            return True
        promised = sum(self._to_come(other) for other in busy)
        wanted = self.needs.sweep + (0 if begins.zygote else self.needs.zygote)
        return promised + wanted <= (1 - MARGIN) * machine.available_memory()

    def _to_come(self, slot: Processes) -> int:
        pairs = (self.needs.zygote, slot.zygote), (self.needs.sweep, slot.sweep)
        return sum(max(0, most - (machine.resident(pid) if pid else 0)) for most, pid in pairs)

    def cramped(self) -> str:
        """Say, once, that there is no memory for more."""
        if self._cramped:
            return ""
        self._cramped = True
        return (
            f"sweeps wait for memory: each takes up to {self.needs.sweep / 1e9:.1f} GB, and its interpreter "
            f"{self.needs.zygote / 1e9:.1f} GB; fewer go on at once than the cores would bear"
        )


def lasts(work: float, workers: int, more: int, start: float, idle: float) -> float:
    """Give the seconds that sweeps to come take.

    Args:
        work: seconds of all of them.
        workers: who is there to run them.
        more: who is to be started meanwhile.
        start: seconds of CPU of a start.
        idle: cores that are free for that.

    >>> lasts(20.0, workers=2, more=0, start=2.0, idle=1.0), lasts(20.0, workers=2, more=2, start=2.0, idle=1.0)
    (10.0, 7.0)
    """
    starting = start * max(1.0, more / max(idle, 0.01)) if more else 0.0
    return min(work / workers, starting + max(0.0, work - workers * starting) / (workers + more))
