import pytest
from pytest_cases import case, fixture, parametrize, parametrize_with_cases


def case_small():
    return [1, 2], 3


@case(tags="large")
def case_large():
    return [100, 200], 300


@parametrize(n=[0, 5])
def case_same(n):
    return [n, n], 2 * n


@parametrize_with_cases(("prices", "total"), cases=".")
def test_total(prices, total):
    assert sum(prices) == total


@parametrize_with_cases(("prices", "total"), cases=".", has_tag="large")
def test_large(prices, total):
    assert min(prices) >= 100


@fixture
@parametrize(name=["bread", "milk"])
def item(name):
    return name


def test_item(item):
    assert item in {"bread", "milk"}


def test_plain():
    with pytest.raises(ValueError, match="x"):
        raise ValueError("x")
