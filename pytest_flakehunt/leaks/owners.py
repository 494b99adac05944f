"""Who makes things: tests, fixtures, and what those have begun."""

import functools
import inspect
import os
import re
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

from pytest_flakehunt.ground import project
from pytest_flakehunt.model import TEST, LeakKind, Place
from pytest_flakehunt.state import Part


@dataclass(slots=True, eq=False)
class Begun:
    """Something that a test or a fixture has started, and that may outlive it."""

    kind: LeakKind
    owner: "Owner"
    place: Place | None
    """The project's line that started it."""
    thing: Any
    """A weak reference to it; for what has no object its name."""

    def itself(self) -> Any:
        """Give the thing, or None where it is gone."""
        return self.thing() if isinstance(self.thing, weakref.ref) else self.thing


class Bare(NamedTuple):
    """What a thread without an object was started to do; nothing that the function belongs to lives longer for it."""

    code: CodeType
    name: str
    qualified: str


def qualified(function: Any) -> str:
    """Give the module and name of a function or a class."""
    module = getattr(function, "__module__", "")
    return f"{module}.{getattr(function, '__qualname__', type(function).__qualname__)}"


@dataclass(frozen=True, slots=True)
class Debt:
    """Shared state that was changed, and how it was before."""

    kind: LeakKind
    before: Part
    paths: frozenset[str]

    def unpaid(self) -> frozenset[str]:
        """Name what is still not as it was."""
        return self.paths.intersection(change.path for change in self.before.changes())


@dataclass(frozen=True, slots=True)
class Definition:
    """What a fixture's definition says of it."""

    code: CodeType | None
    """Of its own function, whatever plugins have wrapped around that."""
    place: Place
    name: str
    own: bool
    """Whether it is the project's: a plugin's is the plugin's affair."""
    brief: bool
    """Whether it lasts for one test."""
    ends: bool
    """Whether its tear-down may end what the tests that share it begin."""


XUNIT = re.compile(r"_(?:xunit|unittest)_(.+?)_fixture")
"""How pytest names the fixtures that it makes of ``setUp`` and its like."""


@functools.lru_cache(maxsize=1000)
def defined(function: Any, name: str, scope: str, relative: Callable[[str], str]) -> Definition | None:
    """Read a definition; None for what pytest itself makes for one test, parameters among them.

    Args:
        function: the fixture's.
        name: under which it is asked for.
        scope: its scope.
        relative: gives a file's path as reports write it.
    """
    function = inspect.unwrap(function)
    xunit = XUNIT.match(name)
    pytests = str(getattr(function, "__module__", "")).startswith("_pytest.")
    brief = scope == "function"
    if pytests and brief and xunit is None:
        return None
    code = getattr(function, "__code__", None)
    code = code if isinstance(code, CodeType) else None
    place = Place(relative(code.co_filename), code.co_firstlineno, code.co_name) if code else Place("", 0)
    own = xunit is not None or (code is not None and project.owns(code.co_filename))
    yields = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    ends = not brief and (own or (yields and not pytests))
    return Definition(code, place, name if xunit is None else xunit[1], own, brief, ends)


PLAIN_TEST = Definition(None, Place("", 0), TEST, own=True, brief=True, ends=False)


@dataclass(slots=True, eq=False)
class Owner:
    """A test or a fixture from its set-up to its tear-down."""

    nodeid: str
    """The test itself, or the one for which the fixture was set up."""
    definition: Definition = PLAIN_TEST
    fixture: Any = None
    """pytest's object for the fixture; None for a test."""
    location: tuple[str, int | None, str] = ("", -1, "")
    """A test's, as pytest gives it."""
    debts: list[Debt] = field(default_factory=list)
    descriptors: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Descriptors that were new after it had been at work, with device and inode."""

    @property
    def place(self) -> Place:
        """Where the test or the fixture's function stands."""
        if self.fixture is not None:
            return self.definition.place
        file, line, name = self.location
        return Place(file.replace(os.sep, "/"), (-1 if line is None else line) + 1, name)

    @property
    def owes(self) -> bool:
        """Whether it has changed or opened anything that may be there still."""
        return bool(self.debts or self.descriptors)


NOBODY = Owner("")
"""Stands for threads that plugins have started, or that were there before the tests."""
