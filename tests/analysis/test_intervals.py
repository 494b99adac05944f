from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.analysis.intervals import exact_bound, rate, wilson


@pytest.mark.parametrize(
    ("failures", "runs", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_newcombe_table_one(failures: int, runs: int, low: float, high: float) -> None:
    assert wilson(failures, runs) == pytest.approx((low, high), abs=5e-5)


counts = st.integers(1, 3000).flatmap(lambda runs: st.tuples(st.integers(0, runs), st.just(runs)))


@pytest.fixture(scope="module")
def binomtest() -> Any:
    from scipy import stats  # not at the top: it starts threads that would keep the suite from forking

    return stats.binomtest


@given(counts)
def test_scipy_agrees(binomtest: Any, count: tuple[int, int]) -> None:
    failures, runs = count
    theirs = binomtest(failures, runs).proportion_ci(method="wilson")
    assert wilson(failures, runs) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    exact = binomtest(0, runs).proportion_ci(method="exact")
    assert exact_bound(runs) == pytest.approx(exact.high)


@given(counts)
def test_the_share_seen_lies_within(count: tuple[int, int]) -> None:
    failures, runs = count
    low, high = rate(failures, runs)
    assert 0 <= low <= failures / runs <= high <= 1


def test_a_thousand_passes_exclude_four_in_a_thousand() -> None:
    assert rate(0, 1000).high == pytest.approx(0.00368, abs=1e-5)


def test_no_runs_exclude_nothing() -> None:
    assert rate(0, 0) == (0, 1)


def test_all_failed_is_bounded_like_none() -> None:
    assert rate(20, 20) == pytest.approx((1 - rate(0, 20).high, 1))


@pytest.mark.parametrize(
    ("failures", "runs", "confidence", "message"),
    [
        (3, 2, 0.95, "3 failures of 2 runs: give at least 1 run, and 0 failures up to all"),
        (-1, 2, 0.95, "-1 failures of 2 runs: give at least 1 run, and 0 failures up to all"),
        (0, 0, 0.95, "0 failures of 0 runs: give at least 1 run, and 0 failures up to all"),
        (1, 2, 1.0, "confidence 1.0: give a number strictly between 0 and 1"),
    ],
)
def test_impossible_counts_are_refused(failures: int, runs: int, confidence: float, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        wilson(failures, runs, confidence=confidence)
    assert str(refusal.value) == message
