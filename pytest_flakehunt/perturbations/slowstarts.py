"""Processes that take their time to start."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pytest_flakehunt.perturbations.delays import delays
from pytest_flakehunt.perturbations.replacing import replaced

SHELL = "/bin/sh"
WAKE = "(sleep {seconds:.3f}; kill -CONT {pid}) </dev/null >/dev/null 2>&1 &"
"""Nobody's child, so that a process goes on whatever becomes of us, and no test waits for it."""


@contextmanager
def held() -> Iterator[None]:
    """Stop each process that ``subprocess`` starts before it does anything, and let it go on late."""
    if not os.path.exists(SHELL) or not hasattr(os, "posix_spawn"):  # noqa: PTH110 - before anything else is imported
        yield
        return
    with replaced(subprocess.Popen, "__init__", _late_start(subprocess.Popen.__init__)):
        yield


def _late_start(original: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it stands for that one
        original(self, *args, **kwargs)
        if delays.mean:
            hold_back(self.pid, delays.next())

    return __init__


def hold_back(pid: int, seconds: float) -> None:
    """Stop a process, and see to it that it goes on after some seconds."""
    with suppress(OSError):
        os.kill(pid, signal.SIGSTOP)
        try:
            wake = WAKE.format(seconds=seconds, pid=pid)
            helper = os.posix_spawn(SHELL, [SHELL, "-c", wake], os.environ)
        except OSError:
            os.kill(pid, signal.SIGCONT)
        else:
            os.waitpid(helper, 0)
