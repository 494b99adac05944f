"""Run hunts for hours with faults drawn from a seed, and compare every ledger after each: ``python benchmarks/soak.py --minutes 60``.

Each hunt is a small suite, options, and what is done to it: its controller is killed or interrupted at some moment, and goes on with
``--flakehunt-resume``; zygotes, children and interpreters are killed and stopped; the scratch folder is deleted; files may not grow, descriptors are few;
tests crash, hang, fork, kill their parent or the controller, close descriptors, leave threads. After every process of a hunt its ledger is opened, with
``sqlite3`` alone, and compared with the journal of the hunt, with what it had before, and with a witness.

**The witness** is a conftest of the suite's own: in each process that runs tests of a sweep it writes the test that has just ended, whether it failed, and the
time, into a file outside of everything that a hunt knows of. It says nothing of numbers of sweeps. A process is found again in the ledger by the hash seed of its
interpreter, by time and by its tests: each must have its place in one sweep, with all its tests and their outcomes, and each sweep nothing that nobody saw end.
So a sweep that is lost, recorded twice or made up is seen, and so is an attempt. What was under way in each place when a controller was killed may be missing, but
nothing that was followed there by another; and what a deleted scratch folder had.
What the witness cannot see: tests that never ended, sweeps in which none did, and what a hunt makes of what it recorded.

Each call appends to the log in the folder ``--work`` and goes on with the next number. ``--only NUMBER`` makes one hunt again and keeps its folder; the suite, the options, what is
done and after which sweep follow from the seed, the moment within a sweep from the machine. ``--table`` writes benchmarks/SOAK.md from the log.
"""

import argparse
import json
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from soaking.drawn import drawn
from soaking.runs import Run
from soaking.suites import DEEDS

HERE = Path(__file__).parent


def main() -> int:
    """Do what is asked."""
    asks = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asks.add_argument("--minutes", type=float, default=60)
    asks.add_argument("--seed", type=int, default=21, help="all hunts follow from it (default: 21)")
    asks.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "flakehunt-soak",
        help="where the log is kept, and folders of hunts that were not as they should be",
    )  # fmt: skip
    asks.add_argument("--only", type=int, metavar="NUMBER", help="make this hunt again")
    asks.add_argument("--show", type=int, metavar="NUMBER", help="print what this hunt is, and run nothing")
    asks.add_argument("--table", action="store_true", help="write SOAK.md from the log")
    asked = asks.parse_args()
    log = asked.work / "soak.jsonl"
    if asked.table:
        (HERE / "SOAK.md").write_text(table(read(log)), "utf-8")
        return 0
    if asked.show is not None:
        print(drawn(asked.seed, asked.show))
        return 0
    asked.work.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what runs is ended
    if asked.only is not None:
        return bool(hunt(asked.seed, asked.only, asked.work, log, again=True)["wrong"])
    until, wrong = time.monotonic() + asked.minutes * 60, 0
    while time.monotonic() < until:
        number = max((row["number"] for row in read(log)), default=-1) + 1
        wrong += bool(hunt(asked.seed, number, asked.work, log, again=False)["wrong"])
    return bool(wrong)


def hunt(seed: int, number: int, work: Path, log: Path, *, again: bool) -> dict[str, Any]:
    """Make one hunt, print and log what came of it; keep its folder where that was asked for or something was wrong."""
    what = drawn(seed, number)
    folder = work / ("again" if again else "hunts") / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    run = Run(what, folder)
    began = time.time()
    try:
        run.go()
    finally:
        for process in run.family():
            process.kill()
    row = {
        "seed": seed, "number": number, "began": round(began), "seconds": round(time.time() - began, 1), "again": again,
        "met": dict(+run.met), "kills": sum(run.kills.values()), "steps": run.steps,
        "sweeps": sum(not sweep.torn for sweep in run.before), "attempts": sum(len(sweep.attempts) for sweep in run.before),
        "torn": sum(sweep.torn for sweep in run.before), "wrong": list(dict.fromkeys(run.wrong)),
    }  # fmt: skip
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(f"{number}: {', '.join(+run.met) or 'nothing'}; {' '.join(run.steps)}; {row['sweeps']} sweeps, {row['seconds']} s: {'as it should be' if not run.wrong else 'WRONG'}", flush=True)  # fmt: skip
    for text in row["wrong"][:8]:
        print(f"    {text}", flush=True)
    if not run.wrong and not again:
        shutil.rmtree(folder, ignore_errors=True)
    return row


def read(log: Path) -> list[dict[str, Any]]:
    """Give the rows of the log."""
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []


