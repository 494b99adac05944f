"""A drawn hunt as it runs: its processes, what is done to them, and what is wrong after each."""

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import psutil

from soaking import ledgers, witness
from soaking.drawn import ENDS, Blow, Drawn, Step
from soaking.ledgers import Break, Sweep, Why

PATIENCE, GRACE = 240.0, 15.0
"""Seconds in which a process ends by itself, and in which those of a hunt that was killed are gone."""
MOST_RESUMED = 4
"""Processes that may follow the last one that was drawn, where a test has killed that."""
FOLDERS = "flakehunt-*"
SETTLING = {"PYTEST_ADDOPTS", "CI", "PYTHONHASHSEED", "TZ", "PYTEST_XDIST_WORKER", "GITHUB_ACTIONS", "GITLAB_CI"}
HARMLESS = {"exits", "exits now and then", "segfault", "sys.exit", "forks", "leaves a process", "prints", "kills its parent", "kills the controller", "interrupts the controller", "kills its group"}  # fmt: skip
"""Deeds that do nothing to tests beside them."""


def variables(process: psutil.Process) -> dict[str, str]:
    """Give the variables that a process was started with; none of one that has ended."""
    with contextlib.suppress(psutil.Error, OSError):
        return dict(process.environ()) if process.status() != psutil.STATUS_ZOMBIE else {}
    return {}


