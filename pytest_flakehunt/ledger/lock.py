"""What keeps two processes from running the same hunt at once: a lock that ends with its process, however that ends."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pytest_flakehunt.ground import locking
from pytest_flakehunt.ledger.errors import LedgerError


class Lock:
    """A file beside the ledger, locked as long as this process lives."""

    def __init__(self, ledger: Path, uid: str) -> None:
        """Take it.

        Args:
            ledger: its path.
            uid: the hunt's id.

        Raises:
            LedgerError: another process has it.
            OSError: the file cannot be written.
        """
        self.path = ledger.with_name(f"{ledger.name}.{uid[:8]}.lock")
        try:
            self._file = _taken(self.path)
        except locking.Taken as taken:
            pid = str(taken) or "unknown"
            raise LedgerError(
                f"process {pid} is running this hunt (it has {self.path} locked); wait until it has ended, or end it"
            ) from None
        if self._file is None:
            return
        with suppress(OSError):  # of a full disk: others are kept away all the same
            self._file.truncate(0)
            os.write(self._file.fileno(), f"{os.getpid()}\n".encode("ascii"))
        self._clear(ledger)

    def _clear(self, ledger: Path) -> None:
        """Delete the files of hunts that were killed."""
        for path in ledger.parent.iterdir():
            if path.name.startswith(f"{ledger.name}.") and path.suffix == self.path.suffix and path != self.path:
                with suppress(locking.Taken, OSError):
                    if (file := _taken(path)) is not None:
                        path.unlink()
                        file.close()

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            with suppress(OSError):
                self.path.unlink()
            self._file.close()
            self._file = None


def _taken(path: Path) -> TextIO | None:
    """Lock the file of a name; None where nothing can be locked, and so nothing is kept from anybody."""
    while (file := locking.taken(path)) is not None:
        with suppress(FileNotFoundError):  # who had it locked may have deleted it meanwhile
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()
    return None
