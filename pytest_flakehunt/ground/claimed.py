"""Scratch folders that processes claim for as long as they live: what nobody claims any more is cleared away."""

import os
import shutil
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import TextIO

from pytest_flakehunt.ground import locking
from pytest_flakehunt.ground.removing import removed

PREFIX = "flakehunt-of-"
"""What their names begin with, in the folder for files of a moment."""
CLAIM = "claim"
"""The file in each that its process has locked."""
LEAST = 1_000_000
"""Bytes without which nothing that a test writes says anything about the test."""


class Folder:
    """A new folder of this process' own, which goes as it is closed, or later where the process is killed."""

    def __init__(self) -> None:
        """Make one, and clear those away that dead processes have left.

        Raises:
            OSError: it cannot be made.
        """
        around = Path(tempfile.gettempdir())
        clear(around)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=around))
        self._claim = _claimed(self.path)

    def renew(self) -> bool:
        """See to it that it is there; tell whether somebody had deleted it.

        Raises:
            OSError: it cannot be made again.
        """
        try:
            self.path.mkdir(0o700)
        except FileExistsError:
            return False
        self._let_go()
        self._claim = _claimed(self.path)
        return True

    def cramped(self) -> bool:
        """Tell whether there is no room in it for anything that matters."""
        with suppress(OSError):  # it may have been deleted
            return shutil.disk_usage(self.path).free < LEAST
        return False

    def close(self) -> None:
        """Delete it with all that is in it."""
        removed(self.path)
        self._let_go()

    def _let_go(self) -> None:
        if self._claim is not None:
            self._claim.close()


def _claimed(path: Path) -> TextIO | None:
    draft = path / f"{CLAIM}.draft"
    claim = locking.taken(draft)
    if claim is not None:
        draft.rename(path / CLAIM)  # which is there once it is locked, and so never looks forsaken
    return claim


def clear(around: Path) -> None:
    """Delete the folders of dead processes, which were this user's.

    Args:
        around: the folder that they lie in; others may write to it as well.
    """
    with suppress(OSError), os.scandir(around) as found:
        for entry in found:
            if entry.name.startswith(PREFIX):
                with suppress(OSError, locking.Taken):
                    _clear(entry)


def _clear(entry: "os.DirEntry[str]") -> None:
    own = not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid == os.getuid()
    claim = Path(entry.path, CLAIM)
    if not own or not entry.is_dir(follow_symlinks=False) or not claim.is_file():
        return
    file = locking.taken(claim)
    if file is not None:
        with closing(file):
            removed(entry.path)
