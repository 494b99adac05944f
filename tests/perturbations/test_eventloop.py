"""Event loops that go about their work in another way: bugs come out, and sound code does not notice."""

import asyncio
import socket
import sys
import threading
import time
from asyncio import base_events
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations.eventloop import Scheduling, Schedulings

SEEDS = range(30)


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"asyncio", "latency"}:
            pytest.skip(f"already under {plugin.plan}")


def failing(deed: Callable[[], Awaitable[bool]], *, shuffled: bool = False) -> int:
    wrong = 0
    for seed in SEEDS:
        scheduling = Scheduling(seed, shuffled=shuffled)
        with scheduling.held(), scheduling.held_for("test_a.py::test_x"):
            wrong += not asyncio.run(deed())  # type: ignore[arg-type]
    return wrong


async def the_shorter_nap_ends_first() -> bool:
    order: list[int] = []

    async def ring(number: int) -> None:
        await asyncio.sleep(number / 1000)
        order.append(number)

    await asyncio.gather(ring(1), ring(2), ring(3))
    return order == [1, 2, 3]


async def results_come_in_the_order_asked() -> bool:
    order: list[int] = []

    async def ask(number: int) -> None:
        order.append(await asyncio.to_thread(lambda: number))

    await asyncio.gather(ask(1), ask(2), ask(3))
    return order == [1, 2, 3]


async def update_is_kept_across_an_await() -> bool:
    total = 0

    async def add(nap: float) -> None:
        nonlocal total
        await asyncio.sleep(nap)
        seen = total
        await asyncio.to_thread(lambda: None)
        total = seen + 1

    await asyncio.gather(add(0.0), add(0.002))
    return total == 2


async def input_is_there_within_two_turns() -> bool:
    loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    heard: list[bytes] = []
    with one, other:
        loop.add_reader(one, lambda: heard.append(one.recv(1)))
        other.send(b"x")
        for _ in range(2):
            await asyncio.sleep(0)
        loop.remove_reader(one)
    return heard == [b"x"]


@pytest.mark.parametrize(
    "bug",
    [
        the_shorter_nap_ends_first,
        results_come_in_the_order_asked,
        update_is_kept_across_an_await,
        input_is_there_within_two_turns,
    ],
)
def test_assumptions_about_order_come_out(bug: Callable[[], Awaitable[bool]]) -> None:
    assert failing(bug) >= 2


async def locks() -> bool:
    lock, total = asyncio.Lock(), [0]

    async def add() -> None:
        async with lock:
            seen = total[0]
            await asyncio.sleep(0.0001)
            total[0] = seen + 1

    await asyncio.gather(*(add() for _ in range(10)))
    return total == [10]


async def queues() -> bool:
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def put() -> None:
        for number in range(20):
            await queue.put(number)

    task = asyncio.create_task(put())
    got = [await queue.get() for _ in range(20)]
    await task
    return got == list(range(20))


async def timers_far_apart() -> bool:
    order: list[int] = []

    async def ring(number: int) -> None:
        await asyncio.sleep(number / 100)
        order.append(number)

    await asyncio.gather(ring(3), ring(2), ring(1))
    return order == [1, 2, 3]


async def equal_naps_take_turns() -> bool:
    order: list[int] = []

    async def nap(number: int) -> None:
        for _ in range(5):
            await asyncio.sleep(0.00001)
            order.append(number)

    await asyncio.gather(nap(1), nap(2))
    return order == [1, 2] * 5


async def naps_up_to_nearly_one_moment_take_turns() -> bool:
    order: list[int] = []

    async def nap(number: int) -> None:
        await asyncio.sleep(0.01 - number / 10_000_000)  # as where somebody takes the time now from a deadline
        order.append(number)

    await asyncio.gather(nap(1), nap(2), nap(3))
    return order == [1, 2, 3]


async def callbacks_keep_their_order() -> bool:
    order: list[int] = []
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    for number in range(5):
        loop.call_soon(order.append, number)
    loop.call_soon(done.set_result, None)
    await done
    return order == list(range(5))


async def never_rings_early() -> bool:
    started = time.monotonic()
    await asyncio.sleep(0.005)
    return time.monotonic() - started >= 0.0049


async def raises_in_an_executor() -> bool:
    def fail() -> None:
        raise KeyError("gone")

    with ThreadPoolExecutor(1) as pool:
        try:
            await asyncio.get_running_loop().run_in_executor(pool, fail)
        except KeyError:
            return True
    return False


async def loop_is_not_blocked() -> bool:
    loop_thread, slept = threading.get_ident(), []

    def work() -> None:
        slept.append(threading.get_ident())

    await asyncio.gather(*(asyncio.to_thread(work) for _ in range(3)))
    return loop_thread not in slept


async def streams_come_whole() -> bool:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for number in range(20):
        writer.write(b"%d\n" % number)
    writer.write_eof()
    got = await reader.read()
    writer.close()
    server.close()
    return got == b"".join(b"%d\n" % number for number in range(20))


SOUND = [
    streams_come_whole,
    locks, queues, timers_far_apart, equal_naps_take_turns, naps_up_to_nearly_one_moment_take_turns, callbacks_keep_their_order, never_rings_early, raises_in_an_executor, loop_is_not_blocked,
]  # fmt: skip


@pytest.mark.parametrize("deed", SOUND)
def test_sound_code_does_not_notice(deed: Callable[[], Awaitable[bool]]) -> None:
    assert failing(deed) == 0


class Interrupted:
    """The module ``time``, in a process that others now and then take the processor from."""

    def __init__(self) -> None:
        self.chance = Random(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        if self.chance.random() < 0.1:
            time.sleep(0.0005)
        return time.monotonic()


def test_equal_naps_take_turns_where_others_take_the_processor_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_events, "time", Interrupted())

    assert failing(equal_naps_take_turns) == 0


