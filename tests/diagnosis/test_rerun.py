"""Printed commands run again: what counts as the failure, and what does not."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_flakehunt.diagnosis.repro import Command, Commands, program
from pytest_flakehunt.diagnosis.rerun import Rerun
from pytest_flakehunt.model import CALM, Contract, Count, Evidence, Mode, Outcome, Place
from pytest_flakehunt.zygote.host import Origin

Hunter = Callable[..., Any]
FOREVER = float("inf")


@pytest.fixture
def again(pytester: pytest.Pytester, tmp_path: Path) -> Callable[..., Count]:
    """Run a command once, and count the failures of a mode of its last test."""
    environ = {
        name: value for name, value in os.environ.items() if name not in {"PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"}
    }
    origin = Origin(
        [], str(pytester.path), ["pytest/__main__.py"], [], {**environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    )

    def run(*words: str, outcome: Outcome = Outcome.FAILED, fingerprint: str = "", limit: float = 30.0) -> Count:
        mode = Mode(fingerprint, outcome, Evidence("call", "", "", Place("", 0)), 1, 0, "", Contract.NATURAL)
        command = Command(("pytest",), ("-pxdist.plugin", "-ppytest_flakehunt.plugin", *words))
        rerun = Rerun(origin, tmp_path)
        counts = rerun.counted(Commands(command, CALM), words[-1], mode, pairs=1, limit=limit, ends=FOREVER)
        assert not list(tmp_path.iterdir())
        return counts[0]

    return run


@pytest.mark.thorough
def test_only_the_very_mode_counts_as_the_failure(
    pytester: pytest.Pytester, hunt: Hunter, again: Callable[..., Count]
) -> None:
    pytester.makepyfile(test_it="def test_first(): assert 0\ndef test_it(): raise OSError('gone')")
    name = "test_it.py::test_it"
    fingerprint = hunt(sweeps=1).mode("test_it")["fingerprint"]
    assert again(name, fingerprint=fingerprint) == (1, 1)
    assert again("test_it.py::test_first", name, fingerprint="another") == (1, 0)


@pytest.mark.thorough
def test_what_passes_is_skipped_or_missing_is_no_failure(
    pytester: pytest.Pytester, again: Callable[..., Count]
) -> None:
    pytester.makepyfile(test_it="import pytest\ndef test_it(): pass\ndef test_skips(): pytest.skip()")
    assert again("test_it.py::test_it") == (1, 0)
    assert again("test_it.py::test_skips") == (0, 0)
    assert again("test_it.py::test_gone") == (0, 0)


@pytest.mark.thorough
def test_crashes_and_hangs_are_told_apart(pytester: pytest.Pytester, again: Callable[..., Count]) -> None:
    pytester.makepyfile(test_it="import os, time\ndef test_crash(): os.abort()\ndef test_hang(): time.sleep(60)")
    assert again("test_it.py::test_crash", outcome=Outcome.CRASHED) == (1, 1)
    assert again("test_it.py::test_crash", outcome=Outcome.HUNG) == (1, 0)
    assert again("test_it.py::test_hang", outcome=Outcome.HUNG, limit=0.5) == (1, 1)
    assert again("test_it.py::test_hang", outcome=Outcome.CRASHED, limit=0.5) == (1, 0)


def test_a_plan_and_a_suite_that_runs_pytest_itself_do_not_confuse_the_count(
    pytester: pytest.Pytester, again: Callable[..., Count]
) -> None:
    pytester.makepyfile(
        test_it="""
        import os, subprocess, sys
        def test_it():
            assert not any("WITNESS" in name for name in os.environ)
            subprocess.run([sys.executable, "-m", "pytest", "-ppytest_flakehunt.plugin", "test_inner.py"])
        """,
        test_inner="def test_it(): assert 0",
    )
    assert again("--flakehunt-plan=hashseed=3 repeat=2", "test_it.py::test_it") == (1, 0)


def test_a_command_leaves_no_process_that_its_tests_leave(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import subprocess, sys
        STATE = []
        def test_victim():
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)", __file__])
            assert not STATE
        def test_pollutes(): STATE.append(1)
        """
    )
    found = hunt("--flakehunt-only=order", "--flakehunt-diagnose=60", sweeps=6)
    assert found.mode("test_victim")["verified"]["runs"]
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if str(pytester.path / "test_it.py") in line]


@pytest.mark.parametrize(
    ("argv", "typed", "starts"),
    [
        ("/venv/bin/pytest", ["/venv/bin/python", "/venv/bin/pytest"], ("pytest",)),
        ("/lib/pytest/__main__.py", ["../bin/python", "-X", "dev", "-mpytest"], ("../bin/python", "-m", "pytest")),
    ],
)
def test_a_command_starts_as_the_hunt_did(argv: str, typed: list[str], starts: tuple[str, ...]) -> None:
    assert program([argv], typed) == starts


def obeying_ctrl_c() -> None:
    """Let the process obey Ctrl-C though whoever started these tests does not, as what runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.thorough
def test_ctrl_c_keeps_what_the_experiments_have_found(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it="""
        STATE = []
        def test_victim(): assert not STATE
        def test_pollutes(): STATE.append(1)
        """
    )
    process = subprocess.Popen(
        [
            sys.executable, "-m", "pytest", "-pxdist.plugin", "-ppytest_flakehunt.plugin", "--flakehunt=2", "--flakehunt-only=order",
            "--flakehunt-json=report.json", "--flakehunt-ledger=ledger.sqlite",
        ],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-rA"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=obeying_ctrl_c,  # noqa: PLW1509 - no thread runs here
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and experiments(Path("ledger.sqlite")) < 40:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == pytest.ExitCode.INTERRUPTED
    report = json.loads(Path("report.json").read_text("utf-8"))
    assert report["hunt"]["interrupted"]
    (victim,) = (test for test in report["tests"] if test["verdict"] != "steady")
    assert (victim["nodeid"], victim["runs"], victim["failures"]) == ("test_it.py::test_victim", 2, 1)
    assert victim["modes"][0]["repro"]


def experiments(ledger: Path) -> int:
    if not ledger.exists():
        return 0
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database, suppress(sqlite3.OperationalError):
        (count,) = database.execute("select count(*) from sweeps where purpose = 'diagnosis'").fetchone()
        return int(count)
    return 0
