import pytest
import pytest_twisted
from twisted.internet import defer, protocol, reactor, task, threads


@pytest.fixture
def price():
    return pytest_twisted.blockon(task.deferLater(reactor, 0.001, lambda: 3))


def test_waited(price):
    assert price == 3


@pytest_twisted.inlineCallbacks
def test_chain():
    price = yield defer.succeed(2).addCallback(lambda value: value + 1)
    assert price == 3


@pytest_twisted.ensureDeferred
async def test_awaited():
    assert await threads.deferToThread(lambda: 4) == 4


@pytest_twisted.ensureDeferred
async def test_failed():
    with pytest.raises(ValueError, match="x"):
        await defer.fail(ValueError("x"))


@pytest_twisted.ensureDeferred
async def test_port():
    port = reactor.listenTCP(0, protocol.Factory.forProtocol(protocol.Protocol), interface="127.0.0.1")
    assert port.getHost().port > 0
    await defer.maybeDeferred(port.stopListening)


def test_clock():
    clock, seen = task.Clock(), []
    clock.callLater(5, seen.append, 1)
    clock.advance(5)
    assert seen == [1]
