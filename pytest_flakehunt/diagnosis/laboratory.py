"""The experiments on causes: each run is a sweep like the survey's, alone on the machine, within a budget."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias, TypeVar

from pytest_flakehunt.analysis.attribution import Attribution, OutOfRuns, shared
from pytest_flakehunt.analysis.fingerprints import fingerprint, fingerprints
from pytest_flakehunt.analysis.reduction import Experiment
from pytest_flakehunt.analysis.target import Target
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model import (
    Attempt,
    Diagnosis,
    Finding,
    Isolation,
    Mode,
    Progress,
    Purpose,
    Reply,
    Seen,
    Setup,
    Sweep,
)
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.pool.audience import Recorder
from pytest_flakehunt.pool.pool import Pool
from pytest_flakehunt.pool.slots import Job, Slot
from pytest_flakehunt.pool.tallies import Tally
from pytest_flakehunt.zygote import wire

MOST_PAIRS = 20
"""How often a printed command is run again, with and without the cause."""
OTHERS_PAIRS = 3
"""The same for further modes of a group, whose cause is known by then."""
RUNS_A_PAIR = 50
"""Runs of a finding's share for each such pair."""
NO_LIMIT = 1e9
"""Seconds that a finding has where runs alone decide."""
PAIRS_SHARE = 0.25
"""Of a finding's time, kept for them; as much again for further modes of its group."""
Found = TypeVar("Found", Diagnosis, Diagnosis | None)
DEFAULT_EACH = 3000
"""Runs for each finding, unless runs are given."""
RESERVE = 1 / 3
"""Share of the time that the user gave for a hunt, kept for experiments once a test has failed."""
LEAST_SECONDS = 120.0
SECONDS_EACH = 45.0
"""Seconds for each finding, ..."""
MOST_SECONDS = 1800.0
"""... up to these for all; unless runs are given."""


class Lead(NamedTuple):
    """A mode to be diagnosed."""

    target: Target
    finding: Finding
    mode: Mode


Verify: TypeAlias = Callable[[Lead, Diagnosis, int, float], Diagnosis]
"""Runs the command that will be printed so many times, no longer than to a moment, and adds what it saw."""


def allowed_seconds(findings: int, spent: float, hunt: float | None = None) -> float:
    """Give the time for all experiments, where no runs are given: as long as the survey, or longer where it was short.

    Args:
        findings: how many there are.
        spent: seconds that the survey took.
        hunt: seconds that the user gave for all of the hunt.

    >>> [allowed_seconds(findings, 5.0) for findings in (1, 10, 300)]
    [120.0, 450.0, 1800.0]
    >>> allowed_seconds(1, 7200.0), allowed_seconds(1, 400.0, 600.0)
    (7200.0, 200.0)
    """
    if hunt is not None:
        return max(hunt - spent, 0.0)
    return max(LEAST_SECONDS, min(MOST_SECONDS, findings * SECONDS_EACH), spent)


TRIES_TO_MEET = 3
"""Times that a run beside others is made again where it met none."""


