"""Measure what the leak watch costs a trivial test, and write benchmarks/LEAKS.md: ``python benchmarks/leaks.py``.

CPU of hunts that perturb nothing, with and without the watch, in alternating runs; the same for ordinary runs. What one
sweep, or one test, costs is taken off.
"""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from run import FIFTY, QUIET, run, spread, suite

ROUNDS = 3
SWEEPS = 61
FIXTURES = (
    "import pytest\n@pytest.fixture\ndef one(): yield 1\n@pytest.fixture\ndef two(one): yield 2\n"
    "@pytest.mark.parametrize('n', range(50))\ndef test_it(n, two, tmp_path): pass\n"
)
"""Fifty tests with three fixtures each, two of them the project's own."""
OFF = "-oflakehunt_leaks=off"


def in_hunts(source: str) -> str:
    """Give the cost of an attempt with the watch over one without it."""
    ratios, costs = [], []
    with suite(source) as folder:
        for _ in range(ROUNDS):
            with_, without = (cost(folder, watch) for watch in ((), (OFF,)))
            ratios.append(with_ / without)
            costs.append((with_ - without) * 1e6)
    return f"{spread(ratios)} x | {spread(costs, 0)}"


def cost(folder: Path, more: Sequence[str]) -> float:
    """Give the CPU seconds of one attempt."""
    once = run(folder, "-n1", QUIET, "--flakehunt=1", *more)[0]
    return (run(folder, "-n1", QUIET, f"--flakehunt={SWEEPS}", *more)[0] - once) / ((SWEEPS - 1) * 50)


def in_ordinary_runs() -> str:
    """Give the cost of a trivial test in an ordinary run with the watch over one without it."""
    ratios, costs = [], []
    with suite(FIFTY.replace("range(50)", "range(3000)")) as folder:
        for _ in range(ROUNDS):
            with_, without = (
                run(folder, *watch)[0] - run(folder, *watch, "-k", "test_it[0]")[0]
                for watch in (("--flakehunt-leaks",), ())
            )
            ratios.append(with_ / without)
            costs.append((with_ - without) / 2999 * 1e6)
    return f"{spread(ratios)} x | {spread(costs, 0)}"


def main() -> None:
    """Measure, print, and keep."""
    parts = [
        ("an attempt at a trivial test in a hunt", lambda: in_hunts(FIFTY)),
        ("the same, with three fixtures", lambda: in_hunts(FIXTURES)),
        ("a trivial test in an ordinary run with `--flakehunt-leaks`", in_ordinary_runs),
    ]
    rows = []
    for what, measured in parts:
        rows.append(f"| {what} | {measured()} |")
        print(rows[-1], flush=True)
    page = [
        "# What the leak watch costs\n",
        f"Made by `python benchmarks/leaks.py`: CPU with the watch over CPU without it, median, lowest and highest of {ROUNDS} alternating",
        f"runs of {SWEEPS} sweeps through 50 tests, or of 3,000 tests. The target is under 1.05 for a trivial test.",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.\n",
        "| what | ratio | microseconds more |",
        "|---|---|---|",
        *rows,
    ]
    (Path(__file__).parent / "LEAKS.md").write_text("\n".join(page) + "\n", "utf-8")


if __name__ == "__main__":
    main()
