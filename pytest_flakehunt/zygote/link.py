"""The controller's end: starts a zygote, talks to it, and follows a sweep's journal."""

import contextlib
import os
import select
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.zygote import processes, wire
from pytest_flakehunt.zygote.ears import CHUNK, Ears
from pytest_flakehunt.zygote.host import Host, Origin
from pytest_flakehunt.zygote.warm import STACKS

MISSED = 1.0
"""Seconds without a look after which it was this process that stood still, or the whole machine: no test's doing."""
_poll = getattr(select, "poll", None)  # held on to, as what follows: a suite's gevent would put its own there


class Link:
    """One zygote, seen from the controller."""

    def __init__(
        self,
        number: int,
        slot: int,
        host: Host,
        origin: Origin,
        environment: Mapping[str, str],
        birth: wire.Birth,
    ) -> None:
        self.number, self.slot, self.host, self.environment = number, slot, host, dict(environment)
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
        variables = {**environment, **worker_variables(birth.workerinput)}
        self.process = host.start(origin, variables, self.scratch)
        if _ears is not None:
            assert self.process.answers is not None
            _ears.listen(self, self.process.answers)
        self.send(host.born(birth))

    @property
    def answers(self) -> int | None:
        """The descriptor that answers come through; None once it is at its end."""
        return self.process.answers

    def receive(self, data: bytes) -> Iterator[wire.Message | None]:
        """Give the answers that are complete; None as the last where there can be no more.

        Args:
            data: what was read of them, nothing where they are at their end.
        """
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in filter(None, lines):
            with contextlib.suppress(ValueError, TypeError, KeyError):  # a test has written to descriptors not its own
                yield wire.decode(line)
        if not data:
            self.process.mute()
            yield None

    def send(self, message: wire.Message) -> None:
        """Tell the zygote something; one that is gone says so itself."""
        self.process.send(wire.encode(message))

    @property
    def folder(self) -> str:
        """The scratch folder, as the zygote knows it."""
        return self.host.folder(self.scratch)

    def stacks(self) -> str:
        """Give what crashing and hanging children wrote of their stacks."""
        with contextlib.suppress(OSError):
            return (self.scratch / STACKS).read_text("utf-8", "replace")
        return ""

    def last_words(self, characters: int = 3000) -> str:
        """Give the end of what the zygote wrote to standard error."""
        with contextlib.suppress(OSError):
            return (self.scratch / processes.LOG).read_text("utf-8", "replace").strip()[-characters:]
        return ""

    def close(self) -> int:
        """End the process and what is left of it; give its exit status."""
        return self.process.leave(processes.LEAVING if self.retiring else 0)


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


def forsaken(links: Iterable[Link]) -> list[tuple[Link, None]]:
    """Give an end to those that will say no more: gone, though others hold their pipes, or on a lost machine."""
    lost = [link for link in links if link.answers is not None and (link.host.lost or link.process.exhausted)]
    for link in lost:
        link.process.mute()
    return [(link, None) for link in lost]


_ears: Ears[Link] | None = None if _poll is not None else Ears()
"""What hears zygotes where the system has no ``poll``."""


def worker_variables(workerinput: Mapping[str, object]) -> dict[str, str]:
    """Give the variables by which xdist's workers are known."""
    return {
        "PYTEST_XDIST_WORKER": str(workerinput["workerid"]),
        "PYTEST_XDIST_WORKER_COUNT": str(workerinput["workercount"]),
        "PYTEST_XDIST_TESTRUNUID": str(workerinput["testrunuid"]),
    }


class Watch:
    """Follows the journal of a run as it grows."""

    def __init__(self, journal: Path, clock: Callable[[], float] = realtime.monotonic) -> None:
        self.journal, self.clock = journal, clock
        self._read = 0
        self.pid: int | None = None
        self.running: int | None = None
        """The test under way, by position."""
        self.since = clock()
        """When it was first seen under way, or the last one ended."""
        self.done = False
        """Whether the process said that nothing is left to do."""
        self.lost = False
        """Whether the journal was deleted: what goes on is not known any more."""
        self._looked = self.since

    def look(self) -> list[wire.Entry]:
        """Give the entries that are new."""
        now = self.clock()
        if now - self._looked > MISSED:
            self.since += now - self._looked
        self._looked = now
        try:
            with self.journal.open("rb") as lines:
                lines.seek(self._read)
                data = lines.read()
        except FileNotFoundError:
            self.lost = self._read > 0 or not self.journal.parent.exists()
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
                    self.running, self.since = position, self.clock()
                case wire.Finished():
                    self.running, self.since = None, self.clock()
                case wire.Done():
                    self.done = True
                case wire.Reported() | wire.Told() | wire.Leaked():
                    pass
        return found
