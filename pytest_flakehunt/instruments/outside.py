"""What a test writes to outside its process, under names that every process has: files, folders, ports, databases."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pytest_flakehunt.ground import auditing

OWN = (
    "/pytest-of-",
    "/flakehunt-",
    "/.flakehunt/",
    "/__pycache__/",
    "/.pytest_cache/",
    "/.hypothesis/",
    "/dev/",
    "/proc/",
)
"""Parts of paths that belong to one process alone, or to nobody's test."""
NEVER = 9
PATHS = {
    "os.mkdir": 2, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.truncate": NEVER, "shutil.rmtree": 1,
    "sqlite3.connect": NEVER,
}  # fmt: skip
"""Events whose first argument is a path that is written to; and which argument is a folder that it is relative to."""


class Outside:
    """Notes names, while one test runs."""

    def __init__(self, root: Path) -> None:
        """Make one.

        Args:
            root: names of files are relative to it where they lie inside.
        """
        self._root = root
        self._drawn: set[str] = set()
        self.names: set[str] = set()

    @contextmanager
    def noted(self) -> Iterator[set[str]]:
        """Note them for a while; give the names, which grow."""
        notes: dict[str, auditing.Note] = {
            "open": self._open,
            "socket.bind": self._bind,
            "tempfile.mkstemp": self._draw,
            "tempfile.mkdtemp": self._draw,
            **{event: partial(self._event, place) for event, place in PATHS.items()},
        }
        with auditing.listening(notes):
            yield self.names

    def _open(self, args: tuple[Any, ...]) -> None:
        path, mode, flags = args
        writes = mode[:1] in {"w", "x", "a"} or "+" in mode if type(mode) is str else flags & (os.O_WRONLY | os.O_RDWR)
        if writes:
            self._path((path,))

    def _event(self, place: int, args: tuple[Any, ...]) -> None:
        folder = args[place] if place < len(args) else None
        if folder is None or folder == -1:
            self._path(args)

    def _draw(self, args: tuple[Any, ...]) -> None:
        self._drawn.add(os.fsdecode(args[0]))

    def _bind(self, args: tuple[Any, ...]) -> None:
        address = args[1]
        if isinstance(address, tuple) and address[1]:
            self.names.add(f"port {address[1]}")
        elif isinstance(address, str | bytes):
            self._path((address,))

    def _path(self, args: tuple[Any, ...]) -> None:
        if not isinstance(args[0], str | bytes | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(args[0]))  # noqa: PTH100 - a path object would resolve links
        drawn = any(path == name or path.startswith(f"{name}/") for name in self._drawn)
        inside = path.startswith(f"{self._root}{os.sep}")
        name = os.path.relpath(path, self._root) if inside else path
        if not drawn and path != tempfile.gettempdir() and not any(part in f"/{name}/" for part in OWN):
            self.names.add(name)
