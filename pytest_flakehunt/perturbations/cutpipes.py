"""Pipes and terminals that give and take less than was asked for; other systems than POSIX have no such promises."""

import importlib.util
import os
import select
import stat
import sys
from collections.abc import Callable, Mapping
from typing import Any

from pytest_flakehunt.ground.stand_ins import Maker
from pytest_flakehunt.perturbations.cuts import WHOLE, cuts, size

TERMINAL = os.makedev(5, 2) if hasattr(os, "makedev") else -1
"""Linux' device behind the controlling side of a pseudo-terminal."""
DESCRIPTORS = "/dev/fd"
_fstat, _listdir = os.fstat, os.listdir
_get_blocking = getattr(os, "get_blocking", None)
_poll = getattr(select, "poll", None)
"""Held on to, as those before: a test may replace them."""


def possible() -> bool:
    """Tell whether this system has what tells where nothing is promised."""
    there = _get_blocking is not None and _poll is not None
    return there and all(map(importlib.util.find_spec, ("fcntl", "termios")))


def _reading(original: Callable[..., bytes]) -> Callable[..., bytes]:
    def read(fd: Any, length: Any, /) -> bytes:
        if cuts.nodeid and type(length) is int and length > 1 and type(fd) is int and fd >= 0:
            length = cuts.share(fd, length, _least(fd, length))
        return original(fd, length)

    return read


def _least(descriptor: int, asked: int) -> int:
    """Give the fewest bytes that reading can give, where that many are there."""
    try:
        status = _fstat(descriptor)
        if status.st_rdev == TERMINAL and stat.S_ISCHR(status.st_mode):
            return 1
        if asked > WHOLE and stat.S_ISFIFO(status.st_mode) and _is_being_filled(descriptor, status):
            return WHOLE
    except OSError:
        pass  # reading says best what is wrong
    return asked


def _is_being_filled(descriptor: int, status: os.stat_result) -> bool:
    """Tell whether another process alone writes to a pipe, and has written more than is sure to come at once."""
    import fcntl
    import termios

    assert _poll is not None
    there = int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)
    if there <= WHOLE:
        return False
    poll = _poll()
    poll.register(descriptor, 0)
    if poll.poll(0):  # nobody writes any more: all is there
        return False
    return not any(_writes(int(number), status) for number in _listdir(DESCRIPTORS))


def _writes(descriptor: int, status: os.stat_result) -> bool:
    import fcntl

    try:
        is_same = os.path.samestat(_fstat(descriptor), status)
        return is_same and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
    except OSError:  # it is closed, or the one that listed them
        return False


def _writing(original: Callable[..., int]) -> Callable[..., int]:
    """Wrap ``os.write``: only a pipe that never waits takes less than it is given."""

    def write(fd: Any, data: Any, /) -> int:
        if cuts.nodeid and type(fd) is int and fd >= 0 and (whole := size(data)) > WHOLE and _never_waits(fd):
            share = cuts.share(fd, whole, WHOLE)
            if share < whole:
                data = memoryview(data).cast("B")[:share]
        return original(fd, data)

    return write


def _never_waits(descriptor: int) -> bool:
    assert _get_blocking is not None
    try:
        return stat.S_ISFIFO(_fstat(descriptor).st_mode) and not _get_blocking(descriptor)
    except OSError:
        return False  # writing says best what is wrong


def _reading_ready(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Wrap the read callback of asyncio's transport for pipes, whose chunks nothing is promised of."""

    def read_ready(self: Any) -> None:
        largest = self.max_size
        self.max_size = cuts.share(self._fileno, largest)
        try:
            original(self)
        finally:
            self.max_size = largest

    return read_ready


STAND_INS: Mapping[str, Maker] = {
    "os:read": _reading,
    "os:write": _writing,
    "asyncio.unix_events:_UnixReadPipeTransport._read_ready": _reading_ready,
}
"""What reads from and writes to descriptors."""
