"""The loop: hands sweeps to zygotes, takes in what they did, and ends with findings."""

import contextlib
import os
import queue
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_flakehunt import realtime, seeds
from pytest_flakehunt.analysis.fingerprints import fingerprint
from pytest_flakehunt.model import (
    Attempt,
    Isolation,
    Outage,
    Outcome,
    Perturbation,
    Plan,
    Sweep,
)
from pytest_flakehunt.plan import Draft, Schedule, arranged, environment
from pytest_flakehunt.sweeping import OURS_FAILED, Ongoing
from pytest_flakehunt.tallies import Tallies, Tally
from pytest_flakehunt.watching import Audience, Progress, Recorder
from pytest_flakehunt.zygote import link as links
from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.link import Link, Nursery, Origin, Watch
from pytest_flakehunt.zygote.warm import STACKS

LOOK = 0.2
"""Seconds between two looks at the journals of sweeps under way."""
LOOK_WHEN_SEEN = 0.03
"""The same while pytest itself watches sweep 0."""
UNKNOWN_LIMIT = 600.0
"""Seconds a test may take while none of its calm attempts has ended."""
LEAST_LIMIT = 10.0
LIMIT_FACTOR = 10.0
START_LIMIT = 600.0
"""Seconds a zygote may take to collect the suite."""
HANGS_TO_BENCH = 2
"""Hung attempts after which a test leaves the shared sweeps and is finished alone."""
LAST_CHANCES = 3
"""Attempts that a benched test gets, alone."""
FRESH_CHECKS = 5
"""Attempts in fresh interpreters for a test that fails forked and passes unforked."""
FEWEST_SWEEPS = 4
"""Sweeps that a zygote runs at least before it retires."""
MOST_SWEEPS = 200
"""Sweeps that a zygote runs at most: what is drawn at import differs only between zygotes."""
START_SHARE = 8.0
"""How many times its own start a zygote must have worked before it retires."""
OUTPUT_LIMIT = 256 * 1024 * 1024
"""Bytes that a sweep may print before it is ended."""
LOST_ZYGOTES = 3
"""Zygotes in a row that may fail to start before the hunt gives up."""


class HuntFailed(Exception):  # noqa: N818 - it says what became of the hunt
    """The hunt cannot go on; the message says why."""


@dataclass(slots=True)
class Slot:
    """A place for one zygote at work."""

    index: int
    link: Link | None = None
    draft: Draft | None = None
    only: tuple[str, ...] = ()
    """The tests of the draft where they are not all."""
    isolation: Isolation = Isolation.FORK
    ongoing: Ongoing | None = None
    running: bool = False
    served: int = 0
    failed_starts: int = 0
    finished: bool = False


