"""Changes that somebody who means harm, or a disk that fails, could make."""

import copy
import json
import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

NASTY = (
    "::error::x", "\n::stop-commands::t", "##vso[task.complete result=Failed;]", "##[error]x", "\x1b]0;x\x07\x1b[2J", "\x00", "\r\n",
    "-pevil", "-c/tmp/evil.ini", "--rootdir=/", "-p", "--", "@/tmp/args::x", "-pevil::x", "--co::x", "/tmp/evil.py::test_x", "../../evil.py::test_x",
    "/etc/passwd", "../../../etc/passwd", "~/.ssh/id_rsa", "$(touch evil)", "`touch evil`", "; touch evil", "| touch evil", "'; touch evil; '",
    "pytest a; touch evil", "python -m pytest x\ntouch evil", "__import__('os').system('touch evil')", "{{7*7}}", "{0.__class__}", "%s%n",
    "'; DROP TABLE hunts; --", "<script>alert(1)</script>", "</script>", "]]>", "javascript:alert(1)", "[x](javascript:alert(1))", "&#x41;", "```",
    "\u202e", "\u2028", "\ud800", "\ufeff", "é" * 50, "*" * 20 + "b", "*a" * 12, "(a+)+$", "(?:a|aa)+$", "a" * 40, "order=alone", "load=999999", "import",
    "9" * 5000, "1e999", "-1", "0", "NaN", "1/0", "calm", "", " ", "2026-02-30", "9999-99-99", "10m", "tests/test_a.py::test_x", "a" * 70_000,
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63 - 1, -(2**63), 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf"), [], {}, [[]], [None], "", "x", {"x": 1},
)  # fmt: skip


def text(chance: Random) -> str:
    """Give a text that means something to somebody."""
    if chance.random() < 0.8:
        return chance.choice(NASTY)
    return "".join(chance.choice(NASTY)[:200] for _ in range(chance.randrange(1, 4)))


def value(chance: Random) -> Any:
    """Give a JSON value of any kind."""
    kind = chance.randrange(10)
    if kind < 5:
        return text(chance)
    if kind < 9:
        return chance.choice(ODD)
    nested: Any = text(chance)
    for _ in range(chance.choice((1, 2, 50, 3000))):
        nested = [nested] if chance.random() < 0.5 else {"a": nested}
    return nested


def of_bytes(raw: bytes, chance: Random) -> bytes:
    """Change bytes: flipped, put in, taken out, doubled, cut off."""
    data = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(data) + 1)
        length = min(chance.choice((1, 2, 4, 32, 512, 4096)), len(data) - at)
        match chance.randrange(7):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at:at] = text(chance).encode("utf-8", "surrogatepass")[:5000]
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                data[at : at + length] = bytes([chance.choice((0, 255, 0x7F, 0x80))]) * length
            case 5 if chance.random() < 0.2:
                del data[at:]
            case _:
                other = chance.randrange(len(data) + 1)
                data[at : at + length] = data[other : other + length]
    return bytes(data)


def nodes(document: Any) -> list[tuple[Any, Any]]:
    """Give every place in a JSON value: what holds it, and under which key."""
    found, left = [], [document]
    while left:
        holder = left.pop()
        keys: Any = (
            holder.keys() if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        )
        for key in keys:
            found.append((holder, key))
            left.append(holder[key])
    return found


def _a_key(holder: Any, chance: Random) -> Any:
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    return chance.choice(keys) if keys else None


def of_json(document: Any, chance: Random) -> None:
    """Change some places of a JSON value."""
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        places = nodes(document)
        if not places:
            return
        holder, key = chance.choice(places)
        match chance.randrange(8):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.extend([holder[key]] * chance.choice((1, 2, 200)))
            case 2 if isinstance(holder, dict):
                holder[text(chance)] = value(chance)
            case 3:
                other = chance.choice(places)[0]
                place = _a_key(other, chance)
                holder[key] = value(chance) if place is None else copy.copy(other[place])
            case 4 if isinstance(holder[key], str):
                holder[key] += text(chance)
            case 5 if isinstance(holder[key], str):
                holder[key] = text(chance)
            case _:
                holder[key] = value(chance)


