"""Reading a hunt back from a ledger as it was recorded, so that it can go on, or be joined with others."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from pytest_flakehunt.ledger import foreign
from pytest_flakehunt.ledger.archive import WITH_TERMS, format_of, reading
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.opening import MOST_TEXT
from pytest_flakehunt.ledger.particulars import Particulars
from pytest_flakehunt.ledger.store import OUTCOMES
from pytest_flakehunt.model import (
    Attempt,
    Evidence,
    Isolation,
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
    with reading(path) as db:
        kept = db.execute(
            "SELECT number, plan, focus, isolation, zygote, hashseed, neighbours, started, seconds, torn, outage,"
            " purpose, looked, cpu, memory FROM sweeps WHERE hunt = ? ORDER BY number",
            (number,),
        )
        for count, written, focus, isolation, *held, torn, outage, purpose, looked, cpu, memory in kept.fetchall():
            if purpose not in purposes:
                continue
            zygote, hashseed, neighbours, started, seconds = held
            try:
                read = plan(foreign.text(written))
            except SettingError as error:
                raise LedgerError(f"{path}: sweep {count} cannot be told: {error}") from None
            sweep = Sweep(
                *(foreign.number(count), read, tuple(foreign.text(focus).split()), Isolation(isolation)),
                *(foreign.number(zygote), foreign.text(hashseed), foreign.number(neighbours)),
                *(foreign.seconds(started), foreign.seconds(seconds)),
                torn=bool(torn),
                outage=bool(outage),
                purpose=Purpose(purpose),
                looked=Look(looked),
                cpu=foreign.seconds(cpu),
                memory=foreign.number(memory),
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
        texts = tuple((foreign.text(title), foreign.text(said, MOST_TEXT)) for title, said in json.loads(sections))
        for one in (phase, exception, message, traceback, stacks, note, kind, statement):
            foreign.text(one, MOST_TEXT)
        where = _place(*place)
        evidence[test] = Evidence(phase, exception, message, where, traceback, texts, stacks, note, kind, statement)
    leaks: dict[int, list[Leak]] = {}
    victims: dict[int, list[str]] = {}
    for leak, victim in db.execute("SELECT leak, victim FROM hurt WHERE hunt = ? AND sweep = ?", (hunt, sweep)):
        victims.setdefault(leak, []).append(foreign.text(victim))
    for number, test, kind, what, owner, *owned, file, line, function, now in db.execute(
        "SELECT leak, test, kind, what, owner, owner_file, owner_line, owner_function, file, line, function, now"
        " FROM leaked JOIN leaks ON leaks.id = leak WHERE hunt = ? AND sweep = ? ORDER BY leak",
        (hunt, sweep),
    ):
        place = _place(file, line, function) if file else None
        known = LeakKind(kind), foreign.text(what), foreign.text(owner), _place(*owned), place, foreign.text(now)
        leaks.setdefault(test, []).extend(Leak(*known, victim) for victim in sorted(victims.get(number, [""])))
    unjudged = {test for (test,) in db.execute("SELECT test FROM unjudged WHERE hunt = ? AND sweep = ?", (hunt, sweep))}
    attempts, fingerprints = [], []
    for test, nodeid, outcome, milliseconds, fingerprint in db.execute(
        "SELECT attempts.test, nodeid, outcome, ms, coalesce(fingerprint, '') FROM attempts"
        " JOIN tests ON tests.id = attempts.test LEFT JOIN modes ON modes.id = mode WHERE hunt = ? AND sweep = ?",
        (hunt, sweep),
    ):
        left = tuple(leaks.get(test, ()))
        took = foreign.number(max(0, milliseconds)) / 1000  # what two clocks say of a killed test may be less than none
        attempts.append(
            Attempt(
                *(foreign.text(nodeid), OUTCOMES[outcome], took, evidence.get(test), left), judged=test not in unjudged
            )
        )
        fingerprints.append(foreign.text(fingerprint))
    return attempts, fingerprints


def _place(file: object, line: object, function: object) -> Place:
    return Place(foreign.text(file), foreign.number(line), foreign.text(function))


def particulars(path: Path) -> dict[int, Particulars]:
    """Give the hunts of a ledger by number, with all that is kept of them but their sweeps.

    Args:
        path: of the ledger, which has the newest format.

    Raises:
        LedgerError: it cannot be read.
    """
    found = {}
    with reading(path) as db:
        for number, seed, asked, started, seconds, python, pytest, platform, *told in db.execute(
            "SELECT id, seed, asked, started, seconds, python, pytest, platform, perturbations, revision, uid, weights,"
            " machine, versions, directory, redact, terms, parts FROM hunts ORDER BY id"
        ):
            names, revision, uid, weights, machine, versions, directory, redact, terms, parts = told
            trial = Trial(
                *(int(seed), 0, 0.0, foreign.moment(started), foreign.text(python), foreign.text(pytest)),
                *(foreign.text(platform), tuple(foreign.text(names).split())),
                revision=foreign.text(revision),
                asked=foreign.text(asked),
                uid=foreign.uid(uid),
                weights=tuple((name, float(weight)) for name, weight in json.loads(weights).items()),
            )
            found[foreign.number(number)] = Particulars(
                *(trial, foreign.text(machine), foreign.texts(json.loads(versions)), foreign.text(directory)),
                *(foreign.several(json.loads(redact)), foreign.texts(json.loads(terms))),
                *(foreign.texts(json.loads(parts)), None if seconds is None else foreign.seconds(seconds)),
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
    with reading(path) as db:
        found = db.execute("SELECT text FROM notes WHERE hunt = ? ORDER BY rowid", (number,))
        return [foreign.text(text, MOST_TEXT) for (text,) in found]


def tests(path: Path, number: int) -> list[tuple[str, str, int]]:
    """Give the tests of a hunt: node id, file, line.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with reading(path) as db:
        found = db.execute(
            "SELECT nodeid, file, line FROM tests WHERE id IN (SELECT test FROM attempts WHERE hunt = ?)"
            " ORDER BY nodeid",
            (number,),
        )
        return [(foreign.text(nodeid), foreign.text(file), foreign.number(line)) for nodeid, file, line in found]


def busy(path: Path, number: int) -> float:
    """Give the seconds in which any sweep of a hunt ran, however often the hunt was interrupted.

    Raises:
        LedgerError: it cannot be read.
    """
    total = until = 0.0
    with reading(path) as db:
        for row in db.execute("SELECT started, seconds FROM sweeps WHERE hunt = ? ORDER BY started", (number,)):
            started, seconds = map(foreign.seconds, row)
            total += max(0.0, started + seconds - max(until, started))
            until = max(until, started + seconds)
    return total


def last_zygote(path: Path, number: int) -> int:
    """Give the highest number of any interpreter of a hunt.

    Raises:
        LedgerError: it cannot be read.
    """
    with reading(path) as db:
        (last,) = db.execute("SELECT coalesce(max(zygote), 0) FROM sweeps WHERE hunt = ?", (number,)).fetchone()
        return int(last)


def last_number(path: Path, number: int) -> int:
    """Give the highest number of any sweep of a hunt, experiments included.

    Args:
        path: of the ledger.
        number: of the hunt.

    Raises:
        LedgerError: it cannot be read.
    """
    with reading(path) as db:
        (last,) = db.execute("SELECT coalesce(max(number), 0) FROM sweeps WHERE hunt = ?", (number,)).fetchone()
        return int(last)
