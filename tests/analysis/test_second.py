"""Two causes of one mode, in worlds whose truth is known: both are named, and one is never made two."""

from collections.abc import Sequence
from random import Random

import pytest

from pytest_flakehunt.analysis import second
from pytest_flakehunt.analysis.attribution import Attribution
from pytest_flakehunt.analysis.reduction import Experiment, OutOfRuns
from pytest_flakehunt.analysis.target import MOST_CANDIDATES, Candidate, Ran, Target
from pytest_flakehunt.model import Count, Diagnosis, Reply, Seen, Setup
from pytest_flakehunt.model.plans import read_plan
from tests.analysis.test_attribution import KNOWN, TESTS, World, a_target, named, setting

OTHERS = ("t0", "t1", "t2")


def failing(*plans: str, before: Sequence[str] = OTHERS) -> list[Candidate]:
    return [Candidate(read_plan(plan, KNOWN), tuple(before), 7 + place, 0) for place, plan in enumerate(plans)]


def ordered(*before: str) -> Candidate:
    return Candidate(read_plan("gc=eager", KNOWN), before, 90, 0, ordered=True)


def a_mode(candidates: Sequence[Candidate], calm: Count = Count(40, 0)) -> Target:  # noqa: B008 - a constant
    def history() -> list[Ran]:
        return [*(Ran(one.before, fails=True) for one in candidates), Ran(("t9", "t8"), fails=False)]

    few = candidates[:MOST_CANDIDATES]
    return a_target(candidates=few, calm=calm, failures=lambda: candidates, history=history)


def told(world: World, target: Target, seed: int = 1, budget: int = 3000) -> tuple[list[list[str]], int, int]:
    """Give what is named, one cause after another; and the runs that the first took, and the others."""
    chance = Random(seed)
    runs = [0, 0]

    def both() -> Experiment[tuple[Diagnosis, ...]]:
        first = yield from Attribution(target).run()
        runs.append(0)
        return (first, *(yield from second.others(target, first)))

    experiment = both()
    setups = next(experiment)
    try:
        while True:
            seen = [Seen(Reply.FAILS if chance.random() < world(setup) else Reply.PASSES) for setup in setups]
            runs[len(runs) - 2] += len(seen)
            over = sum(runs) >= budget
            setups = experiment.throw(OutOfRuns) if over else experiment.send(seen)
    except StopIteration as end:
        return [named(found) for found in end.value], runs[0], runs[1]


def cores_or_zone(setup: Setup) -> bool:
    return bool(setting(setup, "cores") or setting(setup, "timezone"))


def test_two_causes_are_both_named_each_shown_by_itself() -> None:
    target = a_mode(
        failing("cores=1", "timezone=Asia/Tokyo", "cores=1 timezone=UTC", "gc=eager timezone=Asia/Kathmandu")
    )
    for seed in range(60):
        causes, first, others = told(cores_or_zone, target, seed)
        assert causes[0] == ["cores=1"]
        assert len(causes) == 2
        assert causes[1][0].startswith("timezone=")
        assert first < 120
        assert others < 160


def test_an_order_and_a_setting_are_both_named() -> None:
    def world(setup: Setup) -> bool:
        return "t3" in setup.before or bool(setting(setup, "cores"))

    sweeps = [*failing("cores=1", "cores=1 gc=eager"), ordered(*TESTS)]
    for seed in range(60):
        causes, _, others = told(world, a_mode(sweeps), seed)
        assert causes == [["cores=1"], ["order="]]
        assert others < 200
        causes, _, others = told(world, a_mode(sweeps[::-1]), seed)
        assert causes == [["cores=1"], ["order="]]  # what shows without others costs less to try
        assert others < 120


def test_two_polluters_that_each_do_it_alone_are_two_causes() -> None:
    def world(setup: Setup) -> bool:
        return bool({"t3", "t7"} & set(setup.before))

    sweeps = [ordered("t1", "t3", "t2"), ordered("t2", "t7"), ordered("t7", "t3")]
    for seed in range(60):
        causes, _, others = told(world, a_mode(sweeps), seed)
        assert causes == [["order="], ["order="]]
        assert others < 120


