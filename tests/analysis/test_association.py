from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.analysis.association import distribution, fisher, holm, stratified
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


RABBITS = [((5, 5), (6, 6)), ((6, 6), (6, 3)), ((6, 4), (6, 0)), ((6, 0), (6, 1)), ((5, 0), (2, 0))]
"""Died of those treated late, and at once, by dose: R gives S = 16 cures at once and p = 0.03994, two-sided."""


def test_strata_as_published() -> None:
    strata = [(Count(*late), Count(*once)) for late, once in RABBITS]
    fewest, chances = distribution(strata)
    seen = chances[sum(late.failures for late, _ in strata) - fewest]
    assert sum(chance for chance in chances if chance <= seen * (1 + 1e-7)) == pytest.approx(0.03994, abs=5e-6)


STRATA = st.lists(st.tuples(counted(30), counted(30)), min_size=1, max_size=6)


@given(STRATA)
def test_the_chances_of_all_outcomes_add_up(strata: list[tuple[Count, Count]]) -> None:
    assert sum(distribution(strata)[1]) == pytest.approx(1)


@given(STRATA, st.sampled_from([(7, 0), (7, 7)]), st.integers(0, 9))
def test_a_stratum_without_a_difference_to_see_changes_nothing(
    strata: list[tuple[Count, Count]], same: tuple[int, int], others: int
) -> None:
    every = Count(*same)
    rest = Count(others, others if every.failures else 0)
    assert stratified([*strata, (every, rest)]) == pytest.approx(stratified(strata))


@given(STRATA, st.randoms(use_true_random=False))
def test_the_order_of_strata_is_of_no_matter(strata: list[tuple[Count, Count]], chance: Any) -> None:
    shuffled = list(strata)
    chance.shuffle(shuffled)
    assert stratified(shuffled) == pytest.approx(stratified(strata))


def test_what_strata_explain_is_no_association() -> None:
    always, never = (Count(20, 20), Count(5, 5)), (Count(5, 0), Count(20, 0))
    assert stratified([always, never]) == pytest.approx(1)
    assert fisher(Count(25, 20), Count(25, 5)) < 1e-4


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
