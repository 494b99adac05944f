"""What is said at a line of code: the findings of a hunt, or what an ordinary run has to tell, ranked."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from pytest_flakehunt.analysis.intervals import exact_bound
from pytest_flakehunt.model import TEST, Finding, Findings, Leak, Left, Mode, Place, Trial, Verdict
from pytest_flakehunt.reports.progress import duration
from pytest_flakehunt.reports.words import between, clean, number, percent

Whose = TypeVar("Whose")
LONGEST = 300
"""Characters of one line of a remark."""
NEW = ("it is new", "its file is new")
"""Why a test was chosen that was not there before."""
VERDICTS = (Verdict.FLAKY, Verdict.FRAGILE, Verdict.BROKEN, Verdict.STEADY)
"""Those first that are worth most of a reader's time."""


class Level(StrEnum):
    """How much it matters."""

    ERROR = "error"
    """It makes the exit status 1."""
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to be said at one line."""

    level: Level
    kind: str
    """A verdict, ``leak`` or ``quarantined``."""
    title: str
    lines: tuple[str, ...]
    place: Place
    """From the root of the repository."""
    nodeid: str = ""
    subject: str = ""
    """What of the test it is about, where there may be several: the same in every hunt."""

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)


def of_hunt(findings: Findings) -> list[Remark]:
    """Give what a hunt has to say, the most telling first."""
    trial = findings.trial
    members = [nodeid for group in findings.groups for nodeid, _ in group.members[1:]]
    ranked = sorted(
        (finding for finding in findings.tests if finding.modes),
        key=lambda one: (one.nodeid in members, VERDICTS.index(one.verdict), -one.rate.low),
    )
    said = [_finding(finding, trial.fail_on) for finding in ranked]
    counting = "leaks" in trial.fail_on
    left = [(finding, left) for finding in findings.tests for left in finding.leaks]
    said += [
        _leak(
            some[0][0].nodeid,
            some[0][1],
            Place(some[0][0].file, some[0][0].line),
            len(some) - 1,
            counting and not all(finding.company for finding, _ in some),
        )
        for some in alike(left)
    ]
    levels = list(Level)
    here = [replace(remark, place=placed(remark.place, trial.folder)) for remark in said]
    return sorted(here, key=lambda remark: levels.index(remark.level))


def of_leaks(found: Sequence[tuple[str, Left]], folder: str, *, counting: bool) -> list[Remark]:
    """Give what an ordinary run has to say of leaks, told as :func:`of_hunt` does."""
    return [
        replace(remark, place=placed(remark.place, folder))
        for some in alike(found)
        for remark in [_leak(some[0][0], some[0][1], some[0][1].leak.owned_at, len(some) - 1, counting)]
    ]


def of_quarantine(told: Iterable[tuple[str, str, str]], places: Mapping[str, Place], folder: str) -> list[Remark]:
    """Give what an ordinary run has to say of its quarantine.

    Args:
        told: node id, what is the matter with it, and the sentence.
        places: of the tests, from pytest's root directory.
        folder: that directory, as seen from the repository's root.
    """
    return [
        Remark(
            Level.NOTICE,
            "quarantined",
            _line(title),
            (_line(text), _line(nodeid)),
            placed(places.get(nodeid, Place("", 0)), folder),
            nodeid,
            _line(title),
        )
        for nodeid, title, text in told
    ]  # fmt: skip


def placed(place: Place, folder: str) -> Place:
    """Give a place from the root of the repository, given one from pytest's root directory."""
    file = posixpath.normpath(posixpath.join(folder, place.file)) if place.file else ""
    return place._replace(file=file)


def alike(found: Iterable[tuple[Whose, Left]]) -> Iterator[list[tuple[Whose, Left]]]:
    """Gather what one line leaves in many tests, or what many leave by lines unknown, unless it hurts somebody."""
    together: dict[tuple[object, ...], list[tuple[Whose, Left]]] = {}
    for position, (whose, left) in enumerate(found):
        leak = left.leak
        apart = position if left.victims else -1
        together.setdefault((leak.kind, leak.what, leak.started_at, apart), []).append((whose, left))
    yield from together.values()


def _finding(finding: Finding, fail_on: Sequence[str]) -> Remark:
    level = Level.WARNING
    if finding.excuse:
        level = Level.NOTICE
    elif finding.fails_on(fail_on):
        level = Level.ERROR
    mode = finding.telling
    kind = "quarantined" if finding.quarantined else finding.verdict.value
    more = len(finding.modes) - 1
    lines = (
        sentence(finding, mode),
        often(finding),
        f"{mode.evidence.exception}: {mode.evidence.message.partition(chr(10))[0]}",
        *([finding.excuse] if finding.excuse else [f"quarantined {mode.quarantined}"] if mode.quarantined else ()),
        *([f"and {number(more, 'further mode')}"] if more else ()),
    )
    command = (f"reproduce: {clean(mode.command)}",) if mode.command else ()
    return Remark(
        level,
        finding.verdict.value,
        _line(titled(kind, mode)),
        (*map(_line, lines), *command),
        Place(finding.file, finding.line),
        finding.nodeid,
    )


