"""Which sources of nondeterminism each test consults at all: sweeps for one of them can leave other tests out."""

import locale
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import pytest

from pytest_flakehunt.ground import project
from pytest_flakehunt.instruments import source_lines
from pytest_flakehunt.instruments.profiler import Profiler
from pytest_flakehunt.model import UNSEEN

FILES = frozenset({("io", "open"), ("_io", "open"), ("posix", "open"), ("posix", "fsync"), ("posix", "fdatasync")})
THREADS = frozenset({("_thread", "start_new_thread"), ("_thread", "start_new"), ("_thread", "start_joinable_thread")})
TRIO = ("trio._core._run", "unrolled_run")
"""Its loop, also as a guest of another."""
FORKS = frozenset({("posix", "fork"), ("posix", "forkpty")})
VARIABLES = {"TZ": "timezone", "LANG": "locale", "LANGUAGE": "locale"}
"""Sources that environment variables stand for; those that start with ``LC_`` stand for the locale."""
CALLED_IN_C = frozenset({
    *(name for _, name in (*source_lines.IN_C, *FILES, *THREADS, *FORKS)), *source_lines.METHODS_IN_C,
})  # fmt: skip
CALLED_IN_PYTHON = frozenset({name.rpartition(".")[2] for _, name in (*source_lines.IN_PYTHON, TRIO)})


class Watch:
    """A pytest plugin that notes, while each test runs, what is consulted in this process, by whomever.

    What the set-up of a fixture of a wider scope consults counts for every
    test that uses it. What pytest itself asks does not count.
    """

    def __init__(self, states: Callable[[], Sequence[object]]) -> None:
        """Make one.

        Args:
            states: gives the states of the global random generators: code
                written in C draws from some of them unseen.
        """
        self.states = states
        self._noted: set[str] = set()
        self._used: set[str] = set()
        """Fixtures that the running test asked for by name."""
        self._of_fixtures: dict[str, set[str]] = {}

    @contextmanager
    def during(self, item: pytest.Item) -> Iterator[set[str]]:
        """Watch one test; the set is complete when it has ended."""
        noted = self._noted = set()
        self._used = set(getattr(item, "fixturenames", ()))
        before = self.states()
        profiler = Profiler(self._notice)
        try:
            with profiler:
                try:
                    yield noted
                finally:
                    if profiler.displaced:
                        noted.add(UNSEEN)  # the test has put a profiler of its own there, and taken it away
        finally:
            if threading.active_count() > 1:
                noted.add("threads")
            if self.states() != before:
                noted.add("random")
            if any(locale.setlocale(category) != "C" for category in (locale.LC_TIME, locale.LC_NUMERIC)):
                noted.add("locale")
            for name in self._used:
                noted.update(self._of_fixtures.get(name, ()))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Keep what a fixture consults that others share."""
        if fixturedef.scope == "function":
            return (yield)
        before, self._noted = self._noted, set()
        try:
            return (yield)
        finally:
            self._of_fixtures.setdefault(fixturedef.argname, set()).update(self._noted)
            before.update(self._noted)
            self._noted = before

    def _notice(self, frame: FrameType, event: str, called: Any) -> None:
        with suppress(Exception):  # whatever odd object was called, the test must not meet our failure
            if event == "call":
                if frame.f_code.co_name == "getfixturevalue":
                    self._used.add(frame.f_locals["argname"])
                elif frame.f_code.co_name in CALLED_IN_PYTHON:
                    self._note(in_python(frame), frame.f_back)
            elif event == "c_call" and called.__name__ in CALLED_IN_C:
                self._note(in_c(called), frame)

    def _note(self, sources: Sequence[str], caller: FrameType | None) -> None:
        if self._noted.issuperset(sources) or (caller is not None and quiet(caller)):
            return
        if project.acts(caller):
            self._noted.update(sources)


def in_c(called: Any) -> Sequence[str]:
    """Give the sources that a function written in C asks."""
    key = (called.__module__, called.__name__)
    if key in FILES:
        return ("file",)
    if key in FORKS:
        return ("process", UNSEEN)
    return ("threads",) if key in THREADS else source_lines.sources_in_c(called)


def quiet(frame: FrameType) -> bool:
    """Tell whether it has no effect what some code consults: a record of a log has its time, whoever reads it."""
    return project.package_of(frame) in source_lines.QUIET and frame.f_code.co_name != "formatTime"


def in_python(frame: FrameType) -> Sequence[str]:
    """Give the sources that a function written in Python asks, as it is called."""
    if (frame.f_globals.get("__name__"), frame.f_code.co_qualname) == TRIO:
        return ("asyncio",)
    sources = source_lines.sources_in_python(frame)
    if sources == ("environment",):
        name = frame.f_locals.get("key")
        if name is None:  # all variables at once
            return ("timezone", "locale")
        return ("locale",) if name.startswith("LC_") else [VARIABLES[name]] if name in VARIABLES else ()
    return sources
