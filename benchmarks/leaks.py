"""Measure what the leak watch costs a trivial test, and write benchmarks/LEAKS.md: ``python benchmarks/leaks.py``.

Hunts that perturb nothing, of which every other sweep does without the watch; and ordinary runs, with and without by turns.
What each sweep costs (its fork, its tests, its end) is metered in its zygote: neither start-up nor the controller blurs it.
"""

import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_flakehunt.survey.survey import EVERY_NEAR

sys.path.insert(0, str(Path(__file__).parent))

from run import FIFTY, PLUGINS, QUIET, run, suite

ROUNDS = 10
SWEEPS = 100
TESTS = 50
MANY = 500
FIXTURES = (
    "import pytest\n@pytest.fixture\ndef one(): yield 1\n@pytest.fixture\ndef two(one): yield 2\n"
    "@pytest.mark.parametrize('n', range(50))\ndef test_it(n, two, tmp_path): pass\n"
)
"""Fifty tests with three fixtures each, two of them the project's own."""
NEAR_SHARE = 1 / EVERY_NEAR


class Metered:
    """CPU of a test in seconds, in every sweep or run."""

    def __init__(self) -> None:
        self.without: list[float] = []
        self.more: dict[str, list[float]] = {"far": [], "near": []}
        """What each watched one took more than the one before it."""

    def row(self, what: str) -> str:
        """Give medians, and the ratios that follow from them."""
        without, near = statistics.median(self.without), statistics.median(self.more["near"])
        far = statistics.median(self.more["far"]) if self.more["far"] else near
        both = (1 - NEAR_SHARE) * far + NEAR_SHARE * near
        low, _, high = statistics.quantiles(self.without, n=4)
        cells = [f"{without * 1e6:.0f} ({low * 1e6:.0f} to {high * 1e6:.0f})"]
        cells += [f"+{more * 1e6:.0f} | {1 + more / without:.3f}" for more in (far, near, both)]
        return f"| {what} | {' | '.join(cells)} |"


def metered(source: str, tests: int, rounds: Iterable[Sequence[str]]) -> Metered:
    """Run a suite often.

    Args:
        source: of its test file.
        tests: how many it has.
        rounds: arguments for each run.
    """
    found = Metered()
    before: dict[str, float] = {}
    with suite(source) as folder, tempfile.NamedTemporaryFile("r", encoding="ascii") as file:
        os.environ["METERED"] = file.name
        for args in rounds:
            run(folder, *args, plugins=[*PLUGINS, "metering"])
            for line in file:
                series, kind, seconds = line.split()
                cost = float(seconds) / tests
                if kind == "without":
                    found.without.append(cost)
                    before[series] = cost
                else:
                    found.more[kind].append(cost - before[series])
    return found


def attempt() -> tuple[float, float]:
    """Give the CPU seconds of an attempt in all, the controller's share with it, without the watch and with it."""
    costs: list[list[float]] = [[], []]
    with suite(FIFTY) as folder:
        for number in range(2 * ROUNDS):
            switch = f"-oflakehunt_leaks={('off', 'on')[number % 2]}"
            once, often = (run(folder, "-n1", QUIET, f"--flakehunt={sweeps}", switch)[0] for sweeps in (1, SWEEPS + 1))
            costs[number % 2].append((often - once) / (SWEEPS * TESTS))
    return statistics.median(costs[0]), statistics.median(costs[1])


def main() -> None:
    """Measure, print, and keep."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    many = FIFTY.replace(f"range({TESTS})", f"range({MANY})")
    hunts, long_hunts = ([("-n1", QUIET, f"--flakehunt={sweeps}")] * ROUNDS for sweeps in (SWEEPS, SWEEPS // 4))
    ordinary = [("--flakehunt-leaks",)[: number % 2] for number in range(2 * ROUNDS)]
    rows = []
    for what, found in (
        (f"sweeps of {TESTS} trivial tests", metered(FIFTY, TESTS, hunts)),
        ("the same, with three fixtures each", metered(FIXTURES, TESTS, hunts)),
        (f"sweeps of {MANY} trivial tests", metered(many, MANY, long_hunts)),
        (f"ordinary runs of {MANY}, with `--flakehunt-leaks`", metered(many, MANY, ordinary)),
    ):
        rows.append(found.row(what))
        print(rows[-1], flush=True)
    without, watched = attempt()
    print(without, watched, flush=True)
    page = [
        "# What the leak watch costs\n",
        "Made by `python benchmarks/leaks.py`: CPU of a test with and without the watch. A sweep is metered in its zygote, from before",
        "its fork to after its end. Every other sweep of a zygote does without the watch: medians of those, and of what each watched one",
        "took more than the one before it. *Far*: shared state is read twice a sweep; *near*: after every test, as in one sweep of ten, in",
        "sweeps after something was changed, and in ordinary runs; *both*: nine to one. The quartiles in brackets say how restless the",
        "machine was.\n",
        f"With the controller's share, an attempt at the first kind of test takes {without * 1e6:.0f} µs without the watch and {watched * 1e6:.0f} with it",
        f"({watched / without:.3f}; medians of {ROUNDS} whole hunts each, by turns: rougher, for none has a twin beside it).",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.\n",
        "| what | µs a test without | far, µs | ratio | near, µs | ratio | both, µs | ratio |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    (Path(__file__).parent / "LEAKS.md").write_text("\n".join(page) + "\n", "utf-8")


if __name__ == "__main__":
    main()
