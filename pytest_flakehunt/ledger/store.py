"""The only SQL: one transaction per sweep, history kept over hunts."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from importlib import resources
from os.path import samestat
from pathlib import Path

from pytest_flakehunt.ground import project
from pytest_flakehunt.ledger import foreign
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.foreign import MISSHAPEN
from pytest_flakehunt.ledger.journal import Journal
from pytest_flakehunt.ledger.opening import MOST_TEXT, opened
from pytest_flakehunt.ledger.particulars import Particulars
from pytest_flakehunt.ledger.texts import storable
from pytest_flakehunt.model import Attempt, Evidence, Leak, LeakKind, Outcome, Place, Purpose, Sighting, Sweep, Trial

APPLICATION = 0x666C6B68
"""What marks an SQLite file as a ledger: "flkh"."""
VERSION = 8
UPGRADES = {
    2: "ALTER TABLE sweeps ADD COLUMN purpose TEXT NOT NULL DEFAULT 'survey';",
    4: "UPDATE modes SET fingerprint = '1:' || fingerprint;"  # they are made of other things since
    "ALTER TABLE evidence ADD COLUMN kind TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE evidence ADD COLUMN statement TEXT NOT NULL DEFAULT '';",
    5: "ALTER TABLE hunts ADD COLUMN uid TEXT NOT NULL DEFAULT '';"
    "UPDATE hunts SET uid = lower(hex(randomblob(16)));"
    "ALTER TABLE hunts ADD COLUMN redact TEXT NOT NULL DEFAULT '[]';",
    6: "ALTER TABLE hunts ADD COLUMN weights TEXT NOT NULL DEFAULT '{}';",
    7: "ALTER TABLE hunts ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';"
    "ALTER TABLE hunts ADD COLUMN parts TEXT NOT NULL DEFAULT '{}';"
    "ALTER TABLE sweeps ADD COLUMN looked TEXT NOT NULL DEFAULT 'far';",
    8: "ALTER TABLE sweeps ADD COLUMN cpu REAL NOT NULL DEFAULT 0;"
    "ALTER TABLE sweeps ADD COLUMN memory INTEGER NOT NULL DEFAULT 0;",
}
"""What a ledger needs that was written before a format."""
PATIENCE = 30.0
"""Seconds to wait for another hunt that writes to the same ledger."""
EVIDENCE_PER_MODE = 3
"""Failing attempts of a mode whose evidence is kept, for each hunt."""
CODES = {outcome: code for code, outcome in enumerate(Outcome)}
OUTCOMES = dict(enumerate(Outcome))


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt, for analysis."""

    sweep: int
    outcome: Outcome
    fingerprint: str
    """Empty where it did not fail."""


