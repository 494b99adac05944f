"""``flakehunt quarantine``: list, check, release, add, remove."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.asked.flags import QUARANTINE as NAME
from pytest_flakehunt.cli import nearest
from pytest_flakehunt.cli.ending import FOUND, OK, Refused
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.ground.provenance import git, revision
from pytest_flakehunt.model import Complaint, Count, Diagnosis, Entry, Excusing, Known, Quarantine, Released, Verdict
from pytest_flakehunt.quarantine import QuarantineError, editing, node_ids
from pytest_flakehunt.quarantine.reading import read
from pytest_flakehunt.reports import quarantine_list as shown
from pytest_flakehunt.reports.words import harmless_json, safe

TRAILER = "Flake-Fix"
FIELDS = {
    "cause": "why it fails, in a sentence",
    "plan": "under which plan",
    "owner": "whose it is (default: as CODEOWNERS has it)",
    "issue": "the address of its issue",
    "reason": "why it is excused",
    "message": "a pattern, with * and ?, that the whole message of its failure has to fit",
    "together": "a name that entries with one cause share: they are released together, or none of them",
}
"""Fields of an entry that are given as they are."""
Given = TypeVar("Given")


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    group = commands.add_parser("quarantine", help="look after the file of excused tests")
    inner = group.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        reads = inner.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        reads.add_argument("--file", type=Path, help=f"the quarantine file (default: {NAME}, from here upwards)")
        reads.add_argument(
            "--root", type=Path, help="the folder of pytest's configuration (default: the nearest around the file)"
        )  # fmt: skip
        reads.set_defaults(run=run)
        return reads

    lists = command("list", list_entries, "the quarantine report: who is excused, for how long, what expires next")
    lists.add_argument("--ledger", type=Path, help=f"where hunts are kept (default: {LEDGER} beside the file)")
    form = lists.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as Markdown")

    checks = command("check", check, "what is wrong with the file, for a job of its own; pytest's options after --")
    checks.set_defaults(starts_pytest=True)
    checks.add_argument("--base", metavar="REV", help="the revision that a change begins from: its limits hold")
    checks.add_argument("--allow", metavar="TEST", action="append", default=[], help="an entry that may come with it")
    checks.add_argument("--ledger", type=Path, help=f"where hunts are kept (default: {LEDGER} beside the file)")
    checks.add_argument("--no-collect", action="store_true", help="do not look whether the tests are still there")

    releases = command("release", release, "replay entries, and release what passes; pytest's options after --")
    releases.set_defaults(starts_pytest=True)
    releases.add_argument("tests", metavar="TEST", nargs="*", help="tests as their entries have them (default: all)")
    releases.add_argument(
        "--from-commits", metavar="BASE..HEAD", help=f"those that commits name in a trailer {TRAILER}: NODEID"
    )  # fmt: skip
    releases.add_argument("--dry-run", action="store_true", help="replay, and change nothing")

    adds = command("add", add, "add an entry, from a report of a hunt or by hand")
    adds.add_argument("test", metavar="TEST", help="its node id")
    adds.add_argument("--report", type=Path, help="a JSON report of a hunt, which says how the test fails")
    adds.add_argument(
        "--ledger", type=Path, help=f"where the last hunt says so otherwise (default: {LEDGER} beside the file)"
    )  # fmt: skip
    adds.add_argument("--fingerprint", action="append", default=[], help="of a failure that is excused")
    for name, text in FIELDS.items():
        adds.add_argument(f"--{name}", default="", help=text)
    adds.add_argument(
        "--after", metavar="TEST", action="append", help="a test that runs before it when it fails (default: as found)"
    )
    adds.add_argument("--expires", metavar="DATE", help="the last day (default: in two weeks)")
    adds.add_argument("--skip", action="store_true", help="do not run it: it hangs, or ends its process")
    adds.add_argument("--renamed-from", metavar="OLD", help="let the entry of another test mean this one")

    removes = command("remove", remove, "take entries out")
    removes.add_argument("tests", metavar="TEST", nargs="+", help="tests as their entries have them")


class _Place:
    """The file, and what it says."""

    def __init__(self, asked: argparse.Namespace, *, new: bool = False) -> None:
        self.path: Path = asked.file or _found(Path.cwd()) or Path.cwd() / NAME
        self.folder: Path = (asked.root or _configured(self.path.resolve().parent)).resolve()
        self.today = realtime.now().date()
        self.quarantine = Quarantine()
        if not self.path.exists() and not new:
            raise Refused(f"{self.path}: there is no such file: give its path with --file, or add an entry")
        if self.path.exists():
            self.quarantine = _borne(lambda: read(self.path))

    def chosen(self, tests: Sequence[str]) -> list[Entry]:
        """Give the entries of tests; all where none are named."""
        by_name = {entry.test: entry for entry in self.quarantine.entries}
        for test in tests:
            if test not in by_name:
                fitting = [entry.test for entry in self.quarantine.entries if node_ids.fits(entry.test, test)]
                hint = f"; {fitting[0]} means it" if fitting else "; flakehunt quarantine list shows those there are"
                raise Refused(f"{test}: it has no entry in {self.path.name}{hint}")
        return [by_name[test] for test in dict.fromkeys(tests)] if tests else list(self.quarantine.entries)

    def change(self, change: Callable[[str], str], *, dry: bool = False) -> None:
        """Change the file, and show how."""
        difference = _borne(lambda: editing.changed(self.path, change, dry=dry)).replace("\r\n", "\n")
        _say(difference or "nothing was changed\n")


def _say(text: str) -> None:
    sys.stdout.write(safe(text))


def _configured(folder: Path) -> Path:
    """Give the nearest folder around the file in which pytest is configured; the file's own where there is none."""
    return next((place for place in (folder, *folder.parents) if nearest.configured(place)), folder)