MEANT = frozenset({
    "schema", "verdict", "contract", "outcome", "kind", "mode", "where", "owner_at", "started_at", "added", "expires", "started", "id", "under", "strip",
})  # fmt: skip
"""Members of a report whose text is no text of anybody's."""


def poisoned(document: Any, chance: Random) -> None:
    """Put texts that mean something to somebody into a report that is still one."""
    share = chance.choice((0.02, 0.2, 1.0))
    for holder, key in nodes(document):
        if isinstance(holder[key], str) and key not in MEANT and chance.random() < share:
            holder[key] = f"{holder[key]}{chance.choice(('', ' ', chr(10)))}{text(chance)[:3000]}"


def dumped(document: Any) -> str:
    """Write a JSON value, also one that JSON does not allow."""
    with suppress(RecursionError, ValueError):
        return json.dumps(document)
    return '{"schema": "pytest-flakehunt/1", "hunt": ' + "[" * 50_000


TABLES = (
    "hunts",
    "documents",
    "tests",
    "sweeps",
    "attempts",
    "unjudged",
    "modes",
    "evidence",
    "leaks",
    "leaked",
    "hurt",
    "notes",
    "steps",
)
WITH_ROWS = frozenset({"hunts", "documents", "tests", "modes", "leaks", "notes"})
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "


def _cell(chance: Random) -> Any:
    """Give what may be put into a column."""
    if chance.random() < 0.1:
        return chance.choice((b"\xff\xfe", b"", b"{}", b"[1,2]", "\x00", 1.5, -1, 2**62))
    cell: Any = value(chance)
    if isinstance(cell, list | dict | bool):
        cell = dumped(cell)
    if isinstance(cell, int) and not -(2**63) <= cell < 2**63:
        cell = str(cell)
    if isinstance(cell, str):
        raw = cell.encode("utf-8", "surrogatepass")
        cell = raw if chance.random() < 0.2 else raw.decode("utf-8", "replace")
    return cell


SCHEMES = (
    "DROP TABLE {table}", "ALTER TABLE {table} DROP COLUMN {column}", "ALTER TABLE {table} RENAME TO old_{table}; CREATE VIEW {table} AS {endless}{listed} FROM n",
    "CREATE TRIGGER t{number} BEFORE {event} ON {table} BEGIN {endless}i FROM n; END", "ALTER TABLE {table} ADD COLUMN big AS (hex(zeroblob(900000000)))",
    "PRAGMA {setting} = {number}", "INSERT INTO {table} SELECT * FROM {table}", "DELETE FROM {table}",
    "CREATE TABLE {table}_x ({column} TEXT CHECK (length(hex(zeroblob(400000000))) > 0))", "CREATE INDEX i{number} ON {table} (lower({column}))",
    "CREATE VIRTUAL TABLE v{number} USING fts5(x)", "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'TEXT', 'INTEGER'), rootpage = {number} WHERE name = '{table}'",
)  # fmt: skip
"""What may be done to the whole of a table."""

MOST_STEPS = 10**7
"""Steps of SQLite after which a change is given up: one before it may have made a trigger without end."""


def _change(db: sqlite3.Connection, chance: Random) -> None:
    """Do something to a table, or to one of its columns."""
    table = chance.choice((*TABLES, "hunts", "hunts", "documents", "sweeps", "sweeps", "attempts", "evidence"))
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})").fetchall()] or ["id"]
    column = chance.choice(columns)
    if chance.random() < 0.5:
        some = chance.choice(("", " WHERE rowid % 3 = 1")) if table in WITH_ROWS else ""
        db.execute(f"UPDATE {table} SET {column} = ?{some}", [_cell(chance)])
        return
    script = chance.choice(SCHEMES).format(
        table=table, column=column, endless=ENDLESS, listed=", ".join(f"i AS {name}" for name in columns), event=chance.choice(("INSERT", "UPDATE", "DELETE")),
        number=chance.choice((0, 1, 2, 4, 5, 8, 9, 40, 2**31 - 1)), setting=chance.choice(("user_version", "application_id", "auto_vacuum")),
    )  # fmt: skip
    for statement in script.split("; ") if "TRIGGER" not in script else [script]:
        db.execute(statement)


