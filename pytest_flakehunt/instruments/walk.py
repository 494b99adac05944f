"""The path that one test takes: the project's lines in the order they run, and local names that get other values."""

import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType
from typing import Any, Self, TypeAlias

import pytest

from pytest_flakehunt.ground import project
from pytest_flakehunt.instruments.short import short
from pytest_flakehunt.model import Step

MOST_STEPS = 20_000
"""Lines that are followed, each as often as it runs: some ten microseconds each."""
MOST_CHARACTERS = 400_000
"""Characters of names and values that are kept."""
LONGEST_LINE = 300
"""Characters of a source line that are told, as far as its words go."""
MONITORING: Any = getattr(sys, "monitoring", None)
"""The module, from Python 3.12 on."""
TOOLS = (4, 3)
"""Tool ids of ``sys.monitoring`` that no debugger, coverage or profiler reserves."""
_name = vars(type)["__name__"].__get__  # whatever a metaclass says

Pass: TypeAlias = Callable[[FrameType, str], bool]
"""Takes the frame that is at a line, and what that raised; says whether to go on."""


class Walk:
    """Notes the path while it is held: in the thread at hand, without what tests share.

    A fixture of a wider scope is set up for whichever test comes first, and a
    module's own code runs once: an attempt that comes after other tests
    would part from one that is alone there, each time.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.steps: list[Step] = []
        self.cut = False
        self._numbers: dict[int, int] = {}
        """By the address of the code, which is kept."""
        self._codes: list[CodeType] = []
        self._last: list[Mapping[str, str]] = []
        """Local names and their texts when each function was last met."""
        self._left = MOST_CHARACTERS
        self._shared = 0
        """Fixtures of a wider scope that are being set up."""
        self._thread = 0

    @contextmanager
    def noted(self) -> Iterator[Self]:
        """Note what runs meanwhile; where somebody else follows it already, nothing."""
        self._thread = threading.get_ident()
        follower = (Tracing if MONITORING is None else Monitoring)(self._pass)
        self.config.pluginmanager.register(self)
        follower.start()
        try:
            yield self
        finally:
            self.cut |= not follower.stop()
            self.config.pluginmanager.unregister(self)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Look away while something is set up that other tests share."""
        shared = fixturedef.scope != "function"
        self._shared += shared
        try:
            return (yield)
        finally:
            self._shared -= shared

    def _pass(self, frame: FrameType, raised: str) -> bool:
        if not self.cut and not self._shared and threading.get_ident() == self._thread:
            with suppress(Exception):  # whatever is odd there, the test must not meet our failure
                self._note(frame, raised)
        return not self.cut

    def _note(self, frame: FrameType, raised: str) -> None:
        code = frame.f_code
        if not code.co_flags & CO_OPTIMIZED:
            return  # a module's, or a class body's, whose names may be in a container of the project's own
        if len(self.steps) >= MOST_STEPS or self._left < 0:
            self.cut = True
            return
        number = self._numbers.setdefault(id(code), len(self._codes))
        if number == len(self._codes):
            self._codes.append(code)
            self._last.append({})
        now = {
            name: text
            for name, value in frame.f_locals.items()
            if name.isidentifier() and (text := short(value)) is not None
        }
        before, self._last[number] = self._last[number], now
        changed: dict[str, str | None] = {name: text for name, text in now.items() if before.get(name) != text}
        changed.update(dict.fromkeys(before.keys() - now.keys()))
        self._left -= sum(len(name) + len(text or "") for name, text in changed.items())
        self.steps.append(Step(number, frame.f_lineno, changed, raised))

    def told(self) -> dict[str, Any]:
        """Give all of it in JSON values, with the source of each line."""
        root = self.config.rootpath
        sources = {name: project.lines(name) for name in {code.co_filename for code in self._codes}}
        met = sorted({(step.code, step.line) for step in self.steps})
        return {
            "codes": [(project.relative(code.co_filename, root), code.co_name) for code in self._codes],
            "steps": self.steps,
            "texts": [(code, line, _source(sources[self._codes[code].co_filename], line)) for code, line in met],
            "cut": self.cut,
        }


def _source(lines: list[str], line: int) -> str:
    """Give a source line, if need be without the words that make it too long: no half of one is told."""
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE].rpartition(' ')[0]} …"


class Tracing:
    """A trace function, before Python 3.12; where there is one already, nothing is followed."""

    def __init__(self, follow: Pass) -> None:
        self._follow = follow
        self._ours = self._over = False

    def start(self) -> None:
        """Begin with the next call."""
        if sys.gettrace() is None:
            self._ours = True
            sys.settrace(self._entered)

    def stop(self) -> bool:
        """End; tell whether nobody else has come in between."""
        kept = self._ours and (self._over or sys.gettrace() == self._entered)
        if sys.gettrace() == self._entered:
            sys.settrace(None)
        self._over = True
        return kept

    def _entered(self, frame: FrameType, _event: str, _value: object) -> Any:
        return self._line if not self._over and project.owns(frame.f_code.co_filename) else None

    def _line(self, frame: FrameType, event: str, value: Any) -> Any:
        if (
            event in {"line", "exception"}
            and not self._over
            and not self._follow(frame, _name(value[0]) if event == "exception" else "")
        ):
            self._over = True
            sys.settrace(None)
        return None if self._over else self._line


class Monitoring:
    """Events of ``sys.monitoring``: code that is not the project's runs at full speed."""

    def __init__(self, follow: Pass) -> None:
        self._follow = follow
        self._watched: dict[int, CodeType] = {}
        self._tool = -1

    def start(self) -> None:
        """Begin with the next call."""
        monitoring, events = MONITORING, MONITORING.events
        self._tool = next((tool for tool in TOOLS if monitoring.get_tool(tool) is None), -1)
        if self._tool < 0:
            return
        monitoring.use_tool_id(self._tool, "flakehunt")
        for event, callback in self._callbacks().items():
            monitoring.register_callback(self._tool, event, callback)
        monitoring.set_events(self._tool, events.PY_START | events.PY_RESUME | events.RAISE)
        monitoring.restart_events()

    def stop(self) -> bool:
        """End; tell whether it could be followed at all."""
        if self._tool < 0:
            return False
        MONITORING.set_events(self._tool, 0)
        for code in self._watched.values():
            MONITORING.set_local_events(self._tool, code, 0)
        for event in self._callbacks():
            MONITORING.register_callback(self._tool, event, None)
        MONITORING.free_tool_id(self._tool)
        self._tool = -1
        return True

    def _callbacks(self) -> dict[int, Callable[..., Any]]:
        events = MONITORING.events
        return {
            events.PY_START: self._entered,
            events.PY_RESUME: self._entered,
            events.RAISE: self._raised,
            events.LINE: self._line,
        }

    def _entered(self, code: CodeType, _offset: int) -> Any:
        if id(code) not in self._watched and project.owns(code.co_filename) and self._tool >= 0:
            self._watched[id(code)] = code
            MONITORING.set_local_events(self._tool, code, MONITORING.events.LINE)
        return MONITORING.DISABLE

    def _line(self, _code: CodeType, _line: int) -> Any:
        if not self._follow(sys._getframe(1), ""):  # noqa: SLF001 - the only way
            MONITORING.set_events(self._tool, 0)
            return MONITORING.DISABLE
        return None

    def _raised(self, code: CodeType, _offset: int, error: BaseException) -> None:
        if id(code) in self._watched:
            self._follow(sys._getframe(1), _name(type(error)))  # noqa: SLF001 - the only way