def table(rows: list[dict[str, Any]]) -> str:
    """Give the page; a hunt that was made again counts as it was the last time, and it is said that it was."""
    newest = {(row["seed"], row["number"]): row for row in rows}
    tried: Counter[str] = Counter()
    times: Counter[str] = Counter()
    well: Counter[str] = Counter()
    for row in newest.values():
        for fault, count in (row["met"] or {"nothing": 1}).items():
            tried[fault] += 1
            times[fault] += count
            well[fault] += not row["wrong"]
    if unknown := times.keys() - FAULTS.keys() - {f"test: {kind}" for kind in DEEDS}:
        raise SystemExit(f"no words for {', '.join(sorted(unknown))}")
    words = {
        **FAULTS,
        **{f"test: {kind}": f"a test, {kind}: `{' '.join(deed.split())}`" for kind, deed in DEEDS.items()},
    }
    lines = [
        f"| {said} | {tried[name]} | {times[name]} | {well[name]} |" for name, said in words.items() if times[name]
    ]
    hours = sum(row["seconds"] for row in rows) / 3600
    sums = {name: sum(row[name] for row in rows) for name in ("sweeps", "attempts", "kills")}
    ends = Counter(step for row in rows for step in row["steps"])
    wrong = [row for row in rows if row["wrong"]]
    return "\n".join([
        f"Made by `python benchmarks/soak.py --minutes M`, again and again, and `--table`: {hours:.1f} hours, in which {len(rows)} hunts ({len(newest)} that differ) kept {sums['sweeps']:,} sweeps",
        f"with {sums['attempts']:,} attempts in their ledgers. {ends['-9']} times a controller was killed, {sums['kills'] - killed(rows)} times another process from outside; {ends['2']} times a hunt was interrupted.",
        "",
        "| what was done | hunts | times | hunts in which all was as it should be |",
        "|---|---|---|---|",
        *lines,
        "",
        *(["**What was not as it should be**, the last of each as it is now:", ""] if wrong else ["Nothing was not as it should be.", ""]),
        *(f"- hunt {row['number']}{' (made again)' * row['again']}: {shortened(row['wrong'])}; {now(newest[row['seed'], row['number']], row)}" for row in wrong),
        *[""] * bool(wrong),
    ])  # fmt: skip


def killed(rows: list[dict[str, Any]]) -> int:
    """Count the controllers that were killed from outside."""
    return sum(row["met"].get("SIGKILL", 0) for row in rows)


def shortened(wrong: list[str]) -> str:
    """Give the first of what was wrong, without what differs from machine to machine."""
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    told = re.sub(r"(/[^\s/'\"]+)+/(?=[^\s/'\"]+)", "", wrong[0])  # names of files, without where they lie
    return f"`{told[:160].replace('|', '/').replace('`', '')}`{more}"


def now(newest: dict[str, Any], row: dict[str, Any]) -> str:
    """Say what became of it."""
    if newest is row:
        return "it stands"
    return "made again, it came back" if newest["wrong"] else "made again since, all is as it should be"


FAULTS = {
    "nothing": "nothing: the comparison is silent there, too",
    "SIGKILL": "SIGKILL of the controller, at some moment",
    "SIGTERM": "SIGTERM to it",
    "SIGINT": "SIGINT to it",
    "SIGHUP": "SIGHUP to it",
    "resumed": "`--flakehunt-resume` after that, and faults again",
    "zygote": "SIGKILL of a zygote",
    "child": "SIGKILL of a process that was forked for a sweep",
    "interpreter": "SIGKILL of an interpreter that runs a sweep unforked",
    "stop controller": "SIGSTOP of the controller, and SIGCONT after 0.1 to 1.5 s",
    "stop zygote": "the same of a zygote",
    "stop child": "the same of a process that was forked for a sweep",
    "stop interpreter": "the same of an interpreter that runs a sweep unforked",
    "scratch": "the scratch folder is deleted",
    "file size": "no file may grow beyond 120 to 900 kB",
    "few descriptors": "`ulimit -n 64`",
    "fresh interpreters": "`--flakehunt-isolation=fresh`",
    "without xdist": "pytest-xdist is not there",
    "shards": "the first of two shards, with faults, and then the other one and `flakehunt merge`",
    **{f"command: {name}": f"`flakehunt {name}` after the hunt" for name in ("report", "show", "history", "diagnose", "prune", "doctor")},
}  # fmt: skip
"""The words for what was done, in the order of the page."""


if __name__ == "__main__":
    sys.exit(main())
