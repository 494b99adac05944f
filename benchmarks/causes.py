"""Hunt through the zoo with diagnosis and write benchmarks/CAUSES.md: ``python benchmarks/causes.py [--sweeps=200] [SEED ...]``.

For each flaky test of the zoo: in how many hunts it was found, how often its cause was named right, wrong, or left unknown,
and how many runs and seconds the experiments took. What is right stands in tests/zoo/truth.py. Besides, how long the README's example
takes, and a suite of 1,000 tests and a minute in which five are victims of others.
"""

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ZOO = HERE.parent / "tests" / "zoo"
sys.path.insert(0, str(ZOO))
PLUGINS = ("xdist.plugin", "pytest_flakehunt.plugin", "_hypothesis_pytestplugin")


@dataclass
class Row:
    """What all hunts said of one mode."""

    found: int = 0
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    runs: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    again: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    """Of the printed command: runs and failures; of the one without the cause: runs and failures."""


@dataclass
class Hunt:
    """What one hunt said, and how long its parts took."""

    report: dict[str, Any]
    survey: float
    """Seconds, as all others here."""
    experiments: float
    whole: float

    def words(self) -> str:
        """Say how long it took."""
        rest = self.whole - self.survey - self.experiments
        return f"{self.whole:.0f} s: {self.survey:.0f} s of survey, {self.experiments:.0f} s of experiments, {rest:.0f} s of starting and of printed commands"