class Run:
    """One hunt of the soak in a folder of its own; ``wrong`` says what was not as it should be."""

    def __init__(self, drawn: Drawn, folder: Path) -> None:
        self.drawn, self.folder = drawn, folder
        self.wrong: list[str] = []
        self.kills: Counter[str] = Counter()
        self.met: Counter[str] = Counter({f"test: {kind}": 1 for kind in drawn.tests})
        """How often each fault was there: those from outside only where they were in time."""
        self.met["few descriptors"] = int(drawn.descriptors > 0)
        self.met["fresh interpreters"] = int(drawn.isolation == "fresh")
        self.met["without xdist"] = int("-pxdist.plugin" not in drawn.args)
        self.mark = uuid.uuid4().hex
        self.suite, self.temporary, self.home = (folder / name for name in ("suite", "tmp", "home"))
        self.witness, self.deeds, self.out = (folder / name for name in ("witness", "deeds", "out"))
        for made in (self.suite, self.temporary, self.home, self.witness, self.deeds, self.out):
            made.mkdir(parents=True)
        for name, text in drawn.files.items():
            (self.suite / name).parent.mkdir(exist_ok=True)
            (self.suite / name).write_text(text, "utf-8")
        (self.home / ".profile").write_text("precious\n", "utf-8")
        self.ledger, self.journal = self.out / "ledger.sqlite", self.out / "sweeps.jsonl"
        self.before: list[Sweep] = []
        self.breaks: list[Break] = []
        self.behind = 0
        self.processes = 0
        self.hung = False
        self.steps: list[str] = []
        self.theirs = self._theirs()

    # what happens

    def go(self) -> None:
        """Run it to its end, then the second shard and the commands."""
        for step in self.drawn.steps:
            self._step(step)
            if self.ledger.exists() and self._begun() and not ledgers.unfinished(self.ledger):
                break
        for _ in range(MOST_RESUMED):
            if self.hung or not ledgers.unfinished(self.ledger):
                break
            self._step(Step(()))
        if ledgers.unfinished(self.ledger) or not self._begun():
            self.wrong.append(f"it did not come to its end: {self.tail()}")
        self._blames_nobody()
        if self.drawn.shards:
            self._second_shard()
        for command in self.drawn.commands:
            self._command(command)
        if left := [path.name for path in self.temporary.glob(FOLDERS)]:
            self.wrong.append(f"scratch folders are left at the end: {left}")

    def _begun(self) -> bool:
        with contextlib.suppress(sqlite3.Error):
            return self.ledger.exists() and bool(ledgers.sweeps(self.ledger))
        return False

    def _step(self, step: Step) -> None:
        """Run one process, with what is done to it; compare."""
        began, known = time.time(), len(self.before)
        resumed = self._begun() and ledgers.unfinished(self.ledger)
        process = self._start(["--flakehunt-resume"] * resumed, step.largest)
        self.met["resumed"] += resumed
        self.met["file size"] += bool(step.largest)
        asked: set[str] = set()
        for blow in step.blows:
            if self._wait(process, blow, known):
                asked.add(blow.kind)
                self._blow(process, blow)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"no end within {PATIENCE:.0f} s: {self.tail()}")
            self.hung = True
            process.kill()
            status = process.wait()
        self.steps.append(f"{status}")
        self._compare(step, asked, status, began)

    def _start(
        self, more: list[str], largest: int = 0, ledger: Path | None = None, shard: int = 1
    ) -> "subprocess.Popen[bytes]":
        drawn = self.drawn
        journal = self.journal if ledger is None else self.out / "second.jsonl"
        report = self.out / f"report-{shard}.json"
        args = [f"{arg}{self.out / arg[12:-1]}" if arg.endswith("=") else arg for arg in drawn.args]
        args += [f"--flakehunt-shard={shard}/2"] * drawn.shards
        return self._popen(
            ["-m", "pytest", "-ppytest_flakehunt.plugin", "-pno:cacheprovider", *args, f"--flakehunt-ledger={ledger or self.ledger}",
             f"--flakehunt-journal={journal}", f"--flakehunt-json={report}", *more],
            largest, drawn.descriptors,
        )  # fmt: skip

    def _popen(self, words: list[str], largest: int = 0, descriptors: int = 0) -> "subprocess.Popen[bytes]":
        def begin() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
            if largest:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

        kept = {name: value for name, value in os.environ.items() if name not in SETTLING}
        self.processes += 1
        with self.output.open("wb") as out:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=self.suite,
                env={
                    **kept, "TMPDIR": str(self.temporary), "HOME": str(self.home), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                    "PYTHONPATH": str(Path(__file__).parents[2]), "SOAK": self.mark, "SOAK_WITNESS": str(self.witness),
                    "SOAK_DEEDS": str(self.deeds),
                },
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=begin,  # noqa: PLW1509 - no thread runs here
            )  # fmt: skip

    def _wait(self, process: "subprocess.Popen[bytes]", blow: Blow, known: int) -> bool:
        """Wait for the moment of something; tell whether it came before the end."""
        ends = time.monotonic() + PATIENCE
        while blow.sweeps and self._ended() < known + blow.sweeps:
            if process.poll() is not None or time.monotonic() > ends:
                return False
            time.sleep(0.05)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(blow.later)
        return process.poll() is None

    def _ended(self) -> int:
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as db,
        ):
            return int(db.execute("SELECT count(*) FROM sweeps WHERE NOT torn").fetchone()[0])
        return 0

    def _blow(self, process: "subprocess.Popen[bytes]", blow: Blow) -> None:
        kind = blow.kind
        if self.drawn.isolation == "fresh":
            kind = kind.replace("zygote", "interpreter").replace("child", "interpreter")
        self.met[kind] += 1
        if blow.kind in ENDS:
            process.send_signal(signal.Signals[blow.kind])
            self.kills["controller"] += blow.kind == "SIGKILL"
            return
        if blow.kind == "scratch":
            began = time.time()
            for folder in self.temporary.glob(FOLDERS):
                shutil.rmtree(folder, ignore_errors=True)
            self.breaks.append(Break(began - 1, time.time() + 3, Why.DELETED))
            return
        what, _, whom = blow.kind.rpartition(" ")
        with contextlib.suppress(psutil.Error):
            victim = self._victim(psutil.Process(process.pid), whom, blow.which)
            if victim is None:
                self.met[kind] -= 1
            elif what:
                victim.suspend()
                time.sleep(blow.lasts)
                victim.resume()
            else:
                self.breaks.append(Break(time.time() - 1, time.time() + 5, Why.KILLED))
                victim.kill()
                self.kills[whom] += 1

    @staticmethod
    def _victim(controller: psutil.Process, whom: str, which: int) -> psutil.Process | None:
        if whom == "controller":
            return controller
        found = [child for child in controller.children() if "PYTEST_XDIST_WORKER" in variables(child)]
        if whom == "child":  # of those that are not forked from, they are what runs tests
            found = [child for zygote in found for child in zygote.children()] or found
        return found[which % len(found)] if found else None

    # what came of it

    @property
    def output(self) -> Path:
        """Where what the newest process wrote is kept."""
        return self.out / f"said-{self.processes}"

    def tail(self) -> str:
        """Give the end of that, in one line."""
        lines = self.output.read_text("utf-8", "replace").splitlines()
        return " / ".join(line for line in lines[-6:] if line.strip())[-800:]

    def _compare(self, step: Step, asked: set[str], status: int, began: float) -> None:
        ended = time.time()
        self._leaves_nothing(killed=status < 0)
        after: list[Sweep] = []
        if self.ledger.exists():
            try:
                self.wrong += ledgers.unsound(self.ledger)
                after = ledgers.sweeps(self.ledger)
            except sqlite3.Error as error:
                self.wrong.append(f"the ledger cannot be read: {error!r}")
                return
        new = any(sweep.attempts and sweep.started >= began for sweep in after)
        self._judge(step, asked, status, new=new)
        self.wrong += ledgers.since(self.before, after)
        if status < 0 or step.largest:
            self.breaks.append(Break(began, ended + 2, Why.ENDED))
            self.behind += 2
        if self.journal.exists() and after:
            self.wrong += ledgers.against_journal(after, ledgers.journalled(self.journal), behind=self.behind)
        self.wrong += ledgers.against_witness(after, witness.processes(self.witness), self.breaks)
        self.before, self.behind = after, 0
        self._user_has_all()

    def _judge(self, step: Step, asked: set[str], status: int, *, new: bool) -> None:
        """Compare the exit status and what was said with what was done."""
        allowed = {0, 1}
        ends = asked & ENDS.keys()
        if ends:
            allowed |= {2} if "SIGKILL" not in ends else {-9}
            allowed |= set() if new else {ENDS[kind] for kind in ends}
        kinds = set(self.drawn.tests)
        allowed |= {-9} if "kills the controller" in kinds else set()
        allowed |= {2} if "interrupts the controller" in kinds else set()
        allowed |= {3} if step.largest else set()  # the ledger could take no more
        allowed |= {4} if step.largest and not new else set()  # not even its first line could be kept
        if self.drawn.isolation == "fresh":
            allowed |= {-9} if kinds & {"kills its parent"} else set()
        if status not in allowed:
            self.wrong.append(f"exit status {status}, not one of {sorted(allowed)}: {self.tail()}")
        said = self.output.read_text("utf-8", "replace")
        if "INTERNALERROR" in said or ("Traceback (most recent call last)" in said and (new or not ends)):
            self.wrong.append(f"it failed: {self.tail()}")

    def _leaves_nothing(self, *, killed: bool) -> None:
        ends = time.monotonic() + GRACE
        while (left := self.family()) and time.monotonic() < ends:
            time.sleep(0.2)
        for process in left:
            with contextlib.suppress(psutil.Error):
                self.wrong.append(f"a process is left: {process.cmdline()[:6]}")
                process.kill()
        found = [path.name for path in self.temporary.glob(FOLDERS)]
        if found and not killed:
            self.wrong.append(f"scratch folders are left: {found}")

    def family(self) -> list[psutil.Process]:
        """Give all its processes that are there."""
        return [one for one in psutil.process_iter() if variables(one).get("SOAK") == self.mark]

    def _theirs(self) -> dict[str, str]:
        """Give what the user has, by path."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest() + oct(path.stat().st_mode)
            for place in (self.suite, self.home)
            for path in place.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    def _user_has_all(self) -> None:
        now = self._theirs()
        if changed := sorted(name for name in {*now, *self.theirs} if now.get(name) != self.theirs.get(name)):
            self.wrong.append(f"files of the user are new, gone or changed: {[Path(name).name for name in changed]}")
            self.theirs = now

    def _blames_nobody(self) -> None:
        """See sound tests called steady, where nothing was done to processes that ran them."""
        done = {blow.kind for step in self.drawn.steps for blow in step.blows}
        limits = self.drawn.descriptors or any(step.largest for step in self.drawn.steps)
        path = self.out / "report-1.json"
        if limits or done & {"child", "zygote"} or not set(self.drawn.tests) <= HARMLESS or not path.exists():
            return
        for test in json.loads(path.read_text("utf-8"))["tests"]:
            if "test_sound_" in test["nodeid"] and test["verdict"] != "steady":
                said = [f"{mode['outcome']} {mode['exception']}: {mode['message'][:200]}" for mode in test["modes"]]
                self.wrong.append(f"{test['nodeid']} is {test['verdict']}: {said}")

    # what comes after

    def _finished(self, process: "subprocess.Popen[bytes]", name: str, allowed: set[int]) -> None:
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        self.steps.append(f"{name} {status}")
        said = self.output.read_text("utf-8", "replace")
        if status not in allowed or "Traceback (most recent call last)" in said or "INTERNALERROR" in said:
            self.wrong.append(f"{name} ended with {status}: {self.tail()}")
        self._leaves_nothing(killed=False)

    def _second_shard(self) -> None:
        """Run the other shard, and merge: all sweeps of both are there, once."""
        self.met["shards"] += 1
        second, merged = self.out / "second.sqlite", self.out / "merged.sqlite"
        with contextlib.suppress(StopIteration):
            for name in ("parent", "controller"):  # these deeds are done
                for number in range(1, 9):
                    (self.deeds / f"{name}-{number}").mkdir(exist_ok=True)
        self._finished(self._start([], 0, second, 2), "second shard", {0, 1})
        source = [self.ledger, self.journal][self.drawn.number % 2]
        self._finished(
            self._popen(["-m", "pytest_flakehunt", "merge", str(merged), str(second), str(source)]), "merge", {0}
        )
        if not merged.exists():
            return
        self.wrong += ledgers.unsound(merged)
        kinds = {"survey", "study"}
        parts = [*ledgers.sweeps(self.ledger), *ledgers.sweeps(second)]
        wanted, found = (
            Counter(f"{one.plan or 'calm'} at {one.started}: {sorted(one.attempts.items())}" for one in some if one.purpose in kinds and not one.torn)
            for some in (parts, ledgers.sweeps(merged))
        )  # fmt: skip
        if wanted != found:  # numbers may be others: each shard has calm sweeps beyond those of the schedule
            self.wrong.append(f"merged: lacks {list(wanted - found)}, has too many {list(found - wanted)}")

    def _command(self, name: str) -> None:
        test = next((nodeid for sweep in self.before for nodeid in sweep.attempts), "")
        ledger = str(self.ledger)
        words = {
            "report": ["report", ledger, f"--json={self.out / 'again.json'}", f"--redacted-ledger={self.out / 'redacted.sqlite'}"],
            "show": ["show", test, ledger],
            "history": ["history", "--ledger", ledger, test],
            "prune": ["prune", ledger, "--keep=1", "--yes"],
            "doctor": ["doctor", "--", "-ppytest_flakehunt.plugin", "-pno:cacheprovider"],
            "diagnose": ["diagnose", ledger, "--", "-ppytest_flakehunt.plugin", "-pno:cacheprovider", f"--flakehunt-diagnose={6 if self.drawn.isolation == 'fresh' else 30}", f"--flakehunt-isolation={self.drawn.isolation}", *(arg for arg in self.drawn.args if arg.startswith(("-n", "-p")))],
        }[name]  # fmt: skip
        self.met[f"command: {name}"] += 1
        refused = {2} if ledgers.unfinished(self.ledger) else set()  # it was killed, and not gone on with
        self._finished(self._popen(["-m", "pytest_flakehunt", *words]), name, {0, 1} | refused)
        self.wrong += ledgers.unsound(self.ledger)
        after = ledgers.sweeps(self.ledger)
        self.wrong += ledgers.since(self.before, after)
        self.wrong += ledgers.against_witness(after, witness.processes(self.witness), self.breaks)
        self.before = after
        self._user_has_all()
