from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.analysis.association import fisher, holm
from pytest_flakehunt.model import Count


@pytest.mark.parametrize(
    ("present", "absent", "p_value"),
    [((4, 4), (4, 0), 1 / 70), ((4, 3), (4, 1), 17 / 70), ((50, 2), (950, 0), 0.002453)],
)
def test_published_tables(present: tuple[int, int], absent: tuple[int, int], p_value: float) -> None:
    assert fisher(Count(*present), Count(*absent)) == pytest.approx(p_value, abs=1e-5)


def counted(highest: int) -> st.SearchStrategy[Count]:
    return st.integers(1, highest).flatmap(lambda runs: st.builds(Count, st.just(runs), st.integers(0, runs)))


@pytest.fixture(scope="module")
def fisher_exact() -> Any:
    from scipy import stats  # not at the top: it starts threads that would keep the suite from forking

    return stats.fisher_exact


@given(counted(60), counted(200))
def test_scipy_agrees(fisher_exact: Any, present: Count, absent: Count) -> None:
    table = [
        [present.failures, present.runs - present.failures],
        [absent.failures, absent.runs - absent.failures],
    ]
    theirs = fisher_exact(table, alternative="greater").pvalue
    assert fisher(present, absent) == pytest.approx(theirs, rel=1e-6)


def test_no_failures_under_it_say_nothing() -> None:
    assert fisher(Count(5, 0), Count(9, 4)) == 1


def test_holm_as_published() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_those_left_out_of_a_family_still_count() -> None:
    assert holm([0.01, 0.02], family=10) == pytest.approx([0.1, 0.18])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_a_correction_never_makes_anything_surer_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, corrected, strict=True))
    assert all(after <= 1 for after in corrected)
    pairs = sorted(zip(p_values, corrected, strict=True))
    assert [after for _, after in pairs] == sorted(corrected)
