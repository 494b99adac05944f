"""Findings of a hunt that saw everything a report can tell."""

from dataclasses import replace
from datetime import date

import pytest

from pytest_flakehunt.model import (
    Cause,
    Condition,
    Contract,
    Count,
    Diagnosis,
    Entry,
    Evidence,
    Finding,
    Findings,
    Group,
    Interval,
    Leak,
    LeakKind,
    Left,
    Meeting,
    Mode,
    Outage,
    Outcome,
    Parting,
    Place,
    Planned,
    Ready,
    Spent,
    Spot,
    Stop,
    Suspect,
    Trial,
    Verdict,
    Why,
)  # fmt: skip

TRIAL = Trial(
    1, 200, 61.2, "2026-11-26T06:00:00+00:00", "3.13.0", "9.2.0", "linux", ("clock", "order"), revision="0123456789ab",
    zygotes=8, asked="200", experiments=99, saved=3, uid="0123456789abcdef" * 2, folder="sub/project",
    fail_on=("broken", "flaky", "fragile"), stood_down=("locale stands down: none is installed",), switched_off=("--cov",),
    weights=(("clock", 3.0), ("order", 6.5)), spent=(Spent("order", 100, 40.5, 12.25), Spent("starting", 8, 9.25)), at_once=3, hashseeds=7,
)  # fmt: skip
EVIDENCE = Evidence(
    "call", "AssertionError", "assert 1 == 2\n + more", Place("src/a.py", 40, "due"), "Traceback\n  assert 1 == 2",
    (("Captured stdout call", "said\n"),), "", "", "AssertionError", "a.py::due assert 1 == 2",
)  # fmt: skip


MEETING = Meeting(
    (
        Stop("worker-1", Place("src/a.py", 8), "seen = total", False, "MainThread", Place("src/a.py", 9), "", Why.ENDS),
        Stop("MainThread", Place("src/a.py", 9), "with lock:", True, "worker-1", Place("src/b.py", 4), "wait()", None),
    ),
    exact=True,
)
PARTING = Parting(
    Spot(Place("src/a.py", 41, "due"), "if today.day > 28:", ("today=2028-02-29",), ("today=2026-11-26",)),
    "raises KeyError", "goes on at src/a.py:43", Spot(Place("tests/test_a.py", 13, "test_x"), "n = 1", ("n=1",), ("n=2",)),
)  # fmt: skip


ENTRY = Entry(
    "tests/test_a.py::test_victim", date(2026, 11, 26), date(2026, 12, 10), (f"{1:016x}",), ("call AssertionError assert 1 == 2",),
    "order: it is the victim", after=("tests/test_a.py::test_polluter",), seen=Count(20, 20), owner="@team", body="abc", repro="pytest x",
)  # fmt: skip


COLUMNS = ("calm", "clock", "order", "several")
SWEEPS = (
    Planned(0, "", ()), Planned(1, "order=reversed random=1", ("order",)), Planned(2, "clock=+400d random=2", ("clock",)),
    Planned(3, "clock=+400d order=alone", ("clock", "order")), Planned(5, "", ()), Planned(6, "clock=2028-02-29T23:59:58", ("clock",)),
)  # fmt: skip


def under(failures: int) -> tuple[Count, ...]:
    return Count(40, 0), Count(20, failures), Count(5, 0), Count()


