"""The baton: of the threads of a test, the one that has it runs; all others wait until it comes to them.

It changes hands where the running thread passes a place to switch at, waits for
something that another thread must do, or ends. Nothing here waits for ever: who
has the baton and does not come back, as it is blocked in something that is not
steered, loses it and runs free until it next passes such a place.
"""

import _thread
import sys
import threading
from collections.abc import Callable
from types import CodeType

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model.switches import Why
from pytest_flakehunt.steering import deadlocks, processors
from pytest_flakehunt.steering.members import Member, take
from pytest_flakehunt.steering.record import Record
from pytest_flakehunt.steering.schedules import Choosing

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


class Deadlock(BaseException):
    """All threads of a test wait for each other."""


class Baton:
    """Who runs, in one test."""

    def __init__(self, schedule: Choosing) -> None:
        self.schedule = schedule
        self.record = Record()
        self.members: dict[int, Member] = {}
        self.started = 0
        self.holder: Member | None = None
        self.steps = 0
        self.lost = 0
        self.over = False
        self.given_up = False
        """Whether all were set free before the test ended, as there was no end of switches."""
        self.deadlock = ""
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
        member = self._new(threading.current_thread().name, None)
        self._known(member)
        frame = deadlocks.own(sys._getframe())  # noqa: SLF001 - the only way
        if frame is not None:
            member.came((frame.f_code.co_filename, frame.f_lineno))
        self.holder = member
        return member

    def _known(self, member: Member) -> None:
        member.ident, member.native = _thread.get_ident(), _thread.get_native_id()
        self.members[member.ident] = member

    def starts(self, name: str, thread: threading.Thread | None) -> Member | None:
        """Take in a thread that is about to start; None where who starts it is not steered."""
        starter = self.members.get(_thread.get_ident())
        if self.over or starter is None:
            return None
        child = self._new(name, starter)
        starter.child, child.thread = child, thread
        return child

    def _new(self, name: str, starter: Member | None) -> Member:
        with self._mutex:
            member = Member(self.started, name, self.schedule.priority(), starter)
            self.started += 1
            self.record.names.append(name)
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
            member.operation += 1
            self._choose(member, Why.ENDS)

    def me(self) -> Member | None:
        """Give the thread that asks if it has the baton; one that ran free waits for it first."""
        if self.over:
            return None
        member = self.members.get(_thread.get_ident())
        if member is None or self._mutex._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - as threading asks
            return None  # a finalizer, or a signal's handler, that comes in between here
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
            member.came((code.co_filename, line))
            self._step(member, room=self.schedule.makes_room_at(code.co_qualname, line - code.co_firstlineno))

    def point(self, member: Member, *, freed: bool = False) -> None:
        """Let another thread go on at an operation, or not.

        Args:
            member: the thread that has the baton.
            freed: whether it has let go of a lock that the project's own code had taken.
        """
        member.operation += 1
        member.freed = freed
        if member.starting:
            return  # the one that was started, and the one that starts it, agree on that undisturbed
        self._step(member, room=self.schedule.makes_room(holding=member.holds > 0))

    def _step(self, member: Member, *, room: bool) -> None:
        self.steps = step = self.steps + 1
        tired = step - self._since > MOST_STEPS
        if tired:
            self._since = step
        if self.schedule.tape is not None:
            self._play(member, tired=tired)
            return
        if room or tired:
            member.priority = self.schedule.lowest()
        elif not member.begins and not (self._news and (member.here is not None or not member.number)):
            return  # who has just been started is asked at its first line
        with self._mutex:
            self._news = False
            best = self._ready()
            if best is None and tired:
                best = self._late()
            elif best is None or best.priority < member.priority:
                best = None
            if best is None:
                if member.begins and self._usually(member) is not member:
                    self.record.add(member, member.number, Why.ROOM, usual=False)
                return
            self._grant(member, best, Why.ROOM)
        self._wait(member)

    def _play(self, member: Member, *, tired: bool) -> None:
        """Go on, unless the tape says that another thread does, or this one has gone round and round."""
        with self._mutex:
            best = self._taped(member)
            if best is member:
                self.record.add(member, member.number, Why.ROOM, usual=False)
                return
            if best is None and tired:
                best = self._late() or self._next(member)
            best = best or self._usually(member)
            if best is member:
                return
            self._grant(member, best, Why.ROOM)
        self._wait(member)

    @staticmethod
    def _usually(member: Member) -> Member:
        """Give the thread that goes on where nothing says otherwise: itself, or who started it, at its first line."""
        starter = member.starter
        if not member.begins or starter is None or starter.waits is not None or starter.free or starter.done:
            return member
        return starter

    def _taped(self, member: Member) -> Member | None:
        """Give the thread that goes on now where the tape says so, and it can."""
        if self.schedule.tape is None:
            return None
        moment = member.moment()
        to = self.schedule.tape.get(moment)
        if to is None:
            return None
        for each in self._all:
            if each.number == to and not each.free and (each.waits is None or each.due is not None):
                each.early = each.waits is not None
                self.record.met.add(moment)
                return each
        return None

    def _next(self, member: Member) -> Member | None:
        """Give the one that could run and started after a thread; the first one after the last."""
        ready = [each for each in self._all if each is not member and not each.free and each.waits is None]
        return min(ready, key=lambda each: (each.number < member.number, each.number), default=None)

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
                member.waits, member.due, member.expired, member.attempt = waits, due, False, attempt
                member.until = 0.0 if seconds is None else start + seconds
                left = member.until - realtime.monotonic()
                member.early = seconds is not None and left < MOST_EARLY and self.schedule.early()
                if attempt():  # a thread that is not steered may have done it meanwhile
                    self._woken(member)
                    return True
                member.operation += 1
                member.outside = deadlocks.own(sys._getframe()) is None  # noqa: SLF001 - the only way
                self._choose(member, Why.WAITS)
            try:
                self._wait(member)
                if member.has:
                    return True
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
        member.attempt, member.has = None, False

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
                self._choose(None, Why.WAITS)

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

    def _choose(self, before: Member | None, why: Why) -> None:
        """Hand the baton to whoever could run; to nobody where all wait. The caller has the mutex."""
        self._choosing, self.holder = True, None
        try:
            best = None if before is None else self._taped(before) or self._child(before)
            best = best or self._ready()
            if best is None:
                best = self._due()
                if best is not None:
                    best.expired = True
            if best is not None:
                self._grant(before, best, why)
        finally:
            self._choosing = False

    def _grant(self, before: Member | None, member: Member, why: Why) -> None:
        if self.over:
            return  # all gates are open
        self._since = self.steps
        if before is not member or member.early:
            self.record.add(before, member.number, why, usual=self._usual(before, member, why))
        if len(self.record.turns) > MOST_SWITCHES:
            self.given_up = True
            self._open_all()
            return
        self.holder = member
        self._napping = False
        member.granted = True
        for each in self._all:
            each.looked = False
        member.gate.release()

    def _child(self, member: Member) -> Member | None:
        """Give a thread that was just started and has not run: who starts one waits until it has."""
        child, member.child = member.child, None
        return child if child is not None and not (child.granted or child.done or child.free) else None

    def _usual(self, before: Member | None, member: Member, why: Why) -> bool:
        """Tell whether a thread would have gone on without a schedule: the first that can, where one waits or ends."""
        if member.early:
            return False
        if not member.granted and before is not None and member.starter is before:
            return True
        if why is Why.ROOM:
            return before is not None and self._usually(before) is member
        return member.waits is not None or member is min(
            (each for each in self._all if each.waits is None and not each.free), key=lambda each: each.number
        )

    def _wait(self, member: Member) -> None:
        """Wait, as a thread without the baton, until it is handed over."""
        __tracebackhide__ = True
        if self.over:
            return
        granted = False
        try:
            while not (granted := take(member.gate, True, self._slice())):
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
                take(member.gate, False)
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
            if holder is None or self._napping:
                if holder is not member and not self._unseen(member) and holder is None:
                    self._nobody_runs()
                return
            if holder is member or not holder.native:
                return
            busy = processors.busy(holder.native)
            step, since, before = self._seen
            if step != self.steps:
                self._seen = self.steps, now, busy
                return
            computes = busy - before > BUSY * (now - since) or processors.wants_processor(holder.native)
            if now - since < (MOST_BUSY if computes else MOMENT):
                return
            self._take_away(holder)

    def apart(self, member: Member) -> None:
        """Hand on the baton, as a thread that is about to wait for what is not steered, and run free until then."""
        with self._mutex:
            if self.holder is member and len(self._all) > 1:
                member.free = self.record.astray = True
                self._choose(member, Why.WAITS)

    def _take_away(self, holder: Member) -> None:
        self.lost += 1
        holder.free = True
        self._seen = -1, 0.0, 0.0
        if self.lost > MOST_LOST:
            self.dissolve()
        else:
            self._choose(holder, Why.WAITS)

    def _nobody_runs(self) -> None:
        """See to it that a deadlock is told of, once each has seen for itself that it has to wait."""
        if any(each.free or each.due is not None or each.waits is None or not each.looked for each in self._all):
            return
        if not self.deadlock:
            self.deadlock = deadlocks.told(self._all)
            self._open_all()

    def _unseen(self, member: Member) -> bool:
        """Let a thread that waits see whether somebody has done it past the gates; tell whether that is so."""
        if member.waits is None or member.attempt is None:
            return False
        alone = not any(each.free for each in self._all) and not deadlocks.others(len(self.members))
        if not member.attempt():
            member.looked = alone  # asked before: who ended since may have done it
            return False
        member.waits, member.has, self._news, self.record.astray = None, True, True, True
        self._offer()
        return True

    def dissolve(self) -> None:
        """Let all threads run free from now on."""
        with self._mutex:
            self._open_all()

    def _open_all(self) -> None:
        self.over = True
        for member in self._all:
            if member.gate.locked():  # else it is on its way already
                member.gate.release()
