"""What keeps two processes from running the same hunt at once: a lock that ends with its process, however that ends."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pytest_flakehunt.ledger.errors import LedgerError

try:
    import fcntl
except ImportError:  # where there are no such locks, nothing is kept from anybody
    fcntl = None  # type: ignore[assignment]


class Lock:
    """A file beside the ledger, locked as long as this process lives."""

    def __init__(self, ledger: Path, uid: str) -> None:
        """Take it.

        Args:
            ledger: its path.
            uid: the hunt's id.

        Raises:
            LedgerError: another process has it.
        """
        self.path = ledger.with_name(f"{ledger.name}.{uid[:8]}.lock")
        self._file: TextIO | None = None
        if fcntl is None:
            return
        while self._file is None:
            file = self.path.open("a+", encoding="utf-8")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                pid = file.read().strip() or "unknown"
                file.close()
                raise LedgerError(
                    f"process {pid} is running this hunt (it has {self.path} locked); wait until it has ended, or "
                    "end it"
                ) from None
            except OSError:  # a file system without locks
                file.close()
                return
            if self._is_there(file):
                self._file = file
            else:
                file.close()
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def _is_there(self, file: TextIO) -> bool:
        """Tell whether a file is the one under its name: who had it locked may have deleted it meanwhile."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        return False

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            with suppress(OSError):
                self.path.unlink()
            self._file.close()
            self._file = None
