"""What a diagnosis is told of the survey."""

from pytest_flakehunt.diagnosis.cases import MOST_FAILURES, _various
from pytest_flakehunt.model import Isolation, Sweep
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry

KNOWN = registry()


def sweep(number: int, plan: str) -> Sweep:
    return Sweep(number, read_plan(plan, KNOWN), (), Isolation.FORK, 0, "", 0)


def test_failing_sweeps_of_every_kind_are_among_the_few_that_are_searched_for_a_further_cause() -> None:
    many = [sweep(number, "cores=1") for number in range(200)]
    few = [sweep(200, "timezone=UTC"), sweep(201, "timezone=Asia/Tokyo"), sweep(202, "cores=1 timezone=UTC")]
    chosen = [one.number for one in _various([*many, *few])]
    assert len(chosen) == MOST_FAILURES
    assert chosen[:5] == [0, 200, 202, 1, 201]
    assert chosen[5:] == list(range(2, 27))
