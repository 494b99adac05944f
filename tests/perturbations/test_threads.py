"""Threads that get in each other's way: bugs come out, and sound code does not notice."""

import gc
import os
import queue
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest

from pytest_flakehunt.ground import project, realtime
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.perturbations.steered import Steering
from pytest_flakehunt.perturbations.threads import Switching

SEEDS = range(300)


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> None:
    """Stand aside where lines are watched already."""
    if sys.gettrace() is not None or any(
        isinstance(plugin, Stage) and "threads" in plugin.plan.names
        for plugin in request.config.pluginmanager.get_plugins()
    ):
        pytest.skip("lines are watched already")


def together(*deeds: Callable[[], object]) -> None:
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def updates_without_a_lock() -> bool:
    total = 0

    def add() -> None:
        nonlocal total
        seen = total
        seen += 1
        total = seen

    together(add, add, add)
    return total == 3


def makes_a_singleton() -> bool:
    made: list[object] = []
    kept: dict[str, object] = {}

    def get() -> None:
        if "it" not in kept:
            thing = object()
            made.append(thing)
            kept["it"] = thing

    together(get, get)
    return len(made) == 1


def checks_then_acts() -> bool:
    cache = {"it": 1}
    lost = []

    def take() -> None:
        if "it" in cache:
            try:
                del cache["it"]
            except KeyError:
                lost.append(1)

    together(take, take)
    return not lost


def naps_instead_of_joining() -> bool:
    results: list[int] = []

    def work() -> None:
        value = 1
        value += 1
        results.append(value)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.002)
    seen = list(results)
    thread.join()
    return seen == [2]


def appends_in_an_order() -> bool:
    order: list[int] = []

    def append(number: int) -> None:
        mine = number
        order.append(mine)

    together(lambda: append(1), lambda: append(2))
    return order == [1, 2]


def takes_locks_in_opposite_order() -> bool:
    one, other = threading.Lock(), threading.Lock()
    stuck = []

    def take(first: threading.Lock, second: threading.Lock) -> None:
        with first:
            if second.acquire(timeout=0.2):
                second.release()
            else:
                stuck.append(1)

    together(lambda: take(one, other), lambda: take(other, one))
    return not stuck


BUGS = [
    updates_without_a_lock,
    makes_a_singleton,
    checks_then_acts,
    naps_instead_of_joining,
    appends_in_an_order,
    takes_locks_in_opposite_order,
]


def failing(deed: Callable[[], bool], seeds: range, kind: type[Switching | Steering] = Switching) -> Iterator[int]:
    """Give the seeds under which it goes wrong."""
    for seed in seeds:
        switching = kind(seed)
        with switching.held(), switching.held_for("test_a.py::test_x"):
            right = deed()
        if not right:
            yield seed


@pytest.mark.parametrize("kind", [Switching, Steering])
@pytest.mark.parametrize("bug", BUGS)
def test_races_come_out(bug: Callable[[], bool], kind: type[Switching | Steering]) -> None:
    # a fifth of the seeds do; fewer where other processes want the cores
    assert len(list(islice(failing(bug, SEEDS, kind), 2))) == 2


def uses_a_lock() -> bool:
    lock, total = threading.Lock(), [0]

    def add() -> None:
        for _ in range(20):
            with lock:
                seen = total[0]
                total[0] = seen + 1

    together(add, add, add)
    return total == [60]


def uses_a_queue() -> bool:
    todo: queue.Queue[int | None] = queue.Queue()
    done: list[int] = []

    def work() -> None:
        while (item := todo.get()) is not None:
            done.append(item)

    def put() -> None:
        for number in (*range(30), None):
            todo.put(number)

    together(work, put)
    return done == list(range(30))


def waits_for_an_event() -> bool:
    event, seen = threading.Event(), []

    def work() -> None:
        seen.append(1)
        event.set()

    threading.Thread(target=work).start()
    return event.wait(5) and seen == [1]


def waits_on_a_condition() -> bool:
    condition, ready = threading.Condition(), []

    def work() -> None:
        with condition:
            ready.append(1)
            condition.notify_all()

    thread = threading.Thread(target=work)
    with condition:
        thread.start()
        arrived = condition.wait_for(lambda: ready, timeout=5)
    thread.join()
    return bool(arrived)


def maps_in_a_pool() -> bool:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda number: number * 2, range(20))) == list(range(0, 40, 2))


def times_out_generously() -> bool:
    rang = threading.Event()
    timer = threading.Timer(0.01, rang.set)
    timer.start()
    answer = rang.wait(3)
    timer.join()
    return answer


SOUND = [uses_a_lock, uses_a_queue, waits_for_an_event, waits_on_a_condition, maps_in_a_pool, times_out_generously]


