"""Hunts that are taken out of a ledger, and what stays: with real processes, and a real kill."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.ledger import archive, pruning
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.store import APPLICATION, VERSION, Ledger
from pytest_flakehunt.model import (
    CALM,
    Attempt,
    Evidence,
    Isolation,
    Leak,
    LeakKind,
    Outcome,
    Place,
    Sweep,
    Trial,
)
from tests.ledger.test_formats import FORMATS

TRIAL = Trial(1, 0, 0.0, "2026-11-26T06:00:00+00:00", "3.13.0", "9.2.0", "linux", (), asked="20")
EVIDENCE = Evidence("call", "E", "no", Place("a.py", 1))
TABLES = ("hunts", "documents", "tests", "sweeps", "attempts", "modes", "evidence", "leaks", "leaked", "hurt", "notes")


def hunted(path: Path, uid: str, tests: Sequence[str]) -> None:
    """Add a hunt in which each test fails and leaks."""
    ledger = Ledger(path)
    ledger.begin(replace(TRIAL, uid=uid * 32), "2 cores", {}, path.parent)
    ledger.declare([(nodeid, "a.py", 3) for nodeid in tests])
    leaks = (Leak(LeakKind.THREAD, "t", "test", Place("a.py", 1), None, "", victim="a.py::v"),)
    attempts = [Attempt(nodeid, Outcome.FAILED, 0.1, EVIDENCE, leaks) for nodeid in tests]
    ledger.write(Sweep(0, CALM, (), Isolation.FORK, 1, "7", 0), attempts, ["f" * 16 for _ in tests])
    ledger.note(f"of {uid} " + "x" * 50_000)
    ledger.conclude("{}")
    ledger.end(1.0)
    ledger.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    hunted(path, "a", ["a.py::old", "a.py::both"])
    hunted(path, "b", ["a.py::both", "a.py::new"])
    return path


def counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES if name in there}


def test_a_hunt_goes_with_all_that_only_it_has(path: Path) -> None:
    before, size = counts(path), path.stat().st_size
    pruning.removed(path, [1])
    after = counts(path)
    assert path.stat().st_size < size - 40_000
    assert {name: (before[name], after[name]) for name in TABLES} == {
        "hunts": (2, 1), "documents": (2, 1), "tests": (3, 2), "sweeps": (2, 1), "attempts": (4, 2), "modes": (3, 2),
        "evidence": (4, 2), "leaks": (3, 2), "leaked": (4, 2), "hurt": (4, 2), "notes": (2, 1),
    }  # fmt: skip
    assert [hunt.number for hunt in archive.hunts(path)] == [2]
    with closing(sqlite3.connect(path)) as db:
        assert {name for (name,) in db.execute("SELECT nodeid FROM tests")} == {"a.py::both", "a.py::new"}
    hunted(path, "c", ["a.py::old"])
    assert [hunt.number for hunt in archive.hunts(path)] == [2, 3]


def test_nothing_is_left_of_a_ledger_without_hunts(path: Path) -> None:
    pruning.removed(path, [1, 2])
    assert set(counts(path).values()) == {0}


@pytest.mark.parametrize("old", FORMATS, ids=lambda path: f"format {path.stem}")
def test_an_older_ledger_keeps_its_format(old: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(old.read_text("utf-8"))
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {old.stem}")
    pruning.removed(path, [])
    assert [hunt.sweeps for hunt in archive.hunts(path)] == [6]
    pruning.removed(path, [1])
    assert set(counts(path).values()) == {0}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (int(old.stem),)
    hunted(path, "c", ["a.py::new"])
    assert archive.document(path, 1) == "{}"


def test_a_newer_ledger_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(LedgerError, match=r"written by a newer pytest-flakehunt"):
        pruning.removed(path, [1])
    assert counts(path)["hunts"] == 2


def test_a_ledger_that_a_hunt_has_open_is_left_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "PATIENCE", 0.0)
    hunting = "import sys; from pathlib import Path; from pytest_flakehunt.ledger.store import Ledger\n"
    hunting += "Ledger(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    before = counts(path)
    with subprocess.Popen(
        [sys.executable, "-c", hunting, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(LedgerError) as error:
            pruning.removed(path, [1])
        process.communicate()
    assert str(error.value) == f"{path} is in use: a hunt or another command has it open; try again when that has ended"
    assert counts(path) == before
    pruning.removed(path, [1])
    assert counts(path)["hunts"] == 1


@pytest.mark.parametrize("statement", ["DELETE FROM hunts", "DELETE FROM tests", "COMMIT", "VACUUM"])
def test_a_kill_in_the_middle_leaves_all_or_nothing(path: Path, statement: str) -> None:
    killed = """if True:
        import os, signal, sqlite3, sys
        from pathlib import Path
        from pytest_flakehunt.ledger import pruning

        class Killed(sqlite3.Connection):
            def execute(self, query, *values):
                if query.startswith(sys.argv[2]):
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().execute(query, *values)

        connect = sqlite3.connect
        sqlite3.connect = lambda *args, **words: connect(*args, **words, factory=Killed)
        pruning.removed(Path(sys.argv[1]), [1])
        """
    before = counts(path)
    ended = subprocess.run([sys.executable, "-c", killed, path, statement], env=dict(os.environ), check=False)
    assert ended.returncode == -9
    assert len(archive.hunts(path)) == (1 if statement == "VACUUM" else 2)  # read as reports read it
    assert (counts(path) == before) == (statement != "VACUUM")
    pruning.removed(path, [1])
    assert counts(path)["hunts"] == 1
