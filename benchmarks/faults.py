"""Do to hunts, for real, what may happen around them, and write benchmarks/FAULTS.md: ``python benchmarks/faults.py``.

``python benchmarks/faults.py [NAME ...] [--times N]`` does only those that are named, each so many times, and adds them to
what the page counts already. Each fault is a function: its docstring says what was done and what should come of it, and it
fails where something else does. Beside that, every fault is asked whether processes or scratch folders were left, whether
the ledger is sound, and whether each sweep that had ended before is there, once, as the journal has it.

Some need Linux, root, or a C compiler; where they cannot be done it is said, and they are not counted.
"""

import argparse
import contextlib
import json
import mmap
import os
import pty
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

PAGE = Path(__file__).parent / "FAULTS.md"
SUITE = """
import time
STATE = []
def test_sound(tmp_path):
    (tmp_path / "file").write_text("x" * 1000)
    time.sleep(0.05)
def test_victim(): assert not STATE
def test_pollutes(): STATE.append(1)
"""
SLOW = SUITE.replace("time.sleep(0.05)", "for _ in range(8): time.sleep(0.2)")
PLUGINS = ("-ppytest_flakehunt.plugin", "-pxdist.plugin")
PATIENCE = 90.0
"""Seconds in which everything ends."""
GRACE = 10.0
"""Seconds in which processes of a hunt that was killed are gone."""
FOLDERS = "flakehunt-*"


class Wrong(Exception):  # noqa: N818 - it says what was
    """Something else came of it."""


class CannotBe(Exception):  # noqa: N818 - as above
    """It cannot be done here."""


def check(fact: object, otherwise: str) -> None:
    """Fail where something is not so."""
    if not fact:
        raise Wrong(otherwise)


def variables(process: psutil.Process) -> dict[str, str]:
    """Give the variables that a process was started with; none of one that has ended."""
    with contextlib.suppress(psutil.Error, OSError):
        return dict(process.environ()) if process.status() != psutil.STATUS_ZOMBIE else {}
    return {}


