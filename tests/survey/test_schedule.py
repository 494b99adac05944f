"""Which sweeps come next."""

from collections import Counter
from itertools import islice
from random import Random

import pytest
from hypothesis import strategies as st

from pytest_flakehunt.model import CALM, Contract, Plan
from pytest_flakehunt.model.plans import Draft, environment, read_plan
from pytest_flakehunt.perturbations import OURS, instants, registry
from pytest_flakehunt.perturbations.worth import weights
from pytest_flakehunt.survey.schedule import Schedule, Turns, for_replay, for_survey

KNOWN = registry()
FIELD = weights(OURS, {})


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


def test_the_same_seed_gives_the_same_sweeps() -> None:
    assert drafts(for_survey(3, 60, OURS)) == drafts(for_survey(3, 60, OURS))
    assert drafts(for_survey(3, 60, OURS)) != drafts(for_survey(4, 60, OURS))


@pytest.mark.parametrize("sweeps", [20, 200])
def test_a_fifth_is_calm_half_has_one_perturbation_the_rest_a_few(sweeps: int) -> None:
    sizes = Counter(min(2, len(draft.focus)) for draft in drafts(for_survey(1, sweeps, OURS)))
    assert sizes == {0: sweeps // 5, 1: sweeps // 2, 2: 3 * sweeps // 10}


def test_sweeps_are_numbered_and_none_is_lost() -> None:
    assert sorted(draft.number for draft in drafts(for_survey(1, 37, OURS))) == list(range(37))


def test_the_first_sweep_is_calm_and_the_second_reversed() -> None:
    first, second, *_ = drafts(for_survey(9, 20, OURS))
    assert first.plan == CALM
    assert str(second.plan.setting("order")) == "reversed"


@pytest.mark.parametrize("sweeps", [10, 20, 50, 200])
def test_any_first_few_are_in_proportion_to_their_weights(sweeps: int) -> None:
    lone = [draft.focus[0] for draft in drafts(for_survey(5, sweeps, OURS, FIELD)) if draft.lone]
    share = len(lone) / sum(FIELD.values())
    for name, weight in FIELD.items():
        assert abs(lone.count(name) - weight * share) <= 1.5


def test_twenty_sweeps_try_what_is_not_stress_alone_or_with_others() -> None:
    wanted = {name for name, weight in FIELD.items() if weight >= 1}
    left = Counter(
        name
        for seed in range(100)
        for name in wanted - {focus for draft in drafts(for_survey(seed, 20, OURS, FIELD)) for focus in draft.focus}
    )
    assert left.total() <= 15


def test_those_that_had_least_for_their_weight_are_mixed_first() -> None:
    turns = Turns({"order": 6.0, "clock": 3.0, "gc": 1.0})
    for name in ("order", "order", "clock"):
        turns.mix(name)
    assert turns.in_need(Random(1))[0] == "order"
    assert {turns.in_need(Random(seed))[1] for seed in range(20)} == {"clock", "gc"}
    turns.mix("gc")
    assert turns.in_need(Random(1)) == ["order", "clock", "gc"]


def test_orders_come_first_and_again_and_again() -> None:
    orders = [
        str(draft.plan.setting("order"))
        for draft in drafts(for_survey(5, 80, OURS, FIELD))
        if draft.focus == ("order",)
    ]
    assert orders[:2] == ["reversed", "alone"]
    assert all(order.startswith("shuffled") for order in orders[2:5])
    assert orders[5].startswith("subset")


def test_each_perturbation_is_alone_on_trial_by_and_by() -> None:
    lone = {draft.focus[0] for draft in drafts(for_survey(5, 120, OURS, FIELD)) if draft.lone}
    assert lone == KNOWN.keys()


def test_other_weights_give_other_sweeps() -> None:
    few = {"order": 1.0, "clock": 9.0}
    lone = Counter(
        draft.focus[0] for draft in drafts(for_survey(5, 40, [KNOWN["order"], KNOWN["clock"]], few)) if draft.lone
    )
    assert lone == {"clock": 18, "order": 2}


def test_days_of_daylight_saving_come_with_a_zone_that_has_them() -> None:
    clocks = [draft for draft in drafts(for_survey(5, 200, OURS, FIELD)) if draft.focus == ("clock",)]
    zoned = [draft for draft in clocks if draft.plan.setting("timezone")]
    zones = {str(draft.plan.setting("timezone")) for draft in zoned}
    assert len(zones) > 1
    assert zones <= set(instants.WITH_SUMMER)
    assert all(draft.plan.setting("timezone") is None for draft in drafts(for_survey(5, 200, [KNOWN["clock"]])))


def test_where_time_decides_each_has_its_share_of_seconds() -> None:
    costs = {"order": 1.0, "threads": 25.0, "": 1.0}
    schedule = for_survey(5, None, [KNOWN["order"], KNOWN["threads"]], {"order": 1.0, "threads": 1.0})
    spent: Counter[str] = Counter()
    for _ in range(400):
        draft = schedule.next()
        assert draft is not None
        name = draft.focus[0] if draft.lone else ""
        if draft.lone or not draft.focus:
            schedule.turns.took(name, costs[name])
            spent[name] += int(costs[name])
    assert abs(spent["order"] - spent["threads"]) <= 25


def test_what_is_dear_comes_after_what_is_cheaper_where_time_decides() -> None:
    schedule = for_survey(5, None, [KNOWN["order"], KNOWN["cores"]], {"order": 1.0, "cores": 1.0})
    schedule.turns.tests = 1000
    schedule.turns.took("", 0.5)
    found = [draft for draft in islice(iter(schedule.next, None), 40) if draft.lone]
    alone = next(place for place, draft in enumerate(found) if str(draft.plan.setting("order")) == "alone")
    assert sum(draft.focus == ("cores",) for draft in found[:alone]) > 8


def test_zygotes_that_retire_have_half_of_the_calm_sweeps_at_most() -> None:
    schedule = for_survey(1, 100, OURS)
    assert schedule.next() is not None
    early = [draft for draft in (schedule.last_calm() for _ in range(30)) if draft is not None]
    assert len(early) < 10
    assert len(early) + sum(not draft.focus for draft in drafts(schedule)) == 19


def test_every_sweep_that_is_not_calm_pins_what_varies_by_nature() -> None:
    for draft in drafts(for_survey(5, 100, OURS)):
        if draft.focus:
            assert draft.plan.setting("random") is not None
            assert draft.pins_hashseed


def test_a_few_together_are_never_stress() -> None:
    for draft in drafts(for_survey(5, 200, OURS)):
        if len(draft.focus) > 1:
            assert draft.plan.contract is not Contract.STRESS


def test_nothing_is_pinned_that_the_user_left_out() -> None:
    for draft in drafts(for_survey(5, 40, [KNOWN["clock"]])):
        assert draft.plan.names <= {"clock"}
        assert not draft.pins_hashseed


def test_without_perturbations_all_is_calm() -> None:
    assert all(draft.plan == CALM for draft in drafts(for_survey(1, 10, [])))


def test_a_retiring_zygote_gets_a_calm_sweep_and_the_rest_keep_their_turn() -> None:
    schedule = for_survey(1, 20, OURS)
    before = [schedule.next() for _ in range(2)]
    calm = schedule.next_calm()
    assert calm is not None
    assert calm.plan == CALM
    seen = [draft for draft in (*before, calm, *drafts(schedule)) if draft is not None]
    assert sorted(draft.number for draft in seen) == list(range(20))
    assert schedule.next_calm() is None


def test_calm_sweeps_are_kept_for_zygotes_that_will_retire() -> None:
    schedule = for_survey(1, 20, OURS)
    given = 0
    while schedule.next(retiring=2) is not None:
        given += 1
    assert given == 18
    assert schedule.next_calm() is not None
    assert schedule.next_calm() is not None


def test_a_replay_is_one_calm_sweep_and_then_the_plan() -> None:
    plan = read_plan("hashseed=7 gc=eager", KNOWN)
    found = drafts(for_replay(plan, 3))
    assert [draft.plan for draft in found] == [CALM, plan, plan, plan]
    assert environment(plan) == {"PYTHONHASHSEED": "7"}


@pytest.mark.parametrize("gone", [(0,), (0, 1, 2, 3, 7), tuple(range(33))])
def test_a_hunt_that_goes_on_has_the_sweeps_that_it_would_have_had(gone: tuple[int, ...]) -> None:
    whole = {draft.number: draft for draft in drafts(for_survey(3, 60, OURS, FIELD))}
    done = {number: " ".join(whole[number].focus) for number in gone}
    rest = drafts(for_survey(3, 60, OURS, FIELD, done=done))
    assert {draft.number: draft for draft in rest} == {n: draft for n, draft in whole.items() if n not in gone}


def test_where_time_decides_turns_that_were_taken_count_as_taken_when_it_goes_on() -> None:
    first = for_survey(3, None, OURS, FIELD)
    whole = []
    for draft in islice(iter(first.next, None), 60):
        whole.append(draft)
        first.turns.took(" ".join(draft.focus), 3.0 if "threads" in draft.focus else 1.0)
    done = {draft.number: " ".join(draft.focus) for draft in whole[:40]}
    later = for_survey(3, None, OURS, FIELD, done=done)
    for draft in whole[:40]:
        later.turns.took(" ".join(draft.focus), 3.0 if "threads" in draft.focus else 1.0)
    rest = list(islice(iter(later.next, None), 40))
    assert min(draft.number for draft in rest) >= min(set(range(60)) - done.keys())
    alike = Counter(draft.focus[0] for draft in rest if draft.lone)
    assert not any(count > 12 for count in alike.values())


def test_a_replay_that_goes_on_leaves_out_what_was_run() -> None:
    plan = read_plan("gc=eager", KNOWN)
    assert [draft.number for draft in drafts(for_replay(plan, 5, {0, 1, 3}))] == [2, 4, 5]
