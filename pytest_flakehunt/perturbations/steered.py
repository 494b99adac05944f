"""Threads that run one at a time, in an order that comes back exactly."""

import _thread
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import ClassVar

from pytest_flakehunt.perturbations.lines import Tracer, tracer
from pytest_flakehunt.perturbations.seeded import Seeded
from pytest_flakehunt.steering.baton import Baton
from pytest_flakehunt.steering.gates import Steered
from pytest_flakehunt.steering.schedules import Schedule
from pytest_flakehunt.steering.standing import standing


@dataclass(frozen=True, slots=True)
class Steering(Seeded):
    """One schedule for the threads of each test."""

    patience: ClassVar[float] = 5.0
    slowing: ClassVar[float] = 100.0
    """As for delays: lines are watched."""

    def __str__(self) -> str:
        return f"steered:{self.seed}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Watch for threads that start."""
        with standing(_begun):
            yield

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Steer the threads of one test."""
        global _test  # noqa: PLW0603 - one test runs at a time
        _test = Test(Schedule(self.seed, nodeid), _thread.get_ident())
        try:
            yield
        finally:
            _test.end()
            _test = None


@dataclass(slots=True)
class Test:
    """The running test, as far as it is steered."""

    schedule: Schedule
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
