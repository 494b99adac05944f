"""Interpreters that lack what Windows and macOS lack: what is guarded there is guarded by feature, and a hunt goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LACKING = """
import os, select, signal, subprocess, sys, time
import psutil  # as subprocess, it knows the platform that it really is on

def hide(owner, names):
    for name in names.split():
        if hasattr(owner, name):
            delattr(owner, name)

hide(os, "fork forkpty register_at_fork killpg getsid setsid getpgrp getpgid setpgid geteuid getuid getgid getegid")
hide(os, "sched_setaffinity sched_getaffinity pidfd_open waitid P_ALL mkfifo makedev get_blocking set_blocking uname")
hide(select, "poll epoll")
hide(signal, "SIGRTMIN SIGRTMAX SIGALRM alarm setitimer getitimer ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF pthread_sigmask")
hide(signal, "pthread_kill SIGCHLD SIGCONT SIGSTOP SIGHUP SIGUSR1 SIGUSR2 SIGQUIT")
hide(psutil.Process, "cpu_affinity")
hide(time, "tzset")
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None

def heard(event, args):
    if event in {"open", "os.listdir", "os.scandir"} and str(args[0]).startswith(("/proc", "/dev/fd")):
        if str(sys._getframe(1).f_globals.get("__name__")).startswith(("pytest_flakehunt", "pathlib")):
            raise FileNotFoundError(2, "no such file", args[0])

sys.addaudithook(heard)
"""
"""What every interpreter does as it starts: away with what other platforms do not have, but for what the library needs."""
TRYING = """
import importlib, json, os, pkgutil, subprocess, sys, time
from contextlib import ExitStack
import pytest_flakehunt
for module in pkgutil.walk_packages(pytest_flakehunt.__path__, "pytest_flakehunt."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from pytest_flakehunt.model import AtCall, PerSweep, PerTest
from pytest_flakehunt.perturbations import OURS
from pytest_flakehunt.sessions import showing
away = {item.name: item.unavailable for item in OURS if getattr(item, "unavailable", "")}
acting = [item for item in OURS if item.name not in away]
for item in acting:
    for turn in range(2):
        setting = item.draw(turn, turn)
        assert item.read(str(setting)) == setting
        with ExitStack() as undo:
            if isinstance(setting, PerSweep): undo.enter_context(setting.held())
            if isinstance(setting, PerTest): undo.enter_context(setting.held_for("test_it.py::test_it"))
            if isinstance(setting, AtCall): setting.called()
            os.listdir("."), time.sleep(0), subprocess.run([sys.executable, "-S", "-c", ""])
print(json.dumps([away, {name: why for name, why in showing.idle(acting).items() if why}]))
"""
"""Imports everything, holds everything, and tries whether it acts."""


@pytest.fixture
def lacking(tmp_path: Path, bare: dict[str, str]) -> dict[str, str]:
    """Give an environment in which interpreters lack what other platforms do."""
    folder = tmp_path / "lacking"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(LACKING)
    paths = [str(folder), *filter(None, [bare.get("PYTHONPATH", "")])]
    return {**bare, "PYTHONPATH": os.pathsep.join(paths)}


def run(environment: dict[str, str], folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=200
    )


def test_all_modules_are_imported_and_perturbations_act_or_stand_down(lacking: dict[str, str], tmp_path: Path) -> None:
    done = run(lacking, tmp_path, "-c", TRYING)
    assert (done.returncode, done.stderr) == (0, "")
    away, idle = json.loads(done.stdout)
    assert away.pop("locale", "") in {"", "no locale in UTF-8 is installed but the machine's own"}
    assert away == {
        "cores": "this platform cannot pin a process to cores",
        "environ": "it knows what differs between machines of the Unix kind only",
        "fds": "this platform limits no descriptors",
        "timezone": "this platform has no tzset",
    }
    assert idle == {}


def test_a_hunt_has_fresh_interpreters(lacking: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import os\ndef test_a(tmp_path): assert not hasattr(os, 'fork')\ndef test_b(): assert 0\ndef test_c(): os._exit(3)\n"
    )
    plugins = "-pxdist.plugin", "-ppytest_flakehunt.plugin"
    done = run(
        *(lacking, tmp_path, "-m", "pytest", *plugins, "--flakehunt=3", "--flakehunt-diagnose=0"),
        *("--flakehunt-only=order,gc", "--flakehunt-json=report.json"),
    )
    assert done.returncode == 1, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert {test["nodeid"]: (test["verdict"], test["runs"]) for test in report["tests"]} == {
        "test_it.py::test_a": ("steady", 3),
        "test_it.py::test_b": ("broken", 3),
        "test_it.py::test_c": ("broken", 3),
    }
    assert "every sweep has a fresh interpreter: this Python cannot fork" in report["notes"]
    refused = run(lacking, tmp_path, "-m", "pytest", *plugins, "--flakehunt=3", "--flakehunt-isolation=fork")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--flakehunt-isolation=fork: this Python cannot fork; leave it out" in refused.stderr


def test_versions_are_said(lacking: dict[str, str], tmp_path: Path) -> None:
    assert run(lacking, tmp_path, "-m", "pytest", "-ppytest_flakehunt.plugin", "--version").stdout.startswith("pytest ")
    assert run(lacking, tmp_path, "-m", "pytest_flakehunt", "--version").stdout.startswith("pytest-flakehunt ")
