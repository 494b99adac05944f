"""The baton: of the threads of a test, the one that has it runs; all others wait until it comes to them.

It changes hands where the running thread passes a place to switch at, waits for
something that another thread must do, or ends. Nothing here waits for ever: who
has the baton and does not come back, as it is blocked in something that is not
steered, loses it and runs free until it next passes such a place.
"""

import _thread
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from pytest_flakehunt.ground import project, realtime
from pytest_flakehunt.steering.schedules import Schedule

SLICE = 0.02
"""Seconds after which a thread that waits looks whether anything moves."""
MOST_SLICE = 1.0
"""Seconds after which each of many that wait looks."""
MOMENT = 0.04
"""Seconds without a step after which the running thread is taken to be blocked, if its processor time stands still."""
BUSY = 0.1
"""Share of the time for which a thread must have run, or have waited for a processor, to be taken to compute."""
MOST_BUSY = 1.0
"""Seconds without a step after which it loses the baton though it computes."""
MOST_LOST = 5
"""How often the baton may get lost before all threads run free: each time takes a moment."""
MOST_EARLY = 0.25
"""Seconds that a thread may have left to wait to be taken to have waited long enough."""
MOST_SWITCHES = 5000
"""How often threads change places before all run free: more would take seconds, and bugs need few."""
MOST_STEPS = 2000
"""Steps after which a thread makes room in any case: it may wait for others in a loop."""

allocate = _thread.allocate_lock
"""Held on to, as what others find by this name may be ours; so are those that follow."""
_open, _read, _close = os.open, os.read, os.close


class Deadlock(BaseException):
    """All threads of a test wait for each other."""


@dataclass(slots=True, eq=False)
class Member:
    """One thread of a test."""

    number: int
    """How many started before it."""
    name: str
    """As the test calls it."""
    priority: float
    gate: Any = field(default_factory=allocate)
    """Taken while it must wait; whoever hands it the baton lets go of it."""
    ident: int = 0
    native: int = 0
    """The system's number of it; 0 before it runs."""
    waits: object = None
    """What it waits for; None if it could run."""
    due: float | None = None
    """When its wait is over, in the test's own time."""
    until: float = 0.0
    """The same on the real clock."""
    expired: bool = False
    early: bool = False
    free: bool = False
    """Whether it runs without the baton."""
    done: bool = False

    def __post_init__(self) -> None:
        self.gate.acquire()


