"""The mask that new files are made with."""

import os
import threading
from contextlib import suppress


def umask() -> int:
    """Give the mask that new files are made with; to read it by setting it could reach another thread's file."""
    if len(threading._active) > 1:  # type: ignore[attr-defined]  # noqa: SLF001 - active_count() takes a lock
        with suppress(OSError, ValueError), open("/proc/self/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123 - plainly, and often
            return int(next(line for line in status if line.startswith("Umask:")).split()[1], 8)
    mask = _umask(0o077)
    _umask(mask)
    return mask


_umask = os.umask  # held on to: a test may replace it
