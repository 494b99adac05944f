"""A victim that comes before its polluter as written, and a brittle test that comes after its state-setter."""

prices = {}
currency = ["EUR"]


def test_victim():
    assert currency == ["EUR"]


def test_polluter():
    currency[0] = "USD"


def test_state_setter():
    prices["tea"] = 3


def test_brittle():
    assert prices["tea"] == 3
