"""What ``flakehunt quarantine`` writes: the report, what is wrong with the file, and what replays showed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_flakehunt.model import Complaint, Replayed
from pytest_flakehunt.reports.words import clean, number, percent

Owners = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows of the report, by owner."""


def text(owners: Owners) -> str:
    """Give the report for a terminal."""
    return "\n".join([*_lines(owners), ""])


def _lines(owners: Owners) -> Iterator[str]:
    yield _summary(owners)
    for owner, rows in owners.items():
        yield f"\n{clean(owner)}: {number(len(rows), 'test')}"
        for row in rows:
            yield f"  {clean(row['test'])}"
            yield f"    {_when(row)}; added {number(row['days'], 'day')} ago"
            yield from (f"    {clean(row[key])}" for key in ("cause", "reason", "issue") if row[key])
            yield f"    {clean(_rate(row))}; {_since(row)}"


def _summary(owners: Owners) -> str:
    rows = [row for some in owners.values() for row in some]
    if not rows:
        return "nothing is quarantined"
    live = [row for row in rows if row["live"]]
    nearest = min(live, key=lambda row: row["expires"], default=None)
    coming = f"; next: {clean(nearest['test'])} on {nearest['expires']}" if nearest else ""
    return f"{number(len(rows), 'test')} quarantined, {len(live)} of them excused today{coming}"


def _when(row: Mapping[str, Any]) -> str:
    if row["live"]:
        left = row["days_left"]
        return f"expires on {row['expires']}, {'today' if not left else 'in ' + number(left, 'day')}"
    return str(row["why_not"])


def _rate(row: Mapping[str, Any]) -> str:
    under = f" under {row['plan']}" if row["plan"] else ""  # with none it may need another test before it
    runs, failures = row["seen"]["runs"], row["seen"]["failures"]
    if row["mode"] == "skip":
        return "not run at all"
    if not runs:
        return f"fails{under}; how often is not known"
    low, high = percent(row["rate"]["low"]), percent(row["rate"]["high"])
    return f"fails {failures} of {runs}{under} ({low} to {high})"


def _since(row: Mapping[str, Any]) -> str:
    last = f"last seen failing {row['last_failed']}" if row["last_failed"] else "not seen failing in this ledger"
    runs, failures = row["since"]["runs"], row["since"]["failures"]
    return f"{last}, {failures} of {runs} since {row['added']}" if runs else last


def markdown(owners: Owners) -> str:
    """Give the report for an issue, a merge request or a job's summary."""
    lines = [_cell(_summary(owners)), ""]
    for owner, rows in owners.items():
        lines += [f"### {_cell(owner)}: {number(len(rows), 'test')}", ""]
        lines += [
            "| test | expires | added | cause | fails | last seen failing | issue |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in rows:
            cells = (
                row["test"], _when(row), row["added"], row["cause"] or row["reason"], _rate(row),
                row["last_failed"] or "not in this ledger", row["issue"],
            )  # fmt: skip
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Write text so that it stays one cell and no markup."""
    line = " ".join(clean(text).split())
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|~!" else letter for letter in line)


def checked(found: Sequence[Complaint], notes: Sequence[str], name: str, entries: int) -> str:
    """Say what is wrong with a file, each with what to do."""
    lines = []
    for complaint in sorted(found, key=lambda one: (not one.error, one.line)):
        place = f"{name}:{complaint.line}" if complaint.line else name
        about = f"{clean(complaint.test)} " if complaint.test else ""
        lines += [f"{'error' if complaint.error else 'warning'}: {place}: {about}{clean(complaint.text)}"]
        lines += [f"  {clean(complaint.remedy)}"]
    lines += [f"note: {clean(note)}" for note in notes]
    errors = sum(complaint.error for complaint in found)
    counted = f"{number(errors, 'error')}, {number(len(found) - errors, 'warning')}" if found else "nothing is wrong"
    return "\n".join([*lines, f"{name}: {number(entries, 'entry').replace('entrys', 'entries')}: {counted}", ""])


def replayed(item: Replayed) -> str:
    """Say what the replay of one entry showed."""
    test = clean(item.entry.test)
    if item.why_not:
        return f"stays: {test}: {clean(item.why_not)}\n"
    return (
        f"passes: {test}: {clean(item.shown)}; that excludes that it fails more than {percent(item.excluded)} of the "
        "time (95 %)\n"
    )


def held_back(item: Replayed, by: str) -> str:
    """Say that a test stays for another one's sake."""
    return f"stays: {clean(item.entry.test)}: it passes, but {clean(by)} has the same cause and does not\n"