class Baton:
    """Who runs, in one test."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.members: dict[int, Member] = {}
        self.started = 0
        self.holder: Member | None = None
        self.steps = 0
        self.lost = 0
        self.over = False
        self.deadlock = ""
        self.switches: list[tuple[int, int, int]] = []
        """Step, and the numbers of who stopped and who went on."""
        self._all: list[Member] = []
        self._since = 0
        self._now = 0.0
        self._mutex = _thread.RLock()
        self._choosing = False
        """Whether the baton is being handed on: a finalizer or a signal's handler may come between."""
        self._news = False
        """Whether somebody may go on who could not before."""
        self._seen = (-1, 0.0, 0.0)
        """Step, time and processor time at which somebody last looked."""
        self._napping = False

    # who takes part

    def joins(self) -> Member:
        """Take in the thread that runs the test."""
        member = self._new(threading.current_thread().name)
        self._known(member)
        self.holder = member
        return member

    def _known(self, member: Member) -> None:
        member.ident, member.native = _thread.get_ident(), _thread.get_native_id()
        self.members[member.ident] = member

    def starts(self, name: str) -> Member | None:
        """Take in a thread that is about to start; None where who starts it is not steered."""
        if self.over or self.members.get(_thread.get_ident()) is None:
            return None
        return self._new(name)

    def _new(self, name: str) -> Member:
        with self._mutex:
            member = Member(self.started, name, self.schedule.priority())
            self.started += 1
            self._all.append(member)
            self._news = True
        return member

    def begins(self, member: Member) -> None:
        """Wait, as a thread that was started, until it is its turn for the first time."""
        self._known(member)
        self._offer()
        self._wait(member)

    def never_began(self, member: Member) -> None:
        """Forget a thread that could not be started."""
        with self._mutex:
            self._leave(member)

    def ends(self, member: Member) -> None:
        """Hand on the baton for good."""
        with self._mutex:
            self.members.pop(member.ident, None)
            self._leave(member)

    def _leave(self, member: Member) -> None:
        member.done = True
        self._all.remove(member)
        self.freed(member)
        if self.holder is member:
            self._choose(member)

    def me(self) -> Member | None:
        """Give the thread that asks if it has the baton; one that ran free waits for it first."""
        if self.over:
            return None
        member = self.members.get(_thread.get_ident())
        if member is None:
            return None
        if member is not self.holder:
            if not member.free:
                return None  # a signal's handler, or a finalizer, beside what waits
            if not self._arrive(member):
                return None
        return member

    # where the baton may change hands

    def passed(self, code: CodeType, line: int) -> None:
        """Take in that a thread is about to run a line."""
        member = self.me()
        if member is not None and len(self._all) > 1:
            self._step(member, room=self.schedule.makes_room_at(code.co_qualname, line - code.co_firstlineno))

    def point(self, member: Member) -> None:
        """Let another thread go on at an operation, or not."""
        self._step(member, room=self.schedule.makes_room())

    def _step(self, member: Member, *, room: bool) -> None:
        self.steps = step = self.steps + 1
        tired = step - self._since > MOST_STEPS
        if tired:
            self._since = step
        if room or tired:
            member.priority = self.schedule.lowest()
        elif not self._news:
            return
        with self._mutex:
            self._news = False
            best = self._ready()
            if best is None and tired:
                best = self._late()
            elif best is None or best.priority < member.priority:
                return
            if best is None:
                return
            self._grant(member, best)
        self._wait(member)

    def until(
        self, member: Member, attempt: Callable[[], bool], waits: object, seconds: float | None = None
    ) -> bool | None:
        """Wait until something comes about that another thread must do.

        Args:
            member: the thread that waits, which has the baton.
            attempt: does it if it can be done at once, and tells whether.
            waits: what :meth:`freed` will name.
            seconds: how long to wait at most; None for ever.

        Returns:
            Whether it came about; None where nothing is steered any more, so that it is to be waited for as ever.
        """
        __tracebackhide__ = True
        start = realtime.monotonic()
        due = None if seconds is None else self._now + seconds
        while True:
            with self._mutex:
                member.waits, member.due, member.expired = waits, due, False
                member.until = 0.0 if seconds is None else start + seconds
                left = member.until - realtime.monotonic()
                member.early = seconds is not None and left < MOST_EARLY and self.schedule.early()
                if attempt():  # a thread that is not steered may have done it meanwhile
                    self._woken(member)
                    return True
                self._choose(member)
            try:
                self._wait(member)
                if self.over:
                    return None
                if (member.early or member.expired) and self._napped(member):
                    self._now = max(self._now, member.due or 0.0)
                    return attempt()
            finally:
                self._woken(member)
            if attempt():
                return True

    def _napped(self, member: Member) -> bool:
        """Let the time that a thread waits for really pass; tell whether it did, before somebody else could go on."""
        self._napping = True
        try:
            while (left := member.until - realtime.monotonic()) > 0 and not self.over:
                realtime.sleep(left if member.early else min(left, SLICE))
                if not member.early and (member.waits is None or self._ready() is not None):
                    return False
        finally:
            self._napping = False
        return True

    def _woken(self, member: Member) -> None:
        member.waits, member.due, member.early, member.expired = None, None, False, False

    def freed(self, waits: object) -> None:
        """Let all go on that waited for something, as soon as it is their turn."""
        if self.over:
            return
        with self._mutex:
            for member in self._all:
                if member.waits is waits:
                    member.waits, self._news = None, True
        self._offer()

    def _offer(self) -> None:
        """Hand over the baton if nobody has it."""
        with self._mutex:
            if self.holder is None and not self.over and not self._choosing:
                self._choose(None)

    # handing on

    def _ready(self) -> Member | None:
        """Give the one of highest priority that could run and does not."""
        best: Member | None = None
        for member in self._all:
            if member is self.holder or member.free:
                continue
            if member.waits is not None and not member.early:
                continue
            if best is None or member.priority > best.priority:
                best = member
        return best

    def _late(self) -> Member | None:
        """Give the one whose time to wait is over, while the running thread goes on and on."""
        late = self._due()
        if late is None or late.until > realtime.monotonic():
            return None
        late.expired = True
        return late

    def _due(self) -> Member | None:
        """Give the one whose time to wait is over first, in the test's own time."""
        waiting = [member for member in self._all if member.due is not None and member.waits is not None]
        return min(waiting, key=lambda member: (member.due, member.number), default=None)

    def _choose(self, before: Member | None) -> None:
        """Hand the baton to whoever could run; to nobody where all wait. The caller has the mutex."""
        self._choosing, self.holder = True, None
        try:
            best = self._ready()
            if best is None:
                best = self._due()
                if best is not None:
                    best.expired = True
            if best is not None:
                self._grant(before, best)
        finally:
            self._choosing = False

    def _grant(self, before: Member | None, member: Member) -> None:
        if self.over:
            return  # all gates are open
        self._since = self.steps
        if before is not member:
            self.switches.append((self.steps, -1 if before is None else before.number, member.number))
        if len(self.switches) > MOST_SWITCHES:
            self._open_all()
            return
        self.holder = member
        self._napping = False
        member.gate.release()

    def _wait(self, member: Member) -> None:
        """Wait, as a thread without the baton, until it is handed over."""
        __tracebackhide__ = True
        if self.over:
            return
        granted = False
        try:
            while not (granted := member.gate.acquire(timeout=self._slice())):
                if self.over:
                    break
                self._look(member)
            if self.deadlock and member.number == 0:
                raise Deadlock(self.deadlock)
            if self.deadlock:
                raise SystemExit  # of which the interpreter says nothing
        except BaseException:
            if not granted:
                self._lost(member)
            raise

    def _slice(self) -> float:
        """Give the seconds to wait until the next look."""
        return min(MOST_SLICE, SLICE * len(self._all))  # one of them looks at a time, as it were

    def _lost(self, member: Member) -> None:
        """Take in that a thread was torn out of its wait, such as by what a signal's handler raised."""
        with self._mutex:
            self._woken(member)
            if self.holder is member:
                member.gate.acquire(False)
            else:
                member.free = True

    def _arrive(self, member: Member) -> bool:
        """Wait for the baton, as a thread that ran free; tell whether it is still of use."""
        member.free, self._news = False, True
        self._offer()
        self._wait(member)
        return not self.over

    # what is not steered

    def _look(self, member: Member) -> None:
        """See, as one that waits, whether the one with the baton is blocked, and whether anybody ever comes."""
        with self._mutex:
            if self.over:
                return
            holder, now = self.holder, realtime.monotonic()
            if holder is None:
                self._nobody_runs()
                return
            if holder is member or self._napping or not holder.native:
                return
            busy = _busy(holder.native)
            step, since, before = self._seen
            if step != self.steps:
                self._seen = self.steps, now, busy
                return
            computes = busy - before > BUSY * (now - since) or _wants_processor(holder.native)
            if now - since < (MOST_BUSY if computes else MOMENT):
                return
            self._take_away(holder)

    def _take_away(self, holder: Member) -> None:
        self.lost += 1
        holder.free = True
        self._seen = -1, 0.0, 0.0
        if self.lost > MOST_LOST:
            self.dissolve()
        else:
            self._choose(holder)

    def _nobody_runs(self) -> None:
        """See to it that a deadlock is told of."""
        if any(each.free or each.due is not None or each.waits is None for each in self._all) or self._foreign():
            return
        if not self.deadlock:
            self.deadlock = self._circle()
            self._open_all()

    def _foreign(self) -> bool:
        """Tell whether other threads of Python's are there, which may do what others wait for."""
        return len(sys._current_frames()) > len(self.members)  # noqa: SLF001 - the only way

    def _circle(self) -> str:
        frames = sys._current_frames()  # noqa: SLF001 - the only way
        waiting = [f"{each.name} waits{_at(frames.get(each.ident))} for {_what(each.waits)}" for each in self._all]
        return "all threads wait for each other: " + "; ".join(waiting)

    def dissolve(self) -> None:
        """Let all threads run free from now on."""
        with self._mutex:
            self._open_all()

    def _open_all(self) -> None:
        self.over = True
        for member in self._all:
            if member.gate.locked():  # else it is on its way already
                member.gate.release()

    def digest(self) -> str:
        """Give a word for all switches: two runs of one schedule with the same word ran alike."""
        return blake2b(repr(self.switches).encode(), digest_size=8).hexdigest()


