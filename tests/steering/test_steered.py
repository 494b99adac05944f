"""Tests whose threads run one at a time: what they see is what plain threads see, and it comes back exactly."""

import contextvars
import copy
import pickle
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.perturbations import steered
from pytest_flakehunt.steering import gates
from tests.steering.conftest import steering

AT_IMPORT = threading.Lock()


class Kept:
    guard = threading.RLock()

    def __init__(self) -> None:
        self.lock, self.changed = threading.Lock(), threading.Condition()
        self.items, self.full = queue.Queue[int](1), threading.Event()
        self.inner: list[Kept] = []


KEPT = Kept()
LOCAL = threading.local()
CONTEXT = contextvars.ContextVar("CONTEXT", default="plain")


def ran(deed: Callable[[], object], seed: int) -> tuple[object, str, int]:
    """Give what it said, a word for the switches, and how often a thread ran free."""
    with steering(seed):
        said = deed()
        assert steered._test is not None
        baton = steered._test.baton
        return (said, "", 0) if baton is None else (said, baton.record.digest(), baton.lost)


def threads_of(*deeds: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=deed, name=f"worker-{number}") for number, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    return threads


def raises_in_a_thread() -> object:
    seen: list[object] = []
    hook, threading.excepthook = threading.excepthook, lambda told: seen.append((told.exc_type, str(told.thread)[:9]))
    try:
        for thread in threads_of(lambda: 1 / 0):
            thread.join()
    finally:
        threading.excepthook = hook
    return seen


def tells_of_itself() -> object:
    told: list[object] = []

    def tell() -> None:
        thread = threading.current_thread()
        told.append((thread.name, thread.daemon, thread.is_alive(), thread.ident == threading.get_ident()))

    (thread,) = threads_of(tell)
    thread.join()
    return told, thread.is_alive(), threading.current_thread() is threading.main_thread()


def keeps_to_itself() -> object:
    seen: list[object] = []
    LOCAL.value = "main"

    def look() -> None:
        CONTEXT.set("thread")
        seen.append((getattr(LOCAL, "value", None), CONTEXT.get()))

    for thread in threads_of(look, look):
        thread.join()
    return seen, LOCAL.value, CONTEXT.get()


def waits_too_short() -> object:
    lock, items, event, start = threading.Lock(), queue.Queue[int](), threading.Event(), time.monotonic()
    lock.acquire()
    stays = threading.Thread(target=event.wait, args=(10,))
    stays.start()
    empty = False
    took = lock.acquire(timeout=0.01), lock.acquire(blocking=False), event.wait(0.01)
    stays.join(0.01)
    alive = stays.is_alive()
    try:
        items.get(timeout=0.01)
    except queue.Empty:
        empty = True
    time.sleep(0.01)
    passed = time.monotonic() - start >= 0.05
    event.set()
    stays.join()
    return took, alive, empty, passed


def counts_again() -> object:
    lock, total = threading.RLock(), [0]

    def add() -> None:
        for _ in range(5):
            with lock, lock:
                seen = total[0]
                total[0] = seen + 1

    for thread in threads_of(add, add, add):
        thread.join()
    return total


def counts_with_a_lock_of_the_module() -> object:
    total = [0]

    def add() -> None:
        for _ in range(5):
            with AT_IMPORT:
                seen = total[0]
                total[0] = seen + 1

    for thread in threads_of(add, add, add):
        thread.join()
    return total


def uses_what_a_module_keeps() -> object:
    total, seen = [0], list[int]()

    def gives() -> None:
        for number in range(4):
            with KEPT.lock, Kept.guard, Kept.guard:
                now = total[0]
                total[0] = now + 1
            KEPT.items.put(number)
        with KEPT.changed:
            KEPT.full.set()
            KEPT.changed.notify_all()

    def takes() -> None:
        seen.extend(KEPT.items.get() for _ in range(4))
        with KEPT.changed:
            KEPT.changed.wait_for(KEPT.full.is_set)
        with KEPT.lock, Kept.guard:
            now = total[0]
            total[0] = now + 1

    for thread in threads_of(gives, takes):
        thread.join()
    KEPT.full.clear()
    return total, seen, KEPT.items.empty(), KEPT.lock.locked()


