"""Where sweeps are run: from a job to the attempts it gave."""

import contextlib
import os
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from pytest_flakehunt.ground import claimed, interrupting, machine, realtime
from pytest_flakehunt.instruments import artefacts
from pytest_flakehunt.model import Attempt, Isolation, Outcome, Perturbation, Sweep
from pytest_flakehunt.model.plans import arranged
from pytest_flakehunt.pool import lacking
from pytest_flakehunt.pool.audience import Audience
from pytest_flakehunt.pool.room import Processes, Room
from pytest_flakehunt.pool.slots import Job, Slot, Slots
from pytest_flakehunt.pool.sweep import DEADLY, OURS_FAILED, Ongoing
from pytest_flakehunt.pool.tallies import Tallies, Tally
from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.host import neighbours
from pytest_flakehunt.zygote.journal import UNWRITABLE
from pytest_flakehunt.zygote.keeper import FORSAKEN
from pytest_flakehunt.zygote.link import Link, Watch

LOOK = 0.2
"""Seconds between two looks at the journals of sweeps under way."""
LOOK_WHEN_SEEN = 0.03
"""The same while pytest itself watches sweep 0."""
LEAST_LIMIT = 10.0
"""Seconds a test may take at least."""
LIMIT_FACTOR = 10.0
"""How many times as long as its slowest calm attempt a test may take; as the slowest other test, while it has none."""
MOST_UNKNOWN = 30.0
"""Seconds it may take at most for what others take: while it has none, and as it may pay for what they share."""
MOST_PATIENCE = 2.0
"""How many times as long it may take in sweeps that slow things down."""
SECOND_CHANCE = 60.0
"""Seconds, alone, for a test that was ended before anything was known of it."""
START_LIMIT = 600.0
"""Seconds a zygote may take to collect the suite."""
LOST_ZYGOTES = 3
"""Zygotes in a row that may fail to start before the hunt gives up."""


class HuntFailed(Exception):  # noqa: N818 - it says what became of the hunt
    """The hunt cannot go on; the message says why."""


class Overseer(Protocol):
    """Who decides what is run, and takes in what came of it."""

    def next(self, slot: Slot) -> Job | None:
        """Give an idle slot its next sweep, or None when there is no more for it."""

    def ended(self, sweep: Sweep, attempts: Sequence[Attempt], told: Sequence[wire.Told]) -> None:
        """Take in a sweep, with what it was asked to tell besides."""

    def waits(self) -> bool:
        """Tell whether a slot that was given nothing may be given something when a sweep has ended elsewhere."""

    def nothing_ran(self, number: int) -> None:
        """Take note that the interpreter of a sweep had collected none of its tests."""

    def hung(self, test: Tally) -> None:
        """Take note of a test that took too long."""

    def deadly(self, test: Tally) -> None:
        """Take note of a test that ends the interpreter which its process is forked from."""

    def passing(self) -> None:
        """Show how far it is: a turn of the loop has passed."""


