"""Where a thread or a task is now, in lines that a reader can follow."""

import sys
import threading
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any

MOST_LINES = 12
"""Lines of a stack that are kept: the innermost."""


def of_thread(ident: int | None, relative: Callable[[str], str]) -> str:
    """Give the stack of a thread, innermost line last; empty where it is none of Python's."""
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001 - the documented way
    frames: list[FrameType] = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return _written([(frame, frame.f_lineno) for frame in reversed(frames)], relative)


def of_task(task: Any, relative: Callable[[str], str]) -> str:
    """Give what a task waits for, coroutine by coroutine, innermost line last."""
    frames: list[tuple[FrameType, int]] = []
    coro = task.get_coro()
    while coro is not None and len(frames) < 50:
        frame = getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None) or getattr(coro, "ag_frame", None)
        if frame is not None:
            frames.append((frame, frame.f_lineno))
        coro = getattr(coro, "cr_await", None) or getattr(coro, "gi_yieldfrom", None)
    return _written(frames, relative)


def alive() -> Iterable[int]:
    """Give the identifiers of all threads of Python's."""
    return sys._current_frames().keys()  # noqa: SLF001 - the documented way


def running(code: CodeType) -> list[int]:
    """Give the threads that were started with the function of this code."""
    found = []
    frames = sys._current_frames()  # noqa: SLF001 - the documented way
    own = frames.pop(threading.get_ident(), None)
    del own  # a frame that holds itself keeps all its callers' values alive until the collector comes
    for ident, innermost in frames.items():
        frame = innermost
        while frame.f_back is not None:
            frame = frame.f_back
        if frame.f_code is code:
            found.append(ident)
    return found


def _written(frames: list[tuple[FrameType, int]], relative: Callable[[str], str]) -> str:
    return "\n".join(
        f"{relative(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}" for frame, line in frames[-MOST_LINES:]
    )
