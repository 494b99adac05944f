import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest


def test_json(httpserver):
    httpserver.expect_request("/bread").respond_with_json({"price": 3})
    with urlopen(httpserver.url_for("/bread"), timeout=20) as answer:
        assert json.load(answer) == {"price": 3}


def test_post(httpserver):
    httpserver.expect_request("/pay", method="POST", data="3").respond_with_data("thanks")
    with urlopen(Request(httpserver.url_for("/pay"), data=b"3"), timeout=20) as answer:
        assert answer.read() == b"thanks"


def test_unexpected(httpserver):
    with pytest.raises(HTTPError, match="500"):
        urlopen(httpserver.url_for("/nothing"), timeout=20)


def test_ordered(httpserver):
    for text in ("a", "b"):
        httpserver.expect_ordered_request("/").respond_with_data(text)
    said = []
    for _ in range(2):
        with urlopen(httpserver.url_for("/"), timeout=20) as answer:
            said.append(answer.read())
    assert said == [b"a", b"b"]


def test_handler(httpserver):
    from werkzeug import Response

    httpserver.expect_request("/echo").respond_with_handler(lambda request: Response(request.args["q"]))
    with urlopen(httpserver.url_for("/echo?q=tea"), timeout=20) as answer:
        assert answer.read() == b"tea"
    httpserver.check_assertions()
