import pytest


def test_receipt(snapshot):
    assert snapshot("receipt.txt") == "bread 3\nmilk 2\n"


@pytest.mark.parametrize("n", [1, 2])
def test_squares(snapshot, n):
    assert snapshot() == str(n * n)


def test_json(snapshot):
    assert snapshot("json") == {"name": "bread"}


def test_bytes(snapshot):
    assert snapshot("data.bin") == b"bread"


def test_plain():
    assert 2 + 2 == 4
