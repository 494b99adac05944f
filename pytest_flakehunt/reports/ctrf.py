"""The Common Test Report Format: what is flaky, how often, and one attempt for each way to fail."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from pytest_flakehunt.model import Cause, Finding, Findings, Mode, Place, Verdict
from pytest_flakehunt.reports import remarks
from pytest_flakehunt.reports.junit import named

VERSION = "1.0.0"


def text(findings: Findings) -> str:
    """Give the report."""
    trial = findings.trial
    tests = [_test(finding, trial.folder) for finding in findings.tests]
    statuses = [test["status"] for test in tests]
    start = round(datetime.fromisoformat(trial.started).timestamp() * 1000)
    flaky = sum(test["flaky"] for test in tests)
    document = {
        "reportFormat": "CTRF",
        "specVersion": VERSION,
        **({"runId": str(UUID(trial.uid))} if trial.uid else {}),
        "timestamp": trial.started,
        "generatedBy": "pytest-flakehunt",
        "results": {
            "tool": {"name": "pytest-flakehunt", "extra": {"pytest": trial.pytest, "python": trial.python}},
            "summary": {
                "tests": len(tests),
                **{status: statuses.count(status) for status in ("passed", "failed", "skipped", "pending", "other")},
                "flaky": flaky,
                "start": start,
                "stop": start + round(trial.seconds * 1000),
            },
            "tests": tests,
            "environment": {
                "osPlatform": trial.platform,
                **({"commit": trial.revision} if trial.revision else {}),
                "extra": {
                    "seed": trial.seed,
                    "sweeps": trial.sweeps,
                    "perturbations": list(trial.perturbations),
                    "stoodDown": list(trial.stood_down),
                },
            },
        },
        **({"insights": {"flakyRate": {"current": round(flaky / len(tests), 6)}}} if tests else {}),
    }
    return json.dumps(document, indent=1) + "\n"


def _test(finding: Finding, folder: str) -> dict[str, Any]:
    place = remarks.placed(Place(finding.file, finding.line), folder)
    suite, name = named(finding.nodeid)
    failing = finding.verdict in {Verdict.FLAKY, Verdict.FRAGILE}
    test: dict[str, Any] = {
        "name": name,
        "status": _status(finding),
        "duration": round(finding.seconds * 1000),
        "suite": [suite or "tests"],
        "rawStatus": finding.verdict.value,
        "filePath": place.file,
        "flaky": failing and not finding.excuse,
        "extra": {
            "nodeid": finding.nodeid,
            "verdict": finding.verdict.value,
            "quarantined": finding.quarantined,
            "runs": finding.total.runs,
            "failures": finding.total.failures,
            "calm": {"runs": finding.calm.runs, "failures": finding.calm.failures},
            "modes": [_extra(finding, mode) for mode in finding.modes],
        },
    }
    if place.line:
        test["line"] = place.line
    if finding.modes:
        first = finding.modes[0].evidence
        test["message"], test["trace"] = first.message, first.traceback
        test["tags"] = sorted({cause.perturbation for mode in finding.modes for cause in _causes(mode)}) or ["unknown"]
    if failing:
        attempts = [{"attempt": 1, "status": "passed"}]
        attempts += [_attempt(place_, mode) for place_, mode in enumerate(finding.modes, 2)]
        test |= {"retries": len(attempts), "retryAttempts": attempts}
    if finding.total.runs:
        share = round(finding.total.failures / finding.total.runs, 6)
        test["insights"] = {
            ("flakyRate" if failing else "failRate"): {"current": share},
            "executedInRuns": finding.total.runs,
        }
    return test


def _status(finding: Finding) -> str:
    if (finding.excuse and finding.modes) or not finding.total.runs:
        return "skipped"
    return "failed" if finding.verdict is Verdict.BROKEN else "passed"


def _attempt(number: int, mode: Mode) -> dict[str, Any]:
    evidence = mode.evidence
    attempt = {
        "attempt": number,
        "status": "failed",
        "message": evidence.message,
        "trace": evidence.traceback,
        "stdout": [line for _, text in evidence.sections for line in text.splitlines()],
        "extra": {"exception": evidence.exception, "where": str(evidence.where), "failures": mode.failures},
    }
    return attempt | ({"line": evidence.where.line} if evidence.where.line else {})


def _causes(mode: Mode) -> tuple[Cause, ...]:
    return mode.diagnosis.causes if mode.diagnosis is not None else ()


def _extra(finding: Finding, mode: Mode) -> dict[str, Any]:
    return {
        "fingerprint": mode.fingerprint,
        "cause": remarks.sentence(finding, mode),
        "plan": mode.plan,
        "repro": mode.command,
    }
