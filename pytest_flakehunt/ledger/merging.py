"""Putting hunts together: the shards of one hunt become one, whatever the order in which they come."""

import hashlib
import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Protocol

from pytest_flakehunt.ledger import archive, copying, recalling
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.journal import Written
from pytest_flakehunt.ledger.journal import lines as lines_of
from pytest_flakehunt.ledger.particulars import Particulars, differences
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Attempt, Contract, Plan, Purpose, Sweep

Recorded = tuple[Sweep, list[Attempt], list[str]]
HANDED_ON = (Purpose.SURVEY, Purpose.STUDY, Purpose.TORN)
"""What is kept of a shard: experiments are made once, on what was put together."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is written, whatever it means."""

    text: str
    contract = Contract.NATURAL
    patience = 1.0

    def __str__(self) -> str:
        return self.text


def written(text: str) -> Plan:
    """Give a plan as it is written, of perturbations that may not be there.

    >>> str(written("hashseed=7 timezone=Asia/Kolkata"))
    'hashseed=7 timezone=Asia/Kolkata'
    """
    parts = (part.partition("=") for part in text.split())
    return Plan(tuple((name, Setting(value)) for name, _, value in parts))


class Source(Protocol):
    """Where a hunt comes from."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def hunt(self) -> Particulars:
        """Which it is."""

    def sweeps(self) -> Iterator[Recorded]:
        """Give its sweeps by number."""

    def tests(self) -> Sequence[tuple[str, str, int]]:
        """Give node id, file and line of each test."""

    def notes(self) -> Sequence[str]:
        """Give what else was noticed."""

    def document(self) -> str:
        """Give what it said in the end; empty where it said nothing."""


class OfJournal:
    """A hunt from a journal."""

    def __init__(self, path: Path) -> None:
        self.name, self._written = str(path), Written(path)
        self.hunt = self._written.hunt

    def sweeps(self) -> Iterator[Recorded]:
        """Give its sweeps by number."""
        return lines_of(self._written, written)

    def tests(self) -> Sequence[tuple[str, str, int]]:
        """Give node id, file and line of each test."""
        return self._written.tests

    def notes(self) -> Sequence[str]:
        """Give what else was noticed."""
        return self._written.notes

    def document(self) -> str:
        """Give nothing: no journal has it."""
        return ""


@dataclass(frozen=True, slots=True)
class OfLedger:
    """A hunt from a ledger."""

    name: str
    path: Path
    """Of a copy, which has the newest format."""
    number: int
    hunt: Particulars

    def sweeps(self) -> Iterator[Recorded]:
        """Give its sweeps by number."""
        return recalling.recorded(self.path, self.number, written, tuple(Purpose))

    def tests(self) -> Sequence[tuple[str, str, int]]:
        """Give node id, file and line of each test."""
        return recalling.tests(self.path, self.number)

    def notes(self) -> Sequence[str]:
        """Give what else was noticed."""
        return recalling.notes(self.path, self.number)

    def document(self) -> str:
        """Give what it said in the end; empty where it said nothing."""
        return archive.document(self.path, self.number)


class Merged(NamedTuple):
    """A hunt, and all that it is put together from."""

    hunt: Particulars
    sources: tuple[Source, ...]


def sources(path: Path, scratch: Path, *, ledger: bool) -> list[Source]:
    """Give the hunts of a file.

    Args:
        path: of a ledger or a journal.
        scratch: a folder for copies.
        ledger: which of the two it is.

    Raises:
        LedgerError: it cannot be read.
    """
    if not ledger:
        return [OfJournal(path)]
    copy = scratch / f"{len(list(scratch.iterdir()))}.sqlite"
    copying.upgraded(path, copy)
    return [OfLedger(f"{path}, hunt {n}", copy, n, hunt) for n, hunt in recalling.particulars(copy).items()]


def together(found: Sequence[Source], there: Sequence[Source], *, force: bool) -> list[Merged]:
    """Put hunts together that are parts of one.

    Args:
        found: those that are given: all are of one hunt.
        there: those that the ledger has which is written to, whatever they are.
        force: whether those that do not belong together are kept as hunts of their own.

    Raises:
        LedgerError: they do not belong together.
    """
    if not force:
        _check(found)
    groups: list[list[Source]] = []
    for source in sorted((*there, *found), key=lambda one: (one.hunt.shards > 1, _uids(one), len(one.hunt.parts))):
        fitting = (group for group in groups if _fits(source, group))
        group = next(fitting, None)
        if group is None:
            if not force and source in found and (other := _other(source, groups)) is not None:
                raise LedgerError(
                    f"{source.name} and {other.name} are the same shard of two hunts; give one of them, or --force to "
                    "keep them apart"
                )
            groups.append(group := [])
        group.append(source)
    return sorted((_merged(group) for group in groups), key=lambda one: (one.hunt.trial.started, one.hunt.trial.uid))


def _check(found: Sequence[Source]) -> None:
    first, *others = found
    for other in others:
        known = first.hunt.terms and other.hunt.terms
        wrong = differences(first.hunt.terms, other.hunt.terms)
        if first.hunt.trial.uid == other.hunt.trial.uid:
            continue
        if wrong or not known:
            said = "; ".join(wrong) or "their ledgers are older than format 7, and do not say what they have in common"
            raise LedgerError(
                f"{first.name} and {other.name} do not belong together: {said}; leave one of them out, or give --force "
                "to keep them as two hunts"
            )


def _uids(source: Source) -> list[str]:
    return sorted(source.hunt.parts.values()) or [source.hunt.trial.uid]


def _fits(source: Source, group: Sequence[Source]) -> bool:
    """Tell whether a part of a hunt can be put to others: of the same terms, and no shard ran twice."""
    mine = source.hunt
    if any(mine.trial.uid == other.hunt.trial.uid for other in group):
        return True
    return bool(mine.terms) and all(
        mine.terms == other.hunt.terms
        and all(other.hunt.parts.get(part, uid) == uid for part, uid in mine.parts.items())
        for other in group
    )


def _other(source: Source, groups: Sequence[Sequence[Source]]) -> Source | None:
    alike = (
        other for group in groups for other in group if source.hunt.terms and other.hunt.terms == source.hunt.terms
    )
    return next(alike, None)


def _merged(group: Sequence[Source]) -> Merged:
    hunts = [source.hunt for source in group]
    parts = {part: uid for hunt in hunts for part, uid in hunt.parts.items()}
    parts = dict(sorted(parts.items(), key=lambda item: int(item[0])))
    whole = next((source for source in group if source.hunt.parts == parts and source.hunt.merged), None)
    first = min(hunts, key=lambda hunt: (hunt.trial.started, hunt.trial.uid))
    if first.shards == 1:
        ended = [hunt.seconds for hunt in hunts if hunt.seconds is not None]
        return Merged(replace(first, parts=parts, seconds=max(ended, default=None)), tuple(group))
    if whole is not None and _adds_nothing(whole, group):
        return Merged(whole.hunt, (whole,))
    name = json.dumps([first.terms, parts], sort_keys=True)
    uid = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    return Merged(
        replace(
            first,
            trial=replace(first.trial, uid=uid),
            machine="; ".join(sorted({one for hunt in hunts for one in hunt.machine.split("; ")})),
            versions=dict(
                sorted({name: said for hunt in hunts for name, said in sorted(hunt.versions.items())}.items())
            ),
            directory=min(hunt.directory for hunt in hunts),
            redact=tuple(sorted({pattern for hunt in hunts for pattern in hunt.redact})),
            parts=parts,
            seconds=None,
        ),
        tuple(group),
    )


def _adds_nothing(whole: Source, group: Sequence[Source]) -> bool:
    """Tell whether all that others have is there already: then what was concluded of it holds."""
    there = {sweep.number: (sweep.started, sweep.purpose) for sweep, *_ in whole.sweeps()}
    others = (one for source in group if source is not whole for one in _numbered(source))
    return all(there.get(sweep.number) == (sweep.started, sweep.purpose) for sweep, *_ in others)


def _numbered(source: Source) -> Iterator[Recorded]:
    """Give the sweeps of a shard under their numbers in the whole: each has a calm one of its own first."""
    hunt = source.hunt
    if hunt.shards == 1:
        yield from source.sweeps()
        return
    index = 1 if hunt.merged else min(int(part) for part in hunt.parts)
    held: Recorded | None = None
    for sweep, attempts, fingerprints in source.sweeps():
        if sweep.purpose not in HANDED_ON:
            continue
        if sweep.number == 0 and index > 1:
            held = replace(sweep, number=int(hunt.terms["N"]) + index - 1), attempts, fingerprints
            continue
        if held is not None and sweep.number > held[0].number:
            yield held
            held = None
        yield sweep, attempts, fingerprints
    if held is not None:
        yield held


def _best(merged: Merged) -> Iterator[Recorded]:
    """Give each sweep once: where it was run again after the hunt was interrupted, as it ended."""
    if len(merged.sources) == 1 and merged.sources[0].hunt == merged.hunt:
        yield from merged.sources[0].sweeps()
        return
    every = heapq.merge(*map(_numbered, merged.sources), key=lambda one: one[0].number)
    for _, some in groupby(every, key=lambda one: one[0].number):
        yield max(some, key=lambda one: (one[0].purpose is not Purpose.TORN, not one[0].torn, one[0].started))


def write(path: Path, hunts: Sequence[Merged]) -> None:
    """Write hunts into a new ledger, in the order in which they are given.

    Args:
        path: of the ledger, which is not there.
        hunts: all of them.

    Raises:
        LedgerError: it cannot be written.
    """
    ledger = Ledger(path)
    try:
        for merged in hunts:
            ledger.copy(merged.hunt)
            tests = {test[0]: test for source in merged.sources for test in sorted(source.tests())}
            ledger.declare([tests[nodeid] for nodeid in sorted(tests)])
            for sweep, attempts, fingerprints in _best(merged):
                order = sorted(range(len(attempts)), key=lambda place: attempts[place].nodeid)
                ledger.write(sweep, [attempts[place] for place in order], [fingerprints[place] for place in order])
            for text in sorted({text for source in merged.sources for text in source.notes()}):
                ledger.note(text)
            kept = [source.document() for source in merged.sources if source.hunt.seconds is not None]
            if merged.hunt.seconds is not None and any(kept):
                ledger.conclude(max(kept, key=len))
    finally:
        ledger.close()
