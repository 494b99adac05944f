"""Copies of a ledger: in the newest format, in the place of another, or without what must not leave the machine."""

import json
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pytest_flakehunt.ledger.archive import WITH_IDS, reading, since_format
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.opening import opened
from pytest_flakehunt.ledger.store import Ledger, remedy

JSON_COLUMNS = frozenset(
    {
        ("evidence", "sections"),
        ("hunts", "versions"),
        ("hunts", "redact"),
        ("hunts", "weights"),
        ("hunts", "terms"),
        ("hunts", "parts"),
        ("documents", "document"),
        ("steps", "seen"),
    }
)
"""Columns whose text is JSON."""
LITTLE_PATIENCE = 2.0
"""Seconds to wait for a command that reads."""
NUMBERED = frozenset({("leaks", "what")})
"""Columns of texts that must differ from one row to the next."""


def upgraded(path: Path, target: Path) -> None:
    """Write a copy of a ledger that has the newest format; the ledger stays as it is.

    Args:
        path: of the ledger, of format 5 or newer: hunts of older ones have no ids.
        target: of the copy, which is not there.

    Raises:
        LedgerError: it cannot be read, or is too old.
    """
    with reading(path) as db:
        if not since_format(db, WITH_IDS):
            raise LedgerError(
                f"{path} has a format from before hunts had ids, so that one cannot be told from another; hunt into it "
                "once, which upgrades it"
            )
        with closing(opened(target, writes=True)) as copy:
            db.backup(copy)
    Ledger(target).close()


def replaced(path: Path, source: Path) -> None:
    """Put one ledger in the place of another, all or nothing, also where that one was not closed.

    Args:
        path: of the ledger that is replaced; it may not be there.
        source: of the other; it is closed.

    Raises:
        LedgerError: it cannot be written, or is in use.
    """
    try:
        with closing(opened(source, writes=True)) as new:
            new.execute("PRAGMA journal_mode = DELETE")
            if path.exists():
                with closing(opened(path, writes=True, patience=LITTLE_PATIENCE)) as old:
                    old.execute("PRAGMA locking_mode = EXCLUSIVE")  # which nobody gets while another has it open
                    old.execute("PRAGMA journal_mode = DELETE")
                    new.backup(old)
                return
        source.replace(path)
    except (OSError, sqlite3.Error) as error:
        if "locked" in str(error):
            raise LedgerError(
                f"{path} is in use: a hunt or another command has it open; try again when that has ended"
            ) from None
        raise LedgerError(f"{path} cannot be written: {error}; {remedy(error)}") from None


def copied(path: Path, target: Path, redact: Callable[[str], str]) -> None:
    """Write a copy of a ledger in which every text has gone through a function.

    Args:
        path: of the ledger.
        target: of the copy; a file that is there is replaced.
        redact: gives a text that may be handed on.

    Raises:
        LedgerError: one of them cannot be read or written.
    """
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    with reading(path) as db:
        try:
            with closing(opened(draft, writes=True)) as copy:
                db.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
                copy.execute("PRAGMA secure_delete = ON")
                _rewrite(copy, redact)
                copy.execute("VACUUM")
            draft.replace(target)
        except (OSError, sqlite3.Error) as error:
            draft.unlink(missing_ok=True)
            raise LedgerError(f"{target} cannot be written: {error}; give a path in a folder that can be") from None


def _rewrite(db: sqlite3.Connection, redact: Callable[[str], str]) -> None:
    """Put every text of every table through a function; names that must differ are told apart by a number."""

    def changed(text: str, number: int = 0) -> str:
        new = redact(text)
        return f"{new} #{number}" if number and new != text else new

    names = {old: changed(old, number) for old, number in db.execute("SELECT nodeid, id FROM tests")}
    db.create_function("redacted", 1, lambda text: names.get(text) or changed(text), deterministic=True)
    db.create_function("numbered", 2, changed, deterministic=True)
    db.create_function(
        "redacted_json", 1, lambda text: json.dumps(_walked(json.loads(text), redact)), deterministic=True
    )
    db.execute("BEGIN")
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for _, column, kind, *_ in db.execute(f"PRAGMA table_info({_quoted(table)})").fetchall():
            name = _quoted(column)
            if kind != "TEXT":
                continue
            if (table, column) == ("hunts", "redact"):
                new = "'[]'"  # a pattern may be a secret itself
            elif (table, column) in NUMBERED:
                new = f"numbered({name}, id)"
            else:
                new = f"{'redacted_json' if (table, column) in JSON_COLUMNS else 'redacted'}({name})"
            db.execute(f"UPDATE {_quoted(table)} SET {name} = {new} WHERE {name} IS NOT {new}")  # noqa: S608 - quoted
    db.execute("COMMIT")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _walked(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_walked(item, redact) for item in value]
    if isinstance(value, dict):
        return {name: _walked(item, redact) for name, item in value.items()}
    return value
