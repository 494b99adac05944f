"""Switches of threads that are written down, played again and told of."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.ground import project
from pytest_flakehunt.model import Moment, SettingError, Switch, Taped, Turn, Why
from pytest_flakehunt.model.switches import read, written
from pytest_flakehunt.perturbations import steered
from pytest_flakehunt.perturbations.steered import Playing, Steering
from tests.steering.test_steered import DEEDS, races, threads_of

NUMBERS = st.integers(1, 10**6)
THREADS = st.integers(0, 999)
FILES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
OPERATIONS = st.just(0) | NUMBERS
MOMENTS = st.one_of(
    st.tuples(THREADS, FILES, NUMBERS, NUMBERS, OPERATIONS).map(lambda one: Moment(*one)),
    st.tuples(THREADS, OPERATIONS).map(lambda one: Moment(one[0], operation=one[1])),
)
TAPES = st.lists(st.tuples(MOMENTS, THREADS).map(lambda one: Switch(*one)), max_size=20)


@given(TAPES)
def test_what_is_written_is_read_again(tape: list[Switch]) -> None:
    text = written(tape)
    assert read(text) == tuple(tape)
    assert not set(text) & set(" \n\t'\"")


@pytest.mark.parametrize("text", ["1@a.py>2", "1@a.py:0x1>2", "@a.py:1>2", "1@a.py:1", "1@a.py:1>2,", "1@a b.py:1>2"])
def test_what_is_no_tape_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="no switch of threads; give THREAD@FILE:LINE>THREAD"):
        read(text)


def ran(deed: Callable[[], object], setting: Steering | Playing) -> tuple[object, Taped | None]:
    project.root_is(Path(__file__).parents[2])
    held: list[AbstractContextManager[None]] = [setting.held(), setting.held_for("test_a.py::test_x")]
    with held[0], held[1]:
        said = deed()
    return said, steered.heard.taped


@pytest.mark.parametrize("deed", [*DEEDS, races])
def test_a_tape_gives_the_same_switches_as_the_draws_that_it_is_of(deed: Callable[[], object]) -> None:
    compared = 0
    for seed in range(6):
        said, drawn = ran(deed, Steering(seed))
        if drawn is None or not drawn.steered:
            continue
        played_said, played = ran(deed, Playing(read(written(drawn.tape))))
        assert played is not None
        if played.steered:  # on a busy machine a thread may run free
            assert (played_said, played.digest, played.unmet) == (said, drawn.digest, ())
            compared += 1
    assert compared or deed in {DEEDS[-1], DEEDS[-2]}, "these start no thread"


def test_switches_that_do_not_take_place_are_told_of() -> None:
    playing = Playing(read("1@tests/steering/test_gone.py:7>0,1@+400>0"))
    _, taped = ran(races, playing)
    assert taped is not None
    assert taped.unmet == playing.tape
    assert playing.missed == [
        "test_a.py::test_x: 2 of 2 switches of its threads did not take place, as nobody came there or the other "
        "could not go on: 1@tests/steering/test_gone.py:7>0, 1@+400>0"
    ]


def test_without_a_switch_each_thread_runs_until_it_waits_or_ends() -> None:
    assert [ran(races, Playing(()))[0] for _ in range(3)] == [([9], [0, 1, 2])] * 3


def test_a_thread_is_told_by_its_name_and_by_what_it_ran_last() -> None:
    def deed() -> object:
        for thread in threads_of(races, races):
            thread.join()
        return None

    _, taped = ran(deed, Steering(3))
    assert taped is not None
    assert taped.names[:3] == (threading.current_thread().name, "worker-0", "worker-1")
    assert {turn.last[0] for turn in taped.turns} <= {
        "",
        "tests/steering/test_steered.py",
        "tests/steering/test_tapes.py",
    }
    assert Taped.read(taped.told()) == taped


COUNTER = """
import threading
class Cart:
    total = 0
    def add(self):
        seen = self.total
        self.total = seen + 1
def test_it():
    cart = Cart()
    threads = [threading.Thread(target=cart.add, name=name) for name in ("left", "right")]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert cart.total == 2
"""


@pytest.mark.thorough
def test_a_finding_says_where_threads_have_to_change_places(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(test_it=COUNTER)
    found = hunt("--flakehunt-only=threads", seed=1, diagnose=400, sweeps=40)
    (mode,) = found.tests["test_it"]["modes"]
    (cause,) = mode["causes"]
    assert cause["perturbation"] == "threads"
    assert cause["sentence"].startswith("fails when ")
    assert "seen = self.total" in cause["sentence"]
    stops = mode["meeting"]["stops"]
    assert 1 <= len(stops) <= 2
    assert {stop["thread"] for stop in stops} <= {"left", "right", "MainThread"}
    assert mode["meeting"]["exact"]
    assert mode["plan"].startswith("threads=steered:")
    assert mode["verified"]["runs"] == mode["verified"]["failures"] > 0


def test_a_pass_is_no_evidence_where_a_tape_does_not_fit_the_code_any_more(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    """A quarantined test is not released for it."""
    pytester.makepyfile(test_it=COUNTER)
    found = hunt("--flakehunt-plan=threads=steered:1@test_it.py:99>0", sweeps=3)
    test = found.tests["test_it"]
    assert (test["runs"], test["failures"], test["calm"]["runs"]) == (1, 0, 1)
    (note,) = (said for said in found.report["notes"] if "switches" in said)
    assert note.startswith("threads: test_it.py::test_it: 1 of 1 switches of its threads did not take place")


def test_a_tape_that_does_not_fit_the_code_any_more_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=COUNTER)
    done = pytester.runpytest_subprocess("--flakehunt-plan=threads=steered:1@test_it.py:99>0")
    done.stdout.fnmatch_lines(
        [
            "flakehunt: threads: test_it.py::test_it: 1 of 1 switches of its threads did not take place, *: "
            "1@test_it.py:99>0",
            "flakehunt: did not reproduce: 1 test passed under threads=steered:1@test_it.py:99>0",
        ]
    )


def adds_under_a_lock() -> list[int]:
    lock, total = threading.Lock(), [0]

    def add() -> int:
        with lock:
            total[0] += 1
        return total[0]

    with ThreadPoolExecutor(2) as pool:
        return [each.result() for each in [pool.submit(add) for _ in range(2)]]


def test_a_stop_tells_whether_a_lock_was_let_go_of_and_who_waits_for_more_to_do() -> None:
    turns: list[Turn] = []
    for seed in range(30):
        _, taped = ran(adds_under_a_lock, Steering(seed))
        turns += () if taped is None else taped.turns
    let_go = [turn for turn in turns if turn.freed]
    assert {turn.last[2] for turn in let_go} == {"with lock:"}
    assert all(turn.switch.at.operation and turn.why is Why.ROOM for turn in let_go)
    outside = [turn for turn in turns if turn.outside]
    assert {turn.why for turn in outside} == {Why.WAITS}
    assert all(turn.switch.at.thread for turn in outside), "the test itself waits in its own code"
