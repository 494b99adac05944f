"""The report on the terminal: what was found, how often, under what, and how to see it again."""

import io
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.text import Text

from pytest_flakehunt.analysis.naming import FIXES
from pytest_flakehunt.model import (
    BESIDE,
    TEST,
    Contract,
    Count,
    Diagnosis,
    Finding,
    Findings,
    Left,
    Mode,
    Verdict,
)
from pytest_flakehunt.reports import cards, partings, remarks, rulers, tables
from pytest_flakehunt.reports.prose import Lines, Prose
from pytest_flakehunt.reports.words import between, bound, clean, harmless, number

STYLES = {
    Verdict.BROKEN: "bold red",
    Verdict.FLAKY: "bold yellow",
    Verdict.FRAGILE: "bold cyan",
    Verdict.STEADY: "green",
}
Piece: TypeAlias = RenderableType | Prose
FEW = 5
"""Findings that need no table of contents."""
MOST_MODES = 3
MOST_LINES = 4
MOST_LEAKS = 10


def show(findings: Findings, reporter: "pytest.TerminalReporter", verbosity: int, ledger: Path) -> None:
    """Write the report where pytest writes.

    Args:
        findings: what to say.
        reporter: pytest's terminal.
        verbosity: below 0 a line per finding; above 0 every steady test, and tracebacks.
        ledger: where to look for more.
    """
    write(parts(findings, verbosity, ledger), reporter)


def write(pieces: Iterable[Piece], reporter: "pytest.TerminalReporter") -> None:
    """Write pieces of a report where pytest writes."""
    width = reporter._tw.fullwidth if reporter.isatty else None  # noqa: SLF001 - as pytest's own plugins ask
    text = rendered(pieces, styled=bool(reporter.hasmarkup), width=width)
    reporter.write_sep("=", "flakehunt")
    reporter.write(text)


def printed(pieces: Iterable[Piece]) -> None:
    """Write pieces of a report to the standard output."""
    seen = sys.stdout.isatty()
    sys.stdout.write(rendered(pieces, styled=seen, width=shutil.get_terminal_size().columns if seen else None))


def rendered(pieces: Iterable[Piece], *, styled: bool = False, width: int | None = None) -> str:
    """Give pieces as text.

    Args:
        pieces: of a report.
        styled: whether with colours.
        width: columns of the terminal, where sentences are wrapped; None where it is not read on one.
    """
    stream = io.StringIO()
    console = _Clean(file=stream, force_terminal=styled, width=1000, highlight=False)
    laid = (piece.within(width) if isinstance(piece, Prose) else piece for piece in pieces)
    console.print(Group(*laid), soft_wrap=True)
    return harmless(stream.getvalue())


