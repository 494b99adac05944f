"""Ledgers as SQLite has them, without a line of the product: compared with journals, and with what a witness saw."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from soaking.witness import Process

PASSED, FAILED, ERROR, HUNG, CRASHED, UNREACHED = 0, 1, 2, 6, 7, 8
SLACK = 0.01
"""Seconds by which the clocks of the ledger and of the witness may differ."""


@dataclass(slots=True)
class Sweep:
    """One sweep as the ledger has it."""

    hunt: int
    number: int
    plan: str
    hashseed: str
    started: float
    ended: float
    torn: bool
    purpose: str
    isolation: str
    interpreter: int
    attempts: dict[str, int] = field(default_factory=dict)
    """Codes of outcomes, by test."""

    @property
    def key(self) -> tuple[int, float, str]:
        """Give what names it also after its number was given to another."""
        return self.hunt, self.started, self.plan

    def __str__(self) -> str:
        return f"sweep {self.number} of hunt {self.hunt} ({self.purpose}, {self.isolation}, {self.plan or 'calm'}{', torn' * self.torn})"


class Why(Enum):
    """What makes it right that the ledger lacks something."""

    ENDED = "the hunt's process ended in the middle"
    """What was under way may be missing: nothing that was followed in its place."""
    DELETED = "the scratch folder was deleted"
    """What ran may be missing, and is run again."""
    KILLED = "a process that runs tests was killed"
    """The test that had just ended may not have been told, and is run again."""


@dataclass(frozen=True, slots=True)
class Break:
    """A time in which the ledger may lack something."""

    begins: float
    ends: float
    """Seconds since 1970."""
    why: Why

    def meets(self, *processes: Process) -> bool:
        """Tell whether one of some processes ran then."""
        return any(self.begins <= one.ended and one.began <= self.ends for one in processes)


def sweeps(path: Path) -> list[Sweep]:
    """Read all sweeps of a ledger; whoever writes to it is not kept from that."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        found = {
            (hunt, number): Sweep(
                hunt, number, plan, seed, began, began + seconds, bool(torn), purpose, isolation, zygote
            )
            for hunt, number, plan, seed, began, seconds, torn, purpose, isolation, zygote in db.execute(
                "SELECT hunt, number, plan, hashseed, started, seconds, torn, purpose, isolation, zygote FROM sweeps ORDER BY started"
            )
        }
        for hunt, number, nodeid, outcome in db.execute(
            "SELECT hunt, sweep, nodeid, outcome FROM attempts JOIN tests ON tests.id = test"
        ):
            found[hunt, number].attempts[nodeid] = outcome
    return list(found.values())


def unsound(path: Path) -> list[str]:
    """Ask SQLite whether a ledger is sound."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        wrong = [f"quick_check: {text}" for (text,) in db.execute("PRAGMA quick_check") if text != "ok"]
        return wrong + [f"foreign_key_check: {row}" for row in db.execute("PRAGMA foreign_key_check").fetchmany(3)]


def unfinished(path: Path) -> bool:
    """Tell whether the newest hunt can be gone on with."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        found = db.execute("SELECT seconds FROM hunts ORDER BY id DESC LIMIT 1").fetchone()
    return found is not None and found[0] is None


def journalled(path: Path) -> dict[int, dict[str, int]]:
    """Give the attempts of each sweep that has ended, as a journal has them: the last line of a number counts."""
    tests: list[str] = []
    found: dict[int, dict[str, int]] = {}
    for line in path.read_bytes().split(b"\n")[:-1]:
        told = json.loads(line)
        tests += (nodeid for nodeid, *_ in told.get("tests", ()))
        if "sweep" in told:
            number = told["sweep"]["number"]
            found.pop(number, None)
            if not told["sweep"]["torn"]:
                found[number] = {tests[test]: outcome for test, outcome, *_ in told["attempts"]}
    return found


def against_journal(found: Iterable[Sweep], journal: Mapping[int, Mapping[str, int]], *, behind: int) -> list[str]:
    """Compare with a journal of the newest hunt.

    Args:
        found: all sweeps of the ledger.
        journal: as it was read.
        behind: how many sweeps may be missing there: those whose line a kill prevented.
    """
    known = list(found)
    newest = max((sweep.hunt for sweep in known), default=0)
    ours = {sweep.number: sweep.attempts for sweep in known if sweep.hunt == newest and not sweep.torn and sweep.purpose != "diagnosis"}  # fmt: skip
    wrong = [f"sweep {number} stands in the journal only" for number in sorted(journal.keys() - ours.keys())]
    wrong += [f"journal and ledger differ in sweep {number}" for number in journal.keys() & ours.keys() if journal[number] != ours[number]]  # fmt: skip
    missing = sorted(ours.keys() - journal.keys())
    return wrong + [f"the journal lacks sweeps {missing}"] * (len(missing) > behind)


def since(before: Sequence[Sweep], after: Sequence[Sweep]) -> list[str]:
    """See all sweeps there, once and unchanged, that had ended before."""
    there = defaultdict(list)
    for sweep in after:
        there[sweep.key].append(sweep)
    wrong = []
    for sweep in before:
        now = there[sweep.key]
        if not sweep.torn and len(now) != 1:
            wrong.append(f"{sweep} is there {len(now)} times, and was there once")
        elif now and now[0].attempts != sweep.attempts:
            wrong.append(f"{sweep} had other attempts before")
    return wrong


