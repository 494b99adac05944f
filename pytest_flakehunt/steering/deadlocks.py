"""All threads of a test wait for each other: whether nobody else could help, and who waits where for what."""

import signal
import sys
from collections.abc import Collection
from pathlib import Path
from types import FrameType

from pytest_flakehunt.ground import project
from pytest_flakehunt.steering import processors
from pytest_flakehunt.steering.members import Member

_signals, _handler = signal.valid_signals, signal.getsignal
"""Held on to, as a test may put something else in their place."""


def others(members: int) -> bool:
    """Tell whether something may do what the threads of a test wait for: other threads, or a signal's handler.

    Args:
        members: how many threads of the test live.
    """
    known = len(sys._current_frames())  # noqa: SLF001 - the only way
    return known > members or processors.threads() > known or any(map(_handled, _signals()))


def _handled(number: int) -> bool:
    """Tell whether code of Python's runs when a signal comes, and more than what raises a KeyboardInterrupt."""
    handler = _handler(number)
    if not callable(handler) or handler is signal.default_int_handler:
        return False
    return not str(getattr(handler, "__module__", "")).startswith("pytest_flakehunt.")


def told(waiting: Collection[Member]) -> str:
    """Say who waits where for what."""
    frames = sys._current_frames()  # noqa: SLF001 - the only way
    each = [f"{member.name} waits{_at(frames.get(member.ident))} for {_what(member.waits)}" for member in waiting]
    return "all threads wait for each other: " + "; ".join(each)


def _at(frame: FrameType | None) -> str:
    """Say at which line of the project's own code a thread is."""
    frame = own(frame)
    return "" if frame is None else f" at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def own(frame: FrameType | None) -> FrameType | None:
    """Give the innermost frame of the project's own code."""
    while frame is not None and not project.owns(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _what(waits: object) -> str:
    """Name what a thread waits for, and who has it."""
    if isinstance(waits, Member):
        return f"the end of {waits.name}"
    owner = getattr(waits, "owner", None)
    if not isinstance(owner, Member):
        return "what nobody does"
    if owner.waits is waits:
        return "a lock of its own"
    taken = getattr(waits, "taken", None)
    where = f" took at {Path(taken[0]).name}:{taken[1]}" if taken is not None else " has"
    return f"a lock that {owner.name}{where}"
