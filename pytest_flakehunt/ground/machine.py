"""What the machine has left, of cores and of memory, within the limits of the groups that hold this process."""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from pytest_flakehunt.ground import realtime

CGROUPS = "/sys/fs/cgroup"


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores that this process may use, at one moment."""

    moment: float
    idle: float
    """Seconds that they have been idle since the machine started, together."""
    throttled: int
    """How often a limit of CPU time has stopped us."""

    @classmethod
    def now(cls) -> "Cores":
        """Look at them."""
        import psutil

        times = psutil.cpu_times(percpu=True)
        mine = list(range(len(times)))
        with suppress(AttributeError, psutil.Error):  # no affinity on this system
            mine = [core for core in psutil.Process().cpu_affinity() if core < len(times)]
        return cls(realtime.monotonic(), sum(times[core].idle for core in mine), sum(_stops()))

    def idle_since(self, before: "Cores") -> float:
        """Give how many of them were idle meanwhile, on average; 0 where a limit has stopped us."""
        if self.throttled != before.throttled or self.moment <= before.moment:
            return 0.0
        return max(0.0, (self.idle - before.idle) / (self.moment - before.moment))


def python() -> str:
    """Give the version of this Python, with a ``t`` behind it where it is free-threaded."""
    import platform

    return platform.python_version() + ("t" if "t" in getattr(sys, "abiflags", "") else "")


def resident(pid: int) -> int:
    """Give the bytes of memory that a process has; 0 where it is gone."""
    import psutil

    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def available_memory() -> int:
    """Give the bytes that can be had without swapping: of the machine, and of the groups that hold this process."""
    import psutil

    return max(0, min([psutil.virtual_memory().available, *_left_in_groups()]))


def _left_in_groups() -> Iterator[int]:
    """Give the bytes that each control group around this process has left, in either version of these."""
    for start, first in _groups("memory"):
        most, used = ("limit_in_bytes", "usage_in_bytes") if first else ("max", "current")
        limit, usage = _words(f"{start}{most}"), _words(f"{start}{used}")
        if limit.isdecimal() and usage.isdecimal():
            cached = re.search(r"^inactive_file (\d+)$", _words(f"{start}stat"), re.MULTILINE)
            yield int(limit) - int(usage) + (int(cached[1]) if cached else 0)


def _stops() -> Iterator[int]:
    """Give how often each control group around this process has used up its CPU time."""
    for start, _ in _groups("cpu"):
        stopped = re.search(r"^nr_throttled (\d+)$", _words(f"{start}stat"), re.MULTILINE)
        yield int(stopped[1]) if stopped else 0


def _groups(controller: str) -> Iterator[tuple[str, bool]]:
    """Give where control groups around this process tell their limits, and whether as in the first version."""
    for written in _words("/proc/self/cgroup").splitlines() or ["0::/"]:
        _, controllers, path = written.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts) + 1):
            yield (
                "/".join([f"{CGROUPS}/{controllers}".rstrip("/"), *parts[:depth], f"{controller}."]),
                bool(controllers),
            )


def _words(path: str) -> str:
    """Give what a small file says; nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a plain path
            return file.read().strip()
    except OSError:
        return ""
