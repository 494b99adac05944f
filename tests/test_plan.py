from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.model import CALM, Contract, Plan, SettingError
from pytest_flakehunt.perturbations import OURS, registry
from pytest_flakehunt.plan import Draft, Schedule, arranged, environment, read_plan, replay, survey

KNOWN = registry()


def drafts(schedule: Schedule) -> list[Draft]:
    found = []
    while (draft := schedule.next()) is not None:
        found.append(draft)
    return found


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    chosen = draw(st.sets(st.sampled_from(OURS)))
    seeds, turns = st.integers(0, 2**32 - 1), st.integers(0, 60)
    return Plan(tuple(sorted((p.name, p.draw(draw(seeds), draw(turns))) for p in chosen)))


@given(plans())
def test_a_plan_reads_back_as_it_was_written(plan: Plan) -> None:
    assert read_plan(str(plan), KNOWN) == plan


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        plan = read_plan(text, KNOWN)
    except SettingError as error:
        assert str(error)
    else:
        assert read_plan(str(plan), KNOWN) == plan


def test_the_empty_plan_is_calm() -> None:
    assert read_plan("", KNOWN) == CALM


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hashseed", "hashseed: give NAME=SETTING, such as hashseed=7"),
        ("hashseed=", "hashseed=: give NAME=SETTING, such as hashseed=7"),
        (
            "colour=7",
            "colour=7: there is no perturbation colour; give asyncio, clock, cores, gc, hashseed, heap, latency, "
            "listdir, load, locale, network, order, random, repeat, threads, timezone",
        ),
        ("gc=off gc=eager", "gc=eager: gc is set twice; give it once"),
        ("hashseed=4294967296", "hashseed=4294967296: give a whole number from 0 to 4294967295"),
        ("hashseed=-1", "hashseed=-1: give a whole number from 0 to 4294967295"),
        ("random=x", "random=x: give a whole number from 0 to 4294967295"),
        ("repeat=1", "repeat=1: give a whole number from 2 to 99"),
        ("cores=0", "cores=0: give a whole number from 1 to 4096"),
        ("order=shuffled", "order=shuffled: give reversed, alone, shuffled:SEED or subset:SEED"),
        ("order=alone:3", "order=alone:3: give reversed, alone, shuffled:SEED or subset:SEED"),
        ("order=sorted", "order=sorted: give reversed, alone, shuffled:SEED or subset:SEED"),
        ("gc=lazy", "gc=lazy: give eager, off or random:SEED"),
        ("latency=20", "latency=20: give milliseconds from 1ms to 10000ms"),
        ("latency=0ms", "latency=0ms: give milliseconds from 1ms to 10000ms"),
        (
            "timezone=Mars/Olympus",
            "timezone=Mars/Olympus: give the name of an installed IANA zone, such as Asia/Kolkata",
        ),
        (
            "timezone=../../etc/passwd",
            "timezone=../../etc/passwd: give the name of an installed IANA zone, such as Asia/Kolkata",
        ),
        *(
            (
                f"clock={wrong}",
                f"clock={wrong}: give a local time such as 2028-02-29T23:59:58, a shift such as +400d, -1h or +30s, "
                "or one of them after frozen:, from 1970 to 9998",
            )
            for wrong in ("noon", "2027-02-29T12:00:00", "1812-01-01", "400d", "frozen:", "-999999d")
        ),
    ],
)
def test_a_bad_plan_is_told_what_is_wrong_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(SettingError) as refusal:
        read_plan(text, KNOWN)
    assert str(refusal.value) == message


def test_the_same_seed_gives_the_same_sweeps() -> None:
    assert drafts(survey(3, 60, OURS)) == drafts(survey(3, 60, OURS))
    assert drafts(survey(3, 60, OURS)) != drafts(survey(4, 60, OURS))