def test_what_is_shuffled_breaks_the_order_of_callbacks_and_is_stress() -> None:
    assert failing(callbacks_keep_their_order, shuffled=True) >= 10
    assert Scheduling(1).contract is Contract.NATURAL
    assert Schedulings().read("shuffled:1").contract is Contract.STRESS


async def a_program_is_heard() -> bool:
    program = await asyncio.create_subprocess_exec(sys.executable, "-Sc", "print('x' * 20000)", stdout=-1)
    output, _ = await program.communicate()
    return len(output) == 20001


async def a_connection_is_made_before_it_is_heard() -> bool:
    told: list[str] = []
    lost = asyncio.Event()

    class Told(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            told.append("made")

        def data_received(self, data: bytes) -> None:
            told.append("heard")

        def connection_lost(self, exc: Exception | None) -> None:
            told.append("lost")
            lost.set()

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Told, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello")
    writer.close()
    await writer.wait_closed()
    await lost.wait()
    server.close()
    return told == ["made", "heard", "lost"]


@pytest.mark.parametrize(
    "deed", [streams_come_whole, a_program_is_heard, a_connection_is_made_before_it_is_heard, locks, queues]
)
def test_what_is_shuffled_leaves_asyncio_itself_whole(deed: Callable[[], Awaitable[bool]]) -> None:
    assert failing(deed, shuffled=True) == 0


def test_ready_input_is_handled_in_an_order_of_the_seed() -> None:
    async def order() -> tuple[int, ...]:
        loop = asyncio.get_running_loop()
        heard: list[int] = []
        pairs = [socket.socketpair() for _ in range(4)]
        done = asyncio.Event()

        def hear(number: int) -> None:
            loop.remove_reader(pairs[number][0])
            heard.append(number)
            if len(heard) == len(pairs):
                done.set()

        for number, (one, other) in enumerate(pairs):
            loop.add_reader(one, hear, number)
            other.send(b"x")
        await done.wait()
        for pair in pairs:
            for end in pair:
                end.close()
        return tuple(heard)

    orders = set()
    for seed in range(8):
        scheduling = Scheduling(seed)
        with scheduling.held(), scheduling.held_for("test_a.py::test_x"):
            orders.add(asyncio.run(order()))
    assert len(orders) > 2


def test_trio_draws_from_the_seed() -> None:
    trio = pytest.importorskip("trio")

    async def order() -> tuple[int, ...]:
        seen: list[int] = []

        async def step(number: int) -> None:
            seen.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(6):
                nursery.start_soon(step, number)
        return tuple(seen)

    def run(seed: int) -> tuple[int, ...]:
        scheduling = Scheduling(seed)
        with scheduling.held(), scheduling.held_for("test_a.py::test_x"):
            answer: tuple[int, ...] = trio.run(order)
            return answer

    assert run(1) == run(1)
    assert len({run(seed) for seed in range(6)}) > 1


def test_a_loop_with_a_clock_of_its_own_keeps_to_it() -> None:
    class Virtual(asyncio.SelectorEventLoop):
        now = 0.0

        def time(self) -> float:
            return self.now

    for seed in SEEDS:
        scheduling = Scheduling(seed)
        with scheduling.held(), scheduling.held_for("test_a.py::test_x"):
            loop = Virtual()
            assert loop.call_at(5.0, print).when() == 5.0
            loop.close()


WAYS = {
    "asyncio": ("", "def test_it(): asyncio.run(first())", ""),
    "pytest_asyncio": ("pytest_asyncio.plugin", "@pytest.mark.asyncio\nasync def test_it(): await first()", ""),
    "anyio": (
        "anyio.pytest_plugin",
        "@pytest.mark.anyio\nasync def test_it(): await first()\n"
        "@pytest.mark.anyio\nasync def test_sound(anyio_backend): await anyio.sleep(0)",
        "import anyio\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'",
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize("way", WAYS)
def test_hunts_reach_the_loops_that_plugins_make(pytester: pytest.Pytester, hunt: Callable[..., Any], way: str) -> None:
    plugin, test, fixtures = WAYS[way]
    if plugin:
        pytest.importorskip(plugin.partition(".")[0])
    pytester.makepyfile(
        f"""
import asyncio, pytest
{fixtures}
async def first():
    done = []
    async def nap(name, seconds):
        await asyncio.sleep(seconds)
        done.append(name)
    naps = [0.001, 0.0015, 0.002, 0.0025]
    await asyncio.gather(*(nap(seconds, seconds) for seconds in naps))
    assert done == naps
{test}
"""
    )
    found = hunt("--flakehunt-only=asyncio", sweeps=12, plugins=[plugin] if plugin else [])
    assert found.verdicts.pop("test_it") == "fragile"
    assert set(found.verdicts.values()) <= {"fragile", "steady"}
    assert found.tests["test_it"]["calm"]["failures"] == 0
    assert "asyncio=" in found.mode("test_it")["plan"]


@pytest.mark.thorough
def test_trio_through_its_plugin_is_hunted(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    pytest.importorskip("trio")
    pytest.importorskip("anyio")
    pytester.makepyfile(
        """
        import pytest, trio
        @pytest.fixture
        def anyio_backend(): return "trio"
        @pytest.mark.anyio
        async def test_sound():
            async with trio.open_nursery() as nursery:
                for _ in range(3): nursery.start_soon(trio.sleep, 0)
        """
    )
    found = hunt("--flakehunt-only=asyncio", sweeps=6, plugins=["anyio.pytest_plugin"])
    assert found.verdicts == {"test_sound": "steady"}