@pytest.mark.parametrize("kind", [Switching, Steering])
@pytest.mark.parametrize("deed", SOUND)
def test_sound_code_does_not_notice(deed: Callable[[], bool], kind: type[Switching | Steering]) -> None:
    assert list(failing(deed, range(12), kind)) == []


def test_code_without_threads_is_not_watched() -> None:
    if threading.active_count() > 1:
        pytest.skip(f"there are threads: {threading.enumerate()}")
    switching = Switching(1)
    with switching.held(), switching.held_for("test_a.py::test_x"):
        assert sys.gettrace() is None
        if hasattr(sys, "monitoring"):
            assert all(sys.monitoring.get_tool(tool) != "flakehunt" for tool in range(6))
        with suppress(ZeroDivisionError):
            1 / 0  # noqa: B018
    assert threading.Thread.start.__name__ == "start"


def test_no_file_is_looked_at_while_a_test_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some suites forbid that in event loops."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a file is looked at")

    for name in ("abspath", "realpath", "exists", "isfile"):
        monkeypatch.setattr(os.path, name, forbidden)
    for name in ("stat", "lstat", "getcwd", "readlink"):
        monkeypatch.setattr(os, name, forbidden)
    project.owns.cache_clear()
    outcomes = [updates_without_a_lock() for seed in range(3) for _ in held_for(seed)]
    monkeypatch.undo()
    assert len(outcomes) == 3


def test_nothing_lives_longer_because_lines_are_watched() -> None:
    class Thing:
        pass

    def works() -> "weakref.ref[Thing]":
        thing = Thing()
        together(lambda: None, lambda: None)
        return weakref.ref(thing)

    gc.disable()
    try:
        alive = [works() for _ in held_for(1)]
    finally:
        gc.enable()
    assert [reference() for reference in alive] == [None]


def held_for(seed: int) -> Iterator[None]:
    switching = Switching(seed)
    with switching.held(), switching.held_for("test_a.py::test_x"):
        yield


@pytest.mark.thorough
def test_what_only_being_watched_makes_slow_is_not_blamed(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    """Lines are watched while a second thread lives: one that an earlier test has left is enough."""
    pytester.makepyfile(
        test_it="""
        import threading, time
        from datetime import timedelta
        from hypothesis import given, settings, strategies as st
        TABLE = {}
        def looked_up(number):
            if not TABLE:
                for step in range(2_500_000):
                    TABLE[step % 997] = step
            return TABLE[number]
        def test_leaves_a_thread():
            threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        @given(st.integers(0, 996))
        @settings(max_examples=3, database=None, deadline=timedelta(milliseconds=400))
        def test_the_first_is_quick(number):
            assert looked_up(number) > 0
        """
    )
    found = hunt("--flakehunt-only=threads", sweeps=5, plugins=["_hypothesis_pytestplugin"])
    assert found.verdicts == {"test_leaves_a_thread": "steady", "test_the_first_is_quick": "steady"}


@pytest.mark.thorough
def test_two_locks_in_opposite_order_are_a_hang_with_both_places(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        test_it="""
        import threading
        one, other = threading.Lock(), threading.Lock()
        done = []
        def gives():
            with one:
                amount = 1
                with other: done.append(amount)
        def takes():
            with other:
                amount = 2
                with one: done.append(amount)
        def test_it():
            threads = [threading.Thread(target=deed, daemon=True) for deed in (gives, takes)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert sorted(done) == [1, 2]
        """
    )
    for seed in range(30):
        found = hunt(f"--flakehunt-plan=threads={seed}", "--flakehunt-timeout=0.3", sweeps=3)
        if found.verdicts != {"test_it": "steady"}:
            break
    (mode,) = found.tests["test_it"]["modes"]
    assert (mode["outcome"], mode["where"], mode["plan"]) == ("hung", "test_it.py:15", f"threads={seed}")
    found.result.stdout.fnmatch_lines(["  at test_it.py:15 in process*, other threads at test_it.py:*, test_it.py:*"])
    places = found.result.stdout.str().partition("other threads at ")[2].partition("\n")[0]
    assert set(places.split(", ")) == {"test_it.py:7", "test_it.py:11"}


def test_a_thread_from_before_that_only_waits_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    delays: list[float] = []
    monkeypatch.setattr(realtime, "sleep", delays.append)
    over = threading.Event()
    waiting = threading.Thread(target=over.wait)
    waiting.start()
    try:
        for seed in range(10):
            for _ in held_for(seed):
                for number in range(50):
                    assert number >= 0
    finally:
        over.set()
        waiting.join()
    assert delays == []
