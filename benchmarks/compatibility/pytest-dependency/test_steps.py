import pytest


@pytest.mark.dependency
def test_open():
    assert True


@pytest.mark.dependency(depends=["test_open"])
def test_serve():
    assert 2 + 1 == 3


@pytest.mark.dependency(name="closing", depends=["test_serve"])
def test_close():
    assert True


@pytest.mark.dependency
@pytest.mark.xfail(reason="not built yet")
def test_cellar():
    raise AssertionError


@pytest.mark.dependency(depends=["test_cellar"])
def test_wine():
    raise AssertionError


def test_free():
    assert True
