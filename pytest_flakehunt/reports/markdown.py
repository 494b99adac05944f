"""The summary in Markdown: what to do first, a row a finding, commands to copy, evidence folded away."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_flakehunt.analysis.naming import FIXES
from pytest_flakehunt.model import Condition, Diagnosis, Finding, Findings, Suspect, Verdict, anywhere
from pytest_flakehunt.reports import partings, remarks
from pytest_flakehunt.reports.words import bound, clean, number

LIMIT = 1_000_000
"""Bytes that a summary may have: GitHub loses all of one over 1,024 KiB, Buildkite takes 1 MiB."""
ROOM = 500
"""Bytes kept for saying what was left out."""
FIRST = 3
MOST_EVIDENCE = 20_000
"""Characters of a traceback that are shown."""
PUNCTUATION = re.compile(r"([\\`*_{}\[\]|~$]|^[#+\-=])|^(\d+)(?=[.)])")
ENTITIES = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "@": "&#64;", "://": "&#58;//", "www.": "www&#46;",
}  # fmt: skip
"""What would be HTML, or be made a link or a mention."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of the summary."""

    worth: int
    """0 is never left out; of the others, higher ones are left out first."""
    text: str
    what: str = ""
    """What is missing without it."""


def summary(findings: Findings, limit: int = LIMIT) -> str:
    """Give the summary.

    Args:
        findings: what to say.
        limit: bytes that it may have; the least telling is left out, and that is said.
    """
    return fitted(list(_pieces(findings)), limit)


def fitted(pieces: Sequence[Piece], limit: int) -> str:
    """Join as many pieces as there is room for, in order; what is left out is said last."""
    left = limit - ROOM
    taken: set[int] = set()
    for place in sorted(range(len(pieces)), key=lambda place: pieces[place].worth):
        size = len(pieces[place].text.encode("utf-8"))
        if size <= left:
            taken.add(place)
            left -= size
    missing: dict[str, int] = {}
    for place, piece in enumerate(pieces):
        if place not in taken:
            missing[piece.what or "part"] = missing.get(piece.what or "part", 0) + 1
    text = "".join(pieces[place].text for place in sorted(taken))
    if missing:
        said = ", ".join(number(count, what) for what, count in missing.items())
        text += f"\n*Left out, as there is no more room: {said}. The ledger and the JSON report have all.*\n"
    return text


def _pieces(findings: Findings) -> Iterator[Piece]:
    trial = findings.trial
    ranked = sorted(
        (finding for finding in findings.tests if finding.modes and not finding.excuse),
        key=lambda one: (not one.fails_on(trial.fail_on), remarks.VERDICTS.index(one.verdict), -one.rate.low),
    )
    counting = sum(finding.fails_on(trial.fail_on) for finding in ranked)
    said = f"{number(counting, 'finding')} that count" + "s" * (counting == 1) if ranked else "nothing that counts"
    yield Piece(0, f"## flakehunt: {said}\n\n{escaped(remarks.summary(findings))}\n")
    if ranked:
        yield Piece(0, "\n### What to do first\n\n")
        for place, text in enumerate(_first(findings, ranked), 1):
            yield Piece(place, text, "first step")
        yield from _table(ranked)
        yield Piece(0, "\n")
        for place, finding in enumerate(ranked):
            yield Piece(10_000 + place, _details(finding), "finding's evidence")
    yield from _rest(findings)


def _first(findings: Findings, ranked: Sequence[Finding]) -> Iterator[str]:
    """Yield what to do about the causes that cost most: those of many tests, and of those that fail often."""
    group_of = {nodeid: place for place, group in enumerate(findings.groups) for nodeid, _ in group.members}
    together: dict[object, list[Finding]] = {}
    for finding in ranked:
        together.setdefault(group_of.get(finding.nodeid, finding.nodeid), []).append(finding)
    most = sorted(together.values(), key=lambda some: -sum(one.rate.low for one in some))
    for place, some in enumerate(most[:FIRST], 1):
        finding = some[0]
        mode = finding.telling
        more = f" and {number(len(some) - 1, 'other test')}" if len(some) > 1 else ""
        causes = mode.diagnosis.causes if mode.diagnosis is not None else ()
        fix = FIXES.get(causes[0].perturbation, "") if causes else ""
        yield f"{place}. {code(finding.nodeid)}{more}: {_inline(remarks.sentence(finding, mode), 600)}\n"
        if fix:
            yield f"   Usual fix: {escaped(fix)}.\n"
        if mode.command:
            yield block(mode.command, "sh", indent="   ")


