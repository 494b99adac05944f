"""Races and sound uses of threads, under delays and under schedules: ``python benchmarks/threads.py`` writes benchmarks/THREADS.md.

Each run has a process of its own. A failing schedule is run again twenty times, and its switches are compared.
"""

import argparse
import concurrent.futures as pools
import json
import os
import platform
import queue
import select
import signal
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from pytest_flakehunt.perturbations import steered
from pytest_flakehunt.perturbations.steered import Steering
from pytest_flakehunt.perturbations.threads import Switching
from pytest_flakehunt.steering.baton import Deadlock

HERE = Path(__file__).parent
LIMIT = 2.0
"""Seconds after which a run is taken to hang."""
REPLAYS = 20
TURNS = 200
"""Rounds through all sound deeds, without schedules and with them."""


def together(*deeds: Callable[[], object]) -> None:
    """Run deeds in a thread each, and wait for all."""
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def reads_adds_and_writes() -> bool:
    total = [0]

    def add() -> None:
        for _ in range(5):
            seen = total[0]
            seen += 1
            total[0] = seen

    together(add, add)
    return total == [10]


def makes_a_singleton_lazily() -> bool:
    made: list[object] = []
    kept: dict[str, object] = {}

    def get() -> object:
        if "it" not in kept:
            made.append(1)
            kept["it"] = object()
        return kept["it"]

    together(get, get)
    return len(made) == 1


def takes_two_locks_in_opposite_order() -> bool:
    one, other = threading.Lock(), threading.Lock()
    taken: list[int] = []

    def take(first: threading.Lock, second: threading.Lock) -> None:
        with first:
            taken.append(1)
            with second:
                taken.append(2)

    together(lambda: take(one, other), lambda: take(other, one))
    return len(taken) == 4


def naps_instead_of_joining() -> bool:
    results: list[int] = []

    def work() -> None:
        value = 6
        results.append(value * 7)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.02)
    seen = list(results)
    thread.join()
    return seen == [42]


def sets_a_flag_before_its_data() -> bool:
    state: dict[str, object] = {"ready": False, "data": None}
    torn: list[int] = []

    def write() -> None:
        state["ready"] = True
        state["data"] = 1

    def read() -> None:
        if not state["ready"]:
            return
        if state["data"] is None:
            torn.append(1)

    together(write, read)
    return not torn


def checks_then_acts() -> bool:
    kept: dict[str, int | None] = {}
    lost: list[int] = []

    def make(number: int) -> None:
        if "it" in kept:
            if kept["it"] is None:
                lost.append(number)
        else:
            kept["it"] = None
            kept["it"] = number

    together(lambda: make(1), lambda: make(2))
    return not lost


def takes_completion_for_submission() -> bool:
    with pools.ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(lambda number=number: number * number) for number in range(3)]
        return [future.result() for future in pools.as_completed(futures)] == [0, 1, 4]


def holds_a_lock() -> bool:
    total, lock = [0], threading.Lock()

    def add() -> None:
        for _ in range(5):
            with lock:
                seen = total[0]
                total[0] = seen + 1

    together(add, add, add)
    return total == [15]


def waits_on_a_condition() -> bool:
    items: list[int] = []
    taken: list[int] = []
    condition = threading.Condition()

    def take() -> None:
        with condition:
            while not items:
                condition.wait()
            taken.append(items.pop())

    def give() -> None:
        with condition:
            items.append(7)
            condition.notify()

    together(take, give)
    return taken == [7]


def maps_in_a_pool() -> bool:
    with pools.ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda number: number * number, range(6))) == [0, 1, 4, 9, 16, 25]


def fills_a_short_queue() -> bool:
    items: queue.Queue[int | None] = queue.Queue(2)
    taken: list[int] = []

    def put() -> None:
        for number in (*range(4), None):
            items.put(number)

    def take() -> None:
        while (item := items.get()) is not None:
            taken.append(item)

    together(put, take)
    return taken == [0, 1, 2, 3]


def waits_for_an_event() -> bool:
    event, seen = threading.Event(), []

    def work() -> None:
        event.wait()
        seen.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    event.set()
    thread.join()
    return seen == [1]


def meets_at_a_barrier() -> bool:
    barrier, before, after = threading.Barrier(3), [], []

    def meet() -> None:
        before.append(1)
        barrier.wait()
        after.append(len(before))

    together(meet, meet, meet)
    return after == [3, 3, 3]


def limits_with_a_semaphore() -> bool:
    limit, lock, now, most = threading.Semaphore(2), threading.Lock(), [0], [0]

    def work() -> None:
        with limit:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            with lock:
                now[0] -= 1

    together(work, work, work)
    return most[0] <= 2 and now == [0]


def waits_with_a_generous_limit() -> bool:
    rang = threading.Event()
    timer = threading.Timer(0.005, rang.set)
    timer.start()
    answer = rang.wait(5)
    timer.join()
    return answer


def takes_two_locks_in_one_line() -> bool:
    one, other = threading.Lock(), threading.Lock()

    def there() -> None:
        with one, other:
            pass

    def back() -> None:
        with other, one:
            pass

    together(there, back)
    return True


BUGS: dict[str, Callable[[], bool]] = {
    "reads, adds, writes on three lines": reads_adds_and_writes,
    "makes a singleton lazily": makes_a_singleton_lazily,
    "takes two locks in opposite order": takes_two_locks_in_opposite_order,
    "takes two locks in one line each": takes_two_locks_in_one_line,
    "naps instead of joining": naps_instead_of_joining,
    "sets a flag before its data": sets_a_flag_before_its_data,
    "checks, then acts": checks_then_acts,
    "takes completion for submission": takes_completion_for_submission,
}
SOUND = (
    holds_a_lock,
    waits_on_a_condition,
    maps_in_a_pool,
    fills_a_short_queue,
    waits_for_an_event,
    meets_at_a_barrier,
    limits_with_a_semaphore,
    waits_with_a_generous_limit,
)


