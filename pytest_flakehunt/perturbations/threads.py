"""Where threads take turns: seeded delays at telling lines of the project's own code."""

import _thread
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import CodeType
from typing import Any, ClassVar

from pytest_flakehunt.ground import project, realtime, seeds
from pytest_flakehunt.ground.stand_ins import Maker, Started, standing
from pytest_flakehunt.model.switches import NO_SWITCH, read
from pytest_flakehunt.perturbations import lines, reading
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding
from pytest_flakehunt.perturbations.steered import Playing, Steering

DENSITIES = (0.2, 0.5, 0.9)
"""Share of lines at which threads are delayed; one of these for a test and seed."""
SHORT = (0.0002, 0.002)
"""Seconds of most delays: others get past meanwhile."""
DELAYED = 0.5
"""Chance that a thread is delayed as it passes such a line: with one delayed and the other not they change places."""
MOST_DELAYED = 0.5
"""Seconds that short delays take in one test, at most."""
HOLDS = tuple(0.001 * 2**power for power in range(9))
"""Seconds for which a thread is held back, once: from a millisecond to a quarter of a second."""
HELD = 0.5
"""Chance that a thread is held back."""
HELD_WITHIN = 12
"""Lines after which it is held back, at most; sooner more often than later."""
MOST_HELD = 0.6
"""Seconds for which threads are held back in one test, at most, but for the last."""
LOOK_EVERY = 64
"""Lines between two looks at whether a second thread still lives."""


@dataclass(frozen=True, slots=True)
class Switching(Seeded):
    """One way for threads to get in each other's way; the seed decides where and for how long, not who comes first."""

    patience: ClassVar[float] = 5.0
    slowing: ClassVar[float] = 100.0
    """Traced, a loop that did nothing but count took 34 times as long; who is delayed waits besides."""
    left_to_chance: ClassVar[bool] = True
    """Who comes first is the machine's to say."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Watch for threads that start."""
        with standing(self.stand_ins()):
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what sees threads start."""
        return STAND_INS

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Delay the threads of one test."""
        global _switches  # noqa: PLW0603 - one test runs at a time
        _switches = Switches(self.seed, nodeid)
        if threading.active_count() > 1:
            _switches.arm()
        try:
            yield
        finally:
            _switches.disarm()
            _switches = None


@dataclass(slots=True)
class Switches:
    """The delays of one test."""

    seed: int
    nodeid: str
    armed: bool = False
    starts: int = 0
    """Threads that the test has started."""
    _tracer: "lines.Tracer | None" = None
    _chances: dict[int, Random] = field(default_factory=dict)
    """By thread: what it draws from."""
    _lines: dict[int, int] = field(default_factory=dict)
    """By thread: lines it has passed."""
    _hot: dict[tuple[CodeType, int], bool] = field(default_factory=dict)
    _places: dict[int, int] = field(default_factory=dict)
    """By thread: how many started before it."""
    _spent: float = 0.0
    _density: float = 0.0
    _held: float = 0.0
    _holds: dict[int, tuple[int, float]] = field(default_factory=dict)
    """By thread: the line, counted from its first, at which it is held back, and the seconds."""

    def __post_init__(self) -> None:
        chance = Random(seeds.derive(self.seed, self.nodeid, "switches"))
        self._density = chance.choice(DENSITIES)
        self._places[_thread.get_ident()] = 0

    def arm(self) -> None:
        """Watch the lines of the project's code from now on."""
        if self.armed:
            return
        self.armed = True
        self._tracer = lines.tracer(self.passed)
        self._tracer.start()

    def disarm(self) -> None:
        """Let the code run as fast as ever."""
        tracer, self._tracer, self.armed = self._tracer, None, False
        if tracer is not None:
            tracer.stop()

    def named(self, place: int) -> None:
        """Take in a thread that starts, with its place among all of the test's."""
        self._places[_thread.get_ident()] = place

    def passed(self, code: CodeType, line: int) -> None:
        """Delay the thread that is about to run a line, or not."""
        if not self.armed:
            return
        ident = _thread.get_ident()
        lines = self._lines[ident] = self._lines.get(ident, 0) + 1
        if lines % LOOK_EVERY == 0 and _thread._count() + 1 < 2:  # noqa: SLF001 - public as threading.active_count, with a lock
            self.disarm()
            return
        if not self.starts and len(self._lines) < 2:
            return  # a thread from before only waits: there is nobody to get in the way of
        chance = self._chance(ident)
        held_at, held = self._holds[ident]
        if lines == held_at and self._held < MOST_HELD:
            self._held += held
            realtime.sleep(held)
        elif self._telling(code, line) and self._spent < MOST_DELAYED and chance.random() < DELAYED:
            delay = chance.uniform(*SHORT)
            self._spent += delay
            realtime.sleep(delay)

    def _place(self, ident: int) -> int:
        """Give how many threads of the test started before this one."""
        place = self._places.get(ident)
        if place is None:
            thread = threading._active.get(ident)  # type: ignore[attr-defined]  # noqa: SLF001 - current_thread() may make one up
            place = self._places[ident] = getattr(thread, "_flakehunt_place", 0)
        return place

    def _chance(self, ident: int) -> Random:
        """Give what a thread draws from; its first draws say whether it is held back."""
        chance = self._chances.get(ident)
        if chance is None:
            chance = Random(seeds.derive(self.seed, self.nodeid, "thread", str(self._place(ident))))
            line = int(HELD_WITHIN ** chance.random()) if chance.random() < HELD else 0
            self._holds[ident] = line, chance.choice(HOLDS)
            self._chances[ident] = chance
        return chance

    def _telling(self, code: CodeType, line: int) -> bool:
        """Tell whether threads are delayed at a line: always or never, for a test and seed."""
        hot = self._hot.get((code, line))
        if hot is None:
            drawn = seeds.derive(self.seed, self.nodeid, code.co_qualname, str(line - code.co_firstlineno))
            hot = self._hot[code, line] = drawn / 2**32 < self._density
        return hot


