"""A hunt's survey as lines of JSON: added to as each sweep ends, readable to the last whole line, whoever wrote it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from pytest_flakehunt.ledger import foreign
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.particulars import Particulars
from pytest_flakehunt.ledger.texts import storable
from pytest_flakehunt.model import (
    Attempt,
    Evidence,
    Isolation,
    Leak,
    LeakKind,
    Look,
    Outcome,
    Place,
    Plan,
    Purpose,
    Sweep,
    Trial,
)

NAME, VERSION = "pytest-flakehunt journal", 2
START = json.dumps({"format": NAME}, separators=(",", ":")).encode("ascii")[:-1]
"""How the first line begins."""
MOST_LINE = 64 * 1024 * 1024
"""Bytes that a line has at most."""
TESTS_A_LINE = 500
KEPT_PER_MODE = 3
"""Failing attempts of a mode whose evidence is written, and sweeps in which it is told where a leak was."""
CODES = {outcome: code for code, outcome in enumerate(Outcome)}


class Journal:
    """An open journal, to which lines are added."""

    def __init__(self, path: Path) -> None:
        """Open one; what stands after its last whole line goes.

        Raises:
            LedgerError: it cannot be written, or is a file of something else.
        """
        self.path = path
        self._tests: dict[str, int] = {}
        self._kept: dict[tuple[str, str], int] = {}
        try:
            self._file = path.open("a+b")
            self._file.seek(0)
            head = self._file.read(len(START))
            if head != START[: len(head)]:
                self._file.close()
                raise LedgerError(f"{path} is there and no journal; give another path")
            self._file.seek(0)
            whole = sum(len(line) for line in self._file if line.endswith(b"\n"))
            self._file.truncate(whole)
        except OSError as error:
            raise LedgerError(f"{path} cannot be written: {error}; give another path") from None

    def begin(self, hunt: Particulars) -> None:
        """Write the first line, in place of all that was there."""
        self._file.truncate(0)
        self._add(
            {
                "format": NAME,
                "version": VERSION,
                "hunt": hunt.trial.uid,
                "started": hunt.trial.started,
                "parts": dict(hunt.parts),
                "terms": dict(hunt.terms),
                "machine": hunt.machine,
                "versions": dict(hunt.versions),
                "directory": hunt.directory,
                "redact": list(hunt.redact),
            }
        )

    def close(self) -> None:
        """Let go of the file."""
        with suppress(OSError):  # what it could not take was said as it was added
            self._file.close()

    def declare(self, tests: Sequence[tuple[str, str, int]]) -> None:
        """Make tests known: node id, file, line."""
        named = ((storable(nodeid), storable(file), line) for nodeid, file, line in tests)
        new = [test for test in named if test[0] not in self._tests]
        for nodeid, *_ in new:
            self._tests[nodeid] = len(self._tests)
        for first in range(0, len(new), TESTS_A_LINE):
            self._add({"tests": new[first : first + TESTS_A_LINE]})

    def write(self, sweep: Sweep, attempts: Sequence[Attempt], fingerprints: Sequence[str]) -> None:
        """Add a sweep of the survey, and of what helps to read it; experiments are made where all is merged."""
        if sweep.purpose is Purpose.DIAGNOSIS:
            return
        rows: list[list[object]] = []
        evidence: list[list[object]] = []
        leaks: list[list[object]] = []
        for attempt, fingerprint in zip(attempts, fingerprints, strict=True):
            test = self._tests[storable(attempt.nodeid)]
            row: list[object] = [test, CODES[attempt.outcome], round(attempt.seconds * 1000)]
            rows.append([*row, fingerprint] if fingerprint else row)
            if attempt.evidence is not None and self._keeps("mode", f"{test} {fingerprint}"):
                evidence.append([test, asdict(attempt.evidence)])
            leaks += ([test, self._leak(attempt.nodeid, leak)] for leak in attempt.leaks)
        told: dict[str, object] = {name.name: getattr(sweep, name.name) for name in fields(sweep)}
        self._add(
            {
                "sweep": told | {"plan": str(sweep.plan)},
                "attempts": rows,
                "evidence": evidence,
                "leaks": leaks,
                "unjudged": [self._tests[storable(attempt.nodeid)] for attempt in attempts if not attempt.judged],
            }
        )

    def set_aside(self, number: int) -> None:
        """Say that a sweep, which was added before, is an outage."""
        self._add({"outage": number})

    def note(self, text: str) -> None:
        """Add something else that the hunt noticed."""
        self._add({"note": text})

    def end(self, seconds: float) -> None:
        """Say that the hunt has ended."""
        self._add({"end": {"seconds": seconds}})

    def _leak(self, nodeid: str, leak: Leak) -> dict[str, Any]:
        told = asdict(leak)
        if leak.now and not self._keeps(nodeid, json.dumps(told, default=str)):
            told["now"] = ""
        return told

    def _keeps(self, *key: str) -> bool:
        name = (key[0], key[1])
        self._kept[name] = self._kept.get(name, 0) + 1
        return self._kept[name] <= KEPT_PER_MODE

    def _add(self, line: object) -> None:
        try:
            self._file.write(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
            self._file.flush()
        except OSError as error:
            raise LedgerError(f"{self.path} cannot be written: {error}; make room, or give another path") from None


def trial_of(uid: str, started: str, terms: dict[str, str]) -> Trial:
    """Give a hunt's record from what its draws follow from."""
    weights = json.loads(terms["weights"])
    return Trial(
        int(terms["seed"]), 0, 0.0, started, terms["Python"], terms["pytest"], terms["platform"],
        tuple(terms["perturbations"].split()), revision=terms["revision"], asked=terms["N"], uid=uid,
        weights=tuple((str(name), float(weight)) for name, weight in weights.items()),
    )  # fmt: skip


