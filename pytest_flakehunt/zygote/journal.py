"""The file that a sweep's events are appended to."""

import os
from collections.abc import Callable

from pytest_flakehunt.zygote import wire


class Journal:
    """A file that is there for every run, and that forked processes share."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        self.descriptor = _os_open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._status = _fstat(self.descriptor)

    def write(self, *items: wire.Entry, write: Callable[[int, bytes], int] = os.write) -> None:
        """Append entries in one piece, also after a test has closed or reused every descriptor."""
        if not self._ours():
            self._open()
        write(self.descriptor, b"".join(map(wire.entry, items)))

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
