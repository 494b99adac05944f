"""What a diagnosis is told of the survey."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.diagnosis.cases import MOST_FAILURES, UNTRIED, Cases, _various
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Attempt, Evidence, Isolation, Outcome, Place, Sweep, Trial
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.pool.tallies import Tallies

KNOWN = registry()


def sweep(number: int, plan: str) -> Sweep:
    return Sweep(number, read_plan(plan, KNOWN), (), Isolation.FORK, 0, "", 0)


def test_failing_sweeps_of_every_kind_are_among_the_few_that_are_searched_for_a_further_cause() -> None:
    many = [sweep(number, "cores=1") for number in range(200)]
    few = [sweep(200, "timezone=UTC"), sweep(201, "timezone=Asia/Tokyo"), sweep(202, "cores=1 timezone=UTC")]
    chosen = [one.number for one in _various([*many, *few])]
    assert len(chosen) == MOST_FAILURES
    assert chosen[:5] == [0, 200, 202, 1, 201]
    assert chosen[5:] == list(range(2, 27))


@pytest.mark.parametrize("plan", ["", "timezone=UTC"])
@pytest.mark.parametrize(("checks", "ended"), [(True, 4), (True, 5), (False, 4)])
def test_a_hunt_that_ends_before_fresh_interpreters_have_run_what_forks_may_make_fail_says_so(
    tmp_path: Path, *, checks: bool, ended: int, plan: str
) -> None:
    """One that uses up what its module has made passes in the first fork of an interpreter only."""
    tallies, sweeps = Tallies.of([("a.py::test_it", "a.py", 0)]), {}
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        ledger.begin(Trial(1, 0, 0.0, "2026-11-26T06:00:00+00:00", "3.13.0", "9.2.0", "linux", ()), "", {}, tmp_path)
        ledger.declare([("a.py::test_it", "a.py", 0)])
        for number in range(ended):
            isolation = Isolation.FRESH if number == 4 else Isolation.FORK
            one = Sweep(
                number,
                read_plan(plan if 0 < number < 4 else "", KNOWN),
                (),
                isolation,
                0,
                "",
                0,
                started=10.0 * number,
                seconds=1.0,
            )
            evidence = Evidence("call", "E", "no", Place("a.py", 1)) if 0 < number < 4 else None
            outcome = Outcome.PASSED if evidence is None else Outcome.FAILED
            attempts = [Attempt("a.py::test_it", outcome, 0.1, evidence)]
            sweeps[number] = one
            ledger.write(one, attempts, ["" if evidence is None else "a" * 16])
            tallies.add(one, attempts)
        survey: Any = SimpleNamespace(sweeps=sweeps, tallies=tallies, checks=checks)
        (finding,) = Cases(survey, ledger, KNOWN, (), datetime.now(UTC), 1).findings()
    assert list(finding.notes) == ([UNTRIED] if checks and ended == 4 else [])
