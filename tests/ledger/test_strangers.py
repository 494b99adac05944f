"""Ledgers and journals that somebody else wrote."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ledger import archive, copying, pruning, recalling
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.merging import sources, written
from pytest_flakehunt.ledger.opening import JOURNAL_END
from pytest_flakehunt.ledger.store import Ledger
from tests.ledger import hunts

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"


def changed(path: Path, *statements: str) -> Path:
    hunts.ledger(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
    return path


def recorded(path: Path) -> object:
    return [list(recalling.recorded(path, number, written)) for number in recalling.particulars(path)]


@pytest.mark.parametrize(
    "statements",
    [
        ("ALTER TABLE hunts RENAME TO old", f"CREATE VIEW hunts AS {ENDLESS} i AS id, 'x' AS started FROM n"),
        (f"CREATE TRIGGER t BEFORE INSERT ON hunts BEGIN {ENDLESS} i FROM n; END",),
        ("ALTER TABLE hunts ADD COLUMN large AS (hex(zeroblob(900000000)))",),
        ("CREATE TABLE more (x TEXT DEFAULT (hex(zeroblob(900000000))))",),
        ("CREATE TABLE more (x TEXT /* ' */ CHECK (length(x) > 3))",),
        ("CREATE INDEX i ON hunts (lower(started))",),
    ],
)
def test_a_ledger_in_which_anything_is_computed_is_refused(tmp_path: Path, statements: Sequence[str]) -> None:
    path = changed(tmp_path / "l.sqlite", *statements)
    doors: list[Callable[[], object]] = [
        lambda: archive.hunts(path), lambda: Ledger(path), lambda: pruning.removed(path, [1]), lambda: copying.copied(path, tmp_path / "c", str),
    ]  # fmt: skip
    for door in doors:
        with pytest.raises(LedgerError, match="is none that a hunt makes; give a ledger that only hunts wrote to"):
            door()


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE hunts SET uid = x'00ff'", archive.hunts),
        ("UPDATE hunts SET redact = '3'", archive.hunts),
        ("UPDATE hunts SET started = x'00ff'", archive.hunts),
        ("UPDATE hunts SET started = 'yesterday'", archive.hunts),
        ("UPDATE hunts SET started = '2026-02-30'", recalling.particulars),
        ("UPDATE hunts SET seed = 'x'", recalling.particulars),
        ("UPDATE hunts SET terms = '[1]'", recalling.particulars),
        ("""UPDATE hunts SET terms = '{"shards": "999999999", "N": "3"}'""", recalling.particulars),
        ("""UPDATE hunts SET terms = '{"shards": "3"}'""", recalling.particulars),
        ("UPDATE sweeps SET plan = x'00'", recorded),
        ("UPDATE sweeps SET seconds = -1", recorded),
        ("UPDATE sweeps SET isolation = 'none'", recorded),
        ("UPDATE attempts SET outcome = 99", recorded),
        ("UPDATE attempts SET ms = 'long'", recorded),
        ("UPDATE tests SET nodeid = x'00ff' WHERE id = 1", recorded),
        ("UPDATE evidence SET sections = '7'", recorded),
        ("UPDATE evidence SET line = 1e300", recorded),
        ("UPDATE leaks SET kind = 'elephant'", recorded),
        ("UPDATE sweeps SET focus = x'41' WHERE number = 1", archive.worth),
        ("UPDATE sweeps SET started = 1e300", lambda path: archive.known(path, lambda _: True, {"f" * 16}, "")),
    ],
)
def test_values_of_another_kind_are_refused(tmp_path: Path, statement: str, read: Callable[[Path], object]) -> None:
    path = changed(tmp_path / "l.sqlite", statement)
    with pytest.raises(LedgerError, match=r"l\.sqlite cannot be read: .*it is damaged or no ledger"):
        read(path)


def test_pages_that_are_met_again_and_again_are_not_read(tmp_path: Path) -> None:
    """A tree in which one page is the child of its parent many times, over several levels, has billions of rows."""
    path = hunts.ledger(tmp_path / "l.sqlite")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executemany("INSERT INTO notes VALUES (1, ?)", [("x" * 900,)] * 3000)
        db.execute("PRAGMA journal_mode = DELETE")
        (size,), (root,) = (
            db.execute("PRAGMA page_size").fetchone(),
            db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'notes'").fetchone(),
        )
    raw = bytearray(path.read_bytes())
    page = (root - 1) * size
    assert raw[page] == 5  # within a tree
    cells = int.from_bytes(raw[page + 3 : page + 5], "big")
    for cell in range(cells):
        at = page + int.from_bytes(raw[page + 12 + 2 * cell : page + 14 + 2 * cell], "big")
        raw[at : at + 4] = raw[page + 8 : page + 12]
    path = tmp_path / "given.sqlite"
    path.write_bytes(raw)
    with pytest.raises(LedgerError, match=r"it is malformed: .*it is damaged or no ledger"):
        archive.hunts(path)


def test_no_other_file_is_deleted_for_a_journal_beside_a_ledger(tmp_path: Path) -> None:
    path, victim = hunts.ledger(tmp_path / "l.sqlite"), tmp_path / "precious"
    victim.write_bytes(b"nothing that SQLite knows")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    name = bytes(victim)
    head = JOURNAL_END + (0).to_bytes(4, "big") + bytes(4) + (path.stat().st_size // 4096).to_bytes(4, "big")
    head += (512).to_bytes(4, "big") + (4096).to_bytes(4, "big")
    page = (2**30 // 4096 + 1).to_bytes(4, "big")
    tail = page + name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big") + JOURNAL_END
    (tmp_path / "l.sqlite-journal").write_bytes(head.ljust(512, b"\0") + tail)
    for door in (lambda: Ledger(path), lambda: pruning.removed(path, [1])):
        with pytest.raises(LedgerError, match=r"names another file to be deleted; move it away|cannot be read"):
            door()
    assert victim.exists()


@pytest.mark.parametrize("shards", ["999999999", "0", "x"])
def test_a_journal_has_no_more_shards_than_can_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shards: str
) -> None:
    path = tmp_path / "j.jsonl"
    hunts.journal(path)
    first, *rest = path.read_text("utf-8").splitlines(keepends=True)
    told = json.loads(first)
    told["terms"]["shards"] = shards
    path.write_text(json.dumps(told, separators=(",", ":")) + "\n" + "".join(rest), "utf-8")
    assert main(["merge", str(tmp_path / "out.sqlite"), str(path)]) == 2
    assert "line 1 is not one that a hunt writes" in capsys.readouterr().err
    with pytest.raises(LedgerError):
        sources(path, tmp_path, ledger=False)
