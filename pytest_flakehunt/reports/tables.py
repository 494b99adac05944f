"""Tables of the report on the terminal: runs and failures under conditions."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from pytest_flakehunt.analysis.intervals import rate
from pytest_flakehunt.model import Condition, Count, Suspect
from pytest_flakehunt.reports.words import clean, percent


def by_trial(columns: Sequence[str], under: Sequence[Count]) -> Table:
    """Show runs and failures by what was on trial, and how often it may fail there all the same."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("on trial")
    for name in ("runs", "failed"):
        table.add_column(name, justify="right")
    table.add_column("fails, 95 %")
    for name, count in zip(columns, under, strict=True):
        interval = rate(count.failures, count.runs)
        said = f"{percent(interval.low)} to {percent(interval.high)}" if count.runs else "not tried"
        table.add_row(*map(Text, (clean(name), str(count.runs), str(count.failures), said)))
    return table


def experiments(rows: Sequence[Condition]) -> Table:
    """Show runs and failures of each experiment."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("experiment")
    for name in ("runs", "failed"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(Text(clean(row.what)), *map(str, row.count))  # a plain string would be read as markup
    return table


def suspects(found: Sequence[Suspect]) -> Table:
    """Show runs and failures per condition."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("suspect")
    for name in ("runs", "failed", "runs without", "failed", "p"):
        table.add_column(name, justify="right")
    for suspect in found:
        setting = f"={suspect.setting}" if suspect.setting else ""
        numbers = (*suspect.present, *suspect.absent)
        table.add_row(Text(clean(f"{suspect.perturbation}{setting}")), *map(str, numbers), f"{suspect.p_value:.2g}")
    return table