@dataclass(slots=True)
class Hunt:
    """One hunt, from the first zygote to the last sweep."""

    schedule: Schedule
    seed: int
    tallies: Tallies
    origin: Origin
    worker_input: Callable[[int], dict[str, object]]
    known: Mapping[str, Perturbation]
    ledger: Recorder
    audience: Audience
    workers: int
    hashseeds: bool
    """Whether zygotes are started with hash seeds of their own."""
    isolation: Isolation | None = None
    seconds: float | None = None
    timeout: float | None = None
    controller_digests: Mapping[str, str] = field(default_factory=dict)
    """Of the random generators in this process, which has collected the suite as well."""
    survey: bool = True
    """Whether outages are set aside, and forks checked against unforked sweeps; not so in a replay."""
    notes: list[str] = field(default_factory=list)
    sweeps: dict[int, Sweep] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    zygotes: int = 0
    _inbox: "queue.SimpleQueue[tuple[Link, wire.Message | None]]" = field(default_factory=queue.SimpleQueue)
    _slots: list[Slot] = field(default_factory=list)
    _encores: deque[tuple[Draft, tuple[str, ...], Isolation]] = field(default_factory=deque)
    _benched: set[str] = field(default_factory=set)
    _spared: set[str] = field(default_factory=set)
    _ended_sweeps: list[tuple[Sweep, list[Attempt]]] = field(default_factory=list)
    _scratch: Path = field(default_factory=Path)
    _nursery: Nursery = field(default_factory=Nursery)
    _began: float = 0.0
    _journals: int = 0
    _unsafe: str = ""
    _numbers: int = 0

    def run(self) -> None:
        """Run all sweeps; what was seen stands in the ledger, in ``sweeps`` and in ``tests``.

        Raises:
            HuntFailed: no zygote can be started.
            KeyboardInterrupt: as it came, once all processes are ended.
        """
        self._began = realtime.monotonic()
        self._scratch = Path(tempfile.mkdtemp(prefix="flakehunt-"))
        count = self.workers if self.schedule.limit is None else min(self.workers, self.schedule.limit)
        self._slots = [Slot(index) for index in range(max(1, count))]
        self._nursery.adopt()
        try:
            for slot in self._slots:
                self._advance(slot)
            while not all(slot.finished for slot in self._slots):
                self._listen()
                for slot in self._slots:
                    self._look(slot)
                self.audience.progress(self._progress())
        finally:
            self._close()

    # one turn of the loop

    def _listen(self) -> None:
        seen = any(slot.ongoing is not None and not slot.ongoing.draft.number for slot in self._slots)
        with contextlib.suppress(queue.Empty):
            link, message = self._inbox.get(timeout=LOOK_WHEN_SEEN if seen else LOOK)
            while True:
                slot = self._slots[link.slot]
                if slot.link is link:
                    self._heard(slot, link, message)
                link, message = self._inbox.get_nowait()

    def _heard(self, slot: Slot, link: Link, message: wire.Message | None) -> None:
        match message:
            case wire.Ready():
                self._ready(slot, link, message)
            case wire.Failed(reason):
                self._failed(slot, link, reason)
            case wire.Ended(_, status):
                self._ended(slot, status, by_test=True)
            case None:
                self._gone(slot, link)
            case _:
                raise AssertionError(f"a zygote cannot say {type(message).__name__}")

    def _ready(self, slot: Slot, link: Link, ready: wire.Ready) -> None:
        link.ready, link.start_cost = ready, realtime.monotonic() - link.started
        slot.failed_starts = 0
        for name, digest in ready.digests.items():
            if self.controller_digests.get(name) == digest:
                self._spared.add(name)
        new = self.tallies.discover(ready.extra)
        if new:
            self._say(f"collected by some interpreters only: {listed([test.nodeid for test in new])}")
            self.ledger.declare([(test.nodeid, test.file, test.line) for test in new])
        if ready.missing:
            missing = [self.tallies[position].nodeid for position in ready.missing]
            self._say(f"not every interpreter collects {listed(missing)}")
        if ready.unsafe and self.isolation is None and not self._unsafe:
            self._unsafe = ready.unsafe
            self._say(f"every sweep has a fresh interpreter: {ready.unsafe}")
        self._advance(slot)

    def _failed(self, slot: Slot, link: Link, reason: str) -> None:
        seed = link.environment.get("PYTHONHASHSEED")
        under = f" with PYTHONHASHSEED={seed}" if seed else ""
        slot.failed_starts += 1
        if slot.failed_starts >= LOST_ZYGOTES:
            raise HuntFailed(
                f"the suite was collected here, but not in an interpreter started for the hunt{under}:\n{reason}"
            )
        self._say(f"an interpreter started{under} could not collect the suite: {reason.strip()[-300:]}")
        self._part(link)
        slot.link = None
        self._advance(slot)

    def _gone(self, slot: Slot, link: Link) -> None:
        if slot.running and slot.ongoing is not None and slot.ongoing.isolation is not Isolation.FORK:
            link.mute = True  # a test may have closed its pipes: the journal says how it goes on
            return
        status = self._part(link)
        slot.link = None
        if link.ready is None:
            slot.link = link
            self._failed(slot, link, f"exit status {status}\n{link.last_words()}")
        elif slot.ongoing is not None and slot.running:
            self._ended(slot, status, by_test=False)
        else:
            self._advance(slot)

    def _ended(self, slot: Slot, status: int, *, by_test: bool) -> None:
        ongoing = slot.ongoing
        if ongoing is None or not slot.running:
            return
        self._take_in(slot)
        slot.running = False
        if status == OURS_FAILED and ongoing.watch is not None and not ongoing.watch.done:
            by_test = ongoing.watch.running is not None
        lost = ongoing.ended(status, [(test.file, test.line) for test in self.tallies.tests], by_test=by_test)
        if lost is not None:
            attempt = Attempt(self.tallies[lost.position].nodeid, lost.outcome, lost.seconds, lost.evidence)
            if lost.outcome is Outcome.HUNG:
                self._hung(self.tallies[lost.position])
            if not ongoing.draft.number:
                self.audience.lost(attempt)
        if ongoing.isolation is not Isolation.FORK and slot.link is not None:
            slot.link.retiring = True
            self._part(slot.link)
            slot.link = None
        if ongoing.isolation is Isolation.UNFORKED and ongoing.left:
            ongoing.torn = ongoing.torn or "its interpreter ended with a test"
        if ongoing.torn or not ongoing.left:
            self._finish(slot, ongoing)
        self._advance(slot)

    def _take_in(self, slot: Slot) -> None:
        ongoing = slot.ongoing
        assert ongoing is not None
        entries = ongoing.look()
        if ongoing.draft.number:
            return
        for item in entries:
            match item:
                case wire.Started(position):
                    self.audience.started(self.tallies[position].nodeid)
                case wire.Told(kind, data):
                    self.audience.told(kind, data)
                case wire.Finished(position, Outcome.CRASHED as outcome, seconds, evidence):
                    self.audience.lost(Attempt(self.tallies[position].nodeid, outcome, seconds, evidence))
                case wire.Finished(position):
                    self.audience.finished(self.tallies[position].nodeid)
                case wire.Began() | wire.Done():
                    pass

    def _look(self, slot: Slot) -> None:
        """See how a sweep gets on; end it where a test hangs or prints without end."""
        link, ongoing = slot.link, slot.ongoing
        if link is not None and link.ready is None and realtime.monotonic() - link.started > START_LIMIT:
            links.end_tree(link.process.pid)
            return
        if link is None or ongoing is None or not slot.running:
            return
        gone = link.mute and link.process.poll() is not None
        self._take_in(slot)
        watch = ongoing.watch
        assert watch is not None
        if gone or (link.mute and watch.done):
            self._ended(slot, link.process.poll() or 0, by_test=True)
        if ongoing.killed is not None or not slot.running:
            return
        waited = realtime.monotonic() - watch.since
        if watch.running is None:
            if waited > START_LIMIT:
                links.end_tree(link.process.pid)
            return
        if waited > self._limit(self.tallies[watch.running], ongoing.plan):
            ongoing.killed = watch.running
        elif not printing_without_end(watch.pid):
            return
        if watch.pid is not None:
            links.ask_for_stacks(watch.pid, link.scratch / STACKS)
            links.end_tree(watch.pid)

    def _limit(self, test: Tally, plan: Plan) -> float:
        if self.timeout is not None:
            return self.timeout * plan.patience
        if test.slowest is None:
            return UNKNOWN_LIMIT * plan.patience
        return max(LEAST_LIMIT, LIMIT_FACTOR * test.slowest) * plan.patience

    def _hung(self, test: Tally) -> None:
        test.hangs += 1
        if test.hangs == HANGS_TO_BENCH and test.nodeid not in self._benched:
            self._benched.add(test.nodeid)
            for _ in range(LAST_CHANCES):
                self._encores.append((Draft(self._next_number()), (test.nodeid,), Isolation.FORK))

    # what a slot does next

    def _advance(self, slot: Slot) -> None:
        """Give an idle slot its next piece of work."""
        if slot.running or slot.finished:
            return
        if slot.ongoing is None and slot.draft is None and not self._next(slot):
            return
        draft = slot.draft
        assert draft is not None
        wanted = environment(draft.plan)
        if slot.link is not None and (
            not wanted.items() <= slot.link.environment.items()
            or (slot.isolation is Isolation.FRESH and slot.link.used)
        ):
            self._dismiss(slot)
        if slot.link is None:
            self._start(slot, wanted)
        elif slot.link.ready is not None:
            self._run(slot, slot.link)

    def _next(self, slot: Slot) -> bool:
        """Choose the slot's next sweep; a zygote that retires gets a last one first."""
        slot.only, slot.isolation = (), self._usual()
        late = self._late()
        if not late and self._due(slot) and self._retire(slot):
            return True
        forking = [other for other in self._slots if other.link is not None and self._usual() is Isolation.FORK]
        draft = None if late else self.schedule.next(retiring=len(forking))
        if draft is None:
            if not late and slot in forking and slot.served and self._retire(slot):
                return True
            last = all(other is slot or other.finished for other in self._slots)
            if self._encores or (last and self._doubts()):
                draft, slot.only, slot.isolation = self._encores.popleft()
        if draft is None:
            self._dismiss(slot)
            slot.finished = True
            return False
        slot.draft = draft
        self._numbers = max(self._numbers, draft.number)
        return True

    def _usual(self) -> Isolation:
        if self.isolation is not None:
            return self.isolation
        return Isolation.FRESH if self._unsafe else Isolation.FORK

    def _late(self) -> bool:
        return self.seconds is not None and realtime.monotonic() - self._began > self.seconds

    def _due(self, slot: Slot) -> bool:
        """Tell whether a zygote has worked long enough: the next one draws other things as it is imported."""
        link = slot.link
        if link is None or link.ready is None or self._usual() is not Isolation.FORK or not self.survey:
            return False
        most = MOST_SWEEPS
        if self.schedule.limit is not None:
            most = min(most, max(FEWEST_SWEEPS, self.schedule.limit // (2 * len(self._slots)) - 1))
        if slot.served >= most:
            return True
        worked = realtime.monotonic() - link.started - link.start_cost
        return slot.served >= FEWEST_SWEEPS and worked > START_SHARE * link.start_cost

    def _retire(self, slot: Slot) -> bool:
        """Let a zygote run a last calm sweep in itself, unforked."""
        draft = self.schedule.next_calm() if self.survey else None
        if draft is None:
            self._dismiss(slot)
            return False
        slot.draft, slot.only, slot.isolation = draft, (), Isolation.UNFORKED
        return True

    def _dismiss(self, slot: Slot) -> None:
        if slot.link is not None:
            slot.link.retiring = True
            slot.link.send(wire.Retire())
            self._part(slot.link)
            slot.link = None
        slot.served = 0

    def _part(self, link: Link) -> int:
        """End a zygote and whatever it left running; give its exit status."""
        status = link.close()
        self._nursery.sweep_up({slot.link.process.pid for slot in self._slots if slot.link not in {None, link}})
        return status

    def _start(self, slot: Slot, wanted: Mapping[str, str]) -> None:
        self.zygotes += 1
        number = self.zygotes
        extra = dict(wanted)
        hidden: list[str] = []
        if self.hashseeds and "PYTHONHASHSEED" not in extra:
            extra["PYTHONHASHSEED"] = str(seeds.derive(self.seed, "zygote", str(number), "hashseed"))
            if "PYTHONHASHSEED" not in self.origin.environ:
                hidden.append("PYTHONHASHSEED")
        birth = wire.Birth(
            args=self.origin.args,
            directory=self.origin.directory,
            argv=self.origin.argv,
            workerinput=self.worker_input(slot.index),
            tests=self.tallies.nodeids(),
            scratch=str(self._scratch / str(number)),
            hidden=hidden,
        )
        slot.served = 0
        slot.link = Link(number, slot.index, self.origin, extra, birth, self._inbox)

    def _run(self, slot: Slot, link: Link) -> None:
        if slot.ongoing is None:
            slot.ongoing = self._begin(slot, link)
        ongoing = slot.ongoing
        assert link.ready is not None
        late = self.tallies.nodeids()[link.known :]
        collected = set(link.ready.extra)
        unknown = [position for position, nodeid in enumerate(late, start=link.known) if nodeid not in collected]
        ongoing.missing([*link.ready.missing, *unknown])
        if not ongoing.left:
            self._finish(slot, ongoing)
            self._advance(slot)
            return
        self._journals += 1
        journal = link.scratch / str(self._journals)
        forked = ongoing.isolation is Isolation.FORK
        run = wire.Run(
            number=ongoing.draft.number,
            plan=str(ongoing.plan),
            groups=ongoing.left if forked else ongoing.left[:1],
            forked=forked,
            journal=str(journal),
            spared=sorted(self._spared),
            reported=not ongoing.draft.number,
            late=late,
        )
        slot.running = True
        ongoing.take(link, run, Watch(journal))
        at_work = [other for other in self._slots if other.running and other.ongoing is not None]
        for other in at_work:
            assert other.ongoing is not None
            other.ongoing.neighbours = max(other.ongoing.neighbours, len(at_work) - 1)

    def _begin(self, slot: Slot, link: Link) -> Ongoing:
        draft = slot.draft
        assert draft is not None
        plan = draft.plan
        seed = link.environment.get("PYTHONHASHSEED")
        if draft.pins_hashseed and seed:
            plan = plan.joined("hashseed", self.known["hashseed"].read(seed))
        chosen = slot.only or [test.nodeid for test in self.tallies.tests if test.nodeid not in self._benched]
        groups = [[self.tallies.positions[nodeid] for nodeid in group] for group in arranged(plan, chosen)]
        isolation = slot.isolation
        if isolation is Isolation.FORK and self._usual() is Isolation.FRESH:
            isolation = Isolation.FRESH  # learnt since the sweep was chosen
        return Ongoing(draft, plan, groups, isolation)

    # what a sweep leaves

    def _finish(self, slot: Slot, ongoing: Ongoing) -> None:
        slot.draft = slot.ongoing = None
        slot.served += 1
        if ongoing.first_link is None:
            return
        attempts = ongoing.results(self.tallies.nodeids())
        sweep = ongoing.sweep()
        if ongoing.torn:
            self._say(f"sweep {sweep.number} ({str(sweep.plan) or 'calm'}) was cut short: {ongoing.torn}")
        self._tidy(ongoing)
        self._ended_sweeps.append((sweep, attempts))
        if sweep.number and self.survey and 0 not in self.sweeps:
            return  # whether it is an outage can be told once sweep 0 has shown what passes
        self._ended_sweeps.sort(key=lambda ended: ended[0].number)
        while self._ended_sweeps:
            self._record(*self._ended_sweeps.pop(0))

    def _record(self, sweep: Sweep, attempts: Sequence[Attempt]) -> None:
        outage = self.tallies.outage(sweep, attempts) if self.survey and sweep.number else None
        if outage is not None:
            self.outages.append(outage)
            sweep = replace(sweep, outage=True)
        self.sweeps[sweep.number] = sweep
        prints = [
            fingerprint(attempt.outcome, attempt.evidence) if attempt.evidence is not None else ""
            for attempt in attempts
        ]
        self.ledger.write(sweep, attempts, prints)
        if not sweep.outage:
            self.tallies.add(sweep, attempts)

    def _doubts(self) -> bool:
        """Queue fresh interpreters for tests that failed in every fork, until it is known that we are not the cause."""
        if not self.survey:
            return False
        unchecked, doubted = self.tallies.doubted()
        for nodeids, attempts in ((unchecked, 1), (doubted, FRESH_CHECKS)):
            for _ in range(attempts if nodeids else 0):
                self._encores.append((Draft(self._next_number()), nodeids, Isolation.FRESH))
        return bool(unchecked or doubted)

    def _next_number(self) -> int:
        self._numbers = max(self._numbers, self.schedule.limit or 0, *self.sweeps, 0) + 1
        return self._numbers

    def _tidy(self, ongoing: Ongoing) -> None:
        assert ongoing.watch is not None
        folder = ongoing.watch.journal.parent
        for path in folder.glob("[0-9]*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _say(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            self.ledger.note(text)

    def _progress(self) -> Progress:
        elapsed = realtime.monotonic() - self._began
        done, total = len(self.sweeps), self.schedule.limit
        if self.seconds is not None:
            left: float | None = max(0.0, self.seconds - elapsed)
        else:
            left = elapsed / done * max(0, total - done) if done and total is not None else None
        under_way = tuple(str(slot.ongoing.plan) or "calm" for slot in self._slots if slot.ongoing is not None)
        return Progress(done, total, elapsed, left, self.tallies.found, under_way)

    def _close(self) -> None:
        """End all processes; keep what sweeps under way had done."""
        for slot in self._slots:
            if slot.link is not None:
                self._part(slot.link)
            if slot.ongoing is not None and slot.ongoing.watch is not None:
                with contextlib.suppress(Exception):
                    slot.ongoing.look()
                    slot.ongoing.torn = "the hunt was interrupted"
                    self._finish(slot, slot.ongoing)
        while self._ended_sweeps:
            self._record(*self._ended_sweeps.pop(0))
        shutil.rmtree(self._scratch, ignore_errors=True)


def listed(names: Sequence[str], most: int = 3) -> str:
    """Name a few of many.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def printing_without_end(pid: int | None) -> bool:
    """Tell whether a process has captured more output than anyone will read."""
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/fd/1").st_size > OUTPUT_LIMIT  # noqa: PTH116 - a link to a deleted file
    return False