_switches: Switches | None = None


def _started(original: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    def start(self: threading.Thread) -> None:
        switches = _switches
        if switches is not None:
            switches.starts += 1
            self._flakehunt_place = switches.starts  # type: ignore[attr-defined]
            switches.arm()
        original(self)

    return start


def _started_bare(original: Callable[..., int]) -> Callable[..., int]:
    def start_new_thread(
        function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
    ) -> int:
        switches = _switches
        if switches is not None and callable(function):  # else the original says best what is wrong
            function = _placed(switches, function)
            switches.arm()
        return original(function, args, kwargs or {})

    return start_new_thread


def _placed(switches: Switches, run: Callable[..., Any]) -> Callable[..., Any]:
    """Let a thread know how many started before it."""
    switches.starts += 1
    place = switches.starts

    def placed(*args: Any, **kwargs: Any) -> Any:
        switches.named(place)
        return run(*args, **kwargs)

    return Started(run, placed)


STAND_INS: Mapping[str, Maker] = {
    "threading:Thread.start": _started,
    "_thread:start_new_thread": _started_bare,
    "_thread:start_new": _started_bare,
}


class Switchings(Seeding):
    """The moments at which threads take turns."""

    name = "threads"
    allowed = f"{Seeding.allowed} (delays), or steered: and one or a report's switches (one thread runs at a time)"
    sources = frozenset({"threads"})
    costly = True
    """Whether it costs so much that mixed sweeps hold it only for tests that consult a source."""
    kind = Switching

    def draw(self, seed: int, turn: int) -> Seeded:
        """Draw delays and schedules by turns."""
        return Steering(seed) if turn % 2 else Switching(seed)

    def read(self, text: str) -> Seeded | Playing:  # type: ignore[override]  # a tape is no seed
        """Read a seed, that of a schedule, or a tape."""
        kind, _, how = text.partition(":")
        if kind != "steered":
            return super().read(text)
        if ">" in how or how == NO_SWITCH:
            return Playing(read(how))
        return Steering(reading.seed(f"{self.name}=steered", how))

    @staticmethod
    def idle() -> str:
        """Say that no line of the project's code is seen to run; empty where some are."""
        seen: list[int] = []
        tracer = lines.tracer(lambda _, line: seen.append(line))
        with _untraced():
            tracer.start()
            try:
                project.posing(_three_lines)()
            finally:
                tracer.stop()
        return "" if len(seen) > 2 else f"of three lines that ran {len(seen)} were seen"


def _three_lines() -> int:
    one = 1
    two = one + one
    return one + two


@contextmanager
def _untraced() -> Iterator[None]:
    """Set a trace function of this process aside: it says nothing of those in which tests run."""
    before = sys.gettrace(), threading.gettrace()
    if lines.MONITORING is not None or before == (None, None):
        yield
        return
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])  # as it was, be it none
