"""What a sweep under way has to tell, at any moment."""

from pathlib import Path

from pytest_flakehunt.model import CALM, Isolation, Outcome
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.pool.sweep import Ongoing
from pytest_flakehunt.zygote import wire


def test_a_sweep_that_is_cut_short_tells_each_test_once() -> None:
    ongoing = Ongoing(Draft(3), CALM, [[0, 1], [2]], Isolation.FORK, wire.NO_STUDY, Path())
    ongoing.attempts[1] = wire.Finished(1, Outcome.PASSED, 0.1, None)
    told = [(attempt.nodeid, attempt.outcome) for attempt in ongoing.results(["a", "b", "c"])]
    assert told == [("b", Outcome.PASSED), ("a", Outcome.UNREACHED), ("c", Outcome.UNREACHED)]
