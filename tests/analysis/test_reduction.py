"""Deciding by repeated runs, and leaving out what is not needed, in worlds whose truth is known."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.analysis.reduction import Experiment, Rates, bounds, counted, decide, one, smallest
from pytest_flakehunt.model import Count, Reply, Seen, Setup

T = TypeVar("T")


def conduct(experiment: Experiment[T], world: Callable[[Setup], bool]) -> tuple[T, int]:
    runs = 0
    try:
        setups = next(experiment)
        while True:
            runs += len(setups)
            setups = experiment.send([Seen(Reply.FAILS if world(setup) else Reply.PASSES) for setup in setups])
    except StopIteration as end:
        return end.value, runs


@pytest.mark.parametrize(("fails", "most"), [(True, 4), (False, 6)])
def test_a_sure_outcome_takes_a_few_runs(fails: bool, most: int) -> None:
    rates = bounds(Count(8, 8), Count(40, 0))
    assert rates is not None
    said, runs = conduct(decide(Setup(), rates), lambda _: fails)
    assert said is fails
    assert runs <= most


@pytest.mark.parametrize(("rate", "right"), [(0.5, True), (0.02, False)])
def test_a_step_is_hardly_ever_wrong(rate: float, right: bool) -> None:
    chance = Random(1)
    wrong = sum(
        conduct(decide(Setup(), Rates(0.02, 0.5)), lambda _: chance.random() < rate)[0] is not right
        for _ in range(2000)
    )
    assert wrong <= 2000 * 0.015


def test_rates_that_are_too_close_cannot_be_told_apart() -> None:
    assert bounds(Count(8, 4), Count(8, 4)) is None
    assert bounds(Count(8, 0), Count(8, 0)) is None


def test_runs_without_a_result_are_not_counted() -> None:
    experiment = counted(Setup(), 2)
    next(experiment)
    with pytest.raises(StopIteration) as end:
        experiment.send([Seen(Reply.NOTHING), Seen(Reply.FAILS)])
    assert end.value.value == Count(1, 1)


@given(st.integers(1, 60), st.data())
def test_the_smallest_part_is_exactly_what_is_needed(size: int, data: st.DataObject) -> None:
    names = [str(number) for number in range(size)]
    needed = set(data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)))

    def holds(some: Sequence[str]) -> Experiment[bool]:
        seen = yield from one(Setup(before=tuple(some)))
        return seen.reply is Reply.FAILS

    found, _ = conduct(smallest(names, holds), lambda setup: needed <= set(setup.before))
    assert found == [name for name in names if name in needed]


def test_one_polluter_among_a_thousand_takes_a_few_dozen_steps() -> None:
    names = [str(number) for number in range(1000)]

    def holds(some: Sequence[str]) -> Experiment[bool]:
        seen = yield from one(Setup(before=tuple(some)))
        return seen.reply is Reply.FAILS

    found, runs = conduct(smallest(names, holds), lambda setup: "421" in setup.before)
    assert found == ["421"]
    assert runs <= 2 * 10