def _at(frame: FrameType | None) -> str:
    """Say at which line of the project's own code a thread is."""
    while frame is not None and not project.owns(frame.f_code.co_filename):
        frame = frame.f_back
    return "" if frame is None else f" at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def _what(waits: object) -> str:
    """Name what a thread waits for, and who has it."""
    if isinstance(waits, Member):
        return f"the end of {waits.name}"
    owner = getattr(waits, "owner", None)
    if not isinstance(owner, Member):
        return "what nobody does"
    return "a lock of its own" if owner.waits is waits else f"a lock that {owner.name} has"


def _busy(native: int) -> float:
    """Give the seconds for which a thread ran or could have; 0 where the system does not tell, or it is gone."""
    ran, queued, *_ = *_told(native, "schedstat").split()[:2], b"0", b"0"
    return (int(ran) + int(queued)) / 1e9


def _wants_processor(native: int) -> bool:
    """Tell whether a thread runs or could at this moment."""
    return _told(native, "stat").rpartition(b")")[2].strip().startswith(b"R")


def _told(native: int, name: str) -> bytes:
    """Read what the system tells of a thread; nothing where it does not, or it is gone."""
    try:
        file = _open(f"/proc/self/task/{native}/{name}", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return _read(file, 1000)
    finally:
        _close(file)
