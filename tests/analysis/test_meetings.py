"""The fewest switches of threads, found in worlds where it is known which ones matter."""

import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from pytest_flakehunt.analysis.meetings import SCHEDULES, reduced, sentence
from pytest_flakehunt.analysis.reduction import Rates
from pytest_flakehunt.model import Meeting, Moment, Place, Plan, Reply, Seen, Setup, Stop, Switch, Taped, Turn, Why
from pytest_flakehunt.perturbations.steered import Playing, Steering
from pytest_flakehunt.perturbations.threads import Switching, Switchings

RATES = Rates(0.02, 0.7)
KNOWN = {"threads": Switchings()}


def switch(thread: int, line: int, to: int, operation: int = 0) -> Switch:
    return Switch(Moment(thread, "shop.py", line, 1, operation), to)


DRAWN = [switch(number % 3, number, (number + 1) % 3) for number in range(1, 40)]
Fails = Callable[[Sequence[Switch]], bool]


class World:
    """Where a test fails with some switches, and under some schedules."""

    def __init__(self, fails: Fails, schedules: Sequence[int] = (7,), digests: Sequence[str] = ("same",)) -> None:
        self.fails, self.schedules, self.digests, self.runs = fails, schedules, digests, 0

    def seen(self, setup: Setup) -> Seen:
        self.runs += 1
        setting = setup.plan.setting("threads")
        tape: Sequence[Switch] = DRAWN
        if isinstance(setting, Playing):
            tape, fails = setting.tape, self.fails(setting.tape)
        elif isinstance(setting, Steering):
            fails = setting.seed in self.schedules
        else:
            fails = bool(self.runs % 2)
        turns = tuple(
            Turn(one, Why.ROOM, usual=False, last=("shop.py", one.at.line, f"line {one.at.line}")) for one in tape
        )
        names = "MainThread", "left", "right"
        taped = Taped(names, turns, self.digests[self.runs % len(self.digests)], steered=True, unmet=())
        return Seen(Reply.FAILS if fails else Reply.PASSES, taped=taped if setup.tape else None)


def conduct(world: World, setting: Any = Steering(7), rates: Rates = RATES) -> tuple[Setup, Meeting | None]:  # noqa: B008 - frozen
    experiment: Generator[Sequence[Setup], Sequence[Seen], tuple[Setup, Meeting | None]] = reduced(
        Setup(Plan((("threads", setting),))), "threads", KNOWN, rates
    )
    try:
        asked = next(experiment)
        while True:
            asked = experiment.send([world.seen(setup) for setup in asked])
    except StopIteration as done:
        found: tuple[Setup, Meeting | None] = done.value
        return found


def needs(*wanted: Switch) -> Fails:
    return lambda tape: set(wanted) <= set(tape)


def test_what_is_not_needed_is_left_out() -> None:
    world = World(needs(DRAWN[3], DRAWN[20]))
    setup, meeting = conduct(world)
    assert str(setup.plan) == "threads=steered:1@shop.py:4>2,0@shop.py:21>1"
    assert not setup.tape
    assert meeting is not None
    assert meeting.exact
    assert [stop.where.line for stop in meeting.stops] == [4, 21]
    assert world.runs < 150


def test_one_switch_that_does_alone_what_two_did_is_taken() -> None:
    alone = switch(1, 21, 2)
    setup, _ = conduct(World(lambda tape: needs(DRAWN[3], DRAWN[20])(tape) or alone in tape))
    assert str(setup.plan) == "threads=steered:1@shop.py:21>2"


def test_one_switch_may_need_a_line_to_be_come_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    again = [Switch(one.at._replace(time=2), one.to) for one in DRAWN]
    monkeypatch.setattr(sys.modules[__name__], "DRAWN", again)
    alone = Switch(Moment(1, "shop.py", 21, 2), 2)
    setup, _ = conduct(World(lambda tape: needs(again[3], again[20])(tape) or alone in tape))
    assert str(setup.plan) == "threads=steered:1@shop.py:21#2>2"


def test_it_may_fail_with_no_switch_at_all() -> None:
    setup, meeting = conduct(World(lambda _: True))
    assert str(setup.plan) == "threads=steered:none"
    assert meeting is not None
    assert sentence(meeting) == "when its threads run one after another, each until it waits or ends"


def test_where_delays_make_it_fail_a_schedule_that_does_is_looked_for() -> None:
    setup, meeting = conduct(World(needs(DRAWN[5]), schedules=[19]), Switching(3))
    assert (str(setup.plan), meeting is not None) == ("threads=steered:0@shop.py:6>1", True)
    world = World(needs(DRAWN[5]), schedules=[])
    assert conduct(world, Switching(3)) == (Setup(Plan((("threads", Switching(3)),))), None)
    assert world.runs == SCHEDULES


