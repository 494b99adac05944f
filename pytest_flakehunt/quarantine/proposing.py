"""Entries for what a hunt has found: to be written into the file, or shown to be pasted there."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from pytest_flakehunt.model import (
    Contract,
    Count,
    Diagnosis,
    Entry,
    Excusing,
    Failure,
    Finding,
    Findings,
    Limits,
    Mode,
    Quarantine,
    Verdict,
)
from pytest_flakehunt.quarantine import node_ids
from pytest_flakehunt.quarantine.matching import UNKNOWN, returned
from pytest_flakehunt.quarantine.owners import owner_of
from pytest_flakehunt.quarantine.sources import body_of

USUAL_DAYS = 14
"""From ``added`` to ``expires``, unless the file allows less."""


@dataclass(slots=True)
class Proposal:
    """What could go into the file, and what not, with the reason."""

    entries: dict[str, Entry] = field(default_factory=dict)
    """By the node id that the hunt has."""
    notes: list[str] = field(default_factory=list)


def proposed(findings: Findings, quarantine: Quarantine, root: Path, folder: Path, today: date) -> Proposal:
    """Give entries for flaky and fragile tests that have none; those that are there are left as they are.

    Args:
        findings: of a hunt.
        quarantine: what the file says.
        root: pytest's root directory.
        folder: of the configuration, which entries' node ids begin from.
        today: in UTC.
    """
    proposal = Proposal()
    together = {
        member: group.sentence for group in findings.groups if len({nodeid for nodeid, _ in group.members}) > 1
        for member in group.members
    }  # fmt: skip
    expires = last_day(quarantine.limits, today)
    for finding in findings.tests:
        test = node_ids.rebased(finding.nodeid, root, folder)
        back = {
            fingerprint: item
            for item in quarantine.released
            if node_ids.fits(item.test, test)
            for fingerprint in item.fingerprints
        }
        found = [mode for mode in finding.modes if _eligible(finding, mode)]
        modes = [mode for mode in found if mode.fingerprint not in back]
        proposal.notes += [
            f"{test} is not added: {returned(back[mode.fingerprint])}" for mode in found if mode not in modes
        ]
        there = [entry for entry in quarantine.entries if node_ids.fits(entry.test, test)]
        if there:
            proposal.notes += _new_failures(test, modes, there)
        elif modes:
            alike = [mode for mode in modes if _cause(mode) == _cause(modes[0]) and mode.plan == modes[0].plan]
            proposal.notes += (
                f"{test}: {_failure(mode)} is not in its entry, as it fails otherwise: {_cause(mode) or mode.plan}"
                for mode in modes
                if mode not in alike
            )
            entry = _entry(finding, alike, root, folder)
            sentence = together.get((finding.nodeid, alike[0].fingerprint), "")
            proposal.entries[finding.nodeid] = _dated(entry, test, sentence, today, expires, folder)
    room = max(0, quarantine.limits.max_entries - len(quarantine.entries))
    if len(proposal.entries) > room:
        left = [proposal.entries.pop(nodeid).test for nodeid in [*proposal.entries][room:]]
        proposal.notes.append(f"not added, as max_entries allows {quarantine.limits.max_entries}: {', '.join(left)}")
    return proposal


def last_day(limits: Limits, today: date) -> date:
    """Give the last day of an entry that is added now."""
    return today + timedelta(days=min(USUAL_DAYS, limits.max_days))


def _eligible(finding: Finding, mode: Mode) -> bool:
    """Tell whether a mode may be excused: the test is not broken, and has passed where the cause was taken away."""
    if finding.verdict not in {Verdict.FLAKY, Verdict.FRAGILE} or mode.contract is Contract.STRESS:
        return False
    if mode.evidence.phase != "process" and " " not in mode.evidence.statement:
        return False  # which statement failed cannot be told, and so it would not be excused
    found = mode.diagnosis
    without = [] if found is None else [cause.absent for cause in found.causes]
    if found is not None and found.control is not None:
        without.append(found.control)
    return all(count.failures < count.runs for count in without or [finding.calm])


def _new_failures(test: str, modes: Iterable[Mode], entries: Sequence[Entry]) -> Iterator[str]:
    for mode in modes:
        if not any(mode.fingerprint in entry.fingerprints for entry in entries):
            yield (
                f"{test} is quarantined already, and {_failure(mode)} is new: look at it; to excuse it as well, add "
                f'"{mode.fingerprint}" to the fingerprints of its entry'
            )


def _entry(finding: Finding, modes: Sequence[Mode], root: Path, folder: Path) -> Entry:
    first = modes[0]
    found = first.diagnosis or Diagnosis()
    ends = any(mode.evidence.phase == "process" for mode in modes)
    return Entry(
        test="",
        added=date.min,
        expires=date.min,
        fingerprints=tuple(mode.fingerprint for mode in modes),
        at=tuple(dict.fromkeys(_failure(mode) for mode in modes if mode.evidence.phase != "process")),
        cause=_cause(first) or UNKNOWN,
        plan=str(found.setup.plan) if found.setup is not None else "" if first.calm_failures else first.plan,
        after=tuple(node_ids.rebased(test, root, folder) for test in (found.setup.before if found.setup else ())),
        seen=_seen(finding, first, found),
        repro="" if found.verified is not None and not found.verified.failures else first.command,
        mode=Excusing.SKIP if ends else Excusing.RUN,
    )


def _dated(entry: Entry, test: str, sentence: str, today: date, expires: date, folder: Path) -> Entry:
    name = f"{entry.cause.partition(':')[0]}-{hashlib.blake2b(sentence.encode(), digest_size=3).hexdigest()}"
    return replace(
        entry,
        test=node_ids.escaped(test),
        owner=owner_of(folder / test.partition("::")[0]),
        added=today,
        expires=expires,
        body=body_of(folder, test),
        together=name if sentence else "",
    )


def _seen(finding: Finding, mode: Mode, found: Diagnosis) -> Count:
    """Give how often it failed under the plan of its entry."""
    counts = [count for count in (found.verified, *(cause.present for cause in found.causes[:1])) if count is not None]
    counts = [count for count in counts if count.failures]
    if counts:
        return max(counts, key=lambda count: count.runs)
    return Count(finding.calm.runs, mode.calm_failures) if mode.calm_failures else Count()


def _cause(mode: Mode) -> str:
    causes = mode.diagnosis.causes if mode.diagnosis is not None else ()
    return "; ".join(f"{cause.perturbation}: it {cause.sentence}" for cause in causes)


def _failure(mode: Mode) -> str:
    evidence = mode.evidence
    if evidence.phase == "process":
        return f"{evidence.exception} at {evidence.where}"
    return str(Failure(evidence.phase, evidence.kind, evidence.statement, evidence.message))
