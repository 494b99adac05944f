"""Who makes things: tests, fixtures, and what those have begun."""

import weakref
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Debt:
    """Shared state that was changed, and how it was before."""

    kind: LeakKind
    before: Part
    paths: frozenset[str]

    def unpaid(self) -> frozenset[str]:
        """Name what is still not as it was."""
        return self.paths.intersection(change.path for change in self.before.changes())


@dataclass(slots=True, eq=False)
class Owner:
    """A test or a fixture from its set-up to its tear-down."""

    place: Place
    nodeid: str
    """The test itself, or the one for which the fixture was set up."""
    name: str = TEST
    fixture: Any = None
    """pytest's definition of the fixture."""
    debts: list[Debt] = field(default_factory=list)
    descriptors: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Descriptors that were new after it had been at work, with device and inode."""


NOBODY = Owner(Place("", 0), "", "")
"""Stands for threads that plugins have started, or that were there before the tests."""
