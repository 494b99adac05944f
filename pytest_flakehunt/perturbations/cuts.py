"""Where the streams of the running test are cut, which everything that comes in pieces draws from."""

import sys
from random import Random
from typing import Any

from pytest_flakehunt.ground import project, seeds

OFTEN = 300
"""Pieces that a test meets; from there on they are few and far between."""
SELDOM = 1 / 32
LEAST, SOME = 0.4, 0.35
"""How often the least there can be is given, and how often some part."""
WHOLE = 4096
"""Bytes that are taken at once: by pipes as POSIX promises, by sockets as even the smallest buffers hold as many."""


def size(buffer: Any) -> int:
    """Give the bytes of a buffer; 0 for what is none: whoever it is given to says best what is wrong.

    >>> size(b"abc"), size("abc")
    (3, 0)
    """
    try:
        with memoryview(buffer) as view:
            return view.nbytes
    except (TypeError, ValueError):
        return 0


class Cuts:
    """Where the streams of the running test are cut."""

    def __init__(self) -> None:
        self.seed, self.nodeid = 0, ""
        """Nothing is cut while there is no test."""
        self.met = 0
        """Pieces so far."""
        self._streams: dict[int, Random] = {}
        """By descriptor: a chance of its own, so that threads do not change each other's."""

    def set(self, seed: int, nodeid: str) -> None:
        """Turn to the next test; without a name, to none."""
        self.seed, self.nodeid, self.met = seed, nodeid, 0
        self._streams = {}

    def share(self, descriptor: int, asked: int, least: int = 1) -> int:
        """Give how much of what is asked for is given.

        Args:
            descriptor: of the stream.
            asked: bytes.
            least: fewer are never given.
        """
        if asked <= least or not self.nodeid or not project.acts(sys._getframe(1)):  # noqa: SLF001 - the only way
            return asked
        chance = self._streams.get(descriptor)
        if chance is None:
            seed = seeds.derive(self.seed, self.nodeid, str(len(self._streams)))
            chance = self._streams[descriptor] = Random(seed)
        drawn, part, rare = chance.random(), chance.random(), chance.random()
        if drawn >= LEAST + SOME or (self.met >= OFTEN and rare >= SELDOM):
            return asked
        self.met += 1
        return least if drawn < LEAST else int(least * (asked / least) ** part)


cuts = Cuts()
