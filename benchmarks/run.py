"""Measure the targets of the design and write benchmarks/RESULTS.md: ``python benchmarks/run.py [--scale]``.

Run it with an interpreter that has the plugin installed; what a fork costs is in forks.py. Each ratio comes from alternating runs, so that
it holds when the machine's speed drifts; medians are given, with the lowest and the highest.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pytest_flakehunt.perturbations import OURS

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
FIFTY = "import pytest\n@pytest.mark.parametrize('n', range(50))\ndef test_it(n): pass\n"
BUSY = "import pytest\n@pytest.mark.parametrize('n', range(50))\ndef test_it(n): sum(range(60_000))\n"
ALL = ",".join(perturbation.name for perturbation in OURS)
QUIET = f"--flakehunt-without={ALL}"
PLUGINS = ("xdist.plugin", "pytest_flakehunt.plugin")
PYTEST = (sys.executable, "-m", "pytest", "-q")


@contextmanager
def suite(source: str) -> Iterator[Path]:
    """Make a folder with one test file, and stand in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_it.py").write_text(source, "utf-8")
        yield folder


def run(folder: Path, *args: str, plugins: Sequence[str] = PLUGINS) -> tuple[float, float]:
    """Run pytest; give the CPU and wall seconds of it and all it started."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    loaded = [word for name in plugins for word in ("-p", name)]
    subprocess.run([*PYTEST, *loaded, *args], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Give median, lowest and highest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def two_workers(rounds: int = 3) -> list[str]:
    """Wall time of one zygote at a time against two, on tests that compute."""
    ratios = []
    with suite(BUSY) as folder:
        for _ in range(rounds):
            one = run(folder, "-n1", QUIET, "--flakehunt=100")[1]
            two = run(folder, "-n2", QUIET, "--flakehunt=100")[1]
            ratios.append(one / two)
    return [f"| throughput of two workers against one | {spread(ratios)} x | 1.8 x |"]


def idle(rounds: int = 25) -> list[str]:
    """What the installed plugin adds to ``pytest --version``, in CPU time: wall time is too noisy to show it."""

    def version(*args: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "pytest", *args, "--version"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

    environment = os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
    version()
    added = []
    for _ in range(rounds):
        without = version("-p", "no:flakehunt")
        added.append(version() - without)
    if environment:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = environment
    return [f"| added to `pytest --version`, CPU ms | {spread(added, 1)} | at most 10 |"]


def found_early() -> list[str]:
    """Tests of the zoo that 20 sweeps find, of those that 200 find."""
    found = []
    zoo = HERE.parent / "tests" / "zoo"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for sweeps in (20, 200):
            report = folder / f"{sweeps}.json"
            command = [
                *PYTEST, "-p", "_hypothesis_pytestplugin", *(f"-p{name}" for name in PLUGINS), str(zoo),
                f"--rootdir={zoo}", f"-c{os.devnull}", f"--flakehunt={sweeps}", "--flakehunt-seed=1",
                f"--flakehunt-json={report}", f"--flakehunt-ledger={folder / 'ledger.sqlite'}",
            ]  # fmt: skip
            environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
            tests = json.loads(report.read_text("utf-8"))["tests"]
            found.append({test["nodeid"] for test in tests if test["verdict"] != "steady"})
    early, late = found
    alarms = [name for name in early | late if name.startswith("test_calm.py")]
    return [
        f"| of the zoo's {len(late)} flaky tests found by 200 sweeps, found by 20 | {len(early & late)} | most |",
        f"| sound tests of the zoo with a verdict other than steady | {len(alarms)} | 0 |",
    ]


def scale() -> list[str]:
    """1,000 tests by 1,000 sweeps: the controller's memory, the ledger's size, the time of the report."""
    source = FIFTY.replace("50", "1000") + "import random\ndef test_flaky(): assert random.random() > 0.1\n"
    with suite(source) as folder:
        probe = (
            "import resource, time\n"
            "from pytest_flakehunt import run\n"
            "conclude = run.Session._conclude\n"
            "def timed(self, *args):\n"
            "    start = time.perf_counter()\n"
            "    found = conclude(self, *args)\n"
            "    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
            "    open('probe', 'w').write(f'{time.perf_counter() - start} {peak}')\n"
            "    return found\n"
            "run.Session._conclude = timed\n"
        )
        (folder / "probe.py").write_text(probe, "utf-8")
        os.environ["PYTHONPATH"] = str(folder)
        options = (
            "--flakehunt=1000",
            "--flakehunt-seed=1",
            "--flakehunt-fail-on=none",
            "--flakehunt-ledger=ledger.sqlite",
        )
        wall = run(folder, *options, plugins=[*PLUGINS, "probe"])[1]
        seconds, peak = map(float, (folder / "probe").read_text().split())
        size = sum(path.stat().st_size for path in folder.glob("ledger.sqlite*")) / 2**20
    return [
        f"| 1,001 tests x 1,000 sweeps: controller's peak memory, MB | {peak:.0f} | under 250 |",
        f"| … ledger, MB | {size:.1f} | under 60 |",
        f"| … making the report, s | {seconds:.2f} | under 10 |",
        f"| … the whole hunt, s | {wall:.0f} | |",
    ]


def main() -> None:
    """Measure, print, and keep."""
    parts: list[Callable[[], list[str]]] = [two_workers, idle, found_early]
    kept = (
        [line for line in RESULTS.read_text("utf-8").splitlines() if "1,001" in line or line.startswith("| … ")]
        if RESULTS.exists()
        else []
    )
    rows = []
    for part in parts:
        rows += part()
        print("\n".join(rows[-4:]), flush=True)
    rows += scale() if "--scale" in sys.argv else [line for line in kept if line not in rows and is_scale(line)]
    head = (
        "# Benchmarks\n\nMade by `python benchmarks/run.py --scale`: medians, lowest and highest of alternating runs.\n\n"
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.\n\n"
        "| what | measured | target |\n|---|---|---|\n"
    )
    RESULTS.write_text(head + "\n".join(rows) + "\n", "utf-8")


def is_scale(line: str) -> bool:
    """Tell whether a row is of the long benchmark, which is not always run."""
    return "1,001" in line or any(f"… {word}" in line for word in ("ledger", "making", "the whole"))


if __name__ == "__main__":
    main()
