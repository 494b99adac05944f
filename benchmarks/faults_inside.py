"""Do to small suites, for real, what a test or a suite can do to a hunt from inside, and see what becomes of it.

``python benchmarks/faults_inside.py [NAME...] [--times N] [--isolation fork|fresh] [--sweeps N]`` runs the faults of benchmarks/faults_inside.toml
(all of them, most of an hour, where none is named), says of each whether all was as that file says, and adds to the counts in
benchmarks/faults_inside.json. ``--page`` makes the table in docs/explanation/ from the two. Each hunt is the leader of a session of its own and
keeps its scratch folder in a folder of the trial, so that what it leaves behind is seen and ended. Disks that are filled are small ones, mounted for the
trial; without the right to mount, such a fault is left out, and not counted.
"""

import argparse
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import tomllib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
FAULTS = HERE / "faults_inside.toml"
COUNTS = HERE / "faults_inside.json"
PAGE = HERE / "FAULTS_INSIDE.md"
SETTLING = ("PYTEST_ADDOPTS", "CI", "PYTHONHASHSEED", "TZ", "PYTEST_XDIST_WORKER", "GITHUB_ACTIONS", "GITLAB_CI")
HUNT = ("-m", "pytest", "-p", "xdist.plugin", "-p", "pytest_flakehunt.plugin", "--flakehunt-json=report.json")
GENTLE = "--flakehunt-only=hashseed,random,gc"
"""Perturbations that change nothing for the suites: what fails then fails for what was done."""
CUT = r"sweep \d+ \(calm\) was cut short: its interpreter ended with a test$"
"""What is noted where a test ends the process of a sweep that was not forked."""
ISOLATIONS = {"fork": "forked", "fresh": "in fresh interpreters"}
ABOVE = (
    "Each fault was done for real: a small suite does it in the middle of a hunt of some sweeps with experiments, in a session and with a folder for",
    "temporary files of its own. A hunt counts as it should be where it ended in time; the verdicts, the messages of failures, the notes and the exit status were",
    "those that `benchmarks/faults_inside.toml` names; sound tests were steady; the ledger was sound, no sweep was lost, and it had as many attempts of sound tests as these",
    "had said of themselves; and no process and no folder was left behind. `python benchmarks/faults_inside.py NAME` tries one, and `--page` makes this table of what was counted.",
    "",
)
TOP = '''\
import atexit, ctypes, faulthandler, gc, os, re, resource, shutil, signal, subprocess, sys, tempfile, threading, time
from pathlib import Path
import pytest
LOG, WORKER = os.environ["FAULT_LOG"], "PYTEST_XDIST_WORKER" in os.environ
def ran(name):
    """Tell, apart from everything that a hunt keeps, that a test has ended in a sweep; printed commands that are tried are none."""
    with open(LOG, "a") as log: log.write(name + "\\n" if WORKER else " ")
def controller():
    """Give the process that was started by hand: the one whose parent is not of this trial."""
    pid = os.getpid()
    while True:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if b"FAULT_LOG=" not in Path(f"/proc/{parent}/environ").read_bytes(): return pid
        pid = parent
'''
SUITE = """\
def test_before(): ran("test_before")
def test_deed(tmp_path):
    {deed}
def test_after(): ran("test_after")
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a test or a suite does, and what is expected of a hunt then."""

    name: str
    what: str
    """In the words of the page."""
    happens: str
    """The same of what becomes of it."""
    deed: str = ""
    """Lines of ``test_deed``, between two sound tests; none where ``files`` has the whole suite."""
    top: str = ""
    """Lines before the tests."""
    files: Mapping[str, str] = field(default_factory=dict)
    each: Sequence[str] = ("",)
    """What stands for ``{each}``, one trial after the other."""
    expected: Mapping[str, str] = field(default_factory=dict)
    """By test that is not steady: a verdict, and a pattern of the exception of each mode."""
    notes: Sequence[str] = ()
    """Patterns of the notes: each is met, and there are no others but what ``may`` be."""
    may: Sequence[str] = (CUT,)
    says: str = ""
    """A pattern of what is on the terminal."""
    args: Sequence[str] = ()
    only: str = GENTLE
    sweeps: int = 8
    status: int = -1
    """The exit status; where none is given, 1 where a test is not steady and 0 elsewhere."""
    seconds: float = 120
    """How long it may take."""
    disk: int = 0
    """Megabytes of the disk that temporary folders are on; 0 for that of the machine."""
    powerless: bool = False
    """Whether the hunt has none of root's capabilities."""
    counted: bool = True
    """Whether attempts of sound tests must be as many as such tests say."""
    torn: bool = False
    """Whether sweeps may be cut short."""
    left: int = 0
    """Processes that are left: those that an ordinary run leaves too."""
    killed: bool = False
    """Whether the controller is killed: there is no report, and its scratch folder stays; the hunt is then gone on with."""
    isolations: Sequence[str] = ("fork", "fresh")
    """Which kinds of processes it is tried in."""