def _table(ranked: Sequence[Finding]) -> Iterator[Piece]:
    head = "\n### Findings\n\n| verdict | test | fails | cause |\n|---|---|---|---|\n"
    yield Piece(0, head)
    for place, finding in enumerate(ranked):
        mode = finding.telling
        cells = (
            finding.verdict.value,
            code(finding.nodeid, table=True),
            f"{finding.total.failures} of {finding.total.runs}, calm {finding.calm.failures} of {finding.calm.runs}",
            _inline(remarks.sentence(finding, mode), 300),
        )
        yield Piece(10 + place, f"| {' | '.join(cells)} |\n", "finding")


def _verified(found: Diagnosis) -> str:
    if found.verified is None:
        return ""
    without = f"; without the cause {_share(found.control)}" if found.control is not None else ""
    exactly = partings.exactly(found)
    return f"verified: fails {_share(found.verified)}{without}{f'; {exactly}' if exactly else ''}\n\n"


def _details(finding: Finding) -> str:
    parts = [f"<details><summary>{html(f'{finding.verdict}: {finding.nodeid}')}</summary>\n\n"]
    parts.append(f"{escaped(remarks.often(finding))}\n\n")
    for mode in finding.modes:
        evidence = mode.evidence
        parts.append(f"{code(evidence.exception)} at {code(str(evidence.where))} in {escaped(evidence.phase)}")
        parts.append(f", {number(mode.failures, 'failure')}\n\n{escaped(remarks.sentence(finding, mode)[:2000])}\n\n")
        found = mode.diagnosis
        if found is not None:
            parts += [f"- {_inline(place, 400)}\n" for place in found.places]
            parts += [f"- {_inline(said, 1000)}\n" for said in partings.sentences(found.parting)]
            parts.append(experiments(found.tried))
            for another in found.also:
                parts += [f"- {_inline(place, 400)}\n" for place in another.places]
                parts.append(experiments(another.tried))
                parts.append(block(anywhere(another.repro), "sh") if another.repro else "")
                parts.append(_verified(another))
        if found is None or not found.causes:
            parts.append(_suspects(mode.suspects))
        if mode.command:
            parts.append(block(mode.command, "sh"))
        if found is not None:
            parts.append(_verified(found))
        parts.append(block((evidence.traceback or evidence.message)[-MOST_EVIDENCE:], "text"))
        if evidence.stacks:
            parts.append(block(evidence.stacks[-MOST_EVIDENCE:], "text"))
    parts += [f"- {_inline(note, 600)}\n" for note in finding.notes]
    return "".join([*parts, "\n</details>\n\n"])


def listed(remarked: Iterable[remarks.Remark], limit: int = LIMIT) -> str:
    """Give remarks as a list, for an ordinary run."""
    pieces = [Piece(0, "## flakehunt\n\n")]
    pieces += [
        Piece(place, f"- {_inline(f'{one.title}: {one.text}', 2000)}\n", "remark")
        for place, one in enumerate(remarked, 1)
    ]
    return fitted(pieces, limit)


def _share(count: tuple[int, int]) -> str:
    runs, failures = count
    return f"{failures}/{runs}"


def experiments(rows: Iterable[Condition]) -> str:
    """Give runs and failures of the experiments that a cause rests on, as a table."""
    cells = [(row.what, str(row.count.runs), str(row.count.failures)) for row in rows if row.decisive]
    return _rows(("experiment", "runs", "failed"), cells)


def _suspects(suspects: Iterable[Suspect]) -> str:
    cells = [
        (
            f"{suspect.perturbation}{'=' * bool(suspect.setting)}{suspect.setting}",
            f"{suspect.present.failures} of {suspect.present.runs}",
            f"{suspect.absent.failures} of {suspect.absent.runs}",
            f"{suspect.p_value:.2g}",
        )
        for suspect in suspects
    ]
    return _rows(("suspect", "failed with", "without", "p"), cells)


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(_inline(cell, 300) for cell in row)} |" for row in rows]
    return "\n" + "\n".join(lines) + "\n\n"


