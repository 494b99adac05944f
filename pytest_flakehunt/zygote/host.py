"""Where zygotes run: what the controller asks of a machine, and how this one does it."""

import contextlib
import json
import platform
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.zygote import fork, keeper, processes, wire
from pytest_flakehunt.zygote.warm import STACKS

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));from pytest_flakehunt.zygote import keeper;"
    "keeper.stand_between(sys.argv.pop(1));from pytest_flakehunt.zygote.warm import main; main()"
)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Origin:
    """What every zygote of a hunt starts from: the controller's own start."""

    args: Sequence[str]
    directory: str
    argv: Sequence[str]
    sys_path: Sequence[str]
    environ: Mapping[str, str]
    program: Mapping[str, str | None] = field(default_factory=dict)
    """What ``__main__`` says of itself; see :class:`wire.Birth`."""
    unseen: Mapping[str, str | None] = field(default_factory=dict)
    """Variables that are other where nobody looks; None takes one away."""

    def environment(self) -> dict[str, str]:
        """Give the environment for a process that nobody looks at: without what makes other plugins report."""
        kept = {name: value for name, value in self.environ.items() if name not in self.unseen}
        return {**kept, **{name: value for name, value in self.unseen.items() if value is not None}}


class Process(Protocol):
    """A zygote's process, wherever it runs; what it writes stands in a folder of the controller's."""

    @property
    def pid(self) -> int | None:
        """Its process id on this machine; None where it runs on another."""

    @property
    def answers(self) -> int | None:
        """The descriptor that answers come through; None once it is closed."""

    @property
    def status(self) -> int | None:
        """The exit status, or minus the number of a signal; None while it runs."""

    @property
    def exhausted(self) -> bool:
        """Whether it has ended, and nothing of what it said is left to be read."""

    def send(self, data: bytes) -> None:
        """Hand bytes to its standard input; one that is gone says so itself."""

    def mute(self) -> None:
        """Close what answers come through."""

    def leave(self, seconds: float) -> int:
        """Let it go, or end it after so many seconds, with what is left of it; give its exit status."""

    def end(self) -> None:
        """Kill it and all its descendants."""

    def end_run(self, pid: int) -> None:
        """Kill a child of it, which hangs or prints without end, once it has written the stacks of its threads."""

    def prints_without_end(self, pid: int) -> bool:
        """Tell whether one of its children has captured more output than anyone will read."""

    def tidy(self) -> None:
        """Delete what its last sweep wrote for itself."""


class Host(Protocol):
    """A machine that zygotes run on."""

    name: str
    """As the user calls it; empty for this machine."""

    @property
    def where(self) -> str:
        """What it has in common with others whose zygotes have the same cores, files and ports."""

    @property
    def lost(self) -> str:
        """Why nothing can be run there any more; empty while it can."""

    def open(self) -> None:
        """Take up work."""

    def start(self, origin: Origin, environment: Mapping[str, str], scratch: Path) -> Process:
        """Start a zygote.

        Args:
            origin: the controller's own start.
            environment: variables besides those that are there.
            scratch: an empty folder, where what the zygote writes is found as long as it is of use.
        """

    def born(self, birth: wire.Birth) -> wire.Birth:
        """Give what a zygote must know, with the names that folders have there."""

    def folder(self, scratch: Path) -> str:
        """Give the name that a zygote's scratch folder has there."""

    def root(self, root: Path) -> Path:
        """Give the root directory there, of which it is known where it is here."""

    def clock(self) -> float:
        """Give seconds that pass as long as the machine runs."""

    def look(self) -> None:
        """See whether it is still there."""

    def give_up(self, reason: str) -> bool:
        """Run nothing there from now on; tell whether that can be."""

    def close(self) -> None:
        """End everything there."""


