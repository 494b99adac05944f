"""Where this process may keep folders of our own: they go with the sweep, whatever becomes of it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from pytest_flakehunt.ground.removing import removed

_starts: list[str] = []


def begin(start: str) -> None:
    """Take names of this sweep's own.

    Args:
        start: how they start; the folder around it exists.
    """
    _starts[:] = [start]


def alike(text: str) -> str:
    """Give a text in which names of this sweep's own are what they are in every other."""
    return text.replace(_starts[-1], "…") if _starts else text


@contextmanager
def folder() -> Iterator[str]:
    """Lend a new folder, which goes with all that is in it.

    Yields:
        Its path, links followed.
    """
    path = os.path.realpath(_own(_starts[-1]) if _starts else tempfile.mkdtemp(prefix="flakehunt-"))
    try:
        yield path
    finally:
        removed(path)


def _own(start: str) -> str:
    for number in count():
        path = f"{start}.{_getpid()}.{number}"
        with suppress(FileExistsError):
            _mkdir(path, 0o700)
            return path
    raise AssertionError("there is always another number")


_mkdir, _getpid = os.mkdir, os.getpid  # held on to: a test may replace them
