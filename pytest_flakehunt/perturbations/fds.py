"""How many descriptors a process may have, and which numbers they get."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from pytest_flakehunt.ground import fillers
from pytest_flakehunt.model import Contract, SettingError

FEW = 64
"""Descriptors that are left to tests."""
HIGH = 1024
"""The first number that has no room in the sets of ``select``."""
ROOM = 3 * HIGH
"""What a process must be allowed where descriptors have numbers from there on."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """A limit that is near, or numbers that are high."""

    contract: ClassVar[Contract] = Contract.STRESS
    patience: ClassVar[float] = 1.0
    kind: str
    """``few`` or ``high``."""

    def __str__(self) -> str:
        return self.kind

    @contextmanager
    def held(self) -> Iterator[None]:
        """Limit this process and those that it starts, or give new descriptors high numbers."""
        if self.kind == "high" and not high_possible():
            yield
            return
        with _limited(few() if self.kind == "few" else ROOM, least=self.kind == "high"):
            if self.kind == "few":
                yield
                return
            fillers.fill(HIGH)
            try:
                yield
            finally:
                fillers.close()


@contextmanager
def _limited(limit: int, *, least: bool) -> Iterator[None]:
    """Set the soft limit for a while, unless it is as wanted; one that a test sets stays.

    Args:
        limit: the lowest number that no descriptor gets.
        least: whether a higher limit will do, else a lower one.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _number(soft)
    if allowed >= limit if least else allowed <= limit:
        yield
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        now = resource.getrlimit(resource.RLIMIT_NOFILE)
        if now[0] == limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, now[1]))


def _number(limit: int) -> float:
    import resource

    return float("inf") if limit == resource.RLIM_INFINITY else limit


def few() -> int:
    """Give the limit that leaves a few to tests: numbers that are taken already do not count."""
    left = FEW
    number = 0
    while left:
        try:
            os.fstat(number)
        except OSError:
            left -= 1
        number += 1
    return number


def high_possible() -> bool:
    """Tell whether this process may have as many descriptors as there must be for high numbers."""
    import resource

    soft, hard = map(_number, resource.getrlimit(resource.RLIMIT_NOFILE))
    return max(soft, hard) >= ROOM


class Limits:
    """How many descriptors there may be, and which numbers they get."""

    name = "fds"
    allowed = "few or high"

    @property
    def unavailable(self) -> str:
        """Say why there is no limit to set here; empty where there is."""
        try:
            import resource
        except ImportError:
            return "this platform limits no descriptors"
        del resource
        return ""

    @staticmethod
    def idle() -> str:
        """Say that descriptors can be had beyond the limit; empty where they cannot."""
        opened: list[int] = []
        with Descriptors("few").held():
            try:
                while len(opened) < 2 * FEW:
                    opened.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                return ""
            finally:
                for number in opened:
                    os.close(number)
        return "a process gets descriptors beyond its limit"

    def draw(self, seed: int, turn: int) -> Descriptors:
        """By turns, as far as this process may have as many as there must be."""
        del seed
        return Descriptors("high" if turn % 2 and high_possible() else "few")

    def read(self, text: str) -> Descriptors:
        """Read which it is."""
        if text not in {"few", "high"}:
            raise SettingError(f"{self.name}={text}: give {self.allowed}")
        return Descriptors(text)