def main() -> int:
    """Try what is asked for; tell whether all was as expected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--isolation", choices=["fork", "fresh"], default="fork")
    parser.add_argument("--sweeps", type=int)
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--show", action="store_true", help="print the terminal's text and the report's main parts")
    asked = parser.parse_args()
    known = read()
    if unknown := set(asked.names) - {fault.name for fault in known}:
        parser.error(
            f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(fault.name for fault in known)}"
        )
    if asked.page:
        PAGE.write_text(page(known), "utf-8")
        return 0
    wrong = 0
    for fault in known:
        if (asked.names and fault.name not in asked.names) or asked.isolation not in fault.isolations:
            continue
        fault = fault if asked.sweeps is None else replace(fault, sweeps=asked.sweeps)  # noqa: PLW2901 - as asked
        for turn in range(asked.times):
            for each in fault.each:
                wrong += not reported(fault, each, turn, asked.isolation, show=asked.show)
    return int(bool(wrong))


def read() -> list[Fault]:
    """Give the faults."""
    return [Fault(**fault) for fault in tomllib.loads(FAULTS.read_text("utf-8"))["fault"]]


def reported(fault: Fault, each: str, turn: int, isolation: str, *, show: bool) -> bool:
    """Try a fault once, say what came of it, and count it."""
    name = f"{fault.name}{f' ({each})' if each else ''}, {isolation}"
    began = time.monotonic()
    with trial(fault) as folder:
        if folder is None:
            print(f"{name}: left out, a disk of {fault.disk} MB cannot be mounted here", flush=True)
            return True
        wrong = complaints(fault, each, folder, turn + 1, isolation)
        if show:
            print((folder / "out").read_text("utf-8", "replace"))
    print(f"{name}: {'as said' if not wrong else 'WRONG'}, {time.monotonic() - began:.1f} s", flush=True)
    for complaint in wrong:
        print(f"    {complaint}", flush=True)
    counts: dict[str, list[int]] = json.loads(COUNTS.read_text("utf-8")) if COUNTS.exists() else {}
    tried, held = counts.get(f"{fault.name} {isolation}", [0, 0])
    counts[f"{fault.name} {isolation}"] = [tried + 1, held + (not wrong)]
    COUNTS.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n", "utf-8")
    return not wrong


@contextmanager
def trial(fault: Fault) -> Iterator[Path | None]:
    """Make a folder with one for the suite and one for temporary files; None where it would have to have a disk of its own, and cannot."""
    folder = Path(tempfile.mkdtemp(prefix="fault-"))
    (folder / "suite").mkdir()
    (folder / "tmp").mkdir()
    mounted = False
    try:
        if fault.disk:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={fault.disk}m", "tmpfs", str(folder / "tmp")]
            mounted = (
                shutil.which("mount") is not None
                and not subprocess.run(mount, check=False, capture_output=True).returncode
            )
        yield folder if mounted or not fault.disk else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder / "tmp")], check=True)
        shutil.rmtree(folder)


def complaints(fault: Fault, each: str, folder: Path, seed: int, isolation: str) -> list[str]:
    """Hunt through the suite of a fault; give what was not as expected."""
    suite, log, mark = folder / "suite", folder / "log", uuid.uuid4().hex
    files = fault.files or {"test_it.py": SUITE.format(deed=fault.deed.strip().replace("\n", "\n    "))}
    for file, text in files.items():
        text = TOP + fault.top + "\n" + text if file.startswith("test_") else text  # noqa: PLW2901
        (suite / file).write_text(text.replace("{each}", each), "utf-8")
    (suite / "pytest.ini").write_text("[pytest]\n", "ascii")
    environment = {name: value for name, value in os.environ.items() if name not in SETTLING}
    environment |= {
        "FAULT_LOG": str(log),
        "FAULT_TRIAL": mark,
        "TMPDIR": str(folder / "tmp"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    words = [
        sys.executable,
        *HUNT,
        f"--flakehunt-isolation={isolation}",
        f"--flakehunt={fault.sweeps}",
        fault.only,
        *fault.args,
    ]
    if fault.powerless:
        words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *words]
    wrong, status = hunted([*words, f"--flakehunt-seed={seed}"], suite, environment, folder / "out", fault.seconds)
    if fault.killed and not wrong:
        wrong += kept(suite, log, torn=True)
        again, status = hunted([*words, "--flakehunt-resume"], suite, environment, folder / "out", fault.seconds)
        wrong += again
        for left in (folder / "tmp").glob("flakehunt-*"):
            shutil.rmtree(left)
    wrong += left_behind(mark, folder, fault.left)
    said = (folder / "out").read_text("utf-8", "replace")
    if wrong:
        return [*wrong, said[-2000:]]
    wrong += judged(fault, suite / "report.json", status)
    wrong += kept(suite, log, torn=fault.torn or fault.killed, counted=fault.counted and not fault.killed)
    if not re.search(fault.says, said):
        wrong.append(f"{fault.says!r} is not on the terminal: {said[-2000:]}")
    return wrong


def hunted(
    words: Sequence[str], suite: Path, environment: Mapping[str, str], out: Path, seconds: float
) -> tuple[list[str], int]:
    """Run a hunt as the leader of a session; give what is wrong with that, and its exit status."""
    with out.open("wb") as file:
        process = subprocess.Popen(
            words,
            cwd=suite,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            return [], process.wait(seconds)
        except subprocess.TimeoutExpired:
            return [f"no end after {seconds:.0f} s"], -9
        finally:
            if process.poll() is None:
                end(environment["FAULT_TRIAL"])
                process.wait()


def end(mark: str) -> None:
    """Kill everything of a trial, what is started meanwhile too."""
    while left := processes(mark):
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(0.1)


def processes(mark: str) -> list[psutil.Process]:
    """Give what is alive of a trial, this process and those of others left out."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("FAULT_TRIAL") == mark:
                found.append(process)
    return found


