import numpy
import pytest


@pytest.fixture
def prices():
    return numpy.array([[1.0, 2.0], [3.0, 4.0]])


def test_solve(prices):
    answer = numpy.linalg.solve(prices, [5.0, 11.0])
    numpy.testing.assert_allclose(answer, [1.0, 2.0])


def test_seeded():
    first, second = (numpy.random.default_rng(7).normal(size=3) for _ in range(2))
    assert (first == second).all()


def test_old_seed():
    numpy.random.seed(7)
    first = numpy.random.rand()
    numpy.random.seed(7)
    assert numpy.random.rand() == first


@pytest.mark.parametrize("size", [10, 300])
def test_product(size):
    ones = numpy.ones((size, size))
    assert (ones @ ones == size).all()


def test_saved(prices, tmp_path):
    numpy.savez(tmp_path / "prices.npz", prices=prices)
    with numpy.load(tmp_path / "prices.npz") as saved:
        assert (saved["prices"] == prices).all()


def test_mapped(tmp_path):
    mapped = numpy.memmap(tmp_path / "map", dtype="u1", mode="w+", shape=(4,))
    mapped[:] = 7
    mapped.flush()
    assert (tmp_path / "map").read_bytes() == b"\x07" * 4