def of_ledger(path: Path, chance: Random) -> None:
    """Change a ledger: its bytes, its cells, its schema, or what its hunts said in the end."""
    kind = chance.randrange(10)
    if kind < 2:
        path.write_bytes(of_bytes(path.read_bytes(), chance))
        return
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as db,
        suppress(sqlite3.Error, OverflowError, UnicodeError),
    ):
        if kind < 5:
            for (number,) in db.execute("SELECT hunt FROM documents").fetchall():
                (said,) = db.execute("SELECT document FROM documents WHERE hunt = ?", (number,)).fetchone()
                document = json.loads(said)
                (poisoned if chance.random() < 0.4 else of_json)(document, chance)
                db.execute("UPDATE documents SET document = ? WHERE hunt = ?", (dumped(document), number))
            return
        db.set_progress_handler(lambda: True, MOST_STEPS)
        for _ in range(chance.choice((1, 2, 5, 12))):
            with suppress(sqlite3.Error, OverflowError, UnicodeError):
                _change(db, chance)


def of_journal(raw: str, chance: Random) -> bytes:
    """Change a journal: its bytes, or values in its lines."""
    if chance.random() < 0.25:
        return of_bytes(raw.encode(), chance)
    lines = raw.splitlines()
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(lines))
        if chance.random() < 0.1:
            lines[at:at] = [lines[at]] * chance.choice((1, 2, 50))
            continue
        try:
            document = json.loads(lines[at])
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            of_json(document, chance)
        lines[at] = dumped(document)
    return ("\n".join(lines) + "\n" * chance.randrange(2)).encode("utf-8", "surrogatepass")


TOML = re.compile(r"(?<== )(.+)$", re.MULTILINE)
LITERALS = (
    "true",
    "1",
    "-1",
    "0",
    "1e400",
    "nan",
    "9" * 5000,
    "[]",
    "{}",
    "[1, 2]",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "9999-12-31",
    "0001-01-01",
    "''",
    "0x" + "f" * 500,
)


def _literal(chance: Random) -> str:
    if chance.random() < 0.35:
        return chance.choice(LITERALS)
    written = json.dumps(text(chance).encode("utf-8", "replace").decode("utf-8"))
    return written if chance.random() < 0.6 else f"[{written}]"


def of_toml(raw: str, chance: Random) -> bytes:
    """Change a quarantine file: its bytes, its values, or its lines."""
    if chance.random() < 0.2:
        return of_bytes(raw.encode(), chance)
    found = raw
    for _ in range(chance.choice((1, 1, 2, 4))):
        places = list(TOML.finditer(found))
        lines = found.splitlines(keepends=True) or ["\n"]
        match chance.randrange(6):
            case 0:
                lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
                found = "".join(lines)
            case 1:
                del lines[chance.randrange(len(lines))]
                found = "".join(lines)
            case 2:
                deep = chance.choice((1, 50, 3000))
                lines.append(
                    chance.choice(
                        (
                            "a." * deep + "a = 1\n",
                            "a = " + "[" * deep + "\n",
                            "a = " + "{a=" * deep + "\n",
                            f"[{'x.' * deep}y]\n",
                        )
                    )
                )
                found = "".join(lines)
            case _ if places:
                place = chance.choice(places)
                found = found[: place.start()] + _literal(chance) + found[place.end() :]
    return found.encode("utf-8", "surrogatepass")
