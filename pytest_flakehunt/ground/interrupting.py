"""Wishes that a hunt should end: noted as they come, and heeded where nothing is half done.

Ctrl-C, a request to terminate and a terminal that is closed come at any
moment, also in the middle of a transaction or between the end of a sweep and
its record. So the first of them only leaves a note, which the loops that wait
for something look at; a second one breaks in wherever it comes, except where
processes are being ended. What comes twice within a moment is one wish: some
programs signal a process, and then its group.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeAlias

from pytest_flakehunt.ground import realtime

Handler: TypeAlias = Callable[[int, FrameType | None], None]
MOMENT = 1.0
"""Seconds within which signals are one wish."""
NAMES = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "SIGHUP"}
"""Signals, and what users know them as: from the keyboard, from services and time limits, from a closed terminal."""

_came: list[tuple[str, float]] = []
"""Which, and when."""
_held: list[bool] = []


def by() -> str:
    """Name what came first; empty as long as nothing has."""
    return _came[0][0] if _came else ""


def urged() -> bool:
    """Tell whether it came again: there is no time left for a report."""
    return len(_came) > 1


def heed() -> None:
    """Break off here if that is wished.

    Raises:
        KeyboardInterrupt: it is.
    """
    if _came:
        raise KeyboardInterrupt


class Listening:
    """Takes note of wishes to end, from its start to its close."""

    def __init__(self, clock: Callable[[], float] = realtime.monotonic) -> None:
        self._clock = clock
        self._before: dict[signal.Signals, Any] = {}

    def collect(self, ends: Callable[[str], KeyboardInterrupt]) -> None:
        """Heed a request to terminate, and a terminal that is closed, at once: nothing is half done until the start.

        Args:
            ends: gives what is raised, by the name of what came.
        """

        def ended(number: int, frame: FrameType | None) -> None:
            del frame
            if self._noted(number):
                raise ends(by())

        _came.clear()
        self._before = _handled(("SIGTERM", "SIGHUP"), ended)

    def start(self) -> None:
        """Stand where signals are handled; one that somebody has kept from being heeded before is a wish as well."""
        _restored(self._before)
        self._before = _handled(NAMES, self._note)

    def close(self) -> None:
        """Give way to what stood there before."""
        _restored(self._before)
        _came.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._noted(number) and urged() and not _held:
            raise KeyboardInterrupt

    def _noted(self, number: int) -> bool:
        """Note what came; tell whether it is a wish of its own."""
        now = self._clock()
        if _came and now - _came[-1][1] < MOMENT:
            return False
        _came.append((NAMES[signal.Signals(number).name], now))
        return True


@contextmanager
def held() -> Iterator[None]:
    """Let a second wish wait as well: what is done here must not be left half done."""
    _held.append(True)
    try:
        yield
    finally:
        _held.pop()


@contextmanager
def as_ctrl_c() -> Iterator[None]:
    """Take a request to terminate, or a terminal that is closed, for a Ctrl-C; its argument is the signal's number."""

    def interrupted(number: int, frame: FrameType | None) -> None:
        del frame
        raise KeyboardInterrupt(number)

    before = _handled(("SIGTERM", "SIGHUP"), interrupted)
    try:
        yield
    finally:
        _restored(before)


def _handled(names: Iterable[str], handler: Handler) -> dict[signal.Signals, Any]:
    """Handle signals, except where they are ignored, as under ``nohup``, and where that is not up to this thread."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    there = [signal.Signals[name] for name in names if name in signal.Signals.__members__]  # Windows has not all
    own, before = os.getpid(), {number: signal.getsignal(number) for number in there}
    before = {number: one for number, one in before.items() if one not in {signal.SIG_IGN, None}}

    def heard(number: int, frame: FrameType | None) -> None:
        if os.getpid() == own:
            handler(number, frame)
        else:  # in a copy, such as a server that the suite has forked as it was imported, it is whoever ends that
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, heard)
    return before


def _restored(before: dict[signal.Signals, Any]) -> None:
    while before:
        signal.signal(*before.popitem())
