"""Ledgers that older versions wrote: made by their hunts of three tests, one steady, one flaky, one that leaks."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pytest_flakehunt.ledger import archive, copying
from pytest_flakehunt.ledger.store import APPLICATION, VERSION, Ledger
from pytest_flakehunt.model import Trial

FORMATS = sorted((Path(__file__).parent / "formats").glob("*.sql"))
TRIAL = Trial(1, 0, 0.0, "2026-11-26T06:00:00+00:00", "3.13.0", "9.2.0", "linux", (), asked="20", uid="0" * 32)


@pytest.fixture(params=FORMATS, ids=lambda path: f"format {path.stem}")
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(request.param.read_text("utf-8"))
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {request.param.stem}")
    return path


def test_there_is_one_of_each_older_format() -> None:
    assert [path.stem for path in FORMATS] == [str(number) for number in range(1, VERSION)]


def test_it_is_read_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    (hunt,) = archive.hunts(old)
    assert (hunt.number, hunt.asked, hunt.sweeps, hunt.ended) == (1, "6", 6, True)
    assert hunt.concluded == bool(hunt.uid)  # both since format 5
    assert archive.known(old, lambda nodeid: nodeid == "test_a.py::test_steady", (), "").runs == 6
    assert archive.worth(old).hunts == 1
    assert old.read_bytes() == before


def test_a_new_hunt_goes_on_in_it(old: Path) -> None:
    ledger = Ledger(old)
    ledger.hunt = 1
    ledger.declare([("test_a.py::test_flaky", "test_a.py", 3)])
    assert len(ledger.rows("test_a.py::test_flaky")) == 6
    assert ledger.begin(TRIAL, "2 cores", {}, old.parent, ["x+"]) == 2
    ledger.conclude("{}")
    ledger.close()
    first, second = archive.hunts(old)
    assert len(first.uid) == 32
    assert (second.concluded, second.uid, second.redact) == (True, TRIAL.uid, ("x+",))
    assert archive.document(old, 2) == "{}"


def test_a_copy_of_it_is_redacted(old: Path, tmp_path: Path) -> None:
    copying.copied(old, tmp_path / "copy.sqlite", lambda text: text.replace("nlucky", "***"))
    copy = (tmp_path / "copy.sqlite").read_bytes()
    assert b"nlucky" in old.read_bytes()
    assert b"nlucky" not in copy
    assert [hunt.sweeps for hunt in archive.hunts(tmp_path / "copy.sqlite")] == [6]
