"""One sweep under way: what ran, what is left, and what became of its processes."""

import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_flakehunt.ground import failing, realtime
from pytest_flakehunt.model import HANG, Attempt, Evidence, Isolation, Leak, Outcome, Place, Plan, Sweep
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.journal import UNWRITABLE
from pytest_flakehunt.zygote.keeper import FORSAKEN
from pytest_flakehunt.zygote.link import Link, Watch
from pytest_flakehunt.zygote.processes import OUTPUT_LIMIT

OURS_FAILED = 70
"""Exit status of a child in which our own code failed; see ``zygote.fork``."""
DEADLY = 2
"""How often in a sweep an interpreter must end with a process forked from it, before that is the doing of its test."""
CUT_SHORT = frozenset({Outcome.HUNG, Outcome.CRASHED})
"""Outcomes after which nothing is known of what a test leaves."""


class Ongoing:
    """A sweep from its draft to its last attempt, over as many processes as it takes."""

    def __init__(
        self,
        draft: Draft,
        plan: Plan,
        groups: Sequence[Sequence[int]],
        isolation: Isolation,
        study: wire.Study,
        root: Path,
        *,
        trial: bool = False,
    ) -> None:
        self.telling = not (trial or study.sources or study.lines)
        """Whether a test that takes too long in it is taken to hang: nothing of ours slows it down, or may stop it."""
        self.second_chance: int | None = None
        """The test that runs alone and longer, after it was ended before anything was known of it, by position."""
        self.draft, self.plan, self.isolation, self.study, self.root = draft, plan, isolation, study, root
        self.told: list[wire.Told] = []
        """What a study brought to light."""
        self.left: list[list[int]] = [list(group) for group in groups if group]
        self.attempts: dict[int, wire.Finished] = {}
        self.leaks: dict[int, tuple[Leak, ...]] = {}
        """What was left behind, by the position of the test it is told with."""
        self.awaits: set[int] = set()
        """Tests of which it is not known what they have left, by position."""
        self.watch: Watch | None = None
        self.neighbours = 0
        self.link: Link | None = None
        self.killed: int | None = None
        """The test that took too long, by position, where the process was ended for it."""
        self.flooding: int | None = None
        """The test that printed too much, by position, where the process was ended for it."""
        self._after = 0.0
        """Seconds that such a test had taken by then: woken for its stacks, it may end after all, and others begin."""
        self.deadly: Counter[int] = Counter()
        """How often the interpreter that its process was forked from ended with a test, by position."""
        self.torn = ""
        """Why the sweep was given up; empty while it goes on."""
        self.first_link: Link | None = None
        self.started = realtime.time()
        self._clock = realtime.monotonic()
        self._fruitless = 0
        self.cpu = 0.0
        """CPU seconds of its processes that have ended."""
        self.memory = 0
        """Bytes of memory that the largest of them had at most."""

    def take(self, link: Link, run: wire.Run, watch: Watch) -> None:
        """Let a zygote run what is left."""
        self.first_link = self.first_link or link
        self.link, self.watch, self.killed, self.flooding = link, watch, None, None
        link.used = True
        link.send(run)

    def took(self, cpu: float, memory: int) -> None:
        """Take note of what a process of it has taken."""
        self.cpu, self.memory = self.cpu + cpu, max(self.memory, memory)

    def look(self) -> list[wire.Entry]:
        """Take in what the journal says since the last look."""
        assert self.watch is not None
        entries = self.watch.look()
        for item in entries:
            if isinstance(item, wire.Finished):
                self.attempts[item.position] = self._placed(item)
                self._fruitless = 0
            elif isinstance(item, wire.Leaked):
                self.leaks[item.position] = (*self.leaks.get(item.position, ()), item.leak)
            elif isinstance(item, wire.Awaits):
                (self.awaits.discard if item.over else self.awaits.add)(item.position)
            elif isinstance(item, wire.Told) and item.kind != "note" and not self.mirrored:
                self.told.append(item)
        return entries

    @property
    def mirrored(self) -> bool:
        """Whether it is the sweep that pytest itself sees."""
        return not self.draft.number

    def ended(self, status: int, places: Sequence[tuple[str, int]], *, by_test: bool) -> wire.Finished | None:
        """Take note that the process is gone, after a last look.

        Args:
            status: its exit status, or minus the number of a signal.
            places: file and line of every test, by position.
            by_test: whether a test under way is to blame; where the zygote
                itself has ended, it is as soon as that has happened to it again.

        Returns:
            The attempt that ended with the process, if there was one.
        """
        assert self.watch is not None
        assert self.link is not None
        lost = None
        running = self.condemned if self.condemned is not None else self.watch.running
        if running is not None and not by_test and not self.link.host.lost:
            self.deadly[running] += 1
            by_test = self.deadly[running] >= DEADLY
        if running is not None and by_test:
            lost = self._lost(running, status, Place(*places[running]))
            self.attempts[running] = self._placed(lost)
        elif not self.watch.done:
            self._fruitless += 1
        self.left = [rest for group in self.left if (rest := [test for test in group if test not in self.attempts])]
        if self.left and self._fruitless > 2:
            self.torn = f"its process ended {self._fruitless} times without a test: {self.link.last_words(600)}"
        self.watch.running = None
        return lost

    def _placed(self, item: wire.Finished) -> wire.Finished:
        """Note with what a failure left to read which machine it was on, where that is another one."""
        machine = "" if self.link is None else self.link.host.name
        if item.evidence is None or not machine:
            return item
        note = "; ".join([item.evidence.note, f"on {machine}"] if item.evidence.note else [f"on {machine}"])
        return replace(item, evidence=replace(item.evidence, note=note))

    def try_again(self, position: int) -> None:
        """Let a test that took too long run once more: first, alone, and longer."""
        self.second_chance, self.killed = position, None
        rest = [[test for test in group if test != position] for group in self.left]
        self.left = [[position], *(group for group in rest if group)]
        if self.watch is not None:
            self.watch.running, self.watch.done = None, True

    @property
    def slowest(self) -> float:
        """Give the seconds of the slowest test so far that ended by itself."""
        ended = (item.seconds for item in self.attempts.values() if item.outcome not in CUT_SHORT)
        return max(ended, default=0.0)

    @property
    def condemned(self) -> int | None:
        """The test that the process is ended for, by position."""
        return self.flooding if self.killed is None else self.killed

    def condemn(self, position: int, seconds: float, *, prints: bool) -> None:
        """Take note that the process is ended for a test, after so many seconds: it prints without end, or hangs."""
        self.killed, self.flooding = (None, position) if prints else (position, None)
        self._after = seconds

    def missing(self, positions: Sequence[int]) -> None:
        """Leave out tests that the zygote did not collect."""
        gone = set(positions)
        self.left = [rest for group in self.left if (rest := [test for test in group if test not in gone])]

    def _lost(self, position: int, status: int, test: Place) -> wire.Finished:
        assert self.link is not None
        assert self.watch is not None
        seconds = self.link.host.clock() - self.watch.since if self.condemned is None else self._after
        stacks = self.link.stacks()
        main, *others = innermost(stacks, self.link.host.root(self.root)) or [test]
        scope = failing.scope(str(self.root / main.file), main.function)
        if self.killed is not None:
            message = f"no end in sight after {seconds:.0f} s"
            note = f"other threads at {', '.join(map(str, others))}" if others else ""
            evidence = Evidence("process", HANG, message, main, stacks=stacks, note=note, statement=scope)
            return wire.Finished(position, Outcome.HUNG, seconds, evidence)
        name = ending(status)
        why = f", of {stacks.strip().splitlines()[-1]}" if status == OURS_FAILED and stacks.strip() else ""
        if status == UNWRITABLE:
            why = ": no file could be written any more"
        if self.flooding is not None:
            message = f"the process was ended ({name}) when it had printed more than {OUTPUT_LIMIT // 2**20} MB"
        elif self.deadly[position] >= DEADLY:
            times = self.deadly[position]
            message = f"the interpreter that its process was forked from ended ({name}) {times} times while it ran"
            if status == FORSAKEN:
                name, message = "SIGKILL", f"the parent of its interpreter was ended {times} times while it ran"
        else:
            message = f"the process ended: {name}{why}"
        evidence = Evidence("process", name, message, main, stacks=stacks, statement=scope)
        return wire.Finished(position, Outcome.CRASHED, seconds, evidence)

    def sweep(self) -> Sweep:
        """Give the record of the sweep."""
        assert self.first_link is not None
        return Sweep(
            number=self.draft.number,
            plan=self.plan,
            focus=self.draft.focus,
            isolation=self.isolation,
            zygote=self.first_link.number,
            hashseed=self.first_link.environment.get("PYTHONHASHSEED", ""),
            neighbours=self.neighbours,
            started=self.started,
            seconds=realtime.monotonic() - self._clock,
            torn=bool(self.torn),
            cpu=self.cpu,
            memory=self.memory,
        )

    def results(self, tests: Sequence[str]) -> list[Attempt]:
        """Give the attempts, in the order in which they ended; what was not reached comes last."""
        found = [
            Attempt(
                *(tests[position], item.outcome, max(0.0, item.seconds), item.evidence, self.leaks.get(position, ())),
                judged=position not in self.awaits and item.outcome not in CUT_SHORT,
            )
            for position, item in self.attempts.items()
        ]
        left = (test for group in self.left for test in group if test not in self.attempts)
        return [*found, *(Attempt(tests[test], Outcome.UNREACHED) for test in left)]


def ending(status: int) -> str:
    """Put an exit status into words.

    >>> ending(-11), ending(3)
    ('SIGSEGV', 'exit status 3')
    """
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def innermost(stacks: str, root: Path) -> list[Place]:
    """Give the innermost line of the project's code in each thread, from stacks as faulthandler writes them.

    The main thread, which comes last there, is the first here; each stack has its innermost line first.
    """
    from pytest_flakehunt.ground import project

    owned = ([frame for frame in thread if project.owns(frame.file)] for thread in reversed(_threads(stacks)))
    return [thread[0]._replace(file=project.relative(thread[0].file, root)) for thread in owned if thread]


def _threads(stacks: str) -> list[list[Place]]:
    import re

    threads: list[list[Place]] = [[]]
    for line in stacks.splitlines():
        frame = re.match(r'\s+File "(.+)", line (\d+) in (\S+)', line)
        if frame:
            threads[-1].append(Place(frame[1], int(frame[2]), frame[3]))
        elif threads[-1]:
            threads.append([])
    return threads
