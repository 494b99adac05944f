"""The JSON report, a documented contract: see ``schema.json`` beside this file."""

import json
from typing import Any

from pytest_flakehunt.analysis.naming import FIXES
from pytest_flakehunt.model import (
    Cause,
    Condition,
    Count,
    Diagnosis,
    Entry,
    Evidence,
    Finding,
    Findings,
    Interval,
    Left,
    Meeting,
    Mode,
    Parting,
    Spent,
    Spot,
    Suspect,
    Trial,
)
from pytest_flakehunt.reports import rulers
from pytest_flakehunt.reports.rulers import Dates

SCHEMA = "pytest-flakehunt/1"
MARKS = "-." + "0123456789abcdefghijklmnopqrstuvwxyz+"
"""How each mark of a strip is written."""


def text(findings: Findings) -> str:
    """Give the report as it is written to a file."""
    return json.dumps(report(findings), indent=1) + "\n"


def report(findings: Findings) -> dict[str, Any]:
    """Give the report as JSON values: all that other reports are made of."""
    return {
        "schema": SCHEMA,
        "hunt": _hunt(findings.trial),
        "tests": [test(findings, finding) for finding in findings.tests],
        "groups": [
            {
                "sentence": group.sentence,
                "members": [{"nodeid": nodeid, "fingerprint": fingerprint} for nodeid, fingerprint in group.members],
            }
            for group in findings.groups
        ],
        "outages": [
            {
                "sweep": outage.sweep,
                "plan": outage.plan,
                **_count(outage.total),
                "exception": outage.exception,
                "message": outage.message,
            }
            for outage in findings.outages
        ],
        "ready_for_release": [
            {"nodeid": ready.nodeid, "test": ready.test, "runs": ready.runs} for ready in findings.ready
        ],
        "notes": list(findings.notes),
        "columns": list(findings.columns),
        "sweeps": [
            {"sweep": one.number, "plan": one.plan, "trial": list(one.trial), "zygote": one.zygote}
            for one in findings.sweeps
        ],
    }


def _hunt(trial: Trial) -> dict[str, Any]:
    return {
        "id": trial.uid,
        "seed": trial.seed,
        "asked": trial.asked,
        "sweeps": trial.sweeps,
        "seconds": round(trial.seconds, 3),
        "started": trial.started,
        "python": trial.python,
        "pytest": trial.pytest,
        "platform": trial.platform,
        "revision": trial.revision,
        "folder": trial.folder,
        "zygotes": trial.zygotes,
        "interrupted": trial.interrupted,
        "experiments": trial.experiments,
        "saved": trial.saved,
        "perturbations": list(trial.perturbations),
        "stood_down": list(trial.stood_down),
        "switched_off": list(trial.switched_off),
        "fail_on": list(trial.fail_on),
        "weights": [{"perturbation": name, "weight": weight} for name, weight in trial.weights],
        "spent": [_spent(spent) for spent in trial.spent],
        "at_once": trial.at_once,
        "hashseeds": trial.hashseeds,
        "go_on": trial.go_on,
    }


def _spent(spent: Spent) -> dict[str, Any]:
    counted = {} if spent.cpu is None else {"cpu": round(spent.cpu, 3)}
    return {"what": spent.what, "number": spent.number, "seconds": round(spent.seconds, 3), **counted}


def test(findings: Findings, finding: Finding) -> dict[str, Any]:
    """Give what the report says of one test of a hunt."""
    return {
        "nodeid": finding.nodeid,
        "file": finding.file,
        "line": finding.line,
        "seconds": round(finding.seconds, 6),
        "chosen": finding.chosen,
        "company": finding.company,
        "verdict": finding.verdict.value,
        "contract": finding.contract.value,
        **_count(finding.total),
        "rate": _interval(finding.rate),
        "calm": {**_count(finding.calm), **_interval(finding.calm_rate)},
        "modes": [_mode(mode, rulers.dates(findings, finding, mode)) for mode in finding.modes],
        "leaks": [_left(left) for left in finding.leaks],
        "notes": list(finding.notes),
        "under": " ".join(f"{count.failures}/{count.runs}" for count in finding.under),
        "strip": "".join(MARKS[mark] for mark in finding.strip),
        "owner": finding.owner,
        "quarantine_entry": None if finding.entry is None else _entry(finding.entry),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "test": entry.test,
        "fingerprints": list(entry.fingerprints),
        "at": list(entry.at),
        "cause": entry.cause,
        "plan": entry.plan,
        "after": list(entry.after),
        "seen": _count(entry.seen),
        "owner": entry.owner,
        "added": entry.added.isoformat(),
        "expires": entry.expires.isoformat(),
        "body": entry.body,
        "repro": entry.repro,
        "mode": entry.mode.value,
        "together": entry.together,
    }


def _left(left: Left) -> dict[str, Any]:
    leak = left.leak
    return {
        "kind": leak.kind.value,
        "what": leak.what,
        "owner": leak.owner,
        "owner_at": str(leak.owned_at),
        "owner_function": leak.owned_at.function,
        "started_at": str(leak.started_at) if leak.started_at else "",
        "started_function": leak.started_at.function if leak.started_at else "",
        "now": leak.now,
        "runs": left.total.runs,
        "leaked": left.total.failures,
        "rate": _interval(left.rate),
        "suspects": [_suspect(suspect) for suspect in left.suspects],
        "victims": list(left.victims),
    }


