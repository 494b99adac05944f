"""Measure what a sweep costs beyond its tests, and write benchmarks/FORKS.md: ``python benchmarks/forks.py``.

CPU time, never wall time: of whole hunts as the difference of two lengths, by turns with pytest-repeat; of single forks in
their zygote, each with a bare fork and wait of the same process right before it. The least of all turns counts most, since
whatever else the machine does only adds to it. Page faults hardly vary. Needs an interpreter with pytest-repeat.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from run import FIFTY, PLUGINS, PYTEST, QUIET, suite

TESTS = 50
ROUNDS = 4
HUNTS = 3
"""Hunts in which single forks are metered."""
SHORT, LONG = 101, 201
"""Sweeps of the two lengths: both have two interpreters, so that what these cost is in neither difference."""
METER = (*PLUGINS, "forking")
QUIETLY = ("-n1", QUIET)
ALONE = ("-n1", "--flakehunt=6", "--flakehunt-plan=order=alone", "-oflakehunt_ledger=ledger.sqlite")


class Used(NamedTuple):
    """What a process and all that it started have used up."""

    cpu: float
    """Seconds."""
    faults: int


def used(folder: Path, *args: str, plugins: Sequence[str] = PLUGINS) -> Used:
    """Run pytest."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    loaded = [word for name in plugins for word in ("-p", name)]
    with subprocess.Popen([*PYTEST, *loaded, *args], cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 1}, f"pytest {' '.join(args)} ended with exit status {process.returncode}"
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_minflt)


def attempts() -> list[str]:
    """An attempt in a sweep of fifty, the controller's share with it, against a repetition of pytest-repeat."""
    runs: dict[str, list[Used]] = defaultdict(list)
    os.environ.pop("METERED", None)
    with suite(FIFTY) as folder:
        for _ in range(ROUNDS):
            for sweeps in (SHORT, LONG):
                runs[f"theirs {sweeps}"].append(used(folder, f"--count={sweeps}", plugins=["pytest_repeat"]))
                runs[f"ours {sweeps}"].append(used(folder, *QUIETLY, f"--flakehunt={sweeps}", plugins=METER))
    least = {what: min(one.cpu for one in some) for what, some in runs.items()}
    faults = {what: statistics.median(one.faults for one in some) for what, some in runs.items()}
    ours, theirs = (
        (least[f"{whose} {LONG}"] - least[f"{whose} {SHORT}"]) / (LONG - SHORT) / TESTS for whose in ("ours", "theirs")
    )
    turns = [
        (ours_long.cpu - ours_short.cpu) / (theirs_long.cpu - theirs_short.cpu)
        for ours_long, ours_short, theirs_long, theirs_short in zip(
            *(runs[f"{whose} {sweeps}"] for whose in ("ours", "theirs") for sweeps in (LONG, SHORT)), strict=True
        )
    ]
    pages = (faults[f"ours {LONG}"] - faults[f"ours {SHORT}"]) / (LONG - SHORT)
    return [
        f"| an attempt in a sweep of {TESTS} trivial tests, CPU, against a repetition of pytest-repeat | {ours / theirs:.2f} x (single turns {min(turns):.2f} to {max(turns):.2f}) | at most 1.0 x |",
        f"| … of ours; of theirs, µs | {ours * 1e6:.0f}; {theirs * 1e6:.0f} | |",
        f"| page faults of such a sweep, its zygote's and the controller's with it | {pages:.0f} | |",
    ]


def lone_test() -> list[str]:
    """A trivial test in a fork of its own, without what pytest itself takes for it, against a bare fork and wait."""
    found: dict[str, list[Used]] = defaultdict(list)
    with suite(FIFTY) as folder, tempfile.NamedTemporaryFile("r", encoding="ascii") as file:
        os.environ["METERED"] = file.name
        for _ in range(HUNTS):
            used(folder, plugins=["forking"])
            used(folder, *ALONE, plugins=METER)
        for line in file:
            kind, seconds, pages = line.rsplit(maxsplit=2)
            found[kind].append(Used(float(seconds), int(pages)))
    cpu = {kind: sorted(one.cpu for one in some) for kind, some in found.items()}
    faults = {kind: statistics.median(one.faults for one in some) for kind, some in found.items()}
    lone = cpu["fork"][:-HUNTS]  # the dearest are the sweeps of all tests that pytest itself sees
    bare, own = cpu["bare"], cpu["ordinary"][0] / TESTS
    ratios = [(pick(lone) - own) / pick(bare) for pick in (min, statistics.median)]
    pytests = (cpu["protocol"][0] - own) / cpu["bare in an ordinary run"][0]
    return [
        f"| a lone test's fork, CPU, without pytest's own protocol, against a bare fork and wait | {ratios[0]:.1f} x (medians {ratios[1]:.1f}) | at most 3 x |",
        f"| … of ours; of pytest's protocol within a process; of a bare one, ms | {lone[0] * 1e3:.1f}; {own * 1e3:.1f}; {bare[0] * 1e3:.1f} | |",
        f"| … a fork in which pytest's protocol runs one test, with nothing of ours | {pytests:.1f} x | |",
        f"| page faults of a lone test's fork; with nothing of ours; of a bare one | {faults['fork']:.0f}; {faults['protocol']:.0f}; {faults['bare']:.0f} | |",
    ]


def main() -> None:
    """Measure, print, and keep."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    rows = []
    for part in (lone_test, attempts):
        rows += part()
        print("\n".join(rows[-3:]), flush=True)
    page = [
        "# What a fork costs\n",
        f"Made by `python benchmarks/forks.py`: CPU of hunts of {LONG} and {SHORT} calm sweeps and of as many repetitions, by turns, the least",
        f"of {ROUNDS} each; forks of `order=alone`, each with a bare fork and wait of the same process right before it.",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.\n",
        "| what | measured | target |",
        "|---|---|---|",
        *rows,
    ]
    (Path(__file__).parent / "FORKS.md").write_text("\n".join(page) + "\n", "utf-8")


if __name__ == "__main__":
    main()