class Local:
    """A zygote's process on this machine."""

    def __init__(self, process: "subprocess.Popen[bytes]", scratch: Path, swept_up: Callable[["Local"], None]) -> None:
        self.popen, self.scratch, self._swept_up = process, scratch, swept_up

    @property
    def pid(self) -> int:
        """Give its process id; that of what stands between as long as there is no other."""
        return keeper.inner(self.scratch) or self.popen.pid

    @property
    def answers(self) -> int | None:
        """Give the descriptor of its standard output."""
        assert self.popen.stdout is not None
        return None if self.popen.stdout.closed else self.popen.stdout.fileno()

    @property
    def status(self) -> int | None:
        """Give its exit status."""
        ended = self.popen.poll()
        return None if ended is None else keeper.ending(self.scratch, ended)

    @property
    def exhausted(self) -> bool:
        """Look whether it is gone, and its pipe empty; that is not at its end where what it forked holds it open."""
        return self.popen.poll() is not None and not (self.answers is not None and _readable(self.answers))

    def send(self, data: bytes) -> None:
        """Write to its standard input."""
        assert self.popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.write(data)
            self.popen.stdin.flush()

    def mute(self) -> None:
        """Close its standard output."""
        assert self.popen.stdout is not None
        self.popen.stdout.close()

    def leave(self, seconds: float) -> int:
        """Let it go, and end what it has left."""
        self.hush()
        try:
            self.popen.wait(max(seconds, processes.LEAVING if processes.has_ended(self.pid) else 0))
        except subprocess.TimeoutExpired:
            processes.end_tree(self.popen.pid)
        self.mute()
        status = keeper.ending(self.scratch, self.popen.wait())
        self._swept_up(self)
        return status

    def hush(self) -> None:
        """Tell it that no more commands will come."""
        assert self.popen.stdin is not None
        with contextlib.suppress(OSError):
            self.popen.stdin.close()

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end, for so long at most; tell whether it has come."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(seconds)
        return self.popen.returncode is not None

    def end(self) -> None:
        """Kill it with all its descendants."""
        processes.end_tree(self.popen.pid)

    def end_run(self, pid: int) -> None:
        """Kill one of its children."""
        processes.wake(self.popen.pid)
        processes.ask_for_stacks(pid, self.scratch / STACKS)
        processes.end_tree(pid)

    def prints_without_end(self, pid: int) -> bool:
        """Look at the file that a child captures its output in."""
        return processes.printing_without_end(pid)

    def tidy(self) -> None:
        """Empty its scratch folder of the last sweep."""
        processes.tidy(self.scratch)


class Here:
    """This machine."""

    name = lost = ""

    def __init__(self) -> None:
        self._nursery = processes.Nursery()
        self._running: list[Local] = []
        self._on_child: Any = None

    @property
    def where(self) -> str:
        """Give what this boot of the machine is called."""
        with contextlib.suppress(OSError):
            return BOOT_ID.read_text("ascii").strip()
        return platform.node()

    def open(self) -> None:
        """Become the parent of orphans."""
        self._nursery.adopt()
        self._on_child = fork.unheeded()

    def start(self, origin: Origin, environment: Mapping[str, str], scratch: Path) -> Local:
        """Start a zygote with this interpreter."""
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
        with (scratch / processes.LOG).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - this very interpreter
                [sys.executable, *flags, "-c", BOOT, json.dumps(list(origin.sys_path)), str(scratch)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**origin.environment(), **environment},
                start_new_session=True,
            )
        self._running.append(started := Local(process, scratch, self._left))
        return started

    def _left(self, process: Local) -> None:
        """End what a zygote that is gone has left."""
        if process in self._running:
            self._running.remove(process)
        self._nursery.sweep_up({other.popen.pid for other in self._running})

    def born(self, birth: wire.Birth) -> wire.Birth:
        """Give it as it is."""
        return birth

    def folder(self, scratch: Path) -> str:
        """Give it as it is."""
        return str(scratch)

    def root(self, root: Path) -> Path:
        """Give it as it is."""
        return root

    def clock(self) -> float:
        """Give the monotonic clock."""
        return realtime.monotonic()

    def look(self) -> None:
        """Be there."""

    def give_up(self, reason: str) -> bool:
        """Say that there is no giving up of this machine."""
        del reason
        return False

    def close(self) -> None:
        """Let others wait for children again; zygotes have left by then."""
        fork.heeded(self._on_child)


def _readable(descriptor: int) -> bool:
    if _poll is None:  # nor is there anything that holds pipes open without being told to
        return True
    waiting = _poll()
    waiting.register(descriptor, select.POLLIN)
    return any(event & select.POLLIN for _, event in waiting.poll(0))


_poll = getattr(select, "poll", None)  # held on to: a suite's gevent would put its own there


def neighbours(one: Host, other: Host) -> bool:
    """Tell whether what runs on two machines shares cores, files and ports."""
    return one is other or one.where == other.where
