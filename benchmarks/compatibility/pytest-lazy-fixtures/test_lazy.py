import pytest
from pytest_lazy_fixtures import lf, lfc


@pytest.fixture
def bread():
    return 3


@pytest.fixture
def milk(bread):
    return bread - 1


@pytest.fixture(params=[lf("bread"), lf("milk")])
def price(request):
    return request.param


@pytest.mark.parametrize("found", [lf("bread"), lf("milk"), 4])
def test_found(found):
    assert found in {2, 3, 4}


def test_price(price):
    assert price in {2, 3}


@pytest.mark.parametrize("total", [lfc(lambda one, two: one + two, lf("bread"), lf("milk"))])
def test_called(total):
    assert total == 5


@pytest.mark.parametrize("digits", [lf("bread.bit_length")])
def test_attribute(digits):
    assert digits() == 2


def test_plain(milk):
    assert milk == 2