class Hunt:
    """A small suite in a folder of its own, and what a hunt of it does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.temporary = folder, folder / "tmp"
        self.suite = folder / "suite"
        self.ledger = self.suite / ".flakehunt" / "ledger.sqlite"
        self.mark = uuid.uuid4().hex
        self.process: subprocess.Popen[bytes]
        self.hunts = 0
        for made in (self.temporary, self.suite):
            made.mkdir()
        self.write(SUITE)

    def write(self, source: str) -> None:
        """Let the suite be another one."""
        (self.suite / "test_it.py").write_text(source, "utf-8")

    def start(
        self,
        *args: str,
        sweeps: int | str = 60,
        before: Sequence[str] = (),
        environ: dict[str, str] | None = None,
        only: str = "order,gc",
        terminal: int | None = None,
        limits: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin a hunt.

        Args:
            args: further ones.
            sweeps: their number, or seconds.
            before: words that stand before the command.
            environ: further variables.
            only: perturbations.
            terminal: a descriptor of a terminal; None where there is none.
            limits: is called in the new process.
        """

        def begin() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # whatever starts this may ignore it
            if terminal is not None:
                import fcntl
                import termios

                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            limits()

        self.hunts += 1
        kept = {name: value for name, value in os.environ.items() if name not in {"PYTEST_ADDOPTS", "CI"}}
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [
                    *before, sys.executable, "-m", "pytest", *PLUGINS, "-pno:cacheprovider", "-n2", f"--flakehunt={sweeps}",
                    f"--flakehunt-only={only}", "--flakehunt-seed=5", f"--flakehunt-json={self.folder / 'report.json'}",
                    f"--flakehunt-journal={self.folder / 'sweeps.jsonl'}", *args,
                ],
                cwd=self.suite,
                env={
                    **kept, "TMPDIR": str(self.temporary), "FAULTS": self.mark, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                    "PYTHONPATH": str(Path(__file__).parents[1]), **(environ or {}),
                },
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=out if terminal is None else terminal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=begin,  # noqa: PLW1509 - no thread runs here
            )  # fmt: skip

    @property
    def output(self) -> Path:
        """Where what the hunt says is kept."""
        return self.folder / f"said-{self.hunts}"

    def until(self, number: int, purpose: str = "survey") -> dict[int, int]:
        """Wait until so many sweeps have ended; give them."""
        ends = time.monotonic() + PATIENCE
        while len(found := self.sweeps(purpose)) < number:
            check(self.process.poll() is None, f"the hunt ended before it had run {number} sweeps: {self.tail()}")
            check(time.monotonic() < ends, f"{number} sweeps took more than {PATIENCE:.0f} s")
            time.sleep(0.03)
        return found

    def sweeps(self, purpose: str = "survey") -> dict[int, int]:
        """Give how many attempts each sweep of the newest hunt has that has ended."""
        with contextlib.suppress(sqlite3.Error), contextlib.closing(self.opened()) as db:
            found = db.execute(
                "SELECT number, (SELECT count(*) FROM attempts WHERE hunt = sweeps.hunt AND sweep = number) FROM sweeps"
                " WHERE hunt = (SELECT max(id) FROM hunts) AND purpose = ? AND NOT torn",
                (purpose,),
            )
            return dict(found.fetchall())
        return {}

    def opened(self) -> sqlite3.Connection:
        """Open the ledger to read."""
        return sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=5)

    def send(self, number: signal.Signals) -> None:
        """Signal the controller alone."""
        self.process.send_signal(number)

    def ends(self, *status: int, within: float = PATIENCE) -> None:
        """See it end, with one of some exit statuses."""
        try:
            found = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise Wrong(f"it did not end within {within:.0f} s: {self.tail()}") from None
        check(found in status, f"its exit status was {found}, not {' or '.join(map(str, status))}: {self.tail()}")

    def said(self) -> str:
        """Give what it wrote."""
        return self.output.read_text("utf-8", "replace")

    def tail(self) -> str:
        """Give the end of what it wrote, in one line."""
        return " / ".join(line for line in self.said().splitlines()[-8:] if line.strip())

    def says(self, pattern: str) -> None:
        """See it say something."""
        check(re.search(pattern, self.said()), f"it did not say {pattern!r}: {self.tail()}")
        check("INTERNALERROR" not in self.said(), f"pytest failed: {self.tail()}")
        check("Traceback" not in self.said(), f"it showed a traceback: {self.tail()}")

    def report(self) -> dict[str, str]:
        """Give the verdicts that it reported, by test."""
        path = self.folder / "report.json"
        check(path.exists(), f"there is no report: {self.tail()}")
        tests = json.loads(path.read_text("utf-8"))["tests"]
        return {test["nodeid"].partition("::")[2]: test["verdict"] for test in tests}

    def blames_nobody(self) -> None:
        """See the sound test called steady, if anything was said of it."""
        check(self.report().get("test_sound", "steady") == "steady", f"a sound test is blamed: {self.report()}")

    def family(self) -> list[psutil.Process]:
        """Give all its processes that are left."""
        return [one for one in psutil.process_iter() if variables(one).get("FAULTS") == self.mark]

    def zygotes(self) -> list[psutil.Process]:
        """Give its zygotes."""
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(self.process.pid).children()
            return [one for one in children if "PYTEST_XDIST_WORKER" in variables(one)]
        return []

    def commands(self) -> list[psutil.Process]:
        """Give the commands that it runs again."""
        return [one for one in self.family() if "PYTEST_FLAKEHUNT_WITNESS" in variables(one)]

    def leaves_nothing(self, *, folders: bool = True) -> None:
        """See all its processes gone, and all its scratch folders unless it was killed."""
        ends = time.monotonic() + GRACE
        while (left := self.family()) and time.monotonic() < ends:
            time.sleep(0.1)
        told = [process.as_dict(["cmdline"])["cmdline"] for process in left if process.is_running()]
        check(not left, f"processes are left: {told}")
        found = [path.name for path in self.temporary.glob(FOLDERS)]
        check(not folders or not found, f"scratch folders are left: {found}")

    def keeps(self, before: dict[int, int]) -> None:
        """See the ledger sound, and all sweeps there that had ended, as the journal has them."""
        with contextlib.closing(self.opened()) as db:
            (sound,) = db.execute("PRAGMA integrity_check").fetchone()
        check(sound == "ok", f"the ledger is not sound: {sound}")
        after = self.sweeps()
        lost = {number for number, attempts in before.items() if after.get(number) != attempts}
        check(not lost, f"sweeps are lost: {sorted(lost)}")
        journal = self.journal()
        check(
            journal == after,
            f"journal and ledger differ: {sorted(set(journal.items()) ^ set(after.items()))} ({self.tail()})",
        )

    def journal(self) -> dict[int, int]:
        """Give how many attempts each sweep has in the journal: the last line of a number counts."""
        found: dict[int, int] = {}
        for line in (self.folder / "sweeps.jsonl").read_bytes().split(b"\n")[:-1]:
            told = json.loads(line)
            if "sweep" in told and told["sweep"]["purpose"] == "survey" and not told["sweep"]["torn"]:
                found[told["sweep"]["number"]] = len(told["attempts"])
        return found

    def goes_on(self, sweeps: int = 60) -> None:
        """Let the same hunt go on to its end, and see every sweep there once."""
        before = self.sweeps()
        self.start("--flakehunt-resume", sweeps=sweeps)
        self.ends(1, within=3 * PATIENCE)
        self.says("flakehunt: .*seed 5")
        self.keeps(before)
        numbers = set(self.sweeps())
        check(numbers >= set(range(sweeps)), f"sweeps are missing: {sorted(set(range(sweeps)) - numbers)}")
        check(self.report()["test_victim"] in {"fragile", "broken"}, f"the victim is {self.report()['test_victim']}")
        self.blames_nobody()
        self.leaves_nothing()


# what ends a controller


def interrupted(hunt: Hunt, number: signal.Signals, name: str) -> None:
    """Send a signal in the middle of the survey, and see a report, one line, and nothing left."""
    hunt.start(sweeps=400)
    before = hunt.until(12)
    hunt.send(number)
    hunt.ends(2, within=15)
    hunt.says(f"!+ Interrupted: by {name}; the same command goes on with --flakehunt-resume !+")
    hunt.says("ended early: this is what was seen until then")
    check("KeyboardInterrupt" not in hunt.said(), f"it says more than one line: {hunt.tail()}")
    check(hunt.report()["test_victim"] == "fragile", f"the victim is {hunt.report()['test_victim']}")
    hunt.blames_nobody()
    hunt.keeps(before)
    hunt.leaves_nothing()


