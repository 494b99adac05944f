"""Times of files, as ``os.stat`` and its like tell them."""

import os
from collections.abc import Callable
from typing import Any

SECOND = 1_000_000_000
"""Nanoseconds; all stamps are whole numbers of them since 1970."""
ASKED = ("os:stat", "os:lstat", "os:fstat", "os:DirEntry.stat")
"""What all others build on: ``pathlib``, ``os.path``, ``shutil``."""
KINDS = ("atime", "mtime", "ctime")


def restamped(status: os.stat_result, change: Callable[[int], int]) -> os.stat_result:
    """Give a status with other times, alike in all of its fields.

    Args:
        status: as the system gives it.
        change: is given each stamp, in nanoseconds, and gives another.
    """
    reduced: Any = status.__reduce__()
    values, named = list(reduced[1][0]), dict(reduced[1][1])
    for place, kind in enumerate(KINDS, start=7):
        stamp = change(named[f"st_{kind}_ns"])
        if stamp != named[f"st_{kind}_ns"]:
            values[place], rest = divmod(stamp, SECOND)
            named[f"st_{kind}"], named[f"st_{kind}_ns"] = values[place] + 1e-9 * rest, stamp
    return os.stat_result(values, named)


def stepped(stamp: int, step: int) -> int:
    """Give the last of the points in time that there are; each second starts with one, or each step of whole seconds.

    >>> stepped(3_999_999_999, 16_000_000), stepped(3_999_999_999, 2 * SECOND)
    (3992000000, 2000000000)
    """
    whole, rest = divmod(stamp, max(step, SECOND))
    return whole * max(step, SECOND) + rest // step * step
