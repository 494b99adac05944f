import asyncio

import pytest


@pytest.fixture
async def queue():
    queue = asyncio.Queue()
    yield queue
    assert queue.empty()


async def test_queue(queue):
    await queue.put(1)
    assert await queue.get() == 1


async def test_gather():
    async def double(n):
        await asyncio.sleep(0.001 * n)
        return 2 * n

    assert await asyncio.gather(double(3), double(1)) == [6, 2]


async def test_timeout():
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)


@pytest.mark.parametrize("n", [1, 2])
async def test_to_thread(n):
    assert await asyncio.to_thread(lambda: n * n) == n * n


async def test_lock():
    lock, order = asyncio.Lock(), []

    async def work(n):
        async with lock:
            order.append(n)
            await asyncio.sleep(0)
            order.append(n)

    await asyncio.gather(work(1), work(2))
    assert sorted(order) == [1, 1, 2, 2]
    assert order[0] == order[1]


async def test_server():
    async def echo(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"bread\n")
        assert await reader.readline() == b"bread\n"
        writer.close()
        await writer.wait_closed()
