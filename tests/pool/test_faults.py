"""What a test may do to its process, and to those around it, and what a hunt makes of it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_flakehunt.ledger.store import VERSION

Hunter = Callable[..., Any]
CALM_ONLY = "--flakehunt-only=hashseed"


@pytest.mark.isolations
@pytest.mark.parametrize(
    ("deed", "exception"),
    [
        ("os._exit(0)", "exit status 0"),
        ("os._exit(3)", "exit status 3"),
        ("os.abort()", "SIGABRT"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("faulthandler._sigsegv()", "SIGSEGV"),
        ("pytest.exit('no more')", "Exit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_a_crash_costs_one_attempt_and_the_sweep_goes_on(
    pytester: pytest.Pytester, hunt: Hunter, deed: str, exception: str
) -> None:
    pytester.makepyfile(
        f"""
        import faulthandler, os, signal, pytest
        def test_before(): pass
        def test_crashes(): {deed}
        def test_after(): pass
        """
    )
    found = hunt(CALM_ONLY, sweeps=3)
    assert found.verdicts == {"test_before": "steady", "test_crashes": "broken", "test_after": "steady"}
    mode = found.mode("test_crashes")
    assert (mode["outcome"], mode["exception"]) == ("crashed", exception)
    assert mode["failures"] == found.tests["test_crashes"]["runs"] >= 3
    assert mode["where"].endswith(".py:3")
    assert found.result.parseoutcomes() == {"passed": 2, "failed": 1}


@pytest.mark.parametrize(
    "deed",
    [
        "os.chdir(tmp_path); shutil.rmtree(tmp_path)",
        "time.monotonic = time.time = json.dumps = json.loads = os.getpid = os.umask = None",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))",
        "sys.stdout = sys.stderr = None",
        "os.environ.clear()",
        "gc.disable(); sys.setrecursionlimit(200)",
        "subprocess.Popen(['sleep', '1000'], start_new_session=True)",
        "os.fork() or time.sleep(1000)",
        "assert os.fork()",  # its child comes back as well
        "os._exit = lambda status: None",
        "os.write = lambda *_: None",
        "scribble()",
    ],
)
def test_a_sweep_survives(pytester: pytest.Pytester, hunt: Hunter, deed: str) -> None:
    pytester.makepyfile(
        f"""
        import contextlib, gc, json, os, shutil, signal, subprocess, sys, time
        def scribble():
            for number in range(3, 64):
                with contextlib.suppress(OSError): os.write(number, b"{{]\\n")
        def test_before(): pass
        def test_deed(tmp_path): {deed}
        def test_after(): pass
        """
    )
    found = hunt(CALM_ONLY, "-n1", sweeps=3)
    assert found.verdicts == {"test_before": "steady", "test_deed": "steady", "test_after": "steady"}
    assert {test["runs"] for test in found.report["tests"]} == {3}
    assert found.report["notes"] == []


def test_a_plugin_that_fails_outside_of_any_test_is_named_forked_or_not(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makeconftest("def pytest_runtest_protocol(): raise ZeroDivisionError('in a plugin')")
    pytester.makepyfile("def test_it(): pass")
    found = hunt(CALM_ONLY, "-n1", sweeps=3)  # the last of them is not forked
    assert found.verdicts == {"test_it": "broken"}
    message = "the process ended: exit status 70, of ZeroDivisionError: in a plugin"
    assert found.mode("test_it")["message"] == message


def test_a_test_that_closes_every_descriptor_is_recorded_all_the_same(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import os
        def test_before(): pass
        def test_deed(): os.closerange(3, 4096)
        """
    )
    found = hunt(CALM_ONLY, "-n1", sweeps=3)
    assert found.verdicts == {
        "test_before": "steady",
        "test_deed": "broken",
    }  # pytest's own capture is gone with them
    assert {mode["exception"] for mode in found.tests["test_deed"]["modes"]} == {"OSError"}


