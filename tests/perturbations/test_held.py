"""What each setting does to a process while it is held, and that everything is put back."""

import asyncio
import datetime
import gc
import importlib.util
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import freezegun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import PerSweep, PerTest
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import clock, cores, instants, registry, timezone
from pytest_flakehunt.perturbations.order import containers
from pytest_flakehunt.perturbations.random import digests, seeders

KNOWN = registry()


@contextmanager
def under(plan: str, nodeid: str = "test_a.py::test_x") -> Iterator[None]:
    with ExitStack() as undo:
        for _, setting in read_plan(plan, KNOWN).settings:
            if isinstance(setting, PerSweep):
                undo.enter_context(setting.held())
        for _, setting in read_plan(plan, KNOWN).settings:
            if isinstance(setting, PerTest):
                undo.enter_context(setting.held_for(nodeid))
        yield


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> None:
    """Stand aside in a sweep that already holds what these tests hold: a source cannot be held twice."""
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"clock", "cores", "gc", "latency", "timezone"}:
            pytest.skip(f"already under {plugin.plan}")


@pytest.fixture(params=["time-machine", "freezegun"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "freezegun":
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    else:
        pytest.importorskip("time_machine")
    return str(request.param)


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_a_moved_clock_is_consistent_with_itself_in_every_zone(zone: str, tmp_path: Path) -> None:
    true, ticking = realtime.time(), time.monotonic()
    with under(f"clock=2028-02-29T23:59:58 timezone={zone}"):
        now = datetime.datetime.now()
        assert now.isoformat().startswith("2028-02-29T23:59:58")
        assert datetime.date.today() == datetime.date(2028, 2, 29)
        assert time.localtime()[:5] == (2028, 2, 29, 23, 59)
        assert time.strftime("%Y-%m-%d") == "2028-02-29"
        assert abs(now.timestamp() - time.time()) < 1
        aware = datetime.datetime.now(datetime.UTC)
        assert abs(aware.timestamp() - time.time()) < 1
        assert abs(now.astimezone() - aware) < datetime.timedelta(seconds=1)
        assert abs(datetime.datetime.utcnow() - aware.replace(tzinfo=None)) < datetime.timedelta(seconds=1)
        assert abs(datetime.datetime.fromtimestamp(time.time()) - now) < datetime.timedelta(seconds=1)
        assert time.gmtime()[:4] == aware.timetuple()[:4]
        assert repr(datetime.date(2028, 1, 1)) == "datetime.date(2028, 1, 1)"
        assert repr(datetime.datetime(2028, 1, 1)) == "datetime.datetime(2028, 1, 1, 0, 0)"
        assert 0 <= time.monotonic() - ticking < 10
        path = tmp_path / "file"
        path.touch()
        assert abs(path.stat().st_mtime - time.time()) < 3
        os.utime(path, (5e8, 5e8))
        assert path.stat().st_mtime == 5e8
    assert abs(time.time() - true) < 10
    assert datetime.datetime.now().year < 2028 or true > 1.83e9


@pytest.mark.usefixtures("engine")
def test_a_moved_clock_keeps_the_history_of_zones() -> None:
    with under("clock=2027-06-30T12:00:00 timezone=Europe/London"):
        moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC).astimezone()
        assert (moment.tzname(), moment.utcoffset()) == ("BST", datetime.timedelta(hours=1))
        second_half_past_one = datetime.datetime(2027, 10, 31, 1, 30, tzinfo=datetime.UTC).timestamp()
        assert datetime.datetime.fromtimestamp(second_half_past_one).fold == 1


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("zone", ["Pacific/Pago_Pago", "Pacific/Kiritimati"])
def test_a_clock_that_the_test_freezes_itself_is_its_own(zone: str) -> None:
    with under(f"clock=2028-02-29T23:59:58 timezone={zone}"), freezegun.freeze_time("2020-02-02 12:00"):
        assert datetime.date.today() == datetime.date(2020, 2, 2)
        assert datetime.datetime.now() == datetime.datetime(2020, 2, 2, 12)
        assert datetime.datetime.now().timestamp() == time.time() == 1580644800


@pytest.mark.usefixtures("engine")
def test_a_moved_clock_ticks() -> None:
    with under("clock=2027-12-31T23:59:59.99"):
        assert datetime.date.today().year == 2027
        time.sleep(0.05)
        assert datetime.date.today().year == 2028


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("setting", ["+400d", "frozen:2027-06-30T12:00:00"])
def test_threads_are_shown_the_same_clock(setting: str) -> None:
    shown: list[float] = []

    class Deep(threading.Thread):
        def run(self) -> None:
            self.far(8)

        def far(self, calls: int) -> None:
            shown.append(time.time())
            if calls:
                self.far(calls - 1)

    with under(f"clock={setting}"):
        thread = Deep()
        thread.start()
        thread.join()
        assert [moment == pytest.approx(time.time(), abs=60) for moment in shown] == [True] * 9


def test_a_frozen_clock_stands_and_nothing_waits_for_it() -> None:
    with under("clock=frozen:2027-06-30T12:00:00"):
        assert datetime.datetime.now() == datetime.datetime(2027, 6, 30, 12)
        start = time.monotonic()
        asyncio.run(asyncio.sleep(0.01))
        assert time.monotonic() > start
        assert datetime.datetime.now() == datetime.datetime(2027, 6, 30, 12)


def test_a_shift_is_from_now() -> None:
    true = realtime.time()
    with under("clock=+400d"):
        assert abs(time.time() - true - 400 * 86400) < 10
    with under("clock=-1h"):
        assert abs(time.time() - true + 3600) < 10


@given(st.integers(2024, 2060), st.integers(0, 2**32 - 1))
def test_every_catalogued_and_every_drawn_moment_can_be_read(year: int, seed: int) -> None:
    for moment, zone in (*instants.telling(year), instants.drawn(year, seed)):
        assert str(clock.Clocks().read(moment)) == moment
        if zone:
            timezone.Zones().read(zone)


def test_the_catalogue_knows_its_calendar() -> None:
    found = instants.telling(2026)
    assert found[0] == ("2028-02-29T23:59:58", "")
    assert ("2032-12-31T12:00:00", "") in found  # ISO week 53
    assert ("2027-03-28T00:59:58", "Europe/London") in found  # daylight saving starts in Europe
    assert ("2027-03-14T01:59:58", "America/New_York") in found  # and in the United States
    assert ("2027-04-04T02:30:00", "Australia/Adelaide") in found  # and ends in Australia
    assert ("2027-04-30T23:30:00", "") in found  # a month ends on a Friday


@given(st.integers(2024, 2060))
def test_days_of_daylight_saving_have_23_or_25_hours_where_they_are_drawn(year: int) -> None:
    for zone in instants.WITH_SUMMER:
        place = ZoneInfo(zone)
        for day in instants.changes(year, zone):
            start = datetime.datetime(day.year, day.month, day.day, tzinfo=place)
            end = start + datetime.timedelta(days=1)
            assert end.timestamp() - start.timestamp() in {23 * 3600, 25 * 3600}


@given(st.integers(2024, 2060))
def test_the_catalogue_meets_every_end_of_a_week_and_seconds_that_end(year: int) -> None:
    moments = [moment for moment, _ in instants.telling(year) if moment[0] != "+"]
    assert {4, 5, 6} <= {datetime.datetime.fromisoformat(moment).weekday() for moment in moments}
    assert any(
        datetime.datetime.fromisoformat(moment).microsecond / 1e6 > 0.99 and "23:59:59" not in moment
        for moment in moments
    )


def test_random_numbers_follow_from_the_seed_and_the_test() -> None:
    def drawn(plan: str, nodeid: str) -> tuple[object, ...]:
        with under(plan, nodeid):
            return (
                random.random(),
                uuid.uuid4(),
                os.urandom(4),
                random.SystemRandom().random(),
                random.Random().random(),
            )

    assert drawn("random=1", "a") == drawn("random=1", "a")
    assert not set(drawn("random=1", "a")) & set(drawn("random=1", "b"))
    assert not set(drawn("random=1", "a")) & set(drawn("random=2", "a"))
    assert os.urandom(8) != os.urandom(8)
    assert random.Random(3).random() == random.Random(3).random()


def test_numpy_is_seeded_where_it_is_loaded() -> None:
    numpy = pytest.importorskip("numpy")
    pytest.importorskip("numpy.random")
    drawn = []
    for _ in range(2):
        with under("random=4"):
            drawn.append((numpy.random.random(), numpy.random.default_rng().random()))
    assert drawn[0] == drawn[1]


def test_libraries_that_make_up_test_data_draw_from_the_seed() -> None:
    faker, factory = pytest.importorskip("faker"), pytest.importorskip("factory.random")
    drawn = []
    for seed in (4, 4, 5):
        with under(f"random={seed}"):
            drawn.append((faker.Faker().name(), factory.randgen.random()))
    assert drawn[0] == drawn[1] != drawn[2]


def test_torch_is_seeded_though_it_starts_alike_everywhere() -> None:
    torch = pytest.importorskip("torch")
    assert "torch" not in digests()
    drawn = []
    for seed in (4, 4, 5):
        with under(f"random={seed}"):
            drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[1] != drawn[2]
    torch.manual_seed(3)
    assert "torch" in digests()


def test_processes_that_are_forked_draw_apart() -> None:
    with under("random=4"):
        drawn = {os.urandom(8)}
        for _ in range(2):
            readable, writable = os.pipe()
            if not os.fork():
                os.write(writable, os.urandom(8))
                os._exit(0)
            os.close(writable)
            drawn.add(os.read(readable, 8))
            os.close(readable)
            os.wait()
    assert len(drawn) == 3


def test_what_packages_registered_for_reseeding_is_reseeded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setattr("pytest_flakehunt.perturbations.random.entry_points", lambda group: [Entry(group, seeds)])
    seeders.cache_clear()
    try:
        for plan in ("random=4", "random=4", "random=5"):
            with under(plan):
                pass
    finally:
        seeders.cache_clear()
    assert seeds[0] == seeds[1] != seeds[2]


class Entry(NamedTuple):
    """An entry point of a package that is not installed here."""

    group: str
    seeds: list[int]

    def load(self) -> Callable[[int], None]:
        assert self.group == "pytest_randomly.random_seeder"
        return self.seeds.append


def test_one_core_is_one_core() -> None:
    before = os.sched_getaffinity(0)
    if cores.CoreCounts().unavailable:
        pytest.skip(cores.CoreCounts().unavailable)
    with under("cores=1"):
        assert len(os.sched_getaffinity(0)) == 1
        assert os.environ["PYTHON_CPU_COUNT"] == "1"
    assert os.sched_getaffinity(0) == before
    assert "PYTHON_CPU_COUNT" not in os.environ


@pytest.mark.parametrize("plan", ["gc=eager", "gc=off", "gc=every:30", "gc=random:3"])
def test_the_collector_is_given_back_as_it_was(plan: str) -> None:
    before = gc.get_threshold(), gc.isenabled()
    with under(plan):
        assert (gc.get_threshold(), gc.isenabled()) != before
    assert (gc.get_threshold(), gc.isenabled()) == before


def test_a_zone_is_moved_to_and_back() -> None:
    before = time.tzname
    with under("timezone=Asia/Kolkata"):
        assert time.strftime("%z") == "+0530"
        assert os.environ["TZ"] == "Asia/Kolkata"
    assert time.tzname == before


def test_a_suite_that_sets_its_zone_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    assert timezone.Zones.withdrawn() == "the suite sets TZ itself as it is imported"
    with under("timezone=Asia/Kolkata"):
        assert os.environ["TZ"] == "Europe/Paris"
    monkeypatch.undo()
    time.tzset()


def test_late_sockets_are_late_and_whole() -> None:
    one, other = socket.socketpair()
    with one, other, under("latency=30ms"):
        total = 0.0
        for _ in range(20):
            one.sendall(b"x" * 100)
            start = realtime.monotonic()
            assert other.recv(100, socket.MSG_WAITALL) == b"x" * 100
            total += realtime.monotonic() - start
        assert 0.2 < total < 3
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(1)


def test_a_delay_past_a_sockets_patience_is_a_time_out() -> None:
    one, other = socket.socketpair()
    with one, other, under("latency=1000ms"):
        one.sendall(b"x")
        other.settimeout(0.001)
        with pytest.raises(TimeoutError):
            other.recv(1)


def test_an_event_loop_is_late_and_never_blocked() -> None:
    async def main() -> tuple[float, int]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.005)
                beats += 1

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line)
            writer.close()
            await writer.wait_closed()
            served.set()

        served = asyncio.Event()
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        heart = asyncio.create_task(beat())
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        start = realtime.monotonic()
        for number in range(5):
            writer.write(b"%d\n" % number)
            assert await reader.readline() == b"%d\n" % number
        seconds = realtime.monotonic() - start
        writer.close()
        await writer.wait_closed()
        await served.wait()
        heart.cancel()
        server.close()
        await server.wait_closed()
        return seconds, beats

    with under("latency=40ms"):
        seconds, beats = asyncio.run(main())
    assert seconds > 0.1
    assert beats > 5
    assert "_late" not in asyncio.selector_events._SelectorSocketTransport._read_ready.__qualname__  # type: ignore[attr-defined]


