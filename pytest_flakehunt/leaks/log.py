"""A log of what is begun while tests run: by whom, and from which line."""

import asyncio
import inspect
import os
import sys
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from pytest_flakehunt.ground import auditing, project
from pytest_flakehunt.leaks.owners import NOBODY, Bare, Begun, Owner, qualified
from pytest_flakehunt.leaks.stacks import running
from pytest_flakehunt.model import LeakKind, Place

MOST_KEPT = 2_000
"""Paths and tasks remembered at most: of what was opened and closed long ago nothing is asked."""
_frame = sys._getframe  # noqa: SLF001 - the only way to see who calls
REPORTING = frozenset({
    "pytest_runtest_logstart", "pytest_runtest_logreport", "pytest_runtest_logfinish", "pytest_runtest_makereport",
})  # fmt: skip
"""Hooks in which a plugin speaks of tests: what it begins there is its own."""
MOST_RAW = 200
"""Threads remembered at most before those that have no object are looked for."""


class Log:
    """Notes what is begun, through audit events; says nothing of what became of it."""

    def __init__(self, relative: Callable[[str], str]) -> None:
        """Make one.

        Args:
            relative: gives a file's path as reports write it.
        """
        self.relative = relative
        self.current: Owner | None = None
        """Whose code runs in the main thread; None between tests, when nothing is noted."""
        self.makers: dict[CodeType | None, Owner] = {}
        """Functions of the fixtures that are alive."""
        self.threads: list[Begun] = []
        self.loops: list[Begun] = []
        self.tasks: OrderedDict[int, Begun] = OrderedDict()
        """By the task's id, which is its own as long as it lives."""
        self.sockets: list[Begun] = []
        self._most_sockets = MOST_RAW
        self.processes: list[Begun] = []
        self.paths: OrderedDict[str, Begun] = OrderedDict()
        """What was opened, by path; the last one counts."""
        self.temps: list[Begun] = []
        self.drawn: set[str] = set()
        """Paths of those whose names ``tempfile`` drew."""
        self.seeded: dict[str, Begun] = {}
        """By global generator: who has seeded it last, as long as nobody has given it another state."""
        self.unmet: set[str] = set()
        """Tests whose seed somebody has taken away before any other had to live with it."""
        self.lost: list[tuple[Begun, str, str]] = []
        """What has ended as a leak: with its name, and where it was then."""
        self.opened = False
        """Whether any descriptor may be new."""
        self.variables: dict[str, tuple[Owner, Place]] = {}
        """Who last wrote each environment variable, and where."""
        self.moved_to: tuple[Owner, Place] | None = None
        """Who last changed the working directory, and where."""
        self.about_to_begin: Callable[[LeakKind], object] = str
        """Is told of threads and descriptors before they begin: they may get the number of one that has ended."""
        self.about_to_move: Callable[[LeakKind], object] = str
        """Is told of shared state before it is written to."""
        self.touched: set[str] = set()
        """Kinds of shared state that were written to."""
        self._noting: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "_thread.start_new_thread": self.note_thread,
            "_thread.start_joinable_thread": self.note_thread,
            "open": self._open,
            "socket.__new__": self._socket,
            "sqlite3.connect": self._connect,
            "subprocess.Popen": self._process,
            "os.fork": self._fork,
            "os.forkpty": self._fork,
            "os.posix_spawn": self._fork,
            "tempfile.mkstemp": self._temp,
            "tempfile.mkdtemp": self._temp,
            "os.putenv": self._variable,
            "os.unsetenv": self._variable,
            "os.chdir": self._directory,
        }

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the log."""
        with auditing.listening(self._noting):
            yield

    # who, and where

    def caller(self, frame: FrameType | None) -> tuple[Owner, Place | None] | None:
        """Tell for whom some code acts, and from which line of the project; None where nobody is at work."""
        current = self.current
        if current is None:
            return None
        place = None
        while frame is not None:
            code = frame.f_code
            if code in self.makers:
                current = self.makers[code]
                return current, place or self._place(frame)
            if project.owns(code.co_filename):
                place = place or self._place(frame)
                if code.co_name in REPORTING:
                    return NOBODY, place
            if place is None and code.co_filename.startswith("<doctest "):
                place = current.place
            if str(frame.f_globals.get("__name__")).startswith("_pytest."):
                break
            frame = frame.f_back
        foreign = threading.get_ident() != threading.main_thread().ident
        inherited = (self._of_thread() if foreign else None) or self._of_task()
        if inherited is not None:
            return inherited.owner, place or inherited.place
        return NOBODY if foreign else current, place

    def _place(self, frame: FrameType) -> Place:
        return Place(self.relative(frame.f_code.co_filename), frame.f_lineno, frame.f_code.co_name)

    def _of_thread(self) -> Begun | None:
        thread = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]  # noqa: SLF001 - current_thread() makes one
        return next((begun for begun in self.threads if begun.itself() is thread), None) if thread else None

    def _of_task(self) -> Begun | None:
        loop = asyncio._get_running_loop()  # noqa: SLF001 - get_running_loop() raises, at ten times the cost
        task = None if loop is None else asyncio.current_task(loop)
        return None if task is None else self.of(task)

    def of(self, task: Any) -> Begun | None:
        """Give what was noted of a task: what ended before it may have had the same id."""
        begun = self.tasks.get(id(task))
        return begun if begun is not None and begun.itself() is task else None

    def begun(self, kind: LeakKind, thing: Any, frame: FrameType | None) -> Begun | None:
        """Note one thing; what no line of the project led to is a plugin's own affair."""
        found = self.caller(frame)
        if found is None or found[1] is None or found[0] is NOBODY:
            return None
        return Begun(kind, *found, thing)

    def _descriptor(self, thing: Any, frame: FrameType) -> Begun | None:
        """Note who opens something: a thread of nobody's too, so that no test is taken for it."""
        found = self.caller(frame)
        if found is None or (found[1] is None and found[0] is not NOBODY):
            return None
        return Begun(LeakKind.FILE, *found, thing)

    # Python's audit events

    def note_thread(self, args: tuple[Any, ...]) -> None:
        """Note a thread that is about to start; the caller's caller starts it."""
        thread = getattr(inspect.unwrap(args[0]), "__self__", None)
        kind, thing = LeakKind.THREAD, _bare(args[0])  # type: LeakKind, object
        self.about_to_begin(kind)
        if isinstance(thread, threading.Thread):
            kind, thing = LeakKind.EXECUTOR if _serves_pool(thread) else kind, weakref.ref(thread)
        if begun := self.begun(kind, thing, _frame(2)):
            self.threads.append(begun)

    def _opens(self) -> None:
        self.opened = True
        self.about_to_begin(LeakKind.FILE)

    def _open(self, args: tuple[Any, ...]) -> None:
        path, mode, flags = args
        self._opens()
        if type(path) is not str and type(path) is not bytes:
            return
        frame = _frame(2)
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return
        if begun := self._descriptor(None, frame):
            name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - a path object would resolve links
            begun.thing = name
            self.paths[name] = begun
            self.paths.move_to_end(name)
            while len(self.paths) > MOST_KEPT:
                self.paths.popitem(last=False)
            if (type(mode) is str and mode[:1] in {"w", "x", "a"}) or (mode is None and flags & os.O_CREAT):
                self._made(begun)

    def _made(self, begun: Begun) -> None:
        """Note a new file where temporary ones lie."""
        name = begun.thing
        folder = tempfile.tempdir or os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - where Python would put them
        if begun.owner is not NOBODY and name.startswith(f"{folder}/") and not os.path.lexists(name):
            self.temps.append(Begun(LeakKind.TEMP, begun.owner, begun.place, name))

    def _temp(self, args: tuple[Any, ...]) -> None:
        name = os.path.abspath(os.fsdecode(args[0]))  # noqa: PTH100 - a path object would resolve links
        if os.path.lexists(name):  # another process has it: the next name is tried
            return
        if begun := self.begun(LeakKind.TEMP, name, _frame(2)):
            self.temps.append(begun)
            self.drawn.add(name)

    def _socket(self, args: tuple[Any, ...]) -> None:
        self._opens()
        try:
            thing = weakref.ref(args[0])
        except TypeError:  # one of C's own
            return
        if begun := self._descriptor(thing, _frame(2)):
            self.sockets.append(begun)
            if len(self.sockets) > self._most_sockets:
                self.sockets[:] = [each for each in self.sockets if each.itself() is not None]
                self._most_sockets = max(MOST_RAW, 2 * len(self.sockets))

    def _connect(self, _args: tuple[Any, ...]) -> None:
        self._opens()

    def _process(self, _args: tuple[Any, ...]) -> None:
        self._opens()
        frame = _frame(2)
        popen = frame.f_locals.get("self")
        if begun := self.begun(LeakKind.PROCESS, weakref.ref(popen), frame):
            self.processes.append(begun)

    def _fork(self, _args: tuple[Any, ...]) -> None:
        if begun := self.begun(LeakKind.PROCESS, "", _frame(2)):
            self.processes.append(begun)

    def _variable(self, args: tuple[Any, ...]) -> None:
        if args[0] == b"PYTEST_CURRENT_TEST":
            return
        name = os.fsdecode(args[0])
        self.about_to_move(LeakKind.ENVIRON)
        self.touched.add("environ")
        if (found := self.caller(_frame(2))) and found[1]:
            self.variables[name] = found[0], found[1]

    def _directory(self, _args: tuple[Any, ...]) -> None:
        self.about_to_move(LeakKind.CWD)
        self.touched.add("cwd")
        found = self.caller(_frame(2))
        self.moved_to = (found[0], found[1]) if found and found[1] else None

    # tidying up

    def anything(self) -> bool:
        """Tell whether anything is noted at all."""
        return bool(self.threads or self.tasks or self.loops or self.processes or self.temps or self.lost)

    def forget(self, owners: set[int]) -> None:
        """Let go of what the owners that are over had begun and ended."""
        for begun in (self.threads, self.loops, self.sockets, self.processes, self.temps):
            if begun:
                begun[:] = [each for each in begun if id(each.owner) not in owners and each.itself() is not None]
        if len(self.threads) > MOST_RAW:  # a fixture's worker may start threads without objects for ever
            self.threads[:] = [
                each for each in self.threads if not isinstance(each.thing, Bare) or running(each.thing.code)
            ]
        if self.temps:
            self.temps = [each for each in self.temps if os.path.lexists(each.thing)]
            self.drawn.intersection_update(each.thing for each in self.temps)
        if self.tasks:
            for key in [key for key, each in self.tasks.items() if each.itself() is None]:
                del self.tasks[key]
        self.lost.clear()


def _bare(function: Any) -> Bare | None:
    """Describe what a thread is started to do; None where it is done in C."""
    code, named = getattr(function, "__code__", None), inspect.unwrap(function)
    return Bare(code, named.__qualname__, qualified(named)) if isinstance(code, CodeType) else None


def _serves_pool(thread: threading.Thread) -> bool:
    target = getattr(thread, "_target", None)
    module = getattr(target, "__module__", "")
    return module == "concurrent.futures.thread" or type(thread).__module__ == "concurrent.futures.process"
