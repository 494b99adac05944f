"""Streams that give less than was asked for: no connection keeps together what was sent together.

Less is given only where a real machine may give less. A socket may always;
a pipe must give what is there, and writes of up to ``PIPE_BUF`` bytes to it
stay whole, so it is cut only while another process is at it with more than
that; and what fits the smallest buffer of any system is taken at once. TLS
hands out whole records: what stayed of one would be where no ``select`` looks.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_flakehunt.ground import project
from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations.cuts import WHOLE, cuts, size
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding

STREAMS = frozenset({socket.AF_INET, socket.AF_INET6, getattr(socket, "AF_UNIX", None)})
PROMISING_NOTHING = getattr(socket, "MSG_DONTWAIT", 0) | getattr(socket, "MSG_NOSIGNAL", 0)
"""Flags that a piece can be given under: others look without taking, or wait for all."""
TRIES = 8
"""Seeds by which a stream has been cut, unless none cuts it."""
_kind: Callable[[socket.socket], int] = socket.SocketType.type.__get__
_family: Callable[[socket.socket], int] = socket.SocketType.family.__get__
"""As the one before: what the class itself gives makes an enum each time."""


@dataclass(frozen=True, slots=True)
class Pieces(Seeded):
    """Where streams are cut, drawn for each test and each of its streams in turn."""

    contract: ClassVar[Contract] = Contract.ENVIRONMENT

    def prepare(self) -> None:
        """Find what it looks for in the project's modules."""
        learn(self.stand_ins(), in_project=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Cut what sockets, terminals, pipes and asyncio's transports give and take."""
        with standing(self.stand_ins(), in_project=True):
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what stands in for everything that others read from and write to streams by."""
        from pytest_flakehunt.perturbations import cutpipes

        return {**STAND_INS, **(cutpipes.STAND_INS if cutpipes.possible() else {})}

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Draw the pieces of one test from its name, so that a replay meets the same."""
        cuts.set(self.seed, nodeid)
        try:
            yield
        finally:
            cuts.set(0, "")


def _is_stream(connection: socket.socket, flags: object) -> bool:
    if not cuts.nodeid or not isinstance(flags, int) or flags & ~PROMISING_NOTHING:
        return False
    return _kind(connection) == socket.SOCK_STREAM and _family(connection) in STREAMS


def _receiving(original: Callable[..., bytes]) -> Callable[..., bytes]:
    def recv(self: socket.socket, bufsize: Any, flags: Any = 0, /) -> bytes:
        if type(bufsize) is int and bufsize > 1 and _is_stream(self, flags):
            bufsize = cuts.share(self.fileno(), bufsize)
        return original(self, bufsize, flags)

    return recv


def _receiving_into(original: Callable[..., int]) -> Callable[..., int]:
    def recv_into(self: socket.socket, buffer: Any, nbytes: Any = 0, flags: Any = 0) -> int:
        if type(nbytes) is int and nbytes >= 0 and _is_stream(self, flags):
            room = size(buffer)
            asked = nbytes or room
            if 1 < asked <= room:
                nbytes = cuts.share(self.fileno(), asked)
        return original(self, buffer, nbytes, flags)

    return recv_into


def _sending(original: Callable[..., int]) -> Callable[..., int]:
    """Wrap a socket's ``send``: one that waits as long as it takes sends everything."""

    def send(self: socket.socket, data: Any, flags: Any = 0, /) -> int:
        whole = size(data)
        if whole > WHOLE and _is_stream(self, flags) and self.gettimeout() is not None:
            share = cuts.share(self.fileno(), whole, WHOLE)
            if share < whole:
                data = memoryview(data).cast("B")[:share]
        return original(self, data, flags)

    return send


STAND_INS: Mapping[str, Maker] = {
    "socket:socket.recv": _receiving,
    "socket:socket.recv_into": _receiving_into,
    "socket:socket.send": _sending,
}
"""What everything else that reads from sockets is built on: files of sockets, ``http.client``, asyncio's transports."""


class Piecemeal(Seeding):
    """How much of what was asked for a stream gives at once."""

    name = "pieces"
    sources = frozenset({"network", "process", "terminal"})
    kind = Pieces

    @staticmethod
    def idle() -> str:
        """Say that a stream gives all that is there; empty where it is cut."""
        return "" if any(_cut(seed) for seed in range(TRIES)) else f"with {TRIES} seeds a socket gave all at once"


def _cut(seed: int) -> bool:
    """Tell whether a socket gives less than was asked for."""
    setting, sent = Pieces(seed), bytes(64)
    one, other = socket.socketpair()
    with one, other, standing(setting.stand_ins()), setting.held_for("idle"):
        one.sendall(sent)
        return len(project.posing(_received)(other, len(sent))) < len(sent)


def _received(connection: socket.socket, size: int) -> bytes:
    return connection.recv(size)
