"""The threads of a test, and where each of them is."""

import _thread
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_flakehunt.ground import project
from pytest_flakehunt.model.switches import Moment

allocate = _thread.allocate_lock
"""Held on to, as what others find by this name may be ours."""
take = type(allocate()).acquire
"""Held on to, as a test may forbid whoever runs a loop to wait for a lock."""

_is_alive = threading.Thread.is_alive

Line = tuple[str, int]
"""File and number of a line of the project's own code: several functions may stand in one."""


@dataclass(slots=True, eq=False)
class Member:
    """One thread of a test."""

    number: int
    """How many started before it."""
    name: str
    """As the test calls it."""
    priority: float
    starter: "Member | None" = None
    """The one that started it; None for the thread that runs the test."""
    thread: threading.Thread | None = None
    """None for that one, too, and for threads of ``_thread``."""
    child: "Member | None" = None
    """The one that it started last, until it waits."""
    granted: bool = False
    """Whether it had the baton at any time."""
    gate: Any = field(default_factory=allocate)
    """Taken while it must wait; whoever hands it the baton lets go of it."""
    ident: int = 0
    native: int = 0
    """The system's number of it; 0 before it runs."""
    waits: object = None
    """What it waits for; None if it could run."""
    attempt: Callable[[], bool] | None = None
    """Does what it waits for if that can be done at once, and tells whether."""
    looked: bool = False
    """Whether it has seen, since anybody ran who could do it, that it cannot."""
    has: bool = False
    """Whether it has done so while it waited: nobody had to let it go on."""
    due: float | None = None
    """When its wait is over, in the test's own time."""
    until: float = 0.0
    """The same on the real clock."""
    expired: bool = False
    early: bool = False
    free: bool = False
    """Whether it runs without the baton."""
    done: bool = False
    here: Line | None = None
    """The project's line that it is at, or is about to run."""
    last: Line | None = None
    """The one before that."""
    times: dict[Line, int] = field(default_factory=dict)
    """How often it has come to each line."""
    operation: int = 0
    """Operations since it came to the line, and waits."""
    holds: int = 0
    """Locks that the project's own code has taken in it."""
    freed: bool = False
    """Whether the operation that it is at was to let go of such a lock."""
    outside: bool = False
    """Whether it waits with none of the project's functions on its stack."""

    def __post_init__(self) -> None:
        take(self.gate)

    def came(self, line: Line) -> None:
        """Take in a line that it is about to run."""
        self.last, self.here, self.operation = self.here, line, 0
        self.times[line] = self.times.get(line, 0) + 1

    @property
    def starting(self) -> bool:
        """Whether it has not come as far as to let the one that started it go on, or waits for one to do so."""
        if self.child is not None and not self.child.granted:
            return True
        return self.thread is not None and self.here is None and not _is_alive(self.thread)

    @property
    def begins(self) -> bool:
        """Whether it is about to run its first line: one that started it usually goes on until it waits."""
        return self.last is None and self.here is not None and not self.operation and self.starter is not None

    def moment(self) -> Moment:
        """Say where it is."""
        if self.here is None:
            return Moment(self.number, operation=self.operation)
        file, line = self.here
        return Moment(self.number, project.told(file), line, self.times[self.here], self.operation)
