"""The controller's end: starts a zygote, talks to it, follows a sweep's journal, and ends it when it must."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.zygote import fork, wire
from pytest_flakehunt.zygote.child import STACKS_SIGNAL
from pytest_flakehunt.zygote.ears import CHUNK, Ears
from pytest_flakehunt.zygote.warm import STACKS

OUTPUT_LIMIT = 256 * 1024 * 1024
"""Bytes that a sweep may print before it is ended."""

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));from pytest_flakehunt.zygote.warm import main; main()"
)
_poll = getattr(select, "poll", None)  # held on to, as what follows: a suite's gevent would put its own there
LEAVING = 3.0
"""Seconds a zygote that retires is given to finish its session."""
SETTLING = 0.5
"""Seconds a hanging process is given to write its stacks."""


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


class Link:
    """One zygote, seen from the controller."""

    def __init__(
        self,
        number: int,
        slot: int,
        origin: Origin,
        environment: Mapping[str, str],
        birth: wire.Birth,
    ) -> None:
        self.number, self.slot, self.environment = number, slot, dict(environment)
        self.scratch = Path(birth.scratch)
        self.started = realtime.monotonic()
        self.ready: wire.Ready | None = None
        self.start_cost = 0.0
        """Seconds from the start until the suite was collected."""
        self.known = len(birth.tests)
        """Tests that had a position when it started; it is told the names of later ones."""
        self.retiring = self.used = False
        self.early, self.watching = birth.early, birth.watching
        self.interpreter = ""
        """What experiments call this very interpreter; empty where any would do."""
        self.bound = False
        """Whether it is for runs that say its hash seed, and for no others."""
        self.mute = False
        """Whether its pipes are closed while a sweep goes on in it."""
        self._heard = b""
        self.scratch.mkdir()
        self.log = self.scratch / "log"
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - this very interpreter
                [sys.executable, *flags, "-c", BOOT, json.dumps(list(origin.sys_path))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**origin.environment(), **environment, **worker_variables(birth.workerinput)},
                start_new_session=True,
            )
        if _ears is not None:
            assert self.process.stdout is not None
            _ears.listen(self, self.process.stdout.fileno())
        self.send(birth)

    @property
    def answers(self) -> int | None:
        """The descriptor that answers come through; None once it is at its end."""
        assert self.process.stdout is not None
        return None if self.process.stdout.closed else self.process.stdout.fileno()

    def receive(self, data: bytes) -> Iterator[wire.Message | None]:
        """Give the answers that are complete; None as the last where there can be no more.

        Args:
            data: what was read of them, nothing where they are at their end.
        """
        assert self.process.stdout is not None
        *lines, self._heard = (self._heard + data).split(b"\n")
        try:
            yield from map(wire.decode, lines)
        except (ValueError, TypeError, KeyError):  # a test has written to descriptors that are not its own
            end_tree(self.process.pid)
            data = b""
        if not data:
            self.process.stdout.close()
            yield None

    def send(self, message: wire.Message) -> None:
        """Tell the zygote something; one that is gone says so itself."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(wire.encode(message))
            self.process.stdin.flush()

    def stacks(self) -> str:
        """Give what crashing and hanging children wrote of their stacks."""
        with contextlib.suppress(OSError):
            return (self.scratch / STACKS).read_text("utf-8", "replace")
        return ""

    def last_words(self, characters: int = 3000) -> str:
        """Give the end of what the zygote wrote to standard error."""
        with contextlib.suppress(OSError):
            return self.log.read_text("utf-8", "replace").strip()[-characters:]
        return ""

    def close(self) -> int:
        """End the process and what is left of it; give its exit status."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(LEAVING if self.retiring else 0)
        except subprocess.TimeoutExpired:
            end_tree(self.process.pid)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.wait()


def heard(links: Iterable[Link], seconds: float) -> list[tuple[Link, wire.Message | None]]:
    """Wait until any zygote says something, or is gone; give what was said.

    Args:
        links: those that are listened to.
        seconds: how long is waited at most.
    """
    speaking = {descriptor: link for link in links if (descriptor := link.answers) is not None}
    if _ears is not None:
        chunks = [(link, data) for link, data in _ears.hear(seconds) if link in speaking.values()]
        return [(link, message) for link, data in chunks for message in link.receive(data)]
    assert _poll is not None
    waiting = _poll()
    for descriptor in speaking:
        waiting.register(descriptor, select.POLLIN | select.POLLHUP)
    ready = waiting.poll(seconds * 1000)
    return [
        (speaking[descriptor], message)
        for descriptor, _ in ready
        for message in speaking[descriptor].receive(os.read(descriptor, CHUNK))
    ]


_ears: Ears[Link] | None = None if _poll is not None else Ears()
"""What hears zygotes where the system has no ``poll``."""


def worker_variables(workerinput: Mapping[str, object]) -> dict[str, str]:
    """Give the variables by which xdist's workers are known."""
    return {
        "PYTEST_XDIST_WORKER": str(workerinput["workerid"]),
        "PYTEST_XDIST_WORKER_COUNT": str(workerinput["workercount"]),
        "PYTEST_XDIST_TESTRUNUID": str(workerinput["testrunuid"]),
    }


