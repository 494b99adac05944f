"""What may have been left: everything that an owner has begun and that is still there."""

import functools
import os
import re
import socket
import subprocess
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.leaks import descriptors, processes
from pytest_flakehunt.leaks.event_loops import named
from pytest_flakehunt.leaks.lines import Tracer
from pytest_flakehunt.leaks.log import Log
from pytest_flakehunt.leaks.owners import NOBODY, Bare, Begun, Owner, qualified
from pytest_flakehunt.leaks.stacks import alive, of_task, of_thread, running
from pytest_flakehunt.model import LeakKind, Place

TURN = 0.01
"""Seconds in which a thread without an object has begun."""
_lexists, _fstat, _Socket = os.path.lexists, os.fstat, socket.socket
"""Held on to: a test or a fixture may replace them."""


def _nothing() -> None:
    return None


@dataclass(slots=True, eq=False)
class Leftover:
    """Something whose owner is over, and that is still there."""

    kind: LeakKind
    owner: Owner
    place: Place | None
    what: str
    alive: Callable[[], bool]
    reference: Callable[[], Any] = _nothing
    """A weak reference to the object itself, where there is one: nothing lives longer because it was noted."""
    descriptor: int = -1
    names: tuple[str, ...] = ()
    """What else it may be forgiven by."""
    stack: Callable[[], str] = str
    holders: frozenset[Owner] = frozenset()
    """Fixtures whose tear-down may still end it."""
    due: float = 0.0
    """When it has had its grace, on the true monotonic clock."""
    begins_by: float = 0.0
    """Until when it may not have begun yet, on the same clock."""
    gone: bool = False
    """Whether it was seen gone: what is there by now is another that has its number."""

    @property
    def tangible(self) -> bool:
        """Whether a fixture's value may lead to it."""
        return self.descriptor >= 0 or self.reference is not _nothing

    @property
    def thing(self) -> Any:
        """Give the object itself; None where it is gone, or there is none."""
        return self.reference()