def ctrl_c(hunt: Hunt) -> None:
    """Ctrl-C | One line says so and what to do, the report tells what was seen until then, exit status 2."""
    interrupted(hunt, signal.SIGINT, "Ctrl-C")


def sigterm(hunt: Hunt) -> None:
    """SIGTERM to the controller | As Ctrl-C: a report of what was seen, exit status 2, no process and no folder left."""
    interrupted(hunt, signal.SIGTERM, "SIGTERM")


def sighup(hunt: Hunt) -> None:
    """SIGHUP to the controller | As Ctrl-C."""
    interrupted(hunt, signal.SIGHUP, "SIGHUP")


def terminal_closed(hunt: Hunt) -> None:
    """The terminal is closed, and can be written to no more | The hunt ends in order: reports in files and the ledger have what was seen."""
    ours, theirs = pty.openpty()
    hunt.start(sweeps=400, terminal=theirs)
    os.close(theirs)
    before = hunt.until(12)
    os.close(ours)
    hunt.ends(*range(256), within=15)
    check(hunt.report()["test_victim"] == "fragile", "the report lacks the victim")
    hunt.keeps(before)
    hunt.leaves_nothing()


def ctrl_c_twice(hunt: Hunt) -> None:
    """Ctrl-C a second time, while the report is drawn up | Processes are ended and the folder goes all the same; one line says that nothing is told, and that what was seen is kept."""
    slow = "import time\nfrom pytest_flakehunt.diagnosis.cases import Cases\nreal = Cases.findings\ndef slowly(self):\n    time.sleep(4)\n    return real(self)\ndef pytest_configure(config):\n    if not hasattr(config, 'workerinput'): Cases.findings = slowly\n"
    (hunt.suite / "conftest.py").write_text(slow, "utf-8")
    hunt.start("--flakehunt-diagnose=0", sweeps=400)
    before = hunt.until(12)
    hunt.send(signal.SIGINT)
    time.sleep(1.5)
    hunt.send(signal.SIGINT)
    hunt.ends(2, within=15)
    hunt.says(
        "!+ Interrupted: by Ctrl-C; nothing is told, as it came twice, and what was seen is kept; the same command goes on"
    )
    hunt.keeps(before)
    hunt.leaves_nothing()


def time_limit(hunt: Hunt) -> None:
    """`timeout 20 pytest …`, which signals the process and then its group | One wish, not two: as Ctrl-C."""
    hunt.start(sweeps=4000, before=["timeout", "20"])
    hunt.ends(2, 124, within=40)
    hunt.says("!+ Interrupted: by SIGTERM; the same command goes on with --flakehunt-resume !+")
    hunt.says("ended early: this is what was seen until then")
    hunt.keeps({})
    hunt.leaves_nothing()


def sigterm_in_experiments(hunt: Hunt) -> None:
    """SIGTERM while experiments on causes are made | As Ctrl-C; what they had shown stays."""
    hunt.start(sweeps=20)
    hunt.until(8, "diagnosis")
    before = hunt.sweeps()
    hunt.send(signal.SIGTERM)
    hunt.ends(2, within=15)
    hunt.says("!+ Interrupted: by SIGTERM; the same command goes on with --flakehunt-resume !+")
    check(hunt.report()["test_victim"] == "fragile", "the report lacks the victim")
    hunt.keeps(before)
    hunt.leaves_nothing()


def sigkill(hunt: Hunt) -> None:
    """SIGKILL of the controller in the survey | All processes end; `--flakehunt-resume` goes on; its folder is cleared away by the next hunt."""
    hunt.start()
    before = hunt.until(12)
    hunt.send(signal.SIGKILL)
    hunt.ends(-9)
    hunt.leaves_nothing(folders=False)
    hunt.keeps(before)
    check(len(list(hunt.temporary.glob(FOLDERS))) == 1, "there is no folder to be cleared away")
    hunt.goes_on()
    check(not list(hunt.suite.glob(".flakehunt/*.lock")), "a lock is left")


def sigkill_in_experiments(hunt: Hunt) -> None:
    """SIGKILL of the controller in experiments | As above; experiments that were made are not made again."""
    hunt.start(sweeps=20)
    hunt.until(8, "diagnosis")
    before = hunt.sweeps()
    hunt.send(signal.SIGKILL)
    hunt.ends(-9)
    hunt.leaves_nothing(folders=False)
    hunt.keeps(before)
    hunt.goes_on(sweeps=20)


def sigkill_while_commands_run(hunt: Hunt) -> None:
    """SIGKILL of the controller while a printed command is run again that takes for ever (it is stopped) | The command ends too."""
    hunt.start(sweeps=20)
    ends = time.monotonic() + PATIENCE
    while not (commands := hunt.commands()):
        check(time.monotonic() < ends and hunt.process.poll() is None, f"no command was run again: {hunt.tail()}")
        time.sleep(0.02)
    time.sleep(0.3)  # until it has begun
    for command in commands:
        with contextlib.suppress(psutil.Error):
            command.suspend()  # for ever
    hunt.send(signal.SIGKILL)
    hunt.ends(-9)
    hunt.leaves_nothing(folders=False)


