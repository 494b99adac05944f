"""Reading a quarantine file: all of it, or an error that says where it is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pytest_flakehunt.model import Count, Entry, Excusing, Limits, Quarantine, Released, astray
from pytest_flakehunt.quarantine import QuarantineError
from pytest_flakehunt.quarantine.node_ids import misplaced
from pytest_flakehunt.quarantine.texts import HEADER, text_of

VERSION = 1
FINGERPRINT = re.compile(r"[0-9a-f]{16}")
MOST_PARTS = 64
"""Of a name with dots: more are read for ever, as each is looked up from the first on."""
PART = r"(?:[\w-]++|\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')"
MANY_PARTS = re.compile(rf"(?<![\w-])(?:{PART}[ \t]*+\.[ \t]*+){{{MOST_PARTS}}}")
OF_ANOTHER_VERSION = re.compile(r"(\d+):[0-9a-f]{16}")


def read(path: Path) -> Quarantine:
    """Read a file.

    Raises:
        QuarantineError: it cannot be read, or is wrong.
    """
    return parse(text_of(path), path.name)


def parse(text: str, name: str) -> Quarantine:
    """Read a text.

    Args:
        text: in TOML.
        name: of the file it comes from, for messages.

    Raises:
        QuarantineError: the text is wrong.
    """
    import tomllib

    for place, row in enumerate(text.split("\n"), start=1):
        if row.count(".") >= MOST_PARTS and MANY_PARTS.search(row):
            raise QuarantineError(f"{name}, line {place}: a name of more than {MOST_PARTS} parts means nothing to us")
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise QuarantineError(f"{name}: {error}: mend it; see {name} in version control for how it was") from None
    lines: dict[str, list[int]] = {"quarantined": [], "released": []}
    at, line = 0, 1
    for header in HEADER.finditer(text):
        line += text.count("\n", at, header.start())
        at = header.start()
        lines[header[1]].append(line)
    return _Reader(document, name, lines).quarantine()


class _Reader:
    """Goes through a document, and refuses what it cannot mean."""

    def __init__(self, document: Mapping[str, Any], name: str, lines: Mapping[str, list[int]]) -> None:
        self.document, self.name, self.lines = document, name, lines
        self.unknown: list[str] = []

    def quarantine(self) -> Quarantine:
        version = self.document.get("version")
        if version != VERSION:
            if isinstance(version, int) and version > VERSION:
                raise QuarantineError(
                    f"{self.name}: version = {version} was written for a newer pytest-flakehunt, this one reads "
                    f"{VERSION}: upgrade"
                )
            written = "is missing" if version is None else f"= {version!r} is none"
            raise QuarantineError(f"{self.name}: version {written}: write version = {VERSION} above everything else")
        top = _Table(self.document, self.name, self.unknown)
        limits = Limits(**{key: top.number(key, getattr(Limits(), key)) for key in Limits.__slots__})
        entries = tuple(map(self._entry, self._tables("quarantined")))
        released = tuple(map(self._released, self._tables("released")))
        top.rest({"version", "quarantined", "released"})
        self._unique(entries)
        return Quarantine(limits, entries, released, tuple(self.unknown))

    def _tables(self, kind: str) -> Iterator["_Table"]:
        tables = self.document.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise QuarantineError(f"{self.name}: {kind} is no list of tables: begin each with [[{kind}]]")
        lines = self.lines[kind] if len(self.lines[kind]) == len(tables) else [0] * len(tables)
        for table, line in zip(tables, lines, strict=True):
            yield _Table(table, f"{self.name}, line {line}" if line else self.name, self.unknown, line)

    def _entry(self, table: "_Table") -> Entry:
        entry = Entry(
            test=table.test(),
            fingerprints=table.fingerprints(),
            at=table.texts("at"),
            cause=table.text("cause"),
            plan=table.text("plan"),
            after=table.tests("after"),
            seen=table.count("seen"),
            owner=table.text("owner"),
            issue=table.text("issue"),
            reason=table.text("reason"),
            added=table.date("added"),
            expires=table.date("expires"),
            body=table.text("body"),
            repro=table.text("repro"),
            message=table.text("message"),
            mode=table.mode(),
            together=table.text("together"),
            line=table.line,
        )
        if not entry.fingerprints and entry.mode is Excusing.RUN:
            table.refuse('fingerprints are missing: give those of the failures that are excused, or mode = "skip"')
        table.rest(set())
        return entry

    def _released(self, table: "_Table") -> Released:
        found = Released(
            test=table.test(),
            released=table.date("released"),
            cause=table.text("cause"),
            fingerprints=table.fingerprints(),
            revision=table.text("revision"),
            shown=table.text("shown"),
            line=table.line,
        )
        table.rest(set())
        return found

    def _unique(self, entries: tuple[Entry, ...]) -> None:
        first: dict[str, Entry] = {}
        for entry in entries:
            other = first.setdefault(entry.test, entry)
            if other is not entry:
                raise QuarantineError(
                    f"{self.name}, line {entry.line}: {entry.test} has an entry already, on line {other.line}: make "
                    "one of them, with the fingerprints of both"
                )


class _Table:
    """One table of the file; what is taken from it is known, and the rest is not."""

    def __init__(self, table: Mapping[str, Any], place: str, unknown: list[str], line: int = 0) -> None:
        self.table, self.place, self._unknown, self.line = table, place, unknown, line
        self._known: set[str] = set()

    def refuse(self, why: str) -> None:
        raise QuarantineError(f"{self.place}: {why}")

    def rest(self, known: set[str]) -> None:
        self._unknown.extend(f"{self.place}: {key}" for key in self.table if key not in self._known | known)

    def _taken(self, key: str, empty: Any, fits: Callable[[Any], bool], allowed: str) -> Any:
        self._known.add(key)
        value = self.table.get(key, empty)
        if not fits(value):
            self.refuse(f"{key} = {_shown(value)}: give {allowed}")
        return value

    def number(self, key: str, empty: int) -> int:
        number: int = self._taken(
            key, empty, lambda value: type(value) is int and value >= 1, "a whole number, 1 or more"
        )
        return number

    def text(self, key: str) -> str:
        text: str = self._taken(key, "", lambda value: isinstance(value, str), "a text between quotes")
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        def fits(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(one, str) for one in value)

        return tuple(self._taken(key, [], fits, 'texts between brackets, such as ["…", "…"]'))

    def date(self, key: str) -> date:
        if key not in self.table:
            self.refuse(f"{key} is missing: give a date, such as {key} = 2026-12-01")

        def fits(value: Any) -> bool:
            return isinstance(value, date) and not isinstance(value, datetime)

        day: date = self._taken(key, None, fits, "a date without quotes, such as 2026-12-01")
        return day

    def count(self, key: str) -> Count:
        def fits(value: Any) -> bool:
            return isinstance(value, dict) and (
                not value
                or (
                    value.keys() == {"failures", "runs"}
                    and all(type(number) is int for number in value.values())
                    and 0 <= value["failures"] <= value["runs"]
                )
            )

        found = self._taken(key, {}, fits, "both numbers, such as { failures = 3, runs = 20 }")
        return Count(found.get("runs", 0), found.get("failures", 0))

    def mode(self) -> Excusing:
        return Excusing(self._taken("mode", "run", lambda value: value in {"run", "skip"}, 'mode = "skip", or nothing'))

    def test(self) -> str:
        test = self.text("test")
        if not test:
            self.refuse("test is missing: give the node id of a test")
        self.place += f", {test}"
        if wrong := misplaced(test):
            self.refuse(wrong)
        return test

    def tests(self, key: str) -> tuple[str, ...]:
        tests = self.texts(key)
        for test in tests:
            if wrong := astray(test):
                self.refuse(f"{key} has {_shown(test)}: {wrong}")
        return tests

    def fingerprints(self) -> tuple[str, ...]:
        prints = self.texts("fingerprints")
        for text in prints:
            if other := OF_ANOTHER_VERSION.fullmatch(text):
                self.refuse(
                    f"fingerprint {text} is of version {other[1]}, and failures are told by another one now: take it "
                    "from a new hunt"
                )
            if not FINGERPRINT.fullmatch(text):
                self.refuse(f"fingerprint {_shown(text)} is none: give sixteen digits from 0 to f, as reports do")
        return prints


def _shown(value: object) -> str:
    """Give a value as TOML has it, cut where it is long.

    >>> _shown(True), _shown("a"), _shown(None)
    ('true', '"a"', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
