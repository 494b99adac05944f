"""Measure what reading the quarantine file costs, and write benchmarks/QUARANTINE.md: ``python benchmarks/quarantine.py``.

First the reading itself, each time in a new interpreter; then whole runs with and without a file, by turns.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROUNDS = 15
SIZES = (40, 5000)
TODAY = datetime.now(UTC).date()
READING = """
import sys, time
from pathlib import Path
from pytest_flakehunt.quarantine.looking_up import QuarantineFile
import tomllib, pytest_flakehunt.quarantine.reading
known = sys.argv[2]
began = time.perf_counter()
file = QuarantineFile(Path(sys.argv[1]), known)
opened = time.perf_counter()
assert len(file.of("tests/test_shop_7.py::test_warranty_7")[0]) == 1
told = time.perf_counter()
print((opened - began) * 1000, (told - opened) * 1000, file.digest)
"""


def entry(number: int) -> str:
    test = f"tests/test_shop_{number % 50}.py::test_warranty_{number}"
    return (
        f'[[quarantined]]\ntest = "{test}"\nfingerprints = ["{number:016x}"]\n'
        'at = ["call ValueError shop.py::warranty_until return today.replace(year=today.year+2)"]\n'
        'cause = "clock: it fails on 29 February"\nplan = "clock=2028-02-29T12:00:00"\n'
        "seen = { failures = 20, runs = 20 }\n"
        f'owner = "@shop-team"\nissue = "https://example.org/issues/{number}"\nreason = "planned for March"\n'
        f'added = {TODAY}\nexpires = {TODAY + timedelta(days=14)}\nbody = "{number:016x}"\nrepro = "pytest {test}"\n\n'
    )


def file(folder: Path, size: int) -> Path:
    path = folder / "flakehunt-quarantine.toml"
    path.write_text("version = 1\n\n" + "".join(map(entry, range(size))), "utf-8")
    return path


def reading(path: Path, known: str) -> tuple[float, float, str]:
    told = subprocess.run(
        [sys.executable, "-c", READING, path, known], check=True, capture_output=True, text=True
    ).stdout
    opened, looked, digest = told.split()
    return float(opened), float(looked), digest


def run(folder: Path) -> float:
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    before = os.times()
    command = [sys.executable, "-m", "pytest", "-q", "-ppytest_flakehunt.plugin"]
    subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True)
    after = os.times()
    return 1000 * (after.children_user + after.children_system - before.children_user - before.children_system)


def main() -> None:
    lines = ["# What the quarantine file costs", ""]
    lines += [
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {ROUNDS} rounds, medians in ms; the slowest of them in brackets.", "",
        "| entries | reading the text | all of it, once for a new text | what concerns one failing test, of a text known to be right |",
        "|---|---|---|---|",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in SIZES:
            path = file(folder, size)
            cold = [reading(path, "") for _ in range(ROUNDS)]
            warm = [reading(path, cold[0][2]) for _ in range(ROUNDS)]
            cells = ([one[0] for one in (*cold, *warm)], [one[1] for one in cold], [one[1] for one in warm])
            shown = " | ".join(f"{statistics.median(cell):.1f} ({max(cell):.1f})" for cell in cells)
            lines.append(f"| {size} | {shown} |")
        (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
        (folder / "test_it.py").write_text("def test_it(): pass\n", "utf-8")
        lines += ["", "Whole runs of one test that passes, by turns, in CPU ms:", "", "| entries | without a file | with it | difference |", "|---|---|---|---|"]  # fmt: skip
        for size in SIZES:
            path = file(folder, size)
            run(folder)  # which text is right is in pytest's cache from here on
            without, given = [], []
            for _ in range(ROUNDS):
                given.append(run(folder))
                path.rename(folder / "away")
                without.append(run(folder))
                (folder / "away").rename(path)
            one, other = statistics.median(without), statistics.median(given)
            lines.append(
                f"| {size} | {one:.0f} | {other:.0f} | {statistics.median([b - a for a, b in zip(without, given, strict=True)]):.0f} |"
            )
    (Path(__file__).parent / "QUARANTINE.md").write_text("\n".join([*lines, ""]), "utf-8")


if __name__ == "__main__":
    main()
