"""Other processes that want the processor, the memory or the disk too."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

from pytest_flakehunt.ground import machine, scratch
from pytest_flakehunt.ground.failing import message_of
from pytest_flakehunt.model import Contract, SettingError

WORK: Mapping[str, str] = {
    "": """
for _ in range(200_000): pass
""",
    "memory": """
half = size // 2
block = block or memoryview(bytearray(2 * half))
block[:half] = block[half:]
os.kill(sweep, 0)
block[half:] = block[:half]
""",
    "disk": """
if file is None:
    path = f"{folder}/{os.getpid()}"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
os.lseek(file, 0, os.SEEK_SET)
for _ in range(16):
    os.kill(sweep, 0)
    os.write(file, bytes(size // 16))
    os.fsync(file)
""",
}
"""What each kind of process does again and again: counts; copies memory to and fro; writes a file without a name."""
BUSY = """
import os, sys
size, folder, sweep = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
block = file = None
try:
    with open("/proc/self/oom_score_adj", "w") as score: score.write("1000")
except OSError: pass
work = compile(sys.argv[4], "work", "exec")
while True:
    os.kill(sweep, 0)
    exec(work)
"""
"""Works until the process that asked for it is gone, whatever became of it; leaves first where memory runs out."""
APART = '"$@" </dev/null >/dev/null 2>&1 & echo $!'
"""Starts a command that is nobody's child: a test that waits for its own children must not meet it."""
MEGABYTE = 2**20
MOST_MEMORY, MOST_DISK = 256 * MEGABYTE, 16 * MEGABYTE
"""Bytes of one process, where there are enough."""
SHARE = 4
"""Of the memory that is available, one part in so many is taken by all together; of the disk, by each."""
TURNS = (("", 2), ("memory", 1), ("disk", 1), ("", 1), ("memory", 2), ("disk", 2))
"""Kinds, and how many processes for each core."""
MOST_DRAWN: Mapping[str, int] = {"": 256, "memory": 16, "disk": 8}


@dataclass(frozen=True, slots=True)
class Load:
    """Busy processes beside the tests."""

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 10.0
    lifelike: ClassVar[bool] = True
    processes: int
    """From 1 to 256."""
    kind: str = ""
    """``memory`` or ``disk``; empty for the processor."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.processes}" if self.kind else str(self.processes)

    def simpler(self) -> list["Load"]:
        """Give fewer processes."""
        return [Load(count, self.kind) for count in (1, 2, 4, 8, 16, 32, 64, 128) if count < self.processes]

    @property
    def graded(self) -> bool:
        """What fails beside some fails beside more."""
        return True

    def disputed(self, error: BaseException, test: object) -> str:
        """Say where Hypothesis found its data drawn slowly: that is a word on the machine, not on the test."""
        del test
        unhealthy = type(error).__name__ == "FailedHealthCheck" and type(error).__module__ == "hypothesis.errors"
        return "Hypothesis draws slowly on a busy machine" if unhealthy and "slow" in message_of(error) else ""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the processor, the memory or the disk busy."""
        with ExitStack() as undo:
            folder = undo.enter_context(scratch.folder()) if self.kind == "disk" else ""
            size = self._size(folder)
            for _ in range(self.processes):
                undo.callback(_ended, started(self.kind, size, folder))
            yield

    def _size(self, folder: str) -> int:
        """Give the bytes of one process."""
        match self.kind:
            case "memory":
                return max(MEGABYTE, min(MOST_MEMORY, machine.available_memory() // SHARE // self.processes))
            case "disk":
                room = os.statvfs(folder)
                return max(MEGABYTE, min(MOST_DISK, room.f_bavail * room.f_frsize // SHARE // self.processes))
        return 0


def _ended(pid: int) -> None:
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def started(kind: str = "", size: int = 0, folder: str = "") -> int:
    """Start a busy process, and give its id.

    Args:
        kind: what it keeps busy.
        size: in bytes, of its memory or its file.
        folder: where its file lies.
    """
    words = str(size), folder, str(os.getpid()), WORK[kind]
    command = ["/bin/sh", "-c", APART, "sh", sys.executable, "-I", "-S", "-c", BUSY, *words]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603 - our own words


class Loads:
    """How busy the processor, the memory or the disk is."""

    name = "load"
    allowed = "a whole number of processes from 1 to 256, or one after memory: or disk:"

    @property
    def unavailable(self) -> str:
        """Say why no load can be made here; empty where it can."""
        return "" if os.path.exists("/bin/sh") else "there is no /bin/sh"  # noqa: PTH110 - asked before anything is imported

    def draw(self, seed: int, turn: int) -> Load:
        """Two for each core first, then the memory, the disk, and other numbers: never more than two for each."""
        del seed
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        kind, times = TURNS[turn % len(TURNS)]
        return Load(min(MOST_DRAWN[kind], cores * times), kind)

    def read(self, text: str) -> Load:
        """Read a kind and a number of processes."""
        written = re.fullmatch(r"(?:(memory|disk):)?([1-9]\d{0,2})", text, re.ASCII)
        if not written or int(written[2]) > 256:
            raise SettingError(f"{self.name}={text}: give {self.allowed}")
        return Load(int(written[2]), written[1] or "")
