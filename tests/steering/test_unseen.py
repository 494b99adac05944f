"""What threads wait for may come about past all gates: that is no deadlock, and nobody waits longer than without."""

import _thread
import asyncio
import ctypes
import functools
import gc
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pytest_flakehunt.perturbations import steered
from pytest_flakehunt.perturbations.steered import Steering
from pytest_flakehunt.perturbations.threads import Switching
from tests.steering.conftest import steering

GUARD, KEPT = threading.Lock(), threading.RLock()
TOTAL = [0]


def ran(*deeds: Callable[[], object], seconds: float | None = None) -> list[bool]:
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    return [thread.is_alive() for thread in threads]


def holding(lock: Any) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Give a decorator that keeps the lock where no gate is put before it."""

    def held(deed: Callable[[], None]) -> Callable[[], None]:
        @functools.wraps(deed)
        def with_it() -> None:
            with lock:
                deed()

        return with_it

    return held


@holding(GUARD)
def adds() -> None:
    seen = TOTAL[0]
    seen = seen + 1
    TOTAL[0] = seen


def adds_by_name() -> None:
    with GUARD:
        seen = TOTAL[0]
        seen = seen + 1
        TOTAL[0] = seen


@pytest.mark.parametrize("seconds", [None, 5])
def test_a_lock_that_is_taken_past_its_gate_is_waited_for(seconds: float | None) -> None:
    TOTAL[0], free = 0, 0
    for seed in range(10):
        with steering(seed):
            assert ran(adds, adds_by_name, adds, adds_by_name, seconds=seconds) == [False] * 4
            assert steered._test is not None
            assert steered._test.baton is not None
            free += steered._test.baton.lost > 0
    assert TOTAL == [40]
    assert free < 10


def test_a_signal_may_do_what_is_waited_for() -> None:
    done = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: done.set())
    try:
        with steering(1):
            ran(lambda: None)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            assert done.wait()
    finally:
        signal.signal(signal.SIGALRM, before)


class Told(ctypes.Structure):
    """A ``sigevent`` of glibc's that calls a function in a thread that Python knows nothing of until then."""

    Called = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    _fields_ = [
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("called", Called),
        ("rest", ctypes.c_char * 72),
    ]


def test_a_thread_of_another_language_may_do_what_is_waited_for() -> None:
    library, done, timer = ctypes.CDLL(None), threading.Event(), ctypes.c_void_p()
    event = Told(notify=2, called=Told.Called(lambda _: done.set()))
    if library.timer_create(1, ctypes.byref(event), ctypes.byref(timer)):
        pytest.skip("this library has no such timers")
    with steering(1):
        ran(lambda: None)
        library.timer_settime(timer, 0, ctypes.byref((ctypes.c_long * 4)(0, 0, 0, 200_000_000)), None)
        assert done.wait()
    library.timer_delete(timer)


def test_whoever_forbids_to_wait_for_locks_forbids_it_to_the_test_alone() -> None:
    """As blockbuster does for what runs in an event loop."""
    kind = type(GUARD)
    space, taken = gc.get_referents(vars(kind))[0], kind.acquire
    items: list[int] = []

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        assert not blocking or not lock.locked()
        return taken(lock, blocking, timeout)

    def put(acquire: Any) -> None:
        space["acquire"] = acquire
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))

    def counts() -> None:
        for number in range(20):
            items.append(number)  # noqa: PERF402 - the lines are what is wanted

    put(acquire)
    try:
        for seed in range(10):
            with steering(seed):
                assert ran(counts, counts) == [False, False]
    finally:
        put(taken)
    assert len(items) == 400


def test_lines_that_run_while_the_baton_is_handed_on_are_no_places_to_switch_at() -> None:
    """A finalizer or a signal's handler may come between at any moment."""
    stay = threading.Event()
    with steering(1):
        thread = threading.Thread(target=stay.wait)
        thread.start()
        assert steered._test is not None
        baton = steered._test.baton
        assert baton is not None
        with baton._mutex:
            before = baton.steps
            for _ in range(100):
                TOTAL[0] += 1
            steps = baton.steps - before
        stay.set()
        thread.join()
    assert steps == 0


def test_what_cannot_be_waited_for_is_refused_as_ever() -> None:
    with steering(1):
        ran(lambda: None)
        lock, items = threading.Lock(), queue.SimpleQueue[int]()
        lock.acquire()
        for seconds in (1e100, float("nan")):
            for deed in (lock.acquire, items.get):
                with pytest.raises((OverflowError, ValueError)):
                    deed(True, seconds)
            with pytest.raises((OverflowError, ValueError)):
                time.sleep(seconds)


def test_a_class_built_on_a_queue_stays_what_it_is() -> None:
    with steering(1):

        class Doubling(queue.SimpleQueue[int]):
            def put(self, item: int, block: bool = True, timeout: float | None = None) -> None:
                super().put(2 * item, block, timeout)

        items = Doubling()
        ran(lambda: items.put(1))
        assert items.get() == 2
        assert items.__class__ is Doubling
        assert isinstance(items, queue.SimpleQueue)


def squared(number: int) -> int:
    result = number
    result *= number
    return result


def with_asyncio() -> list[int]:
    async def main() -> list[int]:
        return await asyncio.gather(*(asyncio.to_thread(squared, number) for number in range(8)))

    return asyncio.run(main())


def with_trio() -> list[int]:
    trio = pytest.importorskip("trio")
    results = {}

    async def main() -> None:  # its own threads stay for ten seconds, for the next test to use
        token, done = trio.lowlevel.current_trio_token(), trio.Event()

        def take(number: int, square: int) -> None:
            results[number] = square
            if len(results) == 8:
                done.set()

        def work(number: int) -> None:
            token.run_sync_soon(take, number, squared(number))

        for number in range(8):
            threading.Thread(target=work, args=(number,)).start()
        await done.wait()

    trio.run(main)
    return [results[number] for number in sorted(results)]


@pytest.mark.parametrize("run", [with_asyncio, with_trio])
def test_an_event_loop_that_waits_for_threads_costs_nobody_the_baton(run: Callable[[], list[int]]) -> None:
    run()  # what is imported only now is steered from then on
    lost = []
    for seed in range(10):
        with steering(seed):
            assert run() == [number**2 for number in range(8)]
            assert steered._test is not None
            assert steered._test.baton is not None
            lost.append(steered._test.baton.lost)
    assert lost.count(0) >= 7  # the machine may be busy


@pytest.mark.parametrize("setting", [Steering(1), Switching(1)], ids=str)
def test_what_a_thread_raises_is_told_of_with_the_function_that_it_ran(
    setting: Steering | Switching, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    done = threading.Event()

    def take(error: Any) -> None:
        told.append(error.err_msg if error.object is None else repr(error.object))
        done.set()

    def fails() -> None:
        raise ValueError

    monkeypatch.setattr(sys, "unraisablehook", take)
    with setting.held(), setting.held_for("test_a.py::test_x"):
        _thread.start_new_thread(fails, ())
        assert done.wait(10)
    assert repr(fails) in told[0]


def test_lines_that_a_child_process_runs_are_no_places_to_switch_at() -> None:
    stay = threading.Event()
    with steering(1):
        threads = [threading.Thread(target=stay.wait) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert steered._test is not None
        assert steered._test.baton is not None
        child = os.fork()
        if not child:
            before, total = steered._test.baton.steps, 0
            for number in range(100):
                total += number
            os._exit(7 if steered._test.baton.steps == before else 1)
        stay.set()
        for thread in threads:
            thread.join()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
