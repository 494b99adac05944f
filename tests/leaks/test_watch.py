"""The leak watch on ordinary runs, and what hunts make of it."""

import asyncio
import json
import os
import sqlite3
import weakref
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import pytest

LEAKING = """
    import os
    import threading

    import pytest

    def nap(until):
        until.wait(60)

    @pytest.fixture(scope="module")
    def server():
        threading.Thread(target=nap, args=(threading.Event(),), daemon=True, name="server").start()

    def test_thread():
        threading.Thread(target=nap, args=(threading.Event(),), daemon=True).start()

    def test_variable():
        os.environ["LEFT"] = "1"

    def test_fixture(server):
        pass

    def test_sound(monkeypatch):
        monkeypatch.setenv("LEFT", "2")
"""


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_ADDOPTS", "CI", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def watched(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-pxdist.plugin", "-ppytest_flakehunt.plugin", "--flakehunt-leaks", *args)


WANTED = [
    "*LEAK thread Thread-# (nap)",
    "  left by the test test_a.py::test_thread",
    "  from test_a.py:14 in test_thread",
    "  now at *threading.py:* in wait",
    "*LEAK environ os.environ[[]'LEFT'[]]",
    "  left by the test test_a.py::test_variable",
    "  from test_a.py:17 in test_variable",
    "*LEAK thread server (nap)",
    "  left by the fixture server (test_a.py:9), as in test_a.py::test_fixture",
    "  from test_a.py:11 in server",
]


def test_an_ordinary_run_names_owners_and_lines(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_a=LEAKING)
    result = watched(pytester)
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(WANTED)
    assert result.ret == 0
    assert result.stdout.str().count("LEAK") == 3


def test_workers_of_xdist_tell_their_controller(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_a=LEAKING)
    result = watched(pytester, "-n2", "--dist=loadfile")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(WANTED)
    assert result.stdout.str().count("LEAK") == 3


def test_leaks_can_fail_an_ordinary_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_a=LEAKING)
    assert watched(pytester, "--flakehunt-fail-on=leaks").ret == 1


def test_a_clean_run_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_clean(): pass")
    result = watched(pytester, "--flakehunt-fail-on=leaks")
    result.stdout.fnmatch_lines(["no test left anything behind"])
    assert result.ret == 0


def test_the_ini_file_can_ask_for_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_a=LEAKING)
    pytester.makeini("[pytest]\nflakehunt_leaks = on\nflakehunt_forgive =\n    thread:server*\n    environ:*\n")
    result = pytester.runpytest_subprocess("-pxdist.plugin", "-ppytest_flakehunt.plugin")
    assert result.stdout.str().count("LEAK") == 1


def test_other_plugins_can_forgive(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_a=LEAKING)
    pytester.makeconftest("def pytest_flakehunt_forgiven(config): return ['thread:test_a.nap']")
    result = watched(pytester)
    assert result.stdout.str().count("LEAK") == 1


