"""Whose turn it is among findings: none waits for long runs of another one."""

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.diagnosis.budget import Budget
from pytest_flakehunt.diagnosis.laboratory import Laboratory
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
