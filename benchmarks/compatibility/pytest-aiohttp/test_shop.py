import pytest
from aiohttp import ClientSession, web


async def price(request):
    return web.json_response({request.match_info["name"]: 3})


async def pay(request):
    given = await request.json()
    return web.json_response({"change": given["paid"] - 3}, status=201)


@pytest.fixture
async def shop(aiohttp_client):
    app = web.Application()
    app.router.add_get("/price/{name}", price)
    app.router.add_post("/pay", pay)
    return await aiohttp_client(app)


@pytest.mark.parametrize("name", ["bread", "milk"])
async def test_price(shop, name):
    response = await shop.get(f"/price/{name}")
    assert await response.json() == {name: 3}


async def test_pay(shop):
    response = await shop.post("/pay", json={"paid": 5})
    assert response.status == 201
    assert await response.json() == {"change": 2}


async def test_missing(shop):
    assert (await shop.get("/nothing")).status == 404


async def test_own_session(aiohttp_server):
    app = web.Application()
    app.router.add_get("/price/{name}", price)
    server = await aiohttp_server(app)
    async with ClientSession() as session, session.get(server.make_url("/price/tea")) as response:
        assert await response.json() == {"tea": 3}


async def test_websocket(aiohttp_client):
    async def echo(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/echo", echo)
    client = await aiohttp_client(app)
    async with client.ws_connect("/echo") as socket:
        await socket.send_str("bread")
        assert await socket.receive_str() == "bread"
