"""What an HTML page tells of each cause: findings that share one stand on one card, the most costly first."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_flakehunt.analysis.naming import FIXES
from pytest_flakehunt.model import Cause, Diagnosis, Entry, Finding, Findings, Mode, Outcome, Verdict, anywhere
from pytest_flakehunt.reports import markdown, remarks, rulers
from pytest_flakehunt.reports.words import number

SIGNS = {Verdict.FLAKY: "◐", Verdict.FRAGILE: "◇", Verdict.BROKEN: "✕", Verdict.STEADY: "✓"}
"""What stands for a verdict beside its colour."""
MOST_MEMBERS = 50
"""Other tests that a card lists."""


@dataclass(frozen=True, slots=True)
class Member:
    """One way in which one test fails."""

    finding: Finding
    mode: Mode

    @property
    def excuse(self) -> str:
        """Why it does not count; empty where it may."""
        return f"quarantined {self.mode.quarantined}" if self.mode.quarantined else self.finding.excuse

    @property
    def share(self) -> float:
        """How often the test fails in this way."""
        return self.mode.failures / max(1, self.finding.total.runs)

    @property
    def cause(self) -> str:
        """The perturbation that makes it fail; ``unknown`` where none was shown to."""
        if self.finding.verdict is Verdict.BROKEN:
            return "broken"
        causes = self.mode.diagnosis.causes if self.mode.diagnosis is not None else ()
        return " and ".join(dict.fromkeys(cause.perturbation for cause in causes)) or "unknown"


@dataclass(frozen=True, slots=True)
class Card:
    """What has one cause."""

    members: tuple[Member, ...]
    """The first is told in full."""
    counts: bool
    """Whether it makes the exit status 1."""

    @property
    def lead(self) -> Member:
        """What is told in full."""
        return self.members[0]

    @property
    def excused(self) -> bool:
        """Whether nothing of it may count."""
        return all(member.excuse for member in self.members)

    @property
    def cost(self) -> float:
        """Failures in one sweep, on the mean."""
        return sum(member.share for member in self.members)


def cards(findings: Findings) -> list[Card]:
    """Give a card for each cause: those that count first, and of these the most costly."""
    group_of = {member: place for place, group in enumerate(findings.groups) for member in group.members}
    fail_on = findings.trial.fail_on
    together: dict[tuple[object, bool], list[Member]] = {}
    for finding in findings.tests:
        for mode in finding.modes:
            member = Member(finding, mode)
            alone = finding.nodeid, remarks.sentence(finding, mode) if member.cause != "unknown" else ""
            key = group_of.get((finding.nodeid, mode.fingerprint), alone)
            together.setdefault((key, bool(member.excuse)), []).append(member)
    first = {group.members[0] for group in findings.groups}
    made = []
    for some in together.values():
        some.sort(key=lambda one: ((one.finding.nodeid, one.mode.fingerprint) not in first, -one.share))
        made.append(Card(tuple(some), any(one.finding.fails_on(fail_on) and not one.excuse for one in some)))
    return sorted(made, key=lambda card: (card.excused, not card.counts, -card.cost))


def told(card: Card, findings: Findings) -> dict[str, Any]:
    """Give what a page shows of a card."""
    finding, mode = card.lead.finding, card.lead.mode
    found = mode.diagnosis or Diagnosis()
    tests = list(dict.fromkeys(member.finding.nodeid for member in card.members))
    return {
        "finding": finding,
        "mode": mode,
        "sign": SIGNS[finding.verdict],
        "cause": card.lead.cause,
        "counts": card.counts,
        "excuse": card.lead.excuse,
        "sentence": remarks.sentence(finding, mode),
        "found": found,
        "fix": _fix(found),
        "chains": [chain for cause in found.causes if (chain := _chain(cause, finding))],
        "ending": mode.outcome in {Outcome.HUNG, Outcome.CRASHED},
        "statement": _statement(mode),
        "also": [(one, _fix(one), anywhere(one.repro)) for one in found.also],
        "without": anywhere(mode.without),
        "entries": len(entries(card)),
        "quarantine": f"flakehunt quarantine add {shlex.quote(finding.nodeid)}",
        "others": card.members[1 : MOST_MEMBERS + 1],
        "more": len(card.members) - 1 - MOST_MEMBERS,
        "tests": len(tests),
        "dates": rulers.dates(findings, finding, mode),
        "ruler": rulers.ruler(findings, finding, mode) if rulers.named(found, "clock") else None,
        "doses": [
            (cause.perturbation, rows)
            for cause in found.causes
            if (rows := rulers.doses(findings, finding, mode, cause.perturbation))
        ],
    }


def _fix(found: Diagnosis) -> str:
    return FIXES.get(found.causes[0].perturbation, "") if found.causes else ""


def _statement(mode: Mode) -> str:
    """Give the failing statement, without the file and the function that stand before it."""
    _, _, statement = mode.evidence.statement.partition(" ")
    return statement


def _chain(cause: Cause, finding: Finding) -> list[tuple[str, str]]:
    """Give the steps from the test that changes something to the one that fails: what each is, and its name."""
    before = cause.polluters or cause.setters
    if not before:
        return []
    brittle = not cause.polluters
    steps = [("setter" if brittle else "polluter", nodeid) for nodeid in before]
    steps += [("changed state", _short(change, before)) for change in cause.changes]
    steps += [("cleaner, undoes it", nodeid) for nodeid in cause.cleaners]
    return [*steps, ("brittle: fails without that" if brittle else "victim: fails after that", finding.nodeid)]


def _short(change: str, before: Sequence[str]) -> str:
    """Leave out of a change who made it, where that stands beside it."""
    return next((change[len(nodeid) :].strip() for nodeid in before if change.startswith(f"{nodeid} ")), change)


def issue(card: Card) -> str:
    """Give the text of an issue, in Markdown; the traceback comes after it."""
    finding, mode = card.lead.finding, card.lead.mode
    found = mode.diagnosis or Diagnosis()
    evidence = mode.evidence
    parts = [
        f"**{finding.verdict}**: {markdown.code(finding.nodeid)}\n\n",
        f"{markdown.escaped(remarks.sentence(finding, mode))}\n\n{markdown.escaped(remarks.often(finding))}\n",
        markdown.block(f"{evidence.exception}: {evidence.message}"[:2000], "text"),
        f"at {markdown.code(str(evidence.where))} in {evidence.phase}\n\n",
        *(f"- {markdown.code(place)}\n" for place in found.places),
        markdown.experiments(found.tried),
        "Reproduce:\n" if mode.command else "",
        markdown.block(mode.command, "sh") if mode.command else "",
        f"Usual fix: {markdown.escaped(_fix(found))}.\n" if _fix(found) else "",
    ]
    others = list(dict.fromkeys(one.finding.nodeid for one in card.members[1:]))
    if others := [nodeid for nodeid in others if nodeid != finding.nodeid]:
        parts.append(f"\nSo do {number(len(others), 'other test')}:\n\n")
        parts += [f"- {markdown.code(nodeid)}\n" for nodeid in others[:MOST_MEMBERS]]
    return "".join(parts)


def entries(card: Card) -> list[Entry]:
    """Give what would excuse the tests of a card for it."""
    found = {
        one.finding.nodeid: one.finding.entry
        for one in card.members[: MOST_MEMBERS + 1]
        if one.finding.entry is not None and one.mode.fingerprint in one.finding.entry.fingerprints
    }
    return [*found.values()]


LONG = ("traceback", "stacks")


def evidence(card: Card, report: Mapping[str, Mapping[str, Any]], room: int, size: Callable[[Any], int]) -> Any:
    """Give what a tool that fixes may want to know, as in the JSON report.

    Args:
        card: which.
        report: by node id, what the JSON report says of each test.
        room: characters that there are for it; long texts are left out where they have none.
        size: of a value as it is written.
    """
    said = list(_said(card, report))
    if size(said) > room:
        for one in said[1:]:
            _shorten(one)
    if size(said) > room:
        _shorten(said[0])
    return said


def _said(card: Card, report: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for member in card.members[: MOST_MEMBERS + 1]:
        test = report[member.finding.nodeid]
        mode = next(one for one in test["modes"] if one["fingerprint"] == member.mode.fingerprint)
        kept = {name: test[name] for name in ("nodeid", "file", "line", "verdict", "runs", "failures", "rate", "calm")}
        yield {**kept, "notes": test["notes"], "mode": {**mode, "evidence": dict(mode["evidence"])}}


def _shorten(one: dict[str, Any]) -> None:
    left = one["mode"]["evidence"]
    if any(left[name] for name in (*LONG, "sections")):
        left.update(dict.fromkeys(LONG, ""), sections=[], left_out=True)
