"""Counts of tests while a hunt runs: which of them forks alone may make fail."""

from collections.abc import Sequence

import pytest

from pytest_flakehunt.model import Attempt, Isolation, Outcome, Plan, Sweep
from pytest_flakehunt.perturbations.repeat import Repeat
from pytest_flakehunt.pool.tallies import FEWEST_LATER, Tallies

NODEID = "a.py::test_it"
FORK, UNFORKED, FRESH = Isolation.FORK, Isolation.UNFORKED, Isolation.FRESH


def tallied(*runs: tuple[int, Isolation, bool], seconds: float = 1.0, perturbed: bool = False) -> Tallies:
    """Give the counts of sweeps that began one after another, each a second after the former.

    Args:
        runs: zygote, isolation, and whether the test passed.
        seconds: how long each took.
        perturbed: whether all but the first were.
    """
    tallies = Tallies.of([(NODEID, "a.py", 0)])
    for number, (zygote, isolation, passed) in enumerate(runs):
        plan = Plan((("repeat", Repeat(2)),)) if perturbed and number else Plan()
        sweep = Sweep(number, plan, (), isolation, zygote, "", 0, started=float(number), seconds=seconds)
        tallies.add(sweep, [Attempt(NODEID, Outcome.PASSED if passed else Outcome.FAILED)])
    return tallies


LATER = [(1, FORK, False)] * FEWEST_LATER


@pytest.mark.parametrize(
    ("runs", "unchecked", "doubted"),
    [
        ([(1, FORK, True), *LATER], True, False),
        ([(1, FORK, True), *LATER, (2, FORK, True), (2, FORK, False)], True, False),
        ([(1, FORK, True), *LATER, (2, FORK, True), (2, FORK, True)], False, False),
        ([(1, FORK, True), *LATER[1:]], False, False),
        ([(1, FORK, False)], True, False),
        ([(1, FORK, True), *LATER, (1, UNFORKED, False)], True, False),
        ([(1, FORK, True), *LATER, (1, UNFORKED, True)], False, True),
        ([(1, FORK, True), *LATER, (2, FRESH, True)], False, True),
        ([(1, FORK, True), *LATER, (2, FRESH, False)], False, False),
    ],
)
def test_what_fails_in_all_forks_or_in_all_but_the_first_of_each_interpreter_is_doubted(
    runs: Sequence[tuple[int, Isolation, bool]], unchecked: bool, doubted: bool
) -> None:
    assert tallied(*runs).doubted() == ((NODEID,) * unchecked, (NODEID,) * doubted)


def test_forks_side_by_side_are_no_later_ones() -> None:
    assert tallied((1, FORK, True), *LATER, seconds=60).doubted() == ((), ())


def test_what_fails_later_only_as_it_is_perturbed_is_not_doubted() -> None:
    """Seen with ``--flakehunt-only=repeat``: a test that fails after another one ran twice."""
    assert tallied((1, FORK, True), *LATER, perturbed=True).doubted() == ((), ())


def test_each_is_named_once() -> None:
    tallies = tallied((1, FORK, True), *LATER)
    assert tallies.doubted() == ((NODEID,), ())
    assert tallies.doubted() == ((), ())
