"""When the garbage collector runs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import ClassVar, assert_never

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import reading


class Habit(StrEnum):
    """How the collector behaves."""

    EAGER = "eager"
    OFF = "off"
    RANDOM = "random"


TURNS = (Habit.EAGER, Habit.RANDOM, Habit.OFF, Habit.RANDOM)


@dataclass(frozen=True, slots=True)
class Collector:
    """One habit of the collector."""

    contract: ClassVar[Contract] = Contract.NATURAL
    patience: ClassVar[float] = 5.0
    habit: Habit
    seed: int | None = None
    """From 0 to 4294967295 for ``random``, else None."""

    def __str__(self) -> str:
        return self.habit if self.seed is None else f"{self.habit}:{self.seed}"

    def simpler(self) -> list["Collector"]:
        """Give the habits without a seed."""
        return [] if self.seed is None else [Collector(Habit.EAGER), Collector(Habit.OFF)]

    @property
    def graded(self) -> bool:
        """They are opposites."""
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the habit, and give back thresholds and state as they were."""
        thresholds, enabled = gc.get_threshold(), gc.isenabled()
        match self.habit:
            case Habit.EAGER:
                gc.set_threshold(1, 1, 1)
            case Habit.OFF:
                gc.disable()
            case Habit.RANDOM:
                pass
            case _:
                assert_never(self.habit)
        try:
            yield
        finally:
            gc.set_threshold(*thresholds)
            if enabled:
                gc.enable()

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Under ``random``, let each test meet another threshold, from every few objects to hardly ever."""
        if self.habit is Habit.RANDOM:
            drawn = Random(seeds.derive(self.seed or 0, nodeid))
            gc.set_threshold(int(10 ** drawn.uniform(0, 4)), drawn.randint(1, 10), drawn.randint(1, 10))
        yield


class Collectors:
    """The moments at which cycles are collected, finalisers run and weak references die."""

    name = "gc"
    allowed = "eager, off or random:SEED"

    def draw(self, seed: int, turn: int) -> Collector:
        """Eager first."""
        habit = TURNS[turn % len(TURNS)]
        return Collector(habit, seed if habit is Habit.RANDOM else None)

    def read(self, text: str) -> Collector:
        """Read a habit."""
        kind, colon, seed = text.partition(":")
        if kind not in tuple(Habit) or (kind == Habit.RANDOM) != bool(colon):
            raise SettingError(f"gc={text}: give {self.allowed}")
        return Collector(Habit(kind), reading.seed("gc", seed) if colon else None)
