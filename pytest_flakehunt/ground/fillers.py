"""Descriptors that stand for nothing: they fill low numbers, and are none of the tests'."""

import os
from collections.abc import Set as AbstractSet
from contextlib import suppress

_held: dict[int, os.stat_result] = {}
"""By number, what stands behind it."""
_fstat, _samestat, _close = os.fstat, os.path.samestat, os.close  # held on to: a test may replace them


def fill(end: int) -> None:
    """Open all that are free below a number; what is started does not inherit them.

    Args:
        end: the first number that stays free.
    """
    number = os.open(os.devnull, os.O_RDWR)
    nothing = _fstat(number)
    while number < end:
        _held[number] = nothing
        number = os.dup(number)
    _close(number)


def close() -> None:
    """Close those that are still there: a test may have closed some, and have their numbers for something else."""
    for number, nothing in _held.items():
        with suppress(OSError):
            if _samestat(_fstat(number), nothing):
                _close(number)
    _held.clear()


def numbers() -> AbstractSet[int]:
    """Give their numbers."""
    return _held.keys()
