"""From attempts to verdicts: what is said of each test, never more than was seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_flakehunt.analysis import association, intervals
from pytest_flakehunt.model import (
    Contract,
    Count,
    Diagnosis,
    Evidence,
    Finding,
    Group,
    Mode,
    Outcome,
    Suspect,
    Sweep,
    Verdict,
)

MOST_SUSPECTS = 3
STANDS_OUT = 0.5
RANK = {Contract.NATURAL: 0, Contract.ENVIRONMENT: 1, Contract.STRESS: 2}


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known of one test that failed at least once."""

    nodeid: str
    file: str
    line: int
    attempts: Sequence[tuple[Sweep, Outcome, str]]
    """Sweep, outcome, and fingerprint where it failed; sweeps set aside left out."""
    evidence: Mapping[str, tuple[int, Evidence]]
    """By fingerprint: the sweep it was first seen in, and what it left."""


def steady(nodeid: str, file: str, line: int, total: Count, calm: Count, notes: Iterable[str] = ()) -> Finding:
    """Give the finding for a test that never failed, with the bound that its runs allow."""
    return Finding(
        nodeid,
        file,
        line,
        Verdict.STEADY,
        total,
        intervals.rate(0, total.runs),
        calm,
        intervals.rate(0, calm.runs),
        notes=tuple(notes) if total.runs else (*notes, "it never ran to a result: skipped in every attempt"),
    )


def judge(cases: Sequence[Case], perturbations: int) -> list[Finding]:
    """Give the findings for tests that failed.

    Args:
        cases: tests that failed at least once.
        perturbations: how many were in use: suspects are corrected once, for
            all pairs of a mode and a perturbation. Each is compared within
            zygotes, as those differ in what they drew at import.
    """
    findings = [_finding(case) for case in cases]
    nominated = [
        (place, rank, suspect)
        for place, (case, finding) in enumerate(zip(cases, findings, strict=True))
        if finding.verdict is not Verdict.BROKEN
        for rank, mode in enumerate(finding.modes)
        for suspect in suspects(hits(case, mode.fingerprint))
    ]
    family = perturbations * sum(len(finding.modes) for finding in findings)
    corrected = association.holm([suspect.p_value for _, _, suspect in nominated], family)
    chosen: dict[tuple[int, int], list[Suspect]] = {}
    for (place, rank, suspect), p_value in zip(nominated, corrected, strict=True):
        if oftener(suspect):
            chosen.setdefault((place, rank), []).append(replace(suspect, p_value=p_value))
    for place, finding in enumerate(findings):
        modes = tuple(
            replace(mode, suspects=nearest(chosen.get((place, rank), []))) for rank, mode in enumerate(finding.modes)
        )
        findings[place] = replace(finding, modes=modes)
    return findings


def verdict(calm: Count, total: Count) -> Verdict:
    """Name what the counts say.

    >>> verdict(Count(4, 0), Count(20, 3)).value
    'fragile'
    """
    if not total.failures:
        return Verdict.STEADY
    if not calm.failures:
        return Verdict.FRAGILE
    return Verdict.BROKEN if calm.failures == calm.runs else Verdict.FLAKY


def _finding(case: Case) -> Finding:
    total = _count(case.attempts)
    calm = _count(attempt for attempt in case.attempts if attempt[0].calm)
    said = verdict(calm, total)
    modes = _modes(case)
    notes: list[str] = []
    if said is Verdict.BROKEN:
        notes.extend(_doubts(calm, total))
    if not calm.runs:
        notes.append("no calm attempt reached it")
    return Finding(
        case.nodeid,
        case.file,
        case.line,
        said,
        total,
        intervals.rate(total.failures, total.runs),
        calm,
        intervals.rate(calm.failures, calm.runs),
        min((mode.contract for mode in modes), key=RANK.__getitem__, default=Contract.NATURAL),
        modes,
        notes=tuple(notes),
    )


def _doubts(calm: Count, total: Count) -> Iterable[str]:
    """Say what speaks against a test that failed in every calm attempt being one that always fails."""
    others = total.runs - calm.runs
    passed = others - (total.failures - calm.failures)
    if total.runs == 1:
        yield "it was run once: whether it always fails is not known"
    elif passed and calm.runs == 1:
        yield (
            f"it failed in the only calm attempt, and passed {passed} of {others} others: whether it always fails "
            "when calm is not known"
        )
    elif passed:
        yield f"it failed in all {calm.runs} calm attempts, and passed {passed} of {others} others"


def _count(attempts: Iterable[tuple[Sweep, Outcome, str]]) -> Count:
    counted = [outcome.fails for _, outcome, _ in attempts if outcome.counts]
    return Count(len(counted), sum(counted))


