"""What the map and the strip of an HTML page are drawn from: each text once, as compact as it goes."""

import json
from collections.abc import Iterable, Sequence
from os.path import commonprefix
from typing import Any

from pytest_flakehunt.analysis.intervals import rate
from pytest_flakehunt.model import FIRST_MODE, Count, Finding, Findings, Verdict
from pytest_flakehunt.reports import remarks
from pytest_flakehunt.reports.cards import Card
from pytest_flakehunt.reports.document import MARKS
from pytest_flakehunt.reports.words import between, bound, percent

TELLING = 0.25
"""A cell in which nothing failed says little while it leaves a chance to fail as high as this."""
VERDICTS = tuple(Verdict)
MOST_BANDS = 8
"""Bands that steady tests stand in."""
MOST_LABEL = 300
"""Characters of what names a group or a mode."""
MOST_MODES = 8
"""Ways to fail that are named beside a strip."""
MOST_ROWS = 1_700_000
"""Characters that the tests of the map may take, with their strips: those that failed come first."""
LISTED = 14
"""Characters of a test in the map beside what of its name differs: two numbers and what parts them."""


def data(findings: Findings, cards: Sequence[Card], shown: int) -> dict[str, Any]:
    """Give what the script of a page draws from.

    Args:
        findings: of a hunt.
        cards: of the same, in order.
        shown: how many of them the page shows in full.
    """
    card_of: dict[str, int] = {}
    for place, card in enumerate(cards):
        for member in card.members:
            card_of.setdefault(member.finding.nodeid, place)
    last = len(cards)
    ordered = sorted(findings.tests, key=lambda finding: card_of.get(finding.nodeid, last))
    listed = _Listed()
    for finding in ordered:
        place = card_of.get(finding.nodeid, -1)
        if not listed.add(finding, place, cards[place] if place >= 0 else None):
            break
    told = ordered[: len(listed)]
    counts = [count for row in listed.rows for count in row] + [one.total for one in told if not one.modes]
    groups = cards[: 1 + max((card_of.get(finding.nodeid, -1) for finding in told), default=-1)]
    return {
        "columns": findings.columns,
        "sweeps": [[one.number, one.plan, min(2, len(one.trial)), one.trial[0] if len(one.trial) == 1 else ""]
                   for one in findings.sweeps],
        "files": [*listed.files],
        "owners": [*listed.owners],
        "rows": [[[*count] for count in row] for row in listed.rows],
        "worth": _worth(counts),
        "groups": [_group(card, place if place < shown else -1) for place, card in enumerate(groups)],
        "kinds": [*listed.kinds],
        "tests": listed.tests,
        "left": len(ordered) - len(told),
        "strips": {str(place): _strip(finding) for place, finding in enumerate(told) if finding.strip},
        "first": MARKS[FIRST_MODE:],
    }  # fmt: skip


class _Listed:
    """Tests as the page lists them: as much of a name as differs from the one before, and the number of its kind."""

    def __init__(self) -> None:
        self.files: dict[str, int] = {}
        self.owners: dict[str, int] = {}
        self.rows: dict[tuple[Count, ...], int] = {}
        self.kinds: dict[tuple[int, ...], int] = {}
        self.tests: list[list[Any]] = []
        """Each with the letters that its name shares with the one before, in JavaScript's count, and the rest of it."""
        self._room, self._before, self._card = MOST_ROWS, "", -1

    def __len__(self) -> int:
        return len(self.tests)

    def add(self, finding: Finding, place: int, card: Card | None) -> bool:
        """Add one; tell whether there was room for it.

        Args:
            finding: to be listed.
            place: of its card among all; -1 where it has none.
            card: itself.
        """
        name, before = finding.nodeid, self._before
        shared = commonprefix([before, name])  # noqa: RUF071 - letter by letter is what is wanted
        new: list[object] = [] if card is None or place == self._card else [_group(card, place)]
        new += [_strip(finding)] if finding.strip else []
        new += [finding.under] if finding.under not in self.rows else []
        rest = name[len(shared) :]
        self._room -= sum(map(_size, (rest, *new))) + LISTED
        if self._room < 0:
            return False
        kind = (
            VERDICTS.index(finding.verdict),
            _number(self.rows, finding.under),
            place,
            int(bool(finding.excuse)),
            finding.total.runs,
            _number(self.owners, finding.owner),
            _number(self.files, finding.file),
        )
        units = len(shared.encode("utf-16-le", "surrogatepass")) // 2
        self.tests.append([units, rest, _number(self.kinds, kind)])
        self._before, self._card = name, place
        return True


