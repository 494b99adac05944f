import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.store import EVIDENCE_PER_MODE, Ledger, Row
from pytest_flakehunt.ledger.texts import storable
from pytest_flakehunt.model import CALM, Attempt, Evidence, Isolation, Outcome, Place, Purpose, Sweep, Trial

TRIAL = Trial(1, 0, 0.0, "2026-11-23T06:00:00+00:00", "3.13.0", "9.2.0", "linux", ("clock",), asked="20")
EVIDENCE = Evidence(
    "call",
    "ValueError",
    "bad \udc80",
    Place("a.py", 3, "f"),
    "trace",
    (("out", "text"),),
    "stacks",
    "n",
    "ValueError",
    "a.py::f raise it",
)
TEST = "a.py::test_x\udc80"
PRINT = "0123456789abcdef"


def sweep(number: int) -> Sweep:
    return Sweep(number, CALM, (), Isolation.FORK, 1, "7", 1, 1000.0, 0.5)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    opened = Ledger(tmp_path / "sub" / "ledger.sqlite")
    opened.begin(TRIAL, "2 cores", {"xdist": "3.8.0"}, tmp_path)
    opened.declare([(TEST, "a.py", 3), ("a.py::test_y", "a.py", 9)])
    return opened


def test_what_is_written_reads_back(ledger: Ledger) -> None:
    failed = Attempt(TEST, Outcome.FAILED, 0.25, EVIDENCE)
    ledger.write(sweep(0), [Attempt(TEST, Outcome.PASSED, 0.1), Attempt("a.py::test_y", Outcome.SKIPPED)], ["", ""])
    ledger.write(sweep(1), [failed, Attempt("a.py::test_y", Outcome.XFAILED)], [PRINT, ""])
    assert ledger.rows(TEST) == [Row(0, Outcome.PASSED, ""), Row(1, Outcome.FAILED, PRINT)]
    number, evidence = ledger.evidence(TEST)[PRINT]
    assert number == 1
    assert evidence.message == "bad \\udc80"
    assert replace(evidence, message=EVIDENCE.message) == EVIDENCE
    ledger.close()


def test_only_the_first_evidence_of_a_mode_is_kept_and_every_attempt(ledger: Ledger) -> None:
    for number in range(6):
        ledger.write(sweep(number), [Attempt(TEST, Outcome.FAILED, 0.1, EVIDENCE)], [PRINT])
    assert len(ledger.rows(TEST)) == 6
    assert ledger.evidence(TEST)[PRINT][0] == 0
    with sqlite3.connect(ledger.path) as db:
        assert db.execute("SELECT count(*) FROM evidence").fetchone() == (EVIDENCE_PER_MODE,)
    db.close()
    ledger.close()


def test_a_sweep_is_written_whole_or_not_at_all(ledger: Ledger) -> None:
    ledger.write(sweep(0), [Attempt(TEST, Outcome.PASSED)], [""])
    with pytest.raises(LedgerError, match="cannot be written"):
        ledger.write(sweep(0), [Attempt("a.py::test_y", Outcome.PASSED)], [""])
    assert ledger.rows("a.py::test_y") == []
    ledger.close()


def test_the_folder_it_makes_is_kept_out_of_version_control(ledger: Ledger) -> None:
    assert (ledger.path.parent / ".gitignore").read_text().endswith("*\n")
    ledger.close()


def test_hunts_share_tests_and_modes(ledger: Ledger, tmp_path: Path) -> None:
    ledger.write(sweep(0), [Attempt(TEST, Outcome.FAILED, 0.1, EVIDENCE)], [PRINT])
    ledger.end(3.5)
    ledger.close()
    again = Ledger(ledger.path)
    assert again.begin(TRIAL, "2 cores", {}, tmp_path) == 2
    again.declare([(TEST, "a.py", 30)])
    again.note("something")
    again.write(sweep(0), [Attempt(TEST, Outcome.FAILED, 0.1, EVIDENCE)], [PRINT])
    with sqlite3.connect(ledger.path) as db:
        assert db.execute("SELECT count(*) FROM modes").fetchone() == (1,)
        assert db.execute("SELECT line FROM tests WHERE id = 1").fetchone() == (30,)
        assert db.execute("SELECT text FROM notes").fetchall() == [("something",)]
    db.close()
    again.close()


def test_a_full_disk_is_said_so(ledger: Ledger) -> None:
    ledger._db.execute(f"PRAGMA max_page_count = {ledger._db.execute('PRAGMA page_count').fetchone()[0]}")
    for change in (ledger.note, lambda text: ledger.declare([(text, text, 1)]), ledger.conclude):
        with pytest.raises(LedgerError, match="full; make room, or give a path on another disk"):
            change("x" * 100_000)
    huge = Evidence("call", "E", "m", Place("a", 1), "x" * 100_000)
    with pytest.raises(LedgerError, match="full; make room, or give a path on another disk with --flakehunt-ledger"):
        for number in range(9):
            ledger.write(sweep(number), [Attempt(TEST, Outcome.FAILED, 0.1, huge)], [f"{number:016x}"])
    ledger.close()


def test_text_that_no_file_can_hold_is_escaped() -> None:
    assert storable("ü\udc80") == "ü\\udc80"


def test_experiments_are_in_no_rate(ledger: Ledger) -> None:
    ledger.write(sweep(0), [Attempt(TEST, Outcome.PASSED, 0.1)], [""])
    experiment = replace(sweep(1), purpose=Purpose.DIAGNOSIS)
    ledger.write(experiment, [Attempt(TEST, Outcome.FAILED, 0.1, EVIDENCE)], [PRINT])
    assert ledger.rows(TEST) == [Row(0, Outcome.PASSED, "")]
    assert ledger.tests_of(1) == {TEST.replace("\udc80", "\\udc80")}
    ledger.close()
