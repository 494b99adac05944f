"""Reading a ledger without changing anything of it: what hunts it has, what they said, and a copy to hand on."""

import json
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.particulars import Particulars
from pytest_flakehunt.ledger.store import APPLICATION, OUTCOMES, VERSION, Ledger, remedy
from pytest_flakehunt.model import (
    Attempt,
    Count,
    Evidence,
    Isolation,
    Known,
    Leak,
    LeakKind,
    Look,
    Place,
    Plan,
    Purpose,
    SettingError,
    Shard,
    Sweep,
    Trial,
)

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
WITH_IDS = 5
"""The format from which on hunts have ids."""
WITH_TERMS = 7
"""The format from which on a ledger keeps what the draws of a hunt follow from."""
FEWEST_DIGITS = 4
"""Of an id, that name a hunt."""
NUMBERED = frozenset({("leaks", "what")})
"""Columns of texts that must differ from one row to the next."""


class Kept(NamedTuple):
    """One hunt of a ledger."""

    number: int
    uid: str
    """Empty where the ledger was written before format 5."""
    started: str
    asked: str
    sweeps: int
    """Of its survey."""
    ended: bool
    concluded: bool
    """Whether what it said in the end was kept."""
    redact: tuple[str, ...]
    """Patterns of what must not leave the machine."""


def begins_id(uid: str, name: str) -> bool:
    """Tell whether a name is how a hunt's id begins.

    It takes four digits, as with git: fewer are the number of a hunt that may
    have been taken out, and any other's id may begin so.
    """
    return len(name) >= FEWEST_DIGITS and uid.startswith(name)


class History(NamedTuple):
    """What earlier hunts say of perturbations that were alone on trial."""

    hunts: int
    calm: float
    """Seconds of a calm sweep, on the mean."""
    seconds: Mapping[str, float]
    found: Mapping[str, int]
    """Tests that failed under each, and in no calm sweep of that hunt."""


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise LedgerError(f"{path}: there is no such ledger; a hunt writes one, and --ledger gives its path")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            (application,), (version,) = (
                db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
            )
            if application != APPLICATION:
                raise LedgerError(f"{path} is an SQLite file of something else; give the path of a ledger")
            if version > VERSION:
                raise LedgerError(
                    f"{path} was written by a newer pytest-flakehunt (format {version}, this one reads up to "
                    f"{VERSION}); upgrade"
                )
            yield db
    except (sqlite3.Error, ValueError) as error:
        raise LedgerError(f"{path} cannot be read: {error}; {remedy(error)}") from None


def _since(db: sqlite3.Connection, version: int) -> bool:
    """Tell whether a ledger has at least some format."""
    return bool(db.execute("PRAGMA user_version").fetchone()[0] >= version)


def format_of(path: Path) -> int:
    """Give the format that a ledger has.

    Raises:
        LedgerError: it cannot be read.
    """
    with _reading(path) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        return int(version)


def hunts(path: Path) -> list[Kept]:
    """Give the hunts that a ledger has, the last one last.

    Raises:
        LedgerError: it cannot be read.
    """
    with _reading(path) as db:
        survey = " AND purpose = 'survey'" if _since(db, 2) else ""
        more = "uid, redact, hunts.id IN (SELECT hunt FROM documents)" if _since(db, 5) else "'', '[]', 0"
        found = db.execute(
            "SELECT id, started, asked, seconds IS NOT NULL,"  # noqa: S608 - of our own words
            f" (SELECT count(*) FROM sweeps WHERE hunt = id{survey}), {more} FROM hunts ORDER BY id"
        )
        return [
            Kept(number, uid, started, asked, sweeps, bool(ended), bool(concluded), tuple(json.loads(redact)))
            for number, started, asked, ended, sweeps, uid, redact, concluded in found
        ]


