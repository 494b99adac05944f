"""What the map and the strip are drawn from, out of a ledger."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_flakehunt.diagnosis.cases import Cases
from pytest_flakehunt.diagnosis.pictures import pictured
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import (
    FIRST_MODE,
    LAST_MODE,
    NOTHING,
    PASSED,
    Attempt,
    Count,
    Evidence,
    Findings,
    Isolation,
    Outcome,
    Place,
    Planned,
    Purpose,
    Sweep,
    Trial,
)
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.pool.tallies import Tallies
from pytest_flakehunt.reports import document, reading

KNOWN = registry()
TRIAL = Trial(1, 0, 0.0, "2026-11-26T06:00:00+00:00", "3.13.0", "9.2.0", "linux", (), uid="a" * 32)
EVIDENCE = Evidence("call", "E", "no", Place("a.py", 1))
P, F, S = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED
A, B = "a" * 16, "b" * 16
SWEEPS: list[tuple[str, tuple[str, ...], dict[str, Any], list[tuple[Outcome, str]]]] = [
    ("", (), {}, [(P, ""), (P, "")]),
    ("clock=+400d random=3", ("clock",), {}, [(F, A), (P, "")]),
    ("clock=+800d random=3", ("clock",), {}, [(F, A), (S, "")]),
    ("clock=+400d order=reversed", ("clock", "order"), {}, [(F, B), (P, "")]),
    ("order=reversed", ("order",), {"outage": True}, [(F, A), (F, A)]),
    ("order=reversed", ("order",), {}, [(S, ""), (P, "")]),
    ("order=reversed", ("order",), {"purpose": Purpose.DIAGNOSIS}, [(F, A), (F, A)]),
    ("random=9", ("random",), {"isolation": Isolation.FRESH}, [(P, ""), (P, "")]),
]


@pytest.fixture
def cases(tmp_path: Path) -> Iterator[Cases]:
    """Give those of a suite with a test that fails in two ways, and one that never does."""
    tallies = Tallies.of([("a.py::test_bad", "a.py", 1), ("a.py::test_good", "a.py", 2)])
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.begin(TRIAL, "2 cores", {}, tmp_path)
    ledger.declare([(test.nodeid, test.file, test.line) for test in tallies.tests])
    sweeps = {}
    for number, (plan, focus, extra, outcomes) in enumerate(SWEEPS):
        sweep = replace(Sweep(number, read_plan(plan, KNOWN), focus, Isolation.FORK, 0, "", 0), **extra)
        pairs = zip(tallies.tests, outcomes, strict=True)
        attempts = [Attempt(test.nodeid, one, 0.1, EVIDENCE if one is F else None) for test, (one, _) in pairs]
        ledger.write(sweep, attempts, [mode for _, mode in outcomes])
        if sweep.purpose is Purpose.SURVEY:
            sweeps[number] = sweep
            if not sweep.outage:
                tallies.add(sweep, attempts)
    survey = cast("Any", SimpleNamespace(sweeps=sweeps, tallies=tallies, checks=True))
    active = [KNOWN[name] for name in ("order", "clock", "random", "gc")]
    yield Cases(survey, ledger, KNOWN, active, datetime.now(UTC), 1)
    ledger.close()


def drawn(cases: Cases) -> Findings:
    return pictured(Findings(TRIAL, tuple(cases.findings())), cases)


def test_tests_are_counted_by_what_was_alone_on_trial_and_outages_and_experiments_in_nothing(cases: Cases) -> None:
    findings = drawn(cases)
    assert findings.columns == ("calm", "order", "clock", "random", "several")
    bad, good = findings.tests
    assert bad.under == (Count(1, 0), Count(0, 0), Count(2, 2), Count(1, 0), Count(1, 1))
    assert good.under == (Count(1, 0), Count(1, 0), Count(1, 0), Count(1, 0), Count(1, 0))
    for test in findings.tests:
        assert Count(sum(one.runs for one in test.under), sum(one.failures for one in test.under)) == test.total


def test_a_test_that_failed_is_told_sweep_by_sweep(cases: Cases) -> None:
    findings = drawn(cases)
    assert [one.number for one in findings.sweeps] == [0, 1, 2, 3, 5, 7]
    assert findings.sweeps[1] == Planned(1, "clock=+400d random=3", ("clock",))
    bad, good = findings.tests
    assert [mode.fingerprint for mode in bad.modes] == [A, B]
    assert bad.strip == (PASSED, FIRST_MODE, FIRST_MODE, FIRST_MODE + 1, NOTHING, PASSED)
    assert good.strip == ()
    (told, _) = document.report(findings)["tests"]
    assert (told["under"], told["strip"]) == ("0/1 0/0 2/2 0/1 1/1", ".001-.")
    again = reading.read(document.text(findings))
    assert (again.columns, again.sweeps) == (findings.columns, findings.sweeps)
    assert [(one.under, one.strip) for one in again.tests] == [(one.under, one.strip) for one in findings.tests]


def test_without_a_ledger_to_read_there_are_no_pictures_and_all_else(cases: Cases) -> None:
    found = Findings(TRIAL, tuple(cases.findings()))
    cases.ledger.path.unlink()
    assert pictured(found, cases) == found


def test_what_is_our_own_fault_is_drawn_nowhere(cases: Cases) -> None:
    cases.survey.tallies.ours.add("a.py::test_bad")
    bad, _ = drawn(cases).tests
    assert (bad.under, bad.strip) == ((), ())


def test_of_a_test_that_only_forks_make_fail_interpreters_of_their_own_count(cases: Cases) -> None:
    cases.survey.tallies.suspicious.add("a.py::test_bad")
    bad, _ = drawn(cases).tests
    assert bad.under == (Count(), Count(), Count(), Count(1, 0), Count())
    assert bad.strip == ()


def test_more_modes_than_there_are_letters_share_the_last_one(cases: Cases) -> None:
    (bad, good) = cases.findings()
    many = tuple(replace(bad.modes[0], fingerprint=f"{number:016x}") for number in range(50))
    found = Findings(TRIAL, (replace(bad, modes=(*many, *bad.modes)), good))
    assert set(pictured(found, cases).tests[0].strip) == {PASSED, LAST_MODE, NOTHING}