def test_two_further_causes_are_named_and_no_more() -> None:
    names = ("cores", "timezone", "gc", "fds")

    def world(setup: Setup) -> bool:
        return any(setting(setup, name) for name in names)

    causes, _, others = told(world, a_mode(failing("cores=1", "timezone=UTC", "gc=eager", "fds=few")))
    assert causes == [["cores=1"], ["timezone=UTC"], ["gc=eager"]]
    assert others < 250


@pytest.mark.parametrize(
    "sweeps",
    [
        failing("cores=1", "cores=1 timezone=UTC", "cores=1 gc=eager"),
        failing("cores=1", "timezone=UTC", "gc=eager", "fds=few", "cores=1 latency=20ms"),
        [*failing("cores=1"), ordered(*TESTS), ordered("t3", "t4")],
    ],
)
def test_one_cause_is_never_made_two(sweeps: list[Candidate]) -> None:
    for seed in range(60):
        causes, _, others = told(lambda setup: bool(setting(setup, "cores")), a_mode(sweeps), seed)
        assert causes == [["cores=1"]]
        assert others <= second.LOOKS * (second.MOST_LOOKED + second.MOST_ORDERS)


def test_two_that_fail_only_together_are_one_cause_and_a_third_one_is_another() -> None:
    def world(setup: Setup) -> bool:
        pair = setting(setup, "cores") and setting(setup, "gc")
        return bool(pair or setting(setup, "timezone"))

    target = a_mode(failing("cores=1 gc=eager", "cores=1 timezone=UTC", "cores=1 gc=eager latency=20ms"))
    for seed in range(60):
        causes, _, _ = told(world, target, seed)
        assert causes == [["cores=1", "gc=eager"], ["timezone=UTC"]]


def test_what_fails_by_itself_has_no_second_cause() -> None:
    def world(setup: Setup) -> float:
        return 1.0 if setting(setup, "cores") else 0.2

    target = a_mode(failing("cores=1", "timezone=UTC", "gc=eager"), calm=Count(40, 8))
    for seed in range(60):
        causes, _, others = told(world, target, seed)
        assert len(causes) == 1
        assert others == 0


def test_what_fails_now_and_then_without_the_cause_has_no_second_one() -> None:
    def world(setup: Setup) -> float:
        return 1.0 if setting(setup, "cores") else 0.3

    target = a_mode(failing("cores=1", "timezone=UTC", "gc=eager"), calm=Count(3, 0))
    looked = [told(world, target, seed)[2] for seed in range(60)]
    assert sum(others > 0 for others in looked) <= 6  # by chance it never failed without the cause


def test_a_budget_that_ends_there_takes_no_cause_away() -> None:
    target = a_mode(failing("cores=1", "timezone=UTC", "gc=eager"))
    _, first, others = told(cores_or_zone, target)
    for budget in range(first + 1, first + others, 7):
        causes, _, _ = told(cores_or_zone, target, budget=budget)
        assert causes[0] == ["cores=1"]
        assert causes[1:] in ([], [["timezone=UTC"]])


def test_a_further_cause_of_one_mode_is_tried_on_others_that_failed_in_the_same_sweeps() -> None:
    target = a_mode(failing("cores=1", "timezone=UTC"))
    found = _whole(target)
    assert [named(one) for one in found[1:]] == [["timezone=UTC"]]
    assert [named(one) for one in _shared(found[1:], target, cores_or_zone)] == [["timezone=UTC"]]
    assert _shared(found[1:], target, lambda setup: bool(setting(setup, "cores"))) == ()


def _whole(target: Target) -> tuple[Diagnosis, ...]:
    def both() -> Experiment[tuple[Diagnosis, ...]]:
        first = yield from Attribution(target).run()
        return (first, *(yield from second.others(target, first)))

    return _driven(both(), cores_or_zone)


def _shared(also: Sequence[Diagnosis], target: Target, world: World) -> tuple[Diagnosis, ...]:
    return _driven(second.shared_too(also, target), world)


def _driven(experiment: Experiment[tuple[Diagnosis, ...]], world: World) -> tuple[Diagnosis, ...]:
    try:
        setups = next(experiment)
        while True:
            setups = experiment.send([Seen(Reply.FAILS if world(setup) else Reply.PASSES) for setup in setups])
    except StopIteration as end:
        found: tuple[Diagnosis, ...] = end.value
        return found
