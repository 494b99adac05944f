"""The leak watch: a pytest plugin that looks as each test and each fixture ends, and says what stayed."""

import functools
import gc
import inspect
import io
import os
import re
import socket
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Self

import pytest

from pytest_flakehunt import options, project, realtime
from pytest_flakehunt.leaks import senses
from pytest_flakehunt.leaks.forgiven import Forgiven
from pytest_flakehunt.leaks.lines import Tracer
from pytest_flakehunt.leaks.log import Log, maker, named
from pytest_flakehunt.leaks.owners import NOBODY, Begun, Owner
from pytest_flakehunt.leaks.stacks import of_task, of_thread
from pytest_flakehunt.model import Leak, LeakKind, Place, lasting
from pytest_flakehunt.state import Part

FIRST_WAIT = 50e-6
TURN, TURNS = 0.0005, 20
"""Seconds, and how often they are waited, for a thread without an object to begin."""
MOST_GRACES = 5
"""Graces that are spent in one process: later leaks are judged at once, and again as the process ends its tests."""
MOST_SEARCHED = 50_000
"""Objects that are looked through, at most, for what a fixture holds."""
LONGEST = 120
"""Characters of a name."""
UNAWAITED = re.compile(r"coroutine '([^']+)' was never awaited")
RAISED = re.compile(r"Exception in thread (.+)")
XUNIT = re.compile(r"_(?:xunit|unittest)_(.+?)_fixture")
IDLE = frozenset({LeakKind.TASK, LeakKind.LOOP})
"""Kinds that nothing ends while we wait."""

Report = Callable[[str, Leak], None]
"""Takes a test's node id, and a leak that is to be told with it."""


class Suspect:
    """Something whose owner is over, and that is still there."""

    def __init__(self, kind: LeakKind, owner: Owner, place: Place | None, what: str, alive: Callable[[], bool]) -> None:
        self.kind, self.owner, self.place, self.what, self.alive = kind, owner, place, what, alive
        self.thing: Any = None
        """The object itself, where there is one."""
        self.descriptor = -1
        self.names: tuple[str, ...] = ()
        """What else it may be forgiven by."""
        self.stack: Callable[[], str] = str


