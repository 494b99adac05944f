"""Patience, and who is to blame: what is on its way out, and what a fixture's tear-down still ends, is no leak."""

import gc
import io
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from pytest_flakehunt.ground import project, realtime
from pytest_flakehunt.leaks import processes
from pytest_flakehunt.leaks.held import STATE, Held
from pytest_flakehunt.leaks.leftovers import Leftover, descriptor, inside
from pytest_flakehunt.leaks.owners import Owner
from pytest_flakehunt.model import LeakKind

FIRST_WAIT = 50e-6
MOST_SEARCHED = 50_000
"""Objects that are looked through, at most, for what a fixture holds."""
IDLE = frozenset({LeakKind.TASK, LeakKind.LOOP, *STATE})
"""Kinds that nothing ends while we wait."""
_Socket, _FileIO = socket.socket, io.FileIO
_NOT_SEARCHED = (type, ModuleType, FunctionType)


class Judge:
    """Says which leftovers have stayed once their grace has passed; waits only where no test is to come.

    Each is noted as its owner ends, and looked at again whenever the run comes
    by: what is gone by then is forgotten, what is there after its grace is told.
    """

    def __init__(
        self,
        grace: float,
        tell: Callable[[Leftover], object],
        alive: Mapping[int, Owner],
        changed: Callable[[LeakKind], Collection[str]] = lambda _kind: (),
        *,
        clock: Callable[[], float] = realtime.monotonic,
        sleep: Callable[[float], object] = realtime.sleep,
    ) -> None:
        """Make one.

        Args:
            grace: seconds that things on their way out are given.
            tell: reports a leak.
            alive: the fixtures that are set up, whenever it is looked at.
            changed: names what of a kind of shared state is not as it was before any test.
            clock: gives the true time.
            sleep: waits.
        """
        self.grace, self._tell, self._alive, self._clock, self._sleep = grace, tell, alive, clock, sleep
        self.pending: list[Leftover] = []
        """What is looked at again and again."""
        self._held = Held(changed)
        self._inside: set[tuple[int, tuple[int, int] | None]] = set()
        """Descriptors of what was told, with device and inode: they are told with it."""

    @property
    def awaited(self) -> Iterable[Owner]:
        """Give the owners of what is still to be judged, some of them more than once."""
        return (*(leftover.owner for leftover in self.pending), *self._held.owners)

    @property
    def waits(self) -> bool:
        """Whether anything is still to be judged."""
        return bool(self.pending or self._held)

    def hear(self, leftovers: Iterable[Leftover]) -> None:
        """Take note of what is new, and judge what can be judged by now."""
        now = self._clock()
        new = list(leftovers)
        due = now if not new or processes.alone() else now + self.grace
        for leftover in new:
            leftover.due = now if leftover.kind in IDLE else due
        self.pending.extend(new)
        self.look()

    def look(self) -> None:
        """Forget what is gone, and tell what has stayed for longer than its grace."""
        if not self.waits:
            return
        now, remaining = self._clock(), frozenset(self._alive.values())
        self.pending += self._held.release(remaining)
        ready: list[Leftover] = []
        waiting: list[Leftover] = []
        for leftover in self.pending:
            if leftover.holders and not leftover.holders <= remaining:
                leftover.holders &= remaining
                if not leftover.holders and leftover.kind not in IDLE and not processes.alone():
                    leftover.due = now + self.grace  # the fixture's tear-down may just have asked it to end
            if leftover.gone or not (leftover.alive() or now < min(leftover.begins_by, leftover.due)):
                continue
            (waiting if leftover.holders or now < leftover.due else ready).append(leftover)
        self.pending = self._held.take(waiting)
        for leftover in ready:
            self._inside.update((number, descriptor(number)) for number in inside(leftover.thing))
        for leftover in ready:
            if (leftover.descriptor, descriptor(leftover.descriptor)) not in self._inside:
                self._tell(leftover)

    def about_to_begin(self, kind: LeakKind) -> None:
        """Note what is gone before something else of its kind begins, in whatever thread: that may get its number."""
        for leftover in self.pending:
            if leftover.kind is kind and self._clock() >= leftover.begins_by and not leftover.alive():
                leftover.gone = True

    def entrust(self, fixture: Owner) -> None:
        """Put on a fixture's account what waits for its end, and what its value leads to."""
        result = getattr(fixture.fixture, "cached_result", None)
        held = [leftover for leftover in self.pending if fixture in leftover.holders and leftover.alive()]
        if result and held:
            for leftover in led_to(result[0], held):
                leftover.owner = fixture

    def last(self, *, wait: bool) -> None:
        """Judge the rest, when the last test of a process has ended.

        Args:
            wait: whether to give what is under way the rest of its grace; where not, it stays unknown.
        """
        if not self.waits:
            return
        self.look()
        pause = FIRST_WAIT
        while wait and self.pending:
            left = 0.0 if processes.alone() else max(leftover.due for leftover in self.pending) - self._clock()
            if left <= 0:
                for leftover in self.pending:
                    leftover.due = self._clock()
                self.look()
                break
            self._sleep(min(pause, left))
            pause *= 2
            self.look()


def led_to(value: Any, leftovers: Iterable[Leftover]) -> list[Leftover]:
    """Give those that a fixture's value leads to, by references alone: no code of the project's runs."""
    things = {id(leftover.thing): leftover for leftover in leftovers if leftover.thing is not None}
    numbers = {leftover.descriptor: leftover for leftover in leftovers if leftover.descriptor >= 0}
    found: dict[int, Leftover] = {}
    seen: set[int] = set()
    layer = [value]
    while layer and len(seen) < MOST_SEARCHED:
        below = []
        for each in layer:
            kind = type(each)
            if id(each) in seen or issubclass(kind, _NOT_SEARCHED) or _runs_tests(kind):
                continue
            seen.add(id(each))
            hit = things.get(id(each)) or numbers.get(_fileno(each))
            if hit is not None:
                found[id(hit)] = hit
            below.append(each)
        layer = gc.get_referents(*below)
    return list(found.values())


def _runs_tests(kind: type) -> bool:
    module = kind.__module__
    return type(module) is str and module.partition(".")[0] in project.RUNNING_TESTS


def _fileno(thing: Any) -> int:
    try:
        if issubclass(type(thing), _Socket):
            return _Socket.fileno(thing)
        if issubclass(type(thing), _FileIO):
            return _FileIO.fileno(thing)
    except ValueError:  # it is closed
        pass
    return -1
