"""Taking hunts out of a ledger, with all that only they have."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from pytest_flakehunt.ledger import archive
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.opening import opened
from pytest_flakehunt.ledger.store import remedy

PATIENCE = 2.0
"""Seconds to wait for a command that reads; a hunt has its ledger open until it ends."""
UNUSED = {
    "modes": {"attempts": "mode", "evidence": "mode"},
    "leaks": {"leaked": "leak", "hurt": "leak"},
    "tests": {"attempts": "test", "modes": "test", "leaks": "test"},
}
"""Tables whose rows all hunts share, in the order in which they let go: who uses them, by which column."""


def removed(path: Path, hunts: Collection[int]) -> str:
    """Take hunts out of a ledger, all or none of them, and make the file as small as it can be.

    The ledger keeps its format: tables and columns that came later are not needed.

    Args:
        path: of the ledger.
        hunts: their numbers.

    Returns:
        Why the file could not be made smaller; empty where it was.

    Raises:
        LedgerError: it cannot be read or written, or somebody else has it open.
    """
    archive.hunts(path)  # it is one, and of a format that we know
    try:
        with closing(opened(path, writes=True, patience=PATIENCE)) as db:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")  # which nobody gets while another has it open
            db.execute("PRAGMA journal_mode = WAL")  # where a writer is killed, readers see what was there before
            db.execute("BEGIN EXCLUSIVE")
            _remove(db, hunts)
            db.execute("COMMIT")
            try:
                db.execute("VACUUM")
            except sqlite3.Error as error:  # they are out of it all the same
                return str(error)
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise LedgerError(
                f"{path} is in use: a hunt or another command has it open; try again when that has ended"
            ) from None
        raise LedgerError(f"{path} cannot be written: {error}; {remedy(error)}") from None
    return ""


def _remove(db: sqlite3.Connection, hunts: Collection[int]) -> None:
    tables = [table for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    columns = {table: {row[1] for row in db.execute(f"PRAGMA table_info({table})").fetchall()} for table in tables}
    db.execute("CREATE TEMP TABLE going (hunt INTEGER PRIMARY KEY)")
    db.executemany("INSERT INTO going VALUES (?)", [(number,) for number in hunts])
    for table in tables:
        if "hunt" in columns[table]:
            db.execute(f"DELETE FROM {table} WHERE hunt IN (SELECT hunt FROM going)")  # noqa: S608 - our own names
    db.execute("DELETE FROM hunts WHERE id IN (SELECT hunt FROM going)")
    for table, users in UNUSED.items():
        used = " UNION ".join(
            f"SELECT {column} FROM {user} WHERE {column} IS NOT NULL"  # noqa: S608 - our own names
            for user, column in users.items()
            if user in tables
        )
        if table in tables:
            db.execute(f"DELETE FROM {table} WHERE id NOT IN ({used})")  # noqa: S608 - our own names
