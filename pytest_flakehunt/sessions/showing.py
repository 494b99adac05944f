"""Whether perturbations do anything on this interpreter: each is tried once, in a process that is thrown away."""

import faulthandler
import os
import select
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model import Perturbation
from pytest_flakehunt.pool.sweep import ending
from pytest_flakehunt.zygote import fork, forkable

LONGEST = 10.0
"""Seconds that all may take together: usually they take less than a tenth of one."""
CHUNK = 1 << 16


def idle(perturbations: Iterable[Perturbation], longest: float = LONGEST) -> Mapping[str, str]:
    """Say of each perturbation that can be tried what it was not seen to do; empty where it acts.

    They are tried in a fork of this process where it may fork, so that
    whatever an unknown interpreter makes of one ends with the fork; else here.

    Args:
        perturbations: some that do not stand down for another reason.
        longest: seconds that all that one fork tries may take together.
    """
    left = [item for item in perturbations if hasattr(item, "idle")]
    with fork.undisturbed():
        return _each(left, longest) if forkable.hindrance() is None else {item.name: _tried(item) for item in left}


def _each(left: list[Perturbation], longest: float) -> dict[str, str]:
    """Try each in a fork, as many in one as it lives for."""
    found: dict[str, str] = {}
    while left:
        told, how = _apart(left, longest)
        found.update(told)
        left = left[len(told) :]
        if left:
            found[left.pop(0).name] = f"trying whether it acts {how}"
    return found


def _apart(perturbations: Sequence[Perturbation], longest: float) -> tuple[dict[str, str], str]:
    """Try some in a fork; give what it said of each, in turn, and how it ended."""
    reading, writing = os.pipe()
    pid = fork.forked(partial(_tell, perturbations, writing))
    os.close(writing)
    data, late = _read(reading, longest)
    os.close(reading)
    if late:
        fork.kill_group(pid)
    _, status = os.waitpid(pid, 0)
    lines = data.decode("utf-8", "replace").split("\n")[:-1]
    told = {item.name: line for item, line in zip(perturbations, lines, strict=False)}
    ended = ending(os.waitstatus_to_exitcode(status))
    return told, f"took longer than {longest:g} s" if late else f"ended the process: {ended}"


def _tell(perturbations: Sequence[Perturbation], descriptor: int) -> None:
    faulthandler.disable()  # what becomes of this process is told in a sentence
    for item in perturbations:
        os.write(descriptor, f"{_tried(item)}\n".encode("utf-8", "replace"))


def _read(descriptor: int, longest: float) -> tuple[bytes, bool]:
    """Read to the end, and tell whether it has not come in time."""
    data, until = b"", realtime.monotonic() + longest
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    while (left := until - realtime.monotonic()) > 0:
        if waiting.poll(left * 1000):
            chunk = os.read(descriptor, CHUNK)
            if not chunk:
                return data, False
            data += chunk
    return data, True


def _tried(perturbation: Perturbation) -> str:
    """Try one; give what it was not seen to do, in one line."""
    try:
        text = str(perturbation.idle())  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 - on an unknown interpreter anything may be otherwise
        text = f"trying whether it acts raised {type(error).__name__}: {error}"
    return " ".join(text.split())
