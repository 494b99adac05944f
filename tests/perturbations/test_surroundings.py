"""What a process finds around it: the order of directories, addresses, and busy neighbours."""

# ruff: noqa: PTH207, PTH208 - these very functions are on trial

import glob
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from hypothesis.errors import FailedHealthCheck

from pytest_flakehunt.ground import machine, scratch
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import SettingError
from pytest_flakehunt.perturbations import load
from pytest_flakehunt.perturbations.heap import Heap
from pytest_flakehunt.perturbations.listdir import Listing
from pytest_flakehunt.perturbations.load import MEGABYTE, Load, Loads

NAMES = [f"{letter}.txt" for letter in "abcdefghij"]
WAYS: dict[str, Callable[[Path], list[str]]] = {
    "listdir": lambda folder: os.listdir(folder),  # noqa: PLW0108 - looked up when it is called
    "scandir": lambda folder: [entry.name for entry in os.scandir(folder)],
    "with scandir": lambda folder: scanned(folder),  # noqa: PLW0108 - it is defined below
    "walk": lambda folder: next(iter(os.walk(folder)))[2],
    "fwalk": lambda folder: next(iter(os.fwalk(folder)))[2],
    "glob": lambda folder: [Path(path).name for path in glob.glob(f"{folder}/*.txt")],
    "iterdir": lambda folder: [path.name for path in folder.iterdir()],
    "Path.glob": lambda folder: [path.name for path in folder.glob("*.txt")],
    "Path.rglob": lambda folder: [path.name for path in folder.rglob("*.txt")],
}


