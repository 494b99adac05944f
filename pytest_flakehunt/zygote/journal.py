"""The file that a sweep's events are appended to."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pytest_flakehunt.zygote import wire

UNWRITABLE = 74
"""Exit status of a process that cannot record what it sees (EX_IOERR)."""


class Journal:
    """A file that is there for every run, and that forked processes share."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.own()
        self._open()

    def own(self) -> None:
        """Be this process' from now on: what copies of it write, which tests fork, is passed over."""
        self._owner = _getpid()

    @property
    def copied(self) -> bool:
        """Whether this process is a copy of the one whose journal it is."""
        return _getpid() != self._owner

    def _open(self) -> None:
        self.descriptor = _os_open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._status = _fstat(self.descriptor)

    def write(self, *items: wire.Entry, write: Callable[[int, bytes], int] = os.write) -> None:
        """Append entries in one piece, also after a test has closed or reused every descriptor.

        A process that cannot do so ends here: what it would go on to do, nobody would hear of.
        """
        if self.copied:
            return
        data = b"".join(map(wire.entry, items))
        try:
            if not self._ours():
                self._open()
            while data:
                data = data[self._written(data, write) :]
        except OSError:
            _exit(UNWRITABLE)

    def _written(self, data: bytes, write: Callable[[int, bytes], int]) -> int:
        try:
            return write(self.descriptor, data)
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
        with _unlimited():
            return write(self.descriptor, data)

    def close(self) -> None:
        """Let go of it."""
        if self._ours():
            os.close(self.descriptor)

    def _ours(self) -> bool:
        try:
            return _samestat(_fstat(self.descriptor), self._status)
        except OSError:
            return False


@contextmanager
def _unlimited() -> Iterator[None]:
    """Let files grow for a moment as far as the hard limit goes: a test has lowered the soft one."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


_fstat, _samestat, _os_open = os.fstat, os.path.samestat, os.open  # held on to: a test may replace them
_getpid, _exit = os.getpid, os._exit
