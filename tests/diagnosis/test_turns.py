"""Whose turn it is among findings: none waits for long runs of another one."""

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.diagnosis.budget import Budget
from pytest_flakehunt.diagnosis.laboratory import Laboratory
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model import Setup
from tests.analysis.test_attribution import a_target

MANY = tuple(f"t{number}" for number in range(100))


def a_bench(name: str, before: tuple[str, ...], runs: int, allowed: float) -> Any:
    target = a_target("", nodeid=name, seconds=dict.fromkeys((*MANY, name), 1.0))
    return SimpleNamespace(
        lead=SimpleNamespace(target=target), waiting=[(place, Setup(before=before)) for place in range(runs)], spent=0.0,
        allowed=allowed, between_batches=True, done=False,
    )  # fmt: skip


def a_laboratory(*benches: Any) -> Any:
    made = object.__new__(Laboratory)
    made.pool = SimpleNamespace(workers=1)  # type: ignore[assignment]
    made.budget = Budget(1000.0, 0.0)
    made._active, made._later = [], deque(benches)
    made._alone, made._alone_for, made._began = None, 0.0, realtime.monotonic() - 100.0
    return made


def test_who_asks_for_long_runs_lets_others_go_first_and_comes_in_the_end() -> None:
    long = a_bench("long", MANY, 2, 10.0)
    quick = [a_bench(f"quick {number}", (), 4, 10.0) for number in range(4)]
    laboratory, begun = a_laboratory(long, *quick), []
    while laboratory._fill():
        bench = laboratory._active[0]
        begun.append(bench.lead.target.nodeid)
        bench.done = True
    assert begun == ["quick 0", "quick 1", "quick 2", "quick 3", "long"]


def test_who_is_alone_may_run_as_long_as_it_likes() -> None:
    long = a_bench("long", MANY, 2, 10.0)
    laboratory = a_laboratory(long)
    assert laboratory._fill()
    assert laboratory._active == [long]
    assert long.allowed == pytest.approx(10.0)


def test_hundreds_that_all_want_more_than_their_share_are_not_turned_over_without_end() -> None:
    laboratory = a_laboratory(*(a_bench(f"long {number}", MANY, 2, 0.001) for number in range(600)))
    assert laboratory._fill()
    assert len(laboratory._active) == 2


def a_bench_that_wants_quiet(name: str) -> Any:
    bench = a_bench(name, (), 2, 100.0)
    bench.waiting = [(0, Setup(lone=True)), (1, Setup(lone=True))]
    return bench


def test_who_needs_the_machine_alone_takes_no_place_of_those_who_share_it() -> None:
    lone = [a_bench_that_wants_quiet(f"lone {number}") for number in range(4)]
    shared = [a_bench(f"shared {number}", (), 2, 100.0) for number in range(4)]
    laboratory = a_laboratory(*lone, *shared)
    assert laboratory._fill()
    assert laboratory._active == [*lone, *shared[:2]]


def test_runs_alone_have_their_share_of_the_time_and_no_more() -> None:
    laboratory = a_laboratory(
        a_bench_that_wants_quiet("lone"), *(a_bench(f"shared {n}", (), 2, 100.0) for n in range(4))
    )
    laboratory._fill()
    assert laboratory._alone_is_due()
    laboratory._alone_for = 19.0  # of 100 seconds, for one finding of five
    assert laboratory._alone_is_due()
    laboratory._alone_for = 21.0
    assert not laboratory._alone_is_due()


def test_alone_only_what_was_asked_for_at_once_is_run_and_others_go_on_then() -> None:
    lone = a_bench_that_wants_quiet("lone")
    shared = a_bench("shared", (), 1, 100.0)
    laboratory = a_laboratory(lone, shared)
    laboratory._fill()
    slot: Any = SimpleNamespace(index=0)
    assert not laboratory._may(slot, lone, lone.waiting[0][1])
    assert laboratory._may(slot, shared, shared.waiting[0][1])
    laboratory._alone = lone.waiting
    assert laboratory._may(slot, lone, lone.waiting[0][1])
    assert not laboratory._may(slot, shared, shared.waiting[0][1])
    lone.waiting = [(0, Setup(lone=True))]  # the next ones
    assert not laboratory._may(slot, lone, lone.waiting[0][1])