def hunt(seed: int, sweeps: int, suite: Path = ZOO, *more: str) -> Hunt:
    """Hunt once."""
    with tempfile.TemporaryDirectory() as folder:
        report, ledger = Path(folder, "report.json"), Path(folder, "ledger.sqlite")
        start = time.perf_counter()
        subprocess.run(
            [
                sys.executable, "-m", "pytest", str(suite), f"--rootdir={suite}", f"-c{os.devnull}", *(f"-p{name}" for name in PLUGINS),
                f"--flakehunt={sweeps}", f"--flakehunt-seed={seed}", f"--flakehunt-json={report}", f"--flakehunt-ledger={ledger}", *more,
            ],
            cwd=folder,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
        whole = time.perf_counter() - start
        with closing(sqlite3.connect(ledger)) as db:
            spans = dict(
                db.execute("SELECT purpose, max(started + seconds) - min(started) FROM sweeps GROUP BY purpose")
            )
        read = json.loads(report.read_text("utf-8"))
        return Hunt(read, spans.get("survey", 0.0), spans.get("diagnosis", 0.0), whole)


LARGE, MODULES = 1000, 20
VICTIMS = {50: 120, 300: 333, 505: 512, 640: 777, 20: 901}
"""Victims and their polluters in the large suite, by number."""


def large(folder: Path) -> None:
    """Write a suite of many tests that take a minute, some of which fail after one other."""
    (folder / "state.py").write_text("STATE = set()\n", "utf-8")
    each = LARGE // MODULES
    for module in range(MODULES):
        lines = ["import sys, time", f"sys.path.insert(0, {str(folder)!r})", "from state import STATE"]
        for number in range(module * each, (module + 1) * each):
            does = f"STATE.add({number})" if number in VICTIMS.values() else "pass"
            does = f"assert {VICTIMS[number]} not in STATE" if number in VICTIMS else does
            lines.append(f"def test_{number}(): time.sleep(0.06); {does}")
        (folder / f"test_{module:02}.py").write_text("\n".join(lines) + "\n", "utf-8")


def others() -> Iterator[str]:
    """Yield what the README's example and the large suite took."""
    example = hunt(1, 100, HERE.parent / "examples")
    causes = [mode for test in example.report["tests"] for mode in test["modes"]]
    yield (
        f"\nThe README's example, 100 sweeps: {sum(bool(mode['causes']) for mode in causes)} of {len(causes)} causes in {example.words()}."
    )
    with tempfile.TemporaryDirectory() as folder:
        large(Path(folder))
        found = hunt(1, 6, Path(folder), "--flakehunt-only=order", "-n2")
    named = [test for test in found.report["tests"] if any(polluted(test["nodeid"], mode) for mode in test["modes"])]
    yield (
        f"\nA suite of {LARGE} tests and a minute with {len(VICTIMS)} victims, six sweeps in orders: {len(named)} polluters named in {found.words()}."
    )


def polluted(nodeid: str, mode: dict[str, Any]) -> bool:
    """Tell whether the polluter of a victim in the large suite was named."""
    polluters = {name.rpartition("_")[2] for cause in mode["causes"] for name in cause["polluters"]}
    return polluters == {str(VICTIMS.get(int(nodeid.rpartition("_")[2])))}


def judged(test: dict[str, Any], mode: dict[str, Any]) -> str:
    """Say whether what was named of a mode is right, each of its causes by itself."""
    said = [_judged(test, mode["exception"], found["causes"]) for found in (mode, *mode["also"])]
    return "wrong" if "wrong" in said else said[0]


def _judged(test: dict[str, Any], exception: str, causes: list[dict[str, Any]]) -> str:
    import truth

    named = {cause["perturbation"] for cause in causes}
    if not named:
        return "unknown"
    earlier = {name for cause in causes for name in (*cause["polluters"], *cause["setters"])}
    cleaners = {name for cause in causes for name in cause["cleaners"]}
    nodeid = test["nodeid"]
    right = named in [truth.cause(nodeid, exception), *truth.OTHERS.get(nodeid, [])]
    return "right" if right and truth.others(nodeid, earlier, cleaners) else "wrong"


def gathered(hunts: Iterable[Hunt]) -> tuple[dict[str, Row], list[str]]:
    """Add up what the hunts said; give the sound tests that were blamed as well."""
    import truth

    rows: dict[str, Row] = {}
    blamed: list[str] = []
    for one in hunts:
        print(one.words(), file=sys.stderr, flush=True)
        for test in one.report["tests"]:
            for mode in test["modes"]:
                if truth.cause(test["nodeid"], mode["exception"]) is None:
                    blamed.append(test["nodeid"])
                    continue
                several = f" ({mode['exception']})" if (test["nodeid"], mode["exception"]) in truth.MODES else ""
                row = rows.setdefault(test["nodeid"] + several, Row())
                row.found += 1
                said = judged(test, mode)
                setattr(row, said, getattr(row, said) + 1)
                if said == "wrong":
                    print("WRONG", test["nodeid"], json.dumps(mode, indent=1), file=sys.stderr)
                row.runs.append(mode["spent"])
                row.seconds.append(mode["seconds"])
                counts = [mode["verified"], mode["control"]] if said == "right" else []
                for place, count in enumerate(counts):
                    if count:
                        row.again[2 * place] += count["runs"]
                        row.again[2 * place + 1] += count["failures"]
    return rows, blamed


def table(rows: dict[str, Row], blamed: list[str], seeds: list[int], sweeps: int) -> Iterator[str]:
    """Yield the page."""
    import truth

    yield "# Causes in the zoo\n"
    seen = ", ".join(map(str, seeds))
    yield f"Made by `python benchmarks/causes.py`: hunts of {sweeps} sweeps with the seeds {seen}, and diagnosis as it is by default."
    yield f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores. *Again* is the printed command run again,"
    yield "and the same command without the cause: failures of runs.\n"
    yield "| test | cause | found in | right | wrong | unknown | runs, median | seconds, median | again |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, row in sorted(rows.items()):
        nodeid, _, exception = name.rstrip(")").partition(" (")
        true = " + ".join(sorted(truth.cause(nodeid, exception) or ())) or "nobody controls it"
        runs, failures, others, wrongly = row.again
        again = f"{failures}/{runs}; {wrongly}/{others}" if others else f"{failures}/{runs}" if runs else ""
        yield (
            f"| `{name}` | {true} | {row.found} | {row.right} | {row.wrong} | {row.unknown} "
            f"| {statistics.median(row.runs):.0f} | {statistics.median(row.seconds):.0f} | {again} |"
        )
    total = [sum(getattr(row, kind) for row in rows.values()) for kind in ("found", "right", "wrong", "unknown")]
    medians = (
        statistics.median([number for row in rows.values() for number in numbers(row)])
        for numbers in (lambda row: row.runs, lambda row: row.seconds)
    )
    yield f"| together | | {' | '.join(map(str, total))} | {' | '.join(f'{median:.0f}' for median in medians)} | |"
    yield f"\nSound tests with a verdict other than steady: {len(blamed)}{': ' + ', '.join(sorted(set(blamed))) if blamed else ''}."


def main() -> None:
    """Hunt with each seed, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("seeds", type=int, nargs="*", default=[1, 2, 3])
    given = parser.parse_args()
    hunts = [hunt(seed, given.sweeps) for seed in given.seeds]
    rows, blamed = gathered(hunts)
    lines = [*table(rows, blamed, given.seeds, given.sweeps)]
    lines += [f"\nThe hunt with seed {seed} took {one.words()}." for seed, one in zip(given.seeds, hunts, strict=True)]
    page = "\n".join([*lines, *others()]) + "\n"
    (HERE / "CAUSES.md").write_text(page, "utf-8")
    print(page)


if __name__ == "__main__":
    main()