@dataclass(slots=True)
class Laboratory:
    """Runs experiments in the hunt's own pool."""

    pool: Pool
    ledger: Recorder
    next_number: Callable[[], int]
    suspicious: set[str]
    """Tests that fail in forks through our fault: each of their runs gets a fresh interpreter."""
    runs: int
    """Runs that are left."""
    seconds: float | None
    """Seconds that are left; None where runs alone decide."""
    verify: Verify
    made: int = 0
    doing: str = ""
    _subject: Job | None = None
    """The run that the experiment asked for, until a place takes it."""
    _neighbour: Job | None = None
    """What goes on beside it, again and again."""
    _number: int = 0
    _came: tuple[Sequence[Attempt], Sequence[wire.Told]] = ((), ())
    """What the run said."""
    _over: bool = False
    """Whether neighbours may stop."""
    _met: bool = False
    """Whether the run had neighbours at all: their interpreters may still have been starting."""
    _warming: set[int] = field(default_factory=set)
    """Slots that run one neighbour each, so that their interpreters have started."""
    _accompanied: int = 0
    """Runs that had neighbours: these begin first by turns, for whoever is first may be the one that passes."""

    def diagnose(self, groups: Sequence[Sequence[Lead]]) -> Iterator[tuple[Lead, Diagnosis]]:
        """Diagnose groups of modes one after the other, each within its fair share of what is left.

        Args:
            groups: modes that failed in the same sweeps.

        Yields:
            Each mode, and what was found; once more when its command was run.
        """
        self.pool.slots.parking = True
        for place, group in enumerate(groups):
            left = len(groups) - place
            started, before = realtime.monotonic(), self.made
            time = NO_LIMIT if self.seconds is None else self.seconds / left
            ends = started + time
            closes = ends - PAIRS_SHARE * time * min(2, len(group))
            share = self.runs // left
            pairs = min(MOST_PAIRS, share // RUNS_A_PAIR)
            first: Diagnosis | None = None
            for rank, lead in enumerate(group):
                self.doing = f"experiments on finding {place + 1} of {len(groups)}, {lead.target.nodeid}"
                limit = self.made + max(0, share - 2 * pairs - (self.made - before))
                found = self._follow(shared(first), lead, limit, closes) if first else None
                if found is None:
                    found = self._follow(Attribution(lead.target).run(), lead, limit, closes)
                    first = found if found.causes else first
                yield lead, found  # kept, should the user stop while the command runs
                first_of_many = rank == 0 and len(group) > 1
                yield lead, self._verified(lead, found, pairs, ends - PAIRS_SHARE * time * first_of_many)
                pairs, closes = min(pairs, OTHERS_PAIRS), ends
            self.runs -= self.made - before
            if self.seconds is not None:
                self.seconds = max(0.0, self.seconds - (realtime.monotonic() - started))

    def _verified(self, lead: Lead, found: Diagnosis, pairs: int, ends: float) -> Diagnosis:
        if not pairs or realtime.monotonic() > ends:
            return found
        found = self.verify(lead, found, pairs, ends)
        self.made += sum(count.runs for count in (found.verified, found.control) if count is not None)
        return found

    def _follow(self, experiment: Experiment[Found], lead: Lead, limit: int, ends: float) -> Found:
        """Make the runs that an experiment asks for, until it is done or the budget is spent."""
        before = self.made
        try:
            setup = next(experiment)
            while True:
                if self.made >= limit or realtime.monotonic() > ends:
                    experiment.throw(OutOfRuns)
                setup = experiment.send(self._answer(setup, lead.target.nodeid, lead.mode.fingerprint))
        except StopIteration as end:
            found: Found = end.value
            if isinstance(found, Diagnosis):
                return replace(found, runs=self.made - before)
            return found

    def _answer(self, setup: Setup, nodeid: str, mode: str) -> Seen:
        """Run a test once under a setup."""
        isolation = self.pool.usual
        if setup.fresh or nodeid in self.suspicious:
            isolation = Isolation.FRESH
        study = wire.Study(
            readings=setup.readings and not setup.early,
            imports=setup.readings and setup.early,
            changes=setup.changes,
            undone=setup.undone,
        )
        job = Job(
            Draft(self.next_number(), setup.plan, tuple(sorted(setup.plan.names))),
            (*setup.before, nodeid),
            isolation,
            interpreter=setup.interpreter,
            early=str(setup.plan) if setup.early else "",
            study=study,
        )
        slots = max(2, self.pool.workers) if setup.beside else 1
        self._run(job, slots)
        for _ in range(TRIES_TO_MEET):
            if not setup.beside or self._met:
                break
            self._warming = set(range(1, slots))
            self.pool.work(self, slots)
            self._run(replace(job, draft=replace(job.draft, number=self.next_number())), slots)
        self.made += 1
        attempts, told = self._came
        return Seen(self._reply(attempts, nodeid, mode), self._readings(told, nodeid), self._changes(told))

    def _run(self, job: Job, slots: int) -> None:
        """Make a run, with neighbours in all slots but the first."""
        self._subject, self._neighbour, self._number = job, job if slots > 1 else None, job.draft.number
        self._came, self._over, self._met = ((), ()), False, False
        self._accompanied += slots > 1
        self.pool.work(self, slots, first=self._accompanied % slots)

    def _reply(self, attempts: Sequence[Attempt], nodeid: str, mode: str) -> Reply:
        for attempt in attempts:
            if attempt.nodeid == nodeid and attempt.outcome.counts:
                if not attempt.outcome.fails:
                    return Reply.PASSES
                assert attempt.evidence is not None
                same = fingerprint(attempt.outcome, attempt.evidence) == mode
                return Reply.FAILS if same else Reply.OTHERWISE
        return Reply.NOTHING

    def _readings(self, told: Sequence[wire.Told], nodeid: str) -> tuple[tuple[str, str, str], ...]:
        position = self.pool.tallies.positions[nodeid]
        return tuple(
            (source, call, f"{place[0]}:{place[1]}")
            for item in told
            if item.kind == "imports" or (item.kind == "readings" and item.data["position"] == position)
            for source, call, place in _listed(item.data, "readings")
        )

    def _changes(self, told: Sequence[wire.Told]) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (self.pool.tallies[_position(item.data)].nodeid, verb, path)
            for item in told
            if item.kind == "changes"
            for verb, path in _listed(item.data, "changes")
        )

    # what the pool asks and tells

    def next(self, slot: Slot) -> Job | None:
        """Give the first place the run itself, and the others neighbours for as long as it goes on."""
        if slot.index == 0:
            job, self._subject = self._subject, None
            return job
        if self._warming:
            self._warming.discard(slot.index)
        elif self._over:
            return None
        if self._neighbour is None:
            return None
        return replace(self._neighbour, draft=replace(self._neighbour.draft, number=self.next_number()))

    def ended(self, sweep: Sweep, attempts: Sequence[Attempt], told: Sequence[wire.Told]) -> None:
        """Keep a run, in the ledger too; neighbours are in no count, as they run in other interpreters."""
        sweep = replace(sweep, purpose=Purpose.DIAGNOSIS)
        self.ledger.write(sweep, attempts, fingerprints(attempts))
        if sweep.number == self._number:
            self._came, self._over, self._met = (attempts, told), True, sweep.neighbours > 0

    def nothing_ran(self) -> None:
        """Go on: the run says nothing."""
        self._over = True

    def hung(self, test: Tally) -> None:
        """Count a hang; experiments go on all the same."""
        test.hangs += 1

    def passing(self) -> None:
        """Show what is being done."""
        elapsed = realtime.monotonic() - self.pool.began
        found = self.pool.tallies.found
        self.pool.audience.progress(Progress(self.made, None, elapsed, self.seconds, found, (), self.doing))


def _position(data: Mapping[str, object]) -> int:
    position = data["position"]
    assert isinstance(position, int)
    return position


def _listed(data: Mapping[str, object], name: str) -> list[list[str]]:
    entries = data[name]
    assert isinstance(entries, list)
    return entries
