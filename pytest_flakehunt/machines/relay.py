"""A process beside zygotes on another machine: it starts and ends them, and passes on what they say and write."""

import contextlib
import hashlib
import importlib.util
import os
import select
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_flakehunt import perturbations
from pytest_flakehunt.ground import claimed, realtime
from pytest_flakehunt.ground.removing import removed
from pytest_flakehunt.instruments import artefacts
from pytest_flakehunt.machines import frames
from pytest_flakehunt.model import SettingError
from pytest_flakehunt.zygote import processes
from pytest_flakehunt.zygote.host import Here, Local, Origin
from pytest_flakehunt.zygote.warm import STACKS

CHUNK = 1 << 16
"""Bytes that are read at once."""
LOOK = 0.1
"""Seconds between two looks at what zygotes write."""
PAUSE = 1.0
"""Seconds between two signs of life."""
FORSAKEN = 600.0
"""Seconds without a sign of life from the controller, after which it is taken to be gone."""
DYING = 0.5
"""Seconds in which a process that has closed its standard output is seen to end."""
LONGEST = 1 << 18
"""Bytes that are passed on of the end of what was written to standard error or of stacks."""


@dataclass(slots=True)
class Zygote:
    """One zygote, and what was passed on of it."""

    number: int
    process: Local
    sent: dict[str, int] = field(default_factory=dict)
    """Bytes of files that grow, by name."""
    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Size and time of files that are written anew, by name."""
    minded: set[int] = field(default_factory=set)
    """Children that may print without end, by process id."""
    leaves: float | None = None
    """The moment at which it is ended, where it was let go."""

    @property
    def folder(self) -> Path:
        """Its scratch folder."""
        return self.process.scratch


class Relay:
    """What serves one controller."""

    def __init__(self, commands: int, events: int) -> None:
        """Make one.

        Args:
            commands: the descriptor that the controller's commands come through.
            events: the one that what happens is told through.
        """
        self._commands, self._events = commands, events
        self._decoder = frames.Decoder()
        self._here = Here()
        self._origin = Origin((), "", (), (), {})
        self._root = Path()
        self._folder = claimed.Folder()
        self._scratch = self._folder.path
        self._zygotes: dict[int, Zygote] = {}
        self._beat = self._heard = realtime.monotonic()

    def serve(self) -> None:
        """Serve until the controller is done, or gone."""
        self._here.open()
        try:
            while self._turn():
                pass
        finally:
            for zygote in list(self._zygotes.values()):
                with contextlib.suppress(OSError):  # the controller may be gone
                    self._finish(zygote)
            self._folder.close()

    def _turn(self) -> bool:
        """Do what there is to do; tell whether there is more to come."""
        waiting = select.poll()
        speaking = {answers: one for one in self._zygotes.values() if (answers := one.process.answers) is not None}
        for descriptor in (self._commands, *speaking):
            waiting.register(descriptor, select.POLLIN | select.POLLHUP)
        goes_on = True
        for descriptor, _ in waiting.poll(LOOK * 1000):
            if descriptor == self._commands:
                goes_on = self._listen()
            elif speaking[descriptor].process.answers is not None:
                self._hear(speaking[descriptor], os.read(descriptor, CHUNK))
        for zygote in list(self._zygotes.values()):
            self._look(zygote)
        now = realtime.monotonic()
        if now - self._beat > PAUSE:
            self._tell(frames.Beat())
            self._beat = now
        return goes_on and now - self._heard < FORSAKEN

    def _tell(self, frame: frames.Frame) -> None:
        data = frames.encode(frame)
        while data:
            data = data[os.write(self._events, data) :]

    # commands

    def _listen(self) -> bool:
        data = os.read(self._commands, CHUNK)
        self._heard = realtime.monotonic()
        return bool(data) and all(self._obey(frame) for frame in self._decoder.feed(data))

    def _obey(self, frame: frames.Frame) -> bool:
        match frame:
            case frames.Prepare():
                self._tell(self._prepared(frame))
            case frames.Compare():
                self._tell(self._compared(frame))
            case frames.Start(number, environment):
                folder = self._scratch / str(number)
                folder.mkdir()
                self._zygotes[number] = Zygote(number, self._here.start(self._origin, environment, folder))
            case frames.Close():
                return False
            case frames.Tell(number) | frames.Leave(number) | frames.End(number) if number in self._zygotes:
                self._serve(self._zygotes[number], frame)
            case frames.EndRun(number) | frames.Mind(number) | frames.Tidy(number) if number in self._zygotes:
                self._serve(self._zygotes[number], frame)
            case _:  # a sign of life, or something for a zygote that is gone
                pass
        return True

    def _serve(self, zygote: Zygote, frame: frames.Frame) -> None:
        match frame:
            case frames.Tell(_, data):
                zygote.process.send(data)
            case frames.Leave(_, seconds):
                zygote.leaves = realtime.monotonic() + seconds
                zygote.process.hush()
            case frames.End():
                zygote.process.end()
            case frames.EndRun(_, pid):
                zygote.process.end_run(pid)
            case frames.Mind(_, pid):
                zygote.minded = {pid}
            case frames.Tidy():
                self._forward(zygote)
                zygote.process.tidy()
                zygote.minded.clear()
                zygote.sent = {name: size for name, size in zygote.sent.items() if not name.isdigit()}
            case _:
                raise AssertionError(f"a zygote is not told {type(frame).__name__}")

    def _prepared(self, asked: frames.Prepare) -> frames.Prepared:
        self._root = Path(asked.root).expanduser().absolute()
        if not self._root.is_dir():
            return frames.Prepared(f"there is no folder {asked.root}")
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environ = {**(own if asked.environ is None else asked.environ), **asked.carried}
        path = [*(str(self._root / folder) for folder in asked.sys_path), *(folder for folder in sys.path if folder)]
        self._origin = Origin((), str(self._root), (), path, environ, unseen=asked.unseen)
        main = Path(pytest.__file__).with_name("__main__.py")
        return frames.Prepared("", str(self._root), str(self._scratch), self._here.where, str(main))

    def _compared(self, asked: frames.Compare) -> frames.Compared:
        missing, other = self._differing(asked.files)
        sys.path[:0] = [folder for folder in self._origin.sys_path if folder not in sys.path]
        return frames.Compared(
            missing,
            other,
            [name for name in asked.modules if importlib.util.find_spec(name) is None],
            [(name, why) for name, text in asked.settings if (why := unheld(name, text))],
            *self._differing(asked.data),
        )

    def _differing(self, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Name the files that are not there, and those with other contents."""
        there = {name: digest(self._root / name) for name in files}
        changed = [name for name, found in there.items() if found and found != files[name]]
        return [name for name, found in there.items() if not found], changed

    # zygotes

    def _hear(self, zygote: Zygote, data: bytes) -> None:
        """Pass on an answer, after all that was written before it."""
        self._forward(zygote)
        if data:
            self._tell(frames.Said(zygote.number, data))
            return
        zygote.process.mute()
        if zygote.process.ends_within(DYING):
            self._finish(zygote)
        else:
            self._tell(frames.Muted(zygote.number))

    def _look(self, zygote: Zygote) -> None:
        self._forward(zygote)
        late = zygote.leaves is not None and realtime.monotonic() > zygote.leaves
        if late or zygote.process.exhausted:
            self._finish(zygote)
            return
        for pid in list(zygote.minded):
            if zygote.process.prints_without_end(pid):
                zygote.minded.discard(pid)
                self._tell(frames.Flooded(zygote.number, pid))

    def _finish(self, zygote: Zygote) -> None:
        """End a zygote with all that it has left."""
        del self._zygotes[zygote.number]
        status = zygote.process.leave(0)
        self._forward(zygote)
        self._tell(frames.Gone(zygote.number, status))
        removed(zygote.folder)

    def _forward(self, zygote: Zygote) -> None:
        """Pass on what was written to the files that a controller reads."""
        for name in (STACKS, processes.LOG):
            self._renew(zygote, name)
        with os.scandir(zygote.folder) as found:
            growing = [one.name for one in found if one.name.isdigit() or one.name == artefacts.FILE]
        for name in sorted(growing):
            with contextlib.suppress(OSError), (zygote.folder / name).open("rb") as file:
                file.seek(zygote.sent.get(name, 0))
                while data := file.read(CHUNK):
                    zygote.sent[name] = zygote.sent.get(name, 0) + len(data)
                    self._tell(frames.Grew(zygote.number, name, data))

    def _renew(self, zygote: Zygote, name: str) -> None:
        path = zygote.folder / name
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            stamp = found.st_size, found.st_mtime_ns
            if zygote.stamps.get(name, (0, 0)) == stamp:
                return
            zygote.stamps[name] = stamp
            with path.open("rb") as file:
                file.seek(max(0, stamp[0] - LONGEST))
                self._tell(frames.Became(zygote.number, name, file.read(LONGEST)))


def unheld(name: str, text: str) -> str:
    """Say why a setting cannot be held here; empty where it can, or where only another plugin knows of it."""
    known = perturbations.registry()
    if name not in known:
        return ""
    try:
        known[name].read(text)
    except SettingError:
        return f"{name}={text} is not known"
    return str(getattr(known[name], "unavailable", ""))


def digest(path: Path) -> str:
    """Give what the contents of a file amount to; empty where there is none."""
    with contextlib.suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return ""


def main() -> None:
    """Serve a controller that sits at standard input and output."""
    commands, events = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    Relay(commands, events).serve()
