"""The experiments on causes: those on several findings go on side by side, in the hunt's own pool, within a budget."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from pytest_flakehunt.analysis.fingerprints import fingerprints
from pytest_flakehunt.diagnosis.benches import Bench, Keep, Lead, job, reply
from pytest_flakehunt.diagnosis.beside import Beside
from pytest_flakehunt.diagnosis.budget import SHARES_AT_ONCE, Budget, what_is_left
from pytest_flakehunt.diagnosis.remembered import Memory
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model import (
    Attempt,
    Diagnosis,
    Isolation,
    Mode,
    Progress,
    Purpose,
    Reply,
    Seen,
    Setup,
    Sweep,
    Taped,
    Walked,
)
from pytest_flakehunt.model.plans import environment
from pytest_flakehunt.pool.audience import Recorder
from pytest_flakehunt.pool.pool import Pool
from pytest_flakehunt.pool.slots import Job, Slot, suits
from pytest_flakehunt.pool.tallies import Tally
from pytest_flakehunt.zygote import wire

MOST_PAIRS = 20
"""How often a printed command is run again at most, with and without the cause."""
OTHERS_PAIRS = 3
"""The same for further modes of a group, whose cause is known by then."""
RUNS_A_PAIR = 50
"""Runs of a finding's share for each such pair."""
SPARE = 1
"""Findings under experiment beyond the slots: while one waits for its last run, another has work."""

Verify: TypeAlias = Callable[[Lead, Diagnosis, str, int, float], Diagnosis]
"""Runs the command of a name that will be printed so many times, no longer than to a moment, and adds what it saw."""


class Request(NamedTuple):
    """A run that is under way."""

    bench: Bench
    place: int
    setup: Setup
    began: float