def _rest(findings: Findings) -> Iterator[Piece]:
    """Say what else there is: the known, the left behind, the steady with what that is worth, and notes."""
    aside = [finding for finding in findings.tests if finding.modes and finding.company and not finding.quarantined]
    lines = [f"- {code(one.nodeid)}: {one.verdict}: {_inline(remarks.often(one), 300)}\n" for one in aside]
    yield from _listed("Beside what changed, and not shown to be its doing", lines, "test beside it")
    excused = [finding for finding in findings.tests if finding.quarantined]
    lines = [f"- {code(one.nodeid)}: {_inline(one.modes[0].quarantined, 300)}\n" for one in excused]
    lines += [
        f"- ready for release? {code(ready.nodeid)}: not seen failing in {number(ready.runs, 'attempt')}\n"
        for ready in findings.ready
    ]
    yield from _listed("Quarantined", lines, "quarantined test")
    left = [(finding, left) for finding in findings.tests for left in finding.leaks]
    lines = []
    for some in remarks.alike(left):
        finding, one = some[0]
        more = f" and {number(len(some) - 1, 'other test')}" if len(some) > 1 else ""
        from_ = f", from {code(str(one.leak.started_at))}" if one.leak.started_at is not None else ""
        hurts = f", hurts {', '.join(map(code, one.victims))}" if one.victims else ""
        lines.append(f"- {_inline(remarks.leaked(one.leak), 300)}, by {code(finding.nodeid)}{more}{from_}{hurts}\n")
    yield from _listed("Left behind", lines, "leak")
    steady = [one for one in findings.tests if one.verdict is Verdict.STEADY and not one.company and one.total.runs]
    if steady:
        loosest = min(steady, key=lambda finding: finding.total.runs or 10**9)
        text = f"{number(len(steady), 'test')} never failed: {bound(loosest.total, loosest.rate)}"
        yield Piece(0, f"\n{escaped(text)}\n")
    if said := remarks.excluded(findings):
        yield Piece(0, f"\n{escaped(said)}\n")
    told = filter(None, (remarks.seeds(findings.trial), remarks.spent(findings.trial)))
    lines = [f"- {_inline(reason, 300)}\n" for reason in (*told, *findings.trial.stood_down)]
    lines += [
        f"- outage: sweep {outage.sweep} ({_inline(outage.plan or 'calm', 200)}) set aside: {outage.total.failures} of "
        f"{outage.total.runs} tests failed\n"
        for outage in findings.outages
    ]
    lines += [f"- {_inline(note, 600)}\n" for note in findings.notes]
    yield from _listed("Notes", lines, "note")


def _listed(title: str, lines: Sequence[str], what: str) -> Iterator[Piece]:
    if lines:
        yield Piece(5_000, f"\n### {title}\n\n", "heading")
    for place, line in enumerate(lines):
        yield Piece(5_001 + place, line, what)


def block(text: str, language: str, indent: str = "") -> str:
    """Give a text as a block of code that no text can end."""
    lines = clean(text).split("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return "\n" + "".join(f"{indent}{line}\n" for line in (f"{fence}{language}", *lines, fence)) + "\n"


def code(text: str, *, table: bool = False) -> str:
    """Give a text as code within a line."""
    line = " ".join(clean(text).split("\n")).strip() or " "
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    gap = " " if line[0] == "`" or line[-1] == "`" else ""
    written = f"{fence}{gap}{line}{gap}{fence}"
    return written.replace("|", "\\|") if table else written


def html(text: str) -> str:
    """Give a text as it stands within HTML."""
    line = " ".join(clean(text).split("\n"))
    for plain, written in ENTITIES.items():
        line = line.replace(plain, written)
    return line


def _inline(text: str, longest: int) -> str:
    """Give a text as one line in which nothing means anything."""
    line = " ".join(clean(text).split("\n"))
    return escaped(line if len(line) <= longest else f"{line[: longest - 1]}…")


def escaped(text: str) -> str:
    """Give a text in which nothing means anything."""
    return PUNCTUATION.sub(lambda match: f"{match[2]}\\" if match[2] else f"\\{match[1]}", html(text))
