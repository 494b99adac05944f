"""Locks that end with their process, however that ends."""

from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:  # where there are no such locks
    fcntl = None  # type: ignore[assignment]


class Taken(Exception):  # noqa: N818 - it says what became of the lock
    """Another process has it; the argument is what that one wrote down."""


def taken(path: Path) -> TextIO | None:
    """Lock a file, which is made where there is none.

    Args:
        path: of the file.

    Returns:
        The file: it is locked as long as it is open. None where nothing can
        be locked.

    Raises:
        Taken: another process has it locked.
        OSError: it cannot be opened.
    """
    if fcntl is None:
        return None
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        said = file.read().strip()
        file.close()
        raise Taken(said) from None
    except OSError:  # a file system without locks
        file.close()
        return None
    return file