def against_witness(found: Sequence[Sweep], seen: Sequence[Process], breaks: Sequence[Break]) -> list[str]:
    """See in the ledger, once, all that a witness saw, and nothing else: whether there is a way to place it all."""
    wrong: list[str] = []
    places = Places(found, seen, breaks)
    placed = {order: found[index] for order, index in places.of.items()}
    for order, process in enumerate(seen):
        if order not in placed and not _excused(order, seen, placed, breaks):
            wrong.append(f"lost: {process}")
    for index, sweep in enumerate(found):
        wrong += _share(sweep, [seen[order] for order in places.shares[index]])
    return wrong


class Places:
    """In which sweep each process belongs: by interpreter, hash seed, time and tests; where several fit, so that none is left without."""

    def __init__(self, found: Sequence[Sweep], seen: Sequence[Process], breaks: Sequence[Break]) -> None:
        self.found, self.seen, self.breaks = found, seen, breaks
        self.of: dict[int, int] = {}
        self.shares: dict[int, list[int]] = {index: [] for index in range(len(found))}
        fits = {order: self._fitting(process) for order, process in enumerate(seen)}
        self.fits = fits
        for order in sorted(fits, key=lambda order: len(fits[order])):
            if not self._place(order, set()):
                again = [index for index in fits[order] if self._ran_again(order, index)]
                self._put(
                    order,
                    max(again, key=lambda index: len(seen[order].tests.keys() - self._known(index)), default=None),
                )

    def _fitting(self, process: Process) -> list[int]:
        fits = [
            index
            for index, sweep in enumerate(self.found)
            if sweep.started - SLACK <= process.began
            and process.ended <= sweep.ended + SLACK
            and process.tests.keys() <= sweep.attempts.keys()
        ]
        # where an interpreter ends with a test, another one goes on, with a hash seed of its own
        seeds = [index for index in fits if self.found[index].hashseed == process.hashseed]
        fits = [index for index in seeds if self.found[index].interpreter == process.interpreter] or seeds or fits
        agree = [index for index in fits if agrees(self.found[index], process)]
        return sorted(agree or fits, key=lambda index: -self.found[index].started)

    def _place(self, order: int, tried: set[int]) -> bool:
        """Find a place where nobody else ran the same tests, and move others where they fit as well."""
        for index in self.fits[order]:
            if index in tried:
                continue
            tried.add(index)
            rivals = [other for other in self.shares[index] if not self._goes_with(self.seen[other], self.seen[order])]
            if all(self._place(rival, tried) for rival in rivals):
                self._put(order, index)
                return True
        return False

    @staticmethod
    def _goes_with(one: Process, other: Process) -> bool:
        """Tell whether two processes can have run one sweep: each its own tests, in one place."""
        return one.worker == other.worker and not one.tests.keys() & other.tests.keys()

    def _known(self, index: int) -> set[str]:
        """Give the tests of a sweep that a process is known to have run."""
        return {name for order in self.shares[index] for name in self.seen[order].tests}

    def _ran_again(self, order: int, index: int) -> bool:
        """Tell whether what others ran in a sweep can be what a process that was killed had not told any more."""
        ours = self.seen[order]
        for rival in (self.seen[other] for other in self.shares[index]):
            both = rival.tests.keys() & ours.tests.keys()
            why = {one.why for one in self.breaks if one.meets(ours, rival)}
            untold = both <= {next(reversed(rival.tests)), next(reversed(ours.tests))}
            if rival.worker != ours.worker:
                return False
            if both and Why.DELETED not in why and not (Why.KILLED in why and untold):
                return False
        return True

    def _put(self, order: int, index: int | None = None) -> None:
        if index is None:
            return
        if order in self.of:
            self.shares[self.of[order]].remove(order)
        self.of[order] = index
        self.shares[index].append(order)


def agrees(sweep: Sweep, process: Process) -> bool:
    """Tell whether tests ended in a process as a sweep has it."""
    *ended, last = process.tests
    if any(sweep.attempts[name] > HUNG for name in ended) or sweep.attempts[last] == UNREACHED:
        return False
    told = {name: sweep.attempts[name] for name in process.tests}
    return all(
        (told[name] != PASSED) == failed
        for name, failed in process.tests.items()
        if told[name] in {PASSED, FAILED, ERROR}
    )


def _excused(order: int, seen: Sequence[Process], placed: Mapping[int, Sweep], breaks: Sequence[Break]) -> bool:
    process = seen[order]
    for one in breaks:
        if not one.meets(process) or one.why is Why.KILLED:
            continue
        followed = any(
            other.worker == process.worker and process.ended < other.began <= one.ends
            for number, other in enumerate(seen)
            if number in placed
        )
        if not (one.why is Why.ENDED and followed):
            return True
    return False


def _share(sweep: Sweep, share: Sequence[Process]) -> list[str]:
    """Compare one sweep with the processes that ran it."""
    wrong = []
    ended: dict[str, bool] = {}
    last = {next(reversed(process.tests)) for process in share}
    for process in share:
        for name, failed in process.tests.items():
            ended[name] = ended.get(name, False) or failed
    for name, outcome in sweep.attempts.items():
        if outcome < HUNG and name not in ended:
            wrong.append(f"{sweep} has {name}, which nobody saw end")
        elif name in ended and outcome in {PASSED, FAILED, ERROR} and ended[name] != (outcome != PASSED):
            wrong.append(
                f"{sweep} has {name} with outcome {outcome}, which was seen to {'fail' if ended[name] else 'pass'}"
            )
        elif name in ended and outcome > HUNG and name not in last:  # one that hung is woken to be asked for its stacks
            wrong.append(f"{sweep} has {name} with outcome {outcome}, which was seen to end before another test")
    return wrong
