"""Ports that were asked for and let go, and that somebody else gets before they are used.

The kernel gives a free port to whoever asks next. Another process takes it
here, as on a busy machine, so that nothing which a test counts of its own is
changed: bound and no more, so that others cannot bind it, and whoever
connects to it is refused as by a port that nobody has.
"""

import errno
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from pytest_flakehunt.ground import project, seeds
from pytest_flakehunt.ground.stand_ins import Maker, standing
from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding
from pytest_flakehunt.perturbations.taker import Taker

TAKEN = 0.75
"""How often a port is taken."""
SHORTEST, LONGEST = 0.2, 1.0
"""Seconds that it is kept, at least as long as a program takes to start; the end of the test ends it."""
INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
KINDS = frozenset({socket.SOCK_STREAM, socket.SOCK_DGRAM})
_fstat, _getpid = os.fstat, os.getpid
_address: Callable[[socket.socket], Any] = socket.socket.getsockname
"""Held on to, as those before: a test may replace them."""


class Ports:
    """The ports that tests were given, and which of them are taken."""

    def __init__(self) -> None:
        self.taker: Taker | None = None
        self._process = 0
        self._test = Random(0)
        self._running = False
        self._given: set[tuple[int, int]] = set()
        """Sockets that asked for any port, by device and inode: a duplicate is the same."""
        self._taken: set[int] = set()
        """Of the test at hand."""
        self._spared = False
        """Whether the next port is left alone, as who tries another one must find it free."""
        self._lock = threading.Lock()

    def begin(self, taker: Taker | None) -> None:
        """Turn to a sweep; without somebody who takes ports, to none."""
        self.taker, self._process = taker, _getpid()
        self._given = set()

    def set(self, seed: int) -> None:
        """Turn to the next test."""
        self._test, self._running, self._taken, self._spared = Random(seed), True, set(), False

    def end(self) -> None:
        """Let go of all ports: the test is over."""
        self._running = False
        if self._taken and self.taker is not None:
            self.taker.release()

    def given(self, descriptor: int) -> None:
        """Note a socket that has asked for any port."""
        self._given.add(_behind(descriptor))

    def asked(self, descriptor: int) -> bool:
        """Tell whether a socket has asked for any port, and may lose it now."""
        return self._running and bool(self._given) and _behind(descriptor) in self._given

    def refused(self, port: object) -> None:
        """Take no more where the test has met a port that is taken: it may have learnt of it."""
        if port in self._taken:
            self._running = False

    def let_go(self, connection: "Bound") -> None:
        """Have somebody else take a port that was just closed, if that is drawn; unless it is still held somewhere."""
        if self.taker is None or _getpid() != self._process or not self._lock.acquire(blocking=False):
            return  # it was a child of the test's that closed it, or another thread of it closes one too
        try:
            drawn, seconds = self._test.random(), self._test.uniform(SHORTEST, LONGEST)
            if self._spared or drawn >= TAKEN:
                self._spared = False
            elif self.taker.take(connection.words(), seconds):
                self._taken.add(connection.port)
                self._spared = True
        finally:
            self._lock.release()


def _behind(descriptor: int) -> tuple[int, int]:
    status = _fstat(descriptor)
    return status.st_dev, status.st_ino


ports = Ports()


@dataclass(frozen=True, slots=True)
class Bound:
    """What somebody must bind to get the port of a socket."""

    family: int
    kind: int
    only: int
    """Whether version 6 alone is meant."""
    address: tuple[Any, ...]

    @classmethod
    def of(cls, connection: socket.socket) -> "Bound | None":
        """Look at a socket; None where it has no port any more."""
        try:
            only = connection.family == socket.AF_INET6 and connection.getsockopt(
                socket.IPPROTO_IPV6, socket.IPV6_V6ONLY
            )
            return cls(int(connection.family), int(connection.type), int(only), _address(connection))
        except OSError:
            return None

    @property
    def port(self) -> int:
        """Its number."""
        return int(self.address[1])

    def words(self) -> str:
        """Write it down for the process that takes it."""
        return " ".join(map(str, (self.family, self.kind, self.only, *self.address)))


@dataclass(frozen=True, slots=True)
class Losing(Seeded):
    """Which of the ports that a test lets go are taken, and for how long."""

    contract: ClassVar[Contract] = Contract.STRESS

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have a process ready that takes ports, and see which are asked for and let go."""
        with Taker.started() as taker, standing(self.stand_ins()):
            ports.begin(taker)
            try:
                yield
            finally:
                ports.begin(None)

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what notes ports that are asked for and let go."""
        return {"socket:socket.bind": _binding, "socket:socket._real_close": _closing}

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Draw from the name of a test, so that a replay meets the same."""
        ports.set(seeds.derive(self.seed, nodeid))
        try:
            yield
        finally:
            ports.end()


def _binding(original: Callable[..., None]) -> Callable[..., None]:
    def bind(self: socket.socket, address: Any, /) -> None:
        try:
            original(self, address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and isinstance(address, tuple):
                ports.refused(address[1])
            raise
        if self.family in INTERNET and self.type in KINDS and address[1] == 0 and project.acts(sys._getframe(1)):  # noqa: SLF001 - the only way
            ports.given(self.fileno())

    return bind


def _closing(original: Callable[..., None]) -> Callable[..., None]:
    def _real_close(self: socket.socket, *args: Any, **kwargs: Any) -> None:
        descriptor = self.fileno()
        bound = Bound.of(self) if descriptor >= 0 and ports.asked(descriptor) else None
        original(self, *args, **kwargs)
        if bound is not None:
            ports.let_go(bound)

    return _real_close


class Losses(Seeding):
    """Whether a port that was asked for by number 0 and let go is still free."""

    name = "ports"
    sources = frozenset({"network"})
    kind = Losing

    @property
    def unavailable(self) -> str:
        """Say why no port can be taken here; empty where one can."""
        return Taker.unavailable()
