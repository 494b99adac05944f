"""The experiments on causes: each run is a sweep like the survey's, alone on the machine, within a budget."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pytest_flakehunt import realtime
from pytest_flakehunt.analysis.attribution import Attribution, OutOfRuns, Target, shared
from pytest_flakehunt.analysis.fingerprints import fingerprint
from pytest_flakehunt.analysis.reduction import Experiment
from pytest_flakehunt.model import Attempt, Diagnosis, Isolation, Purpose, Reply, Seen, Setup, Sweep
from pytest_flakehunt.plan import Draft
from pytest_flakehunt.tallies import Tally
from pytest_flakehunt.watching import Recorder
from pytest_flakehunt.workshop import Job, Slot, Workshop
from pytest_flakehunt.zygote import wire

Found = TypeVar("Found", Diagnosis, Diagnosis | None)
DEFAULT_EACH = 1000
"""Runs for each finding, while findings are few."""
DEFAULT_ALL = 5000
"""Runs for all of them."""
LEAST_SECONDS = 120.0
"""Unless runs are given, the diagnosis takes no longer than the survey did, or than this."""


@dataclass(slots=True)
class Laboratory:
    """Runs experiments in the hunt's own workshop."""

    workshop: Workshop
    ledger: Recorder
    next_number: Callable[[], int]
    suspicious: set[str]
    """Tests that fail in forks through our fault: each of their runs gets a fresh interpreter."""
    runs: int
    """Runs that are left."""
    seconds: float | None
    """Seconds that are left; None where runs alone decide."""
    made: int = 0
    _subject: Job | None = None
    """The run that the experiment asked for, until a place takes it."""
    _neighbour: Job | None = None
    """What goes on beside it, again and again."""
    _number: int = 0
    _came: tuple[Sequence[Attempt], Sequence[wire.Told]] = ((), ())
    """What the run said."""
    _over: bool = False
    """Whether neighbours may stop."""

    def diagnose(self, groups: Sequence[Sequence[tuple[Target, str]]]) -> Iterator[tuple[str, str, Diagnosis]]:
        """Diagnose groups of modes one after the other, each within its fair share of what is left.

        Args:
            groups: modes that failed in the same sweeps, each with its fingerprint.

        Yields:
            Node id, fingerprint, and what was found.
        """
        self.workshop.parking = True
        for place, group in enumerate(groups):
            left = len(groups) - place
            started, before = realtime.monotonic(), self.made
            ends = float("inf") if self.seconds is None else started + self.seconds / left
            share = min(DEFAULT_EACH, self.runs // left) if self.seconds is not None else self.runs // left
            first: Diagnosis | None = None
            for target, mode in group:
                limit = self.made + max(0, share - (self.made - before))
                found = self._follow(shared(first), target.nodeid, mode, limit, ends) if first else None
                if found is None:
                    found = self._follow(Attribution(target).run(), target.nodeid, mode, limit, ends)
                    first = found if found.causes else first
                yield target.nodeid, mode, found
            self.runs -= self.made - before
            if self.seconds is not None:
                self.seconds = max(0.0, self.seconds - (realtime.monotonic() - started))

    def _follow(self, experiment: Experiment[Found], nodeid: str, mode: str, limit: int, ends: float) -> Found:
        """Make the runs that an experiment asks for, until it is done or the budget is spent."""
        before = self.made
        try:
            setup = next(experiment)
            while True:
                if self.made >= limit or realtime.monotonic() > ends:
                    experiment.throw(OutOfRuns)
                setup = experiment.send(self._answer(setup, nodeid, mode))
        except StopIteration as end:
            found: Found = end.value
            if isinstance(found, Diagnosis):
                return replace(found, runs=self.made - before)
            return found

    def _answer(self, setup: Setup, nodeid: str, mode: str) -> Seen:
        """Run a test once under a setup."""
        isolation = self.workshop.usual
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
        self._subject, self._neighbour, self._number = job, job if setup.beside else None, job.draft.number
        self._came, self._over = ((), ()), False
        self.workshop.work(self, max(2, self.workshop.workers) if setup.beside else 1)
        self.made += 1
        attempts, told = self._came
        return Seen(self._reply(attempts, nodeid, mode), self._readings(told, nodeid), self._changes(told))

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
        position = self.workshop.tallies.positions[nodeid]
        return tuple(
            (source, call, f"{place[0]}:{place[1]}")
            for item in told
            if item.kind == "imports" or (item.kind == "readings" and item.data["position"] == position)
            for source, call, place in _listed(item.data, "readings")
        )

    def _changes(self, told: Sequence[wire.Told]) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (self.workshop.tallies[_position(item.data)].nodeid, verb, path)
            for item in told
            if item.kind == "changes"
            for verb, path in _listed(item.data, "changes")
        )

    # what the workshop asks and tells

    def next(self, slot: Slot) -> Job | None:
        """Give the first place the run itself, and the others neighbours for as long as it goes on."""
        if slot.index == 0:
            job, self._subject = self._subject, None
            return job
        if self._neighbour is None or self._over:
            return None
        return replace(self._neighbour, draft=replace(self._neighbour.draft, number=self.next_number()))

    def ended(self, sweep: Sweep, attempts: Sequence[Attempt], told: Sequence[wire.Told]) -> None:
        """Keep a run, in the ledger too; neighbours are in no count, as they run in other interpreters."""
        sweep = replace(sweep, purpose=Purpose.DIAGNOSIS)
        prints = [fingerprint(a.outcome, a.evidence) if a.evidence is not None else "" for a in attempts]
        self.ledger.write(sweep, attempts, prints)
        if sweep.number == self._number:
            self._came, self._over = (attempts, told), True

    def nothing_ran(self) -> None:
        """Go on: the run says nothing."""
        self._over = True

    def hung(self, test: Tally) -> None:
        """Count a hang; experiments go on all the same."""
        test.hangs += 1

    def passing(self) -> None:
        """Nothing to show."""


def _position(data: Mapping[str, object]) -> int:
    position = data["position"]
    assert isinstance(position, int)
    return position


def _listed(data: Mapping[str, object], name: str) -> list[list[str]]:
    entries = data[name]
    assert isinstance(entries, list)
    return entries
