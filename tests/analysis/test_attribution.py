"""Whole diagnoses in worlds whose truth is known: the cause is named, and chance never is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import pytest

from pytest_flakehunt.analysis.attribution import Attribution
from pytest_flakehunt.analysis.members import shared
from pytest_flakehunt.analysis.notebook import Notebook
from pytest_flakehunt.analysis.pinning import Pinning
from pytest_flakehunt.analysis.reduction import Experiment, OutOfRuns
from pytest_flakehunt.analysis.target import Candidate, Ran, Target
from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import Count, Diagnosis, Parting, Place, Reply, Seen, Setup, Spot
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


def seen_in(world: World, setup: Setup, chance: Random) -> Seen:
    """Run a setup in a world in which interpreters are never started again under the same name."""
    fails = chance.random() < world(setup)
    return Seen(
        Reply.FAILS if fails else Reply.PASSES, zygote=seeds.derive(0, setup.interpreter, setting(setup, "hashseed"))
    )


def diagnosed(world: World, target: Target, seed: int, budget: int = 3000) -> tuple[Diagnosis, int]:
    chance = Random(seed)
    experiment: Experiment[Diagnosis] = Attribution(target).run()
    setups = next(experiment)
    runs = 0
    try:
        while True:
            seen = [seen_in(world, setup, chance) for setup in setups]
            runs += len(seen)
            setups = experiment.send(seen) if runs < budget else experiment.throw(OutOfRuns)
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


def test_where_objects_lie_in_one_interpreter_is_never_taken_for_a_cause() -> None:
    def world(setup: Setup) -> bool:
        place = setup.interpreter or "usual"
        return luck(seed, place, str(setup.plan), setup.before) < 0.4

    said = []
    for seed in range(60):
        found, _ = diagnosed(world, a_target("gc=every:30 random=9", Count(40, 11), workers=2), seed)
        said += [cause.perturbation for cause in found.causes]
    assert set(said) <= {"import", "heap"}  # interpreters differ, or layouts in one of them: that is all that is shown


def test_what_moves_objects_in_memory_is_never_taken_for_a_polluter() -> None:
    def world(setup: Setup) -> bool:
        return luck(seed, setting(setup, "heap"), setting(setup, "gc"), setup.before) < 0.5

    said = []
    for seed in range(60):
        for calm in (Count(40, 0), Count(40, 11)):
            found, _ = diagnosed(world, a_target("gc=every:30 random=9", calm), seed)
            said += [(bool(calm.failures), cause.perturbation) for cause in found.causes]
    assert (False, "order") not in said
    assert {name for varies, name in said if varies} == {"heap"}


def test_a_layout_that_fails_in_one_interpreter_and_passes_in_another_is_named_within_one() -> None:
    def world(setup: Setup) -> bool:
        return luck(seed, setup.interpreter or "usual", setting(setup, "heap"), setup.before) < 0.5

    sentences = []
    for seed in range(100):
        found, _ = diagnosed(world, a_target("random=9", Count(40, 11)), seed)
        sentences += [cause.sentence for cause in found.causes]
    assert sentences
    assert all("in one interpreter always under heap=" in sentence for sentence in sentences)


def test_an_interpreter_that_had_to_be_started_again_is_two() -> None:
    for seed in range(20):
        runs = 0
        experiment: Experiment[Diagnosis] = Pinning(a_target("random=9", Count(40, 16)), Notebook()).interpreters()
        setups = next(experiment)
        try:
            while True:
                seen = [
                    Seen(Reply.FAILS if luck(seed, one.interpreter) < 0.4 else Reply.PASSES, zygote=number // 5)
                    for number, one in enumerate(setups, runs)
                ]
                if runs == 5:  # the last of its runs took place in another one, which drew something else
                    seen[-1] = Seen(Reply.PASSES if seen[-1].reply is Reply.FAILS else Reply.FAILS, zygote=99)
                runs += len(seen)
                setups = experiment.send(seen)
        except StopIteration as end:
            assert "within one interpreter" not in end.value.note


def test_polluters_cleaners_and_brittle_tests_are_told_apart() -> None:
    def victim(setup: Setup) -> bool:
        return "t3" in setup.before and "t5" not in setup.before[setup.before.index("t3") :]

    target = a_target("random=1", candidates=[Candidate(read_plan("random=1", KNOWN), ("t5", "t2", "t3", "t1"), 7, 1)])
    (cause,) = diagnosed(victim, target, 1)[0].causes
    assert (cause.polluters, cause.cleaners) == (("t3",), ("t5",))
    (cause,) = diagnosed(lambda setup: not {"t4", "t6"} <= set(setup.before), a_target(), 1)[0].causes
    assert (cause.setters, cause.polluters) == (("t4", "t6"), ())


MANY = tuple(f"m{number // 50}.py::t{number}" for number in range(1000))
SECONDS = dict.fromkeys(MANY, 0.06)


def shuffled(seed: int, *, fails: Callable[[Sequence[str]], bool], subject: str) -> Ran:
    order = [*MANY, subject]
    Random(seed).shuffle(order)
    before = tuple(order[: order.index(subject)])
    return Ran(before, fails(before))


def victim_of_many(history: Sequence[Ran]) -> Target:
    failing = next(ran for ran in history if ran.fails)
    return a_target(
        nodeid="m3.py::victim",
        candidates=[Candidate(read_plan("random=1", KNOWN), failing.before, 7, 1, ordered=True)],
        history=lambda: history,
        others=MANY,
        seconds=SECONDS,
        leaky={MANY[5]},
    )


def test_a_polluter_among_a_thousand_is_found_by_pairs_and_never_with_all_others() -> None:
    subject = "m3.py::victim"
    history = [shuffled(seed, fails=lambda before: MANY[421] in before, subject=subject) for seed in range(12)]
    target = victim_of_many(history)
    seen: list[Setup] = []

    def world(setup: Setup) -> bool:
        seen.append(setup)
        return MANY[421] in setup.before

    (cause,) = diagnosed(world, target, 1)[0].causes
    assert cause.polluters == (MANY[421],)
    assert max(len(setup.before) for setup in seen) <= 2
    assert len(seen) < 150


def test_a_setter_among_a_thousand_is_found_by_pairs() -> None:
    subject = "m3.py::brittle"
    history = [shuffled(seed, fails=lambda before: MANY[421] not in before, subject=subject) for seed in range(12)]
    target = a_target(
        nodeid=subject,
        candidates=[Candidate(read_plan("random=1", KNOWN), (), 7, 1)],
        history=lambda: history,
        calm_before=MANY,
        others=MANY,
        seconds=SECONDS,
    )
    found, runs = diagnosed(lambda setup: MANY[421] not in setup.before, target, 1)
    assert found.causes[0].setters == (MANY[421],)
    assert runs < 200


def test_the_cleaner_stood_between_as_the_victim_passed() -> None:
    def fails(before: Sequence[str]) -> bool:
        return MANY[421] in before and MANY[7] not in before[before.index(MANY[421]) :]

    subject = "m3.py::victim"
    history = [shuffled(seed, fails=fails, subject=subject) for seed in range(30)]
    target = victim_of_many(history)
    found, runs = diagnosed(lambda setup: fails(setup.before), target, 1)
    assert (found.causes[0].polluters, found.causes[0].cleaners) == ((MANY[421],), (MANY[7],))
    assert runs < 400


def test_neither_tests_nor_settings_are_named_that_only_the_way_of_searching_brought_in() -> None:
    """What undoes t3 stands between in the sweep, and the latency was needed because of that alone."""

    def world(setup: Setup) -> float:
        undone = "t5" in setup.before and not setting(setup, "latency")
        return 0.6 if "t3" in setup.before and not undone else 0.0

    said = [diagnosed(world, a_target(), seed)[0] for seed in range(30)]
    named_some = [found for found in said if found.causes]
    assert {(*named(found), *found.causes[0].polluters) for found in named_some} == {("order=", "t3")}
    assert len(named_some) > 20


def test_of_several_polluters_each_is_shown_to_be_needed() -> None:
    def world(setup: Setup) -> float:
        return 0.95 * ("t3" in setup.before) * (0.4 + 0.6 * ("t7" in setup.before))

    said = [diagnosed(world, a_target(), seed)[0] for seed in range(60)]
    several = [found for found in said if found.causes and len(found.causes[0].polluters) > 1]
    assert all({condition.what for condition in found.tried} >= {"without t3", "without t7"} for found in several)
    assert {found.causes[0].polluters for found in said if found.causes} <= {("t3",), ("t3", "t7")}


def test_a_hash_seed_that_the_survey_saw_is_named_with_few_interpreters() -> None:
    started: set[tuple[str, str]] = set()

    def world(setup: Setup) -> bool:
        started.add((setting(setup, "hashseed"), setup.interpreter))
        return setting(setup, "hashseed") in {"12345", "777"}

    seen = {"12345": Count(4, 4), "9": Count(4, 0), "777": Count(5, 5), "8": Count(3, 0)}
    found, _ = diagnosed(world, a_target("hashseed=12345", Count(20, 9), seeds=seen), 1)
    assert named(found) == ["hashseed=777"]
    assert len(started) <= 14


def test_what_varies_within_one_interpreter_takes_few_of_them() -> None:
    """Each start costs more than a hundred runs: one for each turn is for what an interpreter may decide."""
    started: set[tuple[str, str]] = set()

    def interpreters(world: World, seed: int) -> tuple[int, list[str]]:
        def counted(setup: Setup) -> float:
            started.add((setting(setup, "hashseed"), setup.interpreter))
            return world(setup)

        started.clear()
        found, _ = diagnosed(counted, a_target("hashseed=12345 random=99", Count(40, 20)), seed)
        return len(started), [cause.perturbation for cause in found.causes]

    def drawn(setup: Setup) -> float:
        pinned = setting(setup, "random")
        return luck("drawn", pinned) < 0.4 if pinned else 0.4

    for seed in range(30):
        most, names = interpreters(drawn, seed)
        assert (most <= 4, names) == (True, ["random"])
        assert interpreters(lambda _: 0.5, seed)[0] <= 2 * 40 + 20


def test_what_varies_in_each_interpreter_is_not_taken_for_the_hash_seed_that_it_failed_under_by_chance() -> None:
    seen = {"12345": Count(2, 2), "9": Count(2, 0)}
    said = [
        named(diagnosed(lambda _: 0.5, a_target("hashseed=12345", Count(4, 2), seeds=seen), seed)[0])
        for seed in range(300)
    ]
    assert [names for names in said if names] == []


def test_what_is_drawn_at_import_is_never_taken_for_the_hash_seed_or_for_neighbours() -> None:
    def world(setup: Setup) -> bool:
        if setup.early.settings and setup.fresh:
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


@pytest.mark.parametrize("last", ["readings", "path"])
def test_where_to_look_comes_last_and_costs_no_cause(last: str) -> None:
    target = a_target()
    experiment = Attribution(target).run()
    setups = next(experiment)
    while not getattr(setups[0], last):
        setups = experiment.send([Seen(Reply.FAILS if setting(one, "cores") else Reply.PASSES) for one in setups])
    with pytest.raises(StopIteration) as end:
        while True:  # as the laboratory does
            experiment.throw(OutOfRuns)
    found: Diagnosis = end.value.value
    assert (named(found), found.parting) == (["cores=1"], None)
    member = shared(replace(found, parting=Parting(Spot(Place("a.py", 1), ""))), target)
    setups = next(member)
    with pytest.raises(StopIteration) as end:
        member.send([Seen(Reply.FAILS if setting(one, "cores") else Reply.PASSES) for one in setups])
    other: Diagnosis = end.value.value
    assert (named(other), other.parting) == (["cores=1"], None)  # that was seen of another test
