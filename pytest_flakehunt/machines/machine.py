"""Another machine, seen from the controller: what it is asked and what it tells go through threads."""

import contextlib
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.machines import frames
from pytest_flakehunt.machines.far import Far
from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.host import Origin

PAUSE = 5.0
"""Seconds after which a controller that has nothing to say gives a sign of life."""
STEADY = 3.0
"""Seconds without any sign of life in which a machine is taken to work; a longer silence counts as that."""
SILENCE = 60.0
"""Seconds without a sign of life after which a machine is lost."""
ANSWER = 60.0
"""Seconds in which a relay answers what it is asked before the hunt begins."""
CLOSING = 5.0
"""Seconds in which it ends everything."""


class Line(Protocol):
    """What carries bytes to a machine and back."""

    def send(self, data: bytes) -> None:
        """Send bytes, in order; raise OSError where that cannot be."""

    def listen(self, take: Callable[[bytes | str], None]) -> None:
        """Have bytes taken in as they come, in a thread of their own, and at last why no more come."""

    def close(self) -> None:
        """Cut it, without waiting for long."""


class Machine:
    """One machine that a relay runs on.

    Raises:
        OSError: the relay does not answer.
    """

    def __init__(self, name: str, line: Line, now: Callable[[], float] = realtime.monotonic) -> None:
        """Take up the line; the relay is started.

        Args:
            name: as the user calls the machine.
            line: leads to the relay.
            now: gives the seconds on a clock that is never moved.
        """
        self.name, self.lost = name, ""
        self.prepared = frames.Prepared("it was not asked")
        self.here = self.there = ""
        """The root directory of the project, on this machine and on that one."""
        self._line, self._decoder, self._now = line, frames.Decoder(), now
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._inbox: queue.SimpleQueue[frames.Frame | None] = queue.SimpleQueue()
        self._far: dict[int, Far] = {}
        self._pulse = 0.0, now()
        """Seconds that it has worked until it was last heard, and when that was."""
        self._over = threading.Event()
        threading.Thread(target=self._speak, name=f"flakehunt-{name}", daemon=True).start()
        line.listen(self._take)

    # what a hunt asks of a host

    @property
    def where(self) -> str:
        """Give what this boot of the machine is called."""
        return self.prepared.where

    def open(self) -> None:
        """Have nothing to do: the relay is there."""

    def start(self, origin: Origin, environment: Mapping[str, str], scratch: Path) -> Far:
        """Have the relay start a zygote."""
        del origin  # it has that
        number = int(scratch.name)
        far = self._far[number] = Far(number, scratch, self._tell)
        self._tell(frames.Start(number, dict(environment)))
        return far

    def born(self, birth: wire.Birth) -> wire.Birth:
        """Give it with the names that folders have there."""
        program = {"__file__": self.prepared.main, "__package__": "pytest", "__doc__": None, "spec": "pytest.__main__"}
        return replace(
            birth,
            args=[self.path(word) for word in birth.args],
            argv=[self.path(word) for word in birth.argv],
            directory=self.path(birth.directory),
            scratch=self.folder(Path(birth.scratch)),
            program=program,
        )

    def path(self, word: str) -> str:
        """Give a path within the root directory, or an option with one, as it is written there."""
        option, equals, value = word.partition("=")
        if option.startswith("-") and equals:
            return f"{option}={self.path(value)}"
        if self.here == self.there or not (word == self.here or word.startswith(f"{self.here}/")):
            return word
        return self.there + word[len(self.here) :]

    def folder(self, scratch: Path) -> str:
        """Give the name of a zygote's scratch folder there."""
        return f"{self.prepared.scratch}/{scratch.name}"

    def root(self, root: Path) -> Path:
        """Give the root directory there."""
        del root
        return Path(self.there)

    def clock(self) -> float:
        """Give the seconds in which it has shown signs of life: nothing there takes longer for a silence."""
        worked, heard = self._pulse
        return worked + min(self._now() - heard, STEADY)

    def look(self) -> None:
        """Give it up where it has been silent for too long."""
        if not self.lost and self._now() - self._pulse[1] > SILENCE:
            self._lose(f"nothing was heard of it for {SILENCE:.0f} seconds")

    def give_up(self, reason: str) -> bool:
        """Run nothing there from now on."""
        self._lose(reason)
        return True

    def close(self) -> None:
        """End everything there."""
        if not self.lost:
            self._tell(frames.Close())
            self._over.wait(CLOSING)
        self._outbox.put(None)
        self._line.close()

    # before the hunt begins

    def ask(self, frame: frames.Frame) -> frames.Frame:
        """Wait for the answer to a question; raise OSError where there is none."""
        self._tell(frame)
        try:
            answer = self._inbox.get(timeout=ANSWER)
        except queue.Empty:
            raise OSError(f"it gave no answer for {ANSWER:.0f} seconds") from None
        if answer is None:
            raise OSError(self.lost)
        return answer

    def _tell(self, frame: frames.Frame) -> None:
        self._outbox.put(frames.encode(frame))

    # threads

    def _speak(self) -> None:
        """Send what there is to send: the controller never waits for a machine that is slow to listen."""
        while True:
            data: bytes | None = frames.encode(frames.Beat())
            with contextlib.suppress(queue.Empty):
                data = self._outbox.get(timeout=PAUSE)
            if data is None:
                return
            try:
                self._line.send(data)
            except OSError:  # that it is gone is heard
                return

    def _take(self, data: bytes | str) -> None:
        """Take in what comes, in the thread that listens."""
        if isinstance(data, str):
            self._lose(data)
            self._over.set()
            self._inbox.put(None)
            for far in list(self._far.values()):
                far.fall_silent()
            return
        self._pulse = self.clock(), self._now()
        for frame in self._decoder.feed(data):
            match frame:
                case frames.Prepared() | frames.Compared():
                    self._inbox.put(frame)
                case frames.Said(number) | frames.Grew(number) | frames.Became(number):
                    self._far[number].take(frame)
                case frames.Flooded(number) | frames.Muted(number):
                    self._far[number].take(frame)
                case frames.Gone(number):
                    self._far.pop(number).take(frame)
                case _:
                    pass

    def _lose(self, reason: str) -> None:
        """Take note that it is lost; if it comes back, it has nothing more to do."""
        self.lost = self.lost or reason
        self._tell(frames.Close())