def worth(path: Path) -> History:
    """Tell what sweeps for each perturbation cost and found in all hunts that are kept.

    Raises:
        LedgerError: it cannot be read.
    """
    with _reading(path) as db:
        survey = " AND purpose = 'survey'" if _since(db, 2) else ""
        one = f"instr(focus, ' ') = 0 AND NOT torn AND NOT outage{survey}"
        hunts, calm = db.execute(
            "SELECT count(DISTINCT hunt), coalesce(avg(CASE WHEN focus = '' THEN seconds END), 0)"  # noqa: S608 - ours
            f" FROM sweeps WHERE {one}"
        ).fetchone()
        spent = db.execute(f"SELECT focus, sum(seconds) FROM sweeps WHERE {one} AND focus != '' GROUP BY focus")  # noqa: S608
        seconds = dict(spent.fetchall())
        failed = "attempts.mode IS NOT NULL"
        found = db.execute(
            "SELECT focus, count(DISTINCT attempts.hunt || ' ' || test) FROM attempts"  # noqa: S608 - ours
            f" JOIN sweeps ON sweeps.hunt = attempts.hunt AND number = sweep WHERE {one} AND {failed} AND focus != ''"
            " AND NOT EXISTS (SELECT 1 FROM attempts AS plain JOIN sweeps AS calm ON calm.hunt = plain.hunt"
            " AND calm.number = plain.sweep WHERE plain.hunt = attempts.hunt AND plain.test = attempts.test"
            " AND calm.focus = '' AND plain.mode IS NOT NULL) GROUP BY focus"
        )
        return History(hunts, calm, seconds, dict(found.fetchall()))


def recorded(
    path: Path, number: int, plan: Callable[[str], Plan], purposes: Collection[str] = ("survey",)
) -> Iterator[tuple[Sweep, list[Attempt], list[str]]]:
    """Give the sweeps of a hunt by number, each with its attempts and the fingerprint of each.

    Args:
        path: of the ledger, which has the newest format.
        number: of the hunt.
        plan: reads a plan.
        purposes: of the sweeps.

    Raises:
        LedgerError: it cannot be read, or one of its plans.
    """
    with _reading(path) as db:
        kept = db.execute(
            "SELECT number, plan, focus, isolation, zygote, hashseed, neighbours, started, seconds, torn, outage,"
            " purpose, looked FROM sweeps WHERE hunt = ? ORDER BY number",
            (number,),
        )
        for count, written, focus, isolation, *held, torn, outage, purpose, looked in kept.fetchall():
            if purpose not in purposes:
                continue
            zygote, hashseed, neighbours, started, seconds = held
            try:
                read = plan(written)
            except SettingError as error:
                raise LedgerError(f"{path}: sweep {count} cannot be told: {error}") from None
            sweep = Sweep(
                *(count, read, tuple(focus.split()), Isolation(isolation)),
                *(zygote, hashseed, neighbours, started, seconds),
                torn=bool(torn),
                outage=bool(outage),
                purpose=Purpose(purpose),
                looked=Look(looked),
            )
            yield sweep, *_attempts(db, number, count)


def _attempts(db: sqlite3.Connection, hunt: int, sweep: int) -> tuple[list[Attempt], list[str]]:
    """Give the attempts of one sweep, with all that they left."""
    evidence: dict[int, Evidence] = {}
    for test, *told, sections, stacks, note, kind, statement in db.execute(
        "SELECT test, phase, exception, message, file, line, function, traceback, sections, stacks, note, kind,"
        " statement FROM evidence JOIN modes ON modes.id = mode WHERE hunt = ? AND sweep = ?",
        (hunt, sweep),
    ):
        phase, exception, message, *place, traceback = told
        texts = tuple((title, text) for title, text in json.loads(sections))
        where = Place(*place)
        evidence[test] = Evidence(phase, exception, message, where, traceback, texts, stacks, note, kind, statement)
    leaks: dict[int, list[Leak]] = {}
    victims: dict[int, list[str]] = {}
    for leak, victim in db.execute("SELECT leak, victim FROM hurt WHERE hunt = ? AND sweep = ?", (hunt, sweep)):
        victims.setdefault(leak, []).append(victim)
    for number, test, kind, what, owner, *owned, file, line, function, now in db.execute(
        "SELECT leak, test, kind, what, owner, owner_file, owner_line, owner_function, file, line, function, now"
        " FROM leaked JOIN leaks ON leaks.id = leak WHERE hunt = ? AND sweep = ? ORDER BY leak",
        (hunt, sweep),
    ):
        place = Place(file, line, function) if file else None
        leaks.setdefault(test, []).extend(
            Leak(LeakKind(kind), what, owner, Place(*owned), place, now, victim)
            for victim in sorted(victims.get(number, [""]))
        )
    unjudged = {test for (test,) in db.execute("SELECT test FROM unjudged WHERE hunt = ? AND sweep = ?", (hunt, sweep))}
    attempts, fingerprints = [], []
    for test, nodeid, outcome, milliseconds, fingerprint in db.execute(
        "SELECT attempts.test, nodeid, outcome, ms, coalesce(fingerprint, '') FROM attempts"
        " JOIN tests ON tests.id = attempts.test LEFT JOIN modes ON modes.id = mode WHERE hunt = ? AND sweep = ?",
        (hunt, sweep),
    ):
        left = tuple(leaks.get(test, ()))
        attempts.append(
            Attempt(
                *(nodeid, OUTCOMES[outcome], milliseconds / 1000, evidence.get(test), left), judged=test not in unjudged
            )
        )
        fingerprints.append(fingerprint)
    return attempts, fingerprints


