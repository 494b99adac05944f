"""A suite that gets into its own way when it runs beside itself is one finding, with what is shared."""

import contextlib
import os
import socket
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.instruments.outside import Outside
from pytest_flakehunt.model import CALM, Attempt, Evidence, Isolation, Outcome, Place, Sweep
from pytest_flakehunt.model.plans import Draft, read_plan
from pytest_flakehunt.perturbations import OURS, registry
from pytest_flakehunt.pool.slots import Job
from pytest_flakehunt.survey.crowd import Crowd
from pytest_flakehunt.survey.survey import Survey
from pytest_flakehunt.zygote import wire

CALM_ONLY = f"--flakehunt-without={','.join(perturbation.name for perturbation in OURS)}"
TESTS = ["a", "b", "c", "d"]
EVIDENCE = Evidence("call", "OSError", "in use", Place("a.py", 1))


def attempts(failing: str) -> list[Attempt]:
    return [
        Attempt(name, Outcome.FAILED, 0.0, EVIDENCE) if name in failing else Attempt(name, Outcome.PASSED)
        for name in TESTS
    ]


def sweep(neighbours: int) -> Sweep:
    return Sweep(1, CALM, (), Isolation.FORK, 1, "", neighbours)


def test_three_that_fail_beside_others_and_pass_by_themselves_are_a_crowd() -> None:
    crowd = Crowd()
    crowd.look(sweep(0), attempts("abc"))
    crowd.look(sweep(1), attempts("ab"))
    assert crowd.suspects == set()
    crowd.look(sweep(1), attempts("abcd"))
    assert crowd.suspects == set(TESTS)
    told = [wire.Told(wire.OUTSIDE, {"position": place, "names": ["port 80", f"{place}.txt"]}) for place in (0, 1, 3)]
    crowd.settle(attempts("d"), told, TESTS)
    assert crowd.members == {"a", "b", "c"}
    assert crowd.sentence() == (
        "the suite gets into its own way: a and 2 other tests fail in a calm sweep beside another one, and pass in one "
        "that runs by itself; 2 of them write to port 80; from here on one sweep runs at a time"
    )


def test_what_fails_by_itself_too_is_asked_about_once() -> None:
    crowd = Crowd()
    crowd.look(sweep(1), attempts("abc"))
    crowd.settle(attempts("abc"), [], TESTS)
    crowd.suspects = set()
    crowd.look(sweep(1), attempts("abc"))
    assert (crowd.members, crowd.suspects) == (set(), set())


def test_where_nothing_shared_is_seen_once_may_be_chance() -> None:
    crowd = Crowd()
    crowd.look(sweep(1), attempts("abc"))
    crowd.settle(attempts(""), [], TESTS)
    assert crowd.members == set()
    crowd.look(sweep(1), attempts("bcd"))  # a passes beside others: it is none of them
    assert crowd.suspects == {"b", "c", "d"}
    crowd.settle(attempts(""), [], TESTS)
    assert crowd.members == set()
    crowd.look(sweep(1), attempts("bcd"))
    crowd.settle(attempts(""), [], TESTS)
    assert crowd.members == {"b", "c", "d"}


def test_who_is_suspected_as_a_hunt_is_interrupted_is_asked_about_again() -> None:
    crowd = Crowd()
    crowd.recall(sweep(1), attempts("abc"))
    assert crowd.suspects == set("abc")
    crowd.recall(sweep(0), attempts("a"))
    assert crowd.suspects == set()
    crowd.recall(sweep(1), attempts("abc"))
    assert crowd.suspects == set()


def test_a_sweep_that_takes_many_times_as_long_is_not_waited_for() -> None:
    dear, usual = (
        Draft(number, read_plan(f"order={order}", registry())) for number, order in ((2, "alone"), (3, "reversed"))
    )
    slots = [SimpleNamespace(job=Job(draft)) for draft in (dear, usual)]
    survey: Any = SimpleNamespace(
        pool=SimpleNamespace(slots=SimpleNamespace(all=slots)), crowd=Crowd(suspects={"a"}), _next=lambda _: "more",
        _by_itself=lambda: "alone",
    )  # fmt: skip
    turn: Any = slots[1]
    survey._dear = Survey._dear_now(survey)
    assert survey._dear == {2}
    assert str(Survey.next(survey, turn)) == "more"
    slots[0].job = Job(Draft(9, dear.plan))  # another one, which began meanwhile
    assert str(Survey.next(survey, turn)) == "alone"


def test_names_that_every_process_has_are_noted(tmp_path: Path) -> None:
    root = Path(tempfile.mkdtemp(prefix="outside-"))
    outside = Outside(root)
    with outside.noted() as names:
        (root / "written").write_text("x", "utf-8")
        (root / "read").touch()
        (root / "read").read_text("utf-8")
        (root / "folder").mkdir()
        (tmp_path / "own").touch()
        with tempfile.TemporaryDirectory() as drawn:
            Path(drawn, "own").touch()
        Path(os.devnull).write_text("x", "utf-8")
        with contextlib.closing(sqlite3.connect(root / "base.sqlite")):
            pass
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            one.close()
            other.bind(("127.0.0.1", port))
    assert names == {"written", "read", "folder", "base.sqlite", f"port {port}"}


@pytest.mark.thorough
def test_a_suite_in_its_own_way_is_told_once_and_goes_on_by_itself(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        test_way="""
        import time
        from pathlib import Path
        import pytest

        @pytest.mark.parametrize("number", range(5))
        def test_folder(number):
            folder = Path(__file__).with_name("results")
            folder.mkdir()
            try: time.sleep(0.2)
            finally: folder.rmdir()

        def test_sound(): time.sleep(0.1)
        """
    )
    found = hunt("-n2", CALM_ONLY, sweeps=8)
    (note,) = found.report["notes"]
    assert note.endswith("of them write to results; from here on one sweep runs at a time")
    failing = {name: test for name, test in found.tests.items() if test["failures"]}
    assert len(failing) >= 3
    assert "test_sound" not in failing
    assert max(test["failures"] for test in failing.values()) <= 2
    ((sentence, members),) = [(group["sentence"], group["members"]) for group in found.report["groups"]]
    assert sentence.startswith("fails while other sweeps run beside it: ")
    assert sentence.endswith(" to results")
    assert len(members) == len(failing)
    blocks = [line for line in found.result.outlines if line.startswith(("FLAKY", "FRAGILE", "BROKEN"))]
    assert len(blocks) == 1
    found.result.stdout.fnmatch_lines([f"  so do {len(failing) - 1} other tests: test_way.py::test_folder*"])
