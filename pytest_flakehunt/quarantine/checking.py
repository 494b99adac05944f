"""What is wrong with a quarantine file: for a job of its own, that an entry over date turns red and nothing else."""

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from difflib import SequenceMatcher
from pathlib import Path

from pytest_flakehunt.analysis.fingerprints import named
from pytest_flakehunt.ground.provenance import git
from pytest_flakehunt.model import Complaint, Entry, Excusing, Limits, Quarantine
from pytest_flakehunt.quarantine import QuarantineError, node_ids, sources
from pytest_flakehunt.quarantine.matching import SLACK
from pytest_flakehunt.quarantine.reading import parse

GRACE = timedelta(days=7)
"""After ``expires``, in which an entry is only warned of; and before it, in which it is."""


def complaints(
    quarantine: Quarantine,
    limits: Limits,
    today: date,
    *,
    collected: Collection[str] | None,
    folder: Path,
    ready: Mapping[str, int],
) -> Iterator[Complaint]:
    """Yield what is wrong with a file, by itself.

    Args:
        quarantine: what it says.
        limits: that hold; those of another revision of the file, where one is given.
        today: in UTC.
        collected: all tests that there are; None where that could not be found out.
        folder: of the configuration.
        ready: tests that were not seen failing since they were added, and how
            often they ran.
    """
    if len(quarantine.entries) > limits.max_entries:
        yield Complaint(
            0, "", f"{len(quarantine.entries)} entries, and max_entries allows {limits.max_entries}",
            "mend some tests, and release them: flakehunt quarantine release",
        )  # fmt: skip
    for entry in quarantine.entries:
        yield from _dates(entry, limits, today)
        yield from _blanks(entry)
        if collected is not None and not any(node_ids.fits(entry.test, test) for test in collected):
            yield _gone(entry, folder)
        if entry.test in ready:
            yield Complaint(
                entry.line, entry.test, f"was not seen failing since {entry.added}, in {ready[entry.test]} attempts",
                f"flakehunt quarantine release {shlex.quote(entry.test)}", error=False,
            )  # fmt: skip


def _dates(entry: Entry, limits: Limits, today: date) -> Iterator[Complaint]:
    remove = f"flakehunt quarantine release {shlex.quote(entry.test)}, or flakehunt quarantine remove with it"
    days = (entry.expires - entry.added).days
    if entry.expires < today:
        ago = (today - entry.expires).days
        yield Complaint(
            entry.line, entry.test, f"expired on {entry.expires}, {ago} days ago", remove,
            error=today - entry.expires > GRACE,
        )  # fmt: skip
    elif entry.expires - today <= GRACE:
        yield Complaint(
            entry.line, entry.test, f"expires on {entry.expires}, in {(entry.expires - today).days} days", remove,
            error=False,
        )  # fmt: skip
    if days > limits.max_days:
        until = entry.added + timedelta(days=limits.max_days)
        yield Complaint(
            entry.line, entry.test, f"expires {days} days after it was added, and max_days allows {limits.max_days}",
            f"write expires = {until}, or an earlier day",
        )  # fmt: skip
    if entry.added > today + SLACK:
        yield Complaint(
            entry.line, entry.test, f"was added on {entry.added}, which is yet to come", f"write added = {today}"
        )  # fmt: skip


def _blanks(entry: Entry) -> Iterator[Complaint]:
    for key, what in (("owner", "who is to mend it"), ("issue", "where that is followed")):
        if not getattr(entry, key).strip():
            yield Complaint(entry.line, entry.test, f"has no {key}", f'write {key} = "…": {what}')


def _gone(entry: Entry, folder: Path) -> Complaint:
    remedy = f"flakehunt quarantine remove {shlex.quote(entry.test)}"
    _, parameters = node_ids.split(entry.test)
    for test in sources.alike(folder, entry.body)[:1]:
        new, old = shlex.quote(test + parameters), shlex.quote(entry.test)
        remedy = f"it seems to be {test} now: flakehunt quarantine add {new} --renamed-from {old}"
    return Complaint(entry.line, entry.test, "names no test", remedy)


