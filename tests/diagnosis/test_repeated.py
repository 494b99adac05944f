"""What fails where each test runs twice in a row: for its own second run, or for those of others."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_flakehunt.analysis import naming
from pytest_flakehunt.diagnosis.repro import needs_others
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry


@pytest.mark.parametrize(
    ("plan", "others"),
    [("order=reversed", True), ("order=alone", False), ("repeat=2", True), ("gc=eager", False), ("", False)],
)
def test_a_plan_that_runs_others_again_needs_them(plan: str, others: bool) -> None:
    assert needs_others(read_plan(plan, registry())) is others


def test_a_plan_that_repeats_says_that_it_repeats_all() -> None:
    held = read_plan("gc=eager repeat=3", registry())
    assert naming.repeated(held) == {"repeat": "only where each test runs 3 times in a row, those before it too"}
    assert naming.repeated(read_plan("gc=eager", registry())) == {}


def test_what_fails_as_another_one_has_run_twice_is_not_said_to_fail_as_it_runs_again(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        """
        RUNS = []

        def test_a(): RUNS.append("a")
        def test_b(): assert len(RUNS) < 2
        def test_c(seen=[]): assert not seen; seen.append("c")
        """
    )
    found = hunt("--flakehunt-only=repeat", sweeps=6, diagnose=200)
    said = {
        name: [(cause["perturbation"], cause["sentence"]) for mode in test["modes"] for cause in mode["causes"]]
        for name, test in found.tests.items()
        if test["failures"]
    }
    (order, repeat) = said["test_b"]
    assert order[0] == "order"
    assert "test_a" in order[1]
    assert repeat == ("repeat", "fails only where each test runs 2 times in a row, those before it too")
    assert said["test_c"] == [("repeat", "fails when it runs again in the same process")]
