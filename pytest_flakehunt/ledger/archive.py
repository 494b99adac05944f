"""Reading a ledger without changing anything of it: what hunts it has, and what they said."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pytest_flakehunt.ledger import foreign
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.opening import MOST_TEXT, opened
from pytest_flakehunt.ledger.store import APPLICATION, OUTCOMES, VERSION, remedy
from pytest_flakehunt.model import (
    Count,
    Known,
)

WITH_IDS = 5
"""The format from which on hunts have ids."""
WITH_TERMS = 7
"""The format from which on a ledger keeps what the draws of a hunt follow from."""
FEWEST_DIGITS = 4
"""Of an id, that name a hunt."""


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
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger to read from it.

    Raises:
        LedgerError: it cannot be read, is none, or is of a newer version.
    """
    if not path.is_file():
        raise LedgerError(f"{path}: there is no such ledger; a hunt writes one, and --ledger gives its path")
    try:
        with closing(opened(path)) as db:
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
    except (sqlite3.Error, *foreign.MISSHAPEN) as error:
        said = " ".join(str(error).split())[:200]
        raise LedgerError(f"{path} cannot be read: {said}; {remedy(error)}") from None


def since_format(db: sqlite3.Connection, version: int) -> bool:
    """Tell whether a ledger has at least some format."""
    return bool(db.execute("PRAGMA user_version").fetchone()[0] >= version)


def format_of(path: Path) -> int:
    """Give the format that a ledger has.

    Raises:
        LedgerError: it cannot be read.
    """
    with reading(path) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        return int(version)


def hunts(path: Path) -> list[Kept]:
    """Give the hunts that a ledger has, the last one last.

    Raises:
        LedgerError: it cannot be read.
    """
    with reading(path) as db:
        survey = " AND purpose = 'survey'" if since_format(db, 2) else ""
        more = "uid, redact, hunts.id IN (SELECT hunt FROM documents)" if since_format(db, 5) else "'', '[]', 0"
        found = db.execute(
            "SELECT id, started, asked, seconds IS NOT NULL,"  # noqa: S608 - of our own words
            f" (SELECT count(*) FROM sweeps WHERE hunt = id{survey}), {more} FROM hunts ORDER BY id"
        )
        return [
            Kept(
                *(foreign.number(number), foreign.text(uid), foreign.moment(started), foreign.text(asked), sweeps),
                *(bool(ended), bool(concluded), foreign.several(json.loads(redact))),
            )
            for number, started, asked, ended, sweeps, uid, redact, concluded in found
        ]


def worth(path: Path) -> History:
    """Tell what sweeps for each perturbation cost and found in all hunts that are kept.

    Raises:
        LedgerError: it cannot be read.
    """
    with reading(path) as db:
        survey = " AND purpose = 'survey'" if since_format(db, 2) else ""
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
        return History(
            foreign.number(hunts),
            foreign.seconds(calm),
            {foreign.text(name): foreign.seconds(spent) for name, spent in seconds.items()},
            {foreign.text(name): foreign.number(count) for name, count in found},
        )


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
    with reading(path) as db:
        yield from (
            (
                foreign.text(nodeid),
                tuple(foreign.text(focus).split()),
                Count(foreign.number(runs), foreign.number(failures)),
            )
            for nodeid, focus, runs, failures in db.execute(
                f"SELECT nodeid, focus, count(*), sum(outcome IN ({failing})) FROM attempts"  # noqa: S608 - our own numbers
                " JOIN sweeps ON sweeps.hunt = attempts.hunt AND number = sweep JOIN tests ON tests.id = test"
                f" WHERE attempts.hunt = ? AND purpose = 'survey' AND NOT outage AND outcome NOT IN ({silent})"
                " GROUP BY test, focus",
                (number,),
            )
        )


def document(path: Path, number: int) -> str:
    """Give what a hunt said in the end, as JSON; empty where it said nothing.

    Args:
        path: of the ledger.
        number: of the hunt.

    Raises:
        LedgerError: it cannot be read.
    """
    with reading(path) as db:
        row = db.execute("SELECT document FROM documents WHERE hunt = ?", (number,)).fetchone()
        return foreign.text(row[0], MOST_TEXT) if row is not None else ""


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
    with reading(path) as db:
        survey = " AND purpose = 'survey'" if since_format(db, 2) else ""
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
                last = max(last, foreign.seconds(started) if failed else 0.0)
        seen = datetime.fromtimestamp(last, UTC).isoformat(timespec="seconds") if last else ""
    return Known(runs, failures, seen)
