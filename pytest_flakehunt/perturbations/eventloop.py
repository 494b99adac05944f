"""When event loops run what is ready: late timers, ready I/O in another order, late results of executors."""

import asyncio
import math
import sys
from asyncio import base_events
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import Any, ClassVar

from pytest_flakehunt.ground import realtime, seeds
from pytest_flakehunt.ground.stand_ins import Maker, standing
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import reading
from pytest_flakehunt.perturbations.replacing import replaced

SHUFFLED = "shuffled"
LATE = 0.5
"""Chance that a timer, or the result of an executor, is late."""
UNHEARD = 0.2
"""Chance that ready I/O waits for another turn of the loop."""
TIMERS = 20
"""Of which some are late, unless none can be."""
TIMER = 0.003
"""Seconds by which a timer is late, at most: those that are further apart keep their order."""
RESULT = 0.005
"""Seconds by which an executor's result is late, at most, but for a few ..."""
LONG = 0.1
"""... one in ten, that take up to so many."""


@dataclass(frozen=True, slots=True)
class Scheduling:
    """One way for event loops to go about their work.

    A timer never rings early, and naps of equal length keep their order.
    Callbacks keep that in which they were asked for, as the documentation
    promises, unless it is ``shuffled``.
    """

    patience: ClassVar[float] = 5.0
    seed: int
    """From 0 to 4294967295."""
    shuffled: bool = False

    @property
    def contract(self) -> Contract:
        """Natural, unless callbacks lose their order."""
        return Contract.STRESS if self.shuffled else Contract.NATURAL

    def __str__(self) -> str:
        return f"{SHUFFLED}:{self.seed}" if self.shuffled else str(self.seed)

    def simpler(self) -> list["Scheduling"]:
        """Give the first few seeds, in the natural way first."""
        natural = [Scheduling(seed) for seed in range(3 if self.shuffled else min(self.seed, 3))]
        return [*natural, *(Scheduling(seed, shuffled=True) for seed in range(min(self.seed, 3)) if self.shuffled)]

    @property
    def graded(self) -> bool:
        """One seed says nothing of the next."""
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Slow down asyncio's own loops; uvloop's are left alone."""
        with standing(self.stand_ins()):
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what is late, and what comes in another order."""
        return {**STAND_INS, **(SHUFFLING if self.shuffled else {})}

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Draw what is late in one test from its name; trio draws from its own generator."""
        global _chance  # noqa: PLW0603 - one test runs at a time
        _chance = Random(seeds.derive(self.seed, nodeid))
        _rings.clear()
        run = sys.modules.get("trio._core._run")
        try:
            with ExitStack() as undo:
                if run is not None and hasattr(run, "_r") and hasattr(run, "_ALLOW_DETERMINISTIC_SCHEDULING"):
                    undo.enter_context(replaced(run, "_ALLOW_DETERMINISTIC_SCHEDULING", True))
                    undo.enter_context(replaced(run, "_r", Random(seeds.derive(self.seed, nodeid, "trio"))))
                yield
        finally:
            _chance = None


_chance: Random | None = None
"""What the running test draws from."""
_rings: dict[tuple[int, float], float] = {}
"""When the last timer of each length rings in it, by loop."""
_asked: dict[int, float] = {}
"""The length of the timer that is being made, by loop: the clock goes on meanwhile and cannot tell it."""


def _lateness(chance: Random, most: float) -> float:
    return chance.uniform(0, most) if chance.random() < LATE else 0.0


def _of_a_length(original: Callable[..., asyncio.TimerHandle]) -> Callable[..., asyncio.TimerHandle]:
    def call_later(self: Any, delay: Any, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        if _chance is None:
            return original(self, delay, callback, *args, context=context)
        _asked[id(self)] = delay
        try:
            return original(self, delay, callback, *args, context=context)
        finally:
            _asked.pop(id(self), None)

    return call_later


def _late_timer(original: Callable[..., asyncio.TimerHandle]) -> Callable[..., asyncio.TimerHandle]:
    def call_at(self: Any, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        if _chance is not None and type(self).time is base_events.BaseEventLoop.time and "time" not in vars(self):
            # a loop with a clock of its own has tests look at it
            when = _in_turn(self, when, when + _lateness(_chance, TIMER))
        return original(self, when, callback, *args, context=context)

    return call_at


def _in_turn(loop: Any, when: float, late: float) -> float:
    """Let naps of equal length end in the order in which they began: on no loop does one overtake the other."""
    length = _asked.pop(id(loop), None)
    nap = id(loop), round(when - loop.time() if length is None else length, 4)
    _rings[nap] = max(late, math.nextafter(_rings.get(nap, 0.0), math.inf))
    return _rings[nap]


def _late_result(original: Callable[..., Any]) -> Callable[..., Any]:
    def run_in_executor(self: Any, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        chance = _chance
        if chance is None or not (executor is None or isinstance(executor, ThreadPoolExecutor)):
            return original(self, executor, func, *args)
        delay = _lateness(chance, LONG if chance.random() < 0.1 else RESULT)

        def late() -> Any:
            try:
                return func(*args)
            finally:
                realtime.sleep(delay)

        return original(self, executor, late)

    return run_in_executor


def _in_another_order(original: Callable[[Any, Sequence[Any]], None]) -> Callable[[Any, Sequence[Any]], None]:
    def process_events(self: Any, events: Sequence[Any]) -> None:
        chance = _chance
        if chance is None:
            original(self, events)
            return
        chosen = [event for event in events if chance.random() >= UNHEARD]  # the selector tells of the others again
        chance.shuffle(chosen)
        original(self, chosen)

    return process_events


def _shuffling(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def run_once(self: Any) -> None:
        if _chance is not None and len(self._ready) > 1:
            ready = list(self._ready)
            self._ready.clear()
            for library, some in groupby(ready, _of_the_library):
                together = list(some)
                if not library:
                    _chance.shuffle(together)
                self._ready.extend(together)
        original(self)

    return run_once


def _of_the_library(handle: asyncio.Handle) -> bool:
    """Tell whether a callback is asyncio's own, or a protocol's: connections are made of these, in their order."""
    callback = getattr(handle, "_callback", None)
    callback = getattr(callback, "func", callback)  # of a partial
    if isinstance(getattr(callback, "__self__", None), asyncio.BaseProtocol | asyncio.BaseTransport):
        return True
    module = getattr(callback, "__module__", None) or ""
    return module.startswith("asyncio.") and module != "asyncio.tasks"


_LOOP = "asyncio.base_events:BaseEventLoop"
STAND_INS: Mapping[str, Maker] = {
    f"{_LOOP}.call_later": _of_a_length,
    f"{_LOOP}.call_at": _late_timer,
    f"{_LOOP}.run_in_executor": _late_result,
    "asyncio.selector_events:BaseSelectorEventLoop._process_events": _in_another_order,
}
SHUFFLING: Mapping[str, Maker] = {f"{_LOOP}._run_once": _shuffling}


class Schedulings:
    """When event loops run what is ready."""

    name = "asyncio"
    sources = frozenset({"asyncio"})
    allowed = f"a whole number from 0 to {reading.SEED_LIMIT}, or shuffled:SEED"

    @staticmethod
    def idle() -> str:
        """Say that no timer of asyncio's own loop is late; empty where some are."""
        with Scheduling(1).held(), Scheduling(1).held_for(""), closing(asyncio.SelectorEventLoop()) as loop:
            late = [loop.call_at(1.0, int).when() > 1.0 for _ in range(TIMERS)]
        return "" if any(late) else f"of {TIMERS} timers none is late"

    def draw(self, seed: int, turn: int) -> Scheduling:
        """Every third draw is stress."""
        return Scheduling(seed, shuffled=turn % 3 == 2)

    def read(self, text: str) -> Scheduling:
        """Read a seed, or shuffled and a seed."""
        kind, colon, seed = text.rpartition(":")
        if kind != (SHUFFLED if colon else ""):
            raise SettingError(f"asyncio={text}: give {self.allowed}")
        return Scheduling(reading.seed(self.name, seed), shuffled=bool(colon))
