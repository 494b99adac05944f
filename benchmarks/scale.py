"""Measure memory, ledger and reports over the size of hunts, and write benchmarks/SCALE.md: ``python benchmarks/scale.py``.

Two hunts, of 1,000 tests in 1,000 sweeps and of 10,000 in 100, each watched as it goes on: one test of a hundred fails one time in ten. It
takes about an hour on two slow cores. The second ledger is then made ten times as large, and read.
"""

import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from run import PLUGINS, PYTEST, suite

SUITE = """
import os, random
import pytest

random.seed(int.from_bytes(os.urandom(8), "big"))

@pytest.mark.parametrize("number", range({tests}))
def test_it(number):
    assert number % 100 or os.urandom(1)[0] > 25
"""
SIZES = {1000: (30, 100, 300, 1000), 10_000: (3, 10, 30, 100)}
"""Sweeps after which is measured, by the number of tests."""
TIMES = 10
"""How much larger the ledger is made that is read in the end."""
MEGABYTE = 1e6


class Point(NamedTuple):
    """What a hunt had taken after some sweeps."""

    tests: int
    sweeps: int
    seconds: float
    controller: float
    """Bytes that the controller had at most."""
    ledger: int
    """Bytes of the ledger, with what is not yet in its file."""


def main() -> None:
    """Measure, print, and keep."""
    points: list[Point] = []
    reports: dict[str, float] = {}
    for tests, sizes in SIZES.items():
        with suite(SUITE.format(tests=tests)) as folder:
            points += hunt(folder, tests, sizes)
            ledger = folder / ".flakehunt" / "ledger.sqlite"
            reports[f"`report` of {tests} tests x {sizes[-1]} sweeps"] = timed("report", str(ledger))
            if tests == max(SIZES):
                reports |= of_many(ledger)
    rows = [
        f"| {one.tests} x {one.sweeps} | {one.seconds:.0f} s | {one.controller / MEGABYTE:.0f} MB | "
        f"{one.ledger / MEGABYTE:.1f} MB | {one.ledger / (one.tests * one.sweeps):.0f} |"
        for one in points
    ]
    read = [f"| {what} | {seconds:.1f} s |" for what, seconds in reports.items()]
    page = [
        "# Scale\n",
        "Made by `python benchmarks/scale.py`: two hunts without experiments, watched as they went on; a test of a hundred fails one",
        f"time in ten. Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.",
        "The last column is over tests times sweeps; a sweep leaves out tests that consult nothing of what it perturbs alone.\n",
        "| tests x sweeps | since the start | controller, at most | ledger | bytes an attempt |",
        "|---|---|---|---|---|",
        *rows,
        "\nThe ledger is the second one, made ten times as large where that is said; nothing was in memory of it.\n",
        "| command | took |",
        "|---|---|",
        *read,
    ]
    print("\n".join([*rows, *read]))
    (Path(__file__).parent / "SCALE.md").write_text("\n".join(page) + "\n", "utf-8")


def hunt(folder: Path, tests: int, sizes: tuple[int, ...]) -> list[Point]:
    """Hunt, and look at the controller and the ledger as sweeps end."""
    loaded = [word for name in PLUGINS for word in ("-p", name)]
    asked = [f"--flakehunt={sizes[-1]}", "--flakehunt-seed=1", "--flakehunt-diagnose=0"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found, peak, began = [], 0.0, time.monotonic()
    ledger = folder / ".flakehunt" / "ledger.sqlite"
    with (folder / "out").open("w") as out:
        controller = subprocess.Popen([*PYTEST, *loaded, *asked], cwd=folder, env=environment, stdout=out, stderr=out)
        left = list(sizes)
        while controller.poll() is None:
            peak = max(peak, memory(controller.pid))
            if left and done(ledger) >= left[0] and left[0] != sizes[-1]:
                found.append(Point(tests, left.pop(0), time.monotonic() - began, peak, size(ledger)))
            time.sleep(0.2)
    print((folder / "out").read_text("utf-8")[-600:])
    return [*found, Point(tests, sizes[-1], time.monotonic() - began, peak, size(ledger))]


def memory(pid: int) -> float:
    """Give the bytes that a process has had at most."""
    try:
        peak = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"), re.MULTILINE)
    except OSError:
        return 0.0
    return 1024.0 * int(peak[1]) if peak else 0.0


def done(ledger: Path) -> int:
    """Give how many sweeps of the survey have ended."""
    if not ledger.exists():
        return 0
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as db:
        try:
            return int(db.execute("SELECT count(*) FROM sweeps WHERE purpose = 'survey'").fetchone()[0])
        except sqlite3.Error:
            return 0


def size(ledger: Path) -> int:
    """Give the bytes of a ledger."""
    return sum(path.stat().st_size for path in ledger.parent.glob(f"{ledger.name}*"))


def timed(*words: str) -> float:
    """Give the seconds of a command."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "pytest_flakehunt", *words], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def of_many(ledger: Path) -> dict[str, float]:
    """Make a ledger ten times as large, and read it."""
    with tempfile.TemporaryDirectory() as name:
        large = Path(name) / "ledger.sqlite"
        shutil.copy(ledger, large)
        with closing(sqlite3.connect(large)) as db:
            columns = [row[1] for row in db.execute("PRAGMA table_info(sweeps)")]
            moved = ", ".join("number + ?" if column == "number" else column for column in columns)
            for turn in range(1, TIMES):
                more = (turn * 1_000_000,)
                db.execute(f"INSERT INTO sweeps SELECT {moved} FROM sweeps WHERE number < 1000000", more)
                db.execute(
                    "INSERT INTO attempts SELECT hunt, sweep + ?, test, outcome, ms, mode FROM attempts"
                    " WHERE sweep < 1000000",
                    more,
                )
            db.commit()
            (count,) = db.execute("SELECT count(*) FROM attempts").fetchone()
            print(f"{count} attempts in {size(large) / MEGABYTE:.0f} MB")
        test, many = "test_it.py::test_it[100]", f"{count / 1e6:.0f} million attempts"
        return {
            f"`report` of {many}": timed("report", str(large)),
            f"`report --html` of {many}": timed("report", str(large), "--html", str(Path(name) / "page.html")),
            f"`show` of {many}": timed("show", test, str(large)),
            f"`history` of {many}": timed("history", test, "--ledger", str(large)),
        }


if __name__ == "__main__":
    main()
