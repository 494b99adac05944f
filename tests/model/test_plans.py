"""Plans: their written form, and what they say of a sweep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.model import CALM, Contract, Plan, SettingError
from pytest_flakehunt.model.plans import Draft, arranged, read_plan
from pytest_flakehunt.perturbations import OURS, registry
from pytest_flakehunt.survey.schedule import Schedule

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
            f"colour=7: there is no perturbation colour; give {', '.join(sorted(KNOWN))}",
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
        ("gc=lazy", "gc=lazy: give eager, off, every:NUMBER or random:SEED"),
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


def test_a_part_that_is_longer_than_any_is_not_repeated_whole() -> None:
    with pytest.raises(
        SettingError, match=r"^hashseed=9{51}…: no setting has more than 20000 letters; give NAME=SETTING$"
    ):
        read_plan("hashseed=" + "9" * 70_000, KNOWN)
