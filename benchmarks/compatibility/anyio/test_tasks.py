import anyio
import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
async def stream():
    send, receive = anyio.create_memory_object_stream(5)
    async with send, receive:
        yield send, receive


async def test_stream(stream):
    send, receive = stream
    await send.send("bread")
    assert await receive.receive() == "bread"


async def test_group():
    seen = []

    async def work(n):
        await anyio.sleep(0.001)
        seen.append(n)

    async with anyio.create_task_group() as group:
        for n in range(3):
            group.start_soon(work, n)
    assert sorted(seen) == [0, 1, 2]


async def test_cancelled():
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_thread():
    assert await anyio.to_thread.run_sync(lambda: 4) == 4


async def test_file(tmp_path):
    path = anyio.Path(tmp_path) / "prices"
    await path.write_text("bread")
    assert await path.read_text() == "bread"
