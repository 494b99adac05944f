"""What is noted of code that consults a source of nondeterminism."""
# ruff: noqa: PLW0108, PTH207, PTH208 - each line of the table is written as a project would write it

import asyncio
import copy
import gc
import glob
import inspect
import locale
import logging
import multiprocessing
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import freezegun
import pytest

from pytest_flakehunt.instruments import source_lines
from pytest_flakehunt.instruments.source_lines import Reading, Recorder
from pytest_flakehunt.model import PerSweep, PerTest, Place
from pytest_flakehunt.perturbations import registry, wall_clock

HERE = Path(__file__).parent


class Moment(datetime):
    """The project's own kind of datetime."""


def noted(deed: Callable[[], object]) -> set[tuple[str, str]]:
    with Recorder(HERE) as recorder:
        deed()
    return {(reading.source, reading.call) for reading in recorder.readings}


def connects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def reads_directly() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.send(b"a")
        other.recv(1)


def starts_pool() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int)


def starts_thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


CALLS: list[tuple[Callable[[], object], set[tuple[str, str]]]] = [
    (lambda: time.time(), {("clock", "time.time()")}),
    (lambda: time.localtime(), {("clock", "time.localtime()"), ("timezone", "time.localtime()")}),
    (lambda: datetime.now(), {("clock", "datetime.now()"), ("timezone", "datetime.now()")}),
    (lambda: datetime.now(UTC), {("clock", "datetime.now()"), ("timezone", "datetime.now()")}),
    (lambda: Moment.now(), {("clock", "Moment.now()"), ("timezone", "Moment.now()")}),
    (lambda: date.today(), {("clock", "date.today()"), ("timezone", "date.today()")}),
    (lambda: datetime.fromtimestamp(0), {("timezone", "datetime.fromtimestamp()")}),
    (lambda: time.monotonic() + time.perf_counter(), set()),
    (lambda: random.random(), {("random", "random.random()")}),
    (lambda: random.randint(1, 6), {("random", "random.randint()")}),
    (lambda: random.shuffle([1, 2, 3]), {("random", "random.shuffle()")}),
    (lambda: random.seed(), {("random", "random.seed()")}),
    (lambda: random.seed(5), set()),
    (lambda: random.Random(5).randint(1, 6), {("random", "Random.randint()")}),
    (lambda: random.Random(), {("random", "random.Random()")}),
    (lambda: os.urandom(4), {("random", "os.urandom()")}),
    (lambda: uuid.uuid4(), {("random", "uuid.uuid4()")}),
    (lambda: secrets.token_hex(), {("random", "secrets.token_hex()")}),
    (lambda: os.listdir(), {("directory", "os.listdir()")}),
    (lambda: list(Path().iterdir()), {("directory", "Path.iterdir()")}),
    (lambda: list(os.walk(HERE / "none")), {("directory", "os.walk()")}),
    (lambda: glob.glob("*"), {("directory", "glob.glob()")}),
    (lambda: os.environ["PATH"], {("environment", "os.environ['PATH']")}),
    (lambda: os.environ.get("NONE"), {("environment", "os.environ['NONE']")}),
    (lambda: os.getenv("NONE"), {("environment", "os.environ['NONE']")}),
    (lambda: "NONE" in os.environ, {("environment", "os.environ['NONE']")}),
    (lambda: list(os.environ), {("environment", "os.environ")}),
    (reads_directly, {("network", "socket.send()"), ("network", "socket.recv()")}),
    (lambda: os.cpu_count(), {("cores", "os.cpu_count()")}),
    (lambda: os.sched_getaffinity(0), {("cores", "os.sched_getaffinity()")}),
    (lambda: multiprocessing.cpu_count(), {("cores", "multiprocessing.cpu_count()")}),
    (lambda: locale.setlocale(locale.LC_ALL), {("locale", "locale.setlocale()")}),
    (lambda: locale.strcoll("a", "b"), {("locale", "locale.strcoll()")}),
    (lambda: os.getpid(), {("process", "os.getpid()")}),
    (lambda: time.sleep(0), {("sleep", "time.sleep()")}),
    (starts_thread, {("threads", "Thread.start()")}),
    (starts_pool, {("threads", "ThreadPoolExecutor.submit()")}),
    (lambda: gc.collect(), {("gc", "gc.collect()")}),
    (lambda: id(HERE), {("address", "id()")}),
    (lambda: hash("a"), {("hash", "hash()")}),
    (lambda: copy.deepcopy([[]]), set()),
    (lambda: logging.getLogger("none").warning("told"), set()),
    (lambda: sorted([3, 1]), set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("deed", "expected"), CALLS, ids=lambda value: inspect.getsource(value).strip()[:40] if callable(value) else ""
)
def test_a_call_is_noted_by_its_source(deed: Callable[[], object], expected: set[tuple[str, str]]) -> None:
    assert noted(deed) == expected


def test_calls_through_the_library_are_named_as_the_project_wrote_them(tmp_path: Path) -> None:
    assert ("process", "subprocess.run()") in noted(lambda: subprocess.run(["true"], check=True))
    assert ("process", "subprocess.Popen()") in noted(lambda: subprocess.Popen(["true"]).wait())
    assert ("network", "socket.create_connection()") in noted(connects)

    assert ("random", "tempfile.mkdtemp()") in noted(lambda: tempfile.mkdtemp(dir=tmp_path))
    assert ("asyncio", "asyncio.run()") in noted(lambda: asyncio.run(asyncio.sleep(0)))


def test_a_clock_that_we_hold_is_consulted_all_the_same() -> None:
    with wall_clock.mounted(ticking=False):
        assert noted(lambda: date.today()) == {("clock", "date.today()"), ("timezone", "date.today()")}
        assert noted(lambda: datetime.now()) == {("clock", "datetime.now()"), ("timezone", "datetime.now()")}
        assert noted(lambda: time.localtime()) == {("clock", "time.localtime()"), ("timezone", "time.localtime()")}
        assert noted(lambda: time.time()) == {("clock", "time.time()")}


def test_a_delay_of_ours_is_no_sleep_of_the_test() -> None:
    def receives() -> None:
        one, other = socket.socketpair()
        with one, other:
            one.sendall(b"x")
            other.recv(1)

    setting = registry()["latency"].read("1ms")
    assert isinstance(setting, PerSweep)
    assert isinstance(setting, PerTest)
    with setting.held(), setting.held_for("t"):
        assert {source for source, _ in noted(receives)} == {"network"}
        assert ("sleep", "time.sleep()") in noted(lambda: time.sleep(0.001))


def test_a_clock_that_freezegun_holds_is_consulted_all_the_same() -> None:
    with freezegun.freeze_time("2030-01-01"):
        assert noted(lambda: time.time()) == {("clock", "time.time()")}
        assert noted(lambda: datetime.now()) == {("clock", "datetime.now()"), ("timezone", "datetime.now()")}
        assert noted(lambda: date.today()) == {("clock", "date.today()"), ("timezone", "date.today()")}


def test_the_place_is_the_innermost_line_of_the_project() -> None:
    def helper() -> int:
        return random.randint(1, 6)

    with Recorder(HERE) as recorder:
        helper()
    (reading,) = recorder.readings
    line = inspect.getsourcelines(helper)[1] + 1
    assert reading == Reading("random", "random.randint()", Place("test_source_lines.py", line, "helper"))


def test_places_outside_the_root_are_absolute(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        time.time()
    assert recorder.readings[0].place.file == __file__


def test_other_threads_are_watched_too() -> None:
    def work() -> None:
        random.random()

    with Recorder(HERE) as recorder:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert ("random", "work") in {(reading.source, reading.place.function) for reading in recorder.readings}


def test_a_thread_that_outlives_the_recording_is_left_in_peace() -> None:
    go_on, profiles = threading.Event(), []

    def work() -> None:
        go_on.wait(10)
        random.random()
        profiles.append(sys.getprofile())

    with Recorder(HERE) as recorder:
        thread = threading.Thread(target=work)
        thread.start()
    go_on.set()
    thread.join()
    assert profiles == [None]
    assert {reading.source for reading in recorder.readings} == {"threads"}


def test_a_reading_stands_once_and_where_it_was_last_used() -> None:
    def clock() -> None:
        time.time()

    def chance() -> None:
        random.random()

    with Recorder(HERE) as recorder:
        for deed in (clock, chance, clock):
            deed()
    assert [reading.source for reading in recorder.readings] == ["random", "clock"]


def test_only_the_last_readings_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_lines, "LIMIT", 2)
    with Recorder(HERE) as recorder:
        time.time()
        random.random()
        list(HERE.iterdir())
    assert [reading.source for reading in recorder.readings] == ["random", "directory"]


def test_what_pytest_asks_for_its_own_ends_is_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert noted(lambda: monkeypatch.setenv("LANG", "C")) == set()


def test_the_profilers_that_were_there_come_back() -> None:
    def profiler(*_: object) -> None:
        pass

    before, threads = sys.getprofile(), threading.getprofile()
    sys.setprofile(profiler)
    threading.setprofile(profiler)
    try:
        with Recorder(HERE):
            assert sys.getprofile() is not profiler
        after = sys.getprofile(), threading.getprofile()
    finally:
        sys.setprofile(before)
        threading.setprofile(threads)
    assert after == (profiler, profiler)


def test_odd_objects_do_no_harm() -> None:
    class Odd(random.Random):
        def __getattribute__(self, name: str) -> object:
            if name == "__class__":
                raise RuntimeError(name)
            return super().__getattribute__(name)

        def __hash__(self) -> int:
            raise RuntimeError

        def __eq__(self, other: object) -> bool:
            raise RuntimeError

    odd = Odd(5)
    assert noted(lambda: odd.random()) == {("random", "Odd.random()")}
