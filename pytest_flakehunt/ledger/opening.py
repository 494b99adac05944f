"""The one way in which a ledger is opened, whoever wrote it."""

import re
import sqlite3
from pathlib import Path

from pytest_flakehunt.ledger.errors import LedgerError

MOST_TEXT = 256 * 1024 * 1024
"""Bytes of a text, or of a row."""
JOURNAL_END = bytes.fromhex("d9d505f920a163d7")
"""How a journal of SQLite's ends that names another file, which SQLite would delete after it has rolled back."""
SKIPPED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL
)  # fmt: skip
"""Texts, quoted names and comments, as SQLite takes them."""
COMPUTED = re.compile(r"\b(?:AS|CHECK|COLLATE|GENERATED|USING|VIRTUAL)\b|\bDEFAULT\s*\(", re.IGNORECASE)
"""What a table has whose rows are not merely kept."""
_whole: set[tuple[int, ...]] = set()
"""Files that were looked through, as they were then."""


def opened(path: Path, *, writes: bool = False, patience: float = 5.0) -> sqlite3.Connection:
    """Open a ledger, and see that it holds tables alone: reading it then ends, and nothing of it is run.

    Args:
        path: of the ledger; where it is written to it may not be there.
        writes: whether anything of it is to be changed.
        patience: seconds to wait for somebody who writes to it.

    Raises:
        LedgerError: it is not what a hunt writes.
        sqlite3.Error: it cannot be opened.
    """
    if writes:
        _alone(path)
        db = sqlite3.connect(path, timeout=patience, isolation_level=None)
    else:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        db = sqlite3.connect(uri, timeout=patience, isolation_level=None, uri=True)
    try:
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_TEXT)
        for setting in ("trusted_schema = OFF", "cell_size_check = ON"):
            db.execute(f"PRAGMA {setting}")
        _plain(db, path)
        _sound(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _alone(path: Path) -> None:
    """Refuse a ledger beside which something would have SQLite delete another file."""
    journal = path.resolve()
    journal = journal.with_name(f"{journal.name}-journal")
    if not journal.is_file():
        return
    with journal.open("rb") as file:
        size = journal.stat().st_size
        file.seek(max(0, size - len(JOURNAL_END)))
        if file.read() == JOURNAL_END:
            raise LedgerError(f"{journal} is not of a ledger: it names another file to be deleted; move it away")


def _plain(db: sqlite3.Connection, path: Path) -> None:
    """Refuse what is computed when it is read or written: views, triggers, columns that follow from others."""
    for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_master"):
        index = kind == "index" and sql is None  # of a key
        if index or (kind == "table" and isinstance(sql, str) and not COMPUTED.search(SKIPPED.sub(" ", sql))):
            continue
        raise LedgerError(
            f"{path}: its {kind} {str(name)[:60]!r} is none that a hunt makes; give a ledger that only hunts wrote to"
        )


def _sound(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose pages are in disorder: one that is met twice would be read for ever."""
    status = path.stat()
    name = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
    if name in _whole:
        return
    (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(f"it is malformed: {' '.join(str(said).split())[:200]}")
    _whole.add(name)