@pytest.mark.parametrize(
    ("deed", "innermost"),
    [
        ("time.sleep(1000)", "def wait"),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); time.sleep(1000)", ""),
        pytest.param("os.kill(os.getpid(), signal.SIGSTOP)", "def wait", marks=pytest.mark.thorough),
        pytest.param("exec('while True: pass')", "def wait", marks=pytest.mark.thorough),
    ],
)
def test_a_hang_is_ended_with_its_stacks_and_benched(
    pytester: pytest.Pytester, hunt: Hunter, deed: str, innermost: str
) -> None:
    pytester.makepyfile(
        f"""
        import os, signal, time
        def wait(): {deed}
        def test_hangs(): wait()
        def test_after(): pass
        """
    )
    found = hunt(CALM_ONLY, "-n1", "--flakehunt-timeout=0.5", sweeps=4)
    assert found.verdicts == {"test_hangs": "broken", "test_after": "steady"}
    for mode in found.tests["test_hangs"]["modes"]:
        assert mode["outcome"] == "hung"
        assert mode["message"].startswith("no end in sight after ")
    assert found.tests["test_after"]["runs"] == 4
    assert found.tests["test_hangs"]["runs"] in {
        5,
        6,
    }  # two in shared sweeps, three alone, and one in no fork
    if innermost:
        source = pytester.path.joinpath("test_a_hang_is_ended_with_its_stacks_and_benched.py").read_text().splitlines()
        lines = [int(mode["where"].rpartition(":")[2]) for mode in found.tests["test_hangs"]["modes"]]
        assert any(source[line - 1].startswith(innermost) for line in lines)


SHORTER = "from pytest_flakehunt.pool import pool\npool.LEAST_LIMIT, pool.SECOND_CHANCE = 1.0, {chance}"


