"""What stands between the hunt and an interpreter: the parent that a test there may end, instead of the hunt."""

import contextlib
import os
import signal
from pathlib import Path

from pytest_flakehunt.zygote import fork

PID, STATUS = "pid", "status"
"""Files in the scratch folder: which process the interpreter is, and how it has ended."""
BEREFT = getattr(signal, "SIGUSR2", 0)
"""The signal that says that the hunt is gone."""
FORSAKEN = 256
"""In the place of an exit status: not the interpreter has ended by itself, but the process that stands between."""


def stand_between(scratch: str) -> None:
    """Let a child of this process be the interpreter, and wait for its end.

    Where the hunt is gone, all that it has started here, and what tests have left, is ended.
    Nothing is imported yet, and no thread runs: what comes after is no other than in a process that was never forked.

    Args:
        scratch: the zygote's folder.
    """
    if not (pid := fork.divided()):
        return
    hunt = os.getppid()

    def bereft(*_: object) -> None:
        if os.getppid() != hunt:  # else somebody else has sent it
            fork.end_children()
            os._exit(1)

    fork.adopt_orphans()
    signal.signal(BEREFT, bereft)
    fork.outlive_parent(BEREFT)
    for descriptor in (0, 1):  # the hunt must hear when the interpreter has closed them
        os.close(descriptor)
    folder = Path(scratch)
    with contextlib.suppress(OSError):
        (folder / PID).write_text(str(pid), "ascii")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):
        (folder / f"{STATUS}.draft").write_text(str(status), "ascii")
        (folder / f"{STATUS}.draft").rename(folder / STATUS)
    os._exit(status if status >= 0 else 128 - status)


def inner(scratch: Path) -> int | None:
    """Give the process id of the interpreter; None where that is not told."""
    return _number(scratch / PID)


def ending(scratch: Path, outer: int) -> int:
    """Give how the interpreter has ended.

    Args:
        scratch: its folder.
        outer: how the process has ended that was started.
    """
    told = _number(scratch / STATUS)
    if told is not None:
        return told
    return FORSAKEN if outer < 0 and inner(scratch) is not None else outer


def _number(file: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(file.read_text("ascii"))
    return None
