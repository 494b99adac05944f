import pytest
import trio
from trio.testing import MockClock
import trio.lowlevel


@pytest.fixture
async def channel():
    send, receive = trio.open_memory_channel(3)
    async with send, receive:
        yield send, receive


async def test_channel(channel):
    send, receive = channel
    await send.send(1)
    assert await receive.receive() == 1


async def test_nursery():
    seen = []

    async def work(n):
        await trio.lowlevel.checkpoint()
        seen.append(n)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work, 1)
        nursery.start_soon(work, 2)
    assert sorted(seen) == [1, 2]


async def test_long_wait(autojump_clock):
    before = trio.current_time()
    await trio.sleep(1000)
    assert trio.current_time() - before == 1000


async def test_clock(mock_clock):
    assert isinstance(mock_clock, MockClock)
    mock_clock.jump(7)
    assert trio.current_time() == 7


async def test_cancelled():
    with trio.move_on_after(0.01) as scope:
        await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_thread():
    assert await trio.to_thread.run_sync(lambda: 4) == 4
