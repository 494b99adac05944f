"""Attack what reads foreign files, by hand: ``python benchmarks/fuzzing.py ledger --minutes 30``.

Hypothesis draws how real files of a small hunt are changed. Whatever comes of it must be an answer or a refusal, within bounds of time and memory, with no
process started and nothing written elsewhere. Each call adds to the log in the folder ``--work``, and goes on where the last one ended: no example is drawn
twice. ``python benchmarks/fuzzing.py --table`` writes benchmarks/FUZZING.md from the log.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
NAMES = ("ledger", "plan", "quarantine", "journal", "report", "redaction", "journal-guided", "quarantine-guided")
"""What is attacked; where coverage guides, Atheris must be there: ``pip install atheris``."""
BATCH_SECONDS, LONGEST_BATCH = 90, 900
"""Seconds after which a batch begins no further example, and after which its process is ended."""
LEAST_CPU = 150.0
"""Seconds of CPU that a batch must have had before it is said to hang: more than its time, and what one example may take."""


def main() -> None:
    reads = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    reads.add_argument("name", choices=NAMES, nargs="?")
    reads.add_argument("--minutes", type=float, default=30)
    reads.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / "flakehunt-fuzzing",
        help="where the log and what was found are kept",
    )
    reads.add_argument("--batch", type=int, help="run this batch alone, in this process")
    reads.add_argument("--table", action="store_true", help="write FUZZING.md from the log")
    asked = reads.parse_args()
    if asked.table:
        (HERE / "FUZZING.md").write_text(table(asked.work), "utf-8")
    elif asked.name is None:
        reads.error("give one of " + ", ".join(NAMES))
    elif asked.batch is not None:
        batch(asked.name, asked.work, asked.batch)
    else:
        attack(asked.name, asked.work, asked.minutes * 60)


def attack(name: str, work: Path, seconds: float) -> None:
    """Run batches until the time is up; each in a process of its own, whose end is an answer too."""
    from fuzzers import materials

    materials.made(work)
    log = work / f"{name}.jsonl"
    number = sum(1 for _ in log.open("rb")) if log.exists() else 0
    until = time.monotonic() + seconds
    seen: Counter[str] = Counter()
    examples = 0
    while time.monotonic() < until:
        began, before = time.monotonic(), os.times()
        command = [sys.executable, __file__, name, f"--work={work}", f"--batch={number}"]
        try:
            ended = subprocess.run(
                command, capture_output=True, encoding="utf-8", errors="replace", timeout=LONGEST_BATCH, check=False
            )
            said: dict[str, Any] = (
                json.loads(ended.stdout.splitlines()[-1]) if ended.returncode == 0 and ended.stdout else {}
            )
            why = "" if said else f"process ended with {ended.returncode}: {ended.stderr[-1500:]}"
        except subprocess.TimeoutExpired:
            said, why = {}, "process hung"
        had = sum(os.times()[2:4]) - sum(before[2:4])
        if why == "process hung" and had < LEAST_CPU:
            why = ""  # on a machine that is busy with other things
        row = {
            "batch": number,
            "examples": 0,
            "faults": {},
            "cpu": round(had, 1),
            **said,
            "seconds": round(time.monotonic() - began, 1),
            "why": why,
        }
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        examples += row["examples"]
        seen.update(row["faults"])
        seen.update([why] if why else [])
        print(
            f"{name}: batch {number}, {examples} examples, {sum(seen.values())} faults of {len(seen)} kinds", flush=True
        )
        number += 1
    for fault, count in seen.most_common():
        print(f"{count:>6}  {fault}")


def batch(name: str, work: Path, number: int) -> None:
    """Attack for a while, and write what came of it as a line of JSON."""
    if name.endswith("-guided"):
        from fuzzers import guided

        with tempfile.TemporaryDirectory(prefix=f"flakehunt-fuzzing-{name}-") as scratch:
            guided.batch(name, work, Path(scratch).resolve(), number, BATCH_SECONDS)
    import hypothesis
    from fuzzers import targets
    from fuzzers.guard import Guard
    from hypothesis import strategies as st

    from pytest_flakehunt.cli import patience

    patience.LONGEST = 5  # of two minutes: what is given up later is given up all the same
    folder = Path(tempfile.mkdtemp(prefix=f"flakehunt-fuzzing-{name}-")).resolve()
    guard = Guard(folder)
    counts: Counter[str] = Counter()
    seeds = st.integers(0, 2**64).map(Random)  # the other kind takes long over many letters
    until, examples = time.monotonic() + BATCH_SECONDS, 0

    @hypothesis.seed(number)
    @hypothesis.settings(
        max_examples=100_000, database=None, deadline=None, phases=[hypothesis.Phase.generate], suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(seeds if name == "redaction" else seeds | st.randoms(use_true_random=False))
    def attacks(chance: Random) -> None:
        nonlocal examples
        if time.monotonic() > until:
            raise KeyboardInterrupt
        examples += 1
        for fault in targets.attacked(name, guard, work / "materials", folder, chance):
            counts[fault.name] += 1
            keep(work / "found" / name, fault, folder)

    try:
        attacks()
    except KeyboardInterrupt:
        pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(
        json.dumps({"examples": examples, "faults": dict(counts), **guard.ended, "cpu": round(sum(os.times()[:2]), 1)})
    )


def keep(folder: Path, fault: Any, example: Path) -> None:
    """Keep the first example of each kind of fault."""
    name = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in fault.name)[:150]
    place = folder / name
    if place.exists():
        return
    place.mkdir(parents=True)
    (place / "told.txt").write_bytes(f"{fault.kind}\n{fault.where}\n{fault.told}\n".encode("utf-8", "backslashreplace"))
    for path in example.glob("kept.*"):
        shutil.copy(path, place / path.name)


def table(work: Path) -> str:
    """Give what the log says, as a table."""
    lines = [
        "# Foreign files, attacked",
        "",
        "Made by `python benchmarks/fuzzing.py NAME --minutes M` for each, again and again, and `--table`; beside other work, so that the minutes of CPU are what counts.",
        "",
        f"Python {platform.python_version()}, {platform.system()}.",
        "",
        "| attacked | minutes | of CPU | examples | faults | examples since the last one |",
        "|---|---|---|---|---|---|",
    ]
    for name in NAMES:
        log = work / f"{name}.jsonl"
        if not log.exists():
            continue
        rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        faults = [sum(row["faults"].values()) + bool(row["why"]) for row in rows]
        last = max((place + 1 for place, count in enumerate(faults) if count), default=0)
        examples, since = (sum(row["examples"] for row in some) for some in (rows, rows[last:]))
        minutes, cpu = (sum(row[what] for row in rows) / 60 for what in ("seconds", "cpu"))
        lines.append(f"| {name} | {minutes:.0f} | {cpu:.1f} | {examples:,} | {sum(faults):,} | {since:,} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
