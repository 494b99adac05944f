"""Patience, and who is to blame: what is on its way out, and what a fixture's tear-down still ends, is no leak."""

import gc
import io
import socket
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from pytest_flakehunt.ground import project, realtime
from pytest_flakehunt.leaks import processes, shared_state
from pytest_flakehunt.leaks.leftovers import Leftover, descriptor, inside
from pytest_flakehunt.leaks.owners import Owner
from pytest_flakehunt.model import LeakKind

FIRST_WAIT = 50e-6
MOST_GRACES = 5
"""Graces that are spent in one process: later leaks are judged as its tests end."""
MOST_SEARCHED = 50_000
"""Objects that are looked through, at most, for what a fixture holds."""
IDLE = frozenset({LeakKind.TASK, LeakKind.LOOP, *shared_state.STATE})
"""Kinds that nothing ends while we wait."""
_Socket, _FileIO = socket.socket, io.FileIO
_NOT_SEARCHED = (type, ModuleType, FunctionType)


class Judge:
    """Waits for leftovers, and says which of them have stayed."""

    def __init__(self, grace: float, tell: Callable[[Leftover], object]) -> None:
        """Make one.

        Args:
            grace: seconds that things on their way out are given.
            tell: reports a leak.
        """
        self.grace, self._tell = grace, tell
        self._waited = 0.0
        self._adjourned: list[Leftover] = []
        """Judged when fixtures are over, or when the last test has ended."""
        self._inside: set[tuple[int, tuple[int, int] | None]] = set()
        """Descriptors of what was told, with device and inode: they are told with it."""

    @property
    def waits(self) -> bool:
        """Whether anything is still to be judged."""
        return bool(self._adjourned)

    def hear(self, leftovers: Iterable[Leftover], alive: Iterable[Owner] = ()) -> None:
        """Judge those that no fixture's tear-down can end any more.

        Args:
            leftovers: what is new.
            alive: fixtures that are set up.
        """
        remaining = frozenset(alive)
        ready: list[Leftover] = []
        waiting: list[Leftover] = []
        for leftover in (*self._adjourned, *leftovers):
            leftover.holders &= remaining
            (waiting if leftover.holders else ready).append(leftover)
        self._adjourned = waiting
        if ready:
            self.judge(ready)

    def last(self) -> None:
        """Judge the rest, when all tests have ended: what found no grace gets a last one."""
        self._waited = 0.0
        self.hear(())

    def judge(self, leftovers: Sequence[Leftover]) -> None:
        """Wait for what may be on its way out, then say what stayed."""
        budget = min(self.grace, MOST_GRACES * self.grace - self._waited)
        waiting = [leftover for leftover in leftovers if leftover.kind not in IDLE]
        pause, waited = FIRST_WAIT, 0.0
        while waiting and waited < budget and not processes.alone():
            pause = min(pause, budget - waited)
            realtime.sleep(pause)
            waited += pause
            pause *= 2
            waiting = [leftover for leftover in waiting if leftover.alive()]
        self._waited += waited
        staying = [leftover for leftover in leftovers if leftover.alive()]
        if waiting and budget <= waited < self.grace:
            self._adjourned.extend(leftover for leftover in staying if leftover.kind not in IDLE)
            staying = [leftover for leftover in staying if leftover.kind in IDLE]
        for leftover in staying:
            self._inside.update((number, descriptor(number)) for number in inside(leftover.thing))
        for leftover in staying:
            if (leftover.descriptor, descriptor(leftover.descriptor)) not in self._inside:
                self._tell(leftover)


def holder(leftover: Leftover, alive: Iterable[Owner]) -> Owner | None:
    """Give the fixture whose value leads to what stayed, by references alone: no code of the project's runs."""
    for owner in alive:
        result = getattr(owner.fixture, "cached_result", None)
        if result and _holds(result[0], leftover):
            return owner
    return None


def _holds(value: Any, leftover: Leftover) -> bool:
    thing = leftover.thing
    if thing is None and leftover.descriptor < 0:
        return False
    if value is thing and thing is not None:
        return True
    seen: set[int] = set()
    layer = [value]
    while layer and len(seen) < MOST_SEARCHED:
        below = []
        for each in gc.get_referents(*layer):
            kind = type(each)
            if id(each) in seen or issubclass(kind, _NOT_SEARCHED) or _runs_tests(kind):
                continue
            if (thing is not None and each is thing) or (
                leftover.descriptor >= 0 and _fileno(each) == leftover.descriptor
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
        if issubclass(type(thing), _Socket):
            return _Socket.fileno(thing)
        if issubclass(type(thing), _FileIO):
            return _FileIO.fileno(thing)
    except ValueError:  # it is closed
        pass
    return -1