def _leak(nodeid: str, left: Left, place: Place, others: int, counting: bool) -> Remark:
    leak = left.leak
    who = "the test" if leak.owner == TEST else f"the fixture {leak.owner} ({leak.owned_at}), as in"
    more = f", and in {number(others, 'other test')}" if others else ""
    lines = [f"left by {who} {nodeid}{more}"]
    if left.total.runs > 1:
        lines.append(f"in {left.total.failures} of {left.total.runs} sweeps ({between(left.rate)})")
    if leak.started_at is not None:
        lines.append(f"from {leak.started_at}")
    lines += [f"hurts {victim}" for victim in left.victims]
    level = Level.ERROR if counting else Level.NOTICE
    subject = f"{leak.kind} {leak.what} {leak.owner}"
    return Remark(level, "leak", _line(leaked(leak)), tuple(map(_line, lines)), place, nodeid, subject)


def leaked(leak: Leak) -> str:
    """Name a leak."""
    return f"leaked {leak.kind.value}: {leak.what}"


def excluded(findings: Findings) -> str:
    """Say in a line what a hunt of changed tests excludes; empty where all were hunted."""
    chosen = [finding for finding in findings.tests if finding.chosen]
    if not chosen:
        return ""
    new = all(finding.chosen in NEW for finding in chosen)
    who = number(len(chosen), "new test" if new else "test") + ("" if new else " of what changed")
    steady = [finding for finding in chosen if finding.verdict is Verdict.STEADY and finding.total.runs]
    idle = sum(not finding.total.runs for finding in chosen)
    failing = len(chosen) - len(steady) - idle
    said = [f"{failing} fail{'s' * (failing == 1)}"] if failing else []
    said += [f"{idle} never ran to a result"] if idle else []
    if steady:
        most = percent(max(finding.rate.high for finding in steady))
        none = "none" if len(steady) == len(chosen) else f"none of the {len(steady)} others"
        said.append(f"{none} fails more than {most} of the time (95 %)")
    return f"{who}: {'; '.join(said)}"


def seeds(trial: Trial) -> str:
    """Say how many hash seeds were tried, and what that excludes; empty where they were left alone."""
    if not trial.hashseeds:
        return ""
    missed = percent(exact_bound(trial.hashseeds, confidence=0.9))
    tried = number(trial.hashseeds, "hash seed")
    return f"{tried} tried: what fails under fewer than {missed} of them may have been missed"


def spent(trial: Trial, most: int = 6) -> str:
    """Say where the time of the workers went, and how much of it was spent computing."""
    total = sum(one.seconds for one in trial.spent)
    if not total:
        return ""
    shown = trial.spent[:most]
    parts = [f"{one.what} {percent(one.seconds / total)}" for one in shown]
    if rest := trial.spent[most:]:
        parts.append(f"{len(rest)} others {percent(sum(one.seconds for one in rest) / total)}")
    counted = [(one.seconds, one.cpu) for one in trial.spent if one.cpu is not None]
    seconds, cpu = (sum(some) for some in zip(*counted, strict=True)) if counted else (0.0, 0.0)
    computed = f"; sweeps computed for {percent(cpu / seconds)} of theirs" if seconds and cpu else ""
    at_once = f", up to {trial.at_once} at a time" if computed and trial.at_once else ""
    return f"time: {', '.join(parts)} of {duration(total)}{computed}{at_once}"


def titled(verdict: str, mode: Mode) -> str:
    """Give verdict and cause in a few words."""
    names = " and ".join(cause.perturbation for cause in mode.diagnosis.causes) if mode.diagnosis else ""
    if verdict == Verdict.BROKEN:
        return verdict
    return f"{verdict}: {names or 'cause unknown'}"


def summary(findings: Findings) -> str:
    """Say what was done."""
    trial = findings.trial
    done = f"{number(trial.sweeps, 'sweep')} of {number(len(findings.tests), 'test')} in {duration(trial.seconds)}"
    more = ""
    if trial.saved:
        whole = ", whole sweeps among them" if trial.asked.isdigit() and trial.sweeps < int(trial.asked) else ""
        what = f"{number(trial.saved, 'attempt')} left out{whole}"
        more = f"; {what}: of tests that consult nothing of what a sweep perturbed alone"
    if trial.interrupted:
        more += "; ended early: this is what was seen until then"
    return f"{done}, seed {trial.seed}, {number(trial.zygotes, 'zygote')}{more}"


def sentence(finding: Finding, mode: Mode) -> str:
    """Say the cause of a mode; where it is not known, so."""
    if mode.diagnosis is not None and mode.diagnosis.causes:
        first, *others = (
            "; ".join(f"it {cause.sentence}" for cause in found.causes)
            for found in (mode.diagnosis, *mode.diagnosis.also)
        )
        return f"{first}{''.join(f'; also, by itself: {said}' for said in others)}"
    if finding.verdict is Verdict.BROKEN:
        return f"it failed in {'the only' if finding.calm.runs == 1 else 'every'} calm attempt"
    suspects = ", ".join(filter(None, (suspect.perturbation for suspect in mode.suspects if suspect.p_value < 0.05)))
    seen = f"; it was seen failing under {mode.plan}" if mode.plan else "; it was seen failing when calm"
    return f"its cause is unknown{seen}{f'; suspected: {suspects}' if suspects else ''}"


def often(finding: Finding) -> str:
    """Say how often a test fails."""
    calm = f"calm {finding.calm.failures} of {finding.calm.runs}"
    return f"fails {finding.total.failures} of {finding.total.runs} ({between(finding.rate)}); {calm}"


def _line(text: str) -> str:
    """Give a text as one line that is not too long."""
    line = " ".join(clean(text).split("\n")).strip()
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
