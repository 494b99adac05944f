"""Processes that take their time to start."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pytest_flakehunt.perturbations.delays import delays

SHELL = "/bin/sh"
WAKE = "(sleep {seconds:.3f}; kill -CONT {pid}) </dev/null >/dev/null 2>&1 &"
"""Nobody's child, so that a process goes on whatever becomes of us, and no test waits for it."""
_spawn: Any = getattr(os, "posix_spawn", None)
_kill, _waitpid = os.kill, os.waitpid  # held on to, as that: a test may watch who calls them


def possible() -> bool:
    """Tell whether a process can be held back here."""
    stops = hasattr(signal, "SIGSTOP") and hasattr(signal, "SIGCHLD") and hasattr(signal, "pthread_sigmask")
    return _spawn is not None and stops and os.path.exists(SHELL)  # noqa: PTH110 - before anything else is imported


def late_start(original: Callable[..., None]) -> Callable[..., None]:
    """Stop each process that ``subprocess`` starts before it does anything, and let it go on late."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it stands for that one
        original(self, *args, **kwargs)
        if delays.mean and not minded():
            hold_back(self.pid, delays.next())

    return __init__


def minded() -> bool:
    """Tell whether the test listens for what becomes of its children: it would hear of ours, and of stops."""
    waits = signal.SIGCHLD in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return waits or signal.getsignal(signal.SIGCHLD) not in {signal.SIG_DFL, signal.SIG_IGN, None}


def hold_back(pid: int, seconds: float) -> None:
    """Stop a process, and see to it that it goes on after some seconds."""
    with suppress(OSError):
        _kill(pid, signal.SIGSTOP)
        try:
            wake = WAKE.format(seconds=seconds, pid=pid)
            helper = _spawn(SHELL, [SHELL, "-c", wake], os.environ)
        except OSError:
            _kill(pid, signal.SIGCONT)
        else:
            _waitpid(helper, 0)
