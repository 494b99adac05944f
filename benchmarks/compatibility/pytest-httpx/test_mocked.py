import httpx
import pytest


def test_json(httpx_mock):
    httpx_mock.add_response(json={"price": 3})
    assert httpx.get("http://shop.example/bread").json() == {"price": 3}


def test_url(httpx_mock):
    httpx_mock.add_response(url="http://shop.example/milk", text="2")
    assert httpx.get("http://shop.example/milk").text == "2"


def test_error(httpx_mock):
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get("http://shop.example/")


def test_requests(httpx_mock):
    httpx_mock.add_response(status_code=201)
    httpx.post("http://shop.example/pay", content=b"3")
    assert [request.content for request in httpx_mock.get_requests()] == [b"3"]


@pytest.mark.parametrize("code", [404, 500])
def test_codes(httpx_mock, code):
    httpx_mock.add_response(status_code=code)
    assert httpx.get("http://shop.example/").is_error
