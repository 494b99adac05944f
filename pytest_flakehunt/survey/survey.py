"""The survey: which sweep comes next, and what each one adds to the picture."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from pytest_flakehunt.analysis.fingerprints import fingerprints
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model import Attempt, Isolation, LeakKind, Look, Outcome, Progress, Purpose, Spent, Sweep
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.pool.audience import Recorder
from pytest_flakehunt.pool.pool import Pool
from pytest_flakehunt.pool.slots import Job, Slot
from pytest_flakehunt.pool.tallies import Tallies, Tally
from pytest_flakehunt.survey.company import Company
from pytest_flakehunt.survey.consulted import Consulted
from pytest_flakehunt.survey.crowd import Crowd
from pytest_flakehunt.survey.outages import Outages
from pytest_flakehunt.survey.schedule import Schedule, affords, seeds_so_far
from pytest_flakehunt.survey.trust import FEWEST, ForkTrial
from pytest_flakehunt.zygote import wire

HANGS_TO_BENCH = 2
"""Hung attempts after which a test leaves the shared sweeps and is finished alone."""
LAST_CHANCES = 3
"""Attempts that a benched test gets, alone."""
MOST_TRACED = 5
"""Tests with the same leak whose lines are watched to see which of them leaves it."""
MOST_AGAIN = 100
"""Sweeps, of those that were forked, that tests which fail forked and pass unforked get again in fresh interpreters."""
FEWEST_SWEEPS = 4
"""Sweeps that a zygote runs at least before it retires."""
MOST_SWEEPS = 200
"""Sweeps that a zygote runs at most: what is drawn at import differs only between zygotes."""
START_SHARE = 8.0
"""How many times its own start a zygote must have worked before it retires."""
TIMED = 1_000_000
"""More sweeps than there is ever time for: where time decides, all others count from here."""
EVERY_NEAR = 10
"""Every so many sweeps, from the first one on, look after each test at all state that it shares with others."""
STUDY_PAYS = 12
"""Sweeps for one perturbation whose sources can be seen, from which on it pays to see who consults them."""


@dataclass(slots=True)
class Survey:
    """One survey, from the first zygote to the last sweep."""

    pool: Pool
    schedule: Schedule
    tallies: Tallies
    ledger: Recorder
    seconds: float | None = None
    reserve: float = 0.0
    """Share of the seconds that is kept for experiments, once a test has failed."""
    checks: bool = True
    """Whether outages are set aside, and forks checked against unforked sweeps; not so in a replay."""
    studies: bool = False
    """Whether one sweep more is to show which sources each test consults."""
    saved: int = 0
    """Attempts left out: of tests that consult nothing that was perturbed alone."""
    sweeps: dict[int, Sweep] = field(default_factory=dict)
    outages: Outages = field(init=False)
    consulted: Consulted = field(init=False)
    near: set[int] = field(default_factory=set)
    """Sweeps that look after each test at shared state, also at such as no event tells of."""
    modules: set[int] = field(default_factory=set)
    """Those of them that look at modules too."""
    unjudged: dict[str, set[int]] = field(default_factory=dict)
    """By test: sweeps of which it is not known whether it left anything behind."""
    unexplained: int = -1
    """The last sweep that showed from afar that such state was changed, as long as none after it has looked by whom."""
    _leaking: bool = False
    """Whether any sweep has changed such state: all later ones look from near."""
    _encores: deque[Job] = field(default_factory=deque)
    _ended_sweeps: list[tuple[Sweep, Sequence[Attempt]]] = field(default_factory=list)
    _written: set[int] = field(default_factory=set)
    """Those of them that are kept already, by number; whether one is an outage is said when that is known."""
    _extra: int = 0
    """Sweeps that the schedule does not know, so far."""
    _begun: bool = False
    """Whether sweep 0 is under way."""
    _left_out: int = 0
    """Sweeps in which no test was worth running."""
    _narrowed: dict[int, int] = field(default_factory=dict)
    """By sweep: tests that were left out."""
    _study: int = -1
    """The number of the sweep that shows it."""
    crowd: Crowd = field(default_factory=Crowd)
    """Tests that may fail only because another sweep runs beside theirs."""
    _trying: int = -1
    """The number of the sweep that was begun to find out."""
    _trial: ForkTrial | None = None
    """Whether forks can be trusted, where that is in doubt."""
    _calm_before: int = 0
    """Calm sweeps in fresh interpreters before the hunt was interrupted."""
    _unplaced: dict[tuple[LeakKind, str], dict[str, None]] = field(default_factory=dict)
    """The first few tests with each leak that no line was seen to leave: to watch each line takes long."""
    _dear: set[int] = field(default_factory=set)
    """Sweeps that go on to their end before it is asked whether neighbours matter, by number."""
    _joined: bool = False
    """Whether the company was given a calm sweep with what it runs beside, as it stands in the suite."""
    _controlled: bool = False
    """Whether the company was given a calm sweep by itself."""
    company: Company = field(default_factory=Company)
    """The tests that run beside those that are hunted, in orders."""
    _traced: int = -1
    """The number of the sweep that is to show the lines."""

    def __post_init__(self) -> None:
        self.outages = Outages(self.tallies)
        self.consulted = Consulted(self.tallies, self.pool.known)

    def run(self) -> None:
        """Run all sweeps; what was seen stands in the ledger, in ``sweeps`` and in the tallies.

        Raises:
            HuntFailed: no zygote can be started.
            KeyboardInterrupt: as it came.
        """
        limit = self.schedule.limit
        slots = self.pool.workers if limit is None else min(self.pool.workers, limit)
        while True:
            self.pool.work(self, 1 if self.crowd.members else max(1, slots), grows=not self.crowd.members)
            if not self.crowd.suspects:
                if self._encores:  # they came when all slots were done
                    continue
                break
            self.crowd.trial = self.next_number()
            self.pool.work(self, 1)
            self._dear = set()
            self.crowd.suspects = set()  # from here on all slots work again, unless there is a crowd
            if self.crowd.members:
                self.pool.say(self.crowd.sentence())
        self.pool.settle("the hunt ended before it had tried whether forks are safe")

    def close(self) -> None:
        """Take in the sweeps that still waited for sweep 0."""
        while self._ended_sweeps:
            self._record(*self._ended_sweeps.pop(0))

    # what a place does next

    def next(self, slot: Slot) -> Job | None:
        """Choose the next sweep; a zygote that retires gets a last one first."""
        postponed = self._dear & {other.job.draft.number for other in self.pool.slots.all if other.job is not None}
        return self._by_itself() if self.crowd.suspects and not postponed else self._next(slot)

    def _next(self, slot: Slot) -> Job | None:
        late = self._late()
        if not late and self._begun and self.pool.doubtful and (job := self._try_forks()):
            return job
        if not late and self._due(slot) and (last := self._last_of(slot)):
            return last
        usual = self.pool.usual
        forking = [other for other in self.pool.slots.all if other.link is not None and usual is Isolation.FORK]
        if self.studies and self._begun and not late:
            self.studies, self._study = False, self.next_number()
            return Job(Draft(self._study), isolation=usual, study=wire.Study(sources=True))
        if not late and (job := self._draft(retiring=len(forking))):
            return job
        if not late and slot in forking and slot.served and (last := self._last_of(slot)):
            return last
        return self._extra_job(slot, late=late)

    def _dear_now(self) -> set[int]:
        """Name the sweeps under way that take many times as long as others: nobody should wait for their end."""
        drafts = [slot.job.draft for slot in self.pool.slots.all if slot.job is not None]
        return {
            draft.number
            for draft in drafts
            if any(getattr(setting, "dear", False) for _, setting in draft.plan.settings)
        }

    def _by_itself(self) -> Job | None:
        """Give the sweep that shows whether neighbours are why tests fail; none as long as there are neighbours."""
        if self.crowd.trial in {-1, *self.sweeps} or self._trying == self.crowd.trial:
            return None
        self._trying = self.crowd.trial
        return Job(Draft(self.crowd.trial), isolation=self.pool.usual, study=wire.Study(outside=True))

    def _try_forks(self) -> Job | None:
        """Give a sweep that shows whether forks can be trusted, if that is to be found out."""
        limit = self.schedule.limit
        if not self.checks or (limit is not None and limit < FEWEST):
            short = f"a hunt of fewer than {FEWEST} sweeps" if self.checks else "a replay"
            self.pool.settle(f"{short} does not try whether forks are safe")
            return None
        if self._trial is None:
            self._trial = ForkTrial(self.tallies, calm=self._calm_before)
        return self._trial.job(self.next_number, self.schedule.next_calm)

    def _settle_forks(self) -> None:
        if self._trial is not None and self._trial.verdict is not None:
            self.pool.settle(self._trial.verdict)

    def _extra_job(self, slot: Slot, *, late: bool) -> Job | None:
        """Give what is left when the schedule is through: lines of leaks, hanging tests, and doubts about ourselves."""
        if not late and self._unplaced and self._traced < 0:
            self._traced = self.next_number()
            study = wire.Study(lines=True, near=True, modules=True)
            tests = {nodeid for some in self._unplaced.values() for nodeid in some}
            chosen = tuple(sorted(tests, key=self.tallies.positions.__getitem__))
            return Job(Draft(self._traced), chosen, self.pool.usual, study=study)
        if not late and (company := self._control()):
            return Job(Draft(self.next_number()), company, Isolation.FRESH)
        alone = all(other is slot or other.finished for other in self.pool.slots.all)
        if self._encores or (alone and self._doubts()):
            return self._encores.popleft()
        return None

    def _draft(self, retiring: int) -> Job | None:
        """Give the next sweep of the schedule in which any test is worth running; none where all tests are benched."""
        tests = [nodeid for nodeid in self.tallies.hunted() if nodeid not in self.pool.benched]
        if self.company.tests and self._begun and not self._joined:
            self._joined = True
            number = self.next_number()
            return Job(Draft(number), self._with_company(tests, number), self.pool.usual)
        while tests and (draft := self.schedule.next(retiring)) is not None:
            self._begun = True
            worth = self.consulted.worth(draft, tests)
            spared = len(tests) - len(worth)
            self.saved += spared
            if worth:
                if spared:
                    self._narrowed[draft.number] = spared
                only = tuple(worth) if spared else ()
                if self.company.joins(draft):
                    only = self._with_company(tests, draft.number)
                early = "" if self.checks else str(draft.plan)
                study = replace(self._looking(draft), unheld=self.consulted.unheld(draft, tests))
                return Job(draft, only, self.pool.usual, early=early, study=study)
            self._left_out += 1
        return None

    def _with_company(self, tests: Sequence[str], seed: int) -> tuple[str, ...]:
        """Add tests that a change may harm, in the order of collection."""
        joining = [nodeid for nodeid in self.company.join(seed) if nodeid not in self.pool.benched]
        return tuple(sorted({*tests, *joining}, key=self.tallies.positions.__getitem__))

    def _control(self) -> tuple[str, ...]:
        """Name the company that ran, once a test of it has failed: by itself it shows what the others did."""
        ran = [test for nodeid in self.company.tests if (test := self.tallies.named(nodeid)).total.runs]
        if self._controlled or not any(test.total.failures for test in ran):
            return ()
        self._controlled = True
        return tuple(test.nodeid for test in ran if test.nodeid not in self.pool.benched)

    def _late(self) -> bool:
        left = self._left()
        return left is not None and left < 0

    def _left(self) -> float | None:
        """Give the seconds that the survey may still take; None where the number of sweeps decides."""
        if self.seconds is None:
            return None
        share = 1 - self.reserve if self.tallies.found else 1.0
        return self.seconds * share - (realtime.monotonic() - self.pool.began)

    def _due(self, slot: Slot) -> bool:
        """Tell whether a zygote has worked long enough: the next one draws other things as it is imported."""
        link = slot.link
        if link is None or link.ready is None or self.pool.usual is not Isolation.FORK:
            return False
        if not self.checks:  # a plan that is replayed leaves hash seeds to chance as well
            return self._seed_wanted(slot, link.start_cost)
        most, limit = MOST_SWEEPS, self.schedule.limit
        if limit is not None:
            share = -(-limit // (2 * self.pool.workers))  # rounded up: none is started for the sweep or two left over
            most = min(most, max(FEWEST_SWEEPS, share - 1))
        if slot.served >= most:
            return True
        worked = realtime.monotonic() - link.started - link.start_cost
        if slot.served >= FEWEST_SWEEPS and worked > START_SHARE * link.start_cost:
            return True
        return self._seed_wanted(slot, link.start_cost)

    def _seed_wanted(self, slot: Slot, start: float) -> bool:
        """Tell whether a zygote should make room for another hash seed, and one that starts fast enough for it."""
        slots, limit = self.pool.slots, self.schedule.limit
        done = len(self.sweeps) + self._left_out
        if not slots.hashseeds or not slot.served or slots.zygotes >= seeds_so_far(limit, done):
            return False
        return affords(self.pool.starting, start, (realtime.monotonic() - self.pool.began) * len(slots.all))

    def _last_of(self, slot: Slot) -> Job | None:
        """Give a zygote that retires a last calm sweep in itself, unforked; where none is left it just goes."""
        draft = self.schedule.last_calm() if self.checks else None
        if draft is None:
            self.pool.slots.dismiss(slot)
            return None
        return Job(draft, isolation=Isolation.UNFORKED, study=self._looking(draft))

    def _looking(self, draft: Draft) -> wire.Study:
        """Choose how close a sweep looks at what its tests leave."""
        every = draft.number % EVERY_NEAR == 0
        if every or self._leaking:
            self.near.add(draft.number)
        if every:
            self.modules.add(draft.number)
        return wire.Study(near=draft.number in self.near, modules=every, fitting=True)

    # what a sweep leaves

    def ended(self, sweep: Sweep, attempts: Sequence[Attempt], told: Sequence[wire.Told]) -> None:
        """Take in a sweep, as soon as sweep 0 has shown what passes when calm."""
        if sweep.number == self._study:
            self._take_study(replace(sweep, purpose=Purpose.STUDY), attempts, told)
            return
        if sweep.number == self._traced:
            self.ledger.write(replace(sweep, purpose=Purpose.STUDY), attempts, fingerprints(attempts))
            return
        if self._trial is not None and sweep.number in self._trial.numbers:
            self.ledger.write(replace(sweep, purpose=Purpose.STUDY), attempts, fingerprints(attempts))
            self._trial.take(attempts)
            self._settle_forks()
            return
        if any(item.kind == wire.STIRRED for item in told):
            self.unexplained, self._leaking = sweep.number, True
        if sweep.number == self.crowd.trial and self.crowd.suspects:
            self.crowd.settle(attempts, told, self.tallies.nodeids())
        elif self.checks and self.pool.workers > 1:
            self.crowd.look(sweep, attempts)
            if self.crowd.suspects and not self._dear:
                self._dear = self._dear_now()
        looked = Look.MODULES if sweep.number in self.modules else Look.NEAR if sweep.number in self.near else Look.FAR
        self._ended_sweeps.append((sweep := replace(sweep, looked=looked), attempts))
        if self._waits(sweep):
            self.ledger.write(sweep, attempts, fingerprints(attempts))
            self._written.add(sweep.number)
            return
        self._ended_sweeps.sort(key=lambda ended: ended[0].number)
        self.close()

    def _waits(self, sweep: Sweep) -> bool:
        """Tell whether it cannot be told yet if a sweep is an outage: that takes what passes when calm."""
        return self.checks and sweep.number > 0 and 0 not in self.sweeps

    def _record(self, sweep: Sweep, attempts: Sequence[Attempt]) -> None:
        if self.checks and sweep.number:
            left_out = self._narrowed.get(sweep.number, 0)
            sweep = replace(sweep, outage=self.outages.sets_aside(sweep, attempts, left_out, self.sweeps.values()))
        if sweep.number in self.near and sweep.number > self.unexplained:
            self.unexplained = -1
        if sweep.number not in self._written:
            self.ledger.write(sweep, attempts, fingerprints(attempts))
        elif sweep.outage:
            self.ledger.set_aside(sweep.number)
        self.sweeps[sweep.number] = sweep
        self.schedule.turns.tests = max(self.schedule.turns.tests, len(attempts))
        self.schedule.turns.took(" ".join(sweep.focus), sweep.seconds)
        self.company.saw(attempts)
        if sweep.outage:
            self._encores.extend(self.outages.try_again(sweep, self.next_number, self.pool.usual))
        else:
            self.tallies.add(sweep, attempts)
            if self._trial is not None:
                self._trial.saw(sweep)
                self._settle_forks()
        for attempt in attempts:
            self._note_leaks(sweep.number, attempt)
        self._make_room(sweep)

    def _make_room(self, sweep: Sweep) -> None:
        """See whether more sweeps can go on at once."""
        left, limit = self._left(), self.schedule.limit
        if limit is not None:
            sweeps = float(limit - len(self.sweeps) - self._left_out)
        else:
            sweeps = 0.0 if left is None else left * self.pool.width / max(sweep.seconds, 0.001)
        start = self.pool.starting / max(1, self.pool.slots.zygotes)
        if said := self.pool.room.saw(sweep, sweeps, start, had_cores=self.pool.had_cores(sweep)):
            self.pool.say(said)

    def _note_leaks(self, number: int, attempt: Attempt) -> None:
        for leak in attempt.leaks:
            tests = self._unplaced.setdefault((leak.kind, leak.what), {}) if leak.started_at is None else {}
            if len(tests) < MOST_TRACED:
                tests[attempt.nodeid] = None
        if any(leak.polled for leak in attempt.leaks):
            self._leaking = True
        if not attempt.judged:
            self.unjudged.setdefault(attempt.nodeid, set()).add(number)

    def _take_study(self, sweep: Sweep, attempts: Sequence[Attempt], told: Sequence[wire.Told]) -> None:
        """Believe tests that passed, and were watched to the end in one process."""
        self.ledger.write(sweep, attempts, fingerprints(attempts))
        self.consulted.take(attempts, told)

    def waits(self) -> bool:
        """Say that a slot without a sweep has none to come."""
        return False

    def nothing_ran(self, number: int) -> None:
        """Go on: an interpreter that collects none of some tests says so in the notes."""

    def hung(self, test: Tally) -> None:
        """Count a hang; a test that hangs again leaves the shared sweeps, and is finished alone."""
        test.hangs += 1
        if test.hangs == HANGS_TO_BENCH:
            self._bench(test, self._why_benched(test))

    def deadly(self, test: Tally) -> None:
        """Finish a test alone that ends what its process is forked from."""
        self.tallies.deadly.add(test.nodeid)
        self._bench(test, "it ends its parent process, which in an ordinary run is whatever has started pytest")

    def _bench(self, test: Tally, why: str) -> None:
        if test.nodeid not in self.pool.benched:
            self.pool.benched.add(test.nodeid)
            self.pool.say(f"{test.nodeid} is left out of further sweeps: {why}")
            for _ in range(LAST_CHANCES):
                self._encores.append(Job(Draft(self.next_number()), (test.nodeid,), self.pool.usual))

    @staticmethod
    def _why_benched(test: Tally) -> str:
        if test.slowest is not None:
            return "it hangs again and again"
        return "it hangs when calm; if it only takes long, say how long with --flakehunt-timeout"

    def _doubts(self) -> bool:
        """Queue fresh interpreters for tests that forks alone may make fail, until it is known who is the cause."""
        if not self.checks:
            return False
        unchecked, doubted = self.tallies.doubted()
        alone = tuple(nodeid for nodeid in unchecked if nodeid in self.pool.benched)
        if alone:
            self._encores.append(Job(Draft(self.next_number()), alone, Isolation.FRESH))
        if len(alone) < len(unchecked):  # with all others: who fails for what comes before it does so unforked too
            self._encores.append(Job(Draft(self.next_number()), isolation=Isolation.FRESH))
        if doubted:  # what it met in forks says nothing: it gets as much again
            for sweep in sorted(self.sweeps.values(), key=lambda sweep: sweep.number)[:MOST_AGAIN]:
                if sweep.isolation is Isolation.FORK:
                    draft = Draft(self.next_number(), sweep.plan, sweep.focus)
                    self._encores.append(Job(draft, doubted, Isolation.FRESH))
        return bool(unchecked or doubted)

    def spent(self) -> tuple[Spent, ...]:
        """Tell where the time of the workers went, the dearest first."""
        kinds: dict[str, list[Sweep]] = {}
        for sweep in self.sweeps.values():
            name = "calm" if not sweep.focus else sweep.focus[0] if len(sweep.focus) == 1 else "several"
            kinds.setdefault(name, []).append(sweep)
        found = [
            Spent(name, len(some), sum(sweep.seconds for sweep in some), sum(sweep.cpu for sweep in some))
            for name, some in kinds.items()
        ]
        found.append(Spent("starting", self.pool.slots.zygotes, self.pool.starting))
        return tuple(sorted(found, key=lambda spent: -spent.seconds))

    def at_once(self) -> int:
        """Tell how many sweeps went on at once, at most."""
        return max((sweep.neighbours + 1 for sweep in self.sweeps.values()), default=0)

    def hashseeds(self) -> int:
        """Tell how many hash seeds were tried; 0 where they were left alone."""
        return len({sweep.hashseed for sweep in self.sweeps.values()} - {""}) if self.pool.slots.hashseeds else 0

    def restore(self, seen: Iterable[tuple[Sweep, Sequence[Attempt]]], last: int) -> None:
        """Take in sweeps of a survey that were run before, so that it or experiments can go on from them.

        Args:
            seen: they, with the attempts of tests that are still there.
            last: the highest number that was given.
        """
        aside: list[tuple[Sweep, Sequence[Attempt]]] = []
        for sweep, attempts in seen:
            if sweep.looked is not Look.FAR:
                self.near.add(sweep.number)
            if sweep.looked is Look.MODULES:
                self.modules.add(sweep.number)
            for attempt in attempts:
                self.tallies.named(attempt.nodeid).hangs += attempt.outcome is Outcome.HUNG
            if self._waits(sweep):
                self._ended_sweeps.append((sweep, attempts))
                self._written.add(sweep.number)
                continue
            self.sweeps[sweep.number] = sweep
            if sweep.outage:
                aside.append((sweep, attempts))
            else:
                self.tallies.add(sweep, attempts)
            for attempt in attempts:
                self._note_leaks(sweep.number, attempt)
            self.schedule.turns.tests = max(self.schedule.turns.tests, len(attempts))
            self.schedule.turns.took(" ".join(sweep.focus), sweep.seconds)
            self.company.saw(attempts)
            self.saved += self._left_out_of(sweep, attempts)
            if self.checks and self.pool.workers > 1:
                self.crowd.recall(sweep, attempts)
        outages = (self.tallies.outage(*ended) for ended in aside)
        self.outages.set_aside.extend(outage for outage in outages if outage is not None)
        self._begun = 0 in self.sweeps
        self._extra = max(0, -(-(last - self._beyond) // self.schedule.shard.count))

    def _left_out_of(self, sweep: Sweep, attempts: Sequence[Attempt]) -> int:
        """Tell how many tests a sweep was run without, as they consult nothing of what it perturbed alone."""
        lone = len(sweep.focus) == 1 and self.consulted.narrows(sweep.focus[0])
        if not lone or sweep.torn or sweep.number >= self._beyond:
            return 0
        ran = {attempt.nodeid for attempt in attempts}
        others = (self.tallies.named(nodeid) for nodeid in self.tallies.hunted() if nodeid not in ran)
        return sum(test.total.runs > 0 and test.hangs < HANGS_TO_BENCH for test in others)

    def settle(self) -> None:
        """Take the survey to be over: what was restored is all that there is."""
        self.close()
        self.crowd.suspects = set()
        self.tallies.doubted()

    def go_on(self) -> None:
        """Go on with the survey from what was restored."""
        for test in self.tallies.tests:
            if test.hangs >= HANGS_TO_BENCH:
                self.pool.benched.add(test.nodeid)
        fresh = [sweep for sweep in self.sweeps.values() if sweep.calm and sweep.isolation is Isolation.FRESH]
        self._calm_before = len(fresh)

    @property
    def _beyond(self) -> int:
        """The highest number that a sweep of the schedule may have, in whatever shard."""
        return TIMED if self.schedule.whole is None else self.schedule.whole

    def next_number(self) -> int:
        """Give a number for a sweep that the schedule does not know, and that no other shard has."""
        self._extra += 1
        return self._beyond + self.schedule.shard.count - 1 + self.schedule.shard.nth(self._extra)

    def passing(self) -> None:
        """Show how far the survey is."""
        elapsed = realtime.monotonic() - self.pool.began
        done, total = len(self.sweeps) + self._left_out, self.schedule.limit
        left = self._left()
        if left is not None:
            left = max(0.0, left)
        else:
            left = elapsed / done * (total - done) if done and total is not None and done < total else None
        plans = [slot.ongoing.plan for slot in self.pool.slots.all if slot.ongoing is not None]
        under_way = tuple(str(plan) or "calm" for plan in plans)
        most = None if total is None else max(done, total)  # some are added as it goes on
        self.pool.audience.progress(Progress(done, most, elapsed, left, self.tallies.found, under_way))
