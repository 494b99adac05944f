"""The file that a sweep's events are appended to."""

import os
from collections.abc import Callable

from pytest_flakehunt.zygote import wire

UNWRITABLE = 74
"""Exit status of a process that cannot record what it sees (EX_IOERR)."""


class Journal:
    """A file that is there for every run, and that forked processes share."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        self.descriptor = _os_open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._status = _fstat(self.descriptor)

    def write(self, *items: wire.Entry, write: Callable[[int, bytes], int] = os.write) -> None:
        """Append entries in one piece, also after a test has closed or reused every descriptor.

        A process that cannot do so ends here: what it would go on to do, nobody would hear of.
        """
        data = b"".join(map(wire.entry, items))
        try:
            if not self._ours():
                self._open()
            while data:
                data = data[write(self.descriptor, data) :]
        except OSError:
            _exit(UNWRITABLE)

    def close(self) -> None:
        """Let go of it."""
        if self._ours():
            os.close(self.descriptor)

    def _ours(self) -> bool:
        try:
            return _samestat(_fstat(self.descriptor), self._status)
        except OSError:
            return False


_fstat, _samestat, _os_open = os.fstat, os.path.samestat, os.open  # held on to: a test may replace them
_exit = os._exit
