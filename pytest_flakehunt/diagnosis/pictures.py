"""What a picture of a hunt is drawn from: runs and failures by what was on trial, and failing tests sweep by sweep."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_flakehunt.analysis.verdicts import Case
from pytest_flakehunt.diagnosis.cases import Cases
from pytest_flakehunt.ledger import archive
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.model import (
    CALM_COLUMN,
    FIRST_MODE,
    LAST_MODE,
    NOTHING,
    PASSED,
    SEVERAL,
    Count,
    Finding,
    Findings,
    Planned,
    Sweep,
    column,
)


def pictured(findings: Findings, cases: Cases) -> Findings:
    """Give findings with what pictures are drawn from.

    Args:
        findings: of a survey that has ended.
        cases: of the same survey.
    """
    counted = [sweep for sweep in cases.survey.sweeps.values() if not sweep.outage]
    sweeps = sorted(counted, key=lambda sweep: sweep.number)
    columns = _columns(sweeps, [item.name for item in cases.active])
    try:
        totals = _totals(archive.counted(cases.ledger.path, cases.ledger.hunt))
    except LedgerError:  # it was taken away meanwhile: what was found is told all the same
        return findings
    tallies = cases.survey.tallies

    def test(finding: Finding) -> Finding:
        tally = tallies.named(finding.nodeid)
        if finding.nodeid in tallies.ours:
            return finding
        if not tally.total.failures:
            return replace(finding, under=_row(totals.get(finding.nodeid, {}), columns))
        case = cases.case(tally)
        return replace(finding, under=_row(_by_column(case), columns), strip=_strip(case, finding, sweeps))

    planned = tuple(Planned(sweep.number, str(sweep.plan), sweep.focus, sweep.zygote) for sweep in sweeps)
    return replace(findings, tests=tuple(map(test, findings.tests)), columns=columns, sweeps=planned)


def _columns(sweeps: Iterable[Sweep], names: Sequence[str]) -> tuple[str, ...]:
    """Give the columns that have any sweep, perturbations in their own order."""
    met = {column(sweep.focus) for sweep in sweeps}
    others = sorted(met.difference(names, {CALM_COLUMN, SEVERAL}))
    return tuple(name for name in (CALM_COLUMN, *names, *others, SEVERAL) if name in met)


def _totals(counted: Iterable[tuple[str, tuple[str, ...], Count]]) -> Mapping[str, dict[str, Count]]:
    totals: dict[str, dict[str, Count]] = {}
    for nodeid, trial, count in counted:
        row = totals.setdefault(nodeid, {})
        name = column(trial)
        row[name] = row.get(name, Count()).plus(*count)
    return totals


def _by_column(case: Case) -> dict[str, Count]:
    runs, failures = Counter[str](), Counter[str]()
    for sweep, outcome, _ in case.attempts:
        name = column(sweep.focus)
        runs[name] += outcome.counts
        failures[name] += outcome.fails
    return {name: Count(runs[name], failures[name]) for name in runs}


def _row(counts: Mapping[str, Count], columns: Sequence[str]) -> tuple[Count, ...]:
    return tuple(counts.get(name, Count()) for name in columns)


def _strip(case: Case, finding: Finding, sweeps: Iterable[Sweep]) -> tuple[int, ...]:
    """Give the mark of each sweep; none for a test that never failed in one that counts."""
    modes = {mode.fingerprint: min(FIRST_MODE + place, LAST_MODE) for place, mode in enumerate(finding.modes)}
    marks = {
        sweep.number: modes.get(fingerprint, NOTHING) if outcome.fails else PASSED if outcome.counts else NOTHING
        for sweep, outcome, fingerprint in case.attempts
    }
    return tuple(marks.get(sweep.number, NOTHING) for sweep in sweeps) if modes else ()
