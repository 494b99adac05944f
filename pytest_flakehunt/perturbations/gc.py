"""When the garbage collector runs."""

import gc
import re
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import ClassVar

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import reading


class Habit(StrEnum):
    """How the collector behaves."""

    EAGER = "eager"
    EVERY = "every"
    OFF = "off"
    RANDOM = "random"


NUMBERED = (Habit.EVERY, Habit.RANDOM)
TURNS = ("every:30", "random", "eager", "every:5", "random", "off", "every:200", "random")
"""Collecting with every object hides what collecting now and then brings out: young objects grow old alive."""
LARGEST = 100_000
"""Objects after which it collects, at most."""
EAGER = 1, 1, 1
FEWEST, MOST = 600, 5000
"""New objects between which there are enough for it to run. A free-threaded build counts them by the five hundred."""


@dataclass(frozen=True, slots=True)
class Collector:
    """One habit of the collector."""

    contract: ClassVar[Contract] = Contract.NATURAL
    patience: ClassVar[float] = 5.0
    habit: Habit
    number: int | None = None
    """Of new objects, 1 to 100000, for ``every``; a seed from 0 to 4294967295 for ``random``; else None."""

    def __str__(self) -> str:
        return self.habit if self.number is None else f"{self.habit}:{self.number}"

    def simpler(self) -> list["Collector"]:
        """Give those without a seed."""
        if self.habit is not Habit.RANDOM:
            return []
        return [Collector(Habit.EAGER), Collector(Habit.OFF), Collector(Habit.EVERY, 30), Collector(Habit.EVERY, 5)]

    @property
    def graded(self) -> bool:
        """They are of several kinds."""
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the habit, and give back thresholds and state as they were.

        What was there before the sweep is set apart: a full collection comes
        only when the old objects have grown by a quarter, and the suite's
        modules alone are so many that none would ever come.
        """
        thresholds, enabled, frozen = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()
        if self.habit is Habit.OFF:
            gc.disable()
        else:
            gc.collect()
            gc.freeze()
            gc.collect()
        if self.habit is Habit.EAGER:
            gc.set_threshold(*EAGER)
        elif self.habit is Habit.EVERY:
            gc.set_threshold(self.number or 1, 1, 1)
        try:
            yield
        finally:
            gc.set_threshold(*thresholds)
            if not frozen:
                gc.unfreeze()
            if enabled:
                gc.enable()

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Under ``random``, let each test meet another threshold, from every few objects to hardly ever."""
        if self.habit is Habit.RANDOM:
            drawn = Random(seeds.derive(self.number or 0, nodeid))
            gc.set_threshold(int(10 ** drawn.uniform(0, 4)), *drawn.choice(((1, 1), (1, 1), (3, 3), (10, 10))))
        yield


class _Cycle:
    """What only the collector can take away."""

    def __init__(self) -> None:
        self.itself = self


class Collectors:
    """The moments at which cycles are collected, finalisers run and weak references die."""

    name = "gc"
    allowed = "eager, off, every:NUMBER or random:SEED"

    @staticmethod
    def idle() -> str:
        """Say that no cycle is collected as new objects come; empty where it is."""
        thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
        enough = max(FEWEST, min(thresholds[0] * 4 // 5, MOST))  # by itself it would not run yet
        gc.freeze()  # what was there before would be gone through each time
        gc.collect()  # an incremental collector begins anew: else it would go through all of it first
        gc.set_threshold(*EAGER)
        try:
            gone = weakref.ref(_Cycle())
            kept = [[number] for number in range(enough) if gone() is not None]
        finally:
            gc.set_threshold(*thresholds)
            if not frozen:
                gc.unfreeze()
        return "new objects do not make the collector run" if len(kept) == enough else ""

    def draw(self, seed: int, turn: int) -> Collector:
        """Every few objects first."""
        return self.read(f"random:{seed}" if TURNS[turn % len(TURNS)] == "random" else TURNS[turn % len(TURNS)])

    def read(self, text: str) -> Collector:
        """Read a habit."""
        kind, colon, number = text.partition(":")
        if kind not in tuple(Habit) or (kind in NUMBERED) != bool(colon):
            raise SettingError(f"gc={text}: give {self.allowed}")
        habit = Habit(kind)
        if habit is Habit.EVERY:
            if not re.fullmatch(r"[1-9]\d{0,5}", number, re.ASCII) or int(number) > LARGEST:
                raise SettingError(f"gc={text}: give {self.allowed}, with a number of objects from 1 to {LARGEST}")
            return Collector(habit, int(number))
        return Collector(habit, reading.seed("gc", number) if colon else None)