class Ran(NamedTuple):
    """One run."""

    right: bool
    switches: str
    """A word for all switches; empty under delays."""
    lost: int
    """How often a thread ran free."""
    seconds: float
    """Of what was run; the limit where it hung."""


class NoLines:
    """In the place of what watches lines: threads change places at operations only."""

    def start(self) -> None:
        """Begin nothing."""

    def stop(self) -> None:
        """End nothing."""


def run(deed: Callable[[], bool], setting: Switching | Steering | None, *, lines: bool = True) -> Ran:
    """Run a deed in a process of its own."""
    source, target = os.pipe()
    child = os.fork()
    if not child:
        if not lines:
            steered.tracer = lambda _: NoLines()
        os.write(target, json.dumps(_perform(deed, setting)).encode())
        os._exit(0)
    os.close(target)
    told = os.read(source, 10_000) if select.select([source], [], [], LIMIT)[0] else b""
    if not told:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(source)
    return Ran(*json.loads(told)) if told else Ran(right=False, switches="", lost=0, seconds=LIMIT)


def _perform(deed: Callable[[], bool], setting: Switching | Steering | None) -> Ran:
    with ExitStack() as held:
        if setting is not None:
            held.enter_context(setting.held())
            held.enter_context(setting.held_for(f"bench::{deed.__name__}"))
        began = time.monotonic()
        try:
            right = deed()
        except Deadlock:
            right = False
        seconds = time.monotonic() - began
        test = steered._test  # noqa: SLF001 - the only way
        baton = None if test is None else test.baton
        return Ran(right, "" if baton is None else baton.record.digest(), 0 if baton is None else baton.lost, seconds)


def compared(seeds: int) -> list[str]:
    """Give the table of bugs."""
    rows = [
        "| the bug | delays: fail of 100 | ms a run | s a failure | schedules: fail of 100 | ms a run | s a failure | the same again |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, deed in BUGS.items():
        cells, again = [], ""
        for kind in (Switching, Steering):
            runs = [run(deed, kind(seed)) for seed in range(seeds)]
            failing = [seed for seed, one in enumerate(runs) if not one.right]
            seconds = sum(one.seconds for one in runs)
            each = f"{seconds / len(failing):.2f}" if failing else "-"
            cells += [f"{100 * len(failing) / seeds:.0f}", f"{1000 * seconds / seeds:.0f}", each]
            if kind is Steering and failing:
                same = [run(deed, kind(failing[0]))[:2] == runs[failing[0]][:2] for _ in range(REPLAYS)]
                again = f"{sum(same)} of {REPLAYS}"
        rows.append(f"| {name} | {' | '.join(cells)} | {again} |")
        print(rows[-1], flush=True)
    return rows


def sound(attempts: int) -> str:
    """Say how many of so many attempts at sound deeds went wrong."""
    each = -(-attempts // len(SOUND))
    runs = [run(deed, Steering(seed)) for deed in SOUND for seed in range(each)]
    wrong, lost = sum(not one.right for one in runs), sum(bool(one.lost) for one in runs)
    ways: tuple[tuple[type[Steering] | None, bool], ...] = (None, False), (Steering, False), (Steering, True)
    ratios = []
    for deed in SOUND:
        turns = [[run(deed, kind and kind(seed), lines=lines).seconds for kind, lines in ways] for seed in range(TURNS)]
        plain, operations, both = (statistics.median(way) for way in zip(*turns, strict=True))
        ratios.append((operations / plain, both / plain))
        print(
            deed.__name__, f"{1000 * plain:.2f} ms, {operations / plain:.2f} and {both / plain:.2f} times", flush=True
        )
    operations, both = (sorted(way) for way in zip(*ratios, strict=True))
    return (
        f"{len(SOUND)} sound uses (a lock, a condition, a pool's map, a short queue, an event, a barrier, a semaphore, a generous limit): "
        f"**{wrong} of {len(runs):,} attempts failed** under as many schedules. In {lost} a thread ran free for a while. "
        f"One took {statistics.median(operations):.1f} times as long as without where threads change places at operations only ({operations[0]:.1f} to "
        f"{operations[-1]:.1f}), and {statistics.median(both):.1f} times at lines as well ({both[0]:.1f} to {both[-1]:.1f}): medians of {TURNS} rounds, by turns."
    )


def main() -> None:
    """Write benchmarks/THREADS.md."""
    reads = argparse.ArgumentParser(description=__doc__)
    reads.add_argument("--seeds", type=int, default=200, help="of each kind, for each bug")
    reads.add_argument("--sound", type=int, default=10_000, help="attempts at sound deeds")
    asked = reads.parse_args()
    table, said = compared(asked.seeds), sound(asked.sound)
    head = f"Made by `python benchmarks/threads.py`, {asked.seeds} seeds of each kind. Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores."
    note = f"A run of delays that hung counts as {LIMIT:.0f} s, the limit here; a hunt's own is longer. *The same again* is the first failing schedule, run {REPLAYS} times: outcome and all switches."
    (HERE / "THREADS.md").write_text(
        "\n".join(["# Threads", "", head, "", *table, "", note, "", said, ""]), encoding="utf-8"
    )
    print(said)


if __name__ == "__main__":
    main()