def _found(folder: Path) -> Path | None:
    return next((place / NAME for place in (folder, *folder.parents) if (place / NAME).exists()), None)


def _borne(look: Callable[[], Given]) -> Given:
    try:
        return look()
    except QuarantineError as error:
        raise Refused(str(error)) from None


def list_entries(asked: argparse.Namespace) -> int:
    """Show the quarantine report."""
    from pytest_flakehunt.quarantine import reporting

    place = _Place(asked)
    rows = reporting.rows(place.quarantine, _known(place, asked.ledger), place.today)
    if asked.json:
        text = json.dumps({"schema": "pytest-flakehunt-quarantine/1", "entries": rows}, indent=1) + "\n"
    else:
        text = (shown.markdown if asked.markdown else shown.text)(reporting.by_owner(rows))
    sys.stdout.write(harmless_json(text) if asked.json else safe(text))
    return OK


def _known(place: _Place, ledger: Path | None) -> Mapping[str, Known]:
    """Look up what the ledger knows of each test."""
    path = ledger or place.folder / LEDGER
    if not path.exists():
        if ledger is not None:
            raise Refused(f"--ledger {ledger}: there is no such file")
        return {}
    from pytest_flakehunt.ledger import archive
    from pytest_flakehunt.ledger.errors import LedgerError

    try:
        return {
            entry.test: archive.known(
                path,
                lambda nodeid, test=entry.test: node_ids.fits(test, nodeid),  # type: ignore[misc]
                entry.fingerprints,
                entry.added.isoformat(),
            )
            for entry in place.quarantine.entries
        }
    except LedgerError as error:
        raise Refused(str(error)) from None


def check(asked: argparse.Namespace) -> int:
    """Say what is wrong with the file."""
    from pytest_flakehunt.quarantine import checking
    from pytest_flakehunt.quarantine.collecting import collected

    place = _Place(asked)
    entries = place.quarantine.entries
    tests: set[str] | None = None
    found: list[Complaint] = []
    if not asked.no_collect:
        own = [entry.test for entry in entries if node_ids.inside(place.folder, entry.test)]
        files = {file for test in own if (place.folder / (file := test.partition("::")[0])).is_file()}
        tests = collected(place.folder, files, asked.pytest)
    limits = place.quarantine.limits
    if asked.base is not None:
        limits, found = _borne(
            lambda: checking.based(place.quarantine, place.path, place.folder, asked.base, allowed=asked.allow)
        )
    known = _known(place, asked.ledger)
    ready = {test: seen.runs for test, seen in known.items() if seen.runs and not seen.failures}
    found += checking.complaints(
        place.quarantine, limits, place.today, collected=tests, folder=place.folder, ready=ready
    )
    notes = [f"{key} means nothing to us" for key in place.quarantine.unknown]
    if tests is None and not asked.no_collect:
        notes.append("pytest could not collect: whether the tests are still there is not known")
    _say(shown.checked(found, notes, place.path.name, len(entries)))
    return FOUND if any(complaint.error for complaint in found) else OK


def release(asked: argparse.Namespace) -> int:
    """Replay entries, and release what passes."""
    from pytest_flakehunt.quarantine import releasing

    place = _Place(asked)
    tests = [*asked.tests, *(_from_commits(place, asked.from_commits) if asked.from_commits else ())]
    if asked.from_commits and not tests:
        _say(f"no commit of {asked.from_commits} names a quarantined test in a trailer {TRAILER}\n")
        return OK
    replayed = []
    for entry in place.chosen(tests):
        replayed.append(releasing.replay(entry, place.folder, asked.pytest))
        _say(shown.replayed(replayed[-1]))
        sys.stdout.flush()
    staying = {item.entry.together: item.entry.test for item in replayed if item.why_not and item.entry.together}
    leaving = []
    for item in replayed:
        if not item.why_not and item.entry.together in staying:
            _say(shown.held_back(item, staying[item.entry.together]))
        elif not item.why_not:
            leaving.append(item)
    at = revision(place.folder)
    released = [
        Released(
            item.entry.test, place.today, item.entry.cause, item.entry.fingerprints, at, f"{item.shown}"
        )
        for item in leaving
    ]  # fmt: skip
    if released:
        place.change(lambda text: editing.with_released(text, released), dry=asked.dry_run)
    return OK if len(leaving) == len(replayed) else FOUND


