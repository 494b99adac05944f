import fakeredis
import pytest
import redis


@pytest.fixture
def store():
    return fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True)


def test_set(store):
    store.set("bread", 3)
    assert store.get("bread") == "3"


def test_counter(store):
    assert [store.incr("sold") for _ in range(3)] == [1, 2, 3]


def test_expiry(store):
    store.set("bread", 3, ex=60)
    assert 0 < store.ttl("bread") <= 60


def test_pipeline(store):
    with store.pipeline() as pipeline:
        pipeline.rpush("queue", "a", "b")
        pipeline.lrange("queue", 0, -1)
        assert pipeline.execute() == [2, ["a", "b"]]


def test_published(store):
    listener = store.pubsub()
    listener.subscribe("news")
    store.publish("news", "bread")
    assert listener.get_message(timeout=5)["type"] == "subscribe"
    assert listener.get_message(timeout=5)["data"] == "bread"
    listener.close()


def test_down():
    server = fakeredis.FakeServer()
    server.connected = False
    with pytest.raises(redis.ConnectionError):
        fakeredis.FakeRedis(server=server).ping()
