"""Whether a test is the victim of a polluter that others are victims of."""

from collections.abc import Callable
from random import Random
from typing import Any

from pytest_flakehunt.analysis.members import known_polluter
from pytest_flakehunt.analysis.target import Ran, Target
from pytest_flakehunt.model import Count, Diagnosis, Setup
from tests.analysis.test_attribution import a_target, diagnosed, seen_in

World = Callable[[Setup], float]
HISTORY = [Ran(("t3", "t5"), fails=True), Ran(("t1", "t3"), fails=True), Ran(("t1", "t5"), fails=False)]


def after(test: str, share: float = 1.0) -> World:
    return lambda setup: share * (test in setup.before)


def shown(polluter: str) -> Diagnosis:
    found, _ = diagnosed(after(polluter), a_target("", history=lambda: HISTORY), 1)
    assert found.causes[0].polluters == (polluter,)
    return found


def asked(found: list[Diagnosis], target: Target, world: World, seed: int = 1) -> tuple[Diagnosis | None, int]:
    """Give what comes of it, and how many runs it took."""
    experiment, runs, chance = known_polluter(found, target), 0, Random(seed)
    try:
        setups = next(experiment)
        while True:
            runs += len(setups)
            setups = experiment.send([seen_in(world, setup, chance) for setup in setups])
    except StopIteration as end:
        return end.value, runs


def victim(**changed: Any) -> Target:
    return a_target("", **{"nodeid": "t11", "history": lambda: HISTORY, **changed})


def test_a_victim_of_a_known_polluter_takes_three_runs_each_way() -> None:
    found, runs = asked([shown("t3")], victim(), after("t3"))
    assert found is not None
    assert (found.causes[0].sentence, found.causes[0].polluters) == ("is the victim of t3", ("t3",))
    assert (found.causes[0].present, found.causes[0].absent, runs) == (Count(3, 3), Count(3, 0), 6)


def test_who_ran_before_it_as_it_passed_or_not_as_it_failed_is_not_tried() -> None:
    assert asked([shown("t5")], victim(), after("t5")) == (None, 0)
    assert asked([shown("t3")], victim(history=lambda: HISTORY[:2]), after("t3")) == (None, 0)
    assert asked([shown("t3")], victim(calm=Count(40, 1)), after("t3")) == (None, 0)
    assert asked([shown("t3")], a_target("", nodeid="t3", history=lambda: HISTORY), after("t3")) == (None, 0)


def test_who_does_not_make_it_fail_each_time_is_not_named() -> None:
    assert asked([shown("t3")], victim(), after("t5"))[0] is None
    named = sum(asked([shown("t3")], victim(), after("t3", 0.5), seed)[0] is not None for seed in range(200))
    assert named in range(10, 45)  # one in eight: then it did so each time that it was tried