def sigkill_while_collecting(hunt: Hunt) -> None:
    """SIGKILL of the controller while zygotes import a suite that takes for ever | They end too."""
    (hunt.suite / "conftest.py").write_text(
        "import os, time\nif 'PYTEST_XDIST_WORKER' in os.environ: time.sleep(1000)\n", "utf-8"
    )
    hunt.start()
    ends = time.monotonic() + PATIENCE
    while len(hunt.family()) < 3:
        check(time.monotonic() < ends, "no zygote was started")
        time.sleep(0.05)
    time.sleep(1)
    hunt.send(signal.SIGKILL)
    hunt.ends(-9)
    hunt.leaves_nothing(folders=False)


def sigterm_while_collecting(hunt: Hunt) -> None:
    """SIGTERM, then SIGHUP, while pytest collects a suite that takes for ever | One line says so, exit status 2, no folder; the ledger has no hunt."""
    (hunt.suite / "test_long.py").write_text(
        "import time, pathlib\npathlib.Path('begun').touch()\ntime.sleep(1000)\n", "utf-8"
    )
    for number in (signal.SIGTERM, signal.SIGHUP):
        hunt.start()
        ends = time.monotonic() + PATIENCE
        while not (hunt.suite / "begun").exists():
            check(time.monotonic() < ends, "nothing was collected")
            time.sleep(0.05)
        (hunt.suite / "begun").unlink()
        hunt.send(number)
        hunt.ends(2, within=30)
        hunt.says(
            f"!+ Interrupted: by {number.name}, while the suite was collected: no sweep has run, and nothing is kept !+"
        )
        check(not hunt.sweeps(), "the ledger has sweeps")
        hunt.leaves_nothing()


def sigkill_before_the_first_sweep_ends(hunt: Hunt) -> None:
    """SIGKILL of the controller while sweep 0 takes for ever, and others have ended | These are kept, and `--flakehunt-resume` goes on from them."""
    hunt.write(
        "import os, pathlib, time\ndef test_victim():\n    if os.environ.get('PYTEST_XDIST_WORKER') == 'gw0' and not pathlib.Path('begun').exists():\n"
        "        pathlib.Path('begun').touch()\n        time.sleep(1000)\n"
    )
    hunt.start("--flakehunt-timeout=200", sweeps=40)
    before = hunt.until(6)
    check(0 not in before, "sweep 0 has ended")
    hunt.send(signal.SIGKILL)
    hunt.ends(-9)
    hunt.keeps(before)
    hunt.leaves_nothing(folders=False)
    hunt.start("--flakehunt-timeout=200", "--flakehunt-resume", sweeps=40)
    hunt.ends(0, 1)
    hunt.keeps(before)
    check(set(hunt.sweeps()) >= set(range(40)), f"sweeps are missing: {sorted(set(range(40)) - set(hunt.sweeps()))}")
    hunt.leaves_nothing(folders=False)


def sigkill_of_fresh_interpreters(hunt: Hunt) -> None:
    """SIGKILL of the controller while a test that takes for ever runs in an interpreter of its own, not forked | It ends too."""
    hunt.write("import time, pathlib\ndef test_waits():\n    pathlib.Path('begun').touch()\n    time.sleep(1000)\n")
    hunt.start("--flakehunt-isolation=fresh")
    ends = time.monotonic() + PATIENCE
    while not (hunt.suite / "begun").exists():
        check(time.monotonic() < ends, "no test was started")
        time.sleep(0.05)
    hunt.send(signal.SIGKILL)
    hunt.ends(-9)
    hunt.leaves_nothing(folders=False)


def others_folders(hunt: Hunt) -> None:
    """The scratch folders of a hunt that was killed, of one that goes on, and of somebody else | The next hunt clears the first away and leaves the others."""
    hunt.start()
    hunt.until(6)
    hunt.send(signal.SIGKILL)
    hunt.ends(-9)
    (dead,) = hunt.temporary.glob(FOLDERS)
    (other := hunt.temporary / "flakehunt-of-nobody").mkdir()
    (precious := hunt.folder / "precious").mkdir()
    (hunt.temporary / "flakehunt-of-a-link").symlink_to(precious)
    (precious / "claim").touch()
    hunt.start(f"--flakehunt-ledger={hunt.folder / 'other.sqlite'}", sweeps=4000)
    first = hunt.process
    ends = time.monotonic() + PATIENCE
    while not (living := [path for path in hunt.temporary.glob(FOLDERS) if path / "1" in path.iterdir()]) or living == [
        dead
    ]:
        check(time.monotonic() < ends, "the second hunt made no folder")
        time.sleep(0.05)
    hunt.start(sweeps=6)
    hunt.ends(0, 1)
    check(not dead.exists(), "the folder of the dead hunt is there")
    check(other.exists() and (precious / "claim").exists(), "the folder of somebody else is gone")
    check(all(path.exists() for path in living if path != dead), "the folder of a living hunt is gone")
    first.send_signal(signal.SIGTERM)
    check(first.wait(20) == 2, "the living hunt was disturbed")


# what ends processes


