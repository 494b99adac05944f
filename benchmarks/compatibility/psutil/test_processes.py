import os
import subprocess
import sys

import psutil
import pytest


@pytest.fixture
def child():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield child
    child.communicate(b"\n")


def test_self():
    assert psutil.Process().pid == os.getpid()


def test_child(child):
    assert child.pid in {process.pid for process in psutil.Process().children()}


def test_ended():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        watched = psutil.Process(process.pid)
    assert not watched.is_running() or watched.status() == psutil.STATUS_ZOMBIE


def test_memory():
    assert psutil.Process().memory_info().rss > 0


def test_open_files(tmp_path):
    with (tmp_path / "x").open("w"):
        assert str(tmp_path / "x") in {file.path for file in psutil.Process().open_files()}
