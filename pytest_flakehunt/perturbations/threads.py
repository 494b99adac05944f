"""Where threads take turns: seeded delays at telling lines of the project's own code."""

import _thread
import functools
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import CodeType, FrameType
from typing import Any, ClassVar, Protocol

from pytest_flakehunt.ground import project, realtime, seeds
from pytest_flakehunt.ground.stand_ins import Maker, standing
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding

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
MONITORING: Any = getattr(sys, "monitoring", None)
"""The module, from Python 3.12 on."""
TOOLS = (4, 3)
"""Tool ids of ``sys.monitoring`` that no debugger, coverage or profiler reserves."""


@dataclass(frozen=True, slots=True)
class Switching(Seeded):
    """One way for threads to get in each other's way; the seed decides where and for how long, not who comes first."""

    patience: ClassVar[float] = 5.0
    slowing: ClassVar[float] = 100.0
    """Traced, a loop that did nothing but count took 34 times as long; who is delayed waits besides."""

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
    _tracer: "Tracer | None" = None
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
        self._tracer = _tracer(self.passed)
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

    @functools.wraps(run)
    def placed(*args: Any, **kwargs: Any) -> Any:
        switches.named(place)
        return run(*args, **kwargs)

    return placed


STAND_INS: Mapping[str, Maker] = {
    "threading:Thread.start": _started,
    "_thread:start_new_thread": _started_bare,
    "_thread:start_new": _started_bare,
}


class Tracer(Protocol):
    """What calls us at lines of the project's code."""

    def start(self) -> None:
        """Begin, also in the functions that are running."""

    def stop(self) -> None:
        """End."""


Passed = Callable[[CodeType, int], None]


class Monitoring:
    """Line events of ``sys.monitoring``: code that is not the project's runs at full speed."""

    def __init__(self, passed: Passed) -> None:
        self._passed = passed
        self._watched: set[CodeType] = set()
        self._tool = -1

    def start(self) -> None:
        """Begin, also in the functions that are running."""
        monitoring = MONITORING
        self._tool = next((tool for tool in TOOLS if monitoring.get_tool(tool) is None), -1)
        if self._tool < 0:
            return
        monitoring.use_tool_id(self._tool, "flakehunt")
        monitoring.register_callback(self._tool, monitoring.events.PY_START, self._entered)
        monitoring.register_callback(self._tool, monitoring.events.LINE, self._passed)
        monitoring.set_events(self._tool, monitoring.events.PY_START)
        monitoring.restart_events()
        for code in running():
            self._watch(code)

    def stop(self) -> None:
        """End."""
        if self._tool < 0:
            return
        monitoring = MONITORING
        monitoring.set_events(self._tool, 0)
        for code in self._watched:
            monitoring.set_local_events(self._tool, code, 0)
        for event in (monitoring.events.PY_START, monitoring.events.LINE):
            monitoring.register_callback(self._tool, event, None)
        monitoring.free_tool_id(self._tool)
        self._tool = -1

    def _entered(self, code: CodeType, offset: int) -> Any:
        del offset
        self._watch(code)
        return MONITORING.DISABLE

    def _watch(self, code: CodeType) -> None:
        if self._tool >= 0 and code not in self._watched and project.owns(code.co_filename):
            self._watched.add(code)
            MONITORING.set_local_events(self._tool, code, MONITORING.events.LINE)


class Tracing:
    """Trace functions, before Python 3.12: they stand aside for a debugger's or coverage's."""

    def __init__(self, passed: Passed) -> None:
        self._passed = passed
        self._traced = False

    def start(self) -> None:
        """Begin, also in the functions that are running."""
        if sys.gettrace() is not None or threading.gettrace() is not None:
            return
        self._traced = True
        threading.settrace(self._entered)
        sys.settrace(self._entered)
        frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the only way
        while frame is not None:
            if project.owns(frame.f_code.co_filename):
                frame.f_trace = self._line
            frame = frame.f_back

    def stop(self) -> None:
        """End."""
        if self._traced:
            threading.settrace(None)
            sys.settrace(None)

    def _entered(self, frame: FrameType, event: str, argument: Any) -> Any:
        del event, argument
        return self._line if project.owns(frame.f_code.co_filename) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        del argument
        if event == "line":
            self._passed(frame.f_code, frame.f_lineno)
        return self._line


def _tracer(passed: Passed) -> Tracer:
    return Monitoring(passed) if MONITORING is not None else Tracing(passed)


def running() -> set[CodeType]:
    """Give the code that all threads are at, from the innermost to the outermost call.

    No frame is held on to: one that holds itself keeps all its callers' values
    alive until the collector comes.
    """
    frames = sys._current_frames()  # noqa: SLF001 - the only way
    found: set[CodeType] = set()
    while frames:
        frame: FrameType | None = frames.popitem()[1]
        while frame is not None:
            found.add(frame.f_code)
            frame = frame.f_back
    return found


class Switchings(Seeding):
    """The moments at which threads take turns."""

    name = "threads"
    sources = frozenset({"threads"})
    costly = True
    """Whether it costs so much that mixed sweeps hold it only for tests that consult a source."""
    kind = Switching

    @staticmethod
    def idle() -> str:
        """Say that no line of the project's code is seen to run; empty where some are."""
        seen: list[int] = []
        tracer = _tracer(lambda _, line: seen.append(line))
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
    if MONITORING is not None or before == (None, None):
        yield
        return
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])  # as it was, be it none
