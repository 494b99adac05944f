"""Files that are opened, flushed and brought to disk late."""

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import IO, Any

from pytest_flakehunt.ground.stand_ins import Maker
from pytest_flakehunt.perturbations.delays import delays, late


class _FlushedLate:
    def flush(self) -> None:
        """Wait, then flush."""
        delays.wait_for_disk()
        super().flush()  # type: ignore[misc]  # of the file that it is mixed into


class LateText(_FlushedLate, io.TextIOWrapper):
    """A text file that takes its time to flush, also as it is closed."""


class LateBinary(_FlushedLate, io.BufferedWriter):
    """The same in bytes."""


for _kind, _true in ((LateText, io.TextIOWrapper), (LateBinary, io.BufferedWriter)):
    _kind.__module__, _kind.__name__, _kind.__qualname__ = "_io", _true.__name__, _true.__qualname__


def _opening(original: Callable[..., IO[Any]]) -> Callable[..., IO[Any]]:
    def open(file: Any, *args: Any, **kwargs: Any) -> IO[Any]:  # noqa: A001 - it stands for that one
        if not delays.mean or isinstance(file, int):
            return original(file, *args, **kwargs)
        delays.wait_for_disk()
        newline = args[4] if len(args) > 4 else kwargs.get("newline")
        buffering = args[1] if len(args) > 1 else kwargs.get("buffering", -1)
        return _flushing_late(original(file, *args, **kwargs), newline, buffering)

    return open


def _flushing_late(file: IO[Any], newline: str | None, buffering: int) -> IO[Any]:
    """Give a file that was just opened another class: with a method of its own it would not be closed when dropped."""
    if type(file) is io.TextIOWrapper and file.writable():
        words = {name: getattr(file, name) for name in ("encoding", "errors", "line_buffering", "write_through")}
        mode = file.mode
        text = LateText(file.detach(), newline=newline, **words)
        text.mode = mode  # type: ignore[misc]  # as open itself does
        return text
    if type(file) is io.BufferedWriter:
        raw = file.detach()
        return LateBinary(raw, buffering if buffering > 1 else getattr(raw, "_blksize", io.DEFAULT_BUFFER_SIZE))
    return file


STAND_INS: Mapping[str, Maker] = {
    "builtins:open": _opening,
    **dict.fromkeys(("os:open", "os:fsync", "os:fdatasync"), partial(late, wait=delays.wait_for_disk)),
}
"""``open``, what is written through it, and what is brought to disk."""
