import httpx
import pytest


def shop(request):
    if request.url.path == "/slow":
        raise httpx.ReadTimeout("too slow", request=request)
    return httpx.Response(200, json={"path": request.url.path, "paid": request.content.decode()})


@pytest.fixture
def client():
    with httpx.Client(transport=httpx.MockTransport(shop), base_url="http://shop.example") as client:
        yield client


def test_get(client):
    assert client.get("/bread").json()["path"] == "/bread"


def test_post(client):
    assert client.post("/pay", content="3").json()["paid"] == "3"


def test_timeout(client):
    with pytest.raises(httpx.TimeoutException):
        client.get("/slow")


def test_event_hooks():
    seen = []
    hooks = {"response": [lambda response: seen.append(response.status_code)]}
    with httpx.Client(transport=httpx.MockTransport(shop), event_hooks=hooks) as client:
        client.get("http://shop.example/x")
    assert seen == [200]


def test_wsgi():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"bread"]

    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://shop.example") as client:
        assert client.get("/").text == "bread"
