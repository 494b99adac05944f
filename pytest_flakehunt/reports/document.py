"""The JSON report, a documented contract: see ``schema.json`` beside this file."""

import json
from pathlib import Path
from typing import Any

from pytest_flakehunt.model import Cause, Condition, Count, Failure, Finding, Findings, Interval, Left, Mode, Suspect

SCHEMA = "pytest-flakehunt/1"


def write(findings: Findings, path: Path) -> None:
    """Write the report to a file, whole or not at all."""
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(report(findings), indent=1) + "\n", "utf-8")
    draft.replace(path)


def report(findings: Findings) -> dict[str, Any]:
    """Give the report as JSON values."""
    trial = findings.trial
    return {
        "schema": SCHEMA,
        "hunt": {
            "seed": trial.seed,
            "asked": trial.asked,
            "sweeps": trial.sweeps,
            "seconds": round(trial.seconds, 3),
            "started": trial.started,
            "python": trial.python,
            "pytest": trial.pytest,
            "platform": trial.platform,
            "revision": trial.revision,
            "zygotes": trial.zygotes,
            "interrupted": trial.interrupted,
            "experiments": trial.experiments,
            "saved": trial.saved,
            "perturbations": list(trial.perturbations),
        },
        "tests": [_test(finding) for finding in findings.tests],
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
    }


def _test(finding: Finding) -> dict[str, Any]:
    return {
        "nodeid": finding.nodeid,
        "file": finding.file,
        "line": finding.line,
        "verdict": finding.verdict.value,
        "contract": finding.contract.value,
        **_count(finding.total),
        "rate": _interval(finding.rate),
        "calm": {**_count(finding.calm), **_interval(finding.calm_rate)},
        "modes": [_mode(mode) for mode in finding.modes],
        "leaks": [_left(left) for left in finding.leaks],
        "notes": list(finding.notes),
    }


def _left(left: Left) -> dict[str, Any]:
    leak = left.leak
    return {
        "kind": leak.kind.value,
        "what": leak.what,
        "owner": leak.owner,
        "owner_at": str(leak.owned_at),
        "started_at": str(leak.started_at) if leak.started_at else "",
        "now": leak.now,
        "runs": left.total.runs,
        "leaked": left.total.failures,
        "rate": _interval(left.rate),
        "suspects": [_suspect(suspect) for suspect in left.suspects],
        "victims": list(left.victims),
    }


def _mode(mode: Mode) -> dict[str, Any]:
    return {
        "fingerprint": mode.fingerprint,
        "outcome": mode.outcome.value,
        "exception": mode.evidence.exception,
        "message": mode.evidence.message,
        "where": str(mode.evidence.where),
        "at": _at(mode),
        "quarantined": mode.quarantined,
        "failures": mode.failures,
        "contract": mode.contract.value,
        "causes": [_cause(cause) for cause in mode.diagnosis.causes] if mode.diagnosis else [],
        "experiments": [] if mode.diagnosis is None else [_condition(row) for row in mode.diagnosis.tried],
        "spent": mode.diagnosis.runs if mode.diagnosis else 0,
        "places": list(mode.diagnosis.places) if mode.diagnosis else [],
        "suspects": [_suspect(suspect) for suspect in mode.suspects],
        "plan": mode.plan,
        "repro": mode.repro,
        "verified": _count_or_none(mode.diagnosis.verified if mode.diagnosis else None),
        "control": _count_or_none(mode.diagnosis.control if mode.diagnosis else None),
    }


def _at(mode: Mode) -> str:
    """Give what the fingerprint is made of, as an entry of the quarantine file has it."""
    evidence = mode.evidence
    return str(Failure(evidence.phase, evidence.kind, evidence.statement, "")) if evidence.kind else ""


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


def _condition(row: Condition) -> dict[str, Any]:
    return {"condition": row.what, **_count(row.count)}


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
