"""One run of an experiment beside others that go on all the while, in as many interpreters as the survey had."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pytest_flakehunt.model import Attempt, Sweep
from pytest_flakehunt.pool.pool import Pool
from pytest_flakehunt.pool.slots import Job, Slot
from pytest_flakehunt.pool.tallies import Tally
from pytest_flakehunt.zygote import wire

TRIES_TO_MEET = 3
"""Times that a run beside others is made again where it met none."""


@dataclass(slots=True)
class Beside:
    """Runs a job in the first slot, and the same again and again in all others."""

    pool: Pool
    next_number: Callable[[], int]
    write: Callable[[Sweep, Sequence[Attempt]], None]
    show: Callable[[], None]
    _subject: Job | None = None
    """The run that the experiment asked for, until a place takes it."""
    _neighbour: Job | None = None
    _number: int = 0
    _came: tuple[Sequence[Attempt], Sequence[wire.Told]] = ((), ())
    """What the run said."""
    _over: bool = False
    """Whether neighbours may stop."""
    _met: bool = False
    """Whether the run had neighbours at all: their interpreters may still have been starting."""
    _warming: set[int] = field(default_factory=set)
    """Slots that run one neighbour each, so that their interpreters have started."""
    _first: int = 0
    """The slot of the run itself, by its index."""
    _accompanied: int = 0
    """Runs so far: neighbours begin first by turns, for whoever is first may be the one that passes."""

    def run(self, job: Job) -> tuple[Sequence[Attempt], Sequence[wire.Told]]:
        """Make the run; give what it said."""
        slots = max(2, self.pool.workers)
        first, *others = self.pool.slots.at_work(slots, together=True)
        self._first = first.index
        self._run(job, slots)
        for _ in range(TRIES_TO_MEET):
            if self._met:
                break
            self._warming = {slot.index for slot in others}
            self.pool.work(self, slots, together=True)
            self._run(replace(job, draft=replace(job.draft, number=self.next_number())), slots)
        return self._came

    def _run(self, job: Job, slots: int) -> None:
        self._subject, self._neighbour, self._number = job, job, job.draft.number
        self._came, self._over, self._met = ((), ()), False, False
        self._accompanied += 1
        self.pool.work(self, slots, first=self._accompanied % slots, together=True)

    # what the pool asks and tells

    def next(self, slot: Slot) -> Job | None:
        """Give the first slot the run itself, and the others neighbours for as long as it goes on."""
        if slot.index == self._first:
            job, self._subject = self._subject, None
            return job
        if self._warming:
            self._warming.discard(slot.index)
        elif self._over:
            return None
        if self._neighbour is None:
            return None
        return replace(self._neighbour, draft=replace(self._neighbour.draft, number=self.next_number()))

    def waits(self) -> bool:
        """Say that a slot without a job has none to come."""
        return False

    def ended(self, sweep: Sweep, attempts: Sequence[Attempt], told: Sequence[wire.Told]) -> None:
        """Keep a run; neighbours are in no count, as they run in other interpreters."""
        self.write(sweep, attempts)
        if sweep.number == self._number:
            self._came, self._over, self._met = (attempts, told), True, sweep.neighbours > 0

    def nothing_ran(self, number: int) -> None:
        """Go on: the run says nothing."""
        del number
        self._over = True

    def hung(self, test: Tally) -> None:
        """Count a hang; experiments go on all the same."""
        test.hangs += 1

    def deadly(self, test: Tally) -> None:
        """Go on: what is run for a test is bounded."""

    def passing(self) -> None:
        """Show what is being done."""
        self.show()
