"""Lines of the project's own code, told of as they are about to run: all of Python's other code runs at full speed."""

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Protocol

from pytest_flakehunt.ground import project

MONITORING: Any = getattr(sys, "monitoring", None)
"""The module, from Python 3.12 on."""
TOOLS = (4, 3)
"""Tool ids of ``sys.monitoring`` that no debugger, coverage or profiler reserves."""


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


def tracer(passed: Passed) -> Tracer:
    """Give what calls a function at each line of the project's code."""
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
