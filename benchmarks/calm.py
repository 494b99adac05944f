"""Measure how far the leak watch disturbs tests that depend on time, and write benchmarks/CALM.md: ``python benchmarks/calm.py``.

Ordinary runs with and without ``--flakehunt-leaks`` by turns. Each test leaves something that ends by itself within the
grace, and the next one finds out whether it came as soon as ever; a plugin notes the time between one test and the next.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from run import PLUGINS, PYTEST, suite

ROUNDS = 20
SUITE = """
import socket, subprocess, threading, time
import pytest

def for_a_while(): time.sleep(0.04)

@pytest.fixture(scope="module")
def server(): yield [object() for _ in range(20_000)]

@pytest.mark.parametrize("number", range(10))
class TestPairs:
    def test_leaves_a_thread(self, number):
        threading.Thread(target=for_a_while, daemon=True).start()
    def test_counts_threads(self, number):
        assert threading.active_count() >= 2
        time.sleep(0.06)
        assert threading.active_count() == 1
    def test_leaves_a_socket(self, number, server):
        one, other = socket.socketpair()
        def close():
            for_a_while()
            one.close(), other.close()
        TestPairs.left = one
        threading.Thread(target=close, daemon=True).start()
    def test_finds_it_open(self, number, server):
        assert TestPairs.left.fileno() >= 0
        time.sleep(0.06)
        assert TestPairs.left.fileno() == -1
    def test_notes_the_time(self, number):
        TestPairs.ended = time.monotonic()
    def test_comes_at_once(self, number):
        assert time.monotonic() - TestPairs.ended < 0.01
"""
METER = """
import os, time
began, ended = [], []
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.callspec.params["number"])
def pytest_runtest_logstart(): began.append(time.perf_counter())
def pytest_runtest_logfinish(): ended.append(time.perf_counter())
def pytest_unconfigure():
    with open(os.environ["BETWEEN"], "a") as file:
        file.writelines(f"{later - before}\\n" for before, later in zip(ended, began[1:]))
"""


def main() -> None:
    """Measure, print, and keep."""
    failed = {"without": 0, "with": 0}
    between: dict[str, list[float]] = {"without": [], "with": []}
    with suite(SUITE) as folder, tempfile.NamedTemporaryFile("r+", encoding="ascii") as file:
        (folder / "conftest.py").write_text(METER, "utf-8")
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "BETWEEN": file.name}
        loaded = [word for name in PLUGINS for word in ("-p", name)]
        for turn in range(2 * ROUNDS):
            how = ("without", "with")[turn % 2]
            command = [*PYTEST, *loaded, "--tb=no", *["--flakehunt-leaks"][: turn % 2]]
            ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            failed[how] += sum(line.startswith("FAILED") for line in ended.stdout.splitlines())
            between[how].extend(map(float, file))
    attempts = ROUNDS * SUITE.count("    def test_") * 10
    rows = [
        f"| {how} | {failed[how]} of {attempts} | {statistics.median(some) * 1e6:.0f} | "
        f"{statistics.quantiles(some, n=100)[-1] * 1e6:.0f} | {max(some) * 1e6:.0f} |"
        for how, some in between.items()
    ]
    page = [
        "# How far the leak watch disturbs\n",
        "Made by `python benchmarks/calm.py`: ordinary runs of a suite that depends on time, with `--flakehunt-leaks` and without, by",
        f"turns, {ROUNDS} each. What each test leaves ends by itself after 40 ms; the next one must find it still there.",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.\n",
        "| the watch | failed | µs between tests, median | 99 of 100 below | worst |",
        "|---|---|---|---|---|",
        *rows,
    ]
    print("\n".join(rows))
    (Path(__file__).parent / "CALM.md").write_text("\n".join(page) + "\n", "utf-8")


if __name__ == "__main__":
    main()
