"""What an ordinary run says of its quarantine."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pytest

from pytest_flakehunt.model import Entry
from pytest_flakehunt.reports.words import clean, harmless, number


class Excused(NamedTuple):
    """One failing phase that does not count."""

    phase: str
    kind: str
    statement: str
    message: str
    """The first line."""
    words: str
    """Until when, and for which cause."""
    owner: str
    issue: str


def skipped(entry: Entry) -> str:
    """Give the reason why a quarantined test is skipped."""
    return f"quarantined {entry.about}"


def lines(
    excused: Mapping[str, Sequence[Excused]],
    refused: Sequence[tuple[str, str]],
    skipped: Mapping[str, str],
    notes: Sequence[str],
    systemic: str,
    verbosity: int,
) -> Iterator[str]:
    """Yield what is to be said.

    Args:
        excused: by test, the failing phases that do not count.
        refused: failures of quarantined tests that count, each with the reason.
        skipped: tests that were not run, each with the reason.
        notes: what is wrong with the file.
        systemic: why the run fails although all failures are excused; empty where it does not.
        verbosity: below 0 leaves out how an excused test failed; below -1 they are only counted.
    """
    if verbosity < -1 and excused:
        yield f"{number(len(excused), 'test')} failed as quarantined"
    for nodeid, phases in excused.items() if verbosity >= -1 else ():
        for one in phases:
            about = "; ".join(filter(None, (one.words, one.owner, one.issue)))
            yield f"QUARANTINED {clean(nodeid)}: {clean(about)}"
            if verbosity < 0:
                continue
            yield f"  {clean(one.kind)} in {one.phase}{': ' * bool(one.message)}{clean(one.message)}"
    for nodeid, why in skipped.items() if verbosity >= -1 else ():
        yield f"QUARANTINED, not run {clean(nodeid)}: {clean(why)}"
    for nodeid, why in refused:
        yield f"NOT EXCUSED {clean(nodeid)}: {clean(why)}"
    for note in notes:
        yield f"note: {clean(note)}"
    if systemic:
        yield systemic


def updated(
    difference: str, entries: str, notes: Sequence[str], reporter: "pytest.TerminalReporter", verbosity: int
) -> None:
    """Show what a hunt has written into the file, or what may be pasted there.

    Args:
        difference: what was written.
        entries: what may be pasted, where nothing was.
        notes: what is wrong with the file, and what was left out of it.
        reporter: pytest's terminal.
        verbosity: above 0 shows entries to paste.
    """
    shown = [f"note: {clean(note)}" for note in notes]
    if difference:
        shown += ["written, for you to look at, fill in and commit:", *clean(difference).splitlines()]
    elif entries and verbosity > 0:
        shown += ["to be pasted into the quarantine file, if it has to be:", *clean(entries).splitlines()]
    if shown:
        write(shown, reporter)


def systemic(excused: Mapping[str, Sequence[Excused]], most: int) -> str:
    """Say that too many tests failed as quarantined, and what they share.

    Args:
        excused: by test.
        most: that are allowed in one run.
    """
    firsts = [phases[0] for phases in excused.values()]
    kinds = Counter(f"{one.kind} in {one.phase}" for one in firsts)
    statements = Counter(one.statement for one in firsts)
    shared = [f"{_share(seen, len(firsts))} with {clean(what)}" for what, seen in kinds.most_common(1)]
    shared += [f"{_share(seen, len(firsts))} at {clean(what)}" for what, seen in statements.most_common(1) if seen > 1]
    return (
        f"systemic: {number(len(excused), 'test')} failed as quarantined in one run, and max_excused allows {most}: "
        f"the run fails; {', '.join(shared)}"
    )


def _share(some: int, total: int) -> str:
    return "all" if some == total else f"{some} of them"


def write(written: Sequence[str], reporter: "pytest.TerminalReporter") -> None:
    """Write lines where pytest writes."""
    reporter.write_sep("=", "quarantine")
    for line in written:
        reporter.write_line(harmless(line))