class Watch:
    """A pytest plugin that reports what each test and each fixture leaves behind."""

    def __init__(
        self,
        root: Path,
        report: Report,
        *,
        grace: float = options.DEFAULT_GRACE,
        forgiven: Iterable[str] = (),
        ours: Callable[[], Iterable[int]] = tuple,
        folders: Sequence[str] = (),
        traces: bool = False,
        modules: bool = True,
    ) -> None:
        """Make one.

        Args:
            root: places are relative to it where they lie inside.
            report: who is told.
            grace: seconds that things on their way out are given.
            forgiven: patterns besides those that are built in.
            ours: gives descriptors that are none of the tests'.
            folders: where temporary files may stay.
            traces: whether to look after every line, so that each change is told with the line that made it.
            modules: whether to look at ``sys.modules``.
        """
        self._modules = modules
        self.report, self.grace, self.forgiven, self.ours = report, grace, Forgiven(forgiven), ours
        self.folders = ("/pytest-of-", "/flakehunt-", *folders)
        self._relative = functools.cache(functools.partial(project.relative, root=root))
        self.log = Log(self._relative)
        self.shared: senses.Shared | None = None
        self.traces = traces
        self.tracer: Tracer | None = None
        self._before: dict[LeakKind, list[Part]] = {}
        """How shared state was as the test at hand began."""
        self._moved: set[LeakKind] = set()
        """What has moved since."""
        self._stack: list[Owner] = []
        """The test at hand, and the fixtures that are being set up for it."""
        self._alive: dict[int, Owner] = {}
        """Owners of fixtures that are set up, by the id of pytest's definition."""
        self._over: list[Owner] = []
        """Fixtures that ended with the test at hand."""
        self._waited = 0.0
        self._pending: list[Suspect] = []
        """Judged when the last test has ended, as there was no grace left."""
        self._inside: set[tuple[int, tuple[int, int] | None]] = set()
        """Descriptors of what was told, with device and inode: they are told with it."""
        self._left: dict[str, tuple[str, Leak]] = {}
        """Threads that were left behind, by name: with the test whose report has them."""

    @classmethod
    def of(
        cls,
        config: pytest.Config,
        report: Report,
        *,
        patience: float = 1.0,
        ours: Callable[[], Iterable[int]] = tuple,
        traces: bool = False,
        modules: bool = True,
    ) -> Self:
        """Make one as the user asks for it.

        Args:
            config: pytest's.
            report: who is told.
            patience: by how much the grace is stretched.
            ours: gives descriptors that are none of the tests'.
            traces: whether to look after every line.
            modules: whether to look at ``sys.modules``.
        """
        base = config.getoption("basetemp", None)
        return cls(
            config.rootpath,
            report,
            grace=options.grace(config) * patience,
            forgiven=options.forgiven(config),
            ours=ours,
            folders=(str(base),) if base else (),
            traces=traces,
            modules=modules,
        )

    def kept(self) -> AbstractContextManager[None]:
        """Keep watch, as long as tests run in this process."""
        return self.log.kept()

    # who is at work

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Watch one test, with all that its set-up, its tear-down and other plugins do for it."""
        if self._stack:  # a turn of a test that is repeated
            return (yield)
        self._begin(item)
        try:
            return (yield)
        finally:
            self._end()
            if nextitem is None:
                self._last()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Put what a fixture makes on its own account."""
        if not self._stack:
            return (yield)
        owner = self._fixture(fixturedef)
        self._stack.append(owner)
        self.log.current = owner
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function" or _own_code(fixturedef):
                self._settle(owner)
            self._stack.pop()
            self.log.current = self._stack[-1]

    @pytest.hookimpl(trylast=True)
    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """Note that a fixture is over: it is judged with the test that ended last."""
        if (owner := self._alive.pop(id(fixturedef), None)) is not None:
            self._over.append(owner)

    def _begin(self, item: pytest.Item) -> None:
        if self.shared is None:
            self.shared = senses.Shared(modules=self._modules)
            self.log.about_to_move = self.shared.about_to_move
            self.log.touched.clear()  # by what a plan holds
            self.descriptors = senses.descriptors()
            self.lowest = senses.lowest()
            self.children = set(senses.children()) if senses.has_children() else set()
            self.tracer = Tracer(self.shared, self._relative) if self.traces else None
        file, line, name = item.location
        owner = Owner(Place(file.replace(os.sep, "/"), (-1 if line is None else line) + 1, name), item.nodeid)
        self._stack.append(owner)
        self._before, self._moved = self.shared.stand(), set()
        self.log.current = owner
        if self.tracer is not None:
            self.tracer.start()

    def _fixture(self, fixturedef: pytest.FixtureDef[Any]) -> Owner:
        code, own = _made_by(fixturedef.func)
        place = Place(self._relative(code.co_filename), code.co_firstlineno, code.co_name) if code else Place("", 0)
        xunit = XUNIT.match(fixturedef.argname)
        name = fixturedef.argname if xunit is None else xunit[1]
        owner = Owner(place, self._stack[0].nodeid, name, fixturedef)
        self._alive[id(fixturedef)] = owner
        if code is not None and own:
            self.log.makers[code] = owner
        return owner

    # looking

    def _settle(self, owner: Owner) -> None:
        """Put what has moved since the last look on someone's account; on a test's all that moved since it began."""
        assert self.shared is not None
        kinds = self.shared.moved(self.log.touched)
        self._moved.update(kinds)
        if owner.fixture is not None:
            owner.debts.extend(self.shared.settle(kinds, self.shared.stand()) if kinds else ())
        elif self._moved:
            owner.debts.extend(self.shared.settle(self._moved, self._before))
        free = senses.lowest()
        if self.log.opened or free != self.lowest:
            self.log.opened, self.lowest = False, free
            now = senses.descriptors()
            for number in (*self.ours(), senses.tracker()):
                now.pop(number, None)
            owner.descriptors.update({
                number: behind for number, behind in now.items() if self.descriptors.get(number) != behind
            })  # fmt: skip
            self.descriptors = now

    def _end(self) -> None:
        test = self._stack[0]
        if self.tracer is not None:
            self.tracer.stop()
        self._settle(test)
        if test.debts or test.descriptors or self._over or self.log.anything() or senses.multiplied():
            self._look(test)
        self._stack.clear()
        self.log.current = None

    def _look(self, test: Owner) -> None:
        """Look closely: the test, or a fixture that is over with it, has begun something, or has changed something."""
        owners = [test, *self._over]
        suspects = [suspect for owner in owners for suspect in self._suspects(owner)]
        suspects.extend(self._processes(owners))
        if suspects:
            self._judge(suspects)
        for begun, what, now in self.log.lost:
            self._tell(begun.owner, begun.kind, what, begun.place, now)
        self._collect_debts(test)
        self.log.forget({id(owner) for owner in owners})
        if self._over:
            for code in [code for code, owner in self.log.makers.items() if owner in self._over]:
                del self.log.makers[code]
            self._over.clear()

    def _collect_debts(self, test: Owner) -> None:
        """Say what is not as it was: a fixture's changes first, then those of the test that no fixture accounts for."""
        assert self.shared is not None
        first = self.shared.first
        owed = {path for owner in (*self._over, *self._alive.values()) for debt in owner.debts for path in debt.paths}
        for owner in (*self._over, test):
            brief = owner.fixture is not None and owner.fixture.scope == "function"
            for debt in owner.debts:
                others = [first, *([self._before] if brief else [])]  # whoever puts it back undoes all
                still = set(debt.unpaid()).intersection(
                    *(senses.paths(debt.kind, other.get(debt.kind, first[debt.kind])) for other in others)
                )
                for path in sorted(still):
                    if owner is not test or path not in owed:
                        self._tell(owner, debt.kind, path, self._changed(owner, path))

    def _suspects(self, owner: Owner) -> Iterable[Suspect]:
        log = self.log
        if log.threads:
            yield from self._threads(owner)
        for begun in log.loops:
            loop = begun.itself()
            if begun.owner is owner and loop is not None and not loop.is_closed():
                yield _thing(begun, loop, type(loop).__qualname__, functools.partial(_open, loop))
        if log.tasks:
            yield from self._tasks(owner)
        yield from self._files(owner)
        for begun in log.temps:
            path = begun.thing
            if begun.owner is owner and os.path.lexists(path) and not self._spared(path):
                yield Suspect(LeakKind.TEMP, owner, begun.place, path, functools.partial(os.path.lexists, path))

    def _threads(self, owner: Owner) -> Iterable[Suspect]:
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
                suspect = _thing(begun, thread if pool is None else pool, name, thread.is_alive)
                suspect.names = (_target(thread),)
                suspect.stack = functools.partial(of_thread, thread.ident, self._relative)
                yield suspect
            elif (ident := _given_a_turn(thread)) is not None:
                name = inspect.unwrap(thread).__qualname__
                alive = functools.partial(_runs, ident, thread)
                suspect = Suspect(LeakKind.THREAD, owner, begun.place, f"_thread ({name})", alive)
                suspect.names = (_qualified(inspect.unwrap(thread)),)
                suspect.stack = functools.partial(of_thread, ident, self._relative)
                yield suspect

    def _tasks(self, owner: Owner) -> Iterable[Suspect]:
        for begun in self.log.tasks.values():
            task = begun.itself()
            if begun.owner is owner and task is not None and not task.done() and not task.cancelling():
                suspect = _thing(begun, task, named(task), functools.partial(_under_way, task))
                suspect.stack = functools.partial(of_task, task, self._relative)
                yield suspect

    def _files(self, owner: Owner) -> Iterable[Suspect]:
        for number, behind in owner.descriptors.items():
            if _descriptor(number) != behind:
                continue
            name = senses.behind(number)
            begun, thing = self._opener(number, name)
            if begun is not None and begun.owner is NOBODY:
                continue
            if begun is not None and begun.owner is not owner and begun.owner in self._alive.values():
                begun.owner.descriptors[number] = behind  # it was made for a fixture while this test ran
                continue
            if thing is not None:
                name = _socket(thing)
            elif self._spared(name):
                name = Path(name).name
            suspect = Suspect(
                LeakKind.FILE,
                owner if begun is None else begun.owner,
                begun.place if begun else None if self.tracer is None else self.tracer.descriptors.get(behind),
                name,
                functools.partial(_still, number, behind),
            )
            suspect.thing, suspect.descriptor = thing, number
            yield suspect

    def _opener(self, number: int, name: str) -> tuple[Begun | None, Any]:
        for begun in self.log.sockets:
            thing = begun.itself()
            if thing is not None and socket.socket.fileno(thing) == number:
                return begun, thing
        return self.log.paths.get(name), None

    def _processes(self, owners: Sequence[Owner]) -> Iterable[Suspect]:
        if not (self.log.processes or senses.multiplied()) or not senses.has_children():
            return
        begun = {
            process.pid: each
            for each in self.log.processes
            if (process := each.itself()) and isinstance(process, subprocess.Popen)
        }
        forks = [each for each in self.log.processes if each.itself() == ""]
        for pid, command in senses.children().items():
            if pid in self.children:
                continue
            known = begun.get(pid) or (forks[-1] if forks else None)
            owner = known.owner if known else owners[0]
            if owner in owners:
                alive = functools.partial(_lives, pid)
                suspect = Suspect(LeakKind.PROCESS, owner, known.place if known else None, command, alive)
                suspect.thing = known.itself() or None if known else None
                suspect.names = (command,)
                self.children.add(pid)  # told once
                yield suspect

    # judging

    def _judge(self, suspects: list[Suspect]) -> None:
        """Wait for what may be on its way out, then say what stayed."""
        budget = min(self.grace, MOST_GRACES * self.grace - self._waited)
        waiting = [suspect for suspect in suspects if suspect.kind not in IDLE]
        pause, waited = FIRST_WAIT, 0.0
        while waiting and waited < budget:
            pause = min(pause, budget - waited)
            realtime.sleep(pause)
            waited += pause
            pause *= 2
            waiting = [suspect for suspect in waiting if suspect.alive()]
        self._waited += waited
        staying = [suspect for suspect in suspects if suspect.alive()]
        if waiting and waited < self.grace:
            self._pending.extend(suspect for suspect in staying if suspect.kind not in IDLE)
            staying = [suspect for suspect in staying if suspect.kind in IDLE]
        self._say(staying)

    def _say(self, staying: list[Suspect]) -> None:
        staying = self._kept_by_fixtures(staying)
        for suspect in staying:
            self._inside.update((number, _descriptor(number)) for number in _inside(suspect.thing))
        for suspect in staying:
            if (suspect.descriptor, _descriptor(suspect.descriptor)) in self._inside:
                continue
            leak = self._tell(suspect.owner, suspect.kind, suspect.what, suspect.place, suspect.stack(), suspect.names)
            if leak is not None and isinstance(suspect.thing, threading.Thread):
                self._left[suspect.thing.name] = suspect.owner.nodeid, leak

    def _last(self) -> None:
        """Give what found no grace a last one, when all tests have ended."""
        pending, self._pending, self._waited = self._pending, [], 0.0
        if pending:
            self._judge(pending)

    def _kept_by_fixtures(self, suspects: list[Suspect]) -> list[Suspect]:
        """Leave to a fixture that is still alive what its value holds: it is judged when the fixture is over."""
        staying = []
        holding = [
            (owner, result[0])
            for owner in self._alive.values()
            if (result := getattr(owner.fixture, "cached_result", None)) and _own_code(owner.fixture)
        ]
        for suspect in suspects:
            owner = next((owner for owner, value in holding if _holds(value, suspect)), None)
            if owner is None:
                staying.append(suspect)
            else:
                self._entrust(suspect, owner)
        return staying

    def _entrust(self, suspect: Suspect, owner: Owner) -> None:
        thing, kind = suspect.thing, suspect.kind
        if kind is LeakKind.FILE:
            owner.descriptors[suspect.descriptor] = senses.descriptors().get(suspect.descriptor, (0, 0))
            if thing is not None:
                self.log.sockets.append(Begun(kind, owner, suspect.place, weakref.ref(thing)))
        for begun in (*self.log.threads, *self.log.loops, *self.log.tasks.values(), *self.log.processes):
            if begun.owner is suspect.owner and (begun.itself() is thing or begun.place == suspect.place):
                begun.owner = owner

    def _changed(self, owner: Owner, path: str) -> Place | None:
        """Give the line that changed a variable or the working directory, where it was this owner's."""
        name = re.fullmatch(r"os\.environ\[(['\"])(.+)\1\]", path)
        last = self.log.variables.get(name[2]) if name else None
        if path == "the working directory":
            last = self.log.moved_to
        if last is not None and last[0] is owner:
            return last[1]
        return self.tracer.line(path) if self.tracer is not None else None

    def _spared(self, path: str) -> bool:
        return any(folder in path for folder in self.folders)

    def _tell(
        self,
        owner: Owner,
        kind: LeakKind,
        what: str,
        place: Place | None,
        now: str = "",
        names: Sequence[str] = (),
    ) -> Leak | None:
        """Report a leak unless it is forgiven."""
        name = what if kind in senses.STATE else lasting(what[:LONGEST])
        if owner.fixture is not None and place is None and not _own_code(owner.fixture):
            return None  # what a plugin's fixture does is the plugin's affair
        if self.forgiven(kind.value, what, *names):
            return None
        leak = Leak(kind, name, owner.name, owner.place, place, now)
        self.report(owner.nodeid, leak)
        return leak

    # what pytest says

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str, when: str) -> None:
        """Hear of coroutines that were never awaited, and of threads that raised."""
        if when == "runtest" and self._stack:
            self._read(str(warning_message.message), nodeid, warning_message.filename, warning_message.lineno)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Read the same from failures, where warnings are errors."""
        if report.failed and self._stack:
            self._read(report.longreprtext, report.nodeid, "", 0)

    def _read(self, text: str, nodeid: str, file: str, line: int) -> None:
        if found := UNAWAITED.search(text):
            place = Place(self._relative(file), line) if file and project.owns(file) else None
            self.log.lost.append((Begun(LeakKind.COROUTINE, self._stack[0], place, None), found[1], ""))
        if (found := RAISED.search(text)) and (left := self._left.get(found[1].strip())):
            owner, leak = left
            if owner != nodeid:
                self.report(owner, replace(leak, victim=nodeid))


def _own_code(fixturedef: pytest.FixtureDef[Any]) -> bool:
    return _made_by(fixturedef.func)[1] or XUNIT.match(fixturedef.argname) is not None


@functools.lru_cache(maxsize=1000)
def _made_by(function: Any) -> tuple[CodeType | None, bool]:
    """Give a fixture's own code, and whether that is the project's."""
    code = maker(function)
    return code, code is not None and project.owns(code.co_filename)


def _thing(begun: Begun, thing: Any, what: str, alive: Callable[[], bool]) -> Suspect:
    suspect = Suspect(begun.kind, begun.owner, begun.place, what, alive)
    suspect.thing = thing
    return suspect


def _open(loop: Any) -> bool:
    return not loop.is_closed()


def _under_way(task: Any) -> bool:
    return not task.done()


def _target(thread: threading.Thread) -> str:
    target = getattr(thread, "_target", None)
    return _qualified(type(thread) if target is None else target)


def _qualified(function: Any) -> str:
    module = getattr(function, "__module__", "")
    return f"{module}.{getattr(function, '__qualname__', type(function).__qualname__)}"


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


def _running(function: Any) -> list[int]:
    """Give the threads that were started with this function."""
    code = getattr(function, "__code__", None)
    found = []
    for ident, innermost in sys._current_frames().items():  # noqa: SLF001 - the documented way
        frame = innermost
        while frame.f_back is not None:
            frame = frame.f_back
        if frame.f_code is code:
            found.append(ident)
    return found


def _given_a_turn(function: Any) -> int | None:
    """Give the same, for a thread that may not have begun yet."""
    for _ in range(TURNS):
        if idents := _running(function):
            return idents[0]
        realtime.sleep(TURN)
    return None


def _runs(ident: int, function: Any) -> bool:
    return ident in _running(function)


def _lives(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _descriptor(number: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _still(number: int, behind: tuple[int, int]) -> bool:
    return _descriptor(number) == behind


def _socket(thing: Any) -> str:
    """Say what a socket is for, without numbers that differ from run to run."""
    kind = {socket.SOCK_STREAM: "stream", socket.SOCK_DGRAM: "datagram"}.get(thing.type, "raw")
    family = getattr(thing.family, "name", str(thing.family)).removeprefix("AF_")
    try:
        listening = thing.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        listening = 0
    return f"{'listening' if listening else kind} socket ({family})"


def _inside(thing: Any) -> Iterable[int]:
    """Give the descriptors that belong to an event loop or a process, which is told itself."""
    found = [getattr(thing, name, None) for name in ("_selector", "_ssock", "_csock", "stdin", "stdout", "stderr")]
    if thing is None or isinstance(thing, threading.Thread):
        return
    for each in found:
        try:
            yield each.fileno()  # type: ignore[union-attr]
        except (AttributeError, ValueError, OSError, TypeError):
            continue


_NOT_SEARCHED = (type, ModuleType, FunctionType)


def _holds(value: Any, suspect: Suspect) -> bool:
    """Tell whether something leads to what stayed, by references alone: no code of the project's runs."""
    thing, nothing = suspect.thing, suspect.thing is None and suspect.descriptor < 0
    if nothing or (value is thing and thing is not None):
        return not nothing
    seen: set[int] = set()
    layer = [value]
    while layer and len(seen) < MOST_SEARCHED:
        below = []
        for each in gc.get_referents(*layer):
            kind = type(each)
            if id(each) in seen or issubclass(kind, _NOT_SEARCHED) or _runs_tests(kind):
                continue
            if (thing is not None and each is thing) or (
                suspect.descriptor >= 0 and _fileno(each) == suspect.descriptor
            ):
                return True
            seen.add(id(each))
            below.append(each)
        layer = below
    return False


def _runs_tests(kind: type) -> bool:
    module = kind.__module__
    return type(module) is str and module.partition(".")[0] in project.RUNNING_TESTS


def _fileno(thing: Any) -> int:
    try:
        if issubclass(type(thing), socket.socket):
            return socket.socket.fileno(thing)
        if issubclass(type(thing), io.FileIO):
            return io.FileIO.fileno(thing)
    except ValueError:  # it is closed
        pass
    return -1
