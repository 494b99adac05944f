"""How the settings of a cause went with failures, sweep by sweep: dates on a ruler, doses in a table."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from pytest_flakehunt.model import FIRST_MODE, PASSED, Count, Diagnosis, Finding, Findings, Mode

DOSES = ("latency", "cores", "load", "resolution", "environ", "timezone", "locale", "gc", "fds", "hashseed")
"""Perturbations whose settings say something by themselves: seeds of others do not."""
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
MOST_DOSES = 12
MOST_YEARS = 12
"""Years that a ruler names at most."""
MOST_STRETCHES = 6
"""Stretches of dates that a sentence names at most, each of failures and of passes."""


class Point(NamedTuple):
    """A sweep on the ruler."""

    place: float
    """From 0 to 1."""
    fails: bool
    date: str


class Ruler(NamedTuple):
    """The dates that a test met."""

    points: tuple[Point, ...]
    years: tuple[tuple[float, int], ...]
    """Where each of some years begins, from 0 to 1."""

    @property
    def fails(self) -> list[str]:
        """The dates at which it failed."""
        return sorted({point.date for point in self.points if point.fails})


class Dates(NamedTuple):
    """The dates that a test met in the survey, each once, in order; one at which it did both stands in both."""

    failed: tuple[datetime, ...]
    passed: tuple[datetime, ...]

    def __str__(self) -> str:
        """Say at which it failed and at which it passed; those that follow each other as a stretch."""
        kinds = {moment: (moment in self.failed, moment in self.passed) for moment in (*self.failed, *self.passed)}
        stretches = [(kind, list(some)) for kind, some in groupby(sorted(kinds), kinds.__getitem__)]
        words = {(True, False): "failed at", (False, True): "passed at", (True, True): "failed and passed at"}
        said = [
            f"{word} {_listed([some for one, some in stretches if one == kind])}"
            for kind, word in words.items()
            if kind in kinds.values()
        ]
        return "; ".join(said)


def dates(findings: Findings, finding: Finding, mode: Mode) -> Dates | None:
    """Give the dates that a test met which fails in one way by the clock; None where it does not, or met none."""
    if not named(mode.diagnosis or Diagnosis(), "clock"):
        return None
    met = _dated(findings, finding, mode)
    failed, passed = (tuple(sorted({date for date, one in met if one is fails})) for fails in (True, False))
    return Dates(failed, passed) if failed else None


def named(found: Diagnosis, perturbation: str) -> bool:
    """Tell whether a perturbation is among the causes."""
    return any(cause.perturbation == perturbation for one in (found, *found.also) for cause in one.causes)


def ruler(findings: Findings, finding: Finding, mode: Mode) -> Ruler | None:
    """Give the dates under which a test failed in one way, and passed; None where there are too few to draw."""
    met = _dated(findings, finding, mode)
    dates = sorted(date for date, _ in met)
    if len(set(dates)) < 3:
        return None
    first, span = dates[0], (dates[-1] - dates[0]) / timedelta(seconds=1)

    def place(date: datetime) -> float:
        return ((date - first) / timedelta(seconds=1)) / span

    years = range(first.year + 1, dates[-1].year + 1)
    step = 1 + len(years) // MOST_YEARS
    points = tuple(Point(place(date), fails, _second(date)) for date, fails in sorted(met))
    return Ruler(points, tuple((place(datetime(year, 1, 1)), year) for year in years[::step]))  # noqa: DTZ001 - as tests read it


def doses(findings: Findings, finding: Finding, mode: Mode, perturbation: str) -> list[tuple[str, Count]]:
    """Give how often a test failed in one way under each setting, the smallest first; none where one says all."""
    if perturbation not in DOSES:
        return []
    counts: dict[str, Count] = {}
    for setting, fails in _met(findings, finding, mode, perturbation):
        counts[setting] = counts.get(setting, Count()).plus(1, int(fails))
    rows = sorted(counts.items(), key=lambda row: (-row[1].failures, row[0]))[:MOST_DOSES]
    return sorted(rows, key=lambda row: _dose(row[0])) if len(rows) > 1 else []


def _dated(findings: Findings, finding: Finding, mode: Mode) -> list[tuple[datetime, bool]]:
    """Give the dates that a test met, sweep by sweep, and whether it failed in this way."""
    start = datetime.fromisoformat(findings.trial.started).replace(tzinfo=None)
    met = _met(findings, finding, mode, "clock")
    return [(date, fails) for setting, fails in met if (date := _date(setting, start))]


def _listed(stretches: Sequence[Sequence[datetime]]) -> str:
    shown = [
        f"{len(some)} from {_exact(some[0])} to {_exact(some[-1])}" if len(some) > 1 else _exact(some[0])
        for some in stretches[:MOST_STRETCHES]
    ]
    hidden = sum(map(len, stretches[MOST_STRETCHES:]))
    return ", ".join([*shown, *([f"and {hidden} more"] if hidden else [])])


def _exact(moment: datetime) -> str:
    return moment.isoformat(" ", "milliseconds" if moment.microsecond else "seconds")


def _second(moment: datetime) -> str:
    return str(moment)[:19]


def _met(findings: Findings, finding: Finding, mode: Mode, perturbation: str) -> Iterator[tuple[str, bool]]:
    """Yield the settings of a perturbation that a test met, and whether it failed in this way or passed."""
    mark = FIRST_MODE + finding.modes.index(mode)
    for sweep, said in zip(findings.sweeps, finding.strip, strict=False):
        setting = dict(part.partition("=")[::2] for part in sweep.plan.split(" ")).get(perturbation, "")
        if setting and said in {mark, PASSED}:
            yield setting, said == mark


def _date(setting: str, start: datetime) -> datetime | None:
    moment = setting.removeprefix("frozen:")
    shift = re.fullmatch(r"([+-]\d{1,6})([smhd])", moment, re.ASCII)
    try:
        if shift:
            return start + timedelta(**{UNITS[shift[2]]: int(shift[1])})
        return datetime.fromisoformat(moment).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _dose(setting: str) -> tuple[str, float, str]:
    """Rank settings by what they are, then by how much of it."""
    found = re.fullmatch(r"(\D*)(\d+(?:\.\d+)?)(.*)", setting, re.ASCII)
    return (found[1], float(found[2]), found[3]) if found else (setting, 0.0, "")


def marks(points: Sequence[Point], width: float) -> list[tuple[float, bool, str]]:
    """Give the points as they are drawn: passes first, so that no failure is hidden, each place once."""
    placed = {
        (round(width * point.place), point.fails): point.date for point in sorted(points, key=lambda one: one.fails)
    }
    return [(place, fails, date) for (place, fails), date in sorted(placed.items(), key=lambda one: one[0][1])]
