"""Processes and threads beside the one at hand: whether there are any, and which."""

import _thread
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

TASKS = "/proc/self/task"
LISTED = os.path.exists("/proc/thread-self/children")  # noqa: PTH110 - of no interest but for being there
"""Whether the system lists children; else psutil looks at all processes, through what a test may have replaced."""
ENDED = b"Z", b"X"
"""States of processes that run no more."""
_listdir, _open, _read, _close = os.listdir, os.open, os.read, os.close  # held on to: a test may replace them, and open


def has_children() -> bool:
    """Tell whether this process has any child, be it ended; one system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    except AttributeError:  # a system that has no such call
        return True
    return True


def alone() -> bool:
    """Tell whether nothing else is at work that could end what stayed: no other thread, be it in C, and no child."""
    try:
        others = len(_listdir(TASKS)) - 1
    except OSError:  # a system that does not list them
        others = _thread._count()  # noqa: SLF001 - those of Python, started by whatever means
    return others == 0 and not has_children()


def multiplied() -> bool:
    """Tell whether multiprocessing has started any process: no event tells of all of its ways."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and bool(module._children)  # noqa: SLF001 - active_children() would reap them


class Child(NamedTuple):
    """A process that this one has started: another may get its number later."""

    pid: int
    started: float


def children() -> dict[Child, str]:
    """Give the processes that this one has started and that still run, with their command lines."""
    if not LISTED:
        return {child: _command_by_psutil(child) for child in _by_psutil()}
    found = {}
    for task in _listdir(TASKS):
        for pid in map(int, _content(f"{TASKS}/{task}/children").split()):
            child, name = _stat(pid)
            if child is not None:
                words = _content(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ")
                found[child] = (words or name).decode("utf-8", "replace")
    return found


def lives(child: Child) -> bool:
    """Tell whether one of them still runs."""
    return _stat(child.pid)[0] == child if LISTED else child in _by_psutil()


def _stat(pid: int) -> tuple[Child | None, bytes]:
    """Give a process that runs, with its name; None for one that has ended."""
    name, _, told = _content(f"/proc/{pid}/stat").rpartition(b")")
    fields = told.split()
    if not fields or fields[0] in ENDED:
        return None, b""
    return Child(pid, float(fields[19])), name.partition(b"(")[2]


def _content(path: str) -> bytes:
    """Give what a small file says; nothing where it is gone."""
    try:
        descriptor = _open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return b"".join(iter(lambda: _read(descriptor, 65536), b""))
    except OSError:  # it went meanwhile
        return b""
    finally:
        _close(descriptor)


def _by_psutil() -> Iterator[Child]:
    import psutil

    for process in psutil.Process().children():
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                yield Child(process.pid, process.create_time())
        except psutil.Error:
            continue


def _command_by_psutil(child: Child) -> str:
    import psutil

    try:
        process = psutil.Process(child.pid)
        return " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return ""