class Leftovers:
    """Finds what owners have left."""

    def __init__(self, log: Log, relative: Callable[[str], str], folders: Sequence[str]) -> None:
        """Make one.

        Args:
            log: what was begun.
            relative: gives a file's path as reports write it.
            folders: parts of paths of temporary files that may stay.
        """
        self.log, self._relative, self._folders = log, relative, folders
        self.alive: dict[int, Owner] = {}
        """Owners of fixtures that are set up, by the id of pytest's definition."""
        self.tracer: Tracer | None = None
        self._children: dict[processes.Child, Owner] = {}
        """Who was at work when each was seen first."""
        self._told: set[processes.Child] = set()
        self._turns = Turns()

    def begin(self) -> None:
        """Take note of the processes that are there before any test."""
        self._children = dict.fromkeys(processes.children() if processes.has_children() else (), NOBODY)

    def meet(self, owner: Owner) -> None:
        """Put processes that are new on someone's account."""
        if processes.has_children():
            for child in processes.children():
                self._children.setdefault(child, owner)

    def about_to_begin(self) -> None:
        """Take note that a thread is about to start, which may get the number of one that has ended."""
        self._turns.renew()

    def of(self, owner: Owner) -> Iterable[Leftover]:
        """Give everything that one owner has begun and that is still there, but for processes."""
        yield from self._threads(owner)
        for begun in self.log.loops:
            loop = begun.itself()
            if begun.owner is owner and loop is not None and not loop.is_closed():
                yield _thing(begun, type(loop).__qualname__, _open)
        yield from self._tasks(owner)
        yield from self._files(owner)
        yield from self._temps(owner)

    def _temps(self, owner: Owner) -> Iterable[Leftover]:
        paths = {begun.thing: begun for begun in self.log.temps if _lexists(begun.thing)}
        for path, begun in paths.items():
            within = any(path.startswith(f"{other}/") for other in paths)
            if begun.owner is owner and not within and not self._spared(path):
                name = _undrawn(path) if path in self.log.drawn else path
                yield Leftover(LeakKind.TEMP, owner, begun.place, name, functools.partial(_lexists, path))

    def _threads(self, owner: Owner) -> Iterable[Leftover]:
        pools: set[int] = set()
        for begun in self.log.threads:
            if begun.owner is not owner:
                continue
            thread = begun.itself()
            if isinstance(thread, threading.Thread):
                if not thread.is_alive():
                    continue
                pool, name = _pool(thread)
                if pool is not None and id(pool) in pools:
                    continue
                pools.add(id(pool))
                leftover = _thing(begun, name, threading.Thread.is_alive)
                if pool is not None:
                    leftover.reference = weakref.ref(pool)
                leftover.names = (_target(thread),)
                leftover.stack = functools.partial(of_thread, thread.ident, self._relative)
                yield leftover
            elif isinstance(thread, Bare):
                turn = self._turns.of(thread.code)
                leftover = Leftover(LeakKind.THREAD, owner, begun.place, f"_thread ({thread.name})", turn.runs)
                leftover.names = (thread.qualified,)
                leftover.stack = functools.partial(self._runs_at, turn)
                leftover.begins_by = realtime.monotonic() + TURN
                yield leftover

    def _tasks(self, owner: Owner) -> Iterable[Leftover]:
        for begun in self.log.tasks.values():
            task = begun.itself()
            if begun.owner is owner and task is not None and not task.done() and not task.cancelling():
                leftover = _thing(begun, named(task), _under_way)
                leftover.stack = functools.partial(self._awaits, begun.itself)
                yield leftover

    def _runs_at(self, turn: "Turn") -> str:
        return of_thread(turn.ident, self._relative)

    def _awaits(self, reference: Callable[[], Any]) -> str:
        task = reference()
        return "" if task is None else of_task(task, self._relative)

    def _files(self, owner: Owner) -> Iterable[Leftover]:
        for number, behind in owner.descriptors.items():
            if descriptor(number) != behind:
                continue
            name = descriptors.behind(number)
            begun, thing = self._opener(number, name)
            if begun is not None and begun.owner is NOBODY:
                continue
            if begun is not None and begun.owner is not owner and begun.owner in self.alive.values():
                begun.owner.descriptors[number] = behind  # it was made for a fixture while this test ran
                continue
            if thing is not None:
                name = _kind_of(thing)
            elif self._spared(name):
                name = Path(name).name
            traced = None if self.tracer is None else self.tracer.descriptors.get(behind)
            alive = functools.partial(_still, number, behind)
            by, place = (owner, traced) if begun is None else (begun.owner, begun.place)
            yield Leftover(LeakKind.FILE, by, place, name, alive, _reference(thing), number)

    def _opener(self, number: int, name: str) -> tuple[Begun | None, Any]:
        for begun in self.log.sockets:
            thing = begun.itself()
            if thing is not None and _Socket.fileno(thing) == number:
                return begun, thing
        return self.log.paths.get(name), None

    def processes(self, owners: Sequence[Owner]) -> Iterable[Leftover]:
        """Give the processes that some owners have started and that still run."""
        if not (self.log.processes or processes.multiplied()):
            return
        if not processes.has_children():
            self.log.processes.clear()
            return
        begun = {
            process.pid: each
            for each in self.log.processes
            if (process := each.itself()) and isinstance(process, subprocess.Popen)
        }
        forks = {id(each.owner): each for each in self.log.processes if each.itself() == ""}
        for child, command in processes.children().items():
            seen = self._children.get(child, owners[0])
            known = begun.get(child.pid) or forks.get(id(seen))
            owner = known.owner if known else seen
            if owner in owners and child not in self._told:
                self._told.add(child)
                place = known.place if known else None
                alive = functools.partial(processes.lives, child)
                leftover = Leftover(LeakKind.PROCESS, owner, place, command, alive, names=(command,))
                if known and isinstance(known.thing, weakref.ref):
                    leftover.reference = known.thing
                yield leftover

    def _spared(self, path: str) -> bool:
        return any(folder in path for folder in self._folders)


