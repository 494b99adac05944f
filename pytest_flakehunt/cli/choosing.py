"""Which hunts, and which test, the words of a command mean."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_flakehunt.cli import nearest
from pytest_flakehunt.cli.ending import Refused
from pytest_flakehunt.cli.report import concluded, is_ledger
from pytest_flakehunt.ground import provenance
from pytest_flakehunt.model import Findings, Hunted, misspelt

MOST_NAMED = 10
"""Tests that a refusal lists."""


def hunts(word: str, ledger: Path) -> Hunted:
    """Give the hunts that a word means: a file's last one, one of the ledger, or all of a revision.

    Args:
        word: the path of a ledger or of a JSON report; the number of a hunt in the ledger, or how its id begins; a
            revision as git knows it, or as it begins.
        ledger: where hunts are looked for by number, id and revision.
    """
    from pytest_flakehunt.ledger import archive

    if Path(word).is_file():
        findings = concluded(Path(word), "")
        return Hunted(f"{word} ({told(findings)})", (findings,))
    if not ledger.is_file():
        raise Refused(
            f"{word}: there is no such file, and no ledger {ledger} to look in; {nearest.advice('--ledger ')}"
        )
    kept = every(ledger)
    if word in kept:
        return Hunted(f"hunt {word} ({told(kept[word])})", (kept[word],))
    by_id = {number: hunt for number, hunt in kept.items() if archive.begins_id(hunt.trial.uid, word)}
    full = (
        provenance.git(Path.cwd(), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{word}^{{commit}}") or ""
    )
    full = full.strip() or word
    at = {number: hunt for number, hunt in kept.items() if _is_at(hunt.trial.revision, full)}
    found = {**by_id, **at}
    if not found:
        raise Refused(_nothing(word, full, ledger, kept))
    if by_id and (at or len(by_id) > 1):
        raise Refused(f"{word}: that is {listed(found)} of {ledger}; give the number of one, or more of its id")
    numbers = listed(found)
    sweeps = sum(hunt.trial.sweeps for hunt in found.values())
    (name,) = {told(hunt) for hunt in found.values()} if len(found) == 1 else {f"{sweeps} sweeps at {word}"}
    return Hunted(f"{numbers} ({name})", tuple(found.values()))


def every(ledger: Path) -> dict[str, Findings]:
    """Give what all hunts of a ledger said that were concluded, by number, the last one last."""
    if not is_ledger(ledger):
        raise Refused(f"{ledger}: it is no ledger; give the path of one")
    kept = dict(reversed([*newest(ledger)]))
    if not kept:
        raise Refused(f"{ledger}: none of its hunts was concluded; flakehunt report --list shows those there are")
    return kept


def newest(ledger: Path) -> Iterator[tuple[str, Findings]]:
    """Yield what the hunts of a ledger said that were concluded, with their numbers, the last one first."""
    from pytest_flakehunt.ledger import archive
    from pytest_flakehunt.ledger.errors import LedgerError

    try:
        kept = [str(hunt.number) for hunt in archive.hunts(ledger) if hunt.concluded]
    except LedgerError as error:
        raise Refused(str(error)) from None
    yield from ((number, concluded(ledger, number)) for number in reversed(kept))


def test_of(wanted: str, names: Iterable[str]) -> str:
    """Give the node id that is meant: the whole of it, or a part that only one has."""
    known = list(dict.fromkeys(names))
    if wanted in known:
        return wanted
    fitting = [name for name in known if name.endswith((f"::{wanted}", f"/{wanted}"))]
    fitting = fitting or [name for name in known if wanted in name]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        short = {name.rpartition("::")[2]: name for name in known}
        hint = misspelt.hint(wanted, [*known, *short])
        raise Refused(f"{wanted}: no test is called so in what was recorded{hint}; give its node id, or a part of it")
    shown = "\n  ".join(fitting[:MOST_NAMED])
    more = f"\n  and {len(fitting) - MOST_NAMED} more" if len(fitting) > MOST_NAMED else ""
    raise Refused(f"{wanted}: {len(fitting)} tests are called so; give more of one's node id:\n  {shown}{more}")


def told(hunt: Findings) -> str:
    """Tell a hunt from others in a few words."""
    trial = hunt.trial
    return ", ".join(filter(None, (f"{trial.sweeps} sweeps", trial.revision, trial.started[:16].replace("T", " "))))


def listed(numbers: Iterable[str]) -> str:
    """Name hunts by their numbers.

    >>> listed(["3"]), listed(["3", "5"])
    ('hunt 3', 'hunts 3 and 5')
    """
    *others, last = numbers
    return f"hunts {', '.join(others)} and {last}" if others else f"hunt {last}"


def _is_at(recorded: str, revision: str) -> bool:
    """Tell whether a hunt was of a revision, with no file changed."""
    from pytest_flakehunt.ledger import archive

    return (
        bool(recorded)
        and len(revision) >= archive.FEWEST_DIGITS
        and not recorded.endswith("+")
        and (revision.startswith(recorded) or recorded.startswith(revision))
    )


def _nothing(word: str, revision: str, ledger: Path, kept: dict[str, Findings]) -> str:
    changed = {number: 0 for number, hunt in kept.items() if _is_at(hunt.trial.revision.removesuffix("+"), revision)}
    if changed:
        return (
            f"{word}: of that revision there is only {listed(changed)} in {ledger}, with files that had been changed; "
            "give its number if that is what you mean"
        )
    return (
        f"{word}: that is no file, and {ledger} has no hunt of that number, id or revision; "
        "flakehunt report --list shows those there are"
    )


def share(text: str) -> float:
    """Give a chance that can be promised."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text}: give a share strictly between 0 and 1, such as 0.05")
    return value