def test_sleep_overshoots_and_is_given_back() -> None:
    with under("latency=30ms"):
        start = realtime.monotonic()
        for _ in range(10):
            time.sleep(0.001)
        assert realtime.monotonic() - start > 0.1
    assert time.sleep is realtime.sleep
    assert "recv" not in vars(socket.socket)


def test_names_of_hosts_are_looked_up_late_and_right() -> None:
    with under("latency=5ms"):
        assert socket.getaddrinfo("127.0.0.1", 80)


def test_a_patched_read_does_not_disturb_threads() -> None:
    one, other = socket.socketpair()
    got: list[bytes] = []
    with one, other, under("latency=5ms"):
        thread = threading.Thread(target=lambda: got.append(other.recv(4, socket.MSG_WAITALL)))
        thread.start()
        one.sendall(b"ping")
        thread.join(10)
    assert got == [b"ping"]


@pytest.mark.parametrize(
    ("nodeid", "names"),
    [
        ("a.py::test_x", ["a.py", "a.py::test_x"]),
        ("a.py::T::test_x[b::c]", ["a.py", "a.py::T", "a.py::T::test_x[b::c]"]),
        ("a[1]/b.py::test_x", ["a[1]/b.py::test_x"]),
    ],
)
def test_containers_of_a_node_id(nodeid: str, names: list[str]) -> None:
    assert containers(nodeid) == names


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("TU"), st.integers(0, 5)), unique=True),
    st.integers(0, 99),
)
def test_shuffling_keeps_modules_and_classes_together(tests: list[tuple[str, str, int]], seed: int) -> None:
    nodeids = [f"{module}.py::{group}::test_{number}" for module, group, number in tests]
    (shuffled,) = read_plan(f"order=shuffled:{seed}", KNOWN).settings[0][1].arranged(nodeids)  # type: ignore[attr-defined]
    assert sorted(shuffled) == sorted(nodeids)
    for depth in (1, 2):
        seen: list[str] = []
        for nodeid in shuffled:
            name = "::".join(nodeid.split("::")[:depth])
            if not seen or seen[-1] != name:
                assert name not in seen
                seen.append(name)


