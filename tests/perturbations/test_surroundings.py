"""What a process finds around it: the order of directories, addresses, and busy neighbours."""

# ruff: noqa: PTH207, PTH208 - these very functions are on trial

import glob
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.perturbations.heap import Heap
from pytest_flakehunt.perturbations.listdir import Listing
from pytest_flakehunt.perturbations.load import Load

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
def loaded(count: int) -> Iterator[list[psutil.Process]]:
    before = {process.pid for process in busy()}
    with Load(count).held():
        yield [process for process in busy() if process.pid not in before]


def busy() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if "sweep = int(sys.argv[1])" in " ".join(process.cmdline()) and process.cmdline()[-1] == str(os.getpid()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_neighbours_are_busy_and_nobodys_children_and_leave() -> None:
    with loaded(2) as neighbours:
        assert len(neighbours) == 2
        assert not {process.pid for process in psutil.Process().children()} & {process.pid for process in neighbours}
    gone, alive = psutil.wait_procs(neighbours, timeout=10)
    assert len(gone) == 2
    assert alive == []


def test_neighbours_leave_when_the_sweep_is_killed() -> None:
    program = (
        "import os, signal\n"
        "from pytest_flakehunt.perturbations.load import started\n"
        "print(started(), flush=True)\n"
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
