"""Files and processes that come late, and whole."""

import _thread
import builtins
import gc
import inspect
import io
import os
import pickle
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil
import pytest

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.perturbations import slowstarts
from pytest_flakehunt.perturbations.delays import MOST, MOST_ON_FILES, delays
from pytest_flakehunt.perturbations.latency import Latencies, Latency


@pytest.fixture(autouse=True)
def late(request: pytest.FixtureRequest) -> Iterator[None]:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"clock", "latency"}:
            pytest.skip(f"already under {plugin.plan}")
    with Latency(20).held(), Latency(20).held_for("test_a.py::test_x"):
        yield


def seconds(work: Callable[[], object]) -> float:
    start = realtime.monotonic()
    work()
    return realtime.monotonic() - start


def test_opening_is_late_up_to_so_much_a_test(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    delays.set(0.02, 1)
    total = seconds(lambda: [path.read_bytes() for _ in range(50)])
    assert MOST_ON_FILES * 0.02 <= delays.on_files < (MOST_ON_FILES + 2) * 0.02
    assert total >= MOST_ON_FILES * 0.02
    delays.set(0.02, 1)
    assert not delays.on_files


@pytest.mark.parametrize("way", ["open", "io.open", "Path.open", "os.open", "os.fsync"])
def test_each_way_to_a_file_is_late(tmp_path: Path, way: str) -> None:
    path = tmp_path / "a"
    path.touch()
    descriptor = os.open(path, os.O_RDWR)
    delays.set(0.02, 1)
    match way:
        case "open":
            builtins.open(path).close()  # noqa: PTH123 - the very function on trial
        case "io.open":
            io.open(path).close()  # noqa: UP020 - as above
        case "Path.open":
            path.open().close()
        case "os.open":
            os.close(os.open(path, os.O_RDONLY))
        case "os.fsync":
            os.fsync(descriptor)
    os.close(descriptor)
    assert delays.on_files > 0


def test_what_is_written_is_flushed_late(tmp_path: Path) -> None:
    with (tmp_path / "a").open("w") as text, (tmp_path / "b").open("wb") as binary:
        text.write("x")
        binary.write(b"x")
        delays.set(0.02, 1)
        text.flush()
        after = delays.on_files
        binary.flush()
        assert 0 < after < delays.on_files


@pytest.mark.parametrize("newline", [None, "", "\n", "\r\n"])
@pytest.mark.parametrize("mode", ["w", "a", "w+", "x"])
def test_text_is_written_as_ever(tmp_path: Path, mode: str, newline: str | None) -> None:
    path = tmp_path / "a"
    if mode == "a":
        path.write_bytes(b"before\n")
    with open(str(path), mode, encoding="utf-16-le", errors="replace", newline=newline) as file:  # noqa: PTH123 - on trial
        assert type(file).__name__ == "TextIOWrapper"
        assert isinstance(file, io.TextIOWrapper)
        assert (file.mode, file.encoding, file.errors, file.name) == (mode, "utf-16-le", "replace", str(path))
        file.write("grüß\nGott\n")
    with io.BytesIO() as expected:
        text = io.TextIOWrapper(expected, encoding="utf-16-le", newline=newline)
        text.write("grüß\nGott\n")
        text.flush()
        assert path.read_bytes() == (b"before\n" if mode == "a" else b"") + expected.getvalue()


@pytest.mark.parametrize("mode", ["wb", "ab", "xb", "r+b", "w+b", "rb"])
def test_bytes_are_written_and_read_as_ever(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a"
    content = random.Random(1).randbytes(100_000)
    if mode in {"r+b", "rb"}:
        path.write_bytes(content)
    with open(path, mode) as file:  # noqa: PTH123 - on trial
        if mode == "rb":
            assert file.read() == content
        else:
            file.write(content)
    assert path.read_bytes() == content


def test_a_descriptor_is_not_opened_late_and_errors_stay_what_they_are(tmp_path: Path) -> None:
    readable, writable = os.pipe()
    delays.set(0.02, 1)
    with open(readable, "rb"), open(writable, "wb", buffering=0):  # noqa: PTH123 - on trial
        assert not delays.on_files
    with pytest.raises(FileNotFoundError):
        open(tmp_path / "missing")  # noqa: PTH123, SIM115 - on trial
    with pytest.raises(ValueError, match="mode"):
        open(tmp_path / "a", "q")  # noqa: PLW1501, PTH123, SIM115 - on trial


def test_a_file_that_is_dropped_is_closed_whole_and_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        file = path.open("w")
        file.write("all of it")
        del file
        gc.collect()
    assert [warning.category for warning in caught] == [ResourceWarning]
    assert path.read_text("utf-8") == "all of it"


def test_a_process_starts_late_while_we_go_on() -> None:
    delays.set(1.0, 2)  # which draws almost two seconds
    process = subprocess.Popen(["/bin/sleep", "60"])
    delays.set(0.0, 0)
    try:
        deadline = realtime.monotonic() + 1.5
        while (state := psutil.Process(process.pid).status()) != psutil.STATUS_STOPPED:
            assert realtime.monotonic() < deadline, state
        while psutil.Process(process.pid).status() == psutil.STATUS_STOPPED:
            realtime.sleep(0.01)
    finally:
        process.kill()
        process.wait()


def test_a_process_that_is_held_back_can_be_ended_and_goes_on_without_us() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    held = """
        import os, subprocess, sys
        from pytest_flakehunt.perturbations import slowstarts
        process = subprocess.Popen(["/bin/sh", "-c", "echo done"])
        slowstarts.hold_back(process.pid, 0.2)
        os.kill(os.getpid(), 9)
    """
    words = "\n".join(line.strip() for line in held.splitlines())
    done = subprocess.run([sys.executable, "-c", words], stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"done\n")


def test_a_program_that_does_not_exist_is_said_to_be_missing() -> None:
    with pytest.raises(FileNotFoundError):
        subprocess.Popen(["/no/such/program"])


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    thread = threading.Thread(target=lambda: (tmp_path / "a").write_text("x", "utf-8"))
    thread.start()
    thread.join()
    delays.set(0.0, 0)
    assert (tmp_path / "a").read_bytes() == b"x"
    assert not delays.spent


def test_what_stands_for_a_function_is_used_like_it(tmp_path: Path) -> None:
    class Keeper:
        wait: Callable[[float], None] = time.sleep
        opened: Callable[..., IO[str]] = open

    Keeper().wait(0)
    Keeper().opened(tmp_path / "a", "w").close()
    assert os.open in os.supports_dir_fd
    assert pickle.loads(pickle.dumps(socket.gethostbyname)) is socket.gethostbyname
    assert inspect.signature(open).parameters["buffering"].default == -1
    assert (time.sleep.__name__, open.__name__) == ("sleep", "open")


def test_a_buffer_keeps_its_size(tmp_path: Path) -> None:
    with open(tmp_path / "a", "wb", buffering=16) as file:  # noqa: PTH123 - on trial
        file.writelines(b"12345" for _ in range(9))
        assert (tmp_path / "a").stat().st_size == 30


def test_a_file_closed_by_a_bare_thread_is_whole(tmp_path: Path) -> None:
    file = (tmp_path / "a").open("w", encoding="utf-8")
    file.write("all of it")
    _thread.start_new_thread(file.close, ())
    while not file.closed:
        realtime.sleep(0.001)
    assert (tmp_path / "a").read_text("utf-8") == "all of it"


def test_a_test_that_listens_for_its_children_hears_of_them_alone() -> None:
    heard = []

    def listen(*_: object) -> None:
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                heard.append(found[0])

    before = signal.signal(signal.SIGCHLD, listen)
    try:
        process = subprocess.Popen(["/bin/true"])
        process.wait()
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert set(heard) <= {process.pid}


def test_delays_come_to_an_end() -> None:
    delays.set(0.001, 1)
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"x" * 1000)
        for _ in range(1000):
            other.recv(1)
    assert MOST * 0.001 <= delays.spent < (MOST + 2) * 0.001


def test_many_means_are_drawn() -> None:
    drawn = [str(Latencies().draw(seed, turn)) for turn, seed in enumerate(range(0, 4000, 101))]
    assert drawn[:4] == ["20ms", "100ms", "5ms", "50ms"]
    assert len(set(drawn)) > 20


def test_a_sleep_that_the_suite_put_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = lambda seconds: None  # noqa: E731 - as suites write it
    monkeypatch.setattr(time, "sleep", quick)
    with Latency(5).held():
        assert time.sleep is quick


def test_everything_is_put_back(request: pytest.FixtureRequest) -> None:
    del request
    assert slowstarts.SHELL
    before = (subprocess.Popen.__init__, os.open, os.fsync, time.sleep)
    with Latency(5).held():
        assert subprocess.Popen.__init__ is not before[0]
    assert (subprocess.Popen.__init__, os.open, os.fsync, time.sleep) == before
