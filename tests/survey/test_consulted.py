"""Which tests a perturbation is held for, once it is known what they consult."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from pytest_flakehunt.model import CALM, Attempt, Isolation, Outcome, Sweep
from pytest_flakehunt.model.plans import Draft, read_plan
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.pool.tallies import Tallies
from pytest_flakehunt.survey.consulted import ALL_AGAIN, Consulted
from pytest_flakehunt.survey.survey import HANGS_TO_BENCH, Survey
from pytest_flakehunt.zygote.wire import Told

KNOWN = registry()
TESTS = ["t.py::starts_threads", "t.py::sleeps", "t.py::not_known"]
MIXED = Draft(7, read_plan("latency=20ms threads=3", KNOWN), ("latency", "threads"))
LONE = Draft(8, read_plan("threads=3", KNOWN), ("threads",), lone=True)


def consulted() -> Consulted:
    found = Consulted(Tallies.of((nodeid, "t.py", 0) for nodeid in TESTS), KNOWN)
    told = [
        Told("sources", {"position": place, "sources": [source]}) for place, source in ((0, "threads"), (1, "sleep"))
    ]
    found.take([Attempt(nodeid, Outcome.PASSED, 0.0, None) for nodeid in TESTS[:2]], told)
    return found


def test_in_a_mix_what_is_costly_is_held_for_those_that_consult_it_and_for_those_of_which_nothing_is_known() -> None:
    assert consulted().unheld(MIXED, TESTS) == {"threads": [1]}


def test_a_lone_sweep_leaves_those_out_that_do_not_consult_it() -> None:
    known = consulted()
    assert known.worth(LONE, TESTS) == [TESTS[0], TESTS[2]]
    assert known.unheld(LONE, TESTS) == {}
    assert known.worth(MIXED, TESTS) == TESTS


def test_every_so_often_all_are_held_again() -> None:
    known = consulted()
    assert [bool(known.unheld(MIXED, TESTS)) for _ in range(2 * ALL_AGAIN)] == ([True] * (ALL_AGAIN - 1) + [False]) * 2


def test_before_anything_is_known_all_are_held() -> None:
    nothing = Consulted(Tallies.of((nodeid, "t.py", 0) for nodeid in TESTS), KNOWN)
    assert nothing.unheld(MIXED, TESTS) == {}
    assert nothing.worth(LONE, TESTS) == TESTS


def test_what_was_left_out_before_a_hunt_was_interrupted_is_counted_again() -> None:
    tallies = Tallies.of((name, "test_it.py", 1) for name in ("reads", "does not", "skipped", "hangs"))
    for name in ("reads", "does not", "hangs"):
        tallies.named(name).total = tallies.named(name).total.plus(1, 0)
    tallies.named("hangs").hangs = HANGS_TO_BENCH
    consulted = Consulted(tallies, KNOWN)
    survey: Any = SimpleNamespace(consulted=consulted, tallies=tallies, _beyond=9)
    sweep = Sweep(4, CALM, ("clock",), Isolation.FORK, 1, "", 0)
    ran = [Attempt("reads", Outcome.PASSED)]
    assert Survey._left_out_of(survey, sweep, ran) == 1
    assert Survey._left_out_of(survey, replace(sweep, focus=("order",)), ran) == 0
    assert Survey._left_out_of(survey, replace(sweep, number=9), ran) == 0
