"""What a quarantine file means for the findings of a hunt."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from pytest_flakehunt.model import Entry, Finding, Findings, Mode, Quarantine, Ready, Verdict
from pytest_flakehunt.quarantine import node_ids
from pytest_flakehunt.quarantine.matching import inert, returned
from pytest_flakehunt.quarantine.owners import owner_of


def honoured(findings: Findings, quarantine: Quarantine, root: Path, folder: Path, today: date) -> Findings:
    """Give the findings with known failures marked and owners named, and the tests that may be ready for release.

    Args:
        findings: of a hunt.
        quarantine: what the file says.
        root: pytest's root directory.
        folder: of the configuration, which entries' node ids begin from.
        today: in UTC.
    """
    tests, ready = [], []
    owned = cache(owner_of)
    for finding in findings.tests:
        test = node_ids.rebased(finding.nodeid, root, folder)
        entries = [entry for entry in quarantine.entries if node_ids.fits(entry.test, test)]
        if finding.verdict is Verdict.STEADY and finding.total.runs:
            ready += [Ready(finding.nodeid, entry.test, finding.total.runs) for entry in entries]
        owner = next((entry.owner for entry in entries if entry.owner), "") or owned(root / finding.file)
        tests.append(replace(_marked(finding, test, entries, quarantine, today), owner=owner))
    return replace(findings, tests=tuple(tests), ready=tuple(ready))


def _marked(finding: Finding, test: str, entries: Sequence[Entry], quarantine: Quarantine, today: date) -> Finding:
    modes, notes = [], []
    for mode in finding.modes:
        knowing = [entry for entry in entries if _knows(entry, mode)]
        live = [entry for entry in knowing if not inert(entry, quarantine.limits, today)]
        if live:
            mode = replace(mode, quarantined=live[0].about)  # noqa: PLW2901 - the same mode, marked
        else:
            notes += [f"its quarantine {inert(entry, quarantine.limits, today)}" for entry in knowing]
            notes += [
                returned(item)
                for item in quarantine.released
                if node_ids.fits(item.test, test) and mode.fingerprint in item.fingerprints
            ]
        modes.append(mode)
    if any(mode.quarantined for mode in modes) and not all(mode.quarantined for mode in modes):
        notes.append("it is quarantined, and not for all of these")
    return replace(finding, modes=tuple(modes), notes=(*finding.notes, *dict.fromkeys(notes)))


def _knows(entry: Entry, mode: Mode) -> bool:
    fits = not entry.message or fnmatchcase(mode.evidence.message, entry.message)
    return fits and mode.fingerprint in entry.fingerprints
