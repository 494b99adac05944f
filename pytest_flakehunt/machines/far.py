"""A zygote on another machine, seen from the controller: a pipe carries what it says, and its files are copied."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from pytest_flakehunt.machines import frames
from pytest_flakehunt.zygote import processes

KILLED = -9
"""The exit status of one that was ended without waiting for how."""


class Far:
    """A zygote's process on another machine.

    ``take`` is called by the thread that listens to the machine, all else by
    the controller's.
    """

    def __init__(self, number: int, scratch: Path, tell: Callable[[frames.Frame], None]) -> None:
        """Make one.

        Args:
            number: as the relay calls it.
            scratch: where what it writes is copied to.
            tell: sends a frame to the relay, and does not wait.
        """
        self.number, self.scratch, self._tell = number, scratch, tell
        self._reader, self._writer = os.pipe()
        self._closed = self._ended = False
        self._status: int | None = None
        self._minded: int | None = None
        self._flooded: set[int] = set()

    # the controller's side

    pid = None

    @property
    def answers(self) -> int | None:
        """Give the descriptor of the pipe that what it says comes through."""
        return None if self._closed else self._reader

    @property
    def status(self) -> int | None:
        """Give its exit status, as far as that is known by now."""
        return self._status

    @property
    def exhausted(self) -> bool:
        """Leave that to the pipe, which nobody but this process holds."""
        return False

    def send(self, data: bytes) -> None:
        """Have bytes written to its standard input."""
        self._tell(frames.Tell(self.number, data))

    def mute(self) -> None:
        """Close the pipe."""
        if not self._closed:
            self._closed = True
            os.close(self._reader)

    def leave(self, seconds: float) -> int:
        """Let it go, and do not wait for its end: others may be waiting for the controller."""
        self.mute()
        self._tell(frames.Leave(self.number, seconds))
        return KILLED if self._status is None else self._status

    def end(self) -> None:
        """Have it killed with all its descendants."""
        self._tell(frames.End(self.number))

    def end_run(self, pid: int) -> None:
        """Have one of its children killed; the stacks come before word of the end."""
        self._tell(frames.EndRun(self.number, pid))

    def prints_without_end(self, pid: int) -> bool:
        """Have a child looked at from now on; tell what was seen so far."""
        if pid != self._minded:
            self._minded = pid
            self._tell(frames.Mind(self.number, pid))
        return pid in self._flooded

    def tidy(self) -> None:
        """Delete the copies, and what was copied."""
        processes.tidy(self.scratch)
        self._tell(frames.Tidy(self.number))

    # what comes from there

    def take(self, frame: frames.Frame) -> None:
        """Take in what the relay tells of it."""
        match frame:
            case frames.Said(_, data):
                self._say(data)
            case frames.Grew(_, name, data):
                self._write(name, "ab", data)
            case frames.Became(_, name, data):
                self._write(name, "wb", data)
            case frames.Flooded(_, pid):
                self._flooded.add(pid)
            case frames.Muted():
                self.fall_silent()
            case frames.Gone(_, status):
                self._status = status
                self.fall_silent()
            case _:
                raise AssertionError(f"a relay cannot tell {type(frame).__name__} of a zygote")

    def _say(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # the controller listens no more
            while data and not self._ended:
                data = data[os.write(self._writer, data) :]

    def _write(self, name: str, mode: str, data: bytes) -> None:
        with contextlib.suppress(OSError), (self.scratch / name).open(mode) as file:  # it may be gone, with the hunt
            file.write(data)

    def fall_silent(self) -> None:
        """End what the controller hears."""
        if not self._ended:
            self._ended = True
            os.close(self._writer)