def zygote_killed(hunt: Hunt) -> None:
    """SIGKILL of zygotes from outside, several times | Each is replaced, the sweep goes on with the tests that are left, and nobody is blamed."""
    hunt.start("--flakehunt-diagnose=0", sweeps=40)
    before = hunt.until(6)
    for _ in range(4):
        for zygote in hunt.zygotes()[:1]:
            with contextlib.suppress(psutil.Error):
                zygote.kill()
        time.sleep(0.7)
    hunt.ends(1)
    hunt.says("sweeps of 3 tests")
    hunt.blames_nobody()
    check(hunt.report()["test_pollutes"] == "steady", f"a test is blamed: {hunt.report()}")
    hunt.keeps(before)
    hunt.leaves_nothing()


def out_of_memory(hunt: Hunt) -> None:
    """The OOM kill of a cgroup: a test takes more than 300 MB are left for | The kernel kills the child; the test is told as crashed with SIGKILL, and the hunt goes on."""
    group = Path("/sys/fs/cgroup/memory", f"faults-{hunt.mark[:8]}")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text("300000000")
    except OSError as error:
        raise CannotBe(f"no memory cgroup of ours: {error}") from None
    hunt.write(SUITE + "def test_takes_all(): assert len(bytearray(b'x') * 600_000_000)\n")
    try:
        hunt.start(
            "--flakehunt-diagnose=0", sweeps=8, before=["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"]
        )
        hunt.ends(1)
        hunt.says("SIGKILL")
        check(hunt.report()["test_takes_all"] == "broken", f"it is {hunt.report()['test_takes_all']}")
        hunt.blames_nobody()
        hunt.keeps({})
        hunt.leaves_nothing()
    finally:
        time.sleep(0.2)
        with contextlib.suppress(OSError):
            group.rmdir()


# what holds everything up


def asleep(hunt: Hunt) -> None:
    """A laptop that sleeps: all processes are stopped for longer than a test may take, and go on with the wall clock ahead | No test is taken to hang; the hunt ends as if nothing had been."""
    with clock(hunt) as (environ, ahead):
        hunt.write(SLOW)
        hunt.start("--flakehunt-diagnose=0", "--flakehunt-timeout=3", sweeps=10, environ=environ)
        before = hunt.until(3)
        time.sleep(0.5)  # into a test
        family = hunt.family()
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        time.sleep(8)
        ahead(8 * 3600)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.resume()
        hunt.ends(1)
        hunt.says("sweeps of 3 tests")
        check("hung" not in (hunt.folder / "report.json").read_text("utf-8"), "a test is taken to hang")
        hunt.blames_nobody()
        hunt.keeps(before)
        hunt.leaves_nothing()


def controller_stopped(hunt: Hunt) -> None:
    """Ctrl-Z: the controller alone is stopped for longer than a test may take | As above."""
    hunt.write(SLOW)
    hunt.start("--flakehunt-diagnose=0", "--flakehunt-timeout=3", sweeps=10)
    before = hunt.until(3)
    time.sleep(0.5)
    hunt.send(signal.SIGSTOP)
    time.sleep(8)
    hunt.send(signal.SIGCONT)
    hunt.ends(1)
    check("hung" not in (hunt.folder / "report.json").read_text("utf-8"), "a test is taken to hang")
    hunt.blames_nobody()
    hunt.keeps(before)
    hunt.leaves_nothing()


def clock_jumps(hunt: Hunt) -> None:
    """The wall clock jumps by two days, back and forth, through a library that stands before C's (the machine's own clock is left alone) | Nothing of the hunt goes by it: no limit, no duration, no order."""
    with clock(hunt) as (environ, ahead):
        hunt.start("--flakehunt-diagnose=0", sweeps=40, environ=environ)
        before = hunt.until(6)
        for seconds in (2 * 86400, -2 * 86400, 0, 3600):
            ahead(seconds)
            time.sleep(0.4)
        hunt.ends(1)
        seconds = json.loads((hunt.folder / "report.json").read_text("utf-8"))["hunt"]["seconds"]
        check(0 < seconds < PATIENCE, f"it took {seconds} s")
        hunt.blames_nobody()
        hunt.keeps(before)
        hunt.leaves_nothing()


SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long *offset;
static long ahead(void) {
    if (!offset) {
        int file = open(getenv("CLOCK_AHEAD"), O_RDONLY);
        offset = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
        close(file);
    }
    return *offset;
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec += ahead();
    return status;
}
time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}
"""


@contextlib.contextmanager
def clock(hunt: Hunt) -> Iterator[tuple[dict[str, str], Callable[[int], None]]]:
    """Give variables under which the wall clock can be moved, and what moves it."""
    source, library, file = (hunt.folder / name for name in ("clock.c", "clock.so", "ahead"))
    source.write_text(SHIM, "utf-8")
    compiler = shutil.which("cc")
    if compiler is None:
        raise CannotBe("there is no C compiler")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    file.write_bytes(bytes(4096))
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 4096) as page:

        def ahead(seconds: int) -> None:
            page[:8] = seconds.to_bytes(8, sys.byteorder, signed=True)

        yield {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(file)}, ahead


# what machines lack


def mounted(script: str) -> list[str]:
    """Give the words that run a command where something else is mounted, for it alone."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-m", "true"], check=False, stderr=subprocess.DEVNULL).returncode
    ):
        raise CannotBe("nothing can be mounted for one process here")
    return ["unshare", "-m", "sh", "-c", f'set -e; {script}; exec "$@"', "sh"]


