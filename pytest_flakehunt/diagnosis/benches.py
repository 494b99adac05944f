"""The experiments on one group of modes, as they go on: which runs they wait for, and what these have cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from pytest_flakehunt.analysis import second
from pytest_flakehunt.analysis.attribution import Attribution
from pytest_flakehunt.analysis.fingerprints import fingerprint
from pytest_flakehunt.analysis.members import known_polluter, shared
from pytest_flakehunt.analysis.reduction import Experiment, OutOfRuns
from pytest_flakehunt.analysis.target import Target
from pytest_flakehunt.diagnosis import remembered
from pytest_flakehunt.diagnosis.remembered import Memory
from pytest_flakehunt.model import Attempt, Diagnosis, Finding, Isolation, Mode, Outcome, Reply, Seen, Setup
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.pool.slots import Job
from pytest_flakehunt.zygote import wire


class Lead(NamedTuple):
    """A mode to be diagnosed."""

    target: Target
    finding: Finding
    mode: Mode


Keep: TypeAlias = Callable[[Lead, Diagnosis], None]
"""Takes in what was found out of a mode."""


@dataclass(slots=True, eq=False)
class Bench:
    """The experiments on modes that failed in the same sweeps."""

    group: Sequence[Lead]
    keep: Keep
    expected: float = 0.0
    """Seconds that a run takes, about: what is settled soonest comes first."""
    runs: int = 0
    spent: float = 0.0
    """Seconds that they took, side by side or not."""
    allowed: float = 0.0
    """Of the budget, before others have their turn."""
    waiting: list[tuple[int, Setup]] = field(default_factory=list)
    """Runs that were asked for and have not begun, by their place among those asked for."""
    done: bool = False
    memory: Memory | None = None
    """What it did before the hunt was killed."""
    earlier: int = 0
    """Runs that were made then."""
    shown: Callable[[], Sequence[Diagnosis]] = tuple
    """Gives the causes that were shown so far, of other groups as well."""
    _step: int = 0
    _asked: str = ""
    _seen: list[Seen | None] = field(default_factory=list)
    _experiment: Experiment[None] | None = None
    _lead: Lead | None = None

    @property
    def lead(self) -> Lead:
        """The mode that is being diagnosed."""
        assert self._lead is not None
        return self._lead

    @property
    def between_batches(self) -> bool:
        """Whether nothing of what it asked for last has begun: half of it would find its interpreters gone."""
        return len(self.waiting) == len(self._seen)

    def begin(self) -> None:
        """Ask for the first runs."""
        self._experiment = self._all()
        self._ask(next)

    def take(self, place: int, seen: Seen) -> None:
        """Take in one run; with the last of those asked for, ask for the next ones."""
        self._seen[place] = seen
        if None not in self._seen:
            every = [one for one in self._seen if one is not None]
            if self.memory is not None:
                self.memory.keep_step(self._name, self._step, self._asked, remembered.told(every), self.spent)
            self._ask(lambda experiment: experiment.send(every))

    def stop(self) -> None:
        """Let the experiments say what they can, as the budget is spent."""
        while not self.done:
            self._ask(lambda experiment: experiment.throw(OutOfRuns))

    def _ask(self, go_on: Callable[[Experiment[None]], Sequence[Setup]]) -> None:
        assert self._experiment is not None
        try:
            asked = go_on(self._experiment)
            while (known := self._known(asked)) is not None:
                asked = self._experiment.send(known)
        except StopIteration:
            asked, self.done = (), True
        self.waiting, self._seen = list(enumerate(asked)), [None] * len(asked)

    @property
    def _name(self) -> str:
        lead = self.group[0]
        return f"{lead.target.nodeid} {lead.mode.fingerprint}"

    def _known(self, asked: Sequence[Setup]) -> list[Seen] | None:
        """Give what runs said that need not be made: none were asked for, or they were made before."""
        if not asked:
            return []
        self._step, self._asked = self._step + 1, remembered.digest(asked)
        as_before = self.memory is not None and self.runs == self.earlier
        kept = self.memory.step(self._name, self._step) if self.memory is not None and as_before else None
        if kept is None or kept[0] != self._asked or (seen := remembered.read(kept[1], len(asked))) is None:
            return None
        self.runs, self.earlier, self.spent = self.runs + len(asked), self.earlier + len(asked), kept[2]
        return seen

    def _all(self) -> Experiment[None]:
        """Diagnose the first mode, and see of each other one whether it has the same cause."""
        first: Diagnosis | None = None
        also: tuple[Diagnosis, ...] = ()
        for lead in self.group:
            self._lead, before, spent = lead, self.runs, self.spent
            found = (yield from shared(first, lead.target)) if first else None
            if found is not None:
                others = yield from second.shared_too(also, lead.target)
            else:
                found = yield from known_polluter(self.shown(), lead.target)
                found = found or (yield from Attribution(lead.target).run())
                others = yield from second.others(lead.target, found)
                if found.causes and first is None:
                    first, also = found, others
            self.keep(lead, replace(found, also=others, runs=self.runs - before, seconds=self.spent - spent))


def job(setup: Setup, nodeid: str, number: int, isolation: Isolation) -> Job:
    """Give the job that runs a test once under a setup."""
    study = wire.Study(
        readings=setup.readings and not setup.early.settings,
        imports=setup.readings and bool(setup.early.settings),
        changes=setup.changes,
        undone=setup.undone,
        hurried=True,
        path=setup.path,
        tape=setup.tape,
    )
    return Job(
        Draft(number, setup.plan, tuple(sorted(setup.plan.names))),
        (*setup.before, nodeid),
        Isolation.FRESH if setup.fresh else isolation,
        interpreter=setup.interpreter,
        early=str(setup.early),
        study=study,
    )


def reply(attempts: Sequence[Attempt], nodeid: str, mode: str, skipped: Reply = Reply.NOTHING) -> Reply:
    """Tell whether a test failed in a run, and whether in just this way.

    Args:
        attempts: of the run.
        nodeid: of the test.
        mode: the fingerprint of the failure that is meant.
        skipped: what it says that the test was skipped.
    """
    for attempt in attempts:
        if attempt.nodeid == nodeid and attempt.outcome is Outcome.SKIPPED:
            return skipped
        if attempt.nodeid == nodeid and attempt.outcome.counts:
            if not attempt.outcome.fails:
                return Reply.PASSES
            assert attempt.evidence is not None
            return Reply.FAILS if fingerprint(attempt.outcome, attempt.evidence) == mode else Reply.OTHERWISE
    return Reply.NOTHING
