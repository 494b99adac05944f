"""``flakehunt bisect``: the revision at which a test began to fail."""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.cli import choosing, nearest
from pytest_flakehunt.cli.ending import FOUND, OK, REFUSED, Refused
from pytest_flakehunt.cli.report import concluded, is_ledger
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model import Cause, Count, Diagnosis, Mode, astray

if TYPE_CHECKING:
    from pytest_flakehunt.bisecting.bisection import Ending
    from pytest_flakehunt.bisecting.history import History
    from pytest_flakehunt.bisecting.tries import Notes, Tried, Wanted

HASHSEED = "hashseed="
"""What a plan has to settle for runs to share an interpreter: what that decides would be one piece of evidence."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "find the revision at which a test began to fail"
    more = (
        "Each revision is tried by a hunt of the test in a work tree of its own, as often as the rate of its failure "
        "asks for; the repository stays as it is. What follows -- is given to pytest. Exit status: 0 the revision was "
        "found, 1 it was not, 2 it could not be searched for as asked. The same command goes on where one was "
        "interrupted."
    )
    reads = commands.add_parser("bisect", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    reads.add_argument("test", metavar="TEST", help="its node id")
    reads.add_argument("good", metavar="GOOD", help="a revision that passes")
    reads.add_argument("bad", metavar="BAD", help="a later one that fails")
    reads.add_argument("--ledger", metavar="PATH", type=Path, help=f"that knows how it fails (default: {LEDGER})")
    reads.add_argument("--plan", help="the plan that it fails under (default: that of its last finding, or calm)")
    reads.add_argument(
        "--after", metavar="TEST", action="append", help="a test that has to run before it (default: as found)"
    )
    reads.add_argument("--fingerprint", default="", help="the failure that is meant, where it fails in several ways")
    reads.add_argument(
        "--rate", metavar="P", type=_rate, help="how often it fails at least, from 0 to 1 (default: as found, or seen)"
    )
    reads.add_argument(
        "--error", metavar="P", type=choosing.share, default=0.05, help="the chance of a wrong answer (default: 0.05)"
    )
    reads.add_argument(
        "--runs", metavar="MOST", type=_positive, default=300, help="at one revision, at most (default: 300)"
    )
    reads.add_argument(
        "--prepare", metavar="CMD", action="append", default=[], help="run this at each revision first; no shell"
    )
    reads.add_argument(
        "--python", metavar="PATH", default="", help="the interpreter, from where pytest is called (default: this one)"
    )
    reads.add_argument("--afresh", action="store_true", help="forget what an earlier call has tried")
    reads.set_defaults(run=bisect, starts_pytest=True)


RAREST = 1e-6
"""The lowest rate that is searched for: three million runs a step."""


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not RAREST <= rate <= 1:
        raise argparse.ArgumentTypeError(f"{text}: give a number from 0.000001 to 1, such as 0.05")
    return rate


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text}: give 1 or more")
    return int(text)


class _Known(NamedTuple):
    """How the test is known to fail."""

    plan: str = ""
    after: tuple[str, ...] = ()
    seen: Count = Count()
    fingerprint: str = ""
    fresh: bool = False
    workers: str = ""
    folder: str | None = None
    """Where pytest was called; None where nothing is known."""
    said: str = "calm, as no hunt is known in which it failed"


def bisect(asked: argparse.Namespace) -> int:
    """Search."""
    if "::" not in asked.test:
        raise Refused(f"{asked.test}: give the node id of a test, such as tests/test_shop.py::test_warranty")
    from pytest_flakehunt.bisecting.history import History
    from pytest_flakehunt.bisecting.refusal import CannotBisect
    from pytest_flakehunt.bisecting.tries import Notes

    ledger: Path = asked.ledger or nearest.ledger()
    try:
        history = History(Path.cwd())
        known = _known(asked, ledger)
        wanted = _wanted(asked, known, history)
        notes = Notes(ledger.resolve().parent, wanted)
        if asked.afresh:
            notes.tries.clear()
        _say(known.said if asked.plan is None else f"under {wanted.plan}" if wanted.plan else "calm")
        if notes.tries:
            one = len(notes.tries) == 1
            what = "1 revision was" if one else f"{len(notes.tries)} revisions were"
            _say(f"{what} tried by an earlier call; --afresh forgets {'it' if one else 'them'}")
        before, began = dict(notes.tries), realtime.monotonic()
        with notes.held():
            ending = _searched(asked, known, history, notes, wanted)
    except CannotBisect as error:
        raise Refused(str(error)) from None
    except KeyboardInterrupt:
        sys.stderr.write("flakehunt: interrupted; the same command goes on with what was tried\n")
        return REFUSED
    _say(_took(before, notes.tries, realtime.monotonic() - began))
    _say(ending.text)
    return OK if ending.found else FOUND


def _took(before: Mapping[str, "Tried"], now: Mapping[str, "Tried"], seconds: float) -> str:
    """Say what this call took, and what it ran for that."""
    from pytest_flakehunt.reports.progress import duration
    from pytest_flakehunt.reports.words import number

    made = {name: tried.runs - (before[name].runs if name in before else 0) for name, tried in now.items()}
    fresh = [runs for runs in made.values() if runs]
    did = f"{number(sum(fresh), 'run')} at {number(len(fresh), 'revision')}" if fresh else "nothing was run anew"
    return f"it took {duration(seconds)}: {did}"


def _searched(
    asked: argparse.Namespace, known: _Known, history: "History", notes: "Notes", wanted: "Wanted"
) -> "Ending":
    from pytest_flakehunt.bisecting.bench import Bench
    from pytest_flakehunt.bisecting.bisection import Bisection

    bench = Bench(history, wanted, notes)
    alike = wanted.plan == known.plan and wanted.after == known.after
    try:
        return Bisection(
            history,
            bench,
            notes,
            asked.good,
            asked.bad,
            _say,
            asked.error,
            asked.runs,
            asked.rate,
            known.seen if alike else Count(),
            known.fingerprint,
        ).run()
    finally:
        bench.close()


def _wanted(asked: argparse.Namespace, known: _Known, history: "History") -> "Wanted":
    from pytest_flakehunt.bisecting.tries import Wanted

    here = Path.cwd().resolve()
    folder = here.relative_to(history.root).as_posix() if known.folder is None else known.folder
    plan = known.plan if asked.plan is None else asked.plan
    return Wanted(
        asked.test,
        "" if plan.strip() == "calm" else plan,
        known.after if asked.after is None else tuple(asked.after),
        known.fresh or not any(part.startswith(HASHSEED) for part in plan.split()),
        "" if folder == "." else folder,
        tuple(asked.prepare),
        asked.python,
        (*asked.pytest, *([known.workers] if known.workers else [])),
    )


def _known(asked: argparse.Namespace, ledger: Path) -> _Known:
    """Give how the last hunt that found the test failing says that it does."""
    if not ledger.exists():
        if asked.ledger is not None:
            raise Refused(f"--ledger {ledger}: there is no such ledger; hunt first, or leave it out")
        return _Known(fingerprint=asked.fingerprint)
    hunts = choosing.newest(ledger) if is_ledger(ledger) else iter([("", concluded(ledger, ""))])
    for number, findings in hunts:
        for finding in findings.tests:
            if finding.nodeid == asked.test and finding.modes:
                modes = {mode.fingerprint: mode for mode in finding.modes}
                if asked.fingerprint and asked.fingerprint not in modes:
                    continue
                mode = modes.get(asked.fingerprint, finding.telling)
                _check(mode, findings.trial.folder, ledger)
                return _of_mode(mode, Count(finding.calm.runs, mode.calm_failures), findings.trial.folder, number)
    return _Known(fingerprint=asked.fingerprint)


def _check(mode: Mode, folder: str, source: Path) -> None:
    """Refuse what would lead out of the work tree, or be an option of pytest: a stranger may have written it."""
    path = PurePath(folder)
    if path.is_absolute() or ".." in path.parts:
        raise Refused(f"{source}: its folder {folder} is none of the repository; hunt here, and give that ledger")
    for test in mode.after:
        if astray(test) or ".." in PurePath(test.partition("::")[0]).parts:
            raise Refused(f"{source}: {test}, which has to run before, is no node id; say by --after what has to")


def _of_mode(mode: Mode, calm: Count, folder: str, hunt: str) -> _Known:
    found = mode.diagnosis or Diagnosis()
    cause = found.causes[0] if found.causes else None
    plan = mode.plan
    seen = found.verified or (cause.present if cause else Count())
    if not seen.failures and mode.calm_failures:
        plan, seen = "", calm
    under = f"under {plan}" if plan else "calm"
    after = f" after {', '.join(mode.after)}" if mode.after else ""
    often = f": {seen.failures} of {seen.runs}" if seen.failures else ""
    return _Known(
        plan,
        mode.after,
        seen,
        mode.fingerprint,
        cause is not None and cause.perturbation == "import",
        f"-n{cause.setting}" if cause is not None and _workers(cause) else "",
        folder,
        f"{mode.evidence.exception}, as {f'hunt {hunt}' if hunt else 'the report'} saw it, {under}{after}{often}",
    )


def _workers(cause: Cause) -> bool:
    """Tell whether a cause asks for so many workers."""
    return cause.perturbation == "parallel" and re.fullmatch(r"\d{1,4}", cause.setting, re.ASCII) is not None


def _say(text: str) -> None:
    from pytest_flakehunt.reports.words import safe

    sys.stdout.write(f"{safe(text)}\n")
    sys.stdout.flush()
