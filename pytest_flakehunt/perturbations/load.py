"""Other processes that want the processor too."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations import reading

BUSY = """
import os, sys
sweep = int(sys.argv[1])
while True:
    os.kill(sweep, 0)
    for _ in range(200_000): pass
"""
"""Works until the process that asked for it is gone, whatever became of it."""
APART = '"$@" </dev/null >/dev/null 2>&1 & echo $!'
"""Starts a command that is nobody's child: a test that waits for its own children must not meet it."""


@dataclass(frozen=True, slots=True)
class Load:
    """Busy processes beside the tests."""

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 10.0
    lifelike: ClassVar[bool] = True
    processes: int
    """From 1 to 256."""

    def __str__(self) -> str:
        return str(self.processes)

    def simpler(self) -> list["Load"]:
        """Give fewer processes."""
        return [Load(count) for count in (1, 2, 4, 8, 16, 32, 64, 128) if count < self.processes]

    @property
    def graded(self) -> bool:
        """What fails beside some fails beside more."""
        return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the processor busy."""
        busy = [started() for _ in range(self.processes)]
        try:
            yield
        finally:
            for pid in busy:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)


def started() -> int:
    """Start a busy process, and give its id."""
    command = ["/bin/sh", "-c", APART, "sh", sys.executable, "-I", "-S", "-c", BUSY, str(os.getpid())]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603 - our own words


class Loads:
    """How busy the machine is."""

    name = "load"
    allowed = "a whole number from 1 to 256"

    @property
    def unavailable(self) -> str:
        """Say why no load can be made here; empty where it can."""
        return "" if os.path.exists("/bin/sh") else "there is no /bin/sh"  # noqa: PTH110 - asked before anything is imported

    def draw(self, seed: int, turn: int) -> Load:
        """Two for each core first, then more, then fewer."""
        del seed
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return Load(max(1, min(256, int(cores * (2, 4, 1)[turn % 3]))))

    def read(self, text: str) -> Load:
        """Read a number of processes."""
        return Load(reading.whole(self.name, text, 1, 256))