def based(
    quarantine: Quarantine, path: Path, folder: Path, base: str, *, allowed: Collection[str]
) -> tuple[Limits, list[Complaint]]:
    """Look at what a change does to a file: give the limits as they were before it, and what is wrong.

    Args:
        quarantine: what the file says.
        path: of the file.
        folder: of the configuration.
        base: the revision of git that the change begins from.
        allowed: tests whose entries may come with a change of what they excuse.

    Raises:
        QuarantineError: there is no such revision, or no repository.
    """
    path = path.resolve()
    root = git(path.parent, "rev-parse", "--show-toplevel")
    if not base or root is None or git(path.parent, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}") is None:
        raise QuarantineError(
            f"--base {base!r}: git knows no such revision in {path.parent}: fetch it, or name another"
        )
    top = Path(root.strip())
    name = path.relative_to(top.resolve()).as_posix()
    before = git(top, "show", f"{base}:{name}")
    was = parse(before, f"{path.name} at {base}") if before is not None else Quarantine()
    there = {entry.test: entry for entry in was.entries}
    changes = _changes(top, base)
    found = [*_raised(was.limits, quarantine.limits, allowed)]
    for entry in quarantine.entries:
        if entry.test in allowed:
            continue
        old = there.get(entry.test)
        fresh = [text for text in entry.fingerprints if old is None or _wider(old, entry, text)]
        if fresh or old is None or (entry.mode is Excusing.SKIP and old.mode is not Excusing.SKIP):
            found += _smuggled(entry, fresh, folder, changes)
    return was.limits, found


def _wider(old: Entry, new: Entry, fingerprint: str) -> bool:
    """Tell whether an entry excuses more than it did: for longer, without a message, or another failure."""
    return (
        fingerprint not in old.fingerprints
        or (bool(old.message) and new.message != old.message)
        or new.expires > old.expires
    )


def _raised(before: Limits, after: Limits, allowed: Collection[str]) -> Iterator[Complaint]:
    """Yield the limits that a change raises."""
    for key in Limits.__slots__:
        was, now = getattr(before, key), getattr(after, key)
        if now > was and key not in allowed:
            why = f"{key} is raised from {was} to {now} by this change"
            yield Complaint(0, "", why, f"leave it, or add --allow {key} after a review")


def _changes(top: Path, base: str) -> dict[Path, set[int]]:
    """Give the lines of Python files that differ from those of a revision, by their absolute paths.

    Only names are taken from git's comparison: attributes and settings of a
    repository may change what it shows of a difference.
    """
    start = (git(top, "merge-base", base, "HEAD") or base).strip()
    named = git(top, "diff", "--name-only", "-z", "--no-renames", "--no-relative", "--no-ext-diff", start) or ""
    untracked = git(top, "ls-files", "--others", "--exclude-standard", "-z", "--full-name") or ""
    changes: dict[Path, set[int]] = {}
    for name in filter(None, (named + untracked).split("\0")):
        path = top.resolve() / name
        if name.endswith(".py") and path.is_file():
            changes[path] = _lines(
                git(top, "show", f"{start}:{name}") or "", path.read_text("utf-8", "surrogateescape")
            )
    return changes


def _lines(before: str, after: str) -> set[int]:
    """Give the lines of a text that another one does not have; those around what was taken away are touched too."""
    old, new = before.splitlines(), after.splitlines()
    touched: set[int] = set()
    for tag, _, _, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "delete":
            touched.update((first, first + 1))
        elif tag != "equal":
            touched.update(range(first + 1, last + 1))
    return touched


def _smuggled(
    entry: Entry, fresh: Sequence[str], folder: Path, changes: Mapping[Path, set[int]]
) -> Iterator[Complaint]:
    """Yield why an entry that a change adds cannot come with it."""
    allow = f"let it come in a change of its own, or add --allow {shlex.quote(entry.test)} after a review"
    file = (folder / entry.test.partition("::")[0]).resolve()
    function = sources.function_of(folder, entry.test)
    touched = changes.get(file, set())
    if touched and (function is None or touched & set(range(function.first, function.last + 1))):
        yield Complaint(
            entry.line, entry.test, "is added, or excuses more, by a change that touches this very test", allow
        )
    if entry.mode is Excusing.SKIP:
        yield Complaint(
            entry.line, entry.test, "is not run any more at all", "see that it hangs, or ends its process", error=False
        )
        return
    told = {named(*text.split(" ", 2)): text.split(" ", 2)[2] for text in entry.at if text.count(" ") >= 2}
    if unknown := [text for text in fresh if text not in told]:
        yield Complaint(
            entry.line,
            entry.test,
            f"is added, or excuses more, without what {', '.join(unknown)} stands for in at: whether the change "
            "touches the failing statement cannot be told",
            f"take the entry as a hunt writes it, or {allow}",
        )
        return
    statements = {statement for path, lines in changes.items() if path.suffix == ".py" and path.exists()
                  for statement in sources.statements(path, lines)}  # fmt: skip
    for text in fresh:
        if any(_among(statement, told[text]) for statement in statements):
            yield Complaint(
                entry.line,
                entry.test,
                f"is added, or excuses more, by a change that touches the failing statement: {told[text]}",
                allow,
            )


def _among(statement: str, told: str) -> bool:
    """Tell whether a statement is one of those that a fingerprint is made of."""
    return f" & {statement} & " in f" & {told} & "
