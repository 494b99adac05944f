"""Changing a quarantine file as people would: their comments, order and style stay."""

import difflib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from pytest_flakehunt.model import Entry, Excusing, Released
from pytest_flakehunt.quarantine import QuarantineError
from pytest_flakehunt.quarantine.reading import parse
from pytest_flakehunt.quarantine.texts import HEADER, text_of

NEW = """\
# Tests that are excused for a while: their known failures do not fail a run.
version = 1
max_entries = 40
max_days = 30
max_excused = 10
"""
"""What a new file begins with."""
ALWAYS = frozenset({"cause", "plan", "owner", "issue", "reason"})
"""Keys of an entry that are written although they are empty, to be filled in."""
LOOSE = re.compile(r"(?:^[ \t\r]*(?:#[^\n]*)?(?:\n|\Z))+\Z", re.MULTILINE)
"""Blank lines and comments at the end."""
ANY_HEADER = re.compile(r"^[ \t]*\[{1,2}[^\[\]\"'\n]+\]{1,2}[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
"""What begins a table, whoever's it is."""
UNTOLD = "the file cannot be rewritten as it is laid out: write the change by hand"
COMMENT = re.compile(r"^[ \t]*#[^\r\n]*", re.MULTILINE)


def changed(path: Path, change: Callable[[str], str], *, dry: bool = False) -> str:
    """Change a file, and give the difference; it is there whole at every moment.

    Args:
        path: of the file; a new one is made where there is none.
        change: is given the text as it is now, and gives the new one.
        dry: whether nothing is written.

    Returns:
        The difference, in the manner of ``diff -u``; empty where there is none.

    Raises:
        QuarantineError: it is wrong as it is, somebody else changed it
            meanwhile, or it cannot be written.
    """
    path = path.resolve()
    before = text_of(path) if path.exists() else None
    if before is not None:
        parse(before, path.name)
    base = NEW if before is None else before
    after = change(base)
    if after == base:
        return ""
    try:
        parse(after, path.name)
    except QuarantineError as error:
        raise QuarantineError(f"{error}: that would come of it, so nothing was written") from None
    if not dry:
        _replace(path, before, after)
    old, new = (text.splitlines(keepends=True) for text in (before or "", after))
    return "".join(difflib.unified_diff(old, new, f"{path.name} as it was", path.name, n=1))


def _replace(path: Path, before: str | None, after: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(after.encode("utf-8"))
        if before is not None:
            shutil.copymode(path, draft)
            if text_of(path) != before:
                raise QuarantineError(f"{path.name} was changed meanwhile: nothing was written; try again")
        draft.replace(path)
    except OSError as error:
        raise QuarantineError(f"{path.name} cannot be written: {error.strerror}: make it writable") from None
    finally:
        draft.unlink(missing_ok=True)


def with_added(text: str, entries: Iterable[Entry]) -> str:
    """Give the text with entries after those that are there."""
    items = list(entries)
    after = _inserted(text, "quarantined", [_shown("quarantined", _entry(entry)) for entry in items])
    return _checked(after, [*_entries(text), *items])


def without(text: str, tests: Collection[str]) -> str:
    """Give the text without the entries of some tests."""
    kept, _, _ = _parted(text, tests)
    return _checked(kept, [entry for entry in _entries(text) if entry.test not in tests])


def with_released(text: str, released: Sequence[Released]) -> str:
    """Give the text with entries moved to those that were released; comments go with them."""
    kept, comments, more = _parted(text, [item.test for item in released])
    shown = [
        "".join(f"{comment}\n" for comment in comments.get(item.test, ()))
        + _shown("released", _released(item, more.get(item.test, {})))
        for item in released
    ]
    gone = {item.test for item in released}
    return _checked(_inserted(kept, "released", shown), [entry for entry in _entries(text) if entry.test not in gone])


def renamed(text: str, old: str, entry: Entry) -> str:
    """Give the text with the entry of one test meaning another, as a new entry says; the rest of it stays.

    Args:
        text: of the file.
        old: the test that it means now.
        entry: with the new test, fingerprints, ``at`` and ``repro``.
    """
    for piece in _pieces(text):
        if piece.kind == "quarantined" and piece.table.get("test") == old:
            document: Any = tomlkit.parse(text[piece.header : piece.end])
            table = document["quarantined"][0]
            for key in ("test", "fingerprints", "at", "body", "repro"):
                value = getattr(entry, key)
                value = list(value) if isinstance(value, tuple) else value
                if key in table and table[key] != value:
                    table[key] = value
            return text[: piece.header] + tomlkit.dumps(document) + text[piece.end :]
    raise QuarantineError(f"{old}: {UNTOLD}")


def written(entries: Iterable[Entry]) -> str:
    """Give entries as they stand in a file, to be pasted there."""
    return "\n".join(_shown("quarantined", _entry(entry)) for entry in entries)


class _Piece(NamedTuple):
    """One table of the file with what belongs to it: comments right above it, and all until its last key."""

    kind: str
    start: int
    header: int
    end: int
    table: Any


def _pieces(text: str) -> list[_Piece]:
    headers = list(HEADER.finditer(text))
    starts = [_above(text, header.start()) for header in headers]
    ends = [_above(text, match.start()) for match in ANY_HEADER.finditer(text)] + [len(text)]
    pieces = []
    for header, start in zip(headers, starts, strict=True):
        until = next(end for end in ends if end > header.start())
        body = LOOSE.sub("", text[header.start() : until])
        end = header.start() + len(body)
        try:
            document: Any = tomlkit.parse(body)
        except TOMLKitError:
            raise QuarantineError(UNTOLD) from None
        pieces.append(_Piece(header[1], start, header.start(), end, document[header[1]][0]))
    return pieces


def _above(text: str, at: int) -> int:
    """Give where the comments begin that stand right above a line."""
    while at:
        line = text.rfind("\n", 0, at - 1) + 1
        if not text[line:at].lstrip().startswith("#"):
            break
        at = line
    return at


def _parted(text: str, tests: Collection[str]) -> tuple[str, dict[str, list[str]], dict[str, dict[str, Any]]]:
    """Take entries out; give the rest, the comments that stood with each, and the keys that mean nothing to us."""
    comments: dict[str, list[str]] = {}
    more: dict[str, dict[str, Any]] = {}
    for piece in reversed(_pieces(text)):
        test = str(piece.table.get("test"))
        if piece.kind == "quarantined" and test in tests:
            beside = [item.trivia.comment for item in piece.table.values() if hasattr(item, "trivia")]
            comments[test] = [*COMMENT.findall(text[piece.start : piece.end]), *filter(None, beside)]
            more[test] = {key: value for key, value in piece.table.items() if key not in Entry.__slots__}
            before, rest = text[: piece.start].rstrip(), text[piece.end :].lstrip("\r\n")
            text = before + _end(text) + (_end(text) + rest if rest else "")
    return text, comments, more


def _inserted(text: str, kind: str, shown: Sequence[str]) -> str:
    if not shown:
        return text
    pieces = _pieces(text)
    last = max((piece.end for piece in pieces if piece.kind == kind), default=None)
    if last is None:
        last = pieces[0].start if pieces and kind == "quarantined" else len(text)
    end = _end(text)
    before, rest = text[:last].rstrip(), text[last:].lstrip("\r\n")
    added = "\n".join(shown).replace("\n", end)
    return before + 2 * end + added + (end + rest if rest else "")


def _end(text: str) -> str:
    """Give how lines end."""
    return "\r\n" if "\r\n" in text else "\n"


def _checked(after: str, entries: Sequence[Entry]) -> str:
    """Refuse a change that took more than it should, as where a header stands within a text."""
    if sorted(_entries(after), key=_name) != sorted((replace(entry, line=0) for entry in entries), key=_name):
        raise QuarantineError(UNTOLD)
    return after


def _name(entry: Entry) -> str:
    return entry.test


def _entries(text: str) -> list[Entry]:
    return [replace(entry, line=0) for entry in parse(text, "the changed file").entries]


def _shown(kind: str, table: Table) -> str:
    tables = tomlkit.aot()
    tables.append(table)
    document = tomlkit.document()
    document.append(kind, tables)
    return tomlkit.dumps(document).strip() + "\n"


def _entry(entry: Entry) -> Table:
    table = tomlkit.table()
    table.add("test", entry.test)
    _lists(table, entry, ("fingerprints", "at"))
    _texts(table, entry, ("cause", "plan"))
    _lists(table, entry, ("after",))
    if entry.seen.runs:
        table.add("seen", _count(entry.seen.failures, entry.seen.runs))
    _texts(table, entry, ("owner", "issue", "reason"))
    table.add("added", entry.added)
    table.add("expires", entry.expires)
    _texts(table, entry, ("body", "repro", "message"))
    if entry.mode is not Excusing.RUN:
        table.add("mode", entry.mode.value)
    _texts(table, entry, ("together",))
    return table


def _released(item: Released, more: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    table.add("test", item.test)
    _texts(table, item, ("cause",))
    _lists(table, item, ("fingerprints",))
    table.add("released", item.released)
    _texts(table, item, ("revision", "shown"))
    for key, value in more.items():
        if key not in table:
            table.add(key, value.unwrap())
    return table


def _texts(table: Table, values: Entry | Released, keys: Iterable[str]) -> None:
    for key in keys:
        text = getattr(values, key)
        if text or (isinstance(values, Entry) and key in ALWAYS):
            table.add(key, text)


def _lists(table: Table, values: Entry | Released, keys: Iterable[str]) -> None:
    for key in keys:
        if texts := getattr(values, key):
            array = tomlkit.array()
            array.extend(texts)
            table.add(key, array.multiline(len(texts) > 1))


def _count(failures: int, runs: int) -> Any:
    return tomlkit.value(f"{{ failures = {failures}, runs = {runs} }}")
