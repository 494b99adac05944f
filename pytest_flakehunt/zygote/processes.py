"""What is done with processes of zygotes and what they leave: asked for stacks, ended with all they started."""

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.ground.removing import removed
from pytest_flakehunt.zygote import fork
from pytest_flakehunt.zygote.child import STACKS_SIGNAL

OUTPUT_LIMIT = 256 * 1024 * 1024
"""Bytes that a sweep may print before it is ended."""
LEAVING = 3.0
"""Seconds a zygote that retires is given to finish its session."""
LOG = "log"
"""File in the scratch folder that a zygote's standard error goes to."""
SETTLING = 0.5
"""Seconds a hanging process is given to write its stacks."""


def end_tree(pid: int) -> None:
    """Kill a process and all its descendants."""
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for descendant in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                descendant.kill()
        process.kill()


def end_left(leader: int) -> None:
    """Kill what a process that led a session has left, which has come to this one as its own parents are gone."""
    import psutil

    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, OSError):
            if child.pid != leader and hasattr(os, "getsid") and os.getsid(child.pid) == leader:
                end_tree(child.pid)
                child.wait(LEAVING)


def has_ended(pid: int) -> bool:
    """Tell whether a process has ended, though it may not have been waited for."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


def of_a_zygote(child: Any) -> bool:
    """Tell whether a process descends from a zygote: it has a worker's variables, or has ended in another session.

    Args:
        child: as ``psutil`` gives it.
    """
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        if child.status() == psutil.STATUS_ZOMBIE:
            return hasattr(os, "getsid") and os.getsid(child.pid) != os.getsid(0)
        return "PYTEST_XDIST_WORKER" in child.environ()
    return False


class Nursery:
    """Keeps what zygotes leave behind from outliving them, and leaves the user's own processes alone."""

    def __init__(self) -> None:
        self._spared: set[int] = set()

    def adopt(self) -> None:
        """Become the parent of orphans; what runs by now, the user's own, is none of ours."""
        import psutil

        self._spared = {child.pid for child in psutil.Process().children(recursive=True)}
        fork.adopt_orphans()

    def sweep_up(self, at_work: set[int]) -> None:
        """End orphans: what zygotes that are gone have left; what a plugin has started in this process is its own."""
        import psutil

        for child in psutil.Process().children():
            if child.pid not in self._spared and child.pid not in at_work and of_a_zygote(child):
                end_tree(child.pid)
                with contextlib.suppress(psutil.Error):
                    child.wait(LEAVING)


def wake(pid: int) -> None:
    """Let a process go on that was stopped."""
    if hasattr(signal, "SIGCONT"):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)


def ask_for_stacks(pid: int, stacks: Path) -> None:
    """Let a process that hangs write the stacks of its threads; wake it first if it was stopped.

    Returns once they stand in the file, or after a moment where nothing comes.
    """
    if STACKS_SIGNAL is None or not hasattr(signal, "SIGCONT"):
        return
    wake(pid)
    with contextlib.suppress(OSError):
        os.kill(pid, STACKS_SIGNAL)
        before = -1
        for _ in range(10):
            realtime.sleep(SETTLING / 10)
            size = stacks.stat().st_size
            if size == before > 0:
                return
            before = size


def printing_without_end(pid: int | None) -> bool:
    """Tell whether a process has captured more output than anyone will read."""
    for stream in (1, 2):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}/fd/{stream}").st_size > OUTPUT_LIMIT:  # noqa: PTH116 - a link to a deleted file
                return True
    return False


def tidy(folder: Path) -> None:
    """Delete what a sweep wrote for itself in a zygote's scratch folder: journals, and what their names begin."""
    for path in folder.glob("[0-9]*"):
        if path.is_dir():
            removed(path)
        else:
            path.unlink(missing_ok=True)
