import os

import pytest


def test_set():
    assert os.environ["SHOP_URL"] == "http://shop.example"


def test_default():
    assert os.environ["SHOP_LEVEL"] == "3"


def test_raw():
    assert os.environ["SHOP_RAW"] == "{HOME}"


def test_home():
    assert os.environ["SHOP_HOME"].endswith("/shop")


@pytest.mark.parametrize("value", ["a", "b"])
def test_changed(monkeypatch, value):
    monkeypatch.setenv("SHOP_LEVEL", value)
    assert os.environ["SHOP_LEVEL"] == value
