"""Measure sweeps a second by workers and by placement, and what real suites do with the cores; write benchmarks/THROUGHPUT.md.

``python benchmarks/throughput.py workers`` and ``… placement`` take twenty minutes on two cores, and want them for themselves. ``… efficiency
--python PYTHON SUITE…`` hunts suites that are there already: each a folder, with words for pytest after it where it needs some, as in
``'toolz-1.2.0 toolz/tests'``; PYTHON has the plugin and what they need. What is not measured stays as it was.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import psutil
from run import PLUGINS, PYTEST, QUIET, spread, suite

PAGE = Path(__file__).parent / "THROUGHPUT.md"
MANY = 5
"""How many times as many sweeps hunts of short tests have."""
TESTS = """
import socket, time
import pytest

def compute(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(1000))

def wait(seconds):
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(seconds / 2)
        with pytest.raises(TimeoutError):
            near.recv(1)
    time.sleep(seconds / 2)

@pytest.mark.parametrize("number", range(10))
def test_it(number):
    compute({computes})
    wait({waits})
"""
"""Ten tests that take a second in all: CPU time in a fixed amount, so that a busy machine makes it no less."""
KINDS = {"waits": (0, 0.1), "half and half": (0.05, 0.05), "computes": (0.1, 0)}
SHORT = "import pytest\n@pytest.mark.parametrize('number', range(50))\ndef test_it(number): pass\n"
WORKERS = ("-n1", "-n2", "-n4", "-n8", "")
SSHD = """Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
StrictModes no
PidFile none
PermitRootLogin yes
UsePAM no
"""
SSH = """Host elsewhere
HostName 127.0.0.1
Port {port}
IdentityFile {folder}/key
IdentitiesOnly yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
BatchMode yes
"""


@dataclass(frozen=True, slots=True)
class Hunt:
    """What a hunt's ledger and report say of its survey."""

    sweeps: int
    seconds: float
    """From the start of the first sweep to the end of the last one."""
    cpu: float
    """Seconds of the sweeps' processes."""
    working: float
    """Seconds of the workers: of all sweeps, and of interpreters that start."""
    in_tests: float
    """Seconds from set-up to tear-down of all attempts."""
    report: Mapping[str, object]

    @property
    def pace(self) -> float:
        """Give sweeps a second."""
        return self.sweeps / self.seconds