def _modes(case: Case) -> tuple[Mode, ...]:
    failed: dict[str, list[tuple[Sweep, Outcome]]] = {}
    for sweep, outcome, fingerprint in case.attempts:
        if outcome.fails:
            failed.setdefault(fingerprint, []).append((sweep, outcome))
    modes = []
    for fingerprint, seen in failed.items():
        simplest = min((sweep for sweep, _ in seen), key=telling)
        told, evidence = case.evidence[fingerprint]
        modes.append(
            Mode(
                fingerprint,
                next((outcome for sweep, outcome in seen if sweep.number == told), seen[0][1]),
                evidence,
                len(seen),
                sum(sweep.calm for sweep, _ in seen),
                str(simplest.plan),
                min((sweep.plan.contract for sweep, _ in seen), key=RANK.__getitem__),
            )
        )
    return tuple(sorted(modes, key=lambda mode: -mode.failures))


def telling(sweep: Sweep) -> tuple[bool, int, int, int, int, int]:
    """Rank plans to replay: one that pins what varies, promises little, and leaves little to chance, comes first."""
    return (
        sweep.calm,
        RANK[sweep.plan.contract],
        len(sweep.focus),
        len(sweep.plan.settings),
        sum(getattr(setting, "left_to_chance", False) for _, setting in sweep.plan.settings),
        sweep.number,
    )


def hits(case: Case, fingerprint: str) -> list[tuple[Sweep, bool]]:
    """Give the sweeps that say anything, and whether the test failed in them in just this way."""
    return [
        (sweep, outcome.fails and found == fingerprint) for sweep, outcome, found in case.attempts if outcome.counts
    ]


def suspects(hits: Sequence[tuple[Sweep, bool]]) -> list[Suspect]:
    """Compare sweeps under trial of a perturbation with all that left it alone, for each that a hit met."""
    names = {name for sweep, hit in hits if hit for name in sweep.focus} - {"random", "hashseed"}
    found = [
        _best(
            name,
            hits,
            {sweep.number: str(sweep.plan.setting(name)) for sweep, _ in hits if name in sweep.focus},
        )
        for name in sorted(names)
    ]
    if len({sweep.hashseed for sweep, _ in hits}) > 1:
        # every sweep has the seed of its interpreter, calm ones too, so that one seed is held against the others
        seeds = {sweep.number: sweep.hashseed for sweep, _ in hits if sweep.hashseed}
        found.append(min(_by_setting("hashseed", hits, seeds), key=_surest))
    return found


def _best(name: str, hits: Sequence[tuple[Sweep, bool]], settings: Mapping[int, str]) -> Suspect:
    """Give the perturbation as a whole or one setting of it, whichever goes with the failures more surely."""
    whole = _suspect(name, "", hits, set(settings), looks=1)
    return min((whole, *_by_setting(name, hits, settings)), key=_surest)


def _by_setting(name: str, hits: Sequence[tuple[Sweep, bool]], settings: Mapping[int, str]) -> Iterable[Suspect]:
    values = sorted(set(settings.values()))
    for value in values:
        under = {number for number, held in settings.items() if held == value}
        yield _suspect(name, value, hits, under, looks=len(values))


def _suspect(name: str, setting: str, hits: Sequence[tuple[Sweep, bool]], under: set[int], looks: int) -> Suspect:
    """Compare sweeps with all others; the p-value pays for having looked at several settings."""
    strata: dict[int, tuple[Count, Count]] = {}
    for sweep, hit in hits:
        # a hash seed is the interpreter's own: within one there is nothing to compare it with
        place = 0 if name == "hashseed" else sweep.zygote
        present, absent = strata.get(place, (Count(), Count()))
        if sweep.number in under:
            present = present.plus(1, int(hit))
        else:
            absent = absent.plus(1, int(hit))
        strata[place] = present, absent
    tables = list(strata.values())
    p_value = min(1.0, looks * association.stratified(tables))
    return Suspect(name, setting, _sum(present for present, _ in tables), _sum(absent for _, absent in tables), p_value)


def _sum(counts: Iterable[Count]) -> Count:
    total = Count()
    for count in counts:
        total = total.plus(*count)
    return total


def _surest(suspect: Suspect) -> tuple[float, float]:
    return suspect.p_value, -suspect.present.failures / max(1, suspect.present.runs)


def oftener(suspect: Suspect) -> bool:
    """Tell whether it is seen more often with the perturbation than without."""
    return suspect.present.failures * max(1, suspect.absent.runs) > suspect.absent.failures * suspect.present.runs


def nearest(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Keep the few that stand out; where none does, the nearest one."""
    ranked = sorted(suspects, key=_surest)
    outstanding = [suspect for suspect in ranked if suspect.p_value < STANDS_OUT]
    return tuple((outstanding or ranked[:1])[:MOST_SUSPECTS])


def groups(diagnoses: Mapping[tuple[str, str], Diagnosis]) -> tuple[Group, ...]:
    """Gather the modes that share a cause.

    Args:
        diagnoses: by node id and mode.
    """
    together: dict[str, tuple[tuple[str, str], ...]] = {}
    for member, found in diagnoses.items():
        if found.causes:
            sentence = "; ".join(cause.sentence for cause in found.causes)
            together[sentence] = (*together.get(sentence, ()), member)
    return tuple(Group(members, sentence) for sentence, members in together.items() if len(members) > 1)