def usual(hunt: Hunt) -> None:
    """See a hunt end as usual."""
    hunt.ends(1)
    hunt.says("sweeps of 3 tests")
    check(hunt.report()["test_victim"] == "fragile", f"the victim is {hunt.report()['test_victim']}")
    hunt.blames_nobody()
    hunt.keeps({})
    hunt.leaves_nothing()


def tmp_without_exec(hunt: Hunt) -> None:
    """The folder for files of a moment is mounted without exec | As usual, experiments and commands included."""
    hunt.start(sweeps=20, before=mounted(f"mount -t tmpfs -o noexec,nosuid,nodev tmpfs {hunt.temporary}"))
    usual(hunt)


def no_shared_memory(hunt: Hunt) -> None:
    """There is no /dev/shm | As usual."""
    hunt.start(
        sweeps=20,
        before=mounted(
            "umount /dev/shm; mount -o remount,ro,bind /dev/shm 2>/dev/null || rmdir /dev/shm 2>/dev/null || true"
        ),
    )
    usual(hunt)


def home_read_only(hunt: Hunt) -> None:
    """The home is read-only, and the ledger lies elsewhere | As usual."""
    (home := hunt.folder / "home").mkdir()
    script = f"mount --bind {home} {home}; mount -o remount,ro,bind {home}"
    hunt.start(sweeps=20, before=mounted(script), environ={"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")})
    usual(hunt)


def few_files(hunt: Hunt) -> None:
    """`ulimit -n 64` | As usual, experiments included."""
    hunt.start(sweeps=20, limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    usual(hunt)


def few_files_and_many_zygotes(hunt: Hunt) -> None:
    """`ulimit -n 64` and `-n 40` | It is said which limit is in the way, and what was seen until then."""
    hunt.start("-n40", sweeps=200, limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    hunt.ends(3)
    hunt.says("no interpreter can be started: .*Too many open files.*ulimit -n, or fewer zygotes with -n")
    hunt.leaves_nothing()


def scratch_full(hunt: Hunt) -> None:
    """The disk with the scratch folder fills up while the hunt runs | It ends with what was seen, says which folder is full and what to do, and blames no test; with room it goes on. Exit status 3."""
    hunt.start(sweeps=400, before=mounted(f"mount -t tmpfs -o size=30m tmpfs {hunt.temporary}"))
    before = hunt.until(8)
    inside = Path(f"/proc/{hunt.process.pid}/root{hunt.temporary}")
    with (inside / "others").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(100_000 if file.tell() < 29_000_000 else 512))
    hunt.ends(3)
    hunt.says(
        r"!+ flakehunt: .*flakehunt-of-\w+ is full; make room there, or set TMPDIR|no interpreter can be started: .*No space left on device.*make room there"
    )
    check(set(hunt.report().values()) <= {"steady", "fragile"}, f"a test is blamed: {hunt.report()}")
    hunt.blames_nobody()
    hunt.keeps(before)
    hunt.leaves_nothing()
    hunt.goes_on(sweeps=400)


def scratch_full_at_first(hunt: Hunt) -> None:
    """There is no room for files of a moment from the beginning | Nothing is blamed, and it is said what to do."""
    script = f"mount -t tmpfs -o size=200k,nr_inodes=12 tmpfs {hunt.temporary}"
    hunt.start(sweeps=20, before=mounted(script))
    hunt.ends(3)
    hunt.says("make room there, or set TMPDIR")
    hunt.leaves_nothing()


def scratch_deleted(hunt: Hunt) -> None:
    """The scratch folder is deleted while sweeps run | It is made again, what ran meanwhile is run again, a note says so, and nobody is blamed."""
    hunt.start("--flakehunt-diagnose=0", sweeps=60)
    before = hunt.until(8)
    for _ in range(3):
        for folder in hunt.temporary.glob(FOLDERS):
            shutil.rmtree(folder, ignore_errors=True)
        time.sleep(1.0)
    hunt.ends(1)
    hunt.says("where only the hunt looks, was deleted while it ran; what ran then is run again")
    check(hunt.report()["test_pollutes"] == "steady", f"a test is blamed: {hunt.report()}")
    hunt.blames_nobody()
    hunt.keeps(before)
    hunt.leaves_nothing()


# what becomes of ledgers


def ledger_on_a_full_disk(hunt: Hunt) -> None:
    """The disk with the ledger fills up | The hunt ends with exit status 3, tells what was seen and what to do; the ledger is sound and has every sweep that ended before."""
    (small := hunt.folder / "small").mkdir()
    hunt.ledger = small / "ledger.sqlite"
    hunt.start(
        f"--flakehunt-ledger={hunt.ledger}",
        sweeps=2000,
        before=mounted(f"mount --make-rprivate /; mount -t tmpfs -o size=400k tmpfs {small}"),
    )
    inside = Path(f"/proc/{hunt.process.pid}/root{small}")
    ends = time.monotonic() + PATIENCE
    while not (inside / "ledger.sqlite").exists():
        check(time.monotonic() < ends, "there is no ledger")
        time.sleep(0.05)
    kept = hunt.folder / "copy"
    kept.mkdir()
    while hunt.process.poll() is None:
        with contextlib.suppress(OSError):
            for path in inside.glob("ledger.sqlite*"):
                shutil.copy(path, kept / path.name)
        check(time.monotonic() < ends + PATIENCE, "it did not end")
        time.sleep(0.05)
    hunt.ends(3)
    hunt.says(
        "!+ flakehunt: .*cannot be written: .*full; make room, or give a path on another disk with --flakehunt-ledger"
    )
    hunt.says("ended early: this is what was seen until then")
    check(hunt.report()["test_victim"] == "fragile", f"the victim is {hunt.report()['test_victim']}")
    hunt.blames_nobody()
    hunt.leaves_nothing()


def ledger_beyond_a_limit(hunt: Hunt) -> None:
    """A limit on the size of files (`ulimit -f`), which the ledger reaches | As above."""
    hunt.start(sweeps=4000, limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)))
    hunt.ends(3)
    hunt.says("!+ flakehunt: .*cannot be written: ")
    hunt.says("ended early: this is what was seen until then")
    hunt.blames_nobody()
    with contextlib.closing(hunt.opened()) as db:
        check(db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "the ledger is not sound")
    hunt.leaves_nothing()


