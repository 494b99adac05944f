"""The experiments on one finding, as they wait for their turn."""

from typing import Any

from pytest_flakehunt.diagnosis.benches import Bench, Lead
from pytest_flakehunt.model import Reply, Seen
from tests.analysis.test_attribution import a_target


def test_nobody_takes_a_turn_in_the_middle_of_what_was_asked_for_together() -> None:
    nothing: Any = None
    bench = Bench([Lead(a_target(), nothing, nothing)], keep=lambda *_: None)
    bench.begin()
    assert bench.between_batches
    places = [place for place, _ in bench.waiting]
    for place in places[:-1]:
        bench.waiting.pop(0)
        assert not bench.between_batches
        bench.take(place, Seen(Reply.PASSES))
    bench.waiting.pop(0)
    assert not bench.between_batches  # it is under way
    bench.take(places[-1], Seen(Reply.PASSES))
    assert bench.between_batches
