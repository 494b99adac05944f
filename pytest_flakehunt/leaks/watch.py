"""The leak watch: a pytest plugin that looks as each test and each fixture ends, and says what stayed."""

import functools
import linecache
import re
import warnings
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pytest

from pytest_flakehunt.asked import options
from pytest_flakehunt.ground import project
from pytest_flakehunt.leaks import descriptors, processes, shared_state
from pytest_flakehunt.leaks.changes import Changes
from pytest_flakehunt.leaks.event_loops import EventLoops
from pytest_flakehunt.leaks.forgiven import Forgiven
from pytest_flakehunt.leaks.judging import Judge
from pytest_flakehunt.leaks.leftovers import Leftover, Leftovers, descriptor
from pytest_flakehunt.leaks.lines import Tracer
from pytest_flakehunt.leaks.log import Log
from pytest_flakehunt.leaks.owners import Begun, Owner, defined
from pytest_flakehunt.leaks.seeding import Seeding
from pytest_flakehunt.model import Leak, LeakKind, Place, lasting

LONGEST = 120
"""Characters of a name."""
UNAWAITED = re.compile(r"coroutine '([^']+)' was never awaited")
RAISED = re.compile(r"Exception in thread (.+)")
AS_ERRORS = re.compile(
    r"[\w.]*Pytest(Unraisable|UnhandledThread)ExceptionWarning|.*multiple (unraisable|unhandled thread)"
)
"""How failures begin that stand for such warnings."""
REHEARSALS = 20
"""Looks before the first fork: Python rewrites code that runs often, and each fork would copy those pages."""

Report = Callable[[str, Leak], object]
"""Takes a test's node id, and a leak that is to be told with it."""
Settle = Callable[[str, bool], object]
"""Takes a test's node id, and whether all that it left is judged."""


