"""The tests that suites of the soak are made of, and the witness that they carry."""

from collections.abc import Callable

WITNESS = '''\
"""Says apart from everything that a hunt keeps which tests have ended, and in which process."""
import json, os, time
from pathlib import Path
import pytest

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
HELD = (os.open, os.write, os.close, os.getpid, os.getppid, time.monotonic)  # out of reach of what replaces functions of modules
STARTED = dict(pair.split("=", 1) for pair in Path("/proc/self/environ").read_text("utf-8", "replace").split("\\0") if "=" in pair)
BORN = (STARTED["SOAK_WITNESS"], WORKER, STARTED.get("PYTHONHASHSEED", ""))  # not all of it is in os.environ
SEEN = {"process": 0, "file": "", "failed": set()}

def pytest_configure(config): SEEN["config"] = config

def interpreter():
    """Give the number of the interpreter, which the folder for temporary files lies under: it tells apart what ran at the same time."""
    place = getattr(getattr(SEEN["config"], "_tmp_path_factory", None), "_given_basetemp", None)
    return -1 if place is None or not place.parent.name.isdigit() else int(place.parent.name)

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    if report.failed: SEEN["failed"].add(report.nodeid)

@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish(nodeid, location):
    if not WORKER: return
    open_, write, close, pid, parent, now = HELD
    if SEEN["process"] != pid():
        SEEN.update(process=pid(), file=f"{BORN[0]}/{pid()}-{now():.6f}")
    failed = nodeid in SEEN["failed"]
    SEEN["failed"].discard(nodeid)
    line = json.dumps([nodeid, failed, now(), pid(), interpreter(), BORN[1], BORN[2]]) + "\\n"
    try:
        file = open_(SEEN["file"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return  # a test has taken what it takes: the process says no more
    write(file, line.encode())
    close(file)

def once(name, times=1):
    """Tell whether so many tests have asked for it before, this one left out; no command that is run again counts."""
    if not WORKER: return False
    for number in range(1, times + 1):
        try: Path(os.environ["SOAK_DEEDS"], f"{name}-{number}").mkdir()
        except FileExistsError: continue
        return number == times
    return False

def controller():
    """Give the process that was started by hand: the one whose parent is not of this hunt."""
    pid = os.getpid()
    while True:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if b"SOAK_WITNESS=" not in Path(f"/proc/{parent}/environ").read_bytes(): return pid
        pid = parent
'''
SIMPLE = {
    "sound": 'def test_sound_N(tmp_path):\n    (tmp_path / "file").write_text("x" * 1000)\n    time.sleep(LENGTH)\n',
    "order": "STATE_N = []\ndef test_victim_N(): assert not STATE_N\ndef test_pollutes_N(): STATE_N.append(1)\n",
    "hashseed": 'def test_hashes_N(): assert next(iter({"a", "b", "c"})) != "a"\n',
    "random": "def test_random_N(): assert random.random() < 0.8\n",
    "twice": "DONE_N = []\ndef test_twice_N():\n    DONE_N.append(1)\n    assert len(DONE_N) < 2\n",
    "skips": '@pytest.mark.skipif(os.getpid() % 2, reason="odd")\ndef test_skips_N(): pass\n@pytest.mark.xfail\ndef test_xfails_N(): assert 0\n',
    "fixture": '@pytest.fixture(scope="module")\ndef module_N(tmp_path_factory):\n    yield tmp_path_factory.mktemp("m")\n    time.sleep(0.02)\n@pytest.mark.parametrize("value", ["a b", "[z]", "ü"])\ndef test_fixture_N(module_N, value): assert module_N.exists()\n',
}
DEEDS = {
    "exits": "os._exit(3)",
    "exits now and then": "if os.getpid() % 3 == 0: os._exit(0)",
    "segfault": "os.kill(os.getpid(), signal.SIGSEGV)",
    "sys.exit": "sys.exit(3)",
    "hangs now and then": "if os.getpid() % 8 == 0: time.sleep(1000)",
    "stops itself once": 'if once("stops", 3): os.kill(os.getpid(), signal.SIGSTOP)',
    "forks": "pid = os.fork()\n    if not pid: os._exit(0)\n    os.waitpid(pid, 0)",
    "leaves a process": "if not os.fork():\n        time.sleep(1000)\n        os._exit(0)",
    "kills its parent": 'if once("parent", 4): os.kill(os.getppid(), signal.SIGKILL); time.sleep(5)',
    "kills the controller": 'if once("controller", 5): os.kill(controller(), signal.SIGKILL); time.sleep(5)',
    "interrupts the controller": 'if once("controller", 5): os.kill(controller(), signal.SIGTERM); time.sleep(5)',
    "kills its group": 'if once("group", 3): os.killpg(0, signal.SIGKILL)',
    "closes descriptors": "os.closerange(3, 256)",
    "closes all descriptors": "os.closerange(0, 256)",
    "leaves a thread": "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()",
    "leaves a thread that holds": "threading.Thread(target=time.sleep, args=(1000,)).start()",
    "prints": 'print("x" * 300_000); sys.stderr.write("y" * 100_000)',
    "deletes its folder": "os.chdir(tmp_path); tmp_path.rmdir()",
    "blocks signals": "signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))",
    "replaces functions": "monkey = lambda *a, **k: None\n    os.write = os.open = os.fstat = time.monotonic = time.time = monkey",
    "changes the environment": "os.environ.clear()",
}
"""What tests do, by the name that the table has."""


def test_of(kind: str) -> Callable[[int], str]:
    """Give what makes the source of a test, from its number."""
    deed = DEEDS.get(kind)
    source = SIMPLE[kind] if deed is None else f"def test_deed_N(tmp_path):\n    {deed}\n"
    return lambda number: source.replace("_N", f"_{number}")