@pytest.mark.thorough
def test_a_test_of_which_nothing_is_known_gets_a_second_chance_alone(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(SHORTER.format(chance=20))
    pytester.makepyfile(
        test_it="""
        import os, time
        from pathlib import Path
        def test_before(): pass
        def test_takes_long():
            with Path(__file__).with_name("began").open("a") as file: file.write(".")
            time.sleep(2)
        def test_after(): pass
        """
    )
    found = hunt("-n1", "--flakehunt-only=gc", sweeps=3)
    assert found.verdicts == {"test_before": "steady", "test_takes_long": "steady", "test_after": "steady"}
    assert [test["runs"] for test in found.tests.values()] == [3, 3, 3]
    assert pytester.path.joinpath("began").read_text() == 4 * "."  # twice in sweep 0
    assert found.report["notes"] == []
    found.result.stdout.fnmatch_lines(["test_it.py *"])
    assert "F" not in next(line for line in found.result.outlines if line.startswith("test_it.py ")).split()[1]


@pytest.mark.thorough
def test_a_test_that_hangs_gets_one_second_chance_and_is_told_how_to_get_more(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makeconftest(SHORTER.format(chance=2))
    pytester.makepyfile(
        test_it="""
        import threading
        from pathlib import Path
        def test_hangs():
            with Path(__file__).with_name("began").open("a") as file: file.write(".")
            threading.Event().wait()
        def test_after(): pass
        """
    )
    found = hunt("-n1", "--flakehunt-only=gc", sweeps=6)
    assert found.verdicts == {"test_hangs": "broken", "test_after": "steady"}
    assert found.tests["test_after"]["runs"] == 6
    runs = found.tests["test_hangs"]["runs"]
    assert pytester.path.joinpath("began").read_text() == (runs + 1) * "."
    assert found.report["notes"] == [
        "test_it.py::test_hangs is left out of further sweeps: it hangs when calm; "
        "if it only takes long, say how long with --flakehunt-timeout"
    ]


@pytest.mark.parametrize(
    ("slowest", "others", "patience", "hangs", "limit"),
    [
        (None, 0.1, 1.0, 0, 10),
        (None, 2.0, 5.0, 0, 20),
        (None, 50.0, 1.0, 0, 30),
        (None, 50.0, 1.0, 1, 10),
        (0.1, 50.0, 1.0, 0, 10),
        (3.0, 0.0, 1.0, 0, 30),
        (3.0, 0.0, 1.5, 0, 45),
        (3.0, 0.0, 10.0, 0, 60),
    ],
)
def test_limits_follow_what_is_known(
    slowest: float | None, others: float, patience: float, hangs: int, limit: float
) -> None:
    from pytest_flakehunt.pool.pool import Pool
    from pytest_flakehunt.pool.tallies import Tallies, Tally

    test = Tally("test_a.py::test_a", "test_a.py", 1)
    test.slowest, test.hangs = slowest, hangs
    pool = Pool(*(None,) * 7)  # type: ignore[arg-type]
    pool.tallies = Tallies([test])
    assert pool.limit(test, patience, others) == limit
    pool.timeout = 4.0
    assert pool.limit(test, patience, others) == 4 * min(patience, 2)


@pytest.mark.parametrize(
    ("slowest", "other", "limit"), [(0.1, 2.0, 20), (0.1, 60.0, 30), (0.1, 0.2, 10), (5.0, 4.0, 50)]
)
def test_who_comes_first_in_its_file_has_time_for_what_another_paid_for_before(
    slowest: float, other: float, limit: float
) -> None:
    """Seen in our own tests: a module's fixture takes seconds, and in another order another test sets it up."""
    from pytest_flakehunt.model import Attempt, Isolation, Outcome, Plan, Sweep
    from pytest_flakehunt.pool.pool import Pool
    from pytest_flakehunt.pool.tallies import Tallies

    tallies = Tallies.of([("a.py::test_a", "a.py", 0), ("a.py::test_b", "a.py", 1), ("b.py::test_c", "b.py", 0)])
    attempts = [("a.py::test_a", other), ("a.py::test_b", slowest), ("b.py::test_c", 0.1)]
    tallies.add(
        Sweep(0, Plan(), (), Isolation.FORK, 1, "", 0),
        [Attempt(nodeid, Outcome.PASSED, seconds) for nodeid, seconds in attempts],
    )
    pool = Pool(*(None,) * 7)  # type: ignore[arg-type]
    pool.tallies = tallies
    assert pool.limit(tallies.named("a.py::test_b"), 1.0) == limit
    assert pool.limit(tallies.named("b.py::test_c"), 1.0) == 10


@pytest.mark.thorough
def test_a_hang_in_an_interpreter_of_its_own_is_ended_too(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("import time\ndef test_hangs(): time.sleep(1000)\ndef test_after(): pass")
    found = hunt(CALM_ONLY, "--flakehunt-isolation=fresh", "--flakehunt-timeout=0.5", sweeps=2)
    assert found.verdicts == {"test_hangs": "broken", "test_after": "steady"}
    assert found.mode("test_hangs")["outcome"] == "hung"
    assert found.tests["test_after"]["runs"] == 2


@pytest.mark.isolations
def test_a_test_that_is_woken_for_its_stacks_and_ends_hung_for_as_long_as_it_did(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makepyfile(
        """
        import os, signal, time
        def test_stops(): os.kill(os.getpid(), signal.SIGSTOP)
        def test_after(): time.sleep(0.3)
        """
    )
    found = hunt(CALM_ONLY, "-n1", "--flakehunt-timeout=1.6", sweeps=1)
    assert {mode["message"] for mode in found.tests["test_stops"]["modes"]} == {"no end in sight after 2 s"}
    assert found.verdicts["test_after"] == "steady"


@pytest.mark.isolations
def test_nothing_a_child_starts_outlives_its_sweep(pytester: pytest.Pytester, hunt: Hunter) -> None:
    mark = f"987.{os.getpid()}"
    pytester.makepyfile(
        f"""
        import subprocess, sys
        DAEMON = "import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep({mark})"
        def test_leaves_daemons():
            subprocess.run([sys.executable, "-c", DAEMON])
            subprocess.Popen(["sleep", "{mark}"], start_new_session=True)
            subprocess.Popen(["sleep", "{mark}"])
        """
    )
    found = hunt(CALM_ONLY, sweeps=5)
    assert found.verdicts == {"test_leaves_daemons": "steady"}
    assert not [p for p in psutil.process_iter(["cmdline"]) if mark in " ".join(p.info["cmdline"] or [])]


HOLDING = "import os, time\nif 'PYTEST_XDIST_WORKER' in os.environ and not os.fork(): time.sleep(1000)"


@pytest.mark.parametrize("conftest", ["", pytest.param(HOLDING, id="and what it has forked holds its pipes open")])
def test_a_zygote_that_is_killed_is_replaced_and_nothing_is_blamed(
    pytester: pytest.Pytester, hunt: Hunter, conftest: str
) -> None:
    pytester.makeconftest(conftest)
    pytester.makepyfile(
        """
        import os, pathlib, signal
        def test_shoots_the_zygote_once():
            mark = pathlib.Path(__file__).with_name("shot")
            if not mark.exists():
                mark.touch()
                os.kill(os.getppid(), signal.SIGKILL)
        def test_after(): pass
        """
    )
    found = hunt(CALM_ONLY, "-n1", "--flakehunt-isolation=fork", sweeps=4)
    assert found.verdicts == {"test_shoots_the_zygote_once": "steady", "test_after": "steady"}
    assert {test["runs"] for test in found.report["tests"]} == {4}


OBEDIENT = """
import os, sys, time
from pytest_flakehunt.zygote import fork
pid = os.fork()
if not pid:
    fork.die_with_parent()
    print(os.getpid(), flush=True)
time.sleep(60)
"""


def test_what_serves_a_controller_can_die_with_it_whatever_it_does() -> None:
    with subprocess.Popen([sys.executable, "-c", OBEDIENT], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        process.kill()
    assert psutil.wait_procs([child], timeout=20)[1] == []


@pytest.mark.thorough
def test_a_ledger_that_can_be_written_no_more_ends_the_hunt_with_what_was_seen(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makepyfile("def test_it(): assert 0")
    pytester.makeconftest(
        """
        import os, resource
        def pytest_collection_finish():
            if "PYTEST_XDIST_WORKER" not in os.environ:
                most = os.path.getsize(".flakehunt/ledger.sqlite-wal") + 120_000
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, -1))
        """
    )
    found = hunt(CALM_ONLY, "-n1", sweeps=400)
    assert found.result.ret == pytest.ExitCode.INTERNAL_ERROR
    found.result.stdout.fnmatch_lines(
        [
            "*ended early: this is what was seen until then",
            "!* flakehunt: *ledger.sqlite cannot be written: *; make room, or *",
        ]
    )
    assert found.verdicts == {"test_it": "broken"}
    assert attempts_in(Path(".flakehunt", "ledger.sqlite")) == found.tests["test_it"]["runs"] > 0


@pytest.mark.thorough
def test_a_test_that_kills_its_zygote_again_and_again_is_blamed_and_left_out(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makepyfile(
        test_it="""
        import os, signal, time
        def test_before(): pass
        def test_shoots(): os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)
        def test_after(): pass
        """
    )
    found = hunt(CALM_ONLY, "-n1", "--flakehunt-isolation=fork", sweeps=3)
    assert found.verdicts == {"test_before": "steady", "test_shoots": "broken", "test_after": "steady"}
    assert [test["runs"] for test in found.tests.values()] == [3, 4, 3]
    mode = found.mode("test_shoots")
    assert (mode["outcome"], mode["exception"], mode["message"]) == (
        "crashed",
        "SIGKILL",
        "the interpreter that its process was forked from ended (SIGKILL) 2 times while it ran",
    )
    assert found.report["notes"] == [
        "test_it.py::test_shoots is left out of further sweeps: it ends its parent process, which in an ordinary run "
        "is whatever has started pytest"
    ]


@pytest.fixture
def interrupts_count() -> Iterator[None]:
    """Have processes that are started heed SIGINT, even where our own, in the background, were told not to."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts_count")
@pytest.mark.parametrize("number", ["SIGKILL", pytest.param("SIGINT", marks=pytest.mark.thorough)])
def test_a_test_in_an_interpreter_of_its_own_that_ends_its_parent_does_not_end_the_hunt(
    pytester: pytest.Pytester, hunt: Hunter, number: str
) -> None:
    pytester.makepyfile(
        test_it=f"""
        import os, signal, time
        def test_before(): pass
        def test_shoots(): os.kill(os.getppid(), signal.{number}); time.sleep(60)
        def test_after(): pass
        """
    )
    found = hunt(CALM_ONLY, "-n1", "--flakehunt-isolation=fresh", sweeps=3)
    assert found.verdicts == {"test_before": "steady", "test_shoots": "broken", "test_after": "steady"}
    mode = found.mode("test_shoots")
    assert (mode["outcome"], mode["exception"], mode["message"]) == (
        "crashed",
        "SIGKILL",
        "the parent of its interpreter was ended 2 times while it ran",
    )
    assert "it ends its parent process, which in an ordinary run is whatever has started pytest" in str(
        found.report["notes"]
    )


def test_where_a_hunt_is_killed_nothing_is_left_of_a_sweep_that_is_not_forked(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        import os, pathlib, subprocess, sys, time
        def test_leaves_processes():
            if not os.fork(): time.sleep(1000)
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
            pathlib.Path(__file__).with_name("began").touch()
            time.sleep(1000)
        """
    )
    monkeypatch.setenv("OF_THIS_TEST", str(pytester.path))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    words = ("-m", "pytest", "-ppytest_flakehunt.plugin", "--flakehunt=3", "--flakehunt-isolation=fresh", CALM_ONLY)
    hunt = subprocess.Popen([sys.executable, *words], cwd=pytester.path, stdout=subprocess.DEVNULL)
    within(60, (pytester.path / "began").exists)
    assert len(marked(pytester.path)) >= 4
    hunt.kill()
    hunt.wait()
    within(20, lambda: not marked(pytester.path))


def within(seconds: float, comes_about: Callable[[], bool]) -> None:
    """Wait until something comes about."""
    ends = time.monotonic() + seconds
    while not comes_about():
        assert time.monotonic() < ends
        time.sleep(0.05)


def marked(path: Path) -> list[psutil.Process]:
    """Give the processes that a test has started, directly or not."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("OF_THIS_TEST") == str(path) and process.pid != os.getpid():
                found.append(process)
    return found


@pytest.mark.parametrize("only", ["hashseed", "gc"])
def test_what_importing_the_suite_starts_lives_on_and_ends_of_children_are_its_own_affair(
    pytester: pytest.Pytester, hunt: Hunter, only: str
) -> None:
    handler = {"hashseed": "signal.SIG_DFL", "gc": "signal.SIG_IGN"}[only]  # the latter is tried in a fork first
    pytester.makeconftest(
        f"""
        import signal, subprocess
        signal.signal(signal.SIGCHLD, {handler})
        SERVER = subprocess.Popen(["sleep", "1000"])
        def pytest_unconfigure(): SERVER.kill()
        """
    )
    pytester.makepyfile(
        f"""
        import conftest, os, signal
        def test_there(): os.kill(conftest.SERVER.pid, 0)
        def test_kept(): assert signal.getsignal(signal.SIGCHLD) is {handler}
        """
    )
    found = hunt(f"--flakehunt-only={only}", "-n1", sweeps=4)
    assert found.verdicts == {"test_there": "steady", "test_kept": "steady"}
    assert [test["runs"] for test in found.tests.values()] == [4, 4]
    assert found.report["notes"] == []


@pytest.mark.thorough
def test_a_controller_that_is_killed_takes_everything_with_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile("import time\ndef test_quick(): pass\ndef test_slow(): time.sleep(0.3)")
    process = subprocess.Popen([sys.executable, "-m", "pytest", "--flakehunt=1000"], stdout=subprocess.DEVNULL)
    ledger = Path(".flakehunt", "ledger.sqlite")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not attempts_in(ledger):
        time.sleep(0.1)
    family = psutil.Process(process.pid).children(recursive=True)
    assert family
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    assert attempts_in(ledger) % 2 == 0  # a sweep is kept whole or not at all


def attempts_in(ledger: Path) -> int:
    if not ledger.exists():
        return 0
    db = sqlite3.connect(ledger)
    try:
        return int(db.execute("SELECT count(*) FROM attempts").fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        db.close()


@pytest.mark.thorough
@pytest.mark.parametrize("stream", [1, 2])
def test_printing_without_end_is_a_crash_and_fills_no_disk(
    pytester: pytest.Pytester, hunt: Hunter, stream: int
) -> None:
    pytester.makepyfile(
        f"""
        import os
        def test_prints():
            while True: os.write({stream}, b"x" * 1_000_000)
        """
    )
    found = hunt(CALM_ONLY, "-n1", "--flakehunt-timeout=30", sweeps=1)
    mode = found.mode("test_prints")
    assert (mode["outcome"], mode["exception"]) == ("crashed", "SIGKILL")
    assert mode["message"] == "the process was ended (SIGKILL) when it had printed more than 256 MB"


FILLED = """
import os, time
from pathlib import Path
WORKER = os.environ.get("PYTEST_XDIST_WORKER")
def seen(name):
    until = time.monotonic() + 30
    while not Path(name).exists() and time.monotonic() < until: time.sleep(0.02)
def test_fills(tmp_path):
    if WORKER != "gw0" or Path("full").exists(): return
    seen("ready")
    with (tmp_path / "much").open("wb", buffering=0) as file:
        try:
            while True: file.write(bytes(4096))
        except OSError: Path("full").touch()
        seen("failed")
        time.sleep(1.5)
        file.truncate(0)
def test_writes(tmp_path):
    if WORKER == "gw1" and not Path("failed").exists():
        Path("ready").touch()
        seen("full")
        try: (tmp_path / "some").write_bytes(bytes(100_000))
        finally: Path("failed").touch()
"""


def test_what_fills_the_disk_beside_a_sweep_ends_no_hunt(pytester: pytest.Pytester) -> None:
    words = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=8m tmpfs "$TMPDIR" && exec "$@"', "sh"]
    environ = {**os.environ, "TMPDIR": str(pytester.mkdir("small")), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if (
        sys.platform != "linux"
        or subprocess.run([*words, "true"], env=environ, capture_output=True, check=False).returncode
    ):
        pytest.skip("nothing can be mounted for one process here")
    pytester.makepyfile(test_it=FILLED)
    plugins = ("-pxdist.plugin", "-ppytest_flakehunt.plugin", "-pno:cacheprovider")
    hunts = [
        sys.executable,
        "-m",
        "pytest",
        *plugins,
        "-n2",
        "--flakehunt=6",
        CALM_ONLY,
        "--flakehunt-diagnose=0",
        "--flakehunt-timeout=60",
    ]
    ended = subprocess.run([*words, *hunts], env=environ, capture_output=True, text=True, timeout=200, check=False)
    assert (pytester.path / "failed").exists(), ended.stdout[-2000:] + ended.stderr[-500:]
    assert ended.returncode in {0, 1}, ended.stdout[-2000:]
    assert "6 sweeps of 2 tests" in ended.stdout


def test_a_test_that_keeps_everybody_from_writing_is_told_so(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import resource
        def test_before(): pass
        def test_writes_no_more(): resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        def test_after(): pass
        """
    )
    found = hunt(CALM_ONLY, "-n1", sweeps=3)
    assert found.verdicts == {"test_before": "steady", "test_writes_no_more": "broken", "test_after": "steady"}
    mode = found.mode("test_writes_no_more")
    assert mode["message"] == "the process ended: exit status 74: no file could be written any more"


@pytest.mark.parametrize("after", [60, 0], ids=["it goes on", "it ends before anybody looks"])
def test_a_scratch_folder_that_is_deleted_is_made_again_and_nobody_is_blamed(
    pytester: pytest.Pytester, hunt: Hunter, after: float
) -> None:
    pytester.makepyfile(
        f"""
        import pathlib, shutil, time
        def test_before(tmp_path): pass
        def test_cleans_up_once(tmp_path):
            runs = pathlib.Path(__file__).with_name("runs")
            with runs.open("a") as file: file.write(".")
            if runs.read_text() == "..":
                time.sleep(0.5)
                shutil.rmtree(next(path for path in tmp_path.parents if path.name.startswith("flakehunt-of-")))
                time.sleep({after})
        """
    )
    found = hunt(CALM_ONLY, "-n1", sweeps=4)
    assert found.verdicts == {"test_before": "steady", "test_cleans_up_once": "steady"}
    assert {test["runs"] for test in found.report["tests"]} == {4}
    (note,) = found.report["notes"]
    assert note.endswith(", where only the hunt looks, was deleted while it ran; what ran then is run again")


def test_threads_started_at_import_mean_fresh_interpreters(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import threading, time
        threading.Thread(target=time.sleep, args=(1000,), daemon=True, name="ticker").start()
        def test_it(): assert threading.active_count() == 2
        """
    )
    found = hunt(CALM_ONLY, sweeps=3)
    assert found.verdicts == {"test_it": "steady"}
    assert found.report["notes"] == ["every sweep has a fresh interpreter: importing the suite starts threads: ticker"]


@pytest.mark.forks
@pytest.mark.thorough
def test_what_fails_only_because_it_was_forked_is_not_blamed(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import os
        AT_IMPORT = os.getpid()
        def test_same_process(): assert os.getpid() == AT_IMPORT
        def test_after(): pass
        """
    )
    found = hunt("-n1", sweeps=20)
    assert found.verdicts == {"test_same_process": "steady", "test_after": "steady"}
    assert found.tests["test_same_process"]["notes"] == ["it failed in forked processes only, and passes in fresh ones"]


@pytest.mark.forks
@pytest.mark.thorough
def test_what_an_import_made_and_the_first_sweep_used_up_is_missed_by_forks_alone(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    """Seen in watchdog's tests: a temporary folder made as the module is imported, and deleted by its first sweep."""
    pytester.makepyfile(
        """
        import os, random, shutil, tempfile
        MADE = tempfile.mkdtemp()
        def teardown_module(): shutil.rmtree(MADE)
        def test_needs_it(): assert os.listdir(MADE) == []
        def test_is_flaky(): assert random.SystemRandom().random() < 0.5
        """
    )
    found = hunt("-n1", sweeps=30)
    assert found.verdicts == {"test_needs_it": "steady", "test_is_flaky": "flaky"}
    assert found.tests["test_needs_it"]["notes"] == ["it failed in forked processes only, and passes in fresh ones"]
    assert found.tests["test_needs_it"]["runs"] >= 20


def test_node_ids_of_any_kind(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import pytest
        IDS = ["a b", "x::y", "[z]", "it's", 'say "hi"', "new\\nline", "ü", "\\u2028", "x" * 4000, "$(rm) `ls` ; &"]
        @pytest.mark.parametrize("value", IDS, ids=IDS)
        def test_it(value): assert value != "it's"
        """
    )
    found = hunt(sweeps=6)
    assert len(found.tests) == 10
    assert [t["verdict"] for t in found.report["tests"]].count("broken") == 1
    assert [t["verdict"] for t in found.report["tests"]].count("steady") == 9


def test_most_tests_failing_at_once_is_an_outage(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import os, pytest
        @pytest.mark.parametrize("n", range(12))
        def test_needs_more_than_one_core(n): assert len(os.sched_getaffinity(0)) > 1
        """
    )
    found = hunt("--flakehunt-only=cores", sweeps=4)
    assert set(found.verdicts.values()) == {"steady"}
    assert len(found.report["outages"]) == 3
    assert found.report["outages"][0]["plan"] == "cores=1"
    assert found.result.ret == 0


def test_what_comes_back_with_an_order_is_no_outage(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import pytest
        STATE = []
        @pytest.mark.parametrize("n", range(12))
        def test_victim(n): assert not STATE
        def test_pollutes(): STATE.append(1)
        """
    )
    found = hunt("--flakehunt-only=order", sweeps=2)
    assert [outage["plan"].split()[-1] for outage in found.report["outages"]] == ["order=reversed"]
    assert [verdict for verdict in found.verdicts.values() if verdict != "steady"] == ["fragile"] * 12
    assert found.verdicts["test_pollutes"] == "steady"


def test_a_damaged_ledger_is_refused_and_left_as_it_is(pytester: pytest.Pytester, hunt: Hunter) -> None:
    damage = "not a database, and long enough to be read as one " * 50
    pytester.makepyfile("def test_it(): pass")
    Path("ledger.sqlite").write_text(damage)
    found = hunt("--flakehunt-ledger=ledger.sqlite")
    assert found.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "move it away, or give another path with --flakehunt-ledger" in found.result.stderr.str()
    assert Path("ledger.sqlite").read_text() == damage


def test_a_ledger_of_something_else_is_refused(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    with sqlite3.connect("other.sqlite") as db:
        db.execute("CREATE TABLE precious (value)")
    db.close()
    found = hunt("--flakehunt-ledger=other.sqlite")
    assert "other.sqlite is an SQLite file of something else; give another path" in found.result.stderr.str()


@pytest.mark.thorough
def test_a_ledger_from_the_future_is_refused(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    hunt(sweeps=1)
    with sqlite3.connect(".flakehunt/ledger.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    found = hunt(sweeps=1)
    assert found.result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        f"was written by a newer pytest-flakehunt (format 99, this one reads up to {VERSION})"
        in found.result.stderr.str()
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_ledger_that_cannot_be_written_is_refused(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    Path("locked").mkdir(mode=0o500)
    found = hunt("--flakehunt-ledger=locked/ledger.sqlite")
    assert "make it writable, or give another path with --flakehunt-ledger" in found.result.stderr.str()
