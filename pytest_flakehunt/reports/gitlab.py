"""A code quality report, which GitLab shows beside the changed lines of a merge request."""

import json
from typing import Any

from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports import remarks
from pytest_flakehunt.reports.remarks import Level, Remark
from pytest_flakehunt.reports.words import digest_of

SEVERITIES = {Level.ERROR: "major", Level.WARNING: "minor", Level.NOTICE: "info"}
"""GitLab knows info, minor, major, critical and blocker, and no others."""


def text(findings: Findings) -> str:
    """Give the report of a hunt."""
    return written(remarks.of_hunt(findings))


def written(remarked: list[Remark]) -> str:
    """Give the report; entries with equal fingerprints would hide each other, and so there are none."""
    entries: dict[str, dict[str, Any]] = {}
    for remark in remarked:
        fingerprint = digest_of(remark.kind, remark.nodeid, remark.subject)
        entries.setdefault(fingerprint, _entry(remark, fingerprint))
    return json.dumps(list(entries.values()), indent=1) + "\n"


def _entry(remark: Remark, fingerprint: str) -> dict[str, Any]:
    return {
        "description": f"{remark.title}: {'; '.join(remark.lines)}",
        "check_name": f"flakehunt-{remark.kind}",
        "fingerprint": fingerprint,
        "severity": SEVERITIES[remark.level],
        "location": {"path": remark.place.file, "lines": {"begin": max(1, remark.place.line)}},
    }
