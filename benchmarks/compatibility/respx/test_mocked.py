import httpx
import pytest
import respx


@respx.mock
def test_decorated():
    route = respx.get("http://shop.example/bread").respond(json={"price": 3})
    assert httpx.get("http://shop.example/bread").json() == {"price": 3}
    assert route.call_count == 1


def test_fixture(respx_mock):
    respx_mock.post("http://shop.example/pay").mock(return_value=httpx.Response(201))
    assert httpx.post("http://shop.example/pay").status_code == 201


def test_error(respx_mock):
    respx_mock.get("http://shop.example/").mock(side_effect=httpx.ConnectError)
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://shop.example/")


@pytest.mark.respx(base_url="http://shop.example")
def test_base(respx_mock):
    respx_mock.get("/milk").respond(text="2")
    assert httpx.get("http://shop.example/milk").text == "2"


def test_patterns(respx_mock):
    respx_mock.get(url__regex=r"http://shop.example/\w+").respond(204)
    assert httpx.get("http://shop.example/tea").status_code == 204
