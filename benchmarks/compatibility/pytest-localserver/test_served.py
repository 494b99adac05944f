import smtplib
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest


def test_content(httpserver):
    httpserver.serve_content("bread", headers={"X-Price": "3"})
    with urlopen(httpserver.url, timeout=20) as answer:
        assert answer.read() == b"bread"
        assert answer.headers["X-Price"] == "3"


@pytest.mark.parametrize("code", [404, 503])
def test_codes(httpserver, code):
    httpserver.serve_content("no", code)
    with pytest.raises(HTTPError, match=str(code)):
        urlopen(httpserver.url, timeout=20)


def test_requests(httpserver):
    httpserver.serve_content("x")
    with urlopen(httpserver.url + "/tea", timeout=20):
        pass
    assert [request.path for request in httpserver.requests] == ["/tea"]


def test_mail(smtpserver):
    with smtplib.SMTP(*smtpserver.addr, timeout=20) as client:
        client.sendmail("a@shop.example", ["b@shop.example"], "Subject: bread\n\n3")
    assert [mail["subject"] for mail in smtpserver.outbox] == ["bread"]