class Ledger:
    """An open ledger, and the hunt that is being written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hunt = 0
        self.journal: Journal | None = None
        """Where the survey is written as well."""
        self._tests: dict[str, int] = {}
        self._modes: dict[tuple[int, str], int] = {}
        self._kept: dict[int, int] = {}
        self._leaks: dict[tuple[object, ...], int] = {}
        self._stacks: dict[int, int] = {}
        if path.is_dir():
            raise LedgerError(f"{path} is a folder; give the path of a file, such as {path / 'ledger.sqlite'}")
        try:
            project.own_folder(path.parent)
            self._db = opened(path, writes=True, patience=PATIENCE)
            try:
                self._prepare()
                self._status = path.stat()
            except BaseException:
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"{path} cannot be written: {error}; {remedy(error)}") from error

    def _prepare(self) -> None:
        application, version, tables = (
            self._db.execute(query).fetchone()[0]
            for query in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        if tables and application != APPLICATION:
            raise LedgerError(f"{self.path} is an SQLite file of something else; give another path")
        if version > VERSION:
            raise LedgerError(
                f"{self.path} was written by a newer pytest-flakehunt (format {version}, this one reads up to "
                f"{VERSION}); upgrade, or give another path"
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if not tables or version < VERSION:
            schema = resources.files("pytest_flakehunt.ledger").joinpath("schema.sql").read_text("utf-8")
            upgrades = "".join(sql for until, sql in UPGRADES.items() if tables and version < until)
            self._db.executescript(
                f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
                f"{upgrades} {schema} COMMIT;"
            )
        else:  # show at once whether it can be written
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def begin(
        self,
        trial: Trial,
        machine: str,
        versions: Mapping[str, str],
        directory: Path,
        redact: Sequence[str] = (),
        terms: Mapping[str, str] | None = None,
        parts: Mapping[str, str] | None = None,
    ) -> int:
        """Open a new hunt; give its number.

        Args:
            trial: the hunt's particulars.
            machine: what it runs on.
            versions: of pytest's plugins.
            directory: pytest's root directory.
            redact: patterns of what must not leave the machine.
            terms: what its draws follow from.
            parts: the shards that it has, each with the id of the hunt that ran it.
        """
        self.hunt = self._change(
            "INSERT INTO hunts (seed, asked, started, python, pytest, platform, machine, revision, versions,"
            " perturbations, directory, uid, redact, weights, terms, parts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(
                trial.seed,
                trial.asked,
                trial.started,
                trial.python,
                trial.pytest,
                trial.platform,
                machine,
                trial.revision,
                json.dumps(dict(versions)),
                " ".join(trial.perturbations),
                storable(str(directory)),
                trial.uid,
                json.dumps(list(redact)),
                json.dumps(dict(trial.weights)),
                json.dumps(dict(terms or {})),
                json.dumps(dict(parts or {})),
            ),
        )
        return self.hunt

    def go_on(self, hunt: int) -> None:
        """Add to a hunt that was begun before.

        Args:
            hunt: its number.
        """
        self.hunt = hunt
        kept = "SELECT mode, count(*) FROM evidence WHERE hunt = ? GROUP BY mode"
        seen = "SELECT leak, count(*) FROM leaked WHERE hunt = ? GROUP BY leak"
        self._kept, self._stacks = (dict(self._db.execute(query, (hunt,))) for query in (kept, seen))

    def copy(self, hunt: Particulars) -> None:
        """Begin a hunt that is known from elsewhere, ended or not."""
        trial = hunt.trial
        self.begin(trial, hunt.machine, hunt.versions, Path(hunt.directory), hunt.redact, hunt.terms, hunt.parts)
        self._kept, self._stacks = {}, {}
        if hunt.seconds is not None:
            self.end(hunt.seconds)

    def tear(self, limit: int, number: Callable[[], int]) -> list[int]:
        """Mark sweeps that had not ended when the hunt's process did, so that they can be run again.

        What they saw is kept under numbers of their own, and is in no rate.

        Args:
            limit: numbers from here on belong to sweeps that are not run again.
            number: gives a number that no sweep has.

        Returns:
            Their numbers, free again.
        """
        torn: list[int] = []
        self._all_or_nothing(lambda cursor: torn.extend(self._tear(cursor, limit, number)))
        return torn

    def _tear(self, cursor: sqlite3.Cursor, limit: int, number: Callable[[], int]) -> list[int]:
        torn = [
            old
            for (old,) in cursor.execute(
                "SELECT number FROM sweeps WHERE hunt = ? AND number < ?"
                " AND (purpose = 'torn' OR (purpose = 'survey' AND torn)) ORDER BY number",
                (self.hunt, limit),
            )
        ]
        for old in torn:
            new = number()
            for table in ("attempts", "evidence", "leaked", "hurt", "unjudged"):
                cursor.execute(f"UPDATE {table} SET sweep = ? WHERE hunt = ? AND sweep = ?", (new, self.hunt, old))  # noqa: S608 - ours
            cursor.execute("UPDATE sweeps SET number = ? WHERE hunt = ? AND number = ?", (new, self.hunt, old))
        cursor.execute(
            "UPDATE sweeps SET purpose = 'torn' WHERE hunt = ? AND purpose = 'survey' AND torn", (self.hunt,)
        )
        return torn

    def begun(self, sweep: Sweep) -> None:
        """Keep that a sweep has begun: until it has ended it is torn."""
        self._all_or_nothing(lambda cursor: self._sweep(cursor, replace(sweep, torn=True, purpose=Purpose.TORN)))

    def declare(self, tests: Sequence[tuple[str, str, int]]) -> None:
        """Make tests known: node id, file, line."""
        self._all_or_nothing(
            lambda cursor: cursor.executemany(
                "INSERT INTO tests (nodeid, file, line) VALUES (?, ?, ?)"
                " ON CONFLICT (nodeid) DO UPDATE SET file = excluded.file, line = excluded.line",
                [(storable(nodeid), storable(file), line) for nodeid, file, line in tests],
            )
        )
        self._tests = dict(self._db.execute("SELECT nodeid, id FROM tests"))
        if self.journal is not None:
            self.journal.declare(tests)

    def write(self, sweep: Sweep, attempts: Sequence[Attempt], fingerprints: Sequence[str]) -> None:
        """Keep a sweep and its attempts, all or nothing.

        Args:
            sweep: the sweep.
            attempts: its attempts.
            fingerprints: of each attempt; empty where it did not fail.
        """
        self._all_or_nothing(lambda cursor: self._write(cursor, sweep, attempts, fingerprints))
        if self.journal is not None:
            self.journal.write(sweep, attempts, fingerprints)

    def set_aside(self, number: int) -> None:
        """Keep that a sweep of this hunt is an outage: it was written before that was known."""
        self._change("UPDATE sweeps SET outage = 1 WHERE hunt = ? AND number = ?", self.hunt, number)
        if self.journal is not None:
            self.journal.set_aside(number)

    def keep_step(self, bench: str, step: int, asked: str, seen: str, spent: float) -> None:
        """Keep what the runs of one step of experiments said; see the schema for what the arguments are."""
        self._change(
            "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?)",
            *(self.hunt, storable(bench), step, asked, seen, spent),
        )

    def step(self, bench: str, step: int) -> tuple[str, str, float] | None:
        """Give what was kept of a step: the digest, what was seen, and the seconds; None where no hunt has made it."""
        try:
            found = self._db.execute(
                "SELECT asked, seen, spent FROM steps WHERE hunt = ? AND bench = ? AND step = ?",
                (self.hunt, storable(bench), step),
            ).fetchone()
            return found and (foreign.text(found[0]), foreign.text(found[1], MOST_TEXT), foreign.seconds(found[2]))
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path} cannot be read: {error}; {remedy(error)}") from error
        except MISSHAPEN:
            return None

    def _all_or_nothing(self, write: Callable[[sqlite3.Cursor], object]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            with closing(self._db.cursor()) as cursor:
                write(cursor)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path} cannot be written: {error}; {remedy(error)}") from error
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _write(
        self,
        cursor: sqlite3.Cursor,
        sweep: Sweep,
        attempts: Sequence[Attempt],
        fingerprints: Sequence[str],
    ) -> None:
        self._sweep(cursor, sweep)
        rows = []
        for attempt, fingerprint in zip(attempts, fingerprints, strict=True):
            test = self._tests[storable(attempt.nodeid)]
            mode = self._mode(cursor, test, fingerprint) if fingerprint else None
            milliseconds = round(attempt.seconds * 1000)
            rows.append((self.hunt, sweep.number, test, CODES[attempt.outcome], milliseconds, mode))
            if mode is not None and attempt.evidence is not None:
                self._keep(cursor, sweep.number, mode, attempt.evidence)
            for leak in attempt.leaks:
                self._leaked(cursor, sweep.number, test, leak)
            if not attempt.judged:
                cursor.execute("INSERT INTO unjudged VALUES (?, ?, ?)", (self.hunt, sweep.number, test))
        cursor.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _sweep(self, cursor: sqlite3.Cursor, sweep: Sweep) -> None:
        columns = (
            "hunt, number, plan, focus, isolation, zygote, hashseed, neighbours, started, seconds, torn, outage,"
            " purpose, looked, cpu, memory"
        )
        cursor.execute(
            "DELETE FROM sweeps WHERE hunt = ? AND number = ? AND purpose = 'torn'", (self.hunt, sweep.number)
        )
        cursor.execute(
            f"INSERT INTO sweeps ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - ours
            (
                self.hunt,
                sweep.number,
                str(sweep.plan),
                " ".join(sweep.focus),
                sweep.isolation,
                sweep.zygote,
                sweep.hashseed,
                sweep.neighbours,
                sweep.started,
                sweep.seconds,
                sweep.torn,
                sweep.outage,
                sweep.purpose,
                sweep.looked,
                sweep.cpu,
                sweep.memory,
            ),
        )

    def _mode(self, cursor: sqlite3.Cursor, test: int, fingerprint: str) -> int:
        key = test, fingerprint
        if key not in self._modes:
            cursor.execute("INSERT OR IGNORE INTO modes (test, fingerprint) VALUES (?, ?)", key)
            found = cursor.execute("SELECT id FROM modes WHERE test = ? AND fingerprint = ?", key)
            self._modes[key] = found.fetchone()[0]
        return self._modes[key]

    def _keep(self, cursor: sqlite3.Cursor, sweep: int, mode: int, evidence: Evidence) -> None:
        if self._kept.get(mode, 0) >= EVIDENCE_PER_MODE:
            return
        self._kept[mode] = self._kept.get(mode, 0) + 1
        where = evidence.where
        sections = json.dumps(evidence.sections)
        texts = (
            evidence.phase,
            evidence.exception,
            evidence.message,
            where.file,
            where.line,
            where.function,
            evidence.traceback,
            sections,
            evidence.stacks,
            evidence.note,
            evidence.kind,
            evidence.statement,
        )
        cursor.execute(
            "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self.hunt, sweep, mode, *(storable(text) if isinstance(text, str) else text for text in texts)),
        )

    def _leaked(self, cursor: sqlite3.Cursor, sweep: int, test: int, leak: Leak) -> None:
        started = leak.started_at or Place("", 0)
        key = (
            *(test, leak.kind, storable(leak.what), leak.owner),
            *(storable(leak.owned_at.file), leak.owned_at.line, leak.owned_at.function),
            *(storable(started.file), started.line, started.function),
        )
        if key not in self._leaks:
            cursor.execute(
                "INSERT OR IGNORE INTO leaks (test, kind, what, owner, owner_file, owner_line, owner_function, file,"
                " line, function) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                key,
            )
            found = cursor.execute(
                "SELECT id FROM leaks WHERE test = ? AND kind = ? AND what = ? AND owner = ? AND owner_file = ?"
                " AND owner_line = ? AND file = ? AND line = ?",
                (*key[:6], *key[7:9]),
            )
            self._leaks[key] = found.fetchone()[0]
        number = self._leaks[key]
        kept = self._stacks.get(number, 0) < EVIDENCE_PER_MODE
        self._stacks[number] = self._stacks.get(number, 0) + 1
        now = storable(leak.now) if kept else ""
        cursor.execute("INSERT OR IGNORE INTO leaked VALUES (?, ?, ?, ?)", (self.hunt, sweep, number, now))
        if leak.victim:
            victim = storable(leak.victim)
            cursor.execute("INSERT OR IGNORE INTO hurt VALUES (?, ?, ?, ?)", (self.hunt, sweep, number, victim))

    def leaks(self) -> list[Sighting]:
        """Give every leak that the survey of this hunt saw; lines that only a study saw are filled in."""
        seen: dict[int, Sighting] = {}
        lines: dict[tuple[object, ...], Place] = {}
        for number, nodeid, leak, sweep, purpose in self._sightings():
            alike = (leak.kind, leak.what, leak.owner, leak.owned_at)
            if purpose == "survey":
                seen.setdefault(number, Sighting(nodeid, leak, set(), set())).sweeps.add(sweep)
            elif purpose == "study" and leak.started_at is not None:
                lines[alike] = leak.started_at
        for number, sighting in seen.items():
            leak = sighting.leak
            line = lines.get((leak.kind, leak.what, leak.owner, leak.owned_at))
            if leak.started_at is None and line is not None:
                seen[number] = replace(sighting, leak=replace(leak, started_at=line))
        for number, victim in self._db.execute("SELECT leak, victim FROM hurt WHERE hunt = ?", (self.hunt,)):
            if number in seen:
                seen[number].victims.add(victim)
        return list(seen.values())

    def _sightings(self) -> Iterator[tuple[int, str, Leak, int, str]]:
        found = self._db.execute(
            "SELECT leak, nodeid, kind, what, owner, owner_file, owner_line, owner_function, leaks.file, leaks.line,"
            " function, sweep, now, purpose FROM leaked JOIN leaks ON leaks.id = leak"
            " JOIN tests ON tests.id = leaks.test JOIN sweeps ON sweeps.hunt = leaked.hunt AND number = sweep"
            " WHERE leaked.hunt = ? ORDER BY leak, sweep",
            (self.hunt,),
        )
        for number, nodeid, kind, what, owner, *places, sweep, now, purpose in found:
            file, line, function = places[3:]
            started = Place(file, line, function) if file else None
            yield number, nodeid, Leak(LeakKind(kind), what, owner, Place(*places[:3]), started, now), sweep, purpose

    def note(self, text: str) -> None:
        """Keep something else that the hunt noticed."""
        self._change("INSERT INTO notes VALUES (?, ?)", self.hunt, storable(text))
        if self.journal is not None:
            self.journal.note(text)

    def end(self, seconds: float) -> None:
        """Mark the hunt as ended."""
        self._change("UPDATE hunts SET seconds = ? WHERE id = ?", seconds, self.hunt)
        if self.journal is not None:
            self.journal.end(seconds)

    def conclude(self, document: str) -> None:
        """Keep what the hunt says in the end, as JSON: every report can be made of it."""
        if not self._is_there():
            raise LedgerError(
                f"{self.path} was deleted or replaced while the hunt ran, and what it kept is gone; give a path that "
                "stays with --flakehunt-ledger"
            )
        self._change("INSERT OR REPLACE INTO documents VALUES (?, ?)", self.hunt, document)

    def _is_there(self) -> bool:
        """Tell whether the file is the one that was opened: another one would have other hunts, or none."""
        with suppress(OSError):
            return samestat(self._status, self.path.stat())
        return False

    def texts(self) -> Iterator[str]:
        """Give all that failing attempts of this hunt said."""
        query = "SELECT message, traceback, sections, stacks FROM evidence WHERE hunt = ?"
        for message, traceback, sections, stacks in self._db.execute(query, (self.hunt,)):
            yield from (message, traceback, stacks, *(text for pair in json.loads(sections) for text in pair))

    def hide(self, patterns: Sequence[str]) -> None:
        """Keep further patterns of what must not leave the machine of what this hunt keeps, if anything can be kept."""
        with suppress(LedgerError, sqlite3.Error):
            (kept,) = self._db.execute("SELECT redact FROM hunts WHERE id = ?", (self.hunt,)).fetchone()
            every = list(dict.fromkeys([*json.loads(kept), *patterns]))
            self._change("UPDATE hunts SET redact = ? WHERE id = ?", json.dumps(every), self.hunt)

    def _change(self, query: str, *values: object) -> int:
        """Change one row; give the number of a new one."""
        try:
            return self._db.execute(query, values).lastrowid or 0
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path} cannot be written: {error}; {remedy(error)}") from error

    def rows(self, nodeid: str) -> list[Row]:
        """Give all attempts of one test in the survey of this hunt, by sweep."""
        found = self._db.execute(
            "SELECT sweep, outcome, coalesce(fingerprint, '') FROM attempts LEFT JOIN modes ON modes.id = mode"
            " JOIN sweeps ON sweeps.hunt = attempts.hunt AND number = sweep"
            " WHERE attempts.hunt = ? AND attempts.test = ? AND purpose = 'survey' ORDER BY sweep",
            (self.hunt, self._tests[storable(nodeid)]),
        )
        return [Row(sweep, OUTCOMES[code], fingerprint) for sweep, code, fingerprint in found]

    def slowest(self, nodeid: str) -> float:
        """Give the seconds of the slowest attempt of a test in this hunt that did not hang; 0 where there is none."""
        (found,) = self._db.execute(
            "SELECT coalesce(max(ms), 0) / 1000.0 FROM attempts WHERE hunt = ? AND test = ? AND outcome <> ?",
            (self.hunt, self._tests[storable(nodeid)], list(Outcome).index(Outcome.HUNG)),
        ).fetchone()
        return float(found)

    def lengths(self) -> dict[str, float]:
        """Give the seconds that each test took on the mean, in all hunts that are kept."""
        found = self._db.execute(
            "SELECT nodeid, avg(ms) / 1000.0 FROM attempts JOIN tests ON tests.id = attempts.test"
            " WHERE outcome NOT IN (3, 8) GROUP BY tests.id"
        )
        return dict(found)

    def tests_of(self, sweep: int) -> set[str]:
        """Name the tests of one sweep of this hunt."""
        found = self._db.execute(
            "SELECT nodeid FROM attempts JOIN tests ON tests.id = attempts.test WHERE hunt = ? AND sweep = ?",
            (self.hunt, sweep),
        )
        return {nodeid for (nodeid,) in found}

    def evidence(self, nodeid: str) -> dict[str, tuple[int, Evidence]]:
        """Give the first evidence of each mode of a test in this hunt, and its sweep, by fingerprint.

        Of a hang, that is the first one that was seen coming, if there is one: it tells who waits for whom.
        """
        found = self._db.execute(
            "SELECT fingerprint, sweep, phase, exception, message, file, line, function, traceback, sections,"
            " stacks, note, kind, statement FROM evidence JOIN modes ON modes.id = mode WHERE hunt = ? AND test = ?"
            " ORDER BY phase <> 'process', sweep DESC",
            (self.hunt, self._tests[storable(nodeid)]),
        )
        return {
            fingerprint: (
                sweep,
                Evidence(
                    phase,
                    exception,
                    message,
                    Place(file, line, function),
                    traceback,
                    tuple((title, text) for title, text in json.loads(sections)),
                    stacks,
                    note,
                    kind,
                    statement,
                ),
            )
            for (
                fingerprint,
                sweep,
                phase,
                exception,
                message,
                file,
                line,
                function,
                traceback,
                sections,
                stacks,
                note,
                kind,
                statement,
            ) in found
        }


def remedy(error: Exception) -> str:
    """Say what to do about a ledger that cannot be used."""
    said = str(error)
    if "not a database" in said or "malformed" in said or isinstance(error, MISSHAPEN):
        return "it is damaged or no ledger: move it away, or give another path with --flakehunt-ledger"
    if "locked" in said:
        return "another hunt is writing to it: wait for that one, or give another path with --flakehunt-ledger"
    if "full" in said or "disk I/O" in said:
        return "make room, or give a path on another disk with --flakehunt-ledger"
    return "make it writable, or give another path with --flakehunt-ledger"
