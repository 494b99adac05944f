import pytest
import requests
import responses


@pytest.fixture
def mocked():
    with responses.RequestsMock() as mocked:
        yield mocked


@responses.activate
def test_decorated():
    responses.get("http://shop.example/bread", json={"price": 3})
    assert requests.get("http://shop.example/bread", timeout=9).json() == {"price": 3}


def test_fixture(mocked):
    mocked.post("http://shop.example/pay", status=201)
    assert requests.post("http://shop.example/pay", timeout=9).status_code == 201


@responses.activate
def test_unknown():
    with pytest.raises(requests.ConnectionError):
        requests.get("http://shop.example/", timeout=9)


@responses.activate
def test_callback():
    responses.add_callback("GET", "http://shop.example/", lambda request: (200, {}, request.url))
    assert requests.get("http://shop.example/", timeout=9).text == "http://shop.example/"


@responses.activate
def test_calls():
    responses.get("http://shop.example/", body="x")
    requests.get("http://shop.example/", timeout=9)
    assert len(responses.calls) == 1