class Written:
    """A journal that is read."""

    def __init__(self, path: Path, most: int = MOST_LINE) -> None:
        """Look through it, so that each sweep can be found; the last line of a number counts.

        Args:
            path: of the journal.
            most: bytes that a line has at most.

        Raises:
            LedgerError: it is none, or not as it should be.
        """
        self.path = path
        self.tests: list[tuple[str, str, int]] = []
        self.notes: list[str] = []
        self.sweeps: dict[int, tuple[bool, float, int]] = {}
        """By number: whether it is torn, when it began, and where its line is."""
        self._outages: set[int] = set()
        """Those that were set aside after they had been written, by number."""
        seconds: float | None = None
        try:
            with path.open("rb") as file:
                self.hunt: Particulars = self._checked(1, self._first, file.readline(most))
                place, number = file.tell(), 1
                while line := file.readline(most + 1):
                    number += 1
                    if len(line) > most:
                        raise LedgerError(f"{path}: line {number} is longer than any that a hunt writes")
                    if line.endswith(b"\n"):
                        found = self._checked(number, partial(self._take, place), line)
                        seconds = found if found is not None else seconds
                    place = file.tell()
        except OSError as error:
            raise LedgerError(f"{path} cannot be read: {error}") from None
        self.hunt = replace(self.hunt, seconds=seconds)

    def read(self, number: int, plan: Callable[[str], Plan]) -> tuple[Sweep, list[Attempt], list[str]]:
        """Give a sweep, its attempts, and the fingerprint of each.

        Args:
            number: of the sweep.
            plan: reads a plan.
        """
        with self.path.open("rb") as file:
            file.seek(self.sweeps[number][2])
            sweep, attempts, fingerprints = self._sweep(json.loads(file.readline(MOST_LINE)), plan)
        return replace(sweep, outage=sweep.outage or number in self._outages), attempts, fingerprints

    def _checked(self, number: int, read: Callable[[bytes], Any], line: bytes) -> Any:
        try:
            return read(line)
        except foreign.MISSHAPEN as error:
            said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise LedgerError(f"{self.path}: line {number} is not one that a hunt writes: {said}") from None

    def _first(self, line: bytes) -> Particulars:
        told = json.loads(line)
        if not isinstance(told, dict) or told.get("format") != NAME:
            raise ValueError("it does not begin as a journal does")
        if told["version"] != VERSION:
            raise ValueError(
                f"it has version {told['version']}, and this pytest-flakehunt reads {VERSION}; merge with what wrote it"
            )
        terms, parts, versions = (foreign.texts(told[name]) for name in ("terms", "parts", "versions"))
        redact = foreign.several(told["redact"])
        uid, *_ = map(foreign.uid, (told["hunt"], *parts.values()))
        if not parts:
            raise ValueError("its shards are none")
        trial = trial_of(uid, foreign.moment(told["started"]), terms)
        return Particulars(
            trial, foreign.text(told["machine"]), versions, foreign.text(told["directory"]), redact, terms, parts, None
        )

    def _take(self, place: int, line: bytes) -> float | None:
        told = json.loads(line)
        if not isinstance(told, dict):
            raise TypeError("it is no object")
        if "tests" in told:
            self.tests += (
                (foreign.text(nodeid), foreign.text(file), foreign.number(row)) for nodeid, file, row in told["tests"]
            )
        elif "sweep" in told:
            sweep, *_ = self._sweep(told, lambda _: Plan())
            self.sweeps[sweep.number] = sweep.purpose is Purpose.TORN, sweep.started, place
            self._outages.discard(sweep.number)
        elif "outage" in told:
            self._outages.add(foreign.number(told["outage"]))
        elif "note" in told:
            self.notes.append(foreign.text(told["note"]))
        elif "end" in told:
            return foreign.seconds(told["end"]["seconds"])
        return None

    def _sweep(self, told: dict[str, Any], plan: Callable[[str], Plan]) -> tuple[Sweep, list[Attempt], list[str]]:
        said = told["sweep"]
        sweep = Sweep(
            foreign.number(said["number"]), plan(foreign.text(said["plan"])), tuple(map(foreign.text, said["focus"])),
            Isolation(said["isolation"]), foreign.number(said["zygote"]), foreign.text(said["hashseed"]),
            foreign.number(said["neighbours"]), foreign.seconds(said["started"]), foreign.seconds(said["seconds"]),
            said["torn"] is True, said["outage"] is True, Purpose(said["purpose"]), Look(said["looked"]),
            foreign.seconds(said["cpu"]), foreign.number(said["memory"]),
        )  # fmt: skip
        evidence = {foreign.number(test): _evidence(one) for test, one in told["evidence"]}
        leaks: dict[int, list[Leak]] = {}
        for test, one in told["leaks"]:
            leaks.setdefault(foreign.number(test), []).append(_leak(one))
        unjudged = {foreign.number(test) for test in told["unjudged"]}
        attempts, fingerprints, outcomes = [], [], list(Outcome)
        for test, code, milliseconds, *fingerprint in told["attempts"]:
            nodeid, outcome = self.tests[foreign.number(test)][0], outcomes[foreign.number(code)]
            mode = foreign.text(fingerprint[0]) if fingerprint else ""
            if bool(mode) != outcome.fails:
                raise ValueError("a failing attempt has a fingerprint, and no other")
            fingerprints.append(mode)
            seconds = foreign.number(max(0, milliseconds)) / 1000  # as in the ledger
            attempts.append(
                Attempt(nodeid, outcome, seconds, evidence.get(test), tuple(leaks.get(test, ())), test not in unjudged)
            )
        if len({attempt.nodeid for attempt in attempts}) < len(attempts):
            raise ValueError("it has a test twice")
        return sweep, attempts, fingerprints


def _evidence(told: dict[str, Any]) -> Evidence:
    sections = tuple((foreign.text(title), foreign.text(text, MOST_LINE)) for title, text in told["sections"])
    texts = {
        name: foreign.text(told[name], MOST_LINE)
        for name in ("phase", "exception", "message", "traceback", "stacks", "note", "kind", "statement")
    }
    return Evidence(where=_place(told["where"]), sections=sections, **texts)


def _leak(told: dict[str, Any]) -> Leak:
    started = told["started_at"]
    return Leak(
        LeakKind(told["kind"]), foreign.text(told["what"]), foreign.text(told["owner"]), _place(told["owned_at"]),
        None if started is None else _place(started), foreign.text(told["now"]), foreign.text(told["victim"]),
    )  # fmt: skip


def _place(told: Any) -> Place:
    file, line, *function = told
    return Place(foreign.text(file), foreign.number(line), *map(foreign.text, function[:1]))


def lines(written: Written, plan: Callable[[str], Plan]) -> Iterator[tuple[Sweep, list[Attempt], list[str]]]:
    """Give all sweeps of a journal, by number."""
    return (written.read(number, plan) for number in sorted(written.sweeps))