def _mode(mode: Mode, dates: Dates | None) -> dict[str, Any]:
    found = mode.diagnosis or Diagnosis()
    return {
        "fingerprint": mode.fingerprint,
        "outcome": mode.outcome.value,
        "exception": mode.evidence.exception,
        "message": mode.evidence.message,
        "where": str(mode.evidence.where),
        "at": mode.at,
        "quarantined": mode.quarantined,
        "failures": mode.failures,
        "calm_failures": mode.calm_failures,
        "contract": mode.contract.value,
        "diagnosed": mode.diagnosis is not None,
        "causes": [_cause(cause) for cause in found.causes],
        "also": [_also(one) for one in found.also],
        "fix": _fix(found),
        "experiments": [_condition(row) for row in found.tried],
        "spent": found.runs,
        "seconds": round(found.seconds, 1),
        "places": list(found.places),
        "parting": None if found.parting is None else _parting(found.parting),
        "meeting": None if found.meeting is None else _meeting(found.meeting),
        "ours": found.ours,
        "dates": None if dates is None else _dates(dates),
        "note": found.note,
        "unfinished": found.unfinished,
        "suspects": [_suspect(suspect) for suspect in mode.suspects],
        "plan": mode.plan,
        "after": list(mode.after),
        "repro": mode.repro,
        "repro_without": mode.without,
        "verified": _count_or_none(found.verified),
        "control": _count_or_none(found.control),
        "evidence": _evidence(mode.evidence),
    }


def _dates(dates: Dates) -> dict[str, Any]:
    return {"failed": [one.isoformat() for one in dates.failed], "passed": [one.isoformat() for one in dates.passed]}


def _also(found: Diagnosis) -> dict[str, Any]:
    return {
        "causes": [_cause(cause) for cause in found.causes],
        "fix": _fix(found),
        "experiments": [_condition(row) for row in found.tried],
        "places": list(found.places),
        "note": found.note,
        "plan": found.plan,
        "repro": found.repro,
        "verified": _count_or_none(found.verified),
        "control": _count_or_none(found.control),
    }


def _fix(found: Diagnosis) -> str:
    return FIXES.get(found.causes[0].perturbation, "") if found.causes else ""


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "phase": evidence.phase,
        "function": evidence.where.function,
        "traceback": evidence.traceback,
        "sections": [{"title": title, "text": text} for title, text in evidence.sections],
        "stacks": evidence.stacks,
        "note": evidence.note,
        "kind": evidence.kind,
        "statement": evidence.statement,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "perturbation": cause.perturbation,
        "setting": cause.setting,
        "sentence": cause.sentence,
        "with": _count(cause.present),
        "without": _count(cause.absent),
        "p_value": cause.p_value,
        "polluters": list(cause.polluters),
        "setters": list(cause.setters),
        "cleaners": list(cause.cleaners),
        "changes": list(cause.changes),
        "note": "",
    }


def _parting(parting: Parting) -> dict[str, Any]:
    return {
        "at": _spot(parting.at),
        "failing": parting.failing,
        "passing": parting.passing,
        "first": None if parting.first is None else _spot(parting.first),
        "cut": parting.cut,
    }


def _meeting(meeting: Meeting) -> dict[str, Any]:
    return {
        "stops": [
            {
                "thread": stop.thread,
                "where": str(stop.where) if stop.where.line else "",
                "text": stop.text,
                "within": stop.within,
                "other": stop.other,
                "until": str(stop.until) if stop.until.line else "",
                "until_text": stop.until_text,
                "why": None if stop.why is None else stop.why.value,
                "before": str(stop.before) if stop.before.line else "",
                "freed": stop.freed,
                "held": [{"thread": name, "where": str(where)} for name, where in stop.held],
            }
            for stop in meeting.stops
        ],
        "exact": meeting.exact,
    }


def _spot(spot: Spot) -> dict[str, Any]:
    return {
        "where": str(spot.where),
        "function": spot.where.function,
        "text": spot.text,
        "failing": list(spot.failing),
        "passing": list(spot.passing),
    }


def _condition(row: Condition) -> dict[str, Any]:
    return {"condition": row.what, **_count(row.count), "decisive": row.decisive}


def _suspect(suspect: Suspect) -> dict[str, Any]:
    return {
        "perturbation": suspect.perturbation,
        "setting": suspect.setting,
        "with": _count(suspect.present),
        "without": _count(suspect.absent),
        "p_value": suspect.p_value,
    }


def _count(count: Count) -> dict[str, int]:
    return {"runs": count.runs, "failures": count.failures}


def _count_or_none(count: Count | None) -> dict[str, int] | None:
    return None if count is None else _count(count)


def _interval(interval: Interval) -> dict[str, float]:
    return {"low": round(interval.low, 6), "high": round(interval.high, 6)}