def refused(hunt: Hunt, words: str, within: float = 20) -> None:
    """See a hunt refused before anything is run, and its ledger left as it is."""
    before = hunt.ledger.read_bytes()
    hunt.start(sweeps=4)
    hunt.ends(4, within=within)
    hunt.says(words)
    check(hunt.ledger.read_bytes() == before, "the ledger was changed")
    hunt.leaves_nothing()


def hunted(hunt: Hunt) -> None:
    """Let there be a ledger."""
    hunt.start("--flakehunt-diagnose=0", sweeps=4)
    hunt.ends(0, 1)


def ledger_corrupt(hunt: Hunt) -> None:
    """A ledger whose first pages are overwritten | It is refused at once, left as it is, and it is said what to do."""
    hunted(hunt)
    with hunt.ledger.open("r+b") as file:
        file.write(b"no database at all, " * 200)
    refused(hunt, "it is damaged or no ledger: move it away, or give another path with --flakehunt-ledger")


def ledger_corrupt_within(hunt: Hunt) -> None:
    """Pages in the middle of a ledger are overwritten while a hunt writes to it | The hunt ends with its report, and says so if it met them; the next one is refused or says what is wrong, with what to do."""
    hunt.start("--flakehunt-diagnose=0", sweeps=60)
    hunt.until(10)
    with contextlib.closing(sqlite3.connect(hunt.ledger)) as db:
        db.execute("PRAGMA wal_checkpoint(FULL)")
    size = hunt.ledger.stat().st_size
    with hunt.ledger.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    hunt.ends(1, 3)
    hunt.says("flakehunt")
    check(hunt.report()["test_victim"] == "fragile", f"the victim is {hunt.report()['test_victim']}")
    hunt.start("--flakehunt-diagnose=0", sweeps=10)
    hunt.ends(3, 4)
    hunt.says("it is damaged or no ledger: move it away")
    hunt.leaves_nothing()


def ledger_deleted(hunt: Hunt) -> None:
    """The folder with the ledger is deleted while a hunt runs, as `git clean -dfx` does | The hunt goes on to its report, and says that what the ledger kept is gone."""
    hunt.start("--flakehunt-diagnose=0", sweeps=40)
    hunt.until(10)
    shutil.rmtree(hunt.ledger.parent)
    hunt.ends(1)
    hunt.says(
        "ledger.sqlite was deleted or replaced while the hunt ran, and what it kept is gone; give a path that stays with --flakehunt-ledger"
    )
    check(hunt.report()["test_victim"] == "fragile", f"the victim is {hunt.report()['test_victim']}")
    hunt.blames_nobody()
    hunt.leaves_nothing()


def ledger_newer(hunt: Hunt) -> None:
    """A ledger of a newer version | It is refused, left as it is, and the message names both formats."""
    hunted(hunt)
    with contextlib.closing(sqlite3.connect(hunt.ledger)) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    refused(hunt, "was written by a newer pytest-flakehunt .format 99, this one reads up to ")