class Judged:
    """A judge on a clock that tests turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from pytest_flakehunt.leaks import processes
        from pytest_flakehunt.leaks.judging import Judge
        from pytest_flakehunt.leaks.leftovers import Leftover
        from pytest_flakehunt.leaks.owners import Owner

        monkeypatch.setattr(processes, "alone", lambda: False)
        self.now = 100.0
        self.slept: list[float] = []
        self.told: list[str] = []
        self.fixtures: dict[int, Owner] = {}
        self.changed: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        self.judge = Judge(
            0.1,
            lambda leftover: self.told.append(leftover.what),
            self.fixtures,
            self.changed.__getitem__,
            clock=lambda: self.now,
            sleep=self._sleep,
        )
        self.owner, self._leftover = Owner("test_a.py::test_a"), Leftover

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def left(self, what: str, alive: Callable[[], bool] = lambda: True, kind: str = "thread") -> Any:
        from pytest_flakehunt.model import LeakKind

        return self._leftover(LeakKind(kind), self.owner, None, what, alive)

    def look_at(self, now: float) -> list[str]:
        self.now = now
        self.judge.look()
        return self.told


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Judged:
    return Judged(monkeypatch)


def test_what_stays_is_told_when_its_grace_has_passed(judged: Judged) -> None:
    judged.judge.hear([judged.left("stays"), judged.left("goes", lambda: judged.now < 100.05)])
    assert judged.look_at(100.04) == []
    assert judged.look_at(100.09) == []
    assert [owner.nodeid for owner in judged.judge.awaited] == ["test_a.py::test_a"]
    assert judged.look_at(100.11) == ["stays"]
    assert (list(judged.judge.awaited), judged.slept) == ([], [])


def test_what_nothing_ends_is_told_at_once(judged: Judged) -> None:
    judged.judge.hear([judged.left("loop", kind="loop"), judged.left("thread")])
    assert judged.told == ["loop"]


def test_what_is_seen_gone_is_not_taken_for_the_next_of_its_number(judged: Judged) -> None:
    there = iter([True, False, True, True])
    judged.judge.hear([judged.left("file", lambda: next(there), kind="file"), judged.left("thread")])
    from pytest_flakehunt.model import LeakKind

    judged.judge.about_to_begin(LeakKind.FILE)
    assert judged.look_at(101) == ["thread"]


def test_a_fixtures_tear_down_gives_a_grace_of_its_own(judged: Judged) -> None:
    from pytest_flakehunt.leaks.owners import Owner

    judged.fixtures[1] = fixture = Owner("test_a.py::test_a")
    left = judged.left("thread")
    left.holders = frozenset({fixture})
    judged.judge.hear([left])
    assert judged.look_at(105) == []
    judged.fixtures.clear()
    assert judged.look_at(106) == []
    assert judged.look_at(106.11) == ["thread"]


def test_changes_that_wait_for_a_fixture_are_not_looked_at_until_it_ends(judged: Judged) -> None:
    from pytest_flakehunt.leaks.owners import Owner

    judged.fixtures[1] = fixture = Owner("test_a.py::test_a")
    looks: list[str] = []

    def alive(what: str) -> bool:
        looks.append(what)
        return True

    names = [f"signal {number}" for number in range(200)]
    judged.changed["signal"] = frozenset(names)
    for what in names:
        left = judged.left(what, partial(alive, what), "signal")
        left.holders = frozenset({fixture})
        judged.judge.hear([left])
    assert len([*judged.judge.awaited]) == 1  # of all their owners, each once
    judged.look_at(101)
    judged.changed["signal"] -= {"signal 7"}  # somebody has put it back
    judged.look_at(102)
    judged.changed["signal"] |= {"signal 7"}
    assert (judged.look_at(103), len(looks)) == ([], 200)
    judged.fixtures.clear()
    assert judged.look_at(104) == [what for what in names if what != "signal 7"]
    assert len(looks) == 399


def test_the_end_of_a_process_waits_once_and_no_longer_than_needed(judged: Judged) -> None:
    judged.judge.hear([judged.left("goes", lambda: judged.now < 100.01)])
    judged.judge.last(wait=True)
    assert (judged.told, judged.now < 100.03) == ([], True)
    assert judged.slept[1] == 2 * judged.slept[0]
    judged.judge.hear([judged.left("stays")])
    began = judged.now
    judged.judge.last(wait=True)
    assert judged.told == ["stays"]
    assert judged.now - began == pytest.approx(0.1)


def test_where_the_end_does_not_wait_what_is_under_way_stays_unknown(judged: Judged) -> None:
    judged.judge.hear([judged.left("stays")])
    judged.judge.last(wait=False)
    assert (judged.told, judged.slept) == ([], [])
    assert [owner.nodeid for owner in judged.judge.awaited] == ["test_a.py::test_a"]


def test_nothing_is_waited_for_but_at_the_end_and_only_where_something_is_at_work(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from pytest_flakehunt.leaks.judging import Judge
        defaults = Judge.__init__.__kwdefaults__
        before = defaults["sleep"]
        defaults["sleep"] = lambda seconds: (print("paused", flush=True), before(seconds))
        """
    )
    pytester.makepyfile(
        """
        import os, subprocess, threading
        def test_alone(): os.pipe()
        def test_child():
            global child
            child = subprocess.Popen(["sleep", "60"])
            os.pipe()
        def test_no_child():
            child.kill()
            child.wait()
            os.pipe()
        def test_thread():
            threading.Thread(target=threading.Event().wait, args=(60,), daemon=True).start()
        def test_last(): pass
        """
    )
    result = watched(pytester, "-s", "-v", "--flakehunt-grace=1")
    kinds = [line.split()[1] for line in result.outlines if line.startswith("LEAK")]
    assert sorted(kinds) == ["file"] * 3 + ["thread"]
    before, _, after = result.stdout.str().partition("::test_last PASSED")
    assert "paused" not in before
    assert 1 < after.count("paused") < 30
    result = watched(pytester, "-s", "-v", "-k", "not test_thread")
    assert "paused" not in result.stdout.str()


