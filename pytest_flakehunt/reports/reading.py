"""Reading the JSON report back: every other report is made from that, at once or years later."""

import json
from dataclasses import is_dataclass
from datetime import date, datetime
from functools import cache
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pytest_flakehunt.model import (
    NOTHING,
    Cause,
    Condition,
    Contract,
    Count,
    Diagnosis,
    Entry,
    Evidence,
    Excusing,
    Finding,
    Findings,
    Group,
    Interval,
    Leak,
    LeakKind,
    Left,
    Meeting,
    Mode,
    Outage,
    Outcome,
    Parting,
    Place,
    Planned,
    Ready,
    Spent,
    Spot,
    Stop,
    Suspect,
    Trial,
    Verdict,
    Why,
)
from pytest_flakehunt.reports.document import MARKS, SCHEMA

MOST = 256 * 1024 * 1024
"""Bytes of a report."""
LARGEST = 2**64
"""Below which any number is."""
MOST_RUNS = 10**9
"""Runs that a count may have: more than any hunt ever makes."""


class DocumentError(Exception):
    """A document is no report of a hunt; the message says why."""


def read(text: str) -> Findings:
    """Give the findings that a report was made of, but for what only the hunt itself needs of its experiments.

    Args:
        text: of a JSON report.

    Raises:
        DocumentError: it is none, or one of another version.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise DocumentError("it is no ledger, and no JSON report of a hunt") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        said = document.get("schema") if isinstance(document, dict) else None
        raise DocumentError(f"it is no report of a hunt: its schema is {repr(said)[:60]}, and {SCHEMA!r} is wanted")
    try:
        findings = _findings(document)
        _check(findings, Findings, "report")
        datetime.fromisoformat(findings.trial.started)
        UUID(findings.trial.uid or "0" * 32)
        _agree(findings)
        if not all(group.members for group in findings.groups):
            raise ValueError("a group has no members")
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise DocumentError(f"it is no whole report of a hunt: {type(error).__name__}: {said}") from None
    return findings


def of_file(path: Path) -> Findings:
    """Give the findings that a file tells.

    Raises:
        DocumentError: it is no report, or larger than any.
        OSError: it cannot be read.
        ValueError: it is no text.
    """
    size = path.stat().st_size
    if size > MOST:
        raise DocumentError(f"it has {size:,} bytes, and no report of a hunt has more than {MOST:,}")
    return read(path.read_text("utf-8"))


def _agree(findings: Findings) -> None:
    """See that what is counted in several places can be laid side by side, and that what has a name has it alone."""
    columns, sweeps = len(findings.columns), len(findings.sweeps)
    names = set[str]()
    for place, test in enumerate(findings.tests):
        if test.nodeid in names:
            raise ValueError(f"report.tests[{place}] has the nodeid of another test")
        names.add(test.nodeid)
        if len({mode.fingerprint for mode in test.modes}) < len(test.modes):
            raise ValueError(f"report.tests[{place}] has a fingerprint twice")
        if len(test.under) not in {0, columns} or (test.strip and len(test.strip) != sweeps):
            raise ValueError(f"report.tests[{place}] has other columns or sweeps than the report")


def _check(value: Any, kind: Any, where: str) -> None:  # noqa: C901 - a case for each kind
    """See that a value, and all in it, is of the kind that the model says: a stranger may have written it."""
    origin, inner, made_of_fields = _shape(kind)
    if origin in {Union, UnionType}:
        if value is not None:
            _check(value, next(one for one in inner if one is not NoneType), where)
    elif origin is tuple:
        if not isinstance(value, tuple):
            raise TypeError(f"{where} is no list")
        kinds = [inner[0]] * len(value) if inner[1:] == (Ellipsis,) else inner
        for place, (item, one) in enumerate(zip(value, kinds, strict=True)):
            _check(item, one, f"{where}[{place}]")
    elif kind is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise TypeError(f"{where} is no number")
    elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{where} is no {kind.__name__}")
    elif kind is int and not -LARGEST < value < LARGEST:
        raise ValueError(f"{where} is larger than any number of a hunt")
    elif made_of_fields:
        for name, one in _hints(kind).items():
            _check(getattr(value, name), one, f"{where}.{name}")
        if isinstance(value, Count) and not 0 <= value.failures <= value.runs <= MOST_RUNS:
            raise ValueError(f"{where} has {value.failures} failures of {value.runs} runs")


@cache
def _shape(kind: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """Give what a kind is a case of, what that is of, and whether it has fields."""
    return get_origin(kind), get_args(kind), is_dataclass(kind) or hasattr(kind, "_fields")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind).items() if get_origin(hint) is not ClassVar}


def _findings(document: dict[str, Any]) -> Findings:
    return Findings(
        _trial(document["hunt"]),
        tuple(_test(test) for test in _list(document["tests"])),
        tuple(
            Outage(outage["sweep"], outage["plan"], _count(outage), outage["exception"], outage["message"])
            for outage in document["outages"]
        ),
        tuple(
            Group(tuple((one["nodeid"], one["fingerprint"]) for one in _list(group["members"])), group["sentence"])
            for group in document["groups"]
        ),
        tuple(Ready(one["nodeid"], one["test"], one["runs"]) for one in _list(document.get("ready_for_release", []))),
        tuple(_list(document["notes"])),
        tuple(_list(document.get("columns", []))),
        tuple(
            Planned(one["sweep"], one["plan"], tuple(_list(one["trial"])), one.get("zygote", 0))
            for one in document.get("sweeps", ())
        ),
    )


def _trial(hunt: dict[str, Any]) -> Trial:
    return Trial(
        seed=hunt["seed"],
        sweeps=hunt["sweeps"],
        seconds=hunt["seconds"],
        started=hunt["started"],
        python=hunt["python"],
        pytest=hunt["pytest"],
        platform=hunt["platform"],
        perturbations=tuple(_list(hunt["perturbations"])),
        revision=hunt.get("revision", ""),
        zygotes=hunt.get("zygotes", 0),
        asked=hunt.get("asked", ""),
        interrupted=hunt.get("interrupted", False),
        experiments=hunt.get("experiments", 0),
        saved=hunt.get("saved", 0),
        uid=hunt.get("id", ""),
        folder=hunt.get("folder", ""),
        fail_on=tuple(_list(hunt.get("fail_on", []))),
        stood_down=tuple(_list(hunt.get("stood_down", []))),
        switched_off=tuple(_list(hunt.get("switched_off", []))),
        weights=tuple((one["perturbation"], one["weight"]) for one in _list(hunt.get("weights", []))),
        spent=tuple(
            Spent(one["what"], one["number"], one["seconds"], one.get("cpu")) for one in _list(hunt.get("spent", []))
        ),
        at_once=hunt.get("at_once", 0),
        hashseeds=hunt.get("hashseeds", 0),
        go_on=hunt.get("go_on", ""),
    )


def _test(test: dict[str, Any]) -> Finding:
    return Finding(
        test["nodeid"],
        test["file"],
        test["line"],
        Verdict(test["verdict"]),
        _count(test),
        _interval(test["rate"]),
        _count(test["calm"]),
        _interval(test["calm"]),
        Contract(test["contract"]),
        tuple(_mode(mode) for mode in _list(test["modes"])),
        tuple(_left(leak) for leak in _list(test["leaks"])),
        tuple(_list(test["notes"])),
        test.get("seconds", 0.0),
        test.get("chosen", ""),
        test.get("company", False),
        _under(test.get("under", "")),
        tuple(max(NOTHING, MARKS.find(mark)) for mark in test.get("strip", "")),
        test.get("owner", ""),
        _entry(test["quarantine_entry"]) if test.get("quarantine_entry") is not None else None,
    )


def _entry(said: dict[str, Any]) -> Entry:
    return Entry(
        test=said["test"],
        added=date.fromisoformat(said["added"]),
        expires=date.fromisoformat(said["expires"]),
        fingerprints=tuple(_list(said["fingerprints"])),
        at=tuple(_list(said["at"])),
        cause=said["cause"],
        plan=said["plan"],
        after=tuple(_list(said["after"])),
        seen=_count(said["seen"]),
        owner=said["owner"],
        body=said["body"],
        repro=said["repro"],
        mode=Excusing(said["mode"]),
        together=said["together"],
    )


@cache
def _under(written: str) -> tuple[Count, ...]:
    """Read the counts by column; most tests of a suite have the same."""
    pairs = (map(int, pair.split("/")) for pair in written.split())
    return tuple(Count(runs, failures) for failures, runs in pairs)


def _mode(mode: dict[str, Any]) -> Mode:
    return Mode(
        fingerprint=mode["fingerprint"],
        outcome=Outcome(mode["outcome"]),
        evidence=_evidence(mode),
        failures=mode["failures"],
        calm_failures=mode["calm_failures"],
        plan=mode["plan"],
        contract=Contract(mode["contract"]),
        suspects=tuple(_suspect(suspect) for suspect in _list(mode["suspects"])),
        repro=mode["repro"],
        without=mode["repro_without"],
        after=tuple(_list(mode["after"])),
        diagnosis=_diagnosis(mode) if mode["diagnosed"] else None,
        quarantined=mode["quarantined"],
    )


def _evidence(mode: dict[str, Any]) -> Evidence:
    said = mode["evidence"]
    return Evidence(
        said["phase"],
        mode["exception"],
        mode["message"],
        Place.read(mode["where"], said["function"]),
        said["traceback"],
        tuple((section["title"], section["text"]) for section in _list(said["sections"])),
        said["stacks"],
        said["note"],
        said["kind"],
        said["statement"],
    )


def _diagnosis(mode: dict[str, Any]) -> Diagnosis:
    return Diagnosis(
        causes=tuple(_cause(cause) for cause in _list(mode["causes"])),
        tried=_experiments(mode["experiments"]),
        places=tuple(_list(mode["places"])),
        parting=_parting(mode["parting"]) if mode.get("parting") is not None else None,
        meeting=_meeting(mode["meeting"]) if mode.get("meeting") is not None else None,
        runs=mode["spent"],
        seconds=mode.get("seconds", 0.0),
        ours=mode["ours"],
        note=mode["note"],
        unfinished=mode.get("unfinished", False),
        verified=_count_or_none(mode["verified"]),
        control=_count_or_none(mode["control"]),
        also=tuple(_also(one) for one in _list(mode.get("also", []))),
    )


def _parting(said: dict[str, Any]) -> Parting:
    first = said["first"]
    return Parting(
        _spot(said["at"]), said["failing"], said["passing"], None if first is None else _spot(first), said["cut"]
    )


def _meeting(said: dict[str, Any]) -> Meeting:
    return Meeting(tuple(_stop(stop) for stop in _list(said["stops"])), said["exact"])


def _stop(said: dict[str, Any]) -> Stop:
    places = (said.get(name, "") for name in ("where", "until", "before"))
    where, until, before = (Place.read(place) if place else Place("", 0) for place in places)
    why = None if said["why"] is None else Why(said["why"])
    held = tuple((one["thread"], Place.read(one["where"])) for one in _list(said.get("held", [])))
    said_first = said["thread"], where, said["text"], said["within"]
    return Stop(*said_first, said["other"], until, said["until_text"], why, before, said.get("freed", False), held)


def _spot(said: dict[str, Any]) -> Spot:
    where = Place.read(said["where"], said["function"])
    return Spot(where, said["text"], tuple(_list(said["failing"])), tuple(_list(said["passing"])))


def _also(found: dict[str, Any]) -> Diagnosis:
    return Diagnosis(
        causes=tuple(_cause(cause) for cause in _list(found["causes"])),
        tried=_experiments(found["experiments"]),
        places=tuple(_list(found["places"])),
        note=found["note"],
        plan=found["plan"],
        repro=found["repro"],
        verified=_count_or_none(found.get("verified")),
        control=_count_or_none(found.get("control")),
    )


def _experiments(rows: list[dict[str, Any]]) -> tuple[Condition, ...]:
    return tuple(Condition(row["condition"], _count(row), row["decisive"]) for row in _list(rows))


def _cause(cause: dict[str, Any]) -> Cause:
    return Cause(
        cause["perturbation"],
        cause["setting"],
        cause["sentence"],
        _count(cause["with"]),
        _count(cause["without"]),
        cause["p_value"],
        tuple(_list(cause["polluters"])),
        tuple(_list(cause["setters"])),
        tuple(_list(cause["cleaners"])),
        tuple(_list(cause["changes"])),
    )


def _left(leak: dict[str, Any]) -> Left:
    found = Leak(
        LeakKind(leak["kind"]),
        leak["what"],
        leak["owner"],
        Place.read(leak["owner_at"], leak["owner_function"]),
        Place.read(leak["started_at"], leak["started_function"]) if leak["started_at"] else None,
        leak["now"],
    )
    suspects = tuple(_suspect(suspect) for suspect in _list(leak["suspects"]))
    total = Count(leak["runs"], leak["leaked"])
    return Left(found, total, _interval(leak["rate"]), suspects, tuple(_list(leak["victims"])))


def _suspect(suspect: dict[str, Any]) -> Suspect:
    return Suspect(
        suspect["perturbation"],
        suspect["setting"],
        _count(suspect["with"]),
        _count(suspect["without"]),
        suspect["p_value"],
    )


def _count(said: dict[str, Any]) -> Count:
    return Count(said["runs"], said["failures"])


def _count_or_none(said: dict[str, Any] | None) -> Count | None:
    return None if said is None else _count(said)


def _interval(said: dict[str, Any]) -> Interval:
    return Interval(said["low"], said["high"])


def _list(said: Any) -> list[Any]:
    """Refuse what can be gone through, and is no list: a text would be taken for its letters."""
    if not isinstance(said, list):
        raise TypeError(f"{str(said)[:60]!r} is no list")
    return said