@pytest.mark.parametrize("sweeps", [20, 200])
def test_a_fifth_is_calm_half_has_one_perturbation_the_rest_a_few(sweeps: int) -> None:
    sizes = Counter(min(2, len(draft.focus)) for draft in drafts(survey(1, sweeps, OURS)))
    assert sizes == {0: sweeps // 5, 1: sweeps // 2, 2: 3 * sweeps // 10}


def test_sweeps_are_numbered_and_none_is_lost() -> None:
    assert sorted(draft.number for draft in drafts(survey(1, 37, OURS))) == list(range(37))


def test_the_first_sweep_is_calm_and_the_second_reversed() -> None:
    first, second, *_ = drafts(survey(9, 20, OURS))
    assert first.plan == CALM
    assert str(second.plan.setting("order")) == "reversed"


def test_each_perturbation_is_soon_alone_on_trial_the_telling_ones_first() -> None:
    def alone(sweeps: int) -> set[str]:
        return {draft.focus[0] for draft in drafts(survey(5, sweeps, OURS)) if len(draft.focus) == 1}

    assert alone(20) == {perturbation.name for perturbation in OURS[:10]}
    assert alone(2 * len(OURS) + 1) == KNOWN.keys()


def test_every_sweep_that_is_not_calm_pins_what_varies_by_nature() -> None:
    for draft in drafts(survey(5, 100, OURS)):
        if draft.focus:
            assert draft.plan.setting("random") is not None
            assert draft.pins_hashseed


def test_a_few_together_are_never_stress() -> None:
    for draft in drafts(survey(5, 200, OURS)):
        if len(draft.focus) > 1:
            assert draft.plan.contract is not Contract.STRESS


def test_nothing_is_pinned_that_the_user_left_out() -> None:
    for draft in drafts(survey(5, 40, [KNOWN["clock"]])):
        assert draft.plan.names <= {"clock"}
        assert not draft.pins_hashseed


def test_without_perturbations_all_is_calm() -> None:
    assert all(draft.plan == CALM for draft in drafts(survey(1, 10, [])))


def test_a_retiring_zygote_gets_a_calm_sweep_and_the_rest_keep_their_turn() -> None:
    schedule = survey(1, 20, OURS)
    before = [schedule.next() for _ in range(2)]
    calm = schedule.next_calm()
    assert calm is not None
    assert calm.plan == CALM
    seen = [draft for draft in (*before, calm, *drafts(schedule)) if draft is not None]
    assert sorted(draft.number for draft in seen) == list(range(20))
    assert schedule.next_calm() is None


def test_calm_sweeps_are_kept_for_zygotes_that_will_retire() -> None:
    schedule = survey(1, 20, OURS)
    given = 0
    while schedule.next(retiring=2) is not None:
        given += 1
    assert given == 18
    assert schedule.next_calm() is not None
    assert schedule.next_calm() is not None


def test_a_replay_is_one_calm_sweep_and_then_the_plan() -> None:
    plan = read_plan("hashseed=7 gc=eager", KNOWN)
    found = drafts(replay(plan, 3))
    assert [draft.plan for draft in found] == [CALM, plan, plan, plan]
    assert environment(plan) == {"PYTHONHASHSEED": "7"}


def test_an_order_says_which_tests_share_a_process() -> None:
    tests = ["a.py::x", "a.py::y"]
    assert arranged(CALM, tests) == [tests]
    assert arranged(read_plan("order=alone", KNOWN), tests) == [["a.py::x"], ["a.py::y"]]
    assert arranged(read_plan("order=reversed", KNOWN), tests) == [["a.py::y", "a.py::x"]]


def test_a_plan_is_as_natural_as_its_weakest_setting() -> None:
    assert read_plan("hashseed=1 gc=off", KNOWN).contract is Contract.NATURAL
    assert read_plan("hashseed=1 clock=+1d", KNOWN).contract is Contract.ENVIRONMENT
    assert read_plan("clock=frozen:+1d cores=1", KNOWN).contract is Contract.STRESS
    assert read_plan("cores=1 latency=5ms", KNOWN).patience == 20
    assert read_plan("cores=1", KNOWN).patience == 3