@dataclass(slots=True)
class Pool:
    """Everything that the sweeps of one hunt share."""

    slots: Slots
    tallies: Tallies
    known: Mapping[str, Perturbation]
    audience: Audience
    say: Callable[[str], None]
    """Where to put what else was noticed."""
    discovered: Callable[[Sequence[Tally]], None]
    """Who must know of tests that only some interpreters collect."""
    room: Room
    root: Path = field(default_factory=Path)
    """Places are relative to it where they lie inside."""
    isolation: Isolation | None = None
    timeout: float | None = None
    limits: dict[str, float] = field(default_factory=dict)
    """Of tests that hang, once it is known how long they take otherwise: seconds after which they are taken to hang."""
    controller_digests: Mapping[str, str] = field(default_factory=dict)
    """Of the random generators in this process, which has collected the suite as well."""
    left_out: set[str] | None = field(default_factory=set)
    """Tests that were collected here and not selected; None where more may have been left out than is known."""
    began: float = 0.0
    before: float = 0.0
    """Seconds that the hunt took before it was interrupted."""
    begun: Callable[[Sweep], None] | None = None
    """Who keeps that a sweep has begun."""
    starting: float = 0.0
    """Seconds that interpreters took to start and to collect the suite, one after the other."""
    benched: set[str] = field(default_factory=set)
    """Tests left out of sweeps through all tests: they hang."""
    _folder: claimed.Folder = field(init=False)
    _last_start: float = 0.0
    """When the newest interpreter was ready, in seconds since 1970."""
    _overseer: Overseer | None = None
    _width: int = 0
    """Sweeps that may go on at once: none is begun in slots beyond."""
    _spared: set[str] = field(default_factory=set)
    _journals: int = 0
    _unsafe: str = ""
    _full: bool = False
    """Whether nothing can be written, as it seemed last."""
    _held_back: set[int] = field(default_factory=set)
    """Slots that go on once there is room again, by index."""
    ran: Counter[str] = field(default_factory=Counter)
    """Sweeps by the name of the machine that they began on."""
    _at_work: list[Slot] = field(default_factory=list)
    _stranded: deque[tuple[Job, Ongoing | None]] = field(default_factory=deque)
    """What was to be run, or had begun, on machines that are lost."""
    doubtful: bool = False
    """Whether sweeps have fresh interpreters only as long as nobody has tried whether forks are safe."""
    _tried: bool = False

    def __enter__(self) -> Self:
        self.began = realtime.monotonic() - self.before
        try:
            self._folder = claimed.Folder()
        except OSError as error:
            raise HuntFailed(
                f"the hunt's own files cannot be kept: {error}; {lacking.remedy(error.errno or 0)}"
            ) from None
        self.slots.open(self._folder.path)
        self.room.expect(machine.resident(os.getpid()))
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes; keep what sweeps under way had done."""
        with interrupting.held():
            self._close()

    def _close(self) -> None:
        self.slots.close()
        stranded = [(self.slots.all[0], ongoing) for _, ongoing in self._stranded]
        for slot, ongoing in [*((slot, slot.ongoing) for slot in self.slots.all), *stranded]:
            if ongoing is not None and ongoing.watch is not None:
                with contextlib.suppress(Exception):
                    ongoing.look()
                    ongoing.torn = "the hunt was interrupted"
                    self._finish(slot, ongoing)
        scratch = self.slots.scratch
        for plugin, paths in artefacts.written((scratch, *scratch.glob("*"))).items():
            advice = (
                "let its hook do so only where config has no workerinput"
                if plugin == artefacts.CONFTEST
                else f"if no test needs it, keep it from that with flakehunt_disable_plugins = {plugin}"
            )
            self.say(f"{plugin} wrote {listed(paths)} where only the hunt looks; {advice}")
        self._folder.close()

    @property
    def width(self) -> int:
        """Sweeps that may go on at once now."""
        return max(1, self._width)

    @property
    def workers(self) -> int:
        """Sweeps that go on at once, as long as they are not seen to leave the cores idle."""
        return self.room.workers

    def had_cores(self, sweep: Sweep) -> bool:
        """Tell whether no interpreter was starting on this machine's cores while a sweep went on."""
        starts = any(slot.link is not None and slot.link.ready is None for slot in self.slots.all)
        return not starts and self._last_start <= sweep.started

    def work(
        self, overseer: Overseer, slots: int, *, first: int = 0, grows: bool = False, together: bool = False
    ) -> None:
        """Run sweeps until the overseer has no more.

        Args:
            overseer: who decides.
            slots: how many sweeps run side by side.
            first: the slot that begins; the others follow in turn.
            grows: whether there may be more of them as soon as there is room.
            together: whether sweeps must meet: all of them are on one machine.

        Raises:
            HuntFailed: no zygote can be started.
        """
        self._overseer, self._width = overseer, slots
        at_work = self._at_work = self.slots.at_work(slots, together=together)
        if not at_work:
            raise HuntFailed(self._all_lost())
        for slot in (*at_work[first:], *at_work[:first]):
            slot.finished = False
            self._advance(slot)
        while not all(slot.finished for slot in at_work):
            interrupting.heed()
            if grows and self._width != slots + self.room.extra:
                self._width = slots + self.room.extra
                self._open_more(at_work)
            self._listen()
            for slot in at_work:
                self._look(slot)
                if slot.idle or slot.index in self._held_back:
                    self._advance(slot)
            overseer.passing()

    def _open_more(self, at_work: list[Slot]) -> None:
        """Add the slots that have become more to those at work."""
        known = {slot.index for slot in at_work}
        for slot in self.slots.at_work(max(self._width, len(at_work))):
            if slot.index not in known:
                slot.finished = False
                at_work.append(slot)

    # one turn of the loop

    def _listen(self) -> None:
        seen = any(slot.ongoing is not None and slot.ongoing.mirrored for slot in self.slots.all)
        for link, message in self.slots.heard(LOOK_WHEN_SEEN if seen else LOOK):
            slot = self.slots.all[link.slot]
            if slot.link is link:
                self._heard(slot, link, message)
        for host in self.slots.machines:
            if host.lost:
                self.say(f"{host.name} is lost, and the hunt goes on without it: {host.lost}")

    def _heard(self, slot: Slot, link: Link, message: wire.Message | None) -> None:
        match message:
            case wire.Ready():
                self._ready(slot, link, message)
            case wire.Failed(reason, died):
                self._failed(slot, link, f"{reason}\n{link.last_words()}".strip() if died else reason)
            case wire.Ended(_, status, cpu, memory):
                if slot.ongoing is not None:
                    slot.ongoing.took(cpu, memory)
                self._ended(slot, status, by_test=True)
            case None:
                self._gone(slot, link)
            case _:
                raise AssertionError(f"a zygote cannot say {type(message).__name__}")

    def _ready(self, slot: Slot, link: Link, ready: wire.Ready) -> None:
        link.ready, link.start_cost = ready, realtime.monotonic() - link.started
        if link.process.pid is not None:
            self.room.expect(machine.resident(link.process.pid))
        self.starting, self._last_start = self.starting + link.start_cost, realtime.time()
        slot.failed_starts = 0
        for name, digest in ready.digests.items():
            if self.controller_digests.get(name) == digest:
                self._spared.add(name)
        new = self.tallies.discover(
            name for name in ready.extra if self.left_out is not None and name not in self.left_out
        )
        if new:
            self.say(f"collected by some interpreters only: {listed([test.nodeid for test in new])}")
            self.discovered(new)
        if ready.missing:
            missing = [self.tallies[position].nodeid for position in ready.missing]
            self.say(f"not every interpreter collects {listed(missing)}")
        if ready.unsafe and self.isolation is None and (not self._unsafe or ready.certain) and not self._tried:
            self._unsafe, self.doubtful = ready.unsafe, not ready.certain
            self._tried = ready.certain
            if ready.certain:
                self.say(f"every sweep has a fresh interpreter: {ready.unsafe}")
        self._advance(slot)

    def settle(self, why_not: str) -> None:
        """Decide whether sweeps are forked where that was in doubt.

        Args:
            why_not: what came of a trial, or why there is none; empty where
                forked sweeps come out as others do.
        """
        if not self.doubtful:
            return
        if why_not:
            self.say(f"every sweep has a fresh interpreter: {self._unsafe}, and {why_not}")
        else:
            self.say(f"sweeps are forked: {self._unsafe}, but calm sweeps with forks and without come out alike")
            self._unsafe = ""
        self.doubtful, self._tried = False, True

    def _failed(self, slot: Slot, link: Link, reason: str) -> None:
        self._check_room()
        seed = link.environment.get("PYTHONHASHSEED")
        under = f" with PYTHONHASHSEED={seed}" if seed else ""
        slot.failed_starts += 1
        if slot.failed_starts >= LOST_ZYGOTES and not link.host.give_up(
            f"the suite cannot be collected there: {reason}"
        ):
            raise HuntFailed(
                f"the suite was collected here, but not in an interpreter started for the hunt{under}:\n{reason}"
            )
        first, *rest = reason.strip().splitlines() or [""]
        said = "\n".join([first, "\n".join(rest)[-300:]]).strip()
        on = f" on {link.host.name}" if link.host.name else ""
        self.say(f"an interpreter started{on}{under} could not collect the suite: {said}")
        self.slots.part(link)
        slot.link = None
        self._advance(slot)

    def _gone(self, slot: Slot, link: Link) -> None:
        lost = link.host.lost
        if lost and slot.ongoing is not None and slot.ongoing.isolation is Isolation.UNFORKED:
            slot.ongoing.torn = f"{link.host.name} is lost"
        elif not lost and slot.running and slot.ongoing is not None and slot.ongoing.isolation is not Isolation.FORK:
            link.mute = True  # a test may have closed its pipes: the journal says how it goes on
            return
        status = self.slots.part(link)
        slot.link = None
        if link.ready is None and not lost:
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
        by_test = self._by_test(ongoing, status, by_test)
        if ongoing.killed is not None and self._may_try_again(ongoing, ongoing.killed):
            ongoing.try_again(ongoing.killed)
        lost = ongoing.ended(status, [(test.file, test.line) for test in self.tallies.tests], by_test=by_test)
        if lost is not None:
            self._lost(ongoing, lost)
        if ongoing.isolation is not Isolation.FORK and slot.link is not None:
            slot.link.retiring = True
            self.slots.part(slot.link)
            slot.link = None
        if ongoing.isolation is Isolation.UNFORKED and ongoing.left:
            ongoing.torn = ongoing.torn or "its interpreter ended with a test"
        if ongoing.torn or not ongoing.left:
            self._finish(slot, ongoing)
        self._advance(slot)

    def _by_test(self, ongoing: Ongoing, status: int, by_test: bool) -> bool:
        """Tell whether a test under way is to blame for the end of its process, where our own code has ended it."""
        assert ongoing.watch is not None
        if ongoing.watch.lost:
            ongoing.watch.running = None  # it may have ended: what it said last is deleted
        if status == UNWRITABLE and ongoing.link is not None:
            ongoing.link.process.tidy()
            self._check_room()
            if self._full:  # by whatever runs beside it
                ongoing.watch.running = None
        if status == OURS_FAILED and not ongoing.watch.done:
            return ongoing.watch.running is not None
        return by_test

    def _check_room(self) -> None:
        """End where nothing can be written though what tests wrote is gone: what fails then is no fault of theirs.

        While other sweeps run it may be a test of theirs that has filled the disk: nothing is begun until it is known.
        """
        if self._folder.cramped():
            for slot in self.slots.all:
                if slot.link is not None and not slot.running:
                    slot.link.process.tidy()
        self._full = self._folder.cramped()
        if self._full and not any(slot.running for slot in self.slots.all):
            raise HuntFailed(f"{self._folder.path} is full; {lacking.ROOM}")

    def _has_room(self) -> bool:
        """Tell whether there is room again, if there was none."""
        if self._full:
            self._check_room()
        return not self._full

    def _say_deleted(self) -> None:
        self.say(
            f"{self._folder.path}, where only the hunt looks, was deleted while it ran; what ran then is run again"
        )

    def _lost(self, ongoing: Ongoing, lost: wire.Finished) -> None:
        """Tell of a test that took its process with it."""
        test = self.tallies[lost.position]
        if lost.outcome is Outcome.HUNG and ongoing.telling:
            self._boss.hung(test)
        if ongoing.deadly[lost.position] >= DEADLY and ongoing.telling:
            self._boss.deadly(test)
        if ongoing.mirrored:
            self.audience.lost(Attempt(test.nodeid, lost.outcome, lost.seconds, lost.evidence))

    def _take_in(self, slot: Slot) -> None:
        ongoing = slot.ongoing
        assert ongoing is not None
        entries = ongoing.look()
        for item in entries:
            if isinstance(item, wire.Told) and item.kind == "note":
                self.say(item.data["text"])
            elif ongoing.mirrored:
                self._show(item)

    def _show(self, item: wire.Entry) -> None:
        """Let pytest itself see what happens in sweep 0."""
        match item:
            case wire.Started(position):
                self.audience.started(self.tallies[position].nodeid)
            case wire.Reported(data):
                self.audience.reported(data)
            case wire.Told("warning", data):
                self.audience.warned(data)
            case wire.Finished(position, Outcome.CRASHED as outcome, seconds, evidence):
                self.audience.lost(Attempt(self.tallies[position].nodeid, outcome, seconds, evidence))
            case wire.Finished(position):
                self.audience.finished(self.tallies[position].nodeid)
            case wire.Began() | wire.Told() | wire.Leaked() | wire.Awaits() | wire.Done():
                pass

    def _look(self, slot: Slot) -> None:
        """See how a sweep gets on; end it where a test hangs or prints without end."""
        link, ongoing = slot.link, slot.ongoing
        if link is not None and link.ready is None and realtime.monotonic() - link.started > START_LIMIT:
            link.process.end()
            return
        if link is None or ongoing is None or not slot.running:
            return
        watch = self._looked_at(slot, link, ongoing)
        if ongoing.condemned is not None or watch.lost or not slot.running:
            return
        waited = link.host.clock() - watch.since
        if watch.running is None:
            if waited > START_LIMIT:
                link.process.end()
            return
        if waited > self._limit(ongoing, watch.running):
            ongoing.condemn(watch.running, waited, prints=False)
        elif watch.pid is not None and link.process.prints_without_end(watch.pid):
            ongoing.condemn(watch.running, waited, prints=True)
        else:
            return
        if watch.pid is not None:
            link.process.end_run(watch.pid)

    def _looked_at(self, slot: Slot, link: Link, ongoing: Ongoing) -> Watch:
        """Take in what a sweep says, and see whether its process is still there."""
        gone = link.mute and link.process.status is not None
        self._take_in(slot)
        watch = ongoing.watch
        assert watch is not None
        if gone or (link.mute and watch.done):
            status = link.process.status or 0
            self._ended(slot, status, by_test=status != FORSAKEN)
        elif watch.lost:
            self._say_deleted()
            link.process.end()
        return watch

    def limit(self, test: Tally, patience: float, others: float = 0.0) -> float:
        """Give the seconds after which a test counts as hanging.

        Args:
            test: which.
            patience: by how much its sweep slows things down.
            others: seconds of the slowest other test of its sweep that has ended.
        """
        stretched = min(patience, MOST_PATIENCE)
        if test.nodeid in self.limits:
            return self.limits[test.nodeid] * stretched
        if self.timeout is not None:
            return self.timeout * stretched
        if test.slowest is not None:
            first = min(LIMIT_FACTOR * self.tallies.files.get(test.file, 0.0), MOST_UNKNOWN)
            return max(LEAST_LIMIT, LIMIT_FACTOR * test.slowest, first) * stretched
        return LEAST_LIMIT if test.hangs else max(LEAST_LIMIT, min(LIMIT_FACTOR * others, MOST_UNKNOWN))

    def _limit(self, ongoing: Ongoing, position: int) -> float:
        if position == ongoing.second_chance:
            return SECOND_CHANCE
        watched = ongoing.study.sources or ongoing.study.lines
        return self.limit(self.tallies[position], MOST_PATIENCE if watched else ongoing.plan.patience, ongoing.slowest)

    def _may_try_again(self, ongoing: Ongoing, position: int) -> bool:
        """Tell whether a test was ended only because nothing was known of it."""
        test = self.tallies[position]
        known = test.slowest is not None or test.hangs or self.timeout is not None
        return not known and ongoing.telling and ongoing.second_chance != position

    # what a slot does next

    @property
    def _boss(self) -> Overseer:
        assert self._overseer is not None
        return self._overseer

    @property
    def usual(self) -> Isolation:
        """In which kind of process sweeps run unless there is a reason for another."""
        if self.isolation is not None:
            return self.isolation
        return Isolation.FRESH if self._unsafe else Isolation.FORK

    def _advance(self, slot: Slot) -> None:
        """Give an idle slot its next piece of work."""
        if slot.running or slot.finished:
            return
        if slot.host.lost:
            self._strand(slot)
            return
        if not self._has_room():
            self._held_back.add(slot.index)
            return
        self._held_back.discard(slot.index)
        if slot.ongoing is None and slot.job is None and not self._choose(slot):
            return
        job = slot.job
        assert job is not None
        try:
            if self._folder.renew():
                self._say_deleted()
            self.slots.supply(slot, job)
        except OSError as error:
            raise HuntFailed(f"no interpreter can be started: {error}; {lacking.remedy(error.errno or 0)}") from None
        if slot.link is not None and slot.link.ready is not None:
            self._run(slot, slot.link)

    def _strand(self, slot: Slot) -> None:
        """Leave a slot on a machine that is lost, and let others go on with what it had to do."""
        if slot.job is not None:
            self._stranded.append((slot.job, slot.ongoing))
        slot.job = slot.ongoing = slot.link = None
        slot.finished = True
        slot.parked.clear()
        left = [other for other in self._at_work if not other.host.lost]
        if not left:
            left = self.slots.at_work(1)
            self._at_work += left
            for other in left:
                other.finished = False
        if not left:
            raise HuntFailed(self._all_lost())
        if self._stranded:
            left[0].finished = False

    def _all_lost(self) -> str:
        lost = "; ".join(f"{host.name}: {host.lost}" for host in self.slots.machines)
        return f"no machine is left to run sweeps on; what was seen until then is kept: {lost}"

    def _choose(self, slot: Slot) -> bool:
        """Give a slot its next sweep; tell whether there is one."""
        if self._stranded:
            slot.job, slot.ongoing = self._stranded.popleft()
            return True
        left = [other for other in self._at_work if not other.host.lost]
        if all(slot is not other for other in left[: self._width]):
            self.slots.dismiss(slot)
            slot.finished = True
            return False
        if not slot.host.name and not self.room.bears(*self._processes(slot)):
            if said := self.room.cramped():
                self.say(said)
            return False
        slot.job = self._boss.next(slot)
        if slot.job is None and not self._boss.waits():
            self.slots.dismiss(slot)
            slot.finished = True
        return slot.job is not None

    def _processes(self, slot: Slot) -> tuple[Processes, list[Processes]]:
        """Give what is at work in a slot on this machine, and in all others on it."""
        found = {
            other.index: Processes(
                zygote=None if other.link is None else other.link.process.pid,
                sweep=None if other.ongoing is None or other.ongoing.watch is None else other.ongoing.watch.pid,
                at_work=other.job is not None or other.ongoing is not None,
            )
            for other in self.slots.all
            if other.host is slot.host
        }
        return found.pop(slot.index), list(found.values())

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
            journal=f"{link.folder}/{journal.name}",
            spared=sorted(self._spared),
            reported=ongoing.mirrored,
            late=late,
            study=ongoing.study,
        )
        slot.running = True
        begins = ongoing.first_link is None
        ongoing.take(link, run, Watch(journal, link.host.clock))
        if begins and self.begun is not None:
            self.begun(ongoing.sweep())
        running = [other for other in self.slots.all if other.running and neighbours(other.host, slot.host)]
        for other in running:
            if other.ongoing is not None:
                other.ongoing.neighbours = max(other.ongoing.neighbours, len(running) - 1)

    def _begin(self, slot: Slot, link: Link) -> Ongoing:
        job = slot.job
        assert job is not None
        draft, plan = job.draft, job.draft.plan
        seed = link.environment.get("PYTHONHASHSEED")
        if draft.pins_hashseed and seed:
            plan = plan.joined("hashseed", self.known["hashseed"].read(seed))
        chosen = job.only or [nodeid for nodeid in self.tallies.hunted() if nodeid not in self.benched]
        arrangement = [[nodeid] for nodeid in chosen] if job.apart else arranged(plan, chosen)
        groups = [[self.tallies.positions[nodeid] for nodeid in group] for group in arrangement]
        isolation = job.isolation
        if isolation is Isolation.FORK and self.usual is Isolation.FRESH and not job.trial:
            isolation = Isolation.FRESH  # learnt since the sweep was chosen
        return Ongoing(draft, plan, groups, isolation, job.study, self.root, trial=job.trial)

    def _finish(self, slot: Slot, ongoing: Ongoing) -> None:
        slot.job = slot.ongoing = None
        slot.served += 1
        if ongoing.first_link is None:
            self._boss.nothing_ran(ongoing.draft.number)
            return
        self.ran[ongoing.first_link.host.name] += 1
        attempts = ongoing.results(self.tallies.nodeids())
        sweep = ongoing.sweep()
        if ongoing.torn:
            self.say(f"sweep {sweep.number} ({str(sweep.plan) or 'calm'}) was cut short: {ongoing.torn}")
        if ongoing.link is not None:
            ongoing.link.process.tidy()
        if any(attempt.outcome.fails for attempt in attempts):
            self._check_room()
        self._boss.ended(sweep, attempts, ongoing.told)


def listed(names: Sequence[str], most: int = 3) -> str:
    """Name a few of many.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