def end_tree(pid: int) -> None:
    """Kill a process and all its descendants."""
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for descendant in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                descendant.kill()
        process.kill()


def of_a_zygote(child: Any) -> bool:
    """Tell whether a process descends from a zygote: it has a worker's variables, or has ended in another session.

    Args:
        child: as ``psutil`` gives it.
    """
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        if child.status() == psutil.STATUS_ZOMBIE:
            return hasattr(os, "getsid") and os.getsid(child.pid) != os.getsid(0)
        return "PYTEST_XDIST_WORKER" in child.environ()
    return False


class Nursery:
    """Keeps what zygotes leave behind from outliving them, and leaves the user's own processes alone."""

    def __init__(self) -> None:
        self._spared: set[int] = set()

    def adopt(self) -> None:
        """Become the parent of orphans; what runs by now, the user's own, is none of ours."""
        import psutil

        self._spared = {child.pid for child in psutil.Process().children(recursive=True)}
        fork.adopt_orphans()

    def sweep_up(self, at_work: set[int]) -> None:
        """End orphans: what zygotes that are gone have left; what a plugin has started in this process is its own."""
        import psutil

        for child in psutil.Process().children():
            if child.pid not in self._spared and child.pid not in at_work and of_a_zygote(child):
                end_tree(child.pid)
                with contextlib.suppress(psutil.Error):
                    child.wait(LEAVING)


def ask_for_stacks(pid: int, stacks: Path) -> None:
    """Let a process that hangs write the stacks of its threads; wake it first if it was stopped.

    Returns once they stand in the file, or after a moment where nothing comes.
    """
    if STACKS_SIGNAL is None or not hasattr(signal, "SIGCONT"):
        return
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, STACKS_SIGNAL)
        before = -1
        for _ in range(10):
            realtime.sleep(SETTLING / 10)
            size = stacks.stat().st_size
            if size == before > 0:
                return
            before = size


class Watch:
    """Follows the journal of a run as it grows."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self._read = 0
        self.pid: int | None = None
        self.running: int | None = None
        """The test under way, by position."""
        self.since = realtime.monotonic()
        """When it was first seen under way, or the last one ended."""
        self.done = False
        """Whether the process said that nothing is left to do."""

    def look(self) -> list[wire.Entry]:
        """Give the entries that are new."""
        try:
            with self.journal.open("rb") as lines:
                lines.seek(self._read)
                data = lines.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        found: list[wire.Entry] = []
        for line in whole.splitlines():
            with contextlib.suppress(ValueError, TypeError, KeyError):  # as above: what is foreign is nothing of ours
                found.extend(wire.entries(line))
        for item in found:
            match item:
                case wire.Began(pid):
                    self.pid, self.running, self.done = pid, None, False
                case wire.Started(position):
                    self.running, self.since = position, realtime.monotonic()
                case wire.Finished():
                    self.running, self.since = None, realtime.monotonic()
                case wire.Done():
                    self.done = True
                case wire.Reported() | wire.Told() | wire.Leaked():
                    pass
        return found


def printing_without_end(pid: int | None) -> bool:
    """Tell whether a process has captured more output than anyone will read."""
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/fd/1").st_size > OUTPUT_LIMIT  # noqa: PTH116 - a link to a deleted file
    return False
