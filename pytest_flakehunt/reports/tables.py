"""Tables of the report on the terminal: runs and failures under conditions."""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len

from pytest_flakehunt.analysis.intervals import rate
from pytest_flakehunt.model import Condition, Count, Suspect
from pytest_flakehunt.reports.prose import Lines
from pytest_flakehunt.reports.words import clean, percent


def by_trial(columns: Sequence[str], under: Sequence[Count]) -> Iterator[Lines]:
    """Show runs and failures by what was on trial, and how often it may fail there all the same."""
    rows = []
    for name, count in zip(columns, under, strict=True):
        interval = rate(count.failures, count.runs)
        said = f"{percent(interval.low)} to {percent(interval.high)}" if count.runs else "not tried"
        rows.append((name, str(count.runs), str(count.failures), said))
    return _table(("on trial", "runs", "failed", "fails, 95 %"), rows, words={0, 3})


def experiments(rows: Sequence[Condition]) -> Iterator[Lines]:
    """Show runs and failures of each experiment."""
    return _table(("experiment", "runs", "failed"), [(row.what, *map(str, row.count)) for row in rows])


def suspects(found: Sequence[Suspect]) -> Iterator[Lines]:
    """Show runs and failures per condition."""
    rows = []
    for suspect in found:
        setting = f"={suspect.setting}" if suspect.setting else ""
        numbers = (*suspect.present, *suspect.absent)
        rows.append((f"{suspect.perturbation}{setting}", *map(str, numbers), f"{suspect.p_value:.2g}"))
    return _table(("suspect", "runs", "failed", "runs without", "failed", "p"), rows)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], words: Iterable[int] = (0,)) -> Iterator[Lines]:
    """Lay out rows below their names: words begin below each other, numbers end there."""
    cells = [names, *([" ".join(clean(cell).split()) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        laid = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blanks = " " * (width - cell_len(cell))
            laid.append(cell + blanks if place in words else blanks + cell)
        return "  ".join(laid).rstrip()

    head, *lines = map(line, cells)
    yield Lines(head, style="dim")
    if lines:
        yield Lines("\n".join(lines))