@given(st.lists(st.integers(0, 99).map(lambda n: f"a.py::test_{n}"), unique=True, min_size=1), st.integers(0, 99))
def test_a_subset_is_half_in_the_order_as_written(nodeids: list[str], seed: int) -> None:
    (chosen,) = read_plan(f"order=subset:{seed}", KNOWN).settings[0][1].arranged(nodeids)  # type: ignore[attr-defined]
    assert len(chosen) == (len(nodeids) + 1) // 2
    assert chosen == [nodeid for nodeid in nodeids if nodeid in set(chosen)]


@pytest.mark.skipif(importlib.util.find_spec("time_machine") is None, reason="freezegun has no clock of its own")
def test_a_moved_clock_ticks_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _ in range(5):
        with under("clock=+400d"):
            realtime.sleep(0.02)  # a file that is written now is not from later than the first reading
            path.write_text("x")
            assert path.stat().st_mtime_ns <= time.time_ns()


def test_parts_of_a_second_are_those_of_the_tests_own_code() -> None:
    exact = clock.Clocks().read("2027-02-01T12:34:56.9")
    with exact.held(), exact.held_for("a"):
        assert datetime.datetime.now().microsecond < 890_000  # fixtures are set up
        exact.called()
        assert 900_000 <= datetime.datetime.now().microsecond < 990_000
    with exact.held(), exact.held_for("a"):
        realtime.sleep(0.03)
        before = time.time()
        exact.called()
        assert before <= time.time() < before + 0.05  # it never goes back
    whole = clock.Clocks().read("2027-02-01T12:34:56")
    with whole.held(), whole.held_for("a"):
        whole.called()
        assert datetime.datetime.now().microsecond < 500_000