def _thing(begun: Begun, what: str, lives: Callable[[Any], bool]) -> Leftover:
    alive = functools.partial(_still_lives, begun.itself, lives)
    return Leftover(begun.kind, begun.owner, begun.place, what, alive, begun.itself)


def _still_lives(itself: Callable[[], Any], lives: Callable[[Any], bool]) -> bool:
    thing = itself()
    return thing is not None and lives(thing)


def _reference(thing: Any) -> Callable[[], Any]:
    return _nothing if thing is None else weakref.ref(thing)


def _open(loop: Any) -> bool:
    return not loop.is_closed()


def _under_way(task: Any) -> bool:
    return not task.done()


def _target(thread: threading.Thread) -> str:
    target = getattr(thread, "_target", None)
    return qualified(type(thread) if target is None else target)


def _pool(thread: threading.Thread) -> tuple[Any, str]:
    """Give the executor that a thread works for, and its name; for any other thread its own."""
    name = thread.name
    if _target(thread).startswith("concurrent.futures.thread."):
        reference = next(iter(getattr(thread, "_args", ())), None)
        pool = reference() if callable(reference) else None
        if pool is not None:
            return pool, f"{type(pool).__qualname__} ({name.rpartition('_')[0]})"
        return None, name
    if "(" in name:
        return None, name
    return None, f"{name} ({_target(thread).rpartition('.')[2]})"


def _undrawn(path: str) -> str:
    """Give a path without what ``tempfile`` drew for its name.

    >>> _undrawn("/tmp/zoo-ab3d_f9h.txt")
    '/tmp/zoo-#.txt'
    """
    folder, _, name = path.rpartition("/")
    drawn = [*re.finditer("[a-z0-9_]{8}", name)]
    if not drawn or name.startswith("tmp"):
        return path
    return f"{folder}/{name[: drawn[-1].start()]}#{name[drawn[-1].end() :]}"


class Turns:
    """Tells threads without an object from each other where several run one function."""

    def __init__(self) -> None:
        self.claimed: set[int] = set()
        """Identifiers of threads that stand for a start of their function."""

    def of(self, code: CodeType) -> "Turn":
        """Give one start of a function."""
        return Turn(code, self.claimed)

    def renew(self) -> None:
        """Let go of the identifiers of threads that have ended: the next ones get them."""
        if self.claimed:
            self.claimed.intersection_update(alive())


@dataclass(slots=True)
class Turn:
    """One start of a function in a thread of its own."""

    code: CodeType
    claimed: set[int]
    ident: int | None = None
    """The thread's, once it was seen."""

    def runs(self) -> bool:
        """Tell whether it is under way."""
        idents = running(self.code)
        if self.ident is None and (free := [ident for ident in idents if ident not in self.claimed]):
            self.ident = free[0]
            self.claimed.add(self.ident)
        return self.ident in idents


def descriptor(number: int) -> tuple[int, int] | None:
    """Give device and inode behind a descriptor; None where it is closed."""
    try:
        status = _fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _still(number: int, behind: tuple[int, int]) -> bool:
    return descriptor(number) == behind


def _kind_of(thing: Any) -> str:
    """Say what a socket is for, without numbers that differ from run to run."""
    kind = {socket.SOCK_STREAM: "stream", socket.SOCK_DGRAM: "datagram"}.get(thing.type, "raw")
    family = getattr(thing.family, "name", str(thing.family)).removeprefix("AF_")
    try:
        listening = thing.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        listening = 0
    return f"{'listening' if listening else kind} socket ({family})"


def inside(thing: Any) -> Iterable[int]:
    """Give the descriptors that belong to an event loop or a process, which is told itself."""
    found = [getattr(thing, name, None) for name in ("_selector", "_ssock", "_csock", "stdin", "stdout", "stderr")]
    if thing is None or isinstance(thing, threading.Thread):
        return
    for each in found:
        try:
            yield each.fileno()  # type: ignore[union-attr]
        except (AttributeError, ValueError, OSError, TypeError):
            continue
