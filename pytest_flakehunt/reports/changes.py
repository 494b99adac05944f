"""On the terminal: what became of failures between two sides of a comparison, and of one test over many hunts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pytest_flakehunt.analysis.comparison import Began, Change, Compared, Seen
from pytest_flakehunt.model import Count, Finding, Findings, Hunted, Interval, Mode, Verdict
from pytest_flakehunt.reports import remarks
from pytest_flakehunt.reports.words import clean, number, percent

STYLES = {
    Change.NEW: "bold red",
    Change.WORSE: "bold yellow",
    Change.BETTER: "bold cyan",
    Change.GONE: "bold green",
    Change.SAME: "dim",
}
ORDER = list(STYLES)
BAR = 24
"""Letters that a rate of 100 % is drawn with."""
MOST_LISTED = 10
"""Tests of only one side that are named."""


def parts(
    before: Hunted,
    after: Hunted,
    rows: Sequence[Compared],
    alone: Sequence[tuple[Finding, Seen]],
    error: float,
    verbosity: int,
) -> Iterator[RenderableType]:
    """Yield a comparison piece by piece.

    Args:
        before: one side.
        after: the other.
        rows: what became of each mode of the tests that both have.
        alone: tests that only the later side has, and that failed.
        error: chance that anything said to have changed has not.
        verbosity: above 0 what did not change is listed.
    """
    yield Text(f"before: {clean(before.name)}\nafter:  {clean(after.name)}")
    if unlike := list(_unlike(before.hunts, after.hunts)):
        yield Text(f"they differ in {'; '.join(map(clean, unlike))}", style="bold")
    shown = [row for row in rows if row.change is not Change.SAME or verbosity > 0]
    for row in sorted(shown, key=lambda row: (ORDER.index(row.change), row.p_value)):
        yield from _row(row, before.hunts, after.hunts)
    for finding, seen in alone:
        yield Text.assemble("\n", ("ADDED", "bold red"), " ", (clean(finding.nodeid), "bold"))
        yield Text(f"  fails {_of(seen.total)} ({_between(seen.rate)}); it is only in the later side")
        yield _where(finding.modes[0])
    same = sum(row.change is Change.SAME for row in rows)
    yield Text("")
    if same and not verbosity:
        yield Text(f"unchanged as far as chance allows to tell: {number(same, 'failure')} in both or in one (-v lists)")
    yield from _only(before.hunts, after.hunts)
    if rows:
        yield Text(
            f"{number(len(rows), 'comparison')}: exact tests, sweeps against sweeps with the same on trial and "
            f"interpreters against interpreters; at most {percent(error)} chance that any change told is none"
        )
    else:
        yield Text("no test that both have failed in either")


def _row(row: Compared, before: Sequence[Findings], after: Sequence[Findings]) -> Iterator[RenderableType]:
    yield Text.assemble("\n", (row.change.value.upper(), STYLES[row.change]), " ", (clean(row.nodeid), "bold"))
    counts = (f"{_of(seen.total)} ({_between(seen.rate)})" for seen in (row.before, row.after))
    yield Text(f"  fails {' before, '.join(counts)} after; p {row.p_value:.2g}")
    finding, mode = _mode(row, (*after, *before))
    yield _where(mode)
    if sentence := remarks.sentence(finding, mode):
        yield Text(f"  {clean(sentence)}")


def _where(mode: Mode) -> Text:
    first = mode.evidence.message.partition("\n")[0]
    return Text(
        f"  {clean(mode.evidence.exception)} at {clean(str(mode.evidence.where))}: {clean(first)[:160]}", style="dim"
    )


def _mode(row: Compared, hunts: Iterable[Findings]) -> tuple[Finding, Mode]:
    """Give the newest telling of a mode."""
    return next(
        (finding, mode)
        for hunt in hunts
        for finding in hunt.tests
        if finding.nodeid == row.nodeid
        for mode in finding.modes
        if mode.fingerprint == row.fingerprint
    )


def _unlike(before: Sequence[Findings], after: Sequence[Findings]) -> Iterator[str]:
    """Say in what the circumstances differ, as that may be what changed."""
    for what in ("python", "pytest", "platform"):
        one, other = (" and ".join(sorted({getattr(hunt.trial, what) for hunt in hunts})) for hunts in (before, after))
        if one != other:
            yield f"{what}: {one} before, {other} after"
    one_set, other_set = ({name for hunt in hunts for name in hunt.trial.perturbations} for hunts in (before, after))
    if lost := sorted(one_set - other_set):
        yield f"perturbations: {', '.join(lost)} before only"
    if new := sorted(other_set - one_set):
        yield f"perturbations: {', '.join(new)} after only"


def _only(before: Sequence[Findings], after: Sequence[Findings]) -> Iterator[RenderableType]:
    """Say which tests only one side has: nothing is said of them."""
    one, other = (
        dict.fromkeys(finding.nodeid for hunt in hunts for finding in hunt.tests) for hunts in (before, after)
    )
    for names, what in (
        ([name for name in one if name not in other], "before"),
        ([name for name in other if name not in one], "after"),
    ):
        if names:
            more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
            yield Text(f"only {what}: {number(len(names), 'test')}: {', '.join(map(clean, names[:MOST_LISTED]))}{more}")


class Point(NamedTuple):
    """One hunt in the history of a test."""

    number: str
    hunt: Findings
    finding: Finding
    seen: Seen


def history(nodeid: str, points: Sequence[Point], began: Began | None, error: float) -> Iterator[RenderableType]:
    """Yield the history of a test piece by piece.

    Args:
        nodeid: of the test.
        points: hunts that ran it, the last one last.
        began: where its rate changed most surely.
        error: chance that a change which is told is none.
    """
    yield Text(clean(nodeid), style="bold")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("hunt", "started", "revision"):
        table.add_column(name, no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    table.add_column("rate, 95 %", no_wrap=True)
    table.add_column("", no_wrap=True)
    for point in points:
        trial = point.hunt.trial
        started = trial.started[:16].replace("T", " ")
        cells = (point.number, started, clean(trial.revision), _of(point.seen.total), _between(point.seen.rate))
        table.add_row(*map(Text, cells), picture(point.seen.rate, point.seen.total))
    yield table
    told = [f"{point.number}: {_modes(point.finding)}" for point in points if point.finding.modes]
    if told:
        yield Text("\n".join(("", *told)))
    yield Text("")
    yield Text(_since(points, began, error))


def picture(interval: Interval, total: Count) -> Text:
    """Draw how often a test fails: up to the share that was seen, and on to what is not excluded.

    >>> picture(Interval(0.0, 0.25), Count(10, 0)).plain, picture(Interval(0.25, 0.75), Count(10, 5)).plain
    ('│░░░░░░                  │', '│████████████░░░░░░      │')
    """
    share = total.failures / total.runs if total.runs else 0.0
    solid, faint = round(BAR * share), round(BAR * interval.high)
    solid = max(solid, 1) if total.failures else 0
    return Text.assemble(
        "│", ("█" * solid, "red"), ("░" * max(0, faint - solid), "dim"), " " * (BAR - max(solid, faint)), "│"
    )


def _modes(finding: Finding) -> str:
    """Name the ways in which a test failed in a hunt."""
    return "; ".join(
        f"{clean(mode.evidence.exception)} at {clean(str(mode.evidence.where))}, {number(mode.failures, 'failure')}"
        + (f": {clean(said)}" if (said := remarks.sentence(finding, mode)) else "")
        for mode in finding.modes
    )


def _since(points: Sequence[Point], began: Began | None, error: float) -> str:
    if began is None:
        return "one hunt is no history: when it began cannot be told"
    if not any(point.finding.verdict is not Verdict.STEADY for point in points):
        return "it was never seen failing"
    if began.p_value > error:
        return f"no hunt at which it changed can be told: chance gives such differences (p {began.p_value:.2g})"
    before, after = (
        sum(point.seen.total.failures for point in some) for some in (points[: began.place], points[began.place :])
    )
    if began.rose:
        what = "began to fail more often" if before else "began to fail"
    else:
        what = "failed less often" if after else "failed no more"
    last, first = map(_hunt, points[began.place - 1 : began.place + 1])
    return f"it {what}, most likely between {last} and {first} (p {began.p_value:.2g})"


def _hunt(point: Point) -> str:
    revision = clean(point.hunt.trial.revision)
    return f"hunt {point.number}{f' ({revision})' if revision else ''}"


def _of(count: Count) -> str:
    return f"{count.failures} of {count.runs}"


def _between(interval: Interval) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}"
