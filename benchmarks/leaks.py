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

sys.path.insert(0, str(Path(__file__).parent))

from run import FIFTY, PLUGINS, QUIET, run, suite

ROUNDS = 8
SWEEPS = 40
TESTS = 50
MANY = 2_000
FIXTURES = (
    "import pytest\n@pytest.fixture\ndef one(): yield 1\n@pytest.fixture\ndef two(one): yield 2\n"
    "@pytest.mark.parametrize('n', range(50))\ndef test_it(n, two, tmp_path): pass\n"
)
"""Fifty tests with three fixtures each, two of them the project's own."""
HUNT = ("-n1", QUIET, f"--flakehunt={SWEEPS}")


def metered(source: str, tests: int, with_: Sequence[str], without: Sequence[str]) -> str:
    """Compare two ways to run a suite, by the CPU of a test."""
    costs: dict[bool, list[float]] = {True: [], False: []}
    with suite(source) as folder, tempfile.NamedTemporaryFile("r", encoding="ascii") as file:
        os.environ["METERED"] = file.name
        for _ in range(ROUNDS):
            for watched, args in ((True, with_), (False, without)):
                run(folder, *args, plugins=[*PLUGINS, "metering"])
                costs[watched].extend(float(line) / tests * 1e6 for line in file)
    on, off = (statistics.quantiles(costs[watched], n=4) for watched in (True, False))
    ratios = [f"{one / other:.3f}" for one, other in zip(on, off, strict=True)]
    return f"{ratios[1]} ({ratios[0]}, {ratios[2]}) | {off[1]:.0f} | {on[1]:.0f} | {len(costs[True])}"


def main() -> None:
    """Measure, print, and keep."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    many = FIFTY.replace(f"range({TESTS})", f"range({MANY})")
    off = "-oflakehunt_leaks=off"
    parts = [
        ("a sweep of 50 trivial tests", FIFTY, TESTS, HUNT, (*HUNT, off)),
        ("the same, with three fixtures each", FIXTURES, TESTS, HUNT, (*HUNT, off)),
        (f"a sweep of {MANY:,} trivial tests", many, MANY, ("-n1", QUIET, "--flakehunt=4"), ("-n1", QUIET, "--flakehunt=4", off)),
        (f"an ordinary run of {MANY:,} with `--flakehunt-leaks`", many, MANY, ("--flakehunt-leaks",), ()),
    ]  # fmt: skip
    rows = []
    for what, *how in parts:
        rows.append(f"| {what} | {metered(*how)} |")
        print(rows[-1], flush=True)
    page = [
        "# What the leak watch costs\n",
        "Made by `python benchmarks/leaks.py`: CPU of a test with the watch over CPU without it. A sweep is metered from before its fork",
        f"to after its end, in {ROUNDS} pairs of hunts by turns; medians of all sweeps, and in brackets the quartiles of the one over those of the other.",
        "The controller's share, which the watch does not touch, is left out: with it the ratios are nearer to 1.",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.\n",
        "| what | ratio | µs a test without | with | runs of each |",
        "|---|---|---|---|---|",
        *rows,
    ]
    (Path(__file__).parent / "LEAKS.md").write_text("\n".join(page) + "\n", "utf-8")


if __name__ == "__main__":
    main()