@dataclass(slots=True)
class Laboratory:
    """Runs experiments in the hunt's own pool."""

    pool: Pool
    ledger: Recorder
    next_number: Callable[[], int]
    suspicious: set[str]
    """Tests that fail in forks through our fault: each of their runs gets a fresh interpreter."""
    runs: int
    """Runs that are allowed."""
    budget: Budget | None
    """Seconds that are allowed; None where runs alone decide."""
    verify: Verify
    keep: Keep
    memory: Memory | None = None
    """What was done before the hunt was killed."""
    made: int = 0
    _found: list[tuple[Lead, Diagnosis]] = field(default_factory=list)
    _active: list[Bench] = field(default_factory=list)
    _later: deque[Bench] = field(default_factory=deque)
    _under_way: dict[int, Request] = field(default_factory=dict)
    """By the number of the run."""
    _homes: dict[tuple[str, str], int] = field(default_factory=dict)
    """The slot that has one of several interpreters with equal hash seeds."""
    _alone: list[tuple[int, Setup]] | None = None
    """What one bench waits for, while runs go on that nothing may run beside."""
    _alone_for: float = 0.0
    """Seconds that such runs have taken."""
    _began: float = 0.0
    _doing: str = ""
    _beside: Beside = field(init=False)

    def __post_init__(self) -> None:
        self._beside = Beside(self.pool, self.next_number, self._write, self.passing)

    def diagnose(self, groups: Sequence[Sequence[Lead]]) -> None:
        """Diagnose groups of modes, those that are settled soonest first, and then run what will be printed.

        No finding starves another: who has had its share of the budget goes on
        when the others have had theirs.

        Args:
            groups: modes that failed in the same sweeps.
        """
        self.pool.slots.parking = True
        self._began = realtime.monotonic()
        whole = float(self.runs) if self.budget is None else self.budget.experiments
        benches = [
            Bench(group, self._settled, self._expected(group), memory=self.memory, shown=self._shown)
            for group in groups
        ]
        for bench in sorted(benches, key=lambda bench: bench.expected):
            bench.allowed = SHARES_AT_ONCE * whole / len(benches)
            self._later.append(bench)
        while self._fill():
            if self._over():
                self._stop()
            elif not self._alone_is_due() and not all(map(self._needs_quiet, self._active)):
                self.pool.work(self, self.pool.workers)
            else:
                self._run_alone()
        self._say_what_is_left()
        self._verify()

    def _expected(self, group: Sequence[Lead]) -> float:
        """Give the seconds that a run of a group takes, with a start where each needs an interpreter of its own."""
        nodeid = group[0].target.nodeid
        start = self.pool.starting / max(1, self.pool.slots.zygotes) if group[0].target.calm.failures else 0.0
        fresh = self.pool.usual is Isolation.FRESH or nodeid in self.suspicious
        return group[0].target.seconds.get(nodeid, 0.0) + (2 * start if fresh else start)

    def _say_what_is_left(self) -> None:
        """Say of findings that the budget ended what they would take, going by the others."""
        usual = sorted(found.runs for _, found in self._found if not found.unfinished)
        for place, (lead, found) in enumerate(self._found):
            if not found.unfinished:
                continue
            each = found.seconds / found.runs if found.runs else self._expected([lead])
            left = what_is_left(found.runs, usual, each)
            self._found[place] = lead, replace(found, note=f"{found.note}{left}")
            self.keep(*self._found[place])

    def _shown(self) -> list[Diagnosis]:
        return [found for _, found in self._found if found.causes]

    # whose turn it is

    def _fill(self) -> bool:
        """Let others begin or go on where some are done or have had their share; tell whether there are any left."""
        limit = self.pool.workers + SPARE
        for bench in list(self._active):
            if bench.done:
                self._active.remove(bench)
            elif self._later and self._has_had_its_turn(bench):
                self._active.remove(bench)
                self._later.append(bench)
        while self._later and sum(not self._needs_quiet(bench) for bench in self._active) < limit:
            bench = self._later.popleft()
            if not bench.waiting and not bench.done:
                self._begin(bench)
            if self._later and not bench.done and self._has_had_its_turn(bench):
                self._later.append(bench)
            elif not bench.done:
                self._active.append(bench)
        return bool(self._active)

    def _has_had_its_turn(self, bench: Bench) -> bool:
        """Tell whether others come first: what it has had, with the runs that it asks for now, is more than its share.

        Then it may have twice as much the next time.
        """
        if not bench.between_batches or self._cost(bench) + self._ahead(bench) <= bench.allowed:
            return False
        bench.allowed *= 2
        return True

    def _ahead(self, bench: Bench) -> float:
        """Give what the runs that a bench asks for will take, about: all tests before the one may take minutes."""
        if self.budget is None:
            return float(len(bench.waiting))
        target = bench.lead.target
        return sum(
            target.seconds.get(nodeid, 0.0) for _, setup in bench.waiting for nodeid in (*setup.before, target.nodeid)
        )

    def _begin(self, bench: Bench) -> None:
        """Begin, with what it did before the hunt was killed: that is part of the budget."""
        bench.begin()
        self.made += bench.earlier
        self._began -= bench.spent / max(1, self.pool.workers)

    def _cost(self, bench: Bench) -> float:
        """Give what a bench has had of the budget: runs, or seconds."""
        if self.budget is not None:
            return bench.spent
        return bench.runs + sum(request.bench is bench for request in self._under_way.values())

    def _over(self) -> bool:
        if self.budget is None:
            return self.made + len(self._under_way) >= self.runs
        return self._elapsed() > self.budget.experiments

    def _elapsed(self) -> float:
        return realtime.monotonic() - self._began

    def _stop(self) -> None:
        for bench in (*self._active, *self._later):
            if not bench.waiting and not bench.done:
                self._begin(bench)
            bench.stop()
        self._later.clear()

    def _sharable(self, bench: Bench, setup: Setup) -> bool:
        return not (setup.lone or setup.beside or bench.lead.target.quiet)

    def _needs_quiet(self, bench: Bench) -> bool:
        """Tell whether a bench waits for runs alone that nothing may run beside."""
        return bool(bench.waiting) and not any(self._sharable(bench, setup) for _, setup in bench.waiting)

    def _alone_is_due(self) -> bool:
        """Tell whether such runs come first: findings that need them have their share of the time, and no more."""
        waiting = sum(map(self._needs_quiet, self._active))
        return self._alone_for * (len(self._active) + len(self._later)) < self._elapsed() * waiting

    def _settled(self, lead: Lead, found: Diagnosis) -> None:
        if found.ours:
            self.suspicious.add(lead.target.nodeid)
        self._found.append((lead, found))
        self.keep(lead, found)

    # runs

    def _run_alone(self) -> None:
        """Make the runs that one of the benches waits for, with nothing of ours beside them."""
        bench = min(filter(self._needs_quiet, self._active), key=self._cost)
        began = realtime.monotonic()
        if bench.waiting[0][1].beside:
            place, setup = bench.waiting.pop(0)
            attempts, told = self._beside.run(self._job(bench, setup, self.next_number()))
            self._take(Request(bench, place, setup, began), attempts, told, 0)
        else:
            self._alone = bench.waiting
            self.pool.work(self, 1)
            self._alone = None
        self._alone_for += realtime.monotonic() - began

    def _job(self, bench: Bench, setup: Setup, number: int) -> Job:
        nodeid = bench.lead.target.nodeid
        isolation = Isolation.FRESH if nodeid in self.suspicious else self.pool.usual
        return job(setup, nodeid, number, isolation)

    def _take(self, request: Request, attempts: Sequence[Attempt], told: Sequence[wire.Told], zygote: int) -> None:
        bench, lead = request.bench, request.bench.lead
        self.made += 1
        bench.runs += 1
        bench.spent += realtime.monotonic() - request.began
        skipped = Reply.PASSES if request.setup.early.settings else Reply.NOTHING  # the suite's own way to deal with it
        answer = reply(attempts, lead.target.nodeid, lead.mode.fingerprint, skipped)
        readings, changes = self._readings(told, lead.target.nodeid), self._changes(told)
        path, tape = self._of(wire.PATH, told, lead), self._of(wire.TAPE, told, lead)
        seen = Seen(
            answer,
            readings,
            changes,
            None if path is None else Walked.read(path),
            zygote,
            None if tape is None else Taped.read(tape),
        )
        bench.take(request.place, seen)

    def _readings(self, told: Sequence[wire.Told], nodeid: str) -> tuple[tuple[str, str, str], ...]:
        position = self.pool.tallies.positions[nodeid]
        return tuple(
            (source, call, f"{place[0]}:{place[1]}")
            for item in told
            if item.kind == "imports" or (item.kind == "readings" and item.data["position"] == position)
            for source, call, place in _listed(item.data, "readings")
        )

    def _of(self, kind: str, told: Sequence[wire.Told], lead: Lead) -> Mapping[str, Any] | None:
        """Give what was told of one kind about a lead's test."""
        position = self.pool.tallies.positions[lead.target.nodeid]
        datas = (item.data for item in told if item.kind == kind)
        return next((data for data in datas if data["position"] == position), None)

    def _changes(self, told: Sequence[wire.Told]) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (self.pool.tallies[_position(item.data)].nodeid, verb, path)
            for item in told
            if item.kind == "changes"
            for verb, path in _listed(item.data, "changes")
        )

    def _write(self, sweep: Sweep, attempts: Sequence[Attempt]) -> None:
        self.ledger.write(replace(sweep, purpose=Purpose.DIAGNOSIS), attempts, fingerprints(attempts))

    # what the pool asks and tells

    def next(self, slot: Slot) -> Job | None:
        """Give a slot the next run, one that suits its interpreter if there is any."""
        self._fill()
        if self._over():
            return None
        found: tuple[bool, Bench, tuple[int, Setup]] | None = None
        if self._alone is None and self._alone_is_due():
            return None
        for bench in sorted(self._active, key=self._cost):
            for entry in bench.waiting:
                if not self._may(slot, bench, entry[1]):
                    continue
                fits = slot.link is not None and suits(
                    slot.link, self._job(bench, entry[1], 0), environment(entry[1].plan)
                )
                if found is None or (fits and not found[0]):
                    found = fits, bench, entry
        if found is None:
            return None
        _, bench, entry = found
        bench.waiting.remove(entry)
        if self._alone is None:
            self._homes[_name(entry[1])] = slot.index
        run = self._job(bench, entry[1], self.next_number())
        self._under_way[run.draft.number] = Request(bench, *entry, realtime.monotonic())
        self._doing = f"experiments on {bench.lead.target.nodeid}"
        return run

    def _may(self, slot: Slot, bench: Bench, setup: Setup) -> bool:
        """Tell whether a slot may take a run: some need the machine, others an interpreter that another slot has."""
        if self._alone is not None:  # then there is one slot only, and what is asked for next may be shared again
            return bench.waiting is self._alone and not (setup.beside or self._sharable(bench, setup))
        if not self._sharable(bench, setup):
            return False
        if not setup.interpreter:
            return True
        home = self._homes.get(_name(setup), slot.index)
        return home == slot.index or bool(self.pool.slots.all[home].host.lost)

    def waits(self) -> bool:
        """Tell whether a slot without a job may have one once a run has ended."""
        return bool(self._under_way) and not self._over()

    def ended(self, sweep: Sweep, attempts: Sequence[Attempt], told: Sequence[wire.Told]) -> None:
        """Take in a run, and keep it in the ledger."""
        self._write(sweep, attempts)
        if (request := self._under_way.pop(sweep.number, None)) is not None:
            self._take(request, attempts, told, sweep.zygote)

    def nothing_ran(self, number: int) -> None:
        """Go on: the run says nothing."""
        if (request := self._under_way.pop(number, None)) is not None:
            self._take(request, (), (), 0)

    def hung(self, test: Tally) -> None:
        """Count a hang; experiments go on all the same."""
        test.hangs += 1

    def deadly(self, test: Tally) -> None:
        """Go on: what is run for a test is bounded."""

    def passing(self) -> None:
        """Show what is being done."""
        elapsed = realtime.monotonic() - self.pool.began
        left = None if self.budget is None else max(0.0, self.budget.whole - self._elapsed())
        found = self.pool.tallies.found
        self.pool.audience.progress(Progress(self.made, None, elapsed, left, found, (), self._doing))

    # what is printed

    def _verify(self) -> None:
        """Run the printed commands, those of causes first."""
        pairs = (
            MOST_PAIRS
            if self.budget is not None
            else min(MOST_PAIRS, self.runs // (RUNS_A_PAIR * max(1, len(self._found))))
        )
        seen: set[int] = set()
        for place, (lead, found) in enumerate(sorted(self._found, key=lambda one: not one[1].causes)):
            left = len(self._found) - place
            rest = float("inf") if self.budget is None else self.budget.whole - self._elapsed()
            ends = realtime.monotonic() + rest / left
            if not pairs or ends <= realtime.monotonic():
                break
            self._doing = f"the command for {lead.target.nodeid}, again"
            self.passing()
            of_group = id(found.setup) in seen and found.setup is not None
            seen.add(id(found.setup))
            most = min(pairs, OTHERS_PAIRS) if of_group else pairs
            done = self.verify(lead, found, lead.mode.fingerprint, most, ends)
            also = [
                self.verify(lead, one, further(lead.mode, number), most, ends) if one.setup is not None else one
                for number, one in enumerate(found.also)
            ]
            counts = (count for one in (done, *also) for count in (one.verified, one.control))
            self.made += sum(count.runs for count in counts if count is not None)
            self.keep(lead, replace(done, also=tuple(also)))


def further(mode: Mode, number: int) -> str:
    """Name the command of a further cause, numbered from 0."""
    return f"{mode.fingerprint} also {number}"


def _name(setup: Setup) -> tuple[str, str]:
    """Name the interpreter that a run must take place in."""
    return setup.interpreter, str(setup.plan.setting("hashseed"))


def _position(data: Mapping[str, object]) -> int:
    position = data["position"]
    assert isinstance(position, int)
    return position


def _listed(data: Mapping[str, object], name: str) -> list[list[str]]:
    entries = data[name]
    assert isinstance(entries, list)
    return entries