def test_nothing_lives_longer_because_it_was_noted(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import _thread, gc, socket, threading, weakref
        kept, refs = [], []
        class Works:
            def __init__(self, over): self.over = over
            def __call__(self): self.over.wait(60)
            def work(self): self.over.wait(60)
        def test_one():
            over = threading.Event()
            threading.Thread(target=threading.Event().wait, args=(60,), daemon=True).start()
            works = Works(over)
            _thread.start_new_thread(works.work, ())
            thread = threading.Thread(target=Works(over))
            thread.start()
            kept.extend([over, works, thread, socket.socket()])
            refs.extend(map(weakref.ref, kept[1:]))
        def test_two():
            kept[0].set()
            kept[2].join()
            kept[-1].close()
            kept.clear()
            for _ in range(1000):
                if not any(ref() for ref in refs): break
                threading.Event().wait(0.01)
            assert [ref() for ref in refs] == [None] * 3
        """
    )
    result = watched(pytester, "--flakehunt-grace=3")
    result.assert_outcomes(passed=2)
    assert [line for line in result.outlines if line.startswith("LEAK")] == ["LEAK thread Thread-# (wait)"]


def test_the_next_thread_may_get_an_ended_ones_number(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import _thread, threading, time
        import pytest
        overs = []
        def work(over): over.wait(60)
        @pytest.mark.parametrize("number", range(20))
        def test_brief(number):
            for over in overs: over.set()
            time.sleep(0.002)
            overs.append(threading.Event())
            _thread.start_new_thread(work, (overs[-1],))
        def test_last():
            overs[-1].set()
            time.sleep(0.002)
        """
    )
    assert "LEAK" not in watched(pytester).stdout.str()


@pytest.mark.thorough
def test_a_leak_that_happens_now_and_then_has_a_rate_and_suspects(hunt: Callable[..., Any], pytester: Any) -> None:
    pytester.makepyfile(
        """
        import os
        import time

        def test_far_east():
            if time.timezone < -4 * 3600:
                os.environ["FAR"] = "1"
        """
    )
    hunted = hunt("--flakehunt-only=timezone,order", sweeps=40)
    (leak,) = hunted.tests["test_far_east"]["leaks"]
    assert 0 < leak["leaked"] < leak["runs"] == 40
    assert leak["rate"]["low"] < leak["leaked"] / 40 < leak["rate"]["high"]
    assert leak["suspects"][0]["perturbation"] == "timezone"
    assert hunted.verdicts == {"test_far_east": "steady"}
    assert hunted.result.ret == 0