class _Clean(Console):
    """Writes no control character but its own, whatever stands in a text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Give what is written."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=clean(segment.text))


def parts(findings: Findings, verbosity: int, ledger: Path) -> Iterator[Piece]:
    """Yield the report piece by piece."""
    yield Prose(Text(remarks.summary(findings)))
    yield from _failing(findings, verbosity)
    yield from _aside(findings, verbosity)
    yield from _quarantined(findings, verbosity)
    yield from _never_failed(findings, verbosity)
    yield from leaks([(finding.nodeid, left) for finding in findings.tests for left in finding.leaks], verbosity)
    for outage in findings.outages:
        yield Text("")
        yield Prose(
            Text(
                f"outage: sweep {outage.sweep} ({outage.plan or 'calm'}) set aside: {outage.total.failures} of "
                f"{outage.total.runs} tests failed that pass when calm; the first with {outage.exception}: "
                f"{clean(outage.message.partition(chr(10))[0])[:200]}"
            )
        )
    for note in findings.notes:
        yield Prose(Text(f"note: {clean(note)}"))
    if verbosity >= 0:
        said = filter(None, (remarks.seeds(findings.trial), remarks.spent(findings.trial)))
        yield from (Prose(Text(one)) for one in said)
        yield Text(f"ledger: {ledger}")
    if findings.trial.go_on:
        yield Text(f"experiments that the budget ended go on with: {clean(findings.trial.go_on)}", overflow="ignore")


def alone(findings: Findings, nodeid: str) -> Iterator[Piece]:
    """Yield all that is said of one test, and what is not excluded of it.

    Args:
        findings: of a hunt that ran it.
        nodeid: of the test.
    """
    finding = next(finding for finding in findings.tests if finding.nodeid == nodeid)
    if finding.verdict is Verdict.STEADY:
        yield from _steady([finding], 1)
    else:
        yield from _finding(findings, finding, 1)
        if finding.excuse:
            yield _said(Text(f"it does not count: {clean(finding.excuse)}"))
    with_it = [name for group in findings.groups for name, _ in group.members if nodeid in dict(group.members)]
    if others := [name for name in dict.fromkeys(with_it) if name != nodeid]:
        yield _said(Text(f"it fails in the same sweeps as {', '.join(map(clean, others))}"))
    if finding.under:
        yield Text("")
        yield from tables.by_trial(findings.columns, finding.under)
    yield from leaks([(nodeid, left) for left in finding.leaks], 1)
    for reason in findings.trial.stood_down:
        yield Text(f"not excluded: {clean(reason)}", style="dim")


def _failing(findings: Findings, verbosity: int) -> Iterator[Piece]:
    """Tell what failed and may count, those findings together that fail in the same sweeps; stress comes last."""
    failing = [f for f in findings.tests if f.verdict is not Verdict.STEADY and not f.quarantined and not f.company]
    stress = [f for f in failing if f.verdict is Verdict.FRAGILE and f.contract is Contract.STRESS]
    followers = _followers(findings)
    told = list(cards.cards(findings))
    if len(failing) > FEW:
        yield Prose(contents(failing, told, len(stress), tried=bool(findings.trial.experiments)))
    for finding in _in_order([f for f in failing if f not in stress], told):
        if finding.nodeid in followers:
            continue
        yield from _finding(findings, finding, verbosity)
        if alike := [nodeid for nodeid, first in followers.items() if first == finding.nodeid]:
            yield _said(Text(f"so do {number(len(alike), 'other test')}: {', '.join(map(clean, _few(alike)))}"))
    if stress:
        yield Text("\nunder stress alone, beyond what Python promises (listed apart, not counted by default):")
        for finding in stress:
            yield from _finding(findings, finding, verbosity)


def _in_order(failing: Iterable[Finding], told: Sequence[cards.Card]) -> list[Finding]:
    """Sort findings as their causes come: those first that count and fail most often."""
    rank: dict[str, int] = {}
    for place, card in enumerate(told):
        for member in card.members:
            rank.setdefault(member.finding.nodeid, place)
    return sorted(failing, key=lambda finding: rank.get(finding.nodeid, len(told)))


def contents(failing: Sequence[Finding], told: Sequence[cards.Card], stress: int, *, tried: bool) -> Text:
    """Say in one line what follows: how many findings of which verdict, and how many causes of each kind.

    Args:
        failing: the findings that are told.
        told: the causes of all findings, as they come.
        stress: how many of the findings fail under stress alone.
        tried: whether any experiment was made.
    """
    names = {finding.nodeid for finding in failing}
    verdicts = Counter(finding.verdict.value for finding in failing)
    leads = [card.lead for card in told if card.lead.finding.nodeid in names]
    unknown = "unknown" if tried else "not looked for"
    causes = Counter(unknown if lead.cause == "unknown" else lead.cause for lead in leads if lead.cause != "broken")
    line = Text(f"{number(len(failing), 'finding')}: ")
    line.append(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()), style="bold")
    if stress:
        line.append(f" ({stress} under stress alone)")
    if causes:
        line.append(f"; causes: {', '.join(f'{name} {count}' for name, count in causes.most_common())}")
    return line


def _aside(findings: Findings, verbosity: int) -> Iterator[Piece]:
    """Say what failed beside what a change touches."""
    aside = [finding for finding in findings.tests if finding.company and finding.modes and not finding.quarantined]
    if aside:
        yield Text("\nbeside what changed, and not shown to be its doing (listed apart, not counted):")
    for finding in aside:
        yield from _finding(findings, finding, verbosity)


def _never_failed(findings: Findings, verbosity: int) -> Iterator[Piece]:
    """Say what never failed, and what that is worth."""
    steady = [finding for finding in findings.tests if finding.verdict is Verdict.STEADY]
    if hunted := [finding for finding in steady if not finding.company]:
        yield from _steady(hunted, verbosity)
    if said := remarks.excluded(findings):
        yield Text(said)
    if others := [finding for finding in steady if finding.company]:
        runs = sorted(finding.total.runs for finding in others)
        often = f"{runs[0]}" if runs[0] == runs[-1] else f"{runs[0]} to {runs[-1]}"
        yield Text(f"{number(len(others), 'test')} ran beside them, {often} times each, and never failed")


def _quarantined(findings: Findings, verbosity: int) -> Iterator[Piece]:
    """Say what is known already, in a line for each test, or in full; and what may be ready for release."""
    excused = [finding for finding in findings.tests if finding.quarantined]
    if excused:
        yield Text("\nquarantined (known, listed apart, not counted):")
    for finding in excused:
        if verbosity > 0:
            yield from _finding(findings, finding, verbosity)
            continue
        line = Text(f"  {finding.verdict.value} ")
        line.append(clean(finding.nodeid), style="bold")
        line.append(f": fails {finding.total.failures} of {finding.total.runs}; {finding.modes[0].quarantined}")
        yield line
    for ready in findings.ready:
        yield Text(f"\nquarantined, and not seen failing in {number(ready.runs, 'attempt')}: {clean(ready.nodeid)}")
        yield _indented(Text(f"ready for release? flakehunt quarantine release {shlex.quote(clean(ready.test))}"))


def _followers(findings: Findings) -> dict[str, str]:
    """Give the tests that fail with another one, beside other sweeps, and that one: they are told with it."""
    modes = {finding.nodeid: len(finding.modes) for finding in findings.tests}
    found = {}
    for group in findings.groups:
        (first, _), *others = group.members
        if group.sentence.startswith(BESIDE) and modes[first] == 1:
            found.update({nodeid: first for nodeid, _ in others if nodeid != first and modes[nodeid] == 1})
    return found


def _few(names: Sequence[str], most: int = 3) -> list[str]:
    return [*names[:most], *([f"and {len(names) - most} more"] if len(names) > most else [])]


def leaks(found: Sequence[tuple[str, Left]], verbosity: int) -> Iterator[Piece]:
    """Say what was left behind, by whom: what one line leaves in many tests is told once."""
    groups = [[one] for one in found] if verbosity > 0 else list(remarks.alike(found))
    shown = groups if verbosity > 0 else groups[: MOST_LEAKS if verbosity == 0 else 0]
    for (nodeid, left), *others in shown:
        yield from _leak(nodeid, left, len(others), verbosity)
    hidden = sum(len(some) for some in groups[len(shown) :])
    if hidden:
        yield Text(f"\n{number(hidden, 'further leak' if shown else 'leak')}: -v shows all")


def _leak(nodeid: str, left: Left, others: int, verbosity: int) -> Iterator[Piece]:
    leak = left.leak
    text = Text("\n")
    text.append("LEAK", style="bold magenta")
    text.append(f" {leak.kind.value} ", style="bold")
    text.append(clean(leak.what))
    yield text
    by = "the test" if leak.owner == TEST else f"the fixture {clean(leak.owner)} ({clean(str(leak.owned_at))}), as in"
    more = f", and in {number(others, 'other test')}" if others else ""
    yield _said(Text(f"left by {by} {clean(nodeid)}{more}"))
    if left.total.runs > 1:
        yield _said(Text(f"in {left.total.failures} of {left.total.runs} sweeps ({between(left.rate)})"))
    if leak.started_at is not None:
        function = f" in {clean(leak.started_at.function)}" if leak.started_at.function else ""
        yield _indented(Text(f"from {clean(str(leak.started_at))}{function}"))
    if leak.now:
        lines = clean(leak.now).splitlines()
        yield Lines("now at " + ("\n       ".join(lines) if verbosity > 0 else lines[-1]), style="dim")
    for victim in left.victims:
        yield _indented(Text(f"hurts {clean(victim)}", style="bold"))
    if left.suspects:
        yield from tables.suspects(left.suspects)


def _finding(findings: Findings, finding: Finding, verbosity: int) -> Iterator[Piece]:
    line = Text("\n")
    line.append(finding.verdict.value.upper(), style=STYLES[finding.verdict])
    line.append(f" {clean(finding.nodeid)}", style="bold")
    yield line
    calm = f"calm {finding.calm.failures} of {finding.calm.runs}"
    yield _said(Text(f"fails {finding.total.failures} of {finding.total.runs} ({between(finding.rate)}); {calm}"))
    if verbosity < 0:
        return
    for mode in finding.modes[:MOST_MODES]:
        yield from _mode(findings, finding, mode, verbosity)
    if len(finding.modes) > MOST_MODES:
        yield _said(Text(f"{number(len(finding.modes) - MOST_MODES, 'further mode')}: see the ledger"))
    for note in finding.notes:
        yield _said(Text(f"note: {clean(note)}"))


def _mode(findings: Findings, finding: Finding, mode: Mode, verbosity: int) -> Iterator[Piece]:
    evidence = mode.evidence
    first, *lines = clean(evidence.message).splitlines() or [""]
    text = Text(f"{clean(evidence.exception)}: ", style="red")
    text.append(first, style="not bold default")
    yield _indented(text)
    if shown := lines if verbosity > 0 else lines[: MOST_LINES - 1]:
        yield Lines("\n".join(shown), "    ")
    share = f", {number(mode.failures, 'failure')}" if len(finding.modes) > 1 else ""
    note = f", {evidence.note}" if evidence.note else ""
    yield _indented(Text(f"at {clean(str(evidence.where))} in {evidence.phase}{share}{note}", style="dim"))
    if mode.quarantined:
        yield _said(Text(f"quarantined {clean(mode.quarantined)}"))
    yield from _cause(mode, verbosity)
    if (dates := rulers.dates(findings, finding, mode)) is not None:
        yield _said(Text(f"in the survey it {dates}"))
    if verbosity > 0 and (evidence.traceback or evidence.stacks):
        yield Lines(clean(evidence.traceback or evidence.stacks), "    ", "dim")
    again = Text("  reproduce: ")
    again.append(mode.repro, style="bold")
    yield again
    if mode.diagnosis is not None:
        yield from _verified(mode.diagnosis)
        yield from _further(mode.diagnosis, verbosity)


def _cause(mode: Mode, verbosity: int) -> Iterator[Piece]:
    """Say the cause with what shows it; where it is unknown, the suspects and what was tried."""
    found = mode.diagnosis
    if found is None or not found.causes:
        if found is not None:
            yield _said(Text(f"cause unknown after {number(found.runs, 'run')}{': ' * bool(found.note)}{found.note}"))
        if mode.suspects:
            yield from tables.suspects(mode.suspects)
        if found is not None and found.tried:
            yield from tables.experiments(found.tried)
        return
    yield from _shown(found, "cause", verbosity)


def _further(found: Diagnosis, verbosity: int) -> Iterator[Piece]:
    """Say further causes, each with its command."""
    for another in found.also:
        yield from _shown(another, "another cause, by itself", verbosity)
        if another.repro:
            yield _indented(Text.assemble("reproduce: ", (clean(another.repro), "bold")))
        yield from _verified(another)


def _verified(found: Diagnosis) -> Iterator[Piece]:
    if found.verified is not None:
        without = f"; without it {_of(found.control)}" if found.control else ""
        yield _said(Text(f"verified: fails {_of(found.verified)}{without}"))
        if said := partings.exactly(found):
            yield _said(Text(said))


def _shown(found: Diagnosis, what: str, verbosity: int) -> Iterator[Piece]:
    """Say a cause with what shows it, and the usual fix."""
    for cause in found.causes:
        yield _said(Text(f"{what}: {cause.perturbation}: it {clean(cause.sentence)}", style="bold"))
    if found.note:
        yield _said(Text(f"note: {found.note}"))
    for place in found.places:
        yield _indented(Text(clean(place)))
    for said in partings.sentences(found.parting):
        yield _said(Text(" ".join(clean(said).split("\n"))))
    rows = found.tried if verbosity > 0 else [row for row in found.tried if row.decisive]
    yield from tables.experiments(rows)
    name = found.causes[0].perturbation
    if name in FIXES:
        yield _said(Text(f"usual fix: {FIXES[name]} (docs: perturbations/{name})"))


def _steady(steady: Sequence[Finding], verbosity: int) -> Iterator[Piece]:
    if verbosity > 0:
        for finding in steady:
            line = Text("\n" if finding is steady[0] else "")
            line.append("steady", style=STYLES[Verdict.STEADY])
            line.append(f" {clean(finding.nodeid)}: {bound(finding.total, finding.rate)}{_notes(finding.notes)}")
            yield line
        return
    idle = sum(not finding.total.runs for finding in steady)
    loosest = min(steady, key=_runs)
    yield Text("")
    if idle < len(steady):
        never = f"{number(len(steady) - idle, 'test')} never failed: {bound(loosest.total, loosest.rate)}"
        yield Prose(Text(never))
    for finding in steady:
        if finding.notes and finding.total.runs:
            yield Text(f"  {clean(finding.nodeid)}{_notes(finding.notes)}")
    if idle:
        yield Text(f"{number(idle, 'test')} never ran to a result")


def _runs(finding: Finding) -> int:
    return finding.total.runs or 10**9


def _notes(notes: Iterable[str]) -> str:
    return "".join(f"; {note}" for note in notes)


def _of(count: Count) -> str:
    return f"{count.failures}/{count.runs}"


def _said(text: Text) -> Prose:
    """Indent a sentence, which may be wrapped."""
    return Prose(text, "  ")


def _indented(text: Text, by: str = "  ") -> Text:
    """Indent every line; nothing is ever wrapped or cut, so that commands can be copied."""
    return Text("\n").join(Text.assemble(by, line) for line in text.split("\n", allow_blank=True))
