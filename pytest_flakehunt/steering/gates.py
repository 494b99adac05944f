"""What stands in for the standard library's locks, queues, joins and naps: a gate before each real thing.

A gate asks the baton who may go on, and then does what was asked for with the
real lock. Where no test is steered, or a thread that is not, it does nothing else.
"""

import _thread
import queue
import sys
import threading
from collections.abc import Callable
from types import GenericAlias, TracebackType
from typing import Any

from pytest_flakehunt.ground import project, realtime
from pytest_flakehunt.steering import members
from pytest_flakehunt.steering.baton import Baton
from pytest_flakehunt.steering.members import Line, Member

REAL_LOCK = type(_thread.allocate_lock())
REAL_RLOCK = _thread.RLock
RealQueue: Any = queue.SimpleQueue
_join = threading.Thread.join
"""Held on to: a test may put something else in its place."""
_MOST = threading.TIMEOUT_MAX
"""Seconds; whoever waits longer gets the error that says so."""
_NAP = object()
"""What nobody ever frees."""


class Steered:
    """The baton of the running test, if it has one."""

    baton: Baton | None = None


def _mine() -> tuple[Baton, Member] | None:
    """Give the baton and the thread that asks, if that has it."""
    baton = Steered.baton
    if baton is None:
        return None
    member = baton.me()
    return None if member is None else (baton, member)


def _freed(gate: object, *, direct: bool = False) -> None:
    """Let those go on that waited for a gate, and another thread if it is its turn.

    Args:
        gate: that was let go of.
        direct: whether it is a lock that the project's own code had taken.
    """
    baton = Steered.baton
    if baton is not None:
        baton.freed(gate)
        member = baton.me()
        if member is not None:
            baton.point(member, freed=direct)


class Lock:
    """A gate before a lock."""

    __slots__ = ("__weakref__", "_real", "direct", "owner", "taken")
    real: Callable[..., Any] = staticmethod(members.allocate)
    take: Callable[..., Any] = staticmethod(members.take)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._real: Any = self.real(*args, **kwargs)
        self.owner: Member | None = None
        """The steered thread that has taken it, ..."""
        self.taken: Line | None = None
        """... and where."""
        self.direct = False
        """Whether the project's own code took it, and no library on its behalf."""

    @classmethod
    def around(cls, real: Any) -> "Lock":
        """Give a gate before a lock that is there already."""
        gate = cls.__new__(cls)
        gate._real, gate.owner, gate.taken, gate.direct = real, None, None, False  # noqa: SLF001 - its own
        return gate

    @property  # type: ignore[misc]  # what others ask for is no class of ours
    def __class__(self) -> Any:
        """Say what the lock itself is: that is what others ask for."""
        return type(self._real)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, as soon as it is this thread's turn."""
        __tracebackhide__ = True
        mine = _mine()
        if mine is None or not blocking or (timeout != -1 and not 0 <= timeout <= _MOST):
            if mine is not None:
                mine[0].point(mine[1])
            return bool(self._real.acquire(blocking, timeout))
        baton, member = mine
        baton.point(member)
        direct = project.owns(sys._getframe(1).f_code.co_filename)  # noqa: SLF001 - the only way

        def attempt() -> bool:
            if self.take(self._real, False):
                if self.owner is not member:
                    self.owner, self.taken, self.direct = member, member.here, direct
                    member.holds += direct
                return True
            return False

        if attempt():
            return True
        seconds = None if timeout == -1 else timeout
        start = realtime.monotonic()
        took = baton.until(member, attempt, self, seconds)
        if took is not None:
            return took
        if seconds is None:
            return bool(self._real.acquire())
        return bool(self._real.acquire(timeout=max(0.0, seconds - (realtime.monotonic() - start))))

    def release(self) -> None:
        """Let go of the lock, and let another thread go on if it is its turn."""
        owner, self.owner = self.owner, None
        try:
            self._real.release()
        except BaseException:
            self.owner = owner
            raise
        self._let_go(owner)

    def _let_go(self, owner: Member | None) -> None:
        if owner is not None:
            owner.holds -= self.direct
        _freed(self, direct=owner is not None and self.direct)

    def locked(self) -> bool:
        """Tell whether the lock is taken."""
        return bool(self._real.locked())

    acquire_lock, release_lock, locked_lock = acquire, release, locked
    __enter__ = acquire

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._real.__reduce_ex__(protocol)

    def _at_fork_reinit(self) -> None:
        self._real._at_fork_reinit()  # noqa: SLF001 - as threading asks for it

    def __repr__(self) -> str:
        return repr(self._real)