@pytest.mark.thorough
def test_leaks_can_fail_a_hunt(hunt: Callable[..., Any], pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import os\ndef test_one(): os.environ['LEFT'] = '1'")
    assert hunt("--flakehunt-fail-on=flaky,leaks", sweeps=1).result.ret == 1
    assert hunt("--flakehunt-fail-on=flaky", sweeps=1).result.ret == 0


@pytest.mark.thorough
def test_a_hunt_need_not_watch(hunt: Callable[..., Any], pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import os\ndef test_one(): os.environ['LEFT'] = '1'")
    hunted = hunt("-oflakehunt_leaks=off", sweeps=1)
    assert hunted.tests["test_one"]["leaks"] == []


@pytest.mark.thorough
@pytest.mark.parametrize("hunts", [False, True])
def test_a_thread_that_raises_in_another_test_is_tied_to_it(
    hunt: Callable[..., Any], pytester: pytest.Pytester, *, hunts: bool
) -> None:
    pytester.makepyfile(
        test_a="""
        import threading

        go, gone = threading.Event(), threading.Event()

        def work():
            go.wait(60)
            try:
                raise ValueError("too late")
            finally:
                gone.set()

        def test_leaves_a_worker():
            threading.Thread(target=work, name="worker", daemon=True).start()

        def test_meets_its_end():
            go.set()
            gone.wait(60)
            for thread in threading.enumerate():
                if thread.name == "worker":
                    thread.join()
        """
    )
    if hunts:
        hunted = hunt("--flakehunt-only=gc", sweeps=2)
        (leak,) = hunted.tests["test_leaves_a_worker"]["leaks"]
        assert leak["victims"] == ["test_a.py::test_meets_its_end"]
    result = watched(pytester)
    result.stdout.fnmatch_lines(["*LEAK thread worker (work)", "  hurts test_a.py::test_meets_its_end"])


@pytest.mark.thorough
def test_a_change_that_makes_another_test_fail_is_tied_to_it(
    hunt: Callable[..., Any], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_a="""
        import os

        def test_victim():
            assert "MODE" not in os.environ

        def test_polluter():
            os.environ["MODE"] = "fast"
        """
    )
    hunted = hunt("--flakehunt-only=order", sweeps=8, diagnose=400)
    (leak,) = hunted.tests["test_polluter"]["leaks"]
    assert (leak["kind"], leak["what"]) == ("environ", "os.environ['MODE']")
    assert leak["victims"] == ["test_a.py::test_victim"]


@pytest.mark.thorough
def test_leaks_of_an_older_ledger_are_added(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    pytester.makepyfile("import os\ndef test_one(): os.environ['LEFT'] = '1'")
    hunt(sweeps=1)
    path = pytester.path / ".flakehunt" / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "DROP TABLE leaked; DROP TABLE leaks; DROP TABLE hurt; ALTER TABLE evidence DROP COLUMN kind;"
            "ALTER TABLE evidence DROP COLUMN statement; PRAGMA user_version = 2;"
        )
    hunted = hunt(sweeps=1)
    assert [leak["kind"] for leak in hunted.tests["test_one"]["leaks"]] == ["environ"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--flakehunt-grace=soon"], "--flakehunt-grace=soon: give seconds, 0 or more"),
        (["-oflakehunt_leaks=maybe"], "flakehunt_leaks=maybe: give on or off, or leave it out to watch hunts alone"),
        (
            ["--flakehunt-forgive=mine"],
            "--flakehunt-forgive=mine: give KIND:NAME, such as thread:myclient.*; a kind is one of thread, task, "
            "coroutine, exception, generator, executor, process, file, loop, environ, cwd, umask, signal, path, "
            "warnings, logging, locale, modules, patch, temp, seed, or *",
        ),
    ],
)
def test_refusals(pytester: pytest.Pytester, args: list[str], message: str) -> None:
    result = pytester.runpytest_subprocess("-pxdist.plugin", "-ppytest_flakehunt.plugin", "--flakehunt=1", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == f"ERROR: {message}"


def test_the_grace_goes_with_a_hunt_or_with_leaks(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("-pxdist.plugin", "-ppytest_flakehunt.plugin", "--flakehunt-grace=1")
    wanted = "ERROR: --flakehunt-grace goes with a hunt; add --flakehunt=N or --flakehunt-leaks, or leave it out"
    assert result.stderr.str().strip() == wanted


def test_a_leak_survives_the_journal() -> None:
    from pytest_flakehunt.model import Leak, LeakKind, Place
    from pytest_flakehunt.zygote import wire

    for started in (None, Place("src/a.py", 3, "run")):
        leak = Leak(LeakKind.TASK, "wait", "server", Place("conftest.py", 7, "server"), started, "a.py:1 in b", "t::x")
        item = wire.Leaked(4, leak)
        (read,) = wire.entries(wire.entry(item))
        assert json.dumps(str(read)) == json.dumps(str(item))


@pytest.mark.parametrize(
    "source",
    [
        """
        import socket, pytest
        @pytest.fixture(scope="session", autouse=True)
        def no_network():
            def guard(*args, **kwargs): raise OSError("no network")
            before, socket.socket = socket.socket, guard
            yield
            socket.socket = before
        def test_one(no_network):
            global kept
            kept = open(__file__)
        def test_two(): kept.close()
        """,
        """
        import asyncio
        class Future(asyncio.Future):
            def set_name(self, name): pass
        def test_one():
            async def main():
                loop = asyncio.get_running_loop()
                loop.set_task_factory(lambda loop, coro, **kwargs: (coro.close(), Future(loop=loop))[1])
                async def work(): pass
                loop.create_task(work())
                loop.set_task_factory(None)
            loop = asyncio.new_event_loop()
            loop.run_until_complete(main())
            loop.close()
        def test_two(): pass
        """,
        """
        import asyncio
        def test_one():
            loop = asyncio.new_event_loop()
            loop.call_exception_handler({"message": None})
            loop.close()
        def test_two():
            async def main():
                task = asyncio.create_task(asyncio.sleep(0), name="mine")
                assert "log.py" not in repr(task)
                await task
            asyncio.run(main(), debug=True)
        """,
        """
        import os, time
        def test_one():
            os.path.lexists = time.sleep = None
        def test_two(): pass
        """,
    ],
)
def test_no_test_fails_for_the_watch(pytester: pytest.Pytester, source: str) -> None:
    pytester.makepyfile(source)
    watched(pytester).assert_outcomes(passed=2)


@pytest.mark.thorough
def test_a_watch_that_gives_up_says_so(hunt: Callable[..., Any], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import warnings
        def test_one(): warnings.filters = None
        """
    )
    pytester.makeini("[pytest]\naddopts = -p no:warnings\n")
    result = watched(pytester)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["note: the leak watch gave up at test_*::test_one: TypeError: *"])
    hunted = hunt(sweeps=1)
    assert hunted.report["notes"][0].startswith("the leak watch gave up at ")


def test_values_of_the_environment_are_not_printed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os
        from unittest import mock
        def test_one(): mock.patch.dict(os.environ, {"SECRET": "hidden"}).start()
        """
    )
    result = watched(pytester)
    result.stdout.fnmatch_lines(["LEAK patch patch.dict(os.environ)"])
    assert "hidden" not in result.stdout.str()


def test_a_failure_that_quotes_pytest_is_no_leak(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(): assert \"coroutine 'abc' was never awaited\" == ''")
    assert "LEAK" not in watched(pytester).stdout.str()


def test_what_a_hook_opens_is_no_tests_leak(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        kept = []
        def pytest_runtest_logreport(report):
            if not kept: kept.append(open("report.log", "w"))
        """
    )
    pytester.makepyfile("def test_one(): pass")
    assert "LEAK" not in watched(pytester).stdout.str()


def test_a_task_made_by_hand_is_told_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_a="""
        import asyncio

        async def wait():
            await asyncio.sleep(60)

        async def main():
            asyncio.Task(wait()).add_done_callback(print)
            await asyncio.sleep(0)

        def test_one():
            asyncio.run(main())
        """
    )
    result = watched(pytester)
    result.stdout.fnmatch_lines(
        ["LEAK task wait", "*left by the test test_a.py::test_one", "  from test_a.py:3 in wait"]
    )


def test_loops_that_tests_share_keep_their_threads(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        pytestmark = pytest.mark.asyncio(loop_scope="module")

        async def test_thread():
            await asyncio.to_thread(int)

        async def test_last():
            pass
        """
    )
    result = watched(pytester, "-ppytest_asyncio.plugin")
    result.assert_outcomes(passed=2)
    assert "LEAK" not in result.stdout.str()


@pytest.mark.thorough
def test_what_is_remembered_does_not_grow_with_the_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import _thread, gc, queue, tempfile, threading
        import pytest
        from pytest_flakehunt.leaks.log import Log

        @pytest.fixture(scope="session")
        def worker():
            jobs = queue.Queue()

            def work():
                while jobs.get():
                    with tempfile.NamedTemporaryFile():
                        _thread.start_new_thread(len, ("",))
                        _thread.start_new_thread(lambda: None, ())
                    jobs.task_done()

            thread = threading.Thread(target=work)
            thread.start()
            yield jobs
            jobs.put(None)
            thread.join()

        @pytest.mark.parametrize("number", range(400))
        def test_job(worker, number):
            worker.put(1)
            worker.join()

        def test_sizes():
            (log,) = (each for each in gc.get_objects() if type(each) is Log)
            assert len(log.threads) <= 202
            assert len(log.temps) <= 2
        """
    )
    watched(pytester).assert_outcomes(passed=401)


@pytest.mark.thorough
def test_warnings_filters_that_nobody_puts_back(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    # pytest puts them back itself after every test, unless its own plugin for warnings is left out
    pytester.makepyfile(
        test_filters="""
        import warnings
        def test_leaves_one():
            warnings.simplefilter("ignore", ResourceWarning)
        def test_takes_it_back():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ImportWarning)
        """
    )
    pytester.makeini("[pytest]\naddopts = -p no:warnings\n")
    result = watched(pytester)
    result.assert_outcomes(passed=2)
    assert [line for line in result.outlines if line.startswith(("LEAK", "  left by"))] == [
        "LEAK warnings warnings.filters",
        "  left by the test test_filters.py::test_leaves_one",
    ]
    hunted = hunt("-n1", sweeps=3)
    ((leak,), none) = (hunted.tests[name]["leaks"] for name in ("test_leaves_one", "test_takes_it_back"))
    assert (leak["kind"], leak["started_at"]) == ("warnings", "test_filters.py:3")
    assert (leak["runs"], leak["leaked"], none) == (3, 3, [])


def test_descriptors_opened_before_the_tests_are_none_of_theirs() -> None:
    from pytest_flakehunt.leaks.descriptors import Descriptors

    held = [os.dup(2) for _ in range(6)]
    watched = Descriptors()
    try:
        for number in (held.pop(1), held.pop(3)):  # gaps, as a fork's end of a pipe leaves them
            os.close(number)
        held += [os.dup(2) for _ in range(4)]  # by a plan, say: in the gaps, and above
        os.close(held.pop(0))
        watched.begin()
        assert watched.new(opened=False, ours=tuple) == {}
        held += [os.dup(2) for _ in range(3)]
        os.close(held.pop(-3))  # the lowest is free as before
        assert watched.new(opened=False, ours=tuple).keys() == set(held[-2:])
        assert watched.new(opened=True, ours=tuple) == {}
    finally:
        for number in held:
            os.close(number)


def test_a_test_that_a_plan_repeats_is_watched_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os
        def test_one(): os.environ["TIMES"] = os.environ.get("TIMES", "") + "1"
        """
    )
    result = watched(pytester, "--flakehunt-plan=repeat=3")
    assert [line for line in result.outlines if line.startswith("LEAK")] == ["LEAK environ os.environ['TIMES']"]


def test_a_task_is_not_taken_for_one_that_had_its_id() -> None:
    from pytest_flakehunt.leaks.log import Log
    from pytest_flakehunt.leaks.owners import Begun, Owner
    from pytest_flakehunt.model import LeakKind, Place

    log = Log(str)

    class Ended:
        pass

    async def main() -> object:
        task = asyncio.current_task()
        log.tasks[id(task)] = Begun(LeakKind.TASK, Owner("test_a.py::test_a"), Place("a.py", 1), weakref.ref(Ended()))
        return log.of(task)

    assert asyncio.run(main()) is None


@pytest.mark.thorough
def test_once_shared_state_is_left_every_sweep_looks_after_each_test(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        """
        import os
        from pathlib import Path
        RAN = Path(__file__).with_name("ran")
        def test_leaves():
            if RAN.exists():
                os.umask(0o027)
            RAN.touch()
        def test_other(): pass
        """
    )
    (leak,) = hunt("-n1", sweeps=6).tests["test_leaves"]["leaks"]
    # sweep 0 looked, and there was nothing; sweep 1 looked back only, and saw that there is something
    assert (leak["what"], leak["runs"], leak["leaked"]) == ("the umask", 5, 4)
    pytester.path.joinpath("ran").unlink()
    found = hunt("-n1", sweeps=2)
    assert found.tests["test_leaves"]["leaks"] == []
    found.result.stdout.fnmatch_lines(["note: sweep 1 left state changed that tests share *: hunt longer"])


def test_what_changes_while_tests_are_collected_is_no_tests_leak(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("deep")
    folder.joinpath("test_first.py").write_text("import os\nos.environ['LEFT'] = '1'\ndef test_one(): pass\n", "utf-8")
    result = watched(pytester, "deep")  # pytest puts its folder on sys.path
    result.stdout.fnmatch_lines(["no test left anything behind"])


def test_a_fixture_of_the_next_turn_is_not_taken_for_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        import pytest
        @pytest.fixture
        def sound(): yield 1
        def test_one(sound): sys.path.append("left")
        """
    )
    result = watched(pytester, "--flakehunt-plan=repeat=2")
    assert [line for line in result.outlines if line.startswith("  left by")] == [
        "  left by the test test_a_fixture_of_the_next_turn_is_not_taken_for_the_test.py::test_one"
    ]


def test_pytest_may_put_packages_on_the_path(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    for name in ("one", "two"):
        package = pytester.mkdir(name) / name
        package.mkdir()
        package.joinpath("__init__.py").touch()
        package.joinpath(f"test_{name}.py").write_text("def test_it(): pass\n", "utf-8")
    watched(pytester).stdout.fnmatch_lines(["no test left anything behind"])
    assert [test["leaks"] for test in hunt(sweeps=1).report["tests"]] == [[], []]


@pytest.mark.parametrize(
    "conftest",
    [
        """
        import logging
        class Quiet(logging.Logger):
            def __init__(self, name):
                self.name, self.disabled, self.propagate, self.handlers = name, True, False, []
        logging.root.manager.loggerDict["quiet"] = Quiet("quiet")
        """,
        """
        import sys, types
        sys.modules["unittest.mock"] = types.ModuleType("unittest.mock")
        """,
    ],
)
def test_no_run_fails_for_what_the_watch_cannot_look_at(
    pytester: pytest.Pytester, hunt: Callable[..., Any], conftest: str
) -> None:
    pytester.makeconftest(conftest)
    pytester.makepyfile("def test_one(): pass")
    result = watched(pytester)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["note: the leak watch gave up before the tests: AttributeError: *"])
    result.stdout.no_fnmatch_line("no test left anything behind")
    found = hunt(sweeps=1)
    assert found.verdicts == {"test_one": "steady"}
    assert found.report["notes"][0].startswith("the leak watch gave up before the tests: ")


def test_descriptors_that_a_fork_closes_or_redirects(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    pytester.makeconftest(
        """
        import os, socket
        pool = [socket.socketpair() for _ in range(4)]
        def renew():
            for pair in pool:
                for one in pair: one.close()
        os.register_at_fork(after_in_child=renew)
        """
    )
    pytester.makepyfile(
        """
        import os
        old = os.open(os.devnull, os.O_RDONLY)
        def test_sound():
            with open(__file__) as file: file.read()
        def test_sixth():
            made = [os.open(__file__, os.O_RDONLY) for _ in range(6)]
            for number in made[:5]: os.close(number)
        def test_redirects():
            new = os.open(os.path.dirname(__file__), os.O_RDONLY)
            os.dup2(new, old)
            os.close(new)
        """
    )
    found = hunt("--flakehunt-without=repeat,order", sweeps=2)
    assert {name: [leak["kind"] for leak in test["leaks"]] for name, test in found.tests.items()} == {
        "test_sound": [],
        "test_sixth": ["file"],
        "test_redirects": ["file"],
    }


def test_closed_sockets_are_forgotten() -> None:
    import socket

    from pytest_flakehunt.leaks.log import MOST_RAW, Log
    from pytest_flakehunt.leaks.owners import Owner

    log = Log(str)
    with log.kept():
        log.current = Owner("test_a.py::test_a")
        for _ in range(3 * MOST_RAW):
            socket.socket().close()
    assert 0 < len(log.sockets) <= MOST_RAW + 1


def test_what_a_fixtures_tear_down_changes_is_the_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_late="""
        import os
        import pytest
        @pytest.fixture(scope="module")
        def late():
            yield
            os.environ["LATE"] = "1"
        def test_one(late): pass
        def test_two(late): pass
        """
    )
    watched(pytester).stdout.fnmatch_lines(
        [
            "*LEAK environ os.environ[[]'LATE'[]]",
            "  left by the fixture late (test_late.py:3), as in test_late.py::test_one",
            "  from test_late.py:6 in late",
        ]
    )


def test_what_a_run_leaves_that_stops_early_is_not_known(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it="""
        import os
        import threading
        import pytest
        def test_variable(): os.environ["LEFT"] = "1"
        @pytest.mark.parametrize("number", range(8))
        def test_thread(number):
            threading.Thread(target=threading.Event().wait, args=(30,), daemon=True).start()
            assert number < 6
        def test_other(): pass
        """
    )
    result = watched(pytester, "-x", "-v", "--flakehunt-grace=60")
    result.assert_outcomes(passed=7, failed=1)
    assert [line for line in result.outlines if line.startswith(("LEAK", "note"))] == [
        "LEAK environ os.environ['LEFT']",
        "note: whether test_it.py::test_thread[0] and 6 other tests left anything behind is not known: "
        "the run stopped too early to tell",
    ]


@pytest.mark.thorough
def test_sweeps_that_cannot_tell_are_not_counted(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    pytester.makepyfile(
        test_it="""
        import os
        import threading
        from pathlib import Path
        def test_thread():
            threading.Thread(target=threading.Event().wait, args=(60,), daemon=True).start()
        def test_variable(): os.environ["LEFT"] = "1"
        def test_crash():
            with Path(__file__).with_name("ran").open("a") as file: file.write(".")
            if Path(__file__).with_name("ran").stat().st_size % 2 == 0: os._exit(3)
        """
    )
    hunted = hunt("-n1", "--flakehunt-only=order", "--flakehunt-grace=0.2", sweeps=40)
    with closing(sqlite3.connect(pytester.path / ".flakehunt" / "ledger.sqlite")) as db:
        (alone,) = db.execute("SELECT count(*) FROM sweeps WHERE plan LIKE '%order=alone%'").fetchone()
    ((thread,), (variable,)) = (hunted.tests[name]["leaks"] for name in ("test_thread", "test_variable"))
    assert alone > 0
    assert 0 < thread["leaked"] == thread["runs"] <= 40 - alone
    assert variable["leaked"] == variable["runs"] == hunted.tests["test_variable"]["runs"] > thread["runs"]


@pytest.mark.thorough
def test_tests_that_count_threads_pass_as_without_the_watch(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    # the thread that one test leaves must still be there when the next one counts, and when it counts again
    pytester.makepyfile(
        test_it="""
        import threading, time
        def poll():
            time.sleep(0.6)
        def test_poller():
            threading.Thread(target=poll, daemon=True).start()
        def test_starts_no_thread():
            before = threading.active_count()
            time.sleep(0.001)
            assert before == threading.active_count() == 2
        """
    )
    watched(pytester).assert_outcomes(passed=2)
    hunted = hunt("--flakehunt-only=hashseed", "-n1", sweeps=12)
    assert hunted.verdicts == {"test_poller": "steady", "test_starts_no_thread": "steady"}


def test_a_closed_descriptor_is_not_taken_for_the_next_of_its_number(pytester: pytest.Pytester) -> None:
    # eventpoll, eventfd and their like share one inode
    pytester.makepyfile(
        test_it="""
        import select
        import pytest
        @pytest.fixture(scope="module", params=["one", "other", "third"])
        def poll(request):
            poll = select.epoll()
            yield poll
            if request.param != "third": poll.close()
            else: kept.append(poll)
        kept = []
        def test_poll(poll): pass
        def test_again(poll): pass
        """
    )
    result = watched(pytester, "-v")
    assert [line for line in result.outlines if line.startswith(("LEAK", "  left"))] == [
        "LEAK file anon_inode:[eventpoll]",
        "  left by the fixture poll (test_it.py:3), as in test_it.py::test_poll[third]",
    ]


def test_what_a_library_keeps_is_forgiven_where_it_is_loaded_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from pytest_flakehunt.leaks.forgiven import Forgiven

    monkeypatch.delitem(sys.modules, "uvloop", raising=False)
    forgiven = Forgiven(["thread:mine.*"])
    assert forgiven("thread", "Thread-#", "mine.run", nodeid="a")
    assert forgiven("environ", "os.environ['CELERY_LOG_FILE']", nodeid="a")
    assert forgiven("logging", "logging.getLogger('uvicorn.access').handlers", nodeid="a")
    assert not forgiven("logging", "logging.root.handlers", nodeid="a")
    assert not forgiven("environ", "os.environ['CELERY']", nodeid="a")
    assert not forgiven("file", "pipe", nodeid="a")
    monkeypatch.setitem(sys.modules, "uvloop", sys)
    assert [forgiven("file", "pipe", nodeid=nodeid) for nodeid in "aaba"] == [True, True, False, True]
    assert not forgiven("file", "anon_inode:[eventpoll]", nodeid="a")
    monkeypatch.setitem(sys.modules, "gevent.hub", sys)
    assert forgiven("file", "anon_inode:[eventpoll]", nodeid="b")


SEEDING = """
    import random
    from random import seed
    import pytest

    @pytest.fixture
    def seeded(): random.seed(5)

    @pytest.fixture(scope="module")
    def takes_back():
        before = random.getstate()
        random.seed(3)
        yield
        random.setstate(before)

    @pytest.fixture(scope="class")
    def restores():
        seed(2)
        yield
        seed()

    class TestFirst:
        def test_sound(self, restores): random.random()
        def test_sound_too(self, restores): random.random()
    def test_draws(): random.random()
    def test_leaves_one():
        if random.random() < 2:
            seed(7)
    def test_has_its_own(): random.seed(8); random.setstate(random.getstate())
    def test_fixture(seeded): pass
    def test_fixture_again(seeded): pass
    def test_lives_with_it(): pass
    def test_wider(takes_back): pass
    def test_last(): random.seed(9)
"""


def test_a_generator_that_is_left_seeded_is_told_with_the_line_that_seeds(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(test_it=SEEDING)
    result = watched(pytester)
    result.assert_outcomes(passed=10)
    wanted = [
        "LEAK seed random",
        "  left by the fixture seeded (test_it.py:5), as in test_it.py::test_fixture_again",
        "  from test_it.py:6 in seeded",
    ]
    assert [line for line in result.outlines if line.startswith(("LEAK", "  left", "  from", "note"))] == wanted
    pytester.makepyfile(
        test_it="""
        import random
        def test_seeds(): random.seed(7)
        def test_draws(): random.random()
        def test_last(): random.seed(7)
        """
    )
    found = hunt("--flakehunt-only=random,order", sweeps=12)
    left = {name: [(leak["kind"], leak["started_at"]) for leak in test["leaks"]] for name, test in found.tests.items()}
    assert left["test_seeds"] == [("seed", "test_it.py:2")]
    assert left["test_draws"] == []
    rates = [(leak["leaked"], leak["runs"]) for test in found.tests.values() for leak in test["leaks"]]
    assert all(0 < leaked == runs for leaked, runs in rates)


def test_numpys_generator_is_watched_as_well(pytester: pytest.Pytester) -> None:
    pytest.importorskip("numpy")
    pytester.makepyfile(
        test_it="""
        import numpy
        def test_seeds(): numpy.random.seed(7)
        def test_draws(): assert numpy.random.seed.__name__ == "seed"
        def test_takes_back():
            before = numpy.random.get_state()
            numpy.random.seed(7)
            numpy.random.set_state(before)
        def test_last(): pass
        """
    )
    result = watched(pytester)
    result.assert_outcomes(passed=4)
    assert [line for line in result.outlines if line.startswith(("LEAK", "  from"))] == [
        "LEAK seed numpy.random",
        "  from test_it.py:2 in test_seeds",
    ]


def test_a_socket_a_loop_and_a_file_of_one_test_are_told_apart(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio, socket
        kept = []
        def test_three(tmp_path):
            kept.append(asyncio.new_event_loop())
            kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            kept.append(open(tmp_path / "file", "w"))
        def test_last(): pass
        """
    )
    result = watched(pytester)
    assert sorted(line for line in result.outlines if line.startswith("LEAK")) == [
        "LEAK file datagram socket (INET)",
        "LEAK file file",
        "LEAK loop _UnixSelectorEventLoop",
    ]
