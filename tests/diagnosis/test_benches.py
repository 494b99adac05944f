"""The experiments on one finding, as they wait for their turn."""

from types import SimpleNamespace
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


class Kept(dict[tuple[str, int], tuple[str, str, float]]):
    """Steps, kept in memory."""

    def keep_step(self, bench: str, step: int, asked: str, seen: str, spent: float) -> None:
        self[bench, step] = asked, seen, spent

    def step(self, bench: str, step: int) -> tuple[str, str, float] | None:
        return self.get((bench, step))


def steps(memory: Kept, most: int, reply: Reply = Reply.PASSES) -> tuple[Bench, list[object]]:
    """Make so many steps of experiments; give the bench, and what it asked for last."""
    mode: Any = SimpleNamespace(fingerprint="f" * 16)
    nothing: Any = None
    bench = Bench([Lead(a_target(), nothing, mode)], keep=lambda *_: None, memory=memory)
    bench.begin()
    for _ in range(most):
        for place, _setup in [*bench.waiting]:
            bench.waiting.pop(0)
            bench.runs += 1
            bench.spent += 0.5
            bench.take(place, Seen(reply))
    return bench, [setup for _, setup in bench.waiting]


def test_steps_that_were_made_before_the_hunt_was_killed_are_not_made_again() -> None:
    memory = Kept()
    whole, asked = steps(memory, 2)
    again, first = steps(memory, 0)
    assert first == asked
    assert (again.runs, again.earlier, again.spent) == (whole.runs, whole.runs, whole.spent)
    half, _ = steps(Kept(list(memory.items())[:1]), 0)
    assert 0 < half.runs < whole.runs


def test_a_step_that_asked_for_other_runs_is_made_anew_and_so_is_all_after_it() -> None:
    memory = Kept()
    steps(memory, 2)
    (first, (_, seen, spent)), *_ = memory.items()
    memory[first] = "other", seen, spent
    again, _ = steps(memory, 0)
    assert again.runs == again.earlier == 0
    made, _ = steps(memory, 1)
    assert made.earlier == 0
