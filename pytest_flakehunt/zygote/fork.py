"""The only place that forks, and the one that leaves nothing running."""

import contextlib
import ctypes
import os
import select
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TASKS = "/proc/self/task"
"""Where Linux lists the threads of a process."""
ABORTED = 70
"""Exit status of a child that our own code failed in (EX_SOFTWARE)."""
UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in which the system tells of the memory of processes."""


def adopt_orphans() -> None:
    """Become the parent of whatever a child leaves running, where the system can do so (Linux)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(*, wanted: bool = True) -> None:
    """Be killed as the process that started this one ends, where the system can do so (Linux); or no more."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL if wanted else 0)


def outlive_parent(number: int) -> None:
    """Get a signal as the process that started this one ends, where the system can do so (Linux)."""
    _prctl(PR_SET_PDEATHSIG, number)


def end_children() -> None:
    """Kill all children of this process, and whatever comes to it as they end, for one that imports nothing."""
    while True:
        with contextlib.suppress(OSError):
            for pid in Path(f"{TASKS}/{os.getpid()}/children").read_text("ascii").split():
                os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


bound = die_with_parent if sys.platform == "linux" else None
"""What a new process calls before its program begins, so that it ends with this one."""


def is_closed(descriptor: int) -> bool:
    """Tell whether nobody is left at the other end of a pipe that is read from, where the system can tell."""
    if not hasattr(select, "poll"):
        return False
    asks = select.poll()
    asks.register(descriptor, 0)
    return bool(asks.poll(0))


def _prctl(option: int, value: int) -> None:
    if _libc is not None:
        _libc.prctl(option, value, 0, 0, 0)


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def forked(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked child, which leaves without any clean-up.

    Returns:
        The child's process id, which is also its process group's.
    """
    with _unwarned() if _threads() > 1 else contextlib.nullcontext():
        pid = os.fork()
    if pid:
        return pid
    status = ABORTED
    try:
        os.setsid()
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - a child must never return into the zygote's loop
        with contextlib.suppress(BaseException):
            sys.excepthook(*sys.exc_info())
    finally:
        leave(status)


def divided() -> int:
    """Become two processes before anything is done in this one, where a child can end with its parent (Linux).

    Returns:
        The child's process id in this process; 0 in the child, and where there is only this process.
    """
    return os.fork() if bound is not None and hasattr(os, "fork") else 0


def leave(status: int) -> NoReturn:
    """End this process, which was forked, without any clean-up."""
    wake_parent()
    _exit(status)


def wake_parent() -> None:
    """Let the process go on that this one was started by, which a test may have stopped."""
    with contextlib.suppress(OSError):
        _kill(_getppid(), _CONTINUE)


def wake_controller() -> None:
    """Do the same where that is the user's own process, unless it could have been stopped by hand, from a terminal."""
    with contextlib.suppress(OSError):
        terminal = Path(f"/proc/{_getppid()}/stat").read_bytes().rpartition(b")")[2].split()[4]
        if terminal == b"0":
            wake_parent()


def _threads() -> int:
    """Count the threads of this process; two where the system does not say."""
    try:
        return len(os.listdir(TASKS))  # noqa: PTH208 - names alone are wanted, cheaply
    except OSError:
        return 2


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    """Fork without a warning about threads that libraries keep, and are prepared to start anew."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


class Ending(NamedTuple):
    """What became of a child, and what it took."""

    status: int
    """The exit status, or minus the signal's number."""
    cpu: float = 0.0
    """CPU seconds: its own, and of the processes that it has waited for."""
    memory: int = 0
    """Bytes of memory that it had at most, those that it shares included."""


def unheeded() -> Any:
    """Let nobody but us wait for children: a suite may have let the system forget them, or take all there are.

    Returns:
        What handled their ends, for :func:`heeded`; None where nothing did.
    """
    handler = signal.getsignal(signal.SIGCHLD) if hasattr(signal, "SIGCHLD") else None
    if handler in {None, signal.SIG_DFL} or threading.current_thread() is not threading.main_thread():
        return None
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return handler


def heeded(handler: Any) -> None:
    """Let ends of children be handled as the suite wants it."""
    if handler is not None:
        signal.signal(signal.SIGCHLD, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let nobody else wait for children meanwhile."""
    handler = unheeded()
    try:
        yield
    finally:
        heeded(handler)


def children() -> frozenset[int]:
    """Give the children of this process."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # there are none: psutil need not be imported for that
        return frozenset()
    except AttributeError:  # not on every Unix
        pass
    import psutil

    return frozenset(child.pid for child in psutil.Process().children())


def wait(pid: int, parent: int) -> Ending | None:
    """Wait for a child, for as long as the controller lives.

    Args:
        pid: the child.
        parent: a descriptor at whose other end the controller sits.

    Returns:
        What became of it; None where the controller is gone, and the child
        with it.
    """
    with _process_descriptor(pid) as descriptor:
        if descriptor is not None:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            waiting.register(parent, select.POLLHUP)
            ready = dict(waiting.poll())
            if descriptor not in ready:
                kill_group(pid)
                os.waitpid(pid, 0)
                return None
        _, status, used = os.wait4(pid, 0)
    return Ending(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss * UNIT)


def used() -> Ending:
    """Give what this process has taken so far, and what those have that it waited for; nothing where nobody counts."""
    try:
        import resource
    except ImportError:  # Windows
        return Ending(0)
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    return Ending(0, cpu, own.ru_maxrss * UNIT)


@contextlib.contextmanager
def _process_descriptor(pid: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a generator of int or None
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old kernel: the controller's death is noticed later
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def kill_group(pid: int) -> None:
    """Kill a child and its process group."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def sweep_up(child: int, spared: frozenset[int]) -> int:
    """End what the last child left running, also what fled into sessions of its own.

    Args:
        child: the child, which has been waited for.
        spared: children that were there before the first fork; so are those that they have by now.

    Returns:
        How many processes had to be ended.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    ended = 0
    while not spared:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid:
            ended += 1
        else:
            break
    import psutil

    for orphan in psutil.Process().children():
        if orphan.pid in spared:
            continue
        with contextlib.suppress(psutil.Error):
            for process in (orphan, *orphan.children(recursive=True)):  # whose children are ours once it has ended
                ended += 1
                with contextlib.suppress(psutil.Error):
                    process.kill()
                    process.wait(5)
    return ended


_exit, _kill, _getppid = os._exit, os.kill, os.getppid  # held on to: a test may replace them
_CONTINUE = getattr(signal, "SIGCONT", 0)