def particulars(path: Path) -> dict[int, Particulars]:
    """Give the hunts of a ledger by number, with all that is kept of them but their sweeps.

    Args:
        path: of the ledger, which has the newest format.

    Raises:
        LedgerError: it cannot be read.
    """
    found = {}
    with _reading(path) as db:
        for number, seed, asked, started, seconds, python, pytest, platform, *told in db.execute(
            "SELECT id, seed, asked, started, seconds, python, pytest, platform, perturbations, revision, uid, weights,"
            " machine, versions, directory, redact, terms, parts FROM hunts ORDER BY id"
        ):
            names, revision, uid, weights, machine, versions, directory, redact, terms, parts = told
            trial = Trial(
                *(seed, 0, 0.0, started, python, pytest, platform, tuple(names.split())),
                revision=revision,
                asked=asked,
                uid=uid,
                weights=tuple((name, float(weight)) for name, weight in json.loads(weights).items()),
            )
            found[number] = Particulars(
                *(trial, machine, json.loads(versions), directory, tuple(json.loads(redact))),
                *(json.loads(terms), json.loads(parts), seconds),
            )
    return found


def unfinished(path: Path, shard: Shard) -> tuple[int, Particulars] | None:
    """Give the newest hunt that has not ended, with its number; None where there is none.

    Args:
        path: of a ledger, which may be of an older format.
        shard: which part of a hunt it is.

    Raises:
        LedgerError: it cannot be read.
    """
    if not path.is_file() or format_of(path) < WITH_TERMS:
        return None
    found = [
        (number, hunt)
        for number, hunt in particulars(path).items()
        if hunt.seconds is None and hunt.shards == shard.count and list(hunt.parts) == [str(shard.index)]
    ]
    return found[-1] if found else None


def notes(path: Path, number: int) -> list[str]:
    """Give what else a hunt noticed.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with _reading(path) as db:
        return [text for (text,) in db.execute("SELECT text FROM notes WHERE hunt = ? ORDER BY rowid", (number,))]


def tests(path: Path, number: int) -> list[tuple[str, str, int]]:
    """Give the tests of a hunt: node id, file, line.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with _reading(path) as db:
        found = db.execute(
            "SELECT nodeid, file, line FROM tests WHERE id IN (SELECT test FROM attempts WHERE hunt = ?)"
            " ORDER BY nodeid",
            (number,),
        )
        return [(nodeid, file, line) for nodeid, file, line in found]


def busy(path: Path, number: int) -> float:
    """Give the seconds in which any sweep of a hunt ran, however often the hunt was interrupted.

    Raises:
        LedgerError: it cannot be read.
    """
    total = until = 0.0
    with _reading(path) as db:
        for started, seconds in db.execute(
            "SELECT started, seconds FROM sweeps WHERE hunt = ? ORDER BY started", (number,)
        ):
            total += max(0.0, started + seconds - max(until, started))
            until = max(until, started + seconds)
    return total


def last_zygote(path: Path, number: int) -> int:
    """Give the highest number of any interpreter of a hunt.

    Raises:
        LedgerError: it cannot be read.
    """
    with _reading(path) as db:
        (last,) = db.execute("SELECT coalesce(max(zygote), 0) FROM sweeps WHERE hunt = ?", (number,)).fetchone()
        return int(last)


