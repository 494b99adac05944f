"""``flakehunt merge``: what shards of a hunt wrote becomes one hunt again."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_flakehunt.analysis.intervals import rate
from pytest_flakehunt.asked.flags import DEFAULT_LEDGER as LEDGER
from pytest_flakehunt.cli import diagnose
from pytest_flakehunt.cli.ending import OK, Refused
from pytest_flakehunt.cli.report import is_ledger
from pytest_flakehunt.reports.words import number, percent, safe

if TYPE_CHECKING:
    from pytest_flakehunt.ledger.merging import Merged
    from pytest_flakehunt.ledger.particulars import Particulars


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "join what the shards of a hunt wrote, journals or ledgers, into one ledger"
    more = (
        "The order does not matter, and what is there already is not added again. Shards that are missing are named; "
        "what does not belong together is refused, with what differs. flakehunt diagnose OUT then makes the "
        "experiments on causes, once, and writes the report."
    )
    reads = commands.add_parser("merge", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    reads.add_argument("out", metavar="OUT", type=Path, help=f"the ledger to write, such as {LEDGER}; it may be there")
    reads.add_argument("parts", metavar="IN", type=Path, nargs="+", help="a journal or a ledger")
    reads.add_argument("--force", action="store_true", help="keep what does not belong together as hunts of their own")
    reads.add_argument(
        "--diagnose", action="store_true", help="go on with flakehunt diagnose OUT; what follows -- is given to pytest"
    )
    reads.set_defaults(run=merge, starts_pytest=True)


def merge(asked: argparse.Namespace) -> int:
    """Join them."""
    from pytest_flakehunt.ledger import copying, merging
    from pytest_flakehunt.ledger.errors import LedgerError

    out: Path = asked.out
    if asked.pytest and not asked.diagnose:
        raise Refused(f"-- {' '.join(asked.pytest)}: pytest is started with --diagnose only; add it, or leave this out")
    for path in asked.parts:
        if not path.is_file():
            raise Refused(f"{path}: there is no such file; give journals or ledgers that shards wrote")
    if out.is_dir() or not out.parent.is_dir():
        raise Refused(f"{out}: give the path of a file in a folder that there is")
    if out.exists() and not is_ledger(out):
        raise Refused(f"{out}: it is there and no ledger; the first path is that of the ledger to write")
    try:
        with tempfile.TemporaryDirectory(prefix=".flakehunt-", dir=out.parent) as folder:
            scratch = Path(folder)
            there = merging.sources(out, scratch, ledger=True) if out.exists() else []
            found = [
                source for path in asked.parts for source in merging.sources(path, scratch, ledger=is_ledger(path))
            ]
            if not found:
                raise Refused("none of these has a hunt; give journals or ledgers that shards wrote")
            merged = merging.together(found, there, force=asked.force)
            merging.write(scratch / "new.sqlite", merged)
            copying.replaced(out, scratch / "new.sqlite")
    except LedgerError as error:
        raise Refused(str(error)) from None
    sys.stdout.writelines(f"{safe(line)}\n" for line in _said(merged, {one.hunt.trial.uid for one in found}, out))
    if asked.diagnose:
        asked.ledger, asked.hunt, asked.test = out, "", []
        return diagnose.diagnose(asked)
    return OK


def _said(merged: "Sequence[Merged]", given: set[str], out: Path) -> list[str]:
    """Say what was joined, and what is missing."""
    lines = []
    for place, one in enumerate(merged, start=1):
        if given.isdisjoint(source.hunt.trial.uid for source in one.sources):
            continue
        hunt = one.hunt
        name = f"hunt {place} of {out}: seed {hunt.trial.seed}, {hunt.trial.asked} sweeps asked for"
        if hunt.shards == 1:
            lines.append(name)
            continue
        lines.append(f"{name}, {len(hunt.parts)} of {number(hunt.shards, 'shard')}")
        lines += _lacking(hunt)
        if hunt.seconds is None:
            lines.append(f"flakehunt diagnose {out} makes the experiments on causes, and writes the report")
    return lines


def _lacking(hunt: "Particulars") -> list[str]:
    if not hunt.missing:
        return []
    whole = int(hunt.terms["N"])
    share = max(1, round(whole * len(hunt.parts) / hunt.shards))
    few, all_ = (percent(rate(0, runs).high) for runs in (share, whole))
    names = ", ".join(map(str, hunt.missing))
    which = f"shard {names} is" if len(hunt.missing) == 1 else f"shards {names} are"
    return [
        f"{which} missing: rates stay unbiased, as shards are alike, and bounds get wider: a test that never failed "
        f"fails less than about {few} of the time (95 %), not {all_}"
    ]