def _from_commits(place: _Place, span: str) -> list[str]:
    """Give the quarantined tests that commits name."""
    said = git(place.folder, "log", f"--format=%(trailers:key={TRAILER},valueonly,separator=%x00)%x00", span, "--")
    if said is None:
        raise Refused(f"--from-commits {span}: git knows no such commits in {place.folder}: give BASE..HEAD")
    named = dict.fromkeys(text.strip() for text in said.split("\0") if text.strip())
    entries = {entry.test for entry in place.quarantine.entries}
    for test in named:
        if test not in entries:
            _say(f"{test}: named by a commit, and not quarantined\n")
    return [test for test in named if test in entries]


def add(asked: argparse.Namespace) -> int:
    """Add an entry, or let one mean another test."""
    from pytest_flakehunt.quarantine.owners import owner_of
    from pytest_flakehunt.quarantine.proposing import last_day
    from pytest_flakehunt.quarantine.sources import body_of, renamed

    for test in (asked.test, *(asked.after or ())):
        _written(test)
    place = _Place(asked, new=True)
    if asked.renamed_from:
        (old,) = place.chosen([asked.renamed_from])
        entry = renamed(place.folder, old, asked.test)
        place.change(lambda text: editing.renamed(text, old.test, entry))
        if entry.fingerprints == old.fingerprints:
            _say("note: its fingerprints stay: those of failures in the test itself need a new hunt\n")
        return OK
    if any(entry.test == asked.test for entry in place.quarantine.entries):
        raise Refused(f"{asked.test}: it has an entry already: change that one by hand, or remove it first")
    by_hand = asked.report is None and (asked.fingerprint or asked.skip)
    from_report = {} if by_hand else _of_report(asked, place)
    fields: dict[str, Any] = {
        **from_report,
        **{name: getattr(asked, name) for name in ("cause", "plan", "issue", "reason", "message", "together")
           if getattr(asked, name) or name not in from_report},
    }  # fmt: skip
    if asked.after is not None:
        fields["after"] = tuple(dict.fromkeys(asked.after))
    prints = (*from_report.get("fingerprints", ()), *asked.fingerprint)
    if not prints and not asked.skip:
        raise Refused(
            "which failures are excused? hunt first, give --report with the JSON report of a hunt, --fingerprint, or "
            "--skip for what hangs or ends its process"
        )
    entry = Entry(**{
        **fields,
        "test": asked.test,
        "added": place.today,
        "expires": _day(asked.expires) if asked.expires else last_day(place.quarantine.limits, place.today),
        "fingerprints": tuple(dict.fromkeys(prints)),
        "owner": asked.owner or owner_of(place.folder / asked.test.partition("::")[0]),
        "body": body_of(place.folder, asked.test),
        "mode": Excusing.SKIP if asked.skip else Excusing.RUN,
    })  # fmt: skip
    place.change(lambda text: editing.with_added(text, [entry]))
    for test in (asked.test, *(asked.after or ())):
        if not body_of(place.folder, test):
            _say(f"note: {test}: its file defines no such test: see that the node id is right\n")
    if node_ids.literal(asked.test) is None:
        _say("note: * stands for any text within the parameters; write [*] for the star itself\n")
    return OK


def _written(test: str) -> None:
    try:
        test.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(f"{test!r}: no file in UTF-8 can hold this node id") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"--expires {text}: give a date, such as 2026-12-01") from None


def _of_report(asked: argparse.Namespace, place: _Place) -> dict[str, Any]:
    """Take from a report of a hunt, or from the last one that the ledger keeps, how a test fails."""
    from pytest_flakehunt.cli.report import concluded
    from pytest_flakehunt.reports import reading

    path, test = asked.report, asked.test
    if path is None:
        path = asked.ledger or place.folder / LEDGER
        if not path.exists():
            return {}
        findings = concluded(path, "")
    else:
        try:
            findings = reading.of_file(path)
        except (OSError, ValueError, reading.DocumentError) as error:
            raise Refused(f"--report {path}: it is no JSON report of a hunt: {error}") from None
    failing = {finding.nodeid: finding for finding in findings.tests if finding.modes}
    if test not in failing:
        raise Refused(f"{test}: it did not fail in {path}; those that did: {', '.join(failing) or 'none'}")
    finding = failing[test]
    if finding.verdict is Verdict.BROKEN:
        raise Refused(f"{test}: it failed in every calm attempt: it is broken, and quarantine is for what passes too")
    first = finding.modes[0]
    found = first.diagnosis or Diagnosis()
    cause = found.causes[0] if found.causes else None
    return {
        "fingerprints": tuple(mode.fingerprint for mode in finding.modes),
        "at": tuple(dict.fromkeys(mode.at for mode in finding.modes if mode.at)),
        "cause": f"{cause.perturbation}: it {cause.sentence}" if cause else "",
        "plan": first.plan,
        "after": first.after,
        "seen": found.verified or (cause.present if cause else Count()),
        "repro": first.command,
    }


def remove(asked: argparse.Namespace) -> int:
    """Take entries out."""
    place = _Place(asked)
    place.chosen(asked.tests)
    place.change(lambda text: editing.without(text, asked.tests))
    return OK
