"""Which processes may fork once the suite is imported, and forks that are tried before they are trusted."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

NATIVE = """
import ctypes
libc = ctypes.CDLL(None)
libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, libc.pause, None)
"""
"""Starts a thread that Python knows nothing of, and that no fork ends."""


def said(source: str) -> str:
    code = f"{source}\nfrom pytest_flakehunt.zygote.forkable import hindrance\nprint(hindrance())"
    ended = subprocess.run([sys.executable, "-Werror", "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    return ended.stdout.strip()


@pytest.mark.parametrize(
    "source",
    ["", "import numpy", "import scipy.linalg", "import numpy; numpy.ones((300, 300)) @ numpy.ones((300, 300))"],
)
def test_what_is_prepared_for_forks_is_no_hindrance(source: str) -> None:
    assert said(source) == "None"


def test_threads_of_pythons_own_are() -> None:
    source = (
        "import threading; threading.Thread(target=threading.Event().wait, args=(9,), daemon=True, name='late').start()"
    )
    assert said(source) == "Hindrance(reason='importing the suite starts threads: late', certain=True)"


@pytest.mark.skipif(sys.platform != "linux", reason="only there threads are listed")
def test_native_threads_are_as_long_as_nobody_has_tried() -> None:
    assert said(NATIVE) == "Hindrance(reason='importing the suite starts 1 native thread', certain=False)"
    assert said(NATIVE * 2) == "Hindrance(reason='importing the suite starts 2 native threads', certain=False)"


REASON = "importing the suite starts 1 native thread"


@pytest.mark.forks
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("test", "sweeps", "note"),
    [
        ("pass", 24, f"sweeps are forked: {REASON}, but calm sweeps with forks and without come out alike"),
        (
            "import os; assert os.getpid() == STARTED",
            24,
            f"every sweep has a fresh interpreter: {REASON}, and test_it.py::test_it fails in forked processes only",
        ),
        (
            "import os, threading; os.getpid() == STARTED or threading.Event().wait()",
            24,
            f"every sweep has a fresh interpreter: {REASON}, and test_it.py::test_it hangs in a forked process",
        ),
        (
            "pass",
            6,
            f"every sweep has a fresh interpreter: {REASON}, "
            "and a hunt of fewer than 24 sweeps does not try whether forks are safe",
        ),
    ],
)
def test_forks_are_tried_before_they_are_trusted(
    pytester: pytest.Pytester, hunt: Callable[..., Any], test: str, sweeps: int, note: str
) -> None:
    pytester.makepyfile(
        test_it=f"import os\nSTARTED = os.getpid()\n{NATIVE}\ndef test_it(): {test}\ndef test_other(): pass"
    )
    found = hunt("--flakehunt-only=order,gc", "--flakehunt-timeout=2", sweeps=sweeps)
    assert found.report["notes"] == [note]
    assert found.verdicts == {"test_it": "steady", "test_other": "steady"}
    zygotes = int(found.result.stdout.str().partition(" zygotes\n")[0].rpartition(", ")[2])
    assert (zygotes < 16) == note.startswith("sweeps are forked") or sweeps < 16


@pytest.mark.forks
@pytest.mark.thorough
def test_suites_that_import_numpy_fork(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    pytester.makepyfile(
        test_it="import numpy\ndef test_it(): assert (numpy.ones((200, 200)) @ numpy.ones(200)).sum() == 40000"
    )
    found = hunt("--flakehunt-only=order,gc", sweeps=20)
    assert (found.verdicts, found.report["notes"]) == ({"test_it": "steady"}, [])
