"""Late packets, late answers of name servers, late files and processes, and sleeps that overshoot."""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import slowfiles, slowstarts
from pytest_flakehunt.perturbations.delays import delays, late, on_a_loop, pause

TURNS = (20, 100, 5, 50)
LEAST, GREATEST = 5, 150
"""Milliseconds that are drawn when those have had their turn."""
STEPS = (1, 2, 5, 10, 20, 30, 50, 70, 100, 200, 500, 1000, 2000, 5000)
"""Milliseconds that are tried when a delay is made shorter."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How late things come: each delay is drawn between nothing and twice the setting.

    Only what arrives is late, never what is sent: the same delay at both
    ends of a connection would cancel out.
    """

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 20.0
    milliseconds: int
    """The mean delay, from 1 to 10000."""

    def __str__(self) -> str:
        return f"{self.milliseconds}ms"

    def simpler(self) -> list["Latency"]:
        """Give shorter delays."""
        return [Latency(mean) for mean in STEPS if mean < self.milliseconds]

    @property
    def graded(self) -> bool:
        """What fails with a delay fails with a longer one."""
        return True

    def prepare(self) -> None:
        """Find what it looks for in the project's modules."""
        learn(self.stand_ins(), in_project=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Delay sockets (plain, TLS, asyncio's), name look-ups, sleeps, files, and processes that start."""
        with standing(self.stand_ins(), in_project=True):
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what is late."""
        starts: Mapping[str, Maker] = {"subprocess:Popen.__init__": slowstarts.late_start}
        return {**STAND_INS, **slowfiles.STAND_INS, **(starts if slowstarts.possible() else {})}

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Draw the delays of one test from its name, so that a replay meets the same."""
        delays.set(self.milliseconds / 1000, seeds.derive(self.milliseconds, nodeid))
        try:
            yield
        finally:
            delays.set(0.0, 0)


def _late_sleep(original: Callable[..., None]) -> Callable[..., None]:
    def overslept(seconds: float, /) -> None:
        original(seconds)
        if seconds > 0:
            delays.wait()

    return overslept


def _late_arrival(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a blocking socket's method: what it waits for comes late, or too late for its time-out."""

    def arrival(self: socket.socket, *args: Any, **kwargs: Any) -> Any:
        patience = self.gettimeout()
        if patience != 0 and not on_a_loop():
            delay = delays.next()
            if patience is not None and delay >= patience:
                pause(patience)
                raise TimeoutError("timed out")
            pause(delay)
        return original(self, *args, **kwargs)

    return arrival


def _late_transport(original: Callable[..., None]) -> Callable[..., None]:
    """Wrap a transport's read callback: stop listening, and read when the delay has passed."""

    def read_ready(self: Any) -> None:
        if getattr(self, "_flakehunt_due", False) or not delays.mean:
            self._flakehunt_due = False
            original(self)
            return
        loop, descriptor = self._loop, self._sock_fd
        loop._remove_reader(descriptor)  # noqa: SLF001 - transports have no public way to be late

        def resume() -> None:
            if self._closing or self._conn_lost or getattr(self, "_paused", False):
                return
            self._flakehunt_due = True
            self._add_reader(descriptor, self._read_ready)

        loop.call_later(delays.next(), resume)

    return read_ready


def _late_coroutine(original: Callable[..., Any]) -> Callable[..., Any]:
    async def arrival(self: Any, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(delays.next())
        return await original(self, *args, **kwargs)

    return arrival


_LOOPS = "asyncio.selector_events:BaseSelectorEventLoop"
STAND_INS: Mapping[str, Maker] = {
    **{
        f"socket:socket.{name}": _late_arrival
        for name in ("recv", "recv_into", "recvfrom", "recvfrom_into", "accept", "connect")
    },
    "ssl:SSLSocket.read": _late_arrival,
    **{f"socket:{name}": late for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")},
    "time:sleep": _late_sleep,
    "asyncio.selector_events:_SelectorSocketTransport._read_ready": _late_transport,
    "asyncio.selector_events:_SelectorDatagramTransport._read_ready": _late_transport,
    **{
        f"{_LOOPS}.{name}": _late_coroutine
        for name in ("sock_recv", "sock_recv_into", "sock_recvfrom", "sock_accept", "sock_connect")
    },
}
"""What is late besides files and processes."""


class Latencies:
    """The slowness of networks, name servers, disks and schedulers."""

    name = "latency"
    sources = frozenset({"file", "network", "process", "sleep"})
    allowed = "milliseconds from 1ms to 10000ms"

    @staticmethod
    def idle() -> str:
        """Say that nothing is late; empty where something is."""
        one, other = socket.socketpair()
        with one, other, standing(Latency(1).stand_ins()), Latency(1).held_for(""):
            one.sendall(b".")
            other.recv(1)
            time.sleep(1e-6)
            return "" if delays.spent else "neither a sleep nor a socket is late"

    def draw(self, seed: int, turn: int) -> Latency:
        """A slow network first, then a very slow one; then any, as each mean delays a test in a way of its own."""
        return Latency(TURNS[turn] if turn < len(TURNS) else LEAST + seed % (GREATEST - LEAST))

    def read(self, text: str) -> Latency:
        """Read a mean delay."""
        number = re.fullmatch(r"(\d{1,5})ms", text, re.ASCII)
        if not number or not 1 <= int(number[1]) <= 10000:
            raise SettingError(f"latency={text}: give {self.allowed}")
        return Latency(int(number[1]))
