"""What a test or a fixture leaves behind."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_flakehunt.model.place import Place


class LeakKind(StrEnum):
    """What it is that was left."""

    THREAD = "thread"
    TASK = "task"
    COROUTINE = "coroutine"
    """One that was never awaited."""
    EXCEPTION = "exception"
    """Of a task or a future, and nobody looked at it."""
    GENERATOR = "generator"
    """An asynchronous one that was neither finished nor closed."""
    EXECUTOR = "executor"
    PROCESS = "process"
    FILE = "file"
    """Any descriptor: sockets and pipes too."""
    LOOP = "loop"
    ENVIRON = "environ"
    CWD = "cwd"
    UMASK = "umask"
    SIGNAL = "signal"
    PATH = "path"
    WARNINGS = "warnings"
    LOGGING = "logging"
    LOCALE = "locale"
    MODULES = "modules"
    PATCH = "patch"
    TEMP = "temp"
    SEED = "seed"
    """Of a global generator of random numbers: what draws from it later draws the same for ever."""


POLLED = (
    LeakKind.UMASK, LeakKind.LOCALE, LeakKind.SIGNAL, LeakKind.PATH, LeakKind.WARNINGS, LeakKind.LOGGING,
    LeakKind.MODULES, LeakKind.PATCH,
)  # fmt: skip
"""Shared state of which no event tells."""
TEST = "test"
"""The owner of what no fixture made."""


NOWHERE = Place("", 0)


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that was still there when its owner's tear-down was over, and the grace with it."""

    kind: LeakKind
    what: str
    """Its name, target, coroutine or path: the same in every process."""
    owner: str = TEST
    """``test``, or the name of the fixture that made it."""
    owned_at: Place = NOWHERE
    """Where that test or fixture stands."""
    started_at: Place | None = None
    """The project's line that made it, where that was seen."""
    now: str = field(default="", compare=False)
    """For a thread or a task: where it is now, innermost line last."""
    victim: str = field(default="", compare=False)
    """A test in which it raised, by node id."""

    @property
    def polled(self) -> bool:
        """Whether no event tells of it: it shows where one looks after each test alone."""
        return self.kind in POLLED


_NUMBER = re.compile(r"(?<![A-Za-z\d])\d+")
_RANDOM = re.compile(r"(?<![A-Za-z0-9])(tmp|flakehunt-|pymp-|pym-\d+-)[a-z0-9_]{8}(?![A-Za-z0-9_])")


def lasting(name: str) -> str:
    """Give a name without what differs from run to run: numbers, and what ``tempfile`` draws.

    >>> lasting("Thread-12 (serve)"), lasting("/tmp/tmpx3_k9abc/log")
    ('Thread-# (serve)', '/tmp/tmp#/log')
    """
    return _NUMBER.sub("#", _RANDOM.sub(r"\g<1>#", name))


@dataclass(frozen=True, slots=True)
class Sighting:
    """One leak of one test in the survey of a hunt."""

    nodeid: str
    """The test, or the one for which the fixture was set up."""
    leak: Leak
    sweeps: set[int]
    victims: set[str]
