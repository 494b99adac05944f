"""Hunts made by hand, as their shards would write them."""

from pathlib import Path

from pytest_flakehunt.ledger.journal import Journal
from pytest_flakehunt.ledger.particulars import Particulars
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import (
    CALM,
    Attempt,
    Evidence,
    Isolation,
    Leak,
    LeakKind,
    Look,
    Outcome,
    Place,
    Purpose,
    Shard,
    Sweep,
    Trial,
)

TESTS = [("a.py::test_x", "a.py", 3), ("a.py::test_y\udc80", "a.py", 9)]
EVIDENCE = Evidence("call", "E", "no", Place("a.py", 3, "f"), "trace", (("out", "text\n"),), "", "", "E", "a.py f no")
LEAK = Leak(LeakKind.THREAD, "Thread-#", "test", Place("a.py", 3), Place("b.py", 4, "g"), "somewhere", "a.py::test_x")
TERMS = {
    "N": "12", "seed": "7", "shards": "3", "revision": "abc", "Python": "3.13.0", "pytest": "9.2.0",
    "platform": "linux", "perturbations": "order", "weights": '{"order": 6.0}', "options": "", "collected": "2 tests 00",
}  # fmt: skip


def particulars(index: int = 1, uid: str = "", **terms: str) -> Particulars:
    uid = uid or f"{index:032x}"
    every = {**TERMS, **terms}
    trial = Trial(
        int(every["seed"]), 0, 0.0, f"2026-11-27T06:00:0{index}+00:00", every["Python"], "9.2.0", "linux", ("order",),
        revision=every["revision"], asked=every["N"], uid=uid, weights=(("order", 6.0),),
    )  # fmt: skip
    return Particulars(trial, "2 cores", {"xdist": "3.8"}, "/p", ("s+",), every, {str(index): uid}, seconds=None)


def sweep(number: int, zygote: int = 1, purpose: Purpose = Purpose.SURVEY, started: float = 1000.0) -> Sweep:
    return Sweep(
        number, CALM, (), Isolation.FORK, zygote, "7", 1, started + number, 0.5, purpose=purpose, looked=Look.NEAR
    )


def attempts(number: int) -> tuple[list[Attempt], list[str]]:
    """Give a sweep's: one test fails in every second one, and leaves a thread."""
    fails = number % 2 == 0
    first = Attempt(
        TESTS[0][0], Outcome.FAILED if fails else Outcome.PASSED, 0.25, EVIDENCE if fails else None, (LEAK,) * fails
    )
    return [first, Attempt(TESTS[1][0], Outcome.PASSED, 0.001, judged=not fails)], ["f" * 16 if fails else "", ""]


def numbers(index: int) -> list[int]:
    """Give those of a shard: its own calm one, its share, and one that the schedule does not know."""
    return [0, *range(index, 12, 3), 12 + 2 + Shard(index, 3).nth(1)]


def journal(path: Path, index: int = 1, uid: str = "", **terms: str) -> Path:
    """Write a shard's journal."""
    opened = Journal(path)
    opened.begin(particulars(index, uid, **terms))
    opened.declare(TESTS)
    for number in dict.fromkeys(numbers(index)):
        opened.write(sweep(number, Shard(index, 3).nth(1)), *attempts(number))
    opened.note(f"shard {index} noticed something")
    opened.end(3.0)
    opened.close()
    return path


def ledger(path: Path, index: int = 1, uid: str = "", **terms: str) -> Path:
    """Write the same into a ledger, with a run of an experiment."""
    opened = Ledger(path)
    opened.copy(particulars(index, uid, **terms))
    opened.declare(TESTS)
    for number in dict.fromkeys(numbers(index)):
        opened.write(sweep(number, Shard(index, 3).nth(1)), *attempts(number))
    opened.write(sweep(900, purpose=Purpose.DIAGNOSIS), *attempts(900))
    opened.note(f"shard {index} noticed something")
    opened.end(3.0)
    opened.close()
    return path
