import pytest
from inline_snapshot import external_file, snapshot


def test_receipt():
    assert {"bread": 3, "milk": 2} == snapshot({"bread": 3, "milk": 2})


@pytest.mark.parametrize("n", [1, 2])
def test_bounds(n):
    assert n <= snapshot(2)


def test_words():
    assert "bread and milk".split() == snapshot(["bread", "and", "milk"])


def test_item():
    prices = snapshot({"bread": 3})
    assert prices["bread"] == 3


def test_contains():
    assert 5 in snapshot([5])


def test_external():
    assert "a long text\n" == external_file("receipt.txt")
