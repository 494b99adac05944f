"""What the system tells of a thread: whether it runs, or could."""

import os

_open, _read, _close, _list = os.open, os.read, os.close, os.listdir
"""Held on to, as a test may put something else in their place."""


def busy(native: int) -> float:
    """Give the seconds for which a thread ran or could have; 0 where the system does not tell, or it is gone."""
    ran, queued, *_ = *_told(native, "schedstat").split()[:2], b"0", b"0"
    return (int(ran) + int(queued)) / 1e9


def wants_processor(native: int) -> bool:
    """Tell whether a thread runs or could at this moment."""
    return _told(native, "stat").rpartition(b")")[2].strip().startswith(b"R")


def threads() -> int:
    """Give how many threads this process has, be they Python's or not; 0 where the system does not tell."""
    try:
        return len(_list("/proc/self/task"))
    except OSError:
        return 0


def _told(native: int, name: str) -> bytes:
    """Read what the system tells of a thread; nothing where it does not, or it is gone."""
    try:
        file = _open(f"/proc/self/task/{native}/{name}", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return _read(file, 1000)
    finally:
        _close(file)