def ledger_in_use(hunt: Hunt) -> None:
    """Another program has the ledger locked as a hunt begins, and does not let go | It is refused after half a minute, with what to do."""
    hunted(hunt)
    with contextlib.closing(sqlite3.connect(hunt.ledger, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        hunt.start(sweeps=4)
        hunt.ends(4, within=60)
        hunt.says("another hunt is writing to it: wait for that one, or give another path with --flakehunt-ledger")
        db.execute("ROLLBACK")
    hunt.leaves_nothing()


def ledger_locked_meanwhile(hunt: Hunt) -> None:
    """Another program locks the ledger while a hunt runs: for 10 s, and then for good | The hunt waits the first time and blames nobody; the second time it ends, with what was seen."""
    hunt.start("--flakehunt-diagnose=0", "--flakehunt-timeout=3", sweeps=3000)
    hunt.until(10)
    with contextlib.closing(sqlite3.connect(hunt.ledger, isolation_level=None, timeout=10)) as db:
        db.execute("BEGIN IMMEDIATE")
        time.sleep(10)
        db.execute("ROLLBACK")
        before = hunt.until(len(hunt.sweeps()) + 10)
        db.execute("BEGIN IMMEDIATE")
        hunt.ends(3, within=150)
        hunt.says("!+ flakehunt: .*locked; another hunt is writing to it: wait for that one")
        db.execute("ROLLBACK")
    hunt.says("ended early: this is what was seen until then")
    check('"hung"' not in (hunt.folder / "report.json").read_text("utf-8"), "a test is taken to hang")
    hunt.blames_nobody()
    hunt.keeps(before)
    hunt.leaves_nothing()


def two_hunts(hunt: Hunt) -> None:
    """Two hunts at once with one ledger | Each has all its sweeps."""
    hunt.start("--flakehunt-diagnose=0", sweeps=30)
    first = hunt.process
    hunt.start(f"--flakehunt-journal={hunt.folder / 'other.jsonl'}", "--flakehunt-diagnose=0", sweeps=30)
    check(first.wait(PATIENCE) == 1, "the first failed")
    hunt.ends(1)
    with contextlib.closing(hunt.opened()) as db:
        found = db.execute(
            "SELECT count(*) FROM sweeps WHERE purpose = 'survey' AND number < 30 GROUP BY hunt"
        ).fetchall()
    check(found == [(30,), (30,)], f"sweeps of each: {found}")
    hunt.leaves_nothing()


def ledger_read_only(hunt: Hunt) -> None:
    """A ledger on a file system that is read-only | It is refused, with what to do."""
    hunted(hunt)
    folder = hunt.ledger.parent
    hunt.start(sweeps=4, before=mounted(f"mount --bind {folder} {folder}; mount -o remount,ro,bind {folder}"))
    hunt.ends(4, within=20)
    hunt.says("cannot be written: .*; make it writable, or give another path with --flakehunt-ledger")
    hunt.leaves_nothing()


FAULTS: dict[str, Callable[[Hunt], None]] = {
    fault.__name__: fault
    for fault in (
        ctrl_c, ctrl_c_twice, sigterm, sighup, terminal_closed, time_limit, sigterm_in_experiments,
        sigkill, sigkill_in_experiments, sigkill_while_commands_run, sigkill_while_collecting, sigterm_while_collecting, sigkill_before_the_first_sweep_ends, sigkill_of_fresh_interpreters,
        others_folders, zygote_killed, out_of_memory,
        asleep, controller_stopped, clock_jumps,
        scratch_full, scratch_full_at_first, scratch_deleted, tmp_without_exec, no_shared_memory, home_read_only,
        few_files, few_files_and_many_zygotes,
        ledger_on_a_full_disk, ledger_beyond_a_limit, ledger_corrupt, ledger_corrupt_within, ledger_deleted, ledger_newer, ledger_in_use,
        ledger_locked_meanwhile, two_hunts, ledger_read_only,
    )
}  # fmt: skip


def tried(fault: Callable[[Hunt], None]) -> str:
    """Do it once; give what was wrong, nothing where all was as it should be."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
        hunt = Hunt(Path(folder).resolve())
        try:
            fault(hunt)
        except (Wrong, psutil.Error) as wrong:
            return str(wrong)
        finally:
            for process in hunt.family():
                with contextlib.suppress(psutil.Error):
                    process.kill()
    return ""


def counted() -> dict[str, tuple[int, int]]:
    """Give how often each was tried so far, and how often all was well, as the page has it."""
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| (\d+) \| (\d+) \|$", PAGE.read_text("utf-8") if PAGE.exists() else "", re.MULTILINE
    )
    return {name: (int(times), int(well)) for name, times, well in rows}


def written(counts: dict[str, tuple[int, int]]) -> str:
    """Give the page."""
    rows = []
    for name, fault in FAULTS.items():
        what, comes = (part.strip() for part in (fault.__doc__ or "").split("|"))
        times, well = counts.get(name, (0, 0))
        rows.append(f"| `{name}` | {what} | {comes} | {times} | {well} |")
    every = [sum(counts.get(name, (0, 0))[place] for name in FAULTS) for place in (0, 1)]
    return "\n".join(
        [
            f"Made by `python benchmarks/faults.py`: each done for real to a hunt of a small suite with two zygotes; {every[0]} times in all,",
            f"of which {every[1]} times everything was as the third column says.",
            "",
            "| name | fault | what happens | times | of these, so |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    """Do what is asked, print, and keep."""
    asks = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asks.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FAULTS)} (default: all)")
    asks.add_argument("--times", type=int, default=1, help="how often each is done (default: 1)")
    asks.add_argument("--afresh", action="store_true", help="forget what the page counts")
    asked = asks.parse_args()
    if unknown := [name for name in asked.names if name not in FAULTS]:
        asks.error(f"{', '.join(unknown)}: there is no such fault; give some of {', '.join(FAULTS)}")
    counts = {} if asked.afresh else counted()
    failed = 0
    for _ in range(asked.times):
        for name in asked.names or FAULTS:
            began = time.monotonic()
            try:
                wrong = tried(FAULTS[name])
            except CannotBe as error:
                print(f"{name}: not here: {error}", flush=True)
                continue
            times, well = counts.get(name, (0, 0))
            counts[name] = times + 1, well + (not wrong)
            failed += bool(wrong)
            print(f"{name}: {wrong or 'as it should be'} ({time.monotonic() - began:.0f} s)", flush=True)
            PAGE.write_text(written(counts), "utf-8")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
