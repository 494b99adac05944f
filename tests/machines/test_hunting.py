"""Hunts whose zygotes are elsewhere: what they find, and what becomes of them when a machine fails."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

Hunter = Callable[..., Any]
ELSEWHERE = f"--tx=popen//python={sys.executable}//env:ELSEWHERE=1"
NAME = f"popen//python={sys.executable}//env:ELSEWHERE=***"
SUITE = """
    import os
    STATE = []
    def test_pollutes(): STATE.append(1)
    def test_is_harmed(): assert not STATE
    def test_crashes():
        if STATE: os.abort()
    """
DEED = """
    import os, signal, subprocess, time, psutil
    from pathlib import Path
    def relay():
        return next(one.pid for one in psutil.Process().parents() if 'machines.relay' in ' '.join(one.cmdline()))
    def first(name):
        path = Path(__file__).with_name(name)
        if "ELSEWHERE" not in os.environ or path.exists(): return False
        path.touch()
        return True
    def test_before(): pass
    def test_deed():
        {deed}
    def test_after(): pass
    """


@pytest.fixture
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an ssh server on a port of loopback; give what leads there."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or pytest.skip("there is no sshd")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "server").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/key.pub\n"
        "StrictModes no\nPidFile none\nPermitRootLogin yes\nUsePAM no\n"
    )
    (folder / "client").write_text(
        f"Host elsewhere\nHostName 127.0.0.1\nPort {port}\nIdentityFile {folder}/key\nIdentitiesOnly yes\n"
        "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\nBatchMode yes\n"
    )
    tried = subprocess.run([program, "-tf", folder / "server"], check=False, capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"sshd does not start here: {tried.stderr.strip()}")
    with subprocess.Popen([program, "-Def", folder / "server"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        yield f"ssh=elsewhere//ssh_config={folder}/client"
        process.kill()


@pytest.fixture
def server(pytester: pytest.Pytester) -> Iterator[str]:
    """Run a socket server of execnet's on a port of loopback; give its address."""
    words = [sys.executable, "-u", "-m", "execnet.script.socketserver", "127.0.0.1:0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=pytester.path) as process:
        assert process.stdout is not None
        port = process.stdout.readline().rpartition(",")[2].strip(" )\n")
        yield f"socket=127.0.0.1:{port}"
        process.kill()


def recorded(path: Path) -> list[list[tuple[Any, ...]]]:
    """Give what a ledger keeps of a hunt, but for times and for where it was."""
    questions = (
        "select number, plan, focus, isolation, zygote, hashseed, neighbours, torn, outage, purpose from sweeps",
        "select sweep, nodeid, outcome, fingerprint from attempts join tests on tests.id = attempts.test"
        " left join modes on modes.id = attempts.mode",
        "select sweep, phase, exception, message, file, line, function, traceback, kind, statement from evidence",
    )
    ledger = sqlite3.connect(path)
    try:
        return [sorted(ledger.execute(question)) for question in questions]
    finally:
        ledger.close()


def test_a_hunt_elsewhere_has_the_ledger_that_it_has_here(pytester: pytest.Pytester, hunt: Hunter, server: str) -> None:
    pytester.makepyfile(test_it=SUITE)
    only = "--flakehunt-only=order,random"  # how many hash seeds are tried depends on what starting takes
    here = hunt(only, "-n1", "--flakehunt-ledger=here.sqlite", sweeps=9)
    there = hunt(only, f"--tx={server}", "--flakehunt-ledger=there.sqlite", sweeps=9)
    there.result.stdout.fnmatch_lines([f"flakehunt: zygotes: 1 on {server} (* cores)"])
    assert there.verdicts == here.verdicts
    assert {"crashed"} <= {mode["outcome"] for mode in there.tests["test_crashes"]["modes"]}
    assert recorded(pytester.path / "there.sqlite") == recorded(pytester.path / "here.sqlite")
    assert there.report["notes"] == [*here.report["notes"], f"sweeps and experiments ran: 9 on {server}"]


def test_a_hunt_goes_through_ssh(
    pytester: pytest.Pytester, hunt: Hunter, sshd: str, python: Callable[[str], Path]
) -> None:
    pytester.makepyfile(test_it=SUITE)
    found = hunt("--flakehunt-only=order", f"--tx={sshd}//python={python('')}", sweeps=4)
    assert found.verdicts["test_pollutes"] == "steady"
    assert found.verdicts["test_is_harmed"] == "broken"
    assert not left_over(pytester.path)


def test_a_machine_that_dies_in_mid_sweep_costs_nothing_but_itself(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it=DEED.format(deed="if first('killed'): os.kill(relay(), signal.SIGKILL); time.sleep(60)")
    )
    found = hunt("--flakehunt-only=order", "-n1", ELSEWHERE, sweeps=8)
    assert (pytester.path / "killed").exists()
    assert set(found.verdicts.values()) == {"steady"}
    assert {test["runs"] for test in found.report["tests"]} == {8}
    lost, ran = found.report["notes"]
    assert lost == f"{NAME} is lost, and the hunt goes on without it: its relay ended with status -9"
    assert ran.startswith("sweeps and experiments ran: ")
    assert not left_over(pytester.path)


@pytest.mark.thorough
def test_without_any_machine_left_a_hunt_ends_with_what_it_has(pytester: pytest.Pytester, hunt: Hunter) -> None:
    gateway = "psutil.Process(relay()).ppid()"
    deed = f"if len(list(Path(__file__).parent.glob('n*'))) > 3: os.kill({gateway}, 9); time.sleep(60)"
    more = "\n        Path(__file__).with_name(f'n{time.time()}').touch()"
    pytester.makepyfile(test_it=DEED.format(deed=deed + more))
    found = hunt("--flakehunt-only=order", ELSEWHERE, sweeps=8)
    found.result.stdout.fnmatch_lines(
        ["*no machine is left to run sweeps on; what was seen until then is kept: popen//*"]
    )
    assert found.report["tests"]
    assert 3 <= found.tests["test_before"]["runs"] < 8
    assert not left_over(pytester.path)
    resumed = hunt("--flakehunt-only=order", "-n1", "--flakehunt-resume", sweeps=8)
    assert {test["runs"] for test in resumed.report["tests"]} == {8}


@pytest.mark.thorough
def test_a_machine_on_which_the_suite_cannot_be_collected_is_lost(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(test_it="import os\nassert 'ELSEWHERE' not in os.environ\ndef test_it(): pass")
    found = hunt("--flakehunt-only=order", "-n1", ELSEWHERE, sweeps=6)
    assert {name: test["runs"] for name, test in found.tests.items()} == {"test_it": 6}
    (lost,) = (note for note in found.report["notes"] if " is lost" in note)
    assert lost.startswith(f"{NAME} is lost, and the hunt goes on without it: the suite cannot be collected there: ")


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_elsewhere_of_a_hunt_that_was_ended(
    pytester: pytest.Pytester, bare: dict[str, str], server: str, interruptible: None, number: signal.Signals
) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path
        import time
        def test_it():
            Path(__file__).with_name("began").touch()
            time.sleep(60)
        """
    )
    plugins = ("-pxdist.plugin", "-ppytest_flakehunt.plugin")
    words = [sys.executable, "-mpytest", *plugins, "--flakehunt=3", f"--tx={server}", ELSEWHERE]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=bare, start_new_session=True) as process:
        while not (pytester.path / "began").exists():
            time.sleep(0.1)
        os.killpg(process.pid, number)
        process.communicate(timeout=30)
    assert not left_over(pytester.path)


@pytest.mark.thorough
def test_a_machine_that_stands_still_for_a_while_is_waited_for_and_no_test_is_blamed(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    stopped = pytester.path / "stopped"

    def wake() -> None:
        while not (stopped.exists() and stopped.read_text()):
            time.sleep(0.1)
        time.sleep(8)
        os.kill(int(stopped.read_text()), signal.SIGCONT)

    deed = "if first('stopped'): Path(__file__).with_name('stopped').write_text(str(relay())); os.kill(relay(), signal.SIGSTOP)"
    pytester.makepyfile(test_it=DEED.format(deed=deed))
    threading.Thread(target=wake, daemon=True).start()
    found = hunt("--flakehunt-only=order", "--flakehunt-timeout=5", "-n1", ELSEWHERE, sweeps=8)
    assert stopped.exists()
    assert set(found.verdicts.values()) == {"steady"}
    assert {test["runs"] for test in found.report["tests"]} == {8}
    assert not left_over(pytester.path)


@pytest.mark.thorough
def test_a_test_that_hangs_elsewhere_is_ended_with_its_stacks(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import sys, time
        def wait(): time.sleep(1000)
        def test_hangs(): wait()
        def test_after(): pass
        """
    )
    found = hunt("--flakehunt-only=order", "--flakehunt-timeout=0.5", ELSEWHERE, sweeps=2)
    assert found.verdicts == {"test_hangs": "broken", "test_after": "steady"}
    mode = found.mode("test_hangs")
    assert (mode["outcome"], mode["where"]) == ("hung", "test_it.py:2")
    assert not left_over(pytester.path)


def left_over(folder: Path) -> list[list[str]]:
    """Give relays, and the processes that run in a folder, once those that are about to end have ended."""
    for _ in range(50):
        running = psutil.process_iter(["cwd", "cmdline", "status"])
        found = [
            one.info["cmdline"]
            for one in running
            if one.info["status"] != psutil.STATUS_ZOMBIE and one.info["cwd"] == str(folder)
        ]
        found = [words for words in found if "pytest_flakehunt" in " ".join(words or ())]
        if not found:
            break
        time.sleep(0.1)
    return found


@pytest.fixture
def python(tmp_path: Path) -> Callable[[str], Path]:
    """Give a Python like this one, but for what a line changes as it starts."""

    def made(line: str) -> Path:
        (tmp_path / "sitecustomize.py").write_text(line)
        path = tmp_path / "python"
        folders = f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"
        path.write_text(f'#!/bin/sh\nPYTHONPATH={folders} exec {sys.executable} "$@"\n')
        path.chmod(0o755)
        return path

    return made


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "import platform; platform.python_version = lambda: '3.99.0'",
            "it has Python CPython 3.99.0, and here is CPython {python}; name an equal one there with python=PATH",
        ),
        (
            "import importlib.metadata as m; old = m.version; m.version = lambda n: old(n if n != 'psutil' else 'no')",
            "psutil is not installed there; install it",
        ),
    ],
)
def test_a_machine_without_what_it_needs_is_refused(
    pytester: pytest.Pytester, hunt: Hunter, python: Callable[[str], Path], line: str, reason: str
) -> None:
    pytester.makepyfile("def test_it(): pass")
    path = python(line)
    found = hunt(f"--tx=popen//python={path}")
    reason = reason.format(python=".".join(map(str, sys.version_info[:3])))
    assert found.result.ret == pytest.ExitCode.USAGE_ERROR
    found.result.stderr.fnmatch_lines([f"ERROR: --tx=popen//python={path}: {reason}"])


