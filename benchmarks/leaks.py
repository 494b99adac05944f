"""Measure what the leak watch costs a trivial test, and write benchmarks/LEAKS.md: ``python benchmarks/leaks.py``.

Hunts that perturb nothing, and ordinary runs, with and without the watch by turns. What each sweep costs (its fork, its
tests, its end) is metered in the zygote, so that neither start-up nor the controller blurs it.
"""

import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pytest_flakehunt.hunt import EVERY_NEAR

sys.path.insert(0, str(Path(__file__).parent))

from run import FIFTY, PLUGINS, QUIET, run, suite

ROUNDS = 10
SWEEPS = 31
TESTS = 50
MANY = 500
FIXTURES = (
    "import pytest\n@pytest.fixture\ndef one(): yield 1\n@pytest.fixture\ndef two(one): yield 2\n"
    "@pytest.mark.parametrize('n', range(50))\ndef test_it(n, two, tmp_path): pass\n"
)
"""Fifty tests with three fixtures each, two of them the project's own."""
NEAR_SHARE = 1 / EVERY_NEAR


class Metered(NamedTuple):
    """CPU of a test in seconds, in every sweep or run."""

    without: list[float]
    far: list[float]
    near: list[float]

    def row(self, what: str) -> str:
        """Give medians, and the ratios that follow from them."""
        without, near = statistics.median(self.without), statistics.median(self.near)
        far = statistics.median(self.far) if self.far else near
        both = (1 - NEAR_SHARE) * far + NEAR_SHARE * near
        low, _, high = statistics.quantiles(self.without, n=4)
        cells = [f"{without * 1e6:.0f} ({low * 1e6:.0f} to {high * 1e6:.0f})"]
        cells += [f"+{(cost - without) * 1e6:.0f} | {cost / without:.3f}" for cost in (far, near, both)]
        return f"| {what} | {' | '.join(cells)} |"


def metered(source: str, tests: int, *args: str, watch: Sequence[str] = ()) -> Metered:
    """Run a suite with and without the watch by turns."""
    found = Metered([], [], [])
    with suite(source) as folder, tempfile.NamedTemporaryFile("r", encoding="ascii") as file:
        os.environ["METERED"] = file.name
        for number in range(2 * ROUNDS):
            watched = number % 2 == 0
            run(folder, *args, *(watch if watched else ("-oflakehunt_leaks=off",)), plugins=[*PLUGINS, "metering"])
            for line in file:
                near, seconds = line.split()
                costs = found.without if not watched else found.near if int(near) else found.far
                costs.append(float(seconds) / tests)
    return found


def attempt() -> float:
    """Give the CPU seconds of an attempt in all, the controller's share with it, without the watch."""
    with suite(FIFTY) as folder:
        once, often = (
            statistics.median(run(folder, *HUNT, f"--flakehunt={sweeps}", OFF)[0] for _ in range(5))
            for sweeps in (1, SWEEPS)
        )
    return (often - once) / ((SWEEPS - 1) * TESTS)


HUNT = ("-n1", QUIET)
OFF = "-oflakehunt_leaks=off"


def main() -> None:
    """Measure, print, and keep."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    many = FIFTY.replace(f"range({TESTS})", f"range({MANY})")
    hunt = (*HUNT, f"--flakehunt={SWEEPS}")
    rows = []
    for what, found in (
        (f"sweeps of {TESTS} trivial tests", metered(FIFTY, TESTS, *hunt)),
        ("the same, with three fixtures each", metered(FIXTURES, TESTS, *hunt)),
        (f"sweeps of {MANY} trivial tests", metered(many, MANY, *HUNT, "--flakehunt=8")),
        (f"ordinary runs of {MANY}, with `--flakehunt-leaks`", metered(many, MANY, watch=("--flakehunt-leaks",))),
    ):
        rows.append(found.row(what))
        print(rows[-1], flush=True)
    whole = attempt()
    print(whole, flush=True)
    page = [
        "# What the leak watch costs\n",
        "Made by `python benchmarks/leaks.py`: CPU of a test with and without the watch. A sweep is metered in its zygote, from before its fork to after",
        f"its end; {ROUNDS} pairs of hunts by turns, medians of all their sweeps. *Far*: shared state is read once a sweep; *near*: after every test, as in one",
        "sweep of ten, in sweeps after something was changed, and in ordinary runs; *both*: nine to one. The quartiles in brackets say how restless the machine was.\n",
        f"With the controller's share, which the watch does not touch, an attempt at the first kind of test takes {whole * 1e6:.0f} µs in all.",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.\n",
        "| what | µs a test without | far, µs | ratio | near, µs | ratio | both, µs | ratio |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    (Path(__file__).parent / "LEAKS.md").write_text("\n".join(page) + "\n", "utf-8")


if __name__ == "__main__":
    main()