def counted(path: Path, number: int) -> Iterator[tuple[str, tuple[str, ...], Count]]:
    """Give the attempts of each test in a hunt's survey by what was on trial, outages left out: runs and failures.

    Args:
        path: of the ledger.
        number: of the hunt.

    Raises:
        LedgerError: it cannot be read.
    """
    failing, silent = (
        ", ".join(str(code) for code, outcome in OUTCOMES.items() if kind(outcome))
        for kind in (lambda outcome: outcome.fails, lambda outcome: not outcome.counts)
    )
    with _reading(path) as db:
        yield from (
            (nodeid, tuple(focus.split()), Count(runs, failures))
            for nodeid, focus, runs, failures in db.execute(
                f"SELECT nodeid, focus, count(*), sum(outcome IN ({failing})) FROM attempts"  # noqa: S608 - our own numbers
                " JOIN sweeps ON sweeps.hunt = attempts.hunt AND number = sweep JOIN tests ON tests.id = test"
                f" WHERE attempts.hunt = ? AND purpose = 'survey' AND NOT outage AND outcome NOT IN ({silent})"
                " GROUP BY test, focus",
                (number,),
            )
        )


def last_number(path: Path, number: int) -> int:
    """Give the highest number of any sweep of a hunt, experiments included.

    Args:
        path: of the ledger.
        number: of the hunt.

    Raises:
        LedgerError: it cannot be read.
    """
    with _reading(path) as db:
        (last,) = db.execute("SELECT coalesce(max(number), 0) FROM sweeps WHERE hunt = ?", (number,)).fetchone()
        return int(last)


def document(path: Path, number: int) -> str:
    """Give what a hunt said in the end, as JSON.

    Args:
        path: of the ledger.
        number: of a hunt that was concluded.

    Raises:
        LedgerError: it cannot be read.
    """
    with _reading(path) as db:
        (text,) = db.execute("SELECT document FROM documents WHERE hunt = ?", (number,)).fetchone()
        return str(text)


def upgraded(path: Path, target: Path) -> None:
    """Write a copy of a ledger that has the newest format; the ledger stays as it is.

    Args:
        path: of the ledger, of format 5 or newer: hunts of older ones have no ids.
        target: of the copy, which is not there.

    Raises:
        LedgerError: it cannot be read, or is too old.
    """
    with _reading(path) as db:
        if not _since(db, WITH_IDS):
            raise LedgerError(
                f"{path} has a format from before hunts had ids, so that one cannot be told from another; hunt into it "
                "once, which upgrades it"
            )
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
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
        with closing(sqlite3.connect(source, isolation_level=None)) as new:
            new.execute("PRAGMA journal_mode = DELETE")
            if path.exists():
                with closing(sqlite3.connect(path, timeout=LITTLE_PATIENCE, isolation_level=None)) as old:
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
    with _reading(path) as db:
        try:
            with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
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


def known(path: Path, test: Callable[[str], bool], fingerprints: Collection[str], since: str) -> Known:
    """Tell what a ledger knows of a test, without changing anything of it.

    Args:
        path: of the ledger.
        test: whether a node id is meant.
        fingerprints: the failures that are meant.
        since: UTC, ISO 8601: earlier hunts tell only when it was last seen failing.

    Raises:
        LedgerError: it cannot be read.
    """
    try:
        with _reading(path) as db:
            survey = " AND purpose = 'survey'" if _since(db, 2) else ""
            numbers = [number for number, nodeid in db.execute("SELECT id, nodeid FROM tests") if test(nodeid)]
            runs = failures = 0
            last = 0.0
            for number in numbers:
                for outcome, fingerprint, started, hunt in db.execute(
                    "SELECT outcome, coalesce(fingerprint, ''), sweeps.started, hunts.started"  # noqa: S608 - ours
                    " FROM attempts"
                    " JOIN sweeps ON sweeps.hunt = attempts.hunt AND number = sweep"
                    " JOIN hunts ON hunts.id = sweeps.hunt"
                    f" LEFT JOIN modes ON modes.id = mode WHERE attempts.test = ?{survey}",
                    (number,),
                ):
                    counts = OUTCOMES[outcome].counts and hunt >= since
                    failed = fingerprint in fingerprints
                    runs, failures = runs + counts, failures + (counts and failed)
                    last = max(last, started if failed else 0.0)
    except (sqlite3.Error, KeyError) as error:
        raise LedgerError(f"{path} cannot be read: {error}; {remedy(Exception(error))}") from None
    return Known(runs, failures, datetime.fromtimestamp(last, UTC).isoformat(timespec="seconds") if last else "")
