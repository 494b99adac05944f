"""Programs that are run to their end, and ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from pytest_flakehunt.replays.processes import run


def test_what_it_said_and_how_it_ended_is_told(tmp_path: Path) -> None:
    ended = run([sys.executable, "-c", "import sys; print('a\\nb'); sys.exit(3)"], tmp_path, os.environ, 60)
    assert (ended.status, ended.out, ended.err, ended.tail(1)) == (3, "a\nb\n", "", "b")
    wrong = run([sys.executable, "-c", "import sys; print('a'); sys.exit('b')"], tmp_path, os.environ, 60)
    assert (wrong.status, wrong.tail(3)) == (1, "b")
    silent = run([sys.executable, "-c", ""], tmp_path, {}, 60)
    assert (silent.status, silent.tail(1)) == (0, "it said nothing")


def test_what_it_leaves_running_holds_nothing_up(tmp_path: Path) -> None:
    began = time.monotonic()
    text = "import os, time\npid = os.fork()\nif pid: open('pid', 'w').write(str(pid))\nelse: time.sleep(60)\n"
    run([sys.executable, "-c", text], tmp_path, os.environ, 60)
    assert time.monotonic() - began < 30
    os.kill(int((tmp_path / "pid").read_text()), 9)


STUBBORN = """
import os, signal, time
pid = os.fork()
if not pid:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(60)
    os._exit(0)
try:
    with open("draft", "w") as file:
        file.write(str(pid))
    os.rename("draft", "pid")
    time.sleep(60)
except KeyboardInterrupt:
    open("interrupted", "w").close()
"""


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_reaches_it_once_and_ends_what_it_started(tmp_path: Path) -> None:
    def interrupt() -> None:
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", STUBBORN], tmp_path, os.environ, 60)
    thread.join()
    assert (tmp_path / "interrupted").exists()
    assert gone(int((tmp_path / "pid").read_text()))


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, os.environ, 0.1)


def gone(pid: int) -> bool:
    """Tell whether a process has ended, whoever is to wait for it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
    return False
