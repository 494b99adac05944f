"""Threads that run one at a time, in an order that comes back exactly."""

import _thread
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import ClassVar

from pytest_flakehunt.model import Contract
from pytest_flakehunt.model import switches as tapes
from pytest_flakehunt.model.switches import Switch, Taped
from pytest_flakehunt.perturbations.lines import Tracer, tracer
from pytest_flakehunt.perturbations.seeded import Seeded
from pytest_flakehunt.steering.baton import Baton
from pytest_flakehunt.steering.gates import Steered
from pytest_flakehunt.steering.schedules import Choosing, Schedule, Tape
from pytest_flakehunt.steering.standing import learn, standing

MOST_TOLD = 3
"""Switches that are named which did not take place."""


class Held:
    """What settings that steer have in common."""

    __slots__ = ()
    patience: ClassVar[float] = 5.0
    slowing: ClassVar[float] = 100.0
    """As for delays: lines are watched."""

    @staticmethod
    def prepare() -> None:
        """Find the locks that modules have made."""
        learn()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Watch for threads that start."""
        with standing(_begun):
            yield

    @staticmethod
    def taped(switches: Sequence[Switch]) -> "Playing":
        """Give the setting that plays such switches, and no others."""
        return Playing(tuple(switches))


@dataclass(frozen=True, slots=True)
class Steering(Held, Seeded):
    """One schedule for the threads of each test."""

    def __str__(self) -> str:
        return f"steered:{self.seed}"

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Steer the threads of one test."""
        with _steered(Schedule(self.seed, nodeid)):
            yield

    @staticmethod
    def simpler() -> "list[Steering]":
        """Give none: no seed is simpler than another, and a tape of its switches is simpler than any."""
        return []


@dataclass(frozen=True, slots=True)
class Playing(Held):
    """Switches of threads that are played again."""

    contract: ClassVar[Contract] = Contract.NATURAL
    tape: tuple[Switch, ...]
    missed: list[str] = field(default_factory=list, compare=False)
    """What is to be said of switches that did not take place, by test."""

    def __str__(self) -> str:
        return f"steered:{tapes.written(self.tape)}"

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Steer the threads of one test."""
        with _steered(Tape.of(self.tape), self.tape):
            yield
        if heard.taped is not None and (unmet := heard.taped.unmet):
            some = ", ".join(map(str, unmet[:MOST_TOLD])) + (", …" if len(unmet) > MOST_TOLD else "")
            self.missed.append(
                f"{nodeid}: {len(unmet)} of {len(self.tape)} switches of its threads did not take place, as nobody "
                f"came there or the other could not go on: {some}"
            )


class Heard:
    """What became of the threads of the test that ended last."""

    taped: Taped | None = None
    """None where none were steered."""


heard = Heard()


@contextmanager
def _steered(schedule: Choosing, tape: Sequence[Switch] = ()) -> Iterator[None]:
    """Steer the threads of one test."""
    global _test  # noqa: PLW0603 - one test runs at a time
    _test, heard.taped = Test(schedule, _thread.get_ident()), None
    try:
        yield
    finally:
        _test.end()
        if (baton := _test.baton) is not None:
            heard.taped = baton.record.told(tape, lost=baton.lost > 0 or baton.given_up)
        _test = None


@dataclass(slots=True)
class Test:
    """The running test, as far as it is steered."""

    schedule: Choosing
    ident: int
    """Of the thread that runs it."""
    baton: Baton | None = None
    tracer: Tracer | None = None

    def begun(self) -> Baton | None:
        """Give the baton, which is made when the test's own thread starts another."""
        if self.baton is None and _thread.get_ident() == self.ident:
            self.baton = Baton(self.schedule)
            self.baton.joins()
            Steered.baton = self.baton
        if self.baton is not None and self.tracer is None:
            self.tracer = tracer(self.passed)
            self.tracer.start()
        return self.baton

    def passed(self, code: CodeType, line: int) -> None:
        """Take in a line that a thread is about to run."""
        if self.baton is not None:
            self.baton.passed(code, line)

    def end(self) -> None:
        """Let all threads run as ever."""
        if self.tracer is not None:
            self.tracer.stop()
        if self.baton is not None:
            Steered.baton = None
            self.baton.dissolve()


_test: Test | None = None


def _begun() -> Baton | None:
    return None if _test is None else _test.begun()
