"""A profile function for a while, here and in the threads that start: what each call in C or Python is noted with."""

import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self, TypeAlias

Notice: TypeAlias = Callable[[FrameType, str, Any], object]
"""Takes what Python tells a profile function; Python profiles nothing while it runs."""


class Profiler:
    """Has calls noticed while it is held."""

    def __init__(self, notice: Notice) -> None:
        self._noticing = notice
        self._before: tuple[Any, Any] = (None, None)
        self._held = False

    def __enter__(self) -> Self:
        self._before = sys.getprofile(), threading.getprofile()
        self._held = True
        threading.setprofile(self._notice)
        sys.setprofile(self._notice)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        here, threads = self._before
        self._held = False
        sys.setprofile(here)
        threading.setprofile(threads)

    @property
    def displaced(self) -> bool:
        """Whether something else has put a profile function in the place of ours, or taken it away."""
        return sys.getprofile() != self._notice

    def _notice(self, frame: FrameType, event: str, called: Any) -> None:
        if self._held:
            self._noticing(frame, event, called)
        else:
            sys.setprofile(None)  # in a thread that outlived it
