import pytest
from pytest_check import check


def test_many():
    check.equal(1 + 1, 2)
    check.is_in("a", "abc")


def test_block():
    with check:
        assert 2 + 1 == 3
    with check:
        assert "bread"


def test_fixture(check):
    check.almost_equal(0.1 + 0.2, 0.3)


@pytest.mark.xfail(reason="two wrong sums")
def test_two_failures():
    check.equal(1 + 1, 3)
    check.equal(2 + 2, 5)


def test_raises():
    with check.raises(ValueError):
        int("x")
