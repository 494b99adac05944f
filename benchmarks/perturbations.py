"""See what each perturbation brings out and write benchmarks/PERTURBATIONS.md: ``python benchmarks/perturbations.py [--sweeps=125] [NAME ...]``.

For each perturbation a hunt through its part of the zoo, through the zoo's sound tests and through a suite of one thread, with nothing
else perturbed. What is flaky stands in tests/zoo/truth.py.
"""

import argparse
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ZOO = HERE.parent / "tests" / "zoo"
sys.path[:0] = [str(ZOO), str(HERE.parent)]
PLUGINS = ("xdist.plugin", "pytest_flakehunt.plugin", "_hypothesis_pytestplugin")
SOUND = "test_calm.py"
BUSY = (
    "import pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_it(n): sum(len(str(i)) for i in range(30_000))\n"
)
"""A suite of one thread that computes, about 3 ms a test."""
NATURAL = "hashseed"
"""What varies in plain reruns anyway, and is left on in them: each interpreter has a hash seed of its own."""
LOCALES = ("de_DE", "tr_TR")


class Seen(NamedTuple):
    """Failures of one test, and runs, when nothing was perturbed and when something was."""

    calm: tuple[int, int]
    perturbed: tuple[int, int]


def hunt(folder: Path, name: str, sweeps: int, *args: str) -> tuple[dict[str, Seen], dict[bool, list[float]]]:
    """Hunt with one perturbation alone; give failures by test, and seconds of sweeps by whether they were perturbed."""
    report, ledger = folder / "report.json", folder / "ledger.sqlite"
    ledger.unlink(missing_ok=True)
    subprocess.run(
        [
            sys.executable, "-m", "pytest", *args, f"--rootdir={ZOO if str(ZOO) in args[0] else folder}", f"-c{os.devnull}",
            *(f"-p{plugin}" for plugin in PLUGINS), f"--flakehunt={sweeps}", "--flakehunt-seed=1", "--flakehunt-diagnose=0",
            f"--flakehunt-only={name}", f"--flakehunt-json={report}", f"--flakehunt-ledger={ledger}",
        ],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "LOCPATH": str(folder / "locales")},
        stdout=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    read: dict[str, Any] = json.loads(report.read_text("utf-8"))
    seen = {}
    for test in read["tests"]:
        calm = test["calm"]["failures"], test["calm"]["runs"]
        seen[test["nodeid"]] = Seen(calm, (test["failures"] - calm[0], test["runs"] - calm[1]))
    with closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute("SELECT focus, seconds FROM sweeps WHERE purpose = 'survey' AND torn = 0").fetchall()
    return seen, {kind: [seconds for focus, seconds in rows if bool(focus) == kind] for kind in (False, True)}


def animals() -> dict[str, list[str]]:
    """Give the tests that each perturbation alone brings out."""
    import truth

    found: dict[str, list[str]] = {}
    for nodeid, causes in [*truth.CAUSES.items(), *((nodeid, causes) for (nodeid, _), causes in truth.MODES.items())]:
        if len(causes) == 1:
            found.setdefault(next(iter(causes)), []).append(nodeid)
    return found


def rows(folder: Path, names: list[str], sweeps: int) -> Iterator[str]:
    """Yield the rows of the table, and the sound tests that failed."""
    homes = animals()
    (folder / "test_busy.py").write_text(BUSY, "utf-8")
    for name in names:
        here = homes.get(name, [])
        files = sorted({f"{ZOO / nodeid.partition('::')[0]}" for nodeid in here})
        plain = hunt(folder, NATURAL, 100, *files)[0] if files else {}
        seen, _ = hunt(folder, name, sweeps, *files, str(ZOO / SOUND))
        _, seconds = hunt(folder, name, 60, str(folder / "test_busy.py"), "-n1")
        sound = [count.perturbed for nodeid, count in seen.items() if nodeid.startswith(SOUND)]
        failed, ran = (sum(numbers) for numbers in zip(*sound, strict=True))
        cost = statistics.median(seconds[True]) / statistics.median(seconds[False]) if seconds[True] else None
        last = f"{'' if cost is None else f'{cost:.2f}'} | {failed} of {ran}"
        for nodeid in sorted(here) or [""]:
            if nodeid and nodeid in seen:
                before = [sum(part) for part in zip(plain[nodeid].calm, plain[nodeid].perturbed, strict=True)]
                after = seen[nodeid].perturbed
                yield f"| `{name}` | `{nodeid}` | {share(*before)} | {share(*after)} | {last} |"
            else:
                yield f"| `{name}` | {f'`{nodeid}` was not there' if nodeid else 'none in the zoo'} | | | {last} |"
            last = " | "


def share(failures: int, runs: int) -> str:
    """Give failures per 100 runs."""
    return f"{100 * failures / runs:.0f} of 100" if runs else ""


def page(lines: list[str], sweeps: int) -> str:
    """Put the table into words."""
    return "\n".join([
        "# What each perturbation brings out\n",
        f"Made by `python benchmarks/perturbations.py`: one hunt of {sweeps} sweeps for each perturbation, with nothing else perturbed.",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores. *Plain* is 100 sweeps in which nothing is perturbed, over several",
        "interpreters with hash seeds of their own; *perturbed* are the sweeps of the hunt that were not calm. *Cost* is the median time of a perturbed sweep",
        "through 20 tests that only compute, in one thread, over that of a calm one of the same hunt. *Sound* counts failures of the zoo's sound tests",
        "in perturbed sweeps, of attempts.\n",
        "| perturbation | test | plain | perturbed | cost | sound |",
        "|---|---|---|---|---|---|",
        *lines,
    ]) + "\n"  # fmt: skip


def main() -> None:
    """Hunt with each perturbation, and write the page."""
    from pytest_flakehunt.perturbations import OURS

    parser = argparse.ArgumentParser()
    parser.add_argument("--sweeps", type=int, default=125)
    parser.add_argument("names", nargs="*", default=[perturbation.name for perturbation in OURS])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "locales").mkdir()
        for locale in LOCALES if shutil.which("localedef") else ():
            target = folder / "locales" / f"{locale}.UTF-8"
            subprocess.run(["localedef", "-i", locale, "-f", "UTF-8", target], check=False, capture_output=True)
        lines = []
        for line in rows(folder, given.names, given.sweeps):
            print(line, flush=True)
            lines.append(line)
    (HERE / "PERTURBATIONS.md").write_text(page(lines, given.sweeps), "utf-8")


if __name__ == "__main__":
    main()