@pytest.mark.parametrize(
    ("world", "rates"),
    [(World(needs(DRAWN[5]), schedules=[]), RATES), (World(lambda _: False), RATES), (World(needs()), Rates(0.4, 0.7))],
    ids=["fails no more", "fails under no tape", "fails without too often"],
)
def test_what_cannot_be_had_is_not_said(world: World, rates: Rates) -> None:
    assert conduct(world, rates=rates) == (Setup(Plan((("threads", Steering(7)),))), None)


def test_runs_whose_switches_differ_do_not_replay_exactly() -> None:
    _, meeting = conduct(World(needs(DRAWN[5]), digests=["one", "other"]))
    assert meeting is not None
    assert not meeting.exact


HERE, THERE = Place("shop.py", 8), Place("shop.py", 9)


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        (
            Stop("left", HERE, "seen = total", False, "right", THERE, "", Why.ENDS),
            "left stops after shop.py:8 (seen = total) and right runs to its end in between",
        ),
        (
            Stop("left", HERE, "with lock:", True, "right", THERE, "with other:", Why.WAITS),
            "left stops in shop.py:8 (with lock:) and right runs on until it waits in shop.py:9 (with other:) in between",
        ),
        (
            Stop("left", HERE, "", False, "right", THERE, "x = 1", Why.ROOM),
            "left stops after shop.py:8 and right runs on past shop.py:9 (x = 1) in between",
        ),
        (
            Stop("left", Place("", 0), "", False, "right", Place("", 0), "", None),
            "left has not run a line yet and right goes on in between",
        ),
        (
            Stop("left", Place("", 0), "", False, "right", Place("", 0), "", None, THERE),
            "left stops before shop.py:9, its first line, and right goes on in between",
        ),
        (
            Stop("left", HERE, "seen = total", False, "right", Place("", 0), "", Why.WAITS, THERE),
            "left stops after shop.py:8 (seen = total) and right runs on until it waits outside the project's code in between",
        ),
        (
            Stop("left", HERE, "with lock:", False, "right", THERE, "", Why.ENDS, Place("shop.py", 11)),
            "left stops after shop.py:8 (with lock:), before line 11, and right runs to its end in between",
        ),
        (
            Stop("left", HERE, "with lock:", False, "right", THERE, "", Why.ENDS, Place("cart.py", 3)),
            "left stops after shop.py:8 (with lock:), before cart.py:3, and right runs to its end in between",
        ),
        (
            Stop("left", HERE, "with lock:", True, "right", THERE, "", Why.ENDS, freed=True, held=(("third", THERE),)),
            "left stops after it has let go of the lock in shop.py:8 (with lock:) and right runs to its end in between, "
            "while third has come to shop.py:9",
        ),
        (
            Stop("left", Place("", 0), "", False, "left", THERE, "", Why.ENDS),
            "left runs to its end as soon as it starts",
        ),
        (
            Stop("left", HERE, "time.sleep(1)", True, "left", THERE, "", Why.ENDS),
            "the wait of left in shop.py:8 (time.sleep(1)) is over before another thread runs",
        ),
    ],
)
def test_switches_are_said_by_the_lines_that_threads_stop_at(stop: Stop, said: str) -> None:
    assert sentence(Meeting((stop,), exact=True)) == f"when {said}"


def test_who_has_come_to_its_first_line_in_the_midst_of_other_code_is_said() -> None:
    turns = (
        Turn(Switch(Moment(0, "shop.py", 7, 1, 2), 1), Why.WAITS, usual=True, last=("shop.py", 7, "")),
        Turn(Switch(Moment(1, "cache.py", 62, 1), 0), Why.ROOM, usual=True, last=("", 0, "")),
        Turn(Switch(Moment(0, "shop.py", 8, 1), 2), Why.ROOM, usual=False, last=("shop.py", 7, "go()")),
        Turn(
            Switch(Moment(2, "cache.py", 81, 2, 1), 1), Why.WAITS, usual=True, last=("cache.py", 81, ""), outside=True
        ),
    )
    world = World(lambda _: True)
    taped = Taped(("MainThread", "left", "right"), turns, "same", steered=True, unmet=())
    assert Taped.read(taped.told()) == taped
    world.seen = lambda setup: Seen(Reply.FAILS, taped=taped if setup.tape else None)  # type: ignore[method-assign]
    _, meeting = conduct(world)
    assert meeting is not None
    assert sentence(meeting) == (
        "when MainThread stops after shop.py:7 (go()) and right runs on until it waits outside the project's code "
        "in between, while left has come to cache.py:62"
    )