def mode(number: int, *causes: Cause, **changes: object) -> Mode:
    found = Diagnosis(
        causes, tried=(Condition("alone", Count(8, 0)), Condition("with it", Count(20, 20), decisive=True)),
        places=("src/a.py:42 calls date.today()",), runs=60, verified=Count(20, 19), control=Count(20, 0),
        parting=PARTING,
        meeting=MEETING,
    )  # fmt: skip
    made = Mode(
        f"{number:016x}", Outcome.FAILED, EVIDENCE, 20, 0, "clock=+400d", Contract.ENVIRONMENT,
        (Suspect("clock", "+400d", Count(20, 20), Count(180, 0), 1e-11),),
        "/opt/venv/bin/python -m pytest tests/test_a.py::test_x --flakehunt-plan=clock=+400d",
        diagnosis=found if causes else None,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def two_causes(mode: Mode) -> Mode:
    assert mode.diagnosis is not None
    cores = Cause("cores", "1", "fails with fewer than 2 cores", Count(5, 5), Count(5, 0), 0.004)
    further = Diagnosis(
        (cores,), tried=(Condition("with cores=1", Count(5, 5), decisive=True),), places=("src/a.py:9 calls cpu_count()",),
        note="in forks only", plan="cores=1", repro="python -m pytest tests/test_a.py::test_x --flakehunt-plan=cores=1",
        verified=Count(3, 3), control=Count(3, 0),
    )  # fmt: skip
    return replace(mode, diagnosis=replace(mode.diagnosis, also=(further,)))


def finding(name: str, verdict: Verdict, *modes: Mode, **changes: object) -> Finding:
    failures = 200 if verdict is Verdict.BROKEN else 20 * len(modes)
    calm = Count(40, {Verdict.BROKEN: 40, Verdict.FLAKY: 3}.get(verdict, 0))
    made = Finding(
        f"tests/test_a.py::{name}", "tests/test_a.py", 12, verdict, Count(200, failures), Interval(0.066, 0.149), calm,
        Interval(0, 0.088), Contract.ENVIRONMENT, modes, seconds=0.25, under=under(min(20, failures)),
        strip=(1, 1, 2, 0, 1, min(3, 1 + len(modes))) if modes else (),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def sample() -> Findings:
    return everything()


def everything() -> Findings:
    clock = Cause("clock", "+400d", "fails from 2027-03-01 on", Count(20, 20), Count(20, 0), 7e-12)
    polluter = "tests/test_a.py::test_polluter"
    order = Cause(
        "order", "", f"is the victim of {polluter}", Count(20, 20), Count(20, 0), 7e-12, (polluter,), (), (),
        (f"{polluter} sets a.CURRENCY",),
    )  # fmt: skip
    thread = Leak(
        LeakKind.THREAD, "serve", "test", Place("tests/test_a.py", 30), Place("src/s.py", 88, "start"), "at x"
    )
    left = Left(thread, Count(200, 200), Interval(0.98, 1.0), victims=("tests/test_a.py::test_victim",))
    tests = (
        finding("test_polluter", Verdict.STEADY),
        finding(
            "test_victim",
            Verdict.FRAGILE,
            two_causes(mode(1, order, after=(polluter,), plan="")),
            owner="@team @shop",
            entry=ENTRY,
        ),
        finding("test_dated", Verdict.FRAGILE, mode(2, clock), mode(3, outcome=Outcome.HUNG)),
        finding("test_now_and_then", Verdict.FLAKY, mode(4)),
        finding("test_broken", Verdict.BROKEN, mode(5, failures=200), leaks=(left,), notes=("odd",)),
        finding(
            "test_known", Verdict.FLAKY, mode(6, clock, quarantined="until 2026-12-01: clock; @team"), owner="@team"
        ),
        finding("test_stressed", Verdict.FRAGILE, mode(7, contract=Contract.STRESS), contract=Contract.STRESS),
        finding("test_idle", Verdict.STEADY, total=Count(), calm=Count(), rate=Interval(0, 1)),
    )
    return Findings(
        TRIAL,
        tests,
        (Outage(17, "cores=1", Count(50, 49), "OSError", "no route\nto host"),),
        (
            Group(
                (("tests/test_a.py::test_dated", f"{2:016x}"), ("tests/test_a.py::test_known", f"{6:016x}")),
                "fails from",
            ),
        ),
        (Ready("tests/test_a.py::test_polluter", "tests/test_a.py::test_polluter", 200),),
        ("something odd",),
        COLUMNS,
        SWEEPS,
    )