PREPARING = """
import os, sys
from pathlib import Path
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import Prepared
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry

for text in sys.argv[1:]:
    plan = read_plan(text, registry())
    affinity, variables, functions = os.sched_getaffinity(0), dict(os.environ), (os.stat, os.listdir, os.urandom)
    for _, setting in plan.settings:
        if isinstance(setting, Prepared):
            setting.prepare()
    assert (os.sched_getaffinity(0), dict(os.environ), (os.stat, os.listdir, os.urandom)) == (affinity, variables, functions)
    if not (child := os.fork()):
        before = set(sys.modules)
        with Stage(plan).held():
            print(text, sorted(set(sys.modules) - before), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="of Linux")
def test_what_is_prepared_is_not_imported_in_each_fork_and_changes_nothing(tmp_path: Path) -> None:
    plans = [
        "clock=+400d",
        "resolution=16ms",
        "cores=1",
        "rows=reversed",
        "listdir=1",
        "pieces=1",
        "latency=1ms",
        "random=1",
    ]
    said = subprocess.run(
        [sys.executable, "-c", PREPARING, *plans], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert said.stdout.splitlines() == [f"{plan} []" for plan in plans]


OPEN_BEFORE = """
import os, sqlite3
from pytest_flakehunt.model import Prepared
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry

class Mine(sqlite3.Connection):
    pass

((_, setting),) = read_plan("clock=2028-02-29T12:00:00", registry()).settings
for kept in ([], [sqlite3.connect(":memory:")], [sqlite3.connect(":memory:", factory=Mine)]):
    setting.prepare()
    if not (child := os.fork()):
        with setting.held(), setting.held_for("test"):
            later = sqlite3.connect(":memory:")
            print(*(each.execute("SELECT date('now')").fetchone()[0] for each in (*kept, later)), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_connections_that_were_open_before_the_fork_are_found(tmp_path: Path) -> None:
    said = subprocess.run([sys.executable, "-c", OPEN_BEFORE], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert said.stdout.splitlines() == ["2028-02-29", "2028-02-29 2028-02-29", "2028-02-29 2028-02-29"]
