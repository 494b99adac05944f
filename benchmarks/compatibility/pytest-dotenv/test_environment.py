import os

import pytest


def test_set():
    assert os.environ["SHOP_URL"] == "http://shop.example"


def test_quoted():
    assert os.environ["SHOP_NAME"] == "corner shop"


def test_expanded():
    assert os.environ["SHOP_PRICES"] == "http://shop.example/prices"


@pytest.mark.parametrize("value", ["a", "b"])
def test_changed(monkeypatch, value):
    monkeypatch.setenv("SHOP_NAME", value)
    assert os.environ["SHOP_NAME"] == value


def test_plain():
    assert 2 + 1 == 3
