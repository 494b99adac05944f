"""Hunt through the zoo with diagnosis and write benchmarks/CAUSES.md: ``python benchmarks/causes.py [--sweeps=200] [SEED ...]``.

For each flaky test of the zoo: in how many hunts it was found, how often its cause was named right, wrong, or left unknown,
and how many runs the experiments took. What is right stands in tests/zoo/truth.py.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
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
    again: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    """Of the printed command: runs and failures; of the one without the cause: runs and failures."""


def hunt(seed: int, sweeps: int) -> dict[str, Any]:
    """Hunt once, and give the report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        subprocess.run(
            [
                sys.executable, "-m", "pytest", str(ZOO), f"--rootdir={ZOO}", f"-c{os.devnull}", *(f"-p{name}" for name in PLUGINS),
                f"--flakehunt={sweeps}", f"--flakehunt-seed={seed}", f"--flakehunt-json={report}",
                f"--flakehunt-ledger={folder}/ledger.sqlite",
            ],
            cwd=folder,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
        read: dict[str, Any] = json.loads(report.read_text("utf-8"))
        return read


def judged(test: dict[str, Any], mode: dict[str, Any]) -> str:
    """Say whether what was named of a mode is right."""
    import truth

    named = {cause["perturbation"] for cause in mode["causes"]}
    if not named:
        return "unknown"
    earlier = {name for cause in mode["causes"] for name in (*cause["polluters"], *cause["setters"])}
    cleaners = {name for cause in mode["causes"] for name in cause["cleaners"]}
    nodeid = test["nodeid"]
    right = (
        named in [truth.cause(nodeid, mode["exception"]), *truth.OTHERS.get(nodeid, [])]
        and earlier == truth.EARLIER.get(nodeid, set())
        and cleaners <= truth.CLEANERS.get(nodeid, set())
    )
    return "right" if right else "wrong"


def gathered(reports: Iterable[dict[str, Any]]) -> tuple[dict[str, Row], list[str]]:
    """Add up what the hunts said; give the sound tests that were blamed as well."""
    import truth

    rows: dict[str, Row] = {}
    blamed: list[str] = []
    for report in reports:
        for test in report["tests"]:
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
    yield "| test | cause | found in | right | wrong | unknown | runs, median | again |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, row in sorted(rows.items()):
        nodeid, _, exception = name.rstrip(")").partition(" (")
        true = " + ".join(sorted(truth.cause(nodeid, exception) or ())) or "nobody controls it"
        runs, failures, others, wrongly = row.again
        again = f"{failures}/{runs}; {wrongly}/{others}" if others else f"{failures}/{runs}" if runs else ""
        yield (
            f"| `{name}` | {true} | {row.found} | {row.right} | {row.wrong} | {row.unknown} "
            f"| {statistics.median(row.runs):.0f} | {again} |"
        )
    total = [sum(getattr(row, kind) for row in rows.values()) for kind in ("found", "right", "wrong", "unknown")]
    yield f"| together | | {' | '.join(map(str, total))} | {statistics.median([n for row in rows.values() for n in row.runs]):.0f} | |"
    yield f"\nSound tests with a verdict other than steady: {len(blamed)}{': ' + ', '.join(sorted(set(blamed))) if blamed else ''}."


def main() -> None:
    """Hunt with each seed, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("seeds", type=int, nargs="*", default=[1, 2, 3])
    given = parser.parse_args()
    rows, blamed = gathered(hunt(seed, given.sweeps) for seed in given.seeds)
    page = "\n".join(table(rows, blamed, given.seeds, given.sweeps)) + "\n"
    (HERE / "CAUSES.md").write_text(page, "utf-8")
    print(page)


if __name__ == "__main__":
    main()
