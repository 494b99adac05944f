import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.ledger import archive, copying
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import CALM, Attempt, Evidence, Isolation, Outcome, Place, Purpose, Sweep, Trial

TRIAL = Trial(1, 0, 0.0, "2026-11-26T06:00:00+00:00", "3.13.0", "9.2.0", "linux", (), asked="20", uid="a" * 32)
SECRET = "geheim-0815"
EVIDENCE = Evidence("call", "E", f"no {SECRET}", Place("a.py", 1), sections=(("out", f'"{SECRET}"\n'),))
TESTS = [f"a.py::test_x[{SECRET}]", "a.py::test_x[***]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.begin(TRIAL, "2 cores", {}, tmp_path)
    ledger.declare([(nodeid, "a.py", 3) for nodeid in TESTS])
    failed = [Attempt(nodeid, Outcome.FAILED, 0.1, EVIDENCE) for nodeid in TESTS]
    ledger.write(Sweep(0, CALM, (), Isolation.FORK, 1, "7", 0), failed, ["f" * 16, "f" * 16])
    ledger.conclude(json.dumps({"notes": [f"é {SECRET}"]}))
    ledger.end(1.0)
    ledger.close()
    return ledger.path


def redact(text: str) -> str:
    return text.replace(SECRET, "***")


def test_a_copy_has_no_trace_of_a_secret_and_everything_else(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    copy.write_text("what was there before")
    copying.copied(path, copy, redact)
    assert SECRET.encode() in path.read_bytes()
    assert SECRET.encode() not in copy.read_bytes()
    assert {file.name for file in tmp_path.glob("copy*")} == {"copy.sqlite"}
    with closing(sqlite3.connect(copy)) as db:
        assert [name for (name,) in db.execute("SELECT nodeid FROM tests ORDER BY id")] == [
            "a.py::test_x[***] #1",
            TESTS[1],
        ]
        assert json.loads(db.execute("SELECT sections FROM evidence").fetchone()[0]) == [["out", '"***"\n']]
        assert db.execute("SELECT count(*) FROM attempts").fetchone() == (2,)
    assert json.loads(archive.document(copy, 1)) == {"notes": ["é ***"]}


def test_what_is_no_ledger_is_refused_and_nothing_is_made(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE hunts (id)")
    with pytest.raises(LedgerError, match="is an SQLite file of something else; give the path of a ledger"):
        archive.hunts(other)
    with pytest.raises(LedgerError, match="there is no such ledger; a hunt writes one"):
        archive.hunts(tmp_path / "none")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match=r"written by a newer pytest-flakehunt \(format 99, .*\); upgrade"):
        copying.copied(path, tmp_path / "copy.sqlite", redact)
    assert not list(tmp_path.glob("copy*"))


def test_a_copy_that_cannot_be_written_is_said_so(path: Path, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"cannot be written: .*; give a path in a folder that can be"):
        copying.copied(path, tmp_path / "no" / "copy.sqlite", redact)


def test_what_perturbations_cost_and_found_is_told_over_all_hunts(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    ledger.begin(replace(TRIAL, uid="b" * 32), "2 cores", {}, tmp_path)
    ledger.declare([(nodeid, "a.py", 3) for nodeid in TESTS])
    passed, failed = (
        [Attempt(nodeid, outcome, 0.1, evidence) for nodeid in TESTS]
        for outcome, evidence in ((Outcome.PASSED, None), (Outcome.FAILED, EVIDENCE))
    )
    sweeps: list[tuple[tuple[str, ...], list[Attempt], dict[str, Any]]] = [
        ((), passed, {}),
        (("order",), failed, {}),
        (("order",), failed, {}),  # found once, however often it is seen
        (("clock",), passed, {}),
        (("clock",), failed, {"outage": True}),
        (("clock", "order"), failed, {}),
        (("gc",), failed, {"purpose": Purpose.DIAGNOSIS}),
    ]
    for number, (focus, attempts, extra) in enumerate(sweeps):
        sweep = replace(Sweep(number, CALM, focus, Isolation.FORK, 1, "7", 0), seconds=0.5, **extra)
        ledger.write(sweep, attempts, ["f" * 16 if attempt.outcome is Outcome.FAILED else "" for attempt in attempts])
    ledger.close()
    history = archive.worth(path)
    assert (history.hunts, history.seconds, history.found) == (2, {"order": 1.0, "clock": 0.5}, {"order": 2})
    assert history.calm == pytest.approx(0.25)  # the first hunt's took no time


def test_what_fails_when_calm_is_no_perturbations_merit(path: Path) -> None:
    ledger = Ledger(path)
    ledger.hunt = 1
    ledger.declare([(nodeid, "a.py", 3) for nodeid in TESTS])
    failed = [Attempt(nodeid, Outcome.FAILED, 0.1, EVIDENCE) for nodeid in TESTS]
    ledger.write(Sweep(1, CALM, ("order",), Isolation.FORK, 1, "7", 0), failed, ["f" * 16, "f" * 16])
    ledger.close()
    assert archive.worth(path).found == {}