class RLock(Lock):
    """A gate before a lock that its owner may take again."""

    __slots__ = ()
    real: Callable[..., Any] = staticmethod(REAL_RLOCK)
    take: Callable[..., Any] = staticmethod(REAL_RLOCK.acquire)

    def release(self) -> None:
        """Let go of the lock, or of one of the times that it was taken."""
        owner = self.owner
        self._real.release()
        if self._real._is_owned():  # noqa: SLF001 - as threading asks for it
            _freed(self)
            return
        self.owner = None
        self._let_go(owner)

    def _is_owned(self) -> bool:
        return bool(self._real._is_owned())  # noqa: SLF001 - as threading asks for it

    def _recursion_count(self) -> int:
        return int(self._real._recursion_count())  # noqa: SLF001 - as threading asks for it

    def _release_save(self) -> Any:
        owner, self.owner = self.owner, None
        state = self._real._release_save()  # noqa: SLF001 - as threading asks for it
        self._let_go(owner)
        return state

    def _acquire_restore(self, state: Any) -> None:
        self.acquire()
        for _ in range(state[0] - 1):
            self._real.acquire()


class _Kind(type):
    """The class of a class that stands for one in C: what is an instance of that is one of this."""

    def __instancecheck__(cls, instance: object) -> bool:
        return type.__instancecheck__(cls, instance) or (cls is SimpleQueue and isinstance(instance, RealQueue))


class SimpleQueue(metaclass=_Kind):
    """A gate before a queue that is written in C."""

    __slots__ = ("__weakref__", "_real")
    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(self) -> None:
        self._real = RealQueue()

    @property  # type: ignore[misc]  # as above
    def __class__(self) -> Any:
        """Say what the queue itself is: that is what others ask for."""
        return RealQueue if type(self) is SimpleQueue else type(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._real.__reduce_ex__(protocol)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put an item in, and let another thread go on if it is its turn."""
        self._real.put(item, block, timeout)
        _freed(self)

    def put_nowait(self, item: Any) -> None:
        """Put an item in."""
        self.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item out, as soon as it is this thread's turn and there is one."""
        __tracebackhide__ = True
        mine = _mine()
        if mine is None or not block or (timeout is not None and not 0 <= timeout <= _MOST):
            return self._real.get(block, timeout)
        baton, member = mine
        baton.point(member)
        taken: list[Any] = []

        def attempt() -> bool:
            try:
                taken.append(self._real.get(False))
            except queue.Empty:
                return False
            return True

        if attempt():
            return taken[0]
        start = realtime.monotonic()
        took = baton.until(member, attempt, self, timeout)
        if taken:
            return taken[0]
        if took is None:
            left = None if timeout is None else max(0.0, timeout - (realtime.monotonic() - start))
            return self._real.get(True, left)
        raise queue.Empty

    def get_nowait(self) -> Any:
        """Take an item out if there is one."""
        return self.get(False)

    def empty(self) -> bool:
        """Tell whether it was empty."""
        return bool(self._real.empty())

    def qsize(self) -> int:
        """Tell how many items there were."""
        return int(self._real.qsize())


def joined(original: Callable[..., None]) -> Callable[..., None]:
    """Make what waits for a thread to end."""

    def join(self: threading.Thread, timeout: float | None = None) -> None:
        __tracebackhide__ = True
        mine = _mine()
        target: Member | None = getattr(self, "_flakehunt_member", None)
        if mine is None or target is None or target is mine[1] or ended(target):
            original(self, timeout)
            return
        baton, member = mine
        baton.point(member)
        if timeout is None or 0 < timeout <= _MOST:
            start = realtime.monotonic()
            baton.until(member, lambda: ended(target), target, timeout)
            if timeout is not None:
                timeout = max(0.0, timeout - (realtime.monotonic() - start))
        original(self, None if ended(target) else timeout)

    def ended(target: Member) -> bool:
        return target.done

    return join


def alive(original: Callable[..., bool]) -> Callable[..., bool]:
    """Make what tells whether a thread lives: one that has done all it does is gone in a moment."""

    def is_alive(self: threading.Thread) -> bool:
        target: Member | None = getattr(self, "_flakehunt_member", None)
        if target is not None and target.done and Steered.baton is not None:
            _join(self)
        return original(self)

    return is_alive


def napped(original: Callable[..., None]) -> Callable[..., None]:
    """Make what naps: a place for others to go on."""

    def sleep(seconds: Any) -> None:
        mine = _mine()
        if mine is None or not isinstance(seconds, int | float) or not 0 <= seconds <= _MOST:
            original(seconds)
            return
        baton, member = mine
        start = realtime.monotonic()
        if baton.until(member, lambda: False, _NAP, seconds) is None:
            left = seconds - (realtime.monotonic() - start)
            if left > 0:
                original(left)

    return sleep


def selected(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make what waits for files to be ready, as event loops and servers do: nobody has to see first that it does."""

    def select(self: Any, timeout: Any = None) -> Any:
        mine = _mine()
        if mine is None or (timeout is not None and timeout <= 0):
            return original(self, timeout)
        if ready := original(self, 0):
            return ready
        baton, member = mine
        baton.apart(member)
        return original(self, timeout)

    return select
