"""Open descriptors: which are new since the last look, and what stands behind them."""

import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import count, islice

from pytest_flakehunt.ground import fillers

DESCRIPTORS = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"  # noqa: PTH112 - before any test starts
_listdir, _fstat, _readlink = os.listdir, os.fstat, os.readlink
_poll = getattr(select, "poll", None)
"""Held on to, as those before: a test may replace them. Where a system has none, the watch gives up and says so."""
STANDARD_ERROR = 2
NEAR = 256
"""Numbers above the fillers that are looked at one by one: more are hardly ever open at once."""
SPARE = 8
"""Free numbers, from the lowest, that are watched: what is opened takes the lowest."""


def descriptors() -> dict[int, tuple[int, int]]:
    """Give every open descriptor but those that only fill numbers, with the device and inode behind it."""
    return _open_among(_near(fillers.numbers()) or set(map(int, _listdir(DESCRIPTORS))) - fillers.numbers())


def _near(filled: AbstractSet[int]) -> set[int]:
    """Give the numbers that are open, where fillers make the system's list long; none where that is not enough."""
    if not filled or _poll is None:
        return set()
    candidates = set(range(STANDARD_ERROR + 1, max(filled) + NEAR + 1)) - filled
    poll = _poll()
    for number in candidates:
        poll.register(number, 0)
    try:
        found = candidates - {number for number, event in poll.poll(0) if event & select.POLLNVAL}
    except OSError:  # these are more than a test has limited the process to
        return set()
    return set() if max(found, default=0) == max(candidates) else found


def _open_among(numbers: Iterable[int]) -> dict[int, tuple[int, int]]:
    found = {}
    for number in numbers:
        if number <= STANDARD_ERROR:  # pytest's capture turns these to and fro
            continue
        try:
            status = _fstat(number)
        except OSError:  # it is closed, or the one that listed them
            continue
        found[number] = status.st_dev, status.st_ino
    return found


class Descriptors:
    """Which descriptors are new since the last look.

    One system call tells whether any number was opened or closed: a poll that
    asks of nothing names those that are closed, and those whose other end is.
    """

    def __init__(self) -> None:
        """Look for the first time."""
        self._take(descriptors())

    def _take(self, known: dict[int, tuple[int, int]]) -> None:
        self._known = known
        taken = known.keys() | fillers.numbers()
        self._spare = frozenset(islice((number for number in count(STANDARD_ERROR + 1) if number not in taken), SPARE))
        if _poll is None:
            raise OSError("this system has no poll()")
        poll = _poll()
        for number in (*known, *self._spare):
            poll.register(number, 0)
        self._poll: Callable[[int], list[tuple[int, int]]] = poll.poll
        self._answer = self._ask()

    def _ask(self) -> list[tuple[int, int]]:
        try:
            return self._poll(0)
        except OSError:  # these are more than a test has limited the process to
            return []

    def begin(self) -> None:
        """Look again, without the system's list, which costs a fork half a millisecond.

        What was opened since the first look took the lowest numbers that were
        free: unless it took all that were spare, there is nothing else.
        """
        self._answer = self._ask()
        closed = {number for number, event in self._answer if event & select.POLLNVAL}
        self._known = _open_among(number for number in (*self._known, *self._spare) if number not in closed)
        if closed.isdisjoint(self._spare):
            self._take(descriptors())

    def forget(self, closed: Iterable[int]) -> None:
        """Take no number for one that was there before: these were seen closed."""
        for number in closed:
            self._known.pop(number, None)

    def new(self, *, opened: bool = False, ours: Callable[[], Iterable[int]] = tuple) -> dict[int, tuple[int, int]]:
        """Give those that are new, with device and inode.

        Args:
            opened: whether an event has told that some may be: they may stand where others stood.
            ours: gives those that are none of the tests'.
        """
        if not opened and self._ask() == self._answer:
            return {}
        before = self._known
        self._take(descriptors())
        for number in (*ours(), *trackers()):
            self._known.pop(number, None)
        return {number: behind for number, behind in self._known.items() if before.get(number) != behind}


def behind(descriptor: int) -> str:
    """Name what a descriptor stands for: a path, or such as ``socket`` and ``pipe``."""
    try:
        target = _readlink(f"{DESCRIPTORS}/{descriptor}")
    except OSError:
        return "file"
    return target.partition(":[")[0].removesuffix(" (deleted)") if target.startswith(("socket:", "pipe:")) else target


def trackers() -> Iterator[int]:
    """Give the pipes to multiprocessing's own helpers, which stay."""
    for module, helper, name in (
        ("multiprocessing.resource_tracker", "_resource_tracker", "_fd"),
        ("multiprocessing.forkserver", "_forkserver", "_forkserver_alive_fd"),
    ):
        found = getattr(getattr(sys.modules.get(module), helper, None), name, None)
        if found is not None:
            yield found