class Watch:
    """A pytest plugin that reports what each test and each fixture leaves behind."""

    def __init__(self, root: Path, *, grace: float, forgiven: Iterable[str], folders: Sequence[str]) -> None:
        """Make one, and look for the first time.

        Args:
            root: places are relative to it where they lie inside.
            grace: seconds that things on their way out are given.
            forgiven: patterns besides those that are built in.
            folders: where temporary files may stay.
        """
        self.forgiven = Forgiven(forgiven)
        self._relative = functools.cache(functools.partial(project.relative, root=root))
        self.log = Log(self._relative)
        self.leftovers = Leftovers(self.log, self._relative, ("/pytest-of-", "/flakehunt-", *folders))
        self.alive = self.leftovers.alive
        self._awaited: frozenset[str] = frozenset()
        """Tests of which it is not known yet whether they, or fixtures that were set up for them, leave anything."""
        self._through = False
        """Whether the last test has ended."""
        self.changes = Changes(self.log)
        self._grace = grace
        self.judge = Judge(grace, self._tell, self.alive, self.changes.shared.changed)
        self.descriptors = descriptors.Descriptors()
        self._broken = False
        self._stack: list[Owner] = []
        """The test at hand, and the fixtures that are being set up for it."""
        self._turned = False
        """Whether the test at hand has begun: it may be repeated."""
        self._over: list[Owner] = []
        """Fixtures that ended with the test at hand."""
        self._left: dict[str, tuple[str, Leak]] = {}
        """Threads that were left behind, by name: with the test whose report has them."""

    @classmethod
    def of(cls, session: pytest.Session) -> Self:
        """Make one as the user asks for it, for all that was collected."""
        config = session.config
        packages = {node for item in session.items for node in item.listchain() if isinstance(node, pytest.Package)}
        shared_state.package_roots.update(str(project.package_root(package.path)) for package in packages)
        base = config.getoption("basetemp", None)
        return cls(
            config.rootpath,
            grace=options.grace(config),
            forgiven=options.forgiven(config),
            folders=(str(base),) if base else (),
        )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep watch, as long as tests run in this process and in those that it forks."""
        self.log.about_to_begin = self._about_to_begin
        with self.log.kept(), EventLoops(self.log).held(), Seeding(self.log).held():
            for _ in range(REHEARSALS):
                self.changes.shared.moved()
                self.descriptors.begin()
            yield

    def begin(self, report: Report, *, gave_up: Callable[[str], object]) -> None:
        """Take how things stand now as how they should be left.

        Args:
            report: who is told.
            gave_up: who is told where a test has broken the watch: no test may fail for that.
        """
        self.serve(report, gave_up=gave_up)
        self.look_around()

    def serve(
        self,
        report: Report,
        *,
        gave_up: Callable[[str], object],
        settle: Settle = lambda _nodeid, _judged: None,
        patience: float = 1.0,
        ours: Callable[[], Iterable[int]] = tuple,
        traces: bool = False,
        near: bool = True,
        modules: bool = True,
        stirred: Callable[[], object] = bool,
    ) -> None:
        """Learn who is told, and what is asked for.

        Args:
            report: who is told.
            gave_up: who is told where a test has broken the watch: no test may fail for that.
            settle: is told of each test that leaves something to be judged later, and when that is done.
            patience: by how much the grace is stretched.
            ours: gives descriptors that are none of the tests'.
            traces: whether to look after every line, so that each change is told with the line that made it.
            near: whether to look after each test at shared state of which no event tells.
            modules: whether to look at ``sys.modules``, which touches every module: in a fork that copies their pages.
            stirred: is told where the look after the last test, the only one from afar, shows such state changed.
        """
        self.report, self._gave_up, self.ours, self._stirred = report, gave_up, ours, stirred
        self._settles, self._awaited, self._through = settle, frozenset(), False
        self.judge.grace = self._grace * patience
        self.leftovers.tracer = Tracer(self.changes.shared, self._relative) if traces else None
        self._near, self._modules = near, modules

    def look_around(self) -> None:
        """Take how things stand now as how they should be left."""
        self._guarded(self._look_around)

    def _look_around(self) -> None:
        self.changes.begin(near=self._near, modules=self._modules)
        self.log.opened = False
        self.log.seeded.clear()
        self.log.unmet.clear()
        self.descriptors.begin()
        self.leftovers.begin()

    # who is at work

    def during(self, item: pytest.Item, *, last: bool) -> AbstractContextManager[None]:
        """Watch one test, with all that its set-up, its tear-down and other plugins do for it.

        Args:
            item: the test.
            last: whether no other follows.
        """
        if self._broken or self._stack:  # a turn of a test that is repeated
            return nullcontext()
        return _Turn(self, item, last)

    def start(self, item: pytest.Item) -> None:
        """Begin with a test."""
        owner = Owner(item.nodeid, location=item.location)
        self._guarded(self.judge.look)
        self._stack.append(owner)
        self.changes.start()
        self._turned = False
        self.log.current = owner
        if self.leftovers.tracer is not None:
            self._guarded(self.leftovers.tracer.start)

    def stop(self, item: pytest.Item, *, last: bool) -> None:
        """Look at what the test has left, and its fixtures that are over."""
        self._guarded(self._end, item)
        self._stack.clear()
        self.log.current = None
        if last:
            self._guarded(self._look_back)
            self._through = True

    def finish(self, *, wait: bool = True) -> Collection[str]:
        """Judge the rest, as a process ends.

        Args:
            wait: whether to give what is on its way out the rest of its grace, once the last test has ended.

        Returns:
            Tests of which it stays unknown whether they, or fixtures that were
            set up for them, have left anything.
        """
        self._guarded(functools.partial(self.judge.last, wait=wait and self._through))
        self._guarded(self._note_awaited)
        return frozenset(owner.nodeid for owner in (*self.judge.awaited, *self.alive.values()))

    def _note_awaited(self) -> None:
        """Tell of tests that came to wait for their judgement, and of those that got it."""
        if not (self.judge.waits or self.alive or self.log.seeded or self.log.unmet or self._awaited):
            return
        seeding = (begun.owner for begun in self.log.seeded.values())
        owners = (*self.judge.awaited, *self.alive.values(), *seeding)
        awaited = frozenset(self.log.unmet).union(owner.nodeid for owner in owners)
        if awaited != self._awaited:
            for nodeid in awaited ^ self._awaited:
                self._settles(nodeid, nodeid not in awaited)
            self._awaited = awaited

    def _about_to_begin(self, kind: LeakKind) -> None:
        if self.judge.pending:
            self.judge.about_to_begin(kind)
        if kind is LeakKind.THREAD:
            self.leftovers.about_to_begin()

    def _look_back(self) -> None:
        if not self.changes.near:
            found = self.changes.shared.stirred()
            if any(not self.forgiven(kind.value, path) for kind, path in found):
                self._stirred()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Put what the last turn of a repeated test has changed on its own account, not on the next fixture's."""
        if self._turned and self._stack:
            self._guarded(self._settle, self._stack[0])
        self._turned = True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Put what a fixture makes on its own account."""
        if not self._stack:
            return (yield)
        owner = self._guarded(self._fixture, fixturedef)
        if owner is None:
            return (yield)
        self._stack.append(owner)
        self.log.current = owner
        try:
            return (yield)
        finally:
            if owner.definition.own or not owner.definition.brief:
                self._guarded(self._settle, owner)
            self._stack.pop()
            self.log.current = self._stack[-1]

    @pytest.hookimpl(trylast=True)
    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """Note that a fixture is over, and what it has not put back by now; it is judged with the test at hand."""
        if (owner := self.alive.pop(id(fixturedef), None)) is not None:
            self._guarded(self._part, owner)
            self._over.append(owner)

    def _part(self, owner: Owner) -> None:
        if owner.debts:
            owner.debts = [replace(debt, paths=debt.paths & debt.unpaid()) for debt in owner.debts]
        if owner.descriptors:  # the next one may get a closed one's number, and the inode that some kinds share
            closed = {number for number, behind in owner.descriptors.items() if descriptor(number) != behind}
            for number in closed:
                del owner.descriptors[number]
            self.descriptors.forget(closed)
            self.log.opened |= bool(closed)
        if owner.definition.own:
            self.judge.entrust(owner)

    def pytest_exception_interact(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Read of threads and coroutines from failures, where warnings are errors."""
        if self._stack and AS_ERRORS.match(_message(report)):
            self._read(report.longreprtext, report.nodeid, "", 0)

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str, when: str) -> None:
        """Hear of coroutines that were never awaited, and of threads that raised."""
        if when == "runtest" and self._stack:
            self._read(str(warning_message.message), nodeid, warning_message.filename, warning_message.lineno)

    def _guarded(self, look: Callable[..., Any], *args: object) -> Any:
        """Give what a look gives; give up rather than let a test fail for us: it may have replaced anything."""
        if self._broken:
            return None
        try:
            return look(*args)
        except Exception as error:  # noqa: BLE001 - whatever it is
            self._broken = True
            when = f"at {self._stack[0].nodeid}" if self._stack else "between tests"
            self._gave_up(f"the leak watch gave up {when}: {type(error).__name__}: {error}")
        return None

    def _fixture(self, fixturedef: pytest.FixtureDef[Any]) -> Owner | None:
        definition = defined(fixturedef.func, fixturedef.argname, fixturedef.scope, self._relative)
        if definition is None:
            return None
        owner = Owner(self._stack[0].nodeid, definition, fixturedef)
        self.alive[id(fixturedef)] = owner
        if definition.code is not None and definition.own:
            self.log.makers[definition.code] = owner
        return owner

    # looking

    def _settle(self, owner: Owner) -> None:
        """Put what is new since the last look on someone's account."""
        self.changes.settle(owner)
        if self.log.processes or processes.multiplied():
            self.leftovers.meet(owner)
        if new := self.descriptors.new(opened=self.log.opened, ours=self.ours):
            owner.descriptors.update(new)
        self.log.opened = False

    def _end(self, item: pytest.Item) -> None:
        test = self._stack[0]
        if self.leftovers.tracer is not None:
            self.leftovers.tracer.stop()
        self._settle(test)
        if self.log.anything() or processes.multiplied() or test.owes or any(owner.owes for owner in self._over):
            self._look(test, item)
        self.judge.look()
        if self.log.seeded:
            self._look_at_seeds(test)
        if self._over:
            for owner in self._over:
                if self.log.makers.get(owner.definition.code) is owner:  # a factory's fixtures share their code
                    del self.log.makers[owner.definition.code]
            self._over.clear()
        self._note_awaited()

    def _look_at_seeds(self, test: Owner) -> None:
        """Tell of seeds that others have left and that this test had to live with."""
        for name, begun in [*self.log.seeded.items()]:
            if begun.owner.nodeid != test.nodeid and begun.owner not in self.alive.values():
                del self.log.seeded[name]
                self._tell(Leftover(LeakKind.SEED, begun.owner, begun.place, name, bool))

    def _look(self, test: Owner, item: pytest.Item) -> None:
        """Look closely: the test, or a fixture that is over with it, has begun something, or has changed something."""
        owners = [test, *self._over]
        found = [leftover for owner in owners for leftover in self.leftovers.of(owner)]
        line = self.leftovers.tracer.line if self.leftovers.tracer is not None else _unseen
        found += [*self.leftovers.processes(owners), *self.changes.left(test, self._over, self.alive.values(), line)]
        names = set(getattr(item, "fixturenames", ()))
        holders = frozenset(
            owner for owner in self.alive.values() if owner.fixture.argname in names and owner.definition.ends
        )
        values = frozenset(
            owner for owner in self.alive.values() if owner.definition.own and not owner.definition.brief
        )
        for leftover in found:
            if leftover.owner.definition.brief:
                leftover.holders = holders | values if leftover.tangible else holders
            if leftover.kind is LeakKind.THREAD:
                self._leak(leftover)  # it may raise in another test before it is judged
        self.judge.hear(found)
        for begun, what, now in self.log.lost:
            self._tell(Leftover(begun.kind, begun.owner, begun.place, what, bool, stack=functools.partial(str, now)))
        self.log.forget({id(owner) for owner in owners})

    # telling

    def _tell(self, leftover: Leftover) -> None:
        """Report a leak unless it is forgiven."""
        leak = self._leak(leftover)
        if leak is not None:
            self.report(leftover.owner.nodeid, leak)

    def _leak(self, leftover: Leftover) -> Leak | None:
        """Put it into words, and remember threads: they may raise in another test."""
        owner, kind, what = leftover.owner, leftover.kind, leftover.what[:LONGEST]
        if leftover.place is None and not owner.definition.own:
            return None  # what a plugin's fixture does is the plugin's affair
        if self.forgiven(kind.value, what, *leftover.names, nodeid=owner.nodeid):
            return None
        name = leftover.what if kind in shared_state.STATE else lasting(what)
        leak = Leak(kind, name, owner.definition.name, owner.place, leftover.place, leftover.stack())
        if kind is LeakKind.THREAD and leftover.thing is not None:
            self._left[leftover.thing.name] = owner.nodeid, leak
        return leak

    def _read(self, text: str, nodeid: str, file: str, line: int) -> None:
        if found := UNAWAITED.search(text):
            called = found[1].rpartition(".")[2] in linecache.getline(file, line)  # not where it was collected later
            place = Place(self._relative(file), line) if called and project.owns(file) else None
            self.log.lost.append((Begun(LeakKind.COROUTINE, self._stack[0], place, None), found[1], ""))
        if (found := RAISED.search(text)) and (left := self._left.get(found[1].strip())):
            owner, leak = left
            if owner != nodeid:
                self.report(owner, replace(leak, victim=nodeid))


def ready(session: pytest.Session, undo: ExitStack) -> tuple[Watch | None, str]:
    """Make a watch and keep it, once all is collected.

    Args:
        session: the collected session.
        undo: ends it.

    Returns:
        The watch, or None and why there is none: no run may fail for that.
    """
    try:
        watch = Watch.of(session)
        undo.enter_context(watch.kept())
    except Exception as error:  # noqa: BLE001 - whatever a suite has put in the place of what we look at
        return None, f"the leak watch gave up before the tests: {type(error).__name__}: {error}"
    session.config.pluginmanager.register(watch)
    return watch, ""


@dataclass(slots=True)
class _Turn:
    """One test that is watched."""

    watch: Watch
    item: pytest.Item
    last: bool

    def __enter__(self) -> None:
        self.watch.start(self.item)

    def __exit__(self, *_: object) -> None:
        self.watch.stop(self.item, last=self.last)


def _unseen(_path: str) -> None:
    return None


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(getattr(getattr(report.longrepr, "reprcrash", None), "message", ""))
