"""Time that goes in steps: of files, and of the clock, moved or not; and who is shown the exact one."""

import contextlib
import datetime
import importlib
import importlib.machinery
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import freezegun
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.instruments.source_watch import Watch
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import SettingError
from pytest_flakehunt.perturbations import file_times
from pytest_flakehunt.perturbations.clock import Clock
from pytest_flakehunt.perturbations.resolution import APART, STEPS, Resolutions, Stamps, Steps

STEP = STEPS["16ms"]


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"clock", "resolution", "latency"}:
            pytest.skip(f"already under {plugin.plan}")


@contextlib.contextmanager
def under(length: str, moment: str = "") -> Iterator[None]:
    with contextlib.ExitStack() as undo:
        for setting in ([Clock(moment)] if moment else []) + [Steps(length)]:
            undo.enter_context(setting.held())
        if moment:
            undo.enter_context(Clock(moment).held_for("test_a.py::test_x"))
        undo.enter_context(Steps(length).held_for("test_a.py::test_x"))
        yield


def statuses(path: Path) -> list[os.stat_result]:
    """Ask in every way."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        asked = [os.stat(path), os.lstat(path), path.stat(), path.lstat(), os.fstat(descriptor)]  # noqa: PTH116 - on trial
    finally:
        os.close(descriptor)
    with os.scandir(path.parent) as entries:
        return [*asked, *(entry.stat() for entry in entries if entry.name == path.name)]


@pytest.mark.parametrize("length", STEPS)
def test_every_way_to_ask_gives_one_answer(tmp_path: Path, length: str) -> None:
    path = tmp_path / "file"
    with under(length):
        path.write_text("x")
        os.utime(path, ns=(10**18 + 1, 3 * 10**18 + 900_000_001))
        asked = statuses(path)
        assert len(asked) == 6
        assert len(set(asked)) == len({status.st_mtime_ns for status in asked}) == 1
        (status, *_) = asked
        for kind in file_times.KINDS:
            exact = getattr(status, f"st_{kind}_ns")
            assert int(getattr(status, f"st_{kind}")) == status[7 + file_times.KINDS.index(kind)] == exact // 10**9
            assert getattr(status, f"st_{kind}") == pytest.approx(exact / 1e9, abs=1e-6)
        if length != "16ms":
            assert (status.st_atime_ns, status.st_mtime_ns) == (10**18, 3 * 10**18)
    assert path.stat().st_mtime_ns == 3 * 10**18 + 900_000_001


def stamps(step: int, *, since: float, now: float, moved: int = 0) -> Stamps:
    clock = iter([since])
    return Stamps(step, lambda: next(clock, now), lambda stamp: moved if stamp > 10**17 else 0)


def told(told_by: Stamps, status: os.stat_result, exact: int, changed: int | None = None) -> int:
    moved = dict(zip(file_times.KINDS, (exact, exact, exact if changed is None else changed), strict=True))
    given = iter(moved.values())
    return told_by.coarse(file_times.restamped(status, lambda _: next(given))).st_mtime_ns


def test_what_has_not_changed_since_keeps_its_times(tmp_path: Path) -> None:
    status = tmp_path.stat()
    whole = stamps(STEPS["1s"], since=10.32, now=20.5)
    assert told(whole, status, 10_299_999_999) == 10_299_999_999
    assert told(whole, status, 15_700_000_000) == 15_000_000_000
    assert told(whole, status, 5_700_000_000, changed=15_000_000_000) == 5_000_000_000
    assert told(whole, status, 10_700_000_000) == 10_300_000_000, "not older than what was written just before"


def test_what_was_set_otherwise_than_by_the_clock_keeps_its_times(tmp_path: Path) -> None:
    status = tmp_path.stat()
    clock = stamps(STEP, since=10.02, now=20.5)
    assert told(clock, status, 15_999_000_000) == 15_992_000_000
    assert told(clock, status, 15_015_999_990) == 15_016_000_000, "read at that step and set from a float"
    assert told(clock, status, 5_999_999_999, changed=15_000_000_000) == 5_999_999_999
    assert told(clock, status, 30_999_999_999, changed=15_000_000_000) == 30_999_999_999


def test_a_moved_clock_is_moved_first(tmp_path: Path) -> None:
    moved = stamps(STEPS["1s"], since=10.32, now=20.5, moved=10**18)
    assert told(moved, tmp_path.stat(), 10**18 + 15_700_000_000) == 10**18 + 15_000_000_000
    assert told(moved, tmp_path.stat(), 9_700_000_000) == 9_700_000_000


@given(st.integers(-(10**19), 10**19), st.sampled_from(sorted(STEPS.values())))
def test_a_step_is_never_later_and_never_goes_back(stamp: int, step: int) -> None:
    shown = file_times.stepped(stamp, step)
    assert 0 <= stamp - shown < step
    assert file_times.stepped(shown, step) == shown <= file_times.stepped(stamp + 1, step)


@pytest.mark.parametrize("moment", ["", "2031-05-06T07:08:09", "-1h"])
def test_the_clock_goes_in_steps_and_agrees_with_files(tmp_path: Path, moment: str) -> None:
    with under("16ms", moment):
        shown = [time.time_ns(), int(time.time() * 1e6 + 0.5) * 1000, time.clock_gettime_ns(time.CLOCK_REALTIME)]
        shown.append(int(datetime.datetime.now(datetime.UTC).timestamp() * 1e6 + 0.5) * 1000)
        assert [each % 10**9 % STEP for each in shown] == [0] * 4
        assert max(shown) - min(shown) < 10**9
        ticking = [time.monotonic_ns(), time.perf_counter_ns()]
        assert len({each % STEP for each in ticking}) == 2
        for name in "abcdefgh":
            (tmp_path / name).touch()
            assert (tmp_path / name).stat().st_mtime_ns <= time.time_ns()
            time.sleep(0.003)
        now = time.time()
        os.utime(tmp_path / "a", (now, now))
        assert (tmp_path / "a").stat().st_mtime == now
        if moment.startswith("2031"):
            assert datetime.datetime.now().isoformat().startswith("2031-05-06T07:08")
    assert len({realtime.time() for _ in range(100)}) > 10
    assert len({time.time_ns() for _ in range(100)}) > 10
    assert not time_machine.escape_hatch.is_travelling()


def test_clocks_of_the_suite_are_its_own() -> None:
    with under("16ms"):
        with time_machine.travel(1.0123456, tick=False):
            assert time.time() == 1.0123456
        with freezegun.freeze_time("2020-02-02 12:00:00.012345"):
            assert datetime.datetime.now().microsecond == 12345
        assert time.time_ns() % 10**9 % STEP == 0
    with time_machine.travel(1.0123456, tick=False), under("16ms"):
        assert time.time() == 1.0123456


def test_a_clock_that_stands_keeps_its_moment() -> None:
    frozen = Clock("2031-05-06T07:08:09.012345", frozen=True)
    with frozen.held(), Steps("16ms").held(), frozen.held_for("test_a.py::test_x"):
        assert datetime.datetime.now().microsecond == 12345


def test_a_moved_clock_dates_a_file_alike_each_time(tmp_path: Path) -> None:
    moved = Clock("+400d")
    with moved.held(), moved.held_for("test_a.py::test_x"):
        (tmp_path / "file").touch()
        assert len({status.st_mtime_ns for status in statuses(tmp_path / "file")}) == 1
        assert abs((tmp_path / "file").stat().st_mtime - time.time()) < 3


def test_imports_and_pytest_are_shown_the_exact_times(tmp_path: Path) -> None:
    source = tmp_path / "of_this_test.py"
    with under("2s"):
        source.write_text("")
        os.utime(source, ns=(3_900_000_000, 3_900_000_000))
        loader = importlib.machinery.SourceFileLoader("of_this_test", str(source))
        assert loader.path_stats(str(source))["mtime"] == pytest.approx(3.9)
        names: dict[str, Any] = {"__name__": "_pytest.pathlib", "os": os}
        tool = str(Path(pytest.__file__).parents[1] / "_pytest" / "pathlib.py")
        exec(compile("def look(path): return os.stat(path)", tool, "exec"), names)
        assert names["look"](source).st_mtime_ns == 3_900_000_000
        assert source.stat().st_mtime_ns == 2 * 10**9


def test_a_failure_beside_a_process_with_an_exact_clock_says_nothing() -> None:
    with under("16ms"):
        assert Steps("16ms").disputed(AssertionError(), None) == ""
        subprocess.run([sys.executable, "-S", "-c", ""], check=True)
        assert Steps("16ms").disputed(AssertionError(), None) == APART
        assert Steps("1s").disputed(AssertionError(), None) == ""
        with Steps("16ms").held_for("test_a.py::test_y"):
            assert Steps("16ms").disputed(AssertionError(), None) == ""


def test_a_test_that_asks_for_a_status_is_known(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with os.scandir(tmp_path) as entries:
        (entry,) = entries
    for ask in (tmp_path.stat, entry.stat):
        with Watch(lambda: ()).during(request.node) as noted:
            ask()
        assert "status" in noted
    with Watch(lambda: ()).during(request.node) as noted:
        importlib.import_module("json.tool")
    assert "status" not in noted


def test_lengths_are_read() -> None:
    assert [str(Resolutions().draw(0, turn)) for turn in range(4)] == ["1s", "16ms", "2s", "1s"]
    assert [str(Resolutions().read(text)) for text in STEPS] == list(STEPS)
    assert Steps("2s").simpler() == [Steps("1s")]
    assert Steps("16ms").simpler() == []
    with pytest.raises(SettingError, match=r"^resolution=1ms: give 16ms, 1s or 2s$"):
        Resolutions().read("1ms")
