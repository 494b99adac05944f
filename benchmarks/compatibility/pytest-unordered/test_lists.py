import pytest
from pytest_unordered import unordered


def test_set():
    assert list({"bread", "milk"}) == unordered("milk", "bread")


def test_nested():
    assert [{"prices": [2, 3]}] == [{"prices": unordered(3, 2)}]


@pytest.mark.parametrize("items", [[1, 2], [2, 1]])
def test_both(items):
    assert items == unordered(1, 2)


def test_unlike():
    assert [1, 2] != unordered(1, 3)


def test_generator():
    assert unordered(n for n in (2, 1)) == [1, 2]