def scanned(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file()]


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"heap", "listdir", "load"}:
            pytest.skip(f"already under {plugin.plan}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("way", WAYS)
def test_directories_give_their_entries_in_the_order_of_the_seed(folder: Path, way: str) -> None:
    orders = set()
    for seed in range(4):
        with Listing(seed).held():
            order = WAYS[way](folder)
            assert WAYS[way](folder) == order
            assert sorted(order) == NAMES
            assert order == os.listdir(folder)
        orders.add(tuple(order))
    assert len(orders) == 4


def test_leaving_a_file_out_keeps_the_order_of_the_rest(folder: Path) -> None:
    with Listing(3).held():
        before = os.listdir(folder)
        (folder / "c.txt").unlink()
        assert os.listdir(folder) == [name for name in before if name != "c.txt"]
        assert os.listdir(os.fsencode(folder)) == [os.fsencode(name) for name in before if name != "c.txt"]


def test_what_was_there_comes_back_and_errors_stay_what_they_are(folder: Path) -> None:
    listdir, scandir = os.listdir, os.scandir
    with Listing(3).held():
        assert os.listdir is not listdir
        with pytest.raises(FileNotFoundError):
            os.scandir(folder / "none")
        entries = os.scandir(folder)
        entries.close()
        assert list(entries) == []
    assert (os.listdir, os.scandir) == (listdir, scandir)


def order_of(numbers: list[int]) -> list[int]:
    return sorted(range(len(numbers)), key=numbers.__getitem__)


def test_objects_lie_elsewhere_under_each_seed() -> None:
    orders = []
    for seed in range(6):
        with Heap(seed).held_for("test_a.py::test_x"):
            orders.append(tuple(order_of([id(thing) for thing in [bytearray(40) for _ in range(8)]])))
    assert len(set(orders)) >= 5


@contextmanager
def loaded(setting: str) -> Iterator[list[psutil.Process]]:
    before = {process.pid for process in busy()}
    with Loads().read(setting).held():
        yield [process for process in busy() if process.pid not in before]


def busy() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if "size, folder, sweep = " in " ".join(process.cmdline()) and process.cmdline()[-2] == str(os.getpid()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def eventually(answer: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if answer():
            return True
        time.sleep(0.02)
    return answer()


@pytest.mark.parametrize("setting", ["2", "memory:2", "disk:2"])
def test_neighbours_are_busy_and_nobodys_children_and_leave(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MOST_MEMORY", 8 * load.MEGABYTE)
    with loaded(setting) as neighbours:
        assert len(neighbours) == 2
        assert not {process.pid for process in psutil.Process().children()} & {process.pid for process in neighbours}
    gone, alive = psutil.wait_procs(neighbours, timeout=10)
    assert len(gone) == 2
    assert alive == []


def test_a_neighbour_walks_through_its_share_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available_memory", lambda: 80 * load.MEGABYTE)
    with loaded("memory:1") as (neighbour,):
        assert eventually(lambda: neighbour.memory_info().rss / load.MEGABYTE > 20)
        assert neighbour.memory_info().rss / load.MEGABYTE < 40
    monkeypatch.setattr(machine, "available_memory", lambda: 0)
    assert Load(3, "memory")._size("") == load.MEGABYTE
    monkeypatch.setattr(machine, "available_memory", lambda: 2**40)
    assert Load(3, "memory")._size("") == load.MOST_MEMORY


def test_a_neighbour_writes_to_a_file_that_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_starts", [f"{tmp_path}/7"])
    with loaded("disk:1") as (neighbour,):
        assert eventually(lambda: any("(deleted)" in target for target in targets(neighbour)))
        (folder,) = tmp_path.iterdir()
        assert list(folder.iterdir()) == []
        assert load.MEGABYTE <= Load(1, "disk")._size(str(folder)) <= load.MOST_DISK
    assert list(tmp_path.iterdir()) == []


def targets(process: psutil.Process) -> list[str]:
    found = []
    for number in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(OSError):
            found.append(str(number.readlink()))
    return found


GROUPS = {
    "second version": ("0::/pods/7", "", "max", "current"),
    "first version": ("5:cpu:/pods\n4:memory:/pods/7", "memory/", "limit_in_bytes", "usage_in_bytes"),
}


@pytest.mark.parametrize("version", GROUPS)
def test_memory_that_a_group_may_not_have_is_not_taken(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, controller, most, used = GROUPS[version]
    inner = tmp_path / controller / "pods" / "7"
    inner.mkdir(parents=True)
    (inner / f"memory.{most}").write_text("5000\n")
    (inner / f"memory.{used}").write_text("4000\n")
    (inner / "memory.stat").write_text("cache 9\ninactive_file 300\n")
    (inner.parent / f"memory.{most}").write_text("max\n")
    (inner.parent / f"memory.{used}").write_text("4000\n")
    monkeypatch.setattr(machine, "CGROUPS", str(tmp_path))
    words = machine._words
    monkeypatch.setattr(machine, "_words", lambda path: own if path == "/proc/self/cgroup" else words(path))
    assert machine.available_memory() == 1300
    (inner / f"memory.{used}").write_text("6000\n")
    assert machine.available_memory() == 0


def test_kinds_of_load_are_drawn_by_turns_and_never_more_than_two_for_each_core(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(3))
    drawn = [str(Loads().draw(9, turn)) for turn in range(7)]
    assert drawn == ["6", "memory:3", "disk:3", "3", "memory:6", "disk:6", "6"]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(500))
    assert [str(Loads().draw(9, turn)) for turn in range(3)] == ["256", "memory:16", "disk:8"]


@pytest.mark.parametrize("text", ["1", "256", "memory:1", "disk:256", "memory:9"])
def test_a_load_that_is_written_is_read_back(text: str) -> None:
    setting = Loads().read(text)
    assert str(setting) == text
    assert {simpler.kind for simpler in setting.simpler()} <= {setting.kind}
    assert all(simpler.processes < setting.processes for simpler in setting.simpler())


@pytest.mark.parametrize(
    "text", ["0", "257", "disk", "memory:", "memory:0", "disk:257", "network:2", "08", "memory:2 "]
)
def test_a_load_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(SettingError) as refusal:
        Loads().read(text)
    assert str(refusal.value) == (
        f"load={text}: give a whole number of processes from 1 to 256, or one after memory: or disk:"
    )


def test_hypothesis_health_check_of_speed_says_nothing_of_a_test_on_a_busy_machine() -> None:
    slow = FailedHealthCheck("Input generation is slow: Hypothesis only generated 3 valid inputs after 1.08 seconds")
    assert Load(2).disputed(slow, None) == "Hypothesis draws slowly on a busy machine"
    assert Load(2).disputed(FailedHealthCheck("It looks like this test is filtering out a lot of inputs."), None) == ""
    assert Load(2).disputed(AssertionError("slow"), None) == ""


@pytest.mark.parametrize("kind", ["", "memory", "disk"])
def test_neighbours_leave_when_the_sweep_is_killed(kind: str, tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from pytest_flakehunt.perturbations.load import started\n"
        f"print(started({kind!r}, {MEGABYTE}, {str(tmp_path)!r}), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    pid = int(ran.stdout)
    deadline = time.monotonic() + 10
    while (
        time.monotonic() < deadline and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ):
        time.sleep(0.02)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