def _number(known: dict[Any, int], value: Any) -> int:
    """Give the number of a value, in the order in which they come."""
    return known.setdefault(value, len(known))


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def _strip(finding: Finding) -> dict[str, Any]:
    return {
        "marks": "".join(MARKS[mark] for mark in finding.strip),
        "modes": [_label(f"{mode.evidence.exception}: {mode.evidence.message}") for mode in finding.modes[:MOST_MODES]],
    }


def _group(card: Card, place: int) -> list[Any]:
    finding, mode = card.lead.finding, card.lead.mode
    return [_label(remarks.sentence(finding, mode)), card.lead.cause, place, int(card.excused)]


def _label(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= MOST_LABEL else f"{line[: MOST_LABEL - 1]}…"


def _worth(counts: Iterable[Count]) -> dict[str, list[Any]]:
    """Give of each count what it is worth: in words, and whether it is too few runs to tell."""
    worth: dict[str, list[Any]] = {}
    for count in set(counts):
        interval = rate(count.failures, count.runs)
        said = f"fails less than {percent(interval.high)} of the time (95 %)"
        if count.failures:
            said = f"fails {between(interval)}"
        thin = count.runs > 0 and not count.failures and interval.high >= TELLING
        worth[f"{count.failures}/{count.runs}"] = [said if count.runs else "it never ran to a result", int(thin)]
    return worth


def fewest() -> int:
    """Give the runs without a failure from which on a cell says enough.

    >>> fewest()
    13
    """
    runs = 1
    while rate(0, runs).high >= TELLING:
        runs += 1
    return runs


def steady(findings: Findings) -> list[dict[str, Any]]:
    """Give the tests that never failed by what that is worth, the least first: in bands where runs differ much."""
    bands = []
    for company in (False, True):
        some = [one for one in findings.tests if one.verdict is Verdict.STEADY and one.company is company]
        bands += [_band(band, company) for band in _bands(sorted(some, key=lambda one: one.total.runs))]
    return bands


def _bands(some: Sequence[Finding]) -> list[list[Finding]]:
    """Part tests, by their runs, into as many bands as a reader bears; those with as many runs stay together."""
    kinds = {finding.total.runs for finding in some}
    least = 1 if len(kinds) <= MOST_BANDS else -(-len(some) // MOST_BANDS)
    bands: list[list[Finding]] = []
    for finding in some:
        last = bands[-1] if bands else []
        runs = last[-1].total.runs if last else -1
        if runs != finding.total.runs and (len(last) >= least or runs <= 0):
            bands.append([])
        bands[-1].append(finding)
    return bands


def _band(band: Sequence[Finding], company: bool) -> dict[str, Any]:
    first, most = band[0], band[-1].total.runs
    said = bound(first.total, first.rate)
    if most > first.total.runs:
        worst = percent(first.rate.high)
        said = f"0 of {first.total.runs} to {most}; none fails more than {worst} of the time (95 %)"
    return {
        "bound": "ran beside what changed: " * company + said,
        "number": len(band),
        "high": first.rate.high,
        "least": first.total.runs,
        "most": most,
        "company": int(company),
        "noted": [finding for finding in band if finding.notes and finding.total.runs],
    }