def left_behind(mark: str, folder: Path, expected: int) -> list[str]:
    """Give what a hunt left: processes, which are ended, and scratch folders."""
    deadline = time.monotonic() + 5  # those of a controller that was killed notice it by and by
    while len(left := processes(mark)) > expected and time.monotonic() < deadline:
        time.sleep(0.1)
    wrong = (
        [f"{len(left)} processes are left, not {expected}: {[one.cmdline()[:4] for one in left]}"]
        if len(left) != expected
        else []
    )
    end(mark)
    scratch = [str(path.relative_to(folder)) for start in folder.glob("tmp/flakehunt-*") for path in start.rglob("*")]
    return [*wrong, f"left behind: {scratch}"] if scratch else wrong


def judged(fault: Fault, report: Path, status: int) -> list[str]:
    """Give what is wrong with the verdicts, the notes and the exit status."""
    wanted = fault.status if fault.status >= 0 else int(bool(fault.expected))
    wrong = [] if status == wanted else [f"exit status {status} instead of {wanted}"]
    if not report.exists():
        return wrong if fault.status > 1 else [*wrong, "there is no report"]
    document: dict[str, Any] = json.loads(report.read_text("utf-8"))
    for test in document["tests"]:
        name = test["nodeid"].partition("::")[2]
        verdict, _, pattern = fault.expected.get(name, "steady").partition(" ")
        modes = [f"{mode['outcome']} {mode['exception']}: {mode['message']}" for mode in test["modes"]]
        if test["verdict"] != verdict or not all(re.search(pattern, mode) for mode in modes):
            wrong.append(
                f"{name} is {test['verdict']} ({test['failures']} of {test['runs']}): {[mode[:300] for mode in modes]}"
            )
    missing = fault.expected.keys() - {test["nodeid"].partition("::")[2] for test in document["tests"]}
    wrong += [f"{name} is not there" for name in missing]
    wrong += [
        f"note: {note}"
        for note in document["notes"]
        if not any(re.search(one, note) for one in (*fault.notes, *fault.may))
    ]
    wrong += [f"no note {one!r}" for one in fault.notes if not any(re.search(one, note) for note in document["notes"])]
    wrong += [f"outage: {outage}" for outage in document["outages"]]
    return wrong


def kept(suite: Path, log: Path, *, torn: bool, counted: bool = True) -> list[str]:
    """Compare what the ledger has with what sound tests say; of sweeps that were cut short, it may lack one attempt."""
    ledger = suite / ".flakehunt" / "ledger.sqlite"
    if not ledger.exists():
        return []
    with closing(sqlite3.connect(ledger)) as db:
        wrong = [text for (text,) in db.execute("PRAGMA integrity_check") if text != "ok"]
        cut = db.execute("SELECT count(*) FROM sweeps WHERE torn AND isolation != 'unforked'").fetchone()[0]
        runs = dict(
            db.execute(
                "SELECT nodeid, count(*) FROM attempts JOIN tests ON tests.id = test WHERE outcome < 8 GROUP BY nodeid"
            ).fetchall()
        )
    if cut and not torn:
        wrong.append(f"{cut} sweeps were cut short")
    said = log.read_text("utf-8").split() if log.exists() else []
    if torn or not counted:
        return wrong
    pairs = ((name, said.count(name), runs.get(f"test_it.py::{name}", 0)) for name in sorted(set(said)))
    return [
        *wrong,
        *(
            f"{name} ran {ran} times, and {recorded} times are recorded"
            for name, ran, recorded in pairs
            if ran != recorded
        ),
    ]


def page(known: Sequence[Fault]) -> str:
    """Give the table of the faults, with how often each was tried."""
    counts: dict[str, list[int]] = json.loads(COUNTS.read_text("utf-8"))
    rows = []
    for fault in known:
        tried = [(counts.get(f"{fault.name} {isolation}", [0, 0]), words) for isolation, words in ISOLATIONS.items()]
        words = ", ".join(
            f"{runs} {words}{f' ({held} as said)' if held != runs else ''}" for (runs, held), words in tried if runs
        )
        rows.append(f"| {fault.what} | {fault.happens} | {words or 'not yet'} |")
    return "\n".join([*ABOVE, "| fault | what happens | hunts |", "|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
