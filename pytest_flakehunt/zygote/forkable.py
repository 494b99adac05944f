"""Whether a process may fork once it has imported the suite: threads do not live on in a child."""

import contextlib
import os
import sys
import threading
from typing import NamedTuple

from pytest_flakehunt.zygote import fork

TASKS = "/proc/self/task"
KNOWN = {
    "jemalloc_bg_thd": "jemalloc takes its locks before a fork, and starts the thread anew in the child",
    "openmp_worker": "the OpenMP runtime of LLVM and Intel, which MKL uses, starts over in a child",
}
"""Native threads, by the name that the system knows, that a fork does no harm, and why."""


class Hindrance(NamedTuple):
    """What speaks against forking."""

    reason: str
    certain: bool
    """Whether forks are known to be unsafe; otherwise they may be tried."""


def hindrance() -> Hindrance | None:
    """Say what speaks against forking this process; None where nothing does.

    Libraries that are prepared for forks, such as OpenBLAS, end their threads
    before one and start others when they are needed: of native threads, only
    those count that are there after a fork whose child did nothing.
    """
    if not hasattr(os, "fork"):
        return Hindrance("this Python cannot fork", certain=True)
    if sys.platform == "darwin":
        return Hindrance(f"forking is not safe on {sys.platform}", certain=True)
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if others:
        return Hindrance(f"importing the suite starts threads: {', '.join(sorted(others))}", certain=True)
    if len(_tasks()) > 1:
        os.waitpid(fork.forked(lambda: None), 0)
    staying = sum(_name(task) not in KNOWN for task in _tasks()[1:])
    if staying:
        return Hindrance(f"importing the suite starts {staying} native thread{'s' * (staying > 1)}", certain=False)
    return None


def _tasks() -> list[str]:
    """List the threads of this process, the main one first; only that one where the system does not list them."""
    try:
        return sorted(os.listdir(TASKS), key=int)  # noqa: PTH208 - names alone are wanted, cheaply
    except OSError:
        return [""]


def _name(task: str) -> str:
    with contextlib.suppress(OSError), open(f"{TASKS}/{task}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
        return file.read().strip()
    return ""
