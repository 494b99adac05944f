"""The slots of a hunt and the zygotes at work in them: started, parked while others are needed, and ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import WHOLE, Isolation, Shard
from pytest_flakehunt.model.plans import Draft, environment
from pytest_flakehunt.pool.sweep import Ongoing
from pytest_flakehunt.zygote import link as link_room
from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.host import Here, Host, Origin, neighbours
from pytest_flakehunt.zygote.link import Link

FEWEST_TOGETHER = 2
"""Slots that are made on one machine where runs are to meet."""
MOST_PARKED = 8
"""Zygotes that one slot keeps waiting, besides the one at work, while experiments go to and fro between hash seeds."""


@dataclass(frozen=True, slots=True)
class Job:
    """A sweep to be run, and in what kind of process."""

    draft: Draft
    only: tuple[str, ...] = ()
    """The tests, in this order before the plan arranges them; empty for all."""
    isolation: Isolation = Isolation.FORK
    apart: bool = False
    """Whether each test gets a process of its own, whatever the plan says."""
    interpreter: str = ""
    """Which of several interpreters with equal hash seeds it must run in; empty where any will do."""
    early: str = ""
    """A plan, in written form, that is held while the suite is imported."""
    study: wire.Study = wire.NO_STUDY
    trial: bool = False
    """Whether it is to show if forks can be trusted, and is forked all the same."""


@dataclass(slots=True)
class Slot:
    """Room for one zygote at work."""

    index: int
    host: Host = field(default_factory=Here)
    """The machine that it is on."""
    link: Link | None = None
    parked: list[Link] = field(default_factory=list)
    job: Job | None = None
    ongoing: Ongoing | None = None
    running: bool = False
    served: int = 0
    failed_starts: int = 0
    finished: bool = False

    @property
    def idle(self) -> bool:
        """Whether it was given nothing so far, and may be given something yet."""
        return self.job is None and self.ongoing is None and not self.running and not self.finished


@dataclass(slots=True)
class Slots:
    """All slots of one hunt."""

    seed: int
    origin: Origin
    worker_input: Callable[[int], dict[str, object]]
    hashseeds: bool
    """Whether zygotes are started with hash seeds of their own."""
    tests: Callable[[], Sequence[str]]
    """Gives the node ids of all tests, by position."""
    shard: Shard = WHOLE
    hosts: Sequence[Host] = ()
    """For each slot, the machine that it is on; this machine where there is none."""
    scratch: Path = field(default_factory=Path)
    all: list[Slot] = field(default_factory=list)
    zygotes: int = 0
    """Started so far."""
    earlier: int = 0
    """Started before the hunt was interrupted."""
    parking: bool = False
    """Whether a zygote that does not suit the next job waits for one that it suits."""

    def open(self, scratch: Path) -> None:
        """Take up work, in a folder of the hunt's own."""
        self.scratch = scratch
        self.hosts = self.hosts or [Here()]
        for host in self.machines:
            host.open()

    @property
    def machines(self) -> list[Host]:
        """The machines, each once."""
        return list({id(host): host for host in self.hosts}.values())

    def close(self) -> None:
        """End all zygotes."""
        for slot in self.all:
            for link in (slot.link, *slot.parked):
                if link is not None:
                    self.part(link)
        for host in self.machines:
            host.close()

    def at_work(self, slots: int, *, together: bool = False) -> list[Slot]:
        """Give so many slots, or as many as are left where machines are lost.

        Args:
            slots: how many.
            together: whether what runs in them must meet: they are on one machine.
        """
        for index in range(len(self.all), slots):
            self.all.append(Slot(index, self.hosts[index % len(self.hosts)]))
        left = [slot for slot in self.all if not slot.host.lost]
        if together and left:
            first = left[0].host
            left = [slot for slot in left if neighbours(slot.host, first)]
            for _ in range(len(left), min(slots, FEWEST_TOGETHER)):
                left.append(Slot(len(self.all), first))
                self.all.append(left[-1])
        return left[:slots]

    def heard(self, seconds: float) -> list[tuple[Link, wire.Message | None]]:
        """Wait for what zygotes say, for so long at most."""
        for host in self.machines:
            host.look()
        links = [link for slot in self.all for link in (slot.link, *slot.parked) if link is not None]
        return [*link_room.heard(links, seconds), *link_room.forsaken(links)]

    def supply(self, slot: Slot, job: Job) -> None:
        """See to it that a slot has a zygote that suits a job; one that was just started is not ready yet."""
        plan = job.draft.plan if slot.ongoing is None else slot.ongoing.plan  # which may have pinned a hash seed since
        wanted = environment(plan)
        if slot.link is not None and not suits(slot.link, job, wanted):
            self._park(slot)
        if slot.link is None:
            self._unpark(slot, job, wanted)
        if slot.link is None:
            self._start(slot, job, wanted)

    def dismiss(self, slot: Slot) -> None:
        """Let a slot's zygote finish its session and leave; one that could still be of use is parked."""
        if self.parking:
            self._park(slot)
        elif slot.link is not None:
            self._retire(slot.link)
            slot.link = None
        slot.served = 0

    def _park(self, slot: Slot) -> None:
        link, slot.link, slot.served = slot.link, None, 0
        if link is None:
            return
        if not self.parking or link.ready is None:
            self._retire(link)
            return
        slot.parked.append(link)
        if len(slot.parked) > MOST_PARKED:
            self._retire(slot.parked.pop(0))

    def _unpark(self, slot: Slot, job: Job, wanted: Mapping[str, str]) -> None:
        for link in reversed(slot.parked):
            if suits(link, job, wanted):
                slot.parked.remove(link)
                if link.process.status is None:
                    slot.link = link
                    return
                self.part(link)

    def _retire(self, link: Link) -> None:
        link.retiring = True
        link.send(wire.Retire())
        self.part(link)

    @staticmethod
    def part(link: Link) -> int:
        """End a zygote and whatever it left running; give its exit status."""
        return link.close()

    def _start(self, slot: Slot, job: Job, wanted: Mapping[str, str]) -> None:
        self.zygotes += 1
        number = self.shard.nth(self.earlier + self.zygotes)
        extra = dict(wanted)
        hidden: list[str] = []
        if self.hashseeds and "PYTHONHASHSEED" not in extra:
            extra["PYTHONHASHSEED"] = str(seeds.derive(self.seed, "zygote", str(number), "hashseed"))
        known = {**self.origin.environ, **environment(job.draft.plan)}
        if "PYTHONHASHSEED" in extra and "PYTHONHASHSEED" not in known:
            hidden.append("PYTHONHASHSEED")
        birth = wire.Birth(
            args=[word for word in self.origin.args if word.partition("=")[0] != "--debug"],  # it writes as it is read
            directory=self.origin.directory,
            argv=self.origin.argv,
            program=self.origin.program,
            workerinput=self.worker_input(slot.index),
            tests=list(self.tests()),
            scratch=str(self.scratch / str(number)),
            hidden=hidden,
            early=job.early,
            watching=job.study.imports,
        )
        slot.served = 0
        slot.link = Link(number, slot.index, slot.host, self.origin, extra, birth)
        slot.link.interpreter = job.interpreter
        slot.link.bound = self.parking and bool(wanted)


def suits(link: Link, job: Job, wanted: Mapping[str, str]) -> bool:
    """Tell whether a zygote can run a job: what an interpreter is started with cannot be changed any more."""
    return (
        wanted.items() <= link.environment.items()
        and (bool(wanted) or not link.bound)
        and not (job.isolation is Isolation.FRESH and link.used)
        and link.early == job.early
        and job.study.imports <= link.watching
        and job.interpreter in {"", link.interpreter}
    )
