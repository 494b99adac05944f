import pytest
import requests


def test_json(requests_mock):
    requests_mock.get("http://shop.example/bread", json={"price": 3})
    assert requests.get("http://shop.example/bread", timeout=9).json() == {"price": 3}


def test_status(requests_mock):
    requests_mock.post("http://shop.example/pay", status_code=201)
    assert requests.post("http://shop.example/pay", timeout=9).status_code == 201


def test_error(requests_mock):
    requests_mock.get("http://shop.example/", exc=requests.ConnectTimeout)
    with pytest.raises(requests.ConnectTimeout):
        requests.get("http://shop.example/", timeout=9)


def test_sequence(requests_mock):
    requests_mock.get("http://shop.example/", [{"text": "a"}, {"text": "b"}])
    assert [requests.get("http://shop.example/", timeout=9).text for _ in range(2)] == ["a", "b"]


def test_history(requests_mock):
    requests_mock.get("http://shop.example/?q=tea", text="2")
    requests.get("http://shop.example/", params={"q": "tea"}, timeout=9)
    assert requests_mock.last_request.qs == {"q": ["tea"]}