def hunt(folder: Path, *args: str, python: Sequence[str] = PYTEST, plugins: Sequence[str] = PLUGINS) -> Hunt:
    """Hunt in a folder, without experiments; what is written stays out of it."""
    loaded = [word for name in plugins for word in ("-p", name)]
    environment = {**os.environ, **({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if plugins else {})}
    with tempfile.TemporaryDirectory() as name:
        ledger, report = Path(name) / "ledger.sqlite", Path(name) / "report.json"
        kept = (f"--flakehunt-ledger={ledger}", f"--flakehunt-json={report}", "--flakehunt-fail-on=none")
        words = [
            *python,
            *loaded,
            "-p",
            "no:cacheprovider",
            "--flakehunt-seed=1",
            "--flakehunt-diagnose=0",
            *kept,
            *args,
        ]
        ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if not report.exists():
            raise SystemExit(f"{folder}: {' '.join(words)}\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
        return read(ledger)


def read(ledger: Path) -> Hunt:
    """Read the newest hunt of a ledger."""
    with closing(sqlite3.connect(ledger)) as db:
        number, text = db.execute("SELECT hunt, document FROM documents ORDER BY hunt DESC LIMIT 1").fetchone()
        survey = "sweeps.hunt = ? AND purpose = 'survey'"
        count, began, over, cpu = db.execute(
            f"SELECT count(*), min(started), max(started + seconds), sum(cpu) FROM sweeps WHERE {survey}", (number,)
        ).fetchone()
        (milliseconds,) = db.execute(
            f"SELECT sum(ms) FROM attempts JOIN sweeps ON sweep = number AND attempts.hunt = sweeps.hunt WHERE {survey}",
            (number,),
        ).fetchone()
    said = json.loads(text)
    working = sum(part["seconds"] for part in said["hunt"]["spent"])
    return Hunt(count, over - began, cpu, working, milliseconds / 1000, said)


def paces(ways: Mapping[str, tuple[Path, Sequence[str]]], rounds: int, sweeps: int) -> dict[str, list[Hunt]]:
    """Hunt in several ways by turns."""
    found: dict[str, list[Hunt]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name, (folder, args) in ways.items():
            found[name].append(hunt(folder, QUIET, f"--flakehunt={sweeps}", *args))
            print(turn, name, f"{found[name][-1].pace:.2f} sweeps a second", flush=True)
    return found


def against(hunts: Sequence[Hunt], base: Sequence[Hunt]) -> str:
    """Give pace and ratio to that of the same round."""
    ratios = [one.pace / other.pace for one, other in zip(hunts, base, strict=True)]
    return f"{statistics.median(one.pace for one in hunts):.2f} | {spread(ratios)}"


def workers(rounds: int, sweeps: int) -> list[str]:
    """Hunt three suites with one worker and with more."""
    lines = [
        f"Three suites of ten tests and a second, {sweeps} calm sweeps each, by turns, {rounds} times. The one that computes keeps a core",
        "busy; the one that waits sleeps, or waits for a socket; half and half does either for half of its time. Counted from the start of the",
        "first sweep to the end of the last one, so that all interpreters but the first start within. *Cores* is the CPU time that sweeps got, against",
        "that time: one worker of a suite that computes gets less than 1.0 where others have the machine too. The last row of each has no `-n`.\n",
        "| suite | | sweeps a second | over `-n1` | cores | at once |",
        "|---|---|---|---|---|---|",
    ]
    for kind, (computes, waits) in KINDS.items():
        with suite(TESTS.format(computes=computes, waits=waits)) as folder:
            found = paces({way or "no `-n`": (folder, [way] if way else []) for way in WORKERS}, rounds, sweeps)
        for way, hunts in found.items():
            most = max(int(one.report["hunt"]["at_once"]) for one in hunts)  # type: ignore[index]
            shown = f"`{way}`" if way.startswith("-") else way
            cores = statistics.median(one.cpu / one.seconds for one in hunts)
            lines.append(f"| {kind} | {shown} | {against(hunts, found['-n1'])} | {cores:.2f} | {most} |")
    return lines


def placement(rounds: int, sweeps: int) -> list[str]:
    """Hunt two suites here, and through gateways that lead here."""
    lines = [
        f"Two zygotes each, {sweeps} calm sweeps ({MANY * sweeps} of short tests), by turns, {rounds} times: here, and as on other machines, through gateways that lead back here. What",
        "is on the way is paid, but for the network. The short tests do nothing, so that what they cost is what is written and sent of them.\n",
        "| suite | placement | sweeps a second | over here |",
        "|---|---|---|---|",
    ]
    half = TESTS.format(computes=0.05, waits=0.05)
    for kind, source, count in (("half and half", half, sweeps), ("50 short tests", SHORT, MANY * sweeps)):
        with suite(source) as folder, ExitStack() as stack:
            ways = {
                "here, `-n2`": (folder, ["-n2"]),
                "`popen//python=`": (folder, [f"--tx=2*popen//python={sys.executable}"]),
            }
            ways["`socket=`"] = (folder, [f"--tx=2*{stack.enter_context(server(folder))}"])
            if shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
                ways["`ssh=`"] = (
                    folder,
                    [f"--tx=2*{stack.enter_context(sshd())}//python={stack.enter_context(same())}"],
                )
            found = paces(ways, rounds, count)
        here = next(iter(found.values()))
        lines += [f"| {kind} | {way} | {against(hunts, here)} |" for way, hunts in found.items()]
    return lines


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a socket server of execnet's; give what leads there."""
    words = [sys.executable, "-u", "-m", "execnet.script.socketserver", "127.0.0.1:0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        assert process.stdout is not None
        port = process.stdout.readline().rpartition(",")[2].strip(" )\n")
        yield f"socket=127.0.0.1:{port}"
        process.kill()


@contextmanager
def sshd() -> Iterator[str]:
    """Run an ssh server on a port of loopback; give what leads there."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or ""
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        for key in ("host", "key"):
            subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", folder / key], check=True)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        (folder / "server").write_text(SSHD.format(port=port, folder=folder), "utf-8")
        (folder / "client").write_text(SSH.format(port=port, folder=folder), "utf-8")
        with subprocess.Popen([program, "-Def", folder / "server"], stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            if "listening" not in process.stderr.readline():
                raise SystemExit(f"{program} does not start here")
            yield f"ssh=elsewhere//ssh_config={folder}/client"
            process.kill()


@contextmanager
def same() -> Iterator[Path]:
    """Give a Python that finds the modules of this one, whatever the environment it starts in."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "python"
        folders = os.environ.get("PYTHONPATH", "")
        path.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(folders)} exec {sys.executable} "$@"\n', "utf-8")
        path.chmod(0o755)
        yield path


def efficiency(sweeps: int, python: str, suites: Sequence[str]) -> list[str]:
    """Hunt real suites as anybody would, and see what they do with the cores."""
    cores = len(os.sched_getaffinity(0))
    lines = [
        f"{sweeps} sweeps of real suites from source distributions, without experiments and without `-n`, each once. *In tests* is from set-up to tear-down of",
        "all attempts, against the seconds of the workers: what is left goes into starting interpreters, forks, and looking for leaks. *Computing*",
        "is CPU time of sweeps against their time; *cores* the same CPU time against all cores from the first sweep to the last.\n",
        "| suite | tests | s a sweep | at once | in tests | computing | cores | s, the whole hunt | not steady |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for words in suites:
        name, *args = shlex.split(words)
        folder = Path(name).resolve()
        one = hunt(folder, f"--flakehunt={sweeps}", *args, python=(python, "-m", "pytest", "-q"), plugins=())
        lines.append(row(folder.name, one, cores))
        print(lines[-1], flush=True)
    return lines


def row(name: str, one: Hunt, cores: int) -> str:
    """Give what one suite did with the cores."""
    said, tests = one.report["hunt"], one.report["tests"]
    assert isinstance(said, dict)
    assert isinstance(tests, list)
    sweeping = sum(part["seconds"] for part in said["spent"] if part["what"] != "starting")
    other = sum(test["verdict"] != "steady" for test in tests)
    return (
        f"| {name} | {len(tests)} | {sweeping / one.sweeps:.1f} | {said['at_once']} | {one.in_tests / one.working:.0%} | "
        f"{one.cpu / sweeping:.0%} | {one.cpu / (one.seconds * cores):.0%} | {said['seconds']:.0f} | {other} |"
    )


def kept() -> dict[str, str]:
    """Give the parts of the page as it is, by their titles."""
    text = PAGE.read_text("utf-8") if PAGE.exists() else ""
    return {title: body.strip() for title, _, body in (part.partition("\n") for part in text.split("\n## ")[1:])}


SHARED = "what is said of tests that compute, and of how placements compare, is to be measured again where it is quiet"
MOST_BUSY = 25
"""Percent of the cores that may be busy with other things."""
TITLES = {"workers": "By workers", "placement": "By placement", "efficiency": "What real suites do with the cores"}


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=TITLES)
    parser.add_argument("suites", nargs="*")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sweeps", type=int, default=30)
    asked = parser.parse_intermixed_args()
    measures: dict[str, Callable[[], list[str]]] = {
        "workers": lambda: workers(asked.rounds, asked.sweeps),
        "placement": lambda: placement(asked.rounds, asked.sweeps),
        "efficiency": lambda: efficiency(asked.sweeps, asked.python, asked.suites),
    }
    parts = kept()
    busy = psutil.cpu_percent(interval=5)
    shared = f": others had the machine too, and {SHARED}" if busy > MOST_BUSY else ""
    parts[TITLES[asked.what]] = "\n".join(
        [*measures[asked.what](), f"\nAs this began {busy:.0f} % of the cores were busy{shared}."]
    )
    head = (
        "# Throughput\n\nMade by `python benchmarks/throughput.py`: medians, lowest and highest. "
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, in a virtual machine.\n"
    )
    shown = [f"## {title}\n\n{parts[title]}\n" for title in TITLES.values() if title in parts]
    PAGE.write_text("\n".join([head, *shown]), "utf-8")


if __name__ == "__main__":
    main()
