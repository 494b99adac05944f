import pytest


def fibonacci(n):
    low, high = 0, 1
    for _ in range(n):
        low, high = high, low + high
    return low


@pytest.mark.parametrize(("n", "expected"), [(1, 1), (10, 55), (50, 12586269025)])
def test_fibonacci(benchmark, n, expected):
    assert benchmark(fibonacci, n) == expected


def test_sorting(benchmark):
    result = benchmark.pedantic(sorted, args=([3, 1, 2],), rounds=5, iterations=2)
    assert result == [1, 2, 3]


@pytest.mark.benchmark(group="joining", min_rounds=3)
def test_joining(benchmark):
    assert len(benchmark("".join, ["x"] * 100)) == 100


def test_unmeasured():
    assert fibonacci(7) == 13