def meets() -> object:
    barrier, limit, most, now = threading.Barrier(3), threading.Semaphore(2), [0], [0]

    def meet() -> None:
        barrier.wait()
        with limit:
            now[0] += 1
            most[0] = max(most[0], now[0])
            now[0] -= 1

    for thread in threads_of(meet, meet, meet):
        thread.join()
    return most[0] <= 2, now


def passes_items() -> object:
    items: queue.SimpleQueue[int] = queue.SimpleQueue()
    seen: list[int] = []

    def take() -> None:
        seen.extend(items.get() for _ in range(5))

    (thread,) = threads_of(take)
    for number in range(5):
        items.put(number)
    thread.join()
    return seen, items.empty(), items.qsize()


def uses_a_pool() -> object:
    with ThreadPoolExecutor(2) as pool:
        done, left = wait([pool.submit(pow, number, 2) for number in range(6)])
        return sorted(future.result() for future in done), len(left), pool.submit(lambda: 1 // 1).result(timeout=5)


def rings() -> object:
    rang, other = threading.Event(), threading.Timer(30, lambda: None)
    timer = threading.Timer(0.01, rang.set)
    timer.start()
    other.start()
    other.cancel()
    other.join()
    timer.join()
    return rang.wait(5), timer.is_alive()


def shows_its_locks() -> object:
    lock, again, items = threading.Lock(), threading.RLock(), queue.SimpleQueue[int]()
    errors = []
    for deed in (lambda: copy.copy(lock), lambda: pickle.dumps(again), lambda: copy.deepcopy(items), lock.release):
        try:
            deed()
        except (TypeError, RuntimeError) as error:
            errors.append(str(error))
    kinds = isinstance(lock, type(AT_IMPORT)), isinstance(again, gates.REAL_RLOCK), isinstance(items, gates.RealQueue)
    return errors, kinds, repr(lock).split(" at ")[0], repr(again).split(" at ")[0], lock.locked()


def raises_where_it_waits() -> object:
    errors = []
    lock = threading.Lock()
    for arguments in ({"blocking": False, "timeout": 1}, {"timeout": -2}, {"timeout": "x"}):
        try:
            lock.acquire(**arguments)
        except (TypeError, ValueError) as error:
            errors.append(type(error))
    try:
        time.sleep(-1)
    except ValueError as error:
        errors.append(str(error))  # type: ignore[arg-type]
    return errors


DEEDS = [
    raises_in_a_thread,
    tells_of_itself,
    keeps_to_itself,
    waits_too_short,
    counts_again,
    counts_with_a_lock_of_the_module,
    uses_what_a_module_keeps,
    meets,
    passes_items,
    uses_a_pool,
    rings,
    shows_its_locks,
    raises_where_it_waits,
]


@pytest.mark.parametrize("deed", DEEDS)
def test_steered_threads_see_what_plain_ones_see(deed: Callable[[], object]) -> None:
    plain = deed()
    assert [ran(deed, seed)[0] for seed in range(10)] == [plain] * 10


def races() -> object:
    box, order = [0], []

    def add(number: int) -> None:
        for _ in range(3):
            seen = box[0]
            box[0] = seen + 1
        order.append(number)

    for thread in threads_of(lambda: add(0), lambda: add(1), lambda: add(2)):
        thread.join()
    return box, order


def test_a_seed_gives_the_same_switches_each_time() -> None:
    first = [ran(races, seed) for seed in range(20)]
    again = [ran(races, seed) for seed in range(20)]
    assert [one for one, other in zip(first, again, strict=True) if one != other and not (one[2] or other[2])] == []
    assert len({str(said) for said, _, _ in first}) > 5


def test_who_is_blocked_in_what_is_not_steered_loses_the_baton() -> None:
    """A pipe is not steered: the thread that reads holds up nobody, and comes back."""
    import os

    def reads() -> object:
        source, target = os.pipe()
        seen: list[bytes] = []
        (thread,) = threads_of(lambda: seen.append(os.read(source, 1)))
        os.write(target, b"x")
        thread.join()
        os.close(source)
        os.close(target)
        return seen

    assert [ran(reads, seed)[0] for seed in range(6)] == [[b"x"]] * 6


def test_threads_that_stay_run_on_when_the_test_is_over() -> None:
    over, seen = threading.Event(), []
    with steering(1):
        thread = threading.Thread(target=lambda: seen.append(over.wait()))
        thread.start()
    over.set()
    thread.join(10)
    assert seen == [True]
    assert gates.Steered.baton is None


def test_all_is_as_it_was_afterwards() -> None:
    names = "Lock", "RLock", "_CRLock", "_allocate_lock", "Thread"
    before = [getattr(threading, name, None) for name in names], time.sleep, queue.SimpleQueue, AT_IMPORT
    kept = Kept.guard, {**vars(KEPT)}, {**vars(KEPT.changed)}, {**vars(KEPT.items)}
    with steering(1):
        assert AT_IMPORT is not before[3]
        assert KEPT.lock is not kept[1]["lock"]
        assert KEPT.items.mutex is not kept[3]["mutex"]
    assert ([getattr(threading, name, None) for name in names], time.sleep, queue.SimpleQueue, AT_IMPORT) == before
    assert (Kept.guard, vars(KEPT), vars(KEPT.changed), vars(KEPT.items)) == kept


def test_locks_that_a_module_keeps_cost_nobody_the_baton() -> None:
    assert [ran(uses_what_a_module_keeps, seed)[2] for seed in range(20)].count(0) >= 15  # the machine may be busy


def test_a_child_process_of_a_steered_test_is_not_steered() -> None:
    import os

    with steering(1):
        (thread,) = threads_of(lambda: None)
        child = os.fork()
        if not child:
            plain = threading.Thread(target=lambda: None)
            plain.start()
            plain.join()
            os._exit(7 if gates.Steered.baton is None else 1)
        thread.join()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_trace_functions_of_the_suite_are_called() -> None:
    called: list[str] = []

    def trace(frame: Any, event: str, argument: object) -> None:
        del argument
        if frame.f_code.co_name == "traced":
            called.append(event)

    def traced() -> None:
        pass

    before = threading.gettrace()
    with steering(1):
        threading.settrace(trace)
        try:
            for thread in threads_of(traced):
                thread.join()
        finally:
            threading.settrace(before)
    assert called == ["call"]


@pytest.mark.thorough
def test_a_deadlock_is_told_of_at_once_with_who_waits_for_whom(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        test_it="""
        import threading
        one, other = threading.Lock(), threading.Lock()
        def gives():
            with one:
                amount = 1
                with other: pass
        def takes():
            with other:
                amount = 2
                with one: pass
        def test_it():
            threads = [threading.Thread(target=deed, name=deed.__name__) for deed in (gives, takes)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        def test_after(): pass
        """
    )
    for seed in range(30):
        found = hunt(f"--flakehunt-plan=threads=steered:{seed}", sweeps=3)
        assert found.verdicts["test_after"] == "steady"
        if found.verdicts["test_it"] != "steady":
            break
    (mode,) = found.tests["test_it"]["modes"]
    assert mode["outcome"] == "failed"
    assert mode["message"].startswith(
        "all threads wait for each other: MainThread waits at test_it.py:14 for the end of "
    )
    assert "gives waits at test_it.py:6 for a lock that takes took at test_it.py:8" in mode["message"]
    assert "takes waits at test_it.py:10 for a lock that gives took at test_it.py:4" in mode["message"]


def test_a_deadlock_and_the_hang_that_it_would_be_are_one_finding(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        test_it="""
        import threading
        class TestOfTwo:
            def test_it(self):
                lock = threading.Lock()
                lock.acquire()
                thread = threading.Thread(target=lock.acquire, daemon=True)
                thread.start()
                thread.join()
        """
    )
    found = hunt("--flakehunt-plan=threads=steered:1", "--flakehunt-timeout=1", "-n1", sweeps=3)
    (mode,) = found.tests["TestOfTwo::test_it"]["modes"]
    assert mode["failures"] == found.tests["TestOfTwo::test_it"]["runs"] >= 3
    assert mode["message"].startswith("all threads wait for each other: MainThread waits at test_it.py:8 for the end")


def test_nothing_is_steered_without_threads() -> None:
    with steering(1):
        before = sys.gettrace()
        assert (steered._test.baton, gates.Steered.baton) == (None, None)  # type: ignore[union-attr]
        assert sys.gettrace() is before


def test_a_lock_that_nobody_lets_go_of_keeps_its_time_out() -> None:
    space = SimpleNamespace(took=None)

    def try_it() -> None:
        space.took = lock.acquire(timeout=0.05)

    with steering(3):
        lock = threading.Lock()
        lock.acquire()
        for thread in threads_of(try_it):
            thread.join()
    assert space.took is False
