"""Which line left it: a test is run line by line, with a look at what the process shares after each."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from pytest_flakehunt.ground import project
from pytest_flakehunt.leaks import descriptors, shared_state
from pytest_flakehunt.model import POLLED, LeakKind, Place

MOST_LOOKS = 50_000
"""Lines of one test that are followed by a look, at most: some ten microseconds each."""


class Tracer:
    """Notes, for one test after the other, after which line of the project each change was there to stay."""

    def __init__(self, shared: shared_state.Shared, relative: Callable[[str], str]) -> None:
        """Make one.

        Args:
            shared: gives the looks.
            relative: gives a file's path as reports write it.
        """
        self.shared, self.relative = shared, relative
        self._by_kind: dict[LeakKind, dict[str, Place]] = {}
        """By the path of a change."""
        self.descriptors: dict[tuple[int, int], Place] = {}
        """By device and inode."""
        self._last: Place | None = None
        self._before: Any = None

    def start(self) -> None:
        """Begin to look, as a test starts."""
        self._by_kind.clear()
        self.descriptors.clear()
        self._seen = self.shared.read()
        self._parts = {kind: shared_state.parts(kind) for kind in POLLED}
        self._open = descriptors.Descriptors()
        self._last, self._left = None, MOST_LOOKS
        self._before = sys.gettrace()
        sys.settrace(self._enter)

    def stop(self) -> None:
        """Take the last look."""
        sys.settrace(self._before)
        self._look()

    def _enter(self, frame: FrameType, _event: str, _value: object) -> Any:
        return self._follow if project.owns(frame.f_code.co_filename) else None

    def _follow(self, frame: FrameType, event: str, _value: object) -> Any:
        if self._left > 0:
            self._left -= 1
            self._look()
            if event == "line":
                code = frame.f_code
                self._last = Place(self.relative(code.co_filename), frame.f_lineno, code.co_name)
            return self._follow
        return None

    def _look(self) -> None:
        if self._last is None:
            return
        now = self.shared.read()
        for kind, one, other in zip(POLLED, now, self._seen, strict=True):
            if not shared_state.same(one, other):
                self._note(kind, self._last)
        self._seen = now
        for behind in self._open.new().values():
            self.descriptors[behind] = self._last

    def _note(self, kind: LeakKind, place: Place) -> None:
        lines = self._by_kind.setdefault(kind, {})
        paths = {change.path for change in shared_state.changes(kind, self._parts[kind])}
        for path in paths - lines.keys():
            lines[path] = place
        for path in lines.keys() - paths:
            del lines[path]

    def line(self, path: str) -> Place | None:
        """Give the line after which a change was there to stay."""
        return next((lines[path] for lines in self._by_kind.values() if path in lines), None)
