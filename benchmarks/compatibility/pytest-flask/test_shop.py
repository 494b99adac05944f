import pytest
from flask import url_for


@pytest.mark.parametrize("name", ["bread", "milk"])
def test_price(client, name):
    assert client.get(f"/price/{name}").json == {name: 3}


def test_session(client):
    assert [client.post("/visit").text for _ in range(2)] == ["1", "2"]


def test_missing(client):
    assert client.get("/nothing").status_code == 404


def test_url(client):
    assert client.get(url_for("price", name="tea")).json == {"tea": 3}


def test_config(config):
    assert config["SECRET_KEY"] == "for tests"


def test_context(app):
    with app.app_context():
        assert app.name == "shop"