def test_files_that_are_other_there_are_refused(pytester: pytest.Pytester, hunt: Hunter, tmp_path: Path) -> None:
    pytester.makepyfile(test_one="def test_it(): pass", test_two="def test_it(): pass")
    there = tmp_path / "there"
    spec = f"--tx=popen//chdir={there}"
    absent = hunt(spec)
    cure = f"bring {there} there up to date, or name the project's folder there by chdir=PATH"
    absent.result.stderr.fnmatch_lines(
        [f"ERROR: {spec}: there is no folder {there}; bring the project there, or name its folder by chdir=PATH"]
    )
    assert not there.exists()
    shutil.copytree(pytester.path, there)
    (there / "test_two.py").write_text("")
    assert f"{spec}: not the same there: test_two.py; {cure}" in str(hunt(spec).result.stderr)
    (there / "test_two.py").unlink()
    assert f"{spec}: not there: test_two.py; {cure}" in str(hunt(spec).result.stderr)


def test_data_that_is_other_there_is_told(pytester: pytest.Pytester, hunt: Hunter, tmp_path: Path) -> None:
    pytester.makepyfile(test_one="def test_it(): pass")
    for name in ("a.json", "b.json", "c.json"):
        (pytester.path / name).write_text("{}")
    there = tmp_path / "there"
    shutil.copytree(pytester.path, there)
    (there / "a.json").unlink()
    (there / "b.json").write_text("[]")
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=pytester.path, check=True)
    spec = f"popen//chdir={there}"
    notes = hunt(f"--tx={spec}", "--flakehunt-only=order", sweeps=2).report["notes"]
    assert f"{spec} has other files that tests may read: not there: a.json; not the same there: b.json" in notes


@pytest.mark.thorough
def test_a_machine_is_reached_through_another(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    spec = f"popen//via=gate//python={sys.executable}"
    found = hunt("--px=id=gate//popen", f"--tx={spec}", "--flakehunt-only=order", sweeps=3)
    assert found.verdicts == {"test_it": "steady"}
    assert found.report["notes"] == [f"sweeps and experiments ran: 3 on {spec}"]


@pytest.mark.thorough
def test_a_hunt_goes_on_in_a_folder_of_another_name(pytester: pytest.Pytester, hunt: Hunter, tmp_path: Path) -> None:
    pytester.makepyfile(test_one="from pathlib import Path\ndef test_it(): assert Path(__file__).parent.name == 'x'")
    shutil.copytree(pytester.path, tmp_path / "there")
    found = hunt(f"--tx=popen//chdir={tmp_path}/there", str(pytester.path), "--flakehunt-only=order", sweeps=3)
    mode = found.mode("test_it")
    assert mode["where"] == "test_one.py:2"
    assert mode["message"].startswith("assert 'there' == 'x'")
