"""Processes and threads beside the one at hand: whether there are any, and which."""

import _thread
import os
import sys
from typing import NamedTuple

TASKS = "/proc/self/task"
_listdir = os.listdir  # held on to: a test may replace it


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
    import psutil

    found = {}
    for process in psutil.Process().children():
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                child = Child(process.pid, process.create_time())
                found[child] = " ".join(process.cmdline()) or process.name()
        except psutil.Error:
            continue
    return found


def lives(child: Child) -> bool:
    """Tell whether one of them still runs."""
    import psutil

    try:
        process = psutil.Process(child.pid)
        return process.create_time() == child.started and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
