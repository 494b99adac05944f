"""Whole diagnoses in worlds whose truth is known: the cause is named, and chance never is."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import pytest

from pytest_flakehunt.analysis.attribution import Attribution, OutOfRuns
from pytest_flakehunt.analysis.reduction import Experiment
from pytest_flakehunt.analysis.target import Candidate, Target
from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import Count, Diagnosis, Reply, Seen, Setup
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry

KNOWN = registry()
World = Callable[[Setup], float]
"""Gives the chance that a run fails."""
PLAN = "cores=1 gc=random:77 hashseed=12345 latency=20ms random=99"
TESTS = tuple(f"t{number}" for number in range(12))


def setting(setup: Setup, name: str) -> str:
    return str(setup.plan.setting(name) or "")


def luck(*parts: object) -> float:
    """Draw a number that is always the same for the same parts."""
    return seeds.derive(0, *map(repr, parts)) / 2**32


def a_target(plan: str = PLAN, calm: Count = Count(40, 0), **changed: Any) -> Target:  # noqa: B008 - a constant
    usual: dict[str, Any] = {
        "nodeid": "t12",
        "candidates": [Candidate(read_plan(plan, KNOWN), TESTS, 7, 1)],
        "calm": calm,
        "calm_before": TESTS,
        "others": TESTS,
        "known": KNOWN,
        "active": frozenset(KNOWN),
        "now": datetime(2026, 11, 23, 12),
    }
    return Target(**{**usual, **changed})


def diagnosed(world: World, target: Target, seed: int, budget: int = 3000) -> tuple[Diagnosis, int]:
    chance = Random(seed)
    experiment: Experiment[Diagnosis] = Attribution(target).run()
    setup = next(experiment)
    runs = 0
    try:
        while True:
            fails = chance.random() < world(setup)
            runs += 1
            if runs == budget:
                experiment.throw(OutOfRuns)
            setup = experiment.send(Seen(Reply.FAILS if fails else Reply.PASSES))
    except StopIteration as end:
        found: Diagnosis = end.value
        return found, runs


def named(found: Diagnosis) -> list[str]:
    return [f"{cause.perturbation}={cause.setting}" for cause in found.causes]


@pytest.mark.parametrize(
    ("world", "causes", "most"),
    [
        (lambda setup: setting(setup, "latency") in {"20ms", "5ms"}, ["latency=5ms"], 120),
        (lambda setup: setting(setup, "gc") == "eager" or setting(setup, "gc") == "random:77", ["gc=eager"], 120),
        (lambda setup: bool(setting(setup, "gc") and setting(setup, "cores")), ["cores=1", "gc=eager"], 200),
        (lambda setup: setting(setup, "hashseed") in {"12345", "2"}, ["hashseed=2"], 200),
        (lambda setup: {"t3", "t7"} <= set(setup.before), ["order="], 300),
        (lambda setup: "t3" in setup.before and bool(setting(setup, "cores")), ["order=", "cores=1"], 300),
    ],
)
def test_a_sure_cause_is_named_as_simply_as_can_be(world: World, causes: list[str], most: int) -> None:
    for seed in range(20):
        found, runs = diagnosed(world, a_target(), seed)
        assert named(found) == causes
        assert runs <= most


@pytest.mark.parametrize(("rate", "share"), [(0.5, 0.95), (0.2, 0.85), (0.1, 0.7), (0.05, 0.4)])
def test_a_cause_that_fails_now_and_then_is_named_or_left_unknown(rate: float, share: float) -> None:
    said = [
        named(diagnosed(lambda setup: rate * (setting(setup, "cores") == "1"), a_target(), seed)[0])
        for seed in range(60)
    ]
    assert {name for names in said for name in names} <= {"cores=1"}
    assert sum(names == ["cores=1"] for names in said) >= 60 * share


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.5, 0.8])
def test_what_nothing_controls_is_never_named(rate: float) -> None:
    calm = Count(40, round(40 * rate))
    said = [diagnosed(lambda _: rate, a_target(calm=calm, workers=2), seed)[0] for seed in range(300)]
    assert [named(found) for found in said if found.causes] == []


def test_polluters_cleaners_and_brittle_tests_are_told_apart() -> None:
    def victim(setup: Setup) -> bool:
        return "t3" in setup.before and "t5" not in setup.before[setup.before.index("t3") :]

    target = a_target("random=1", candidates=[Candidate(read_plan("random=1", KNOWN), ("t5", "t2", "t3", "t1"), 7, 1)])
    (cause,) = diagnosed(victim, target, 1)[0].causes
    assert (cause.polluters, cause.cleaners) == (("t3",), ("t5",))
    (cause,) = diagnosed(lambda setup: not {"t4", "t6"} <= set(setup.before), a_target(), 1)[0].causes
    assert (cause.setters, cause.polluters) == (("t4", "t6"), ())


def test_what_is_drawn_at_import_is_never_taken_for_the_hash_seed_or_for_neighbours() -> None:
    def world(setup: Setup) -> bool:
        if setup.early and setup.fresh:
            return luck("held", setting(setup, "random")) < 0.5
        interpreter = (setting(setup, "hashseed"), setup.interpreter)
        return luck(seed, next(runs) if setup.fresh else interpreter) < 0.5

    said = []
    for seed in range(40):
        runs = iter(range(10**6))
        found, _ = diagnosed(world, a_target("hashseed=5 random=9", Count(12, 5), workers=4), seed)
        said.append([cause.perturbation for cause in found.causes])
    assert {name for names in said for name in names} == {"import"}
    assert sum(names == ["import"] for names in said) >= 36


def test_a_hash_seed_that_was_seen_in_calm_sweeps_only_is_never_taken_for_what_is_drawn_at_import() -> None:
    def world(setup: Setup) -> bool:
        return luck(seed, setting(setup, "hashseed") or setup.interpreter) < 0.5

    said = []
    for seed in range(40):
        found, _ = diagnosed(world, a_target("", Count(12, 5)), seed)
        said.append([cause.perturbation for cause in found.causes])
    assert {name for names in said for name in names} <= {"hashseed"}
    assert sum(names == ["hashseed"] for names in said) >= 30


def test_neighbours_are_named_where_one_interpreter_fails_beside_them() -> None:
    found, _ = diagnosed(lambda setup: 0.4 * setup.beside, a_target(workers=2), 1)
    assert [cause.perturbation for cause in found.causes] == ["parallel"]


def test_a_random_source_is_pinned() -> None:
    def world(setup: Setup) -> float:
        seed = setting(setup, "random")
        return luck(seed) < 0.4 if seed else 0.4

    said = [named(diagnosed(world, a_target("random=99", Count(40, 15)), seed)[0]) for seed in range(40)]
    assert all(len(names) == 1 and names[0].startswith("random=") for names in said)
