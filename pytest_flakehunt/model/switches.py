"""Where threads of a test change places: as it is written down, told of, and played again."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable
from urllib.parse import quote, unquote

from pytest_flakehunt.model.place import Place
from pytest_flakehunt.model.settings import Setting, SettingError

NO_SWITCH = "none"
"""How a tape is written that has no switch."""
MOST = 400
"""Switches of a tape, at most."""
WRITTEN = re.compile(r"(\d{1,6})@(?:([^\s:#+>,@]+):(\d{1,9})(?:#(\d{1,9}))?)?(?:\+(\d{1,9}))?>(\d{1,6})", re.ASCII)


class Moment(NamedTuple):
    """A place in the run of one thread."""

    thread: int
    """0 for the one that runs the test; others are numbered as they start."""
    file: str = ""
    """Of the project's line it has come to, from the project's folder; empty before the first one."""
    line: int = 0
    time: int = 0
    """Which time it has come there, from 1."""
    operation: int = 0
    """How many operations of locks and the like it has come to since, or waits; 0 before the line itself."""


class Switch(NamedTuple):
    """A thread stops, and another one goes on."""

    at: Moment
    to: int
    """The number of the thread that goes on."""

    def __str__(self) -> str:
        thread, file, line, time, operation = self.at
        where = f"{quote(file)}:{line}{f'#{time}' if time > 1 else ''}" if file else ""
        return f"{thread}@{where}{f'+{operation}' if operation else ''}>{self.to}"


def written(tape: Iterable[Switch]) -> str:
    """Write a tape.

    >>> written([Switch(Moment(1, "src/cart.py", 12, 1), 0), Switch(Moment(0, "src/cart.py", 31, 2, 3), 1)])
    '1@src/cart.py:12>0,0@src/cart.py:31#2+3>1'
    """
    return ",".join(map(str, tape)) or NO_SWITCH


def read(text: str) -> tuple[Switch, ...]:
    """Read a tape that was written.

    >>> read("1@+2>0")
    (Switch(at=Moment(thread=1, file='', line=0, time=0, operation=2), to=0),)

    Raises:
        SettingError: names the switch that is wrong.
    """
    if text == NO_SWITCH:
        return ()
    parts = text.split(",")
    if len(parts) > MOST:
        raise SettingError(f"{len(parts)} switches of threads: give {MOST} at most")
    return tuple(map(_read, parts))


def _read(text: str) -> Switch:
    found = WRITTEN.fullmatch(text)
    if found is None:
        raise SettingError(
            f"{text[:60]}: no switch of threads; give THREAD@FILE:LINE>THREAD, such as 1@src/cart.py:12>0, "
            "with #TIME and +OPERATION after the line where they are needed"
        )
    thread, file, line, time, operation, to = found.groups()
    here = (unquote(file), int(line), int(time or 1)) if file else ("", 0, 0)
    return Switch(Moment(int(thread), *here, int(operation or 0)), int(to))


@runtime_checkable
class Taping(Protocol):
    """A setting under which switches of threads are drawn, and that can be played again from a tape of them."""

    def taped(self, switches: Sequence[Switch]) -> Setting:
        """Give the setting under which these take place, and no others but where a thread waits or ends."""


class Why(StrEnum):
    """Why a thread stopped."""

    ROOM = "room"
    """It made room for another."""
    WAITS = "waits"
    """It came to something that another thread must do."""
    ENDS = "ends"


class Turn(NamedTuple):
    """What is known of one switch that took place."""

    switch: Switch
    why: Why
    usual: bool
    """Whether it would have come so without a tape: who waits or ends makes room for the first that can run."""
    last: tuple[str, int, str]
    """File, line and text of the project's line that the thread ran last; an empty file where it ran none."""
    freed: bool = False
    """Whether it has just let go of a lock that the project's own code had taken."""
    outside: bool = False
    """Whether it waits in code that the project's has nothing to do with, such as a pool's, between two tasks."""


@dataclass(frozen=True, slots=True)
class Taped:
    """How the threads of one attempt changed places."""

    names: tuple[str, ...]
    """Of the threads, by number."""
    turns: tuple[Turn, ...]
    digest: str
    """Equal in two attempts whose threads changed places alike."""
    steered: bool
    """Whether no thread ran free at any time."""
    unmet: tuple[Switch, ...]
    """Switches of the tape that was played which did not take place."""

    @property
    def tape(self) -> tuple[Switch, ...]:
        """Give the switches that a tape has to tell of."""
        return tuple(turn.switch for turn in self.turns if not turn.usual)

    def told(self) -> dict[str, Any]:
        """Give its JSON form."""
        return {
            "names": self.names,
            "turns": [
                [str(turn.switch), turn.why, turn.usual, *turn.last, turn.freed, turn.outside] for turn in self.turns
            ],
            "digest": self.digest,
            "steered": self.steered,
            "unmet": list(map(str, self.unmet)),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Give it from its JSON form."""
        return cls(
            tuple(map(str, told["names"])),
            tuple(
                Turn(
                    _read(switch), Why(why), bool(usual), (str(file), int(line), str(text)), bool(freed), bool(outside)
                )
                for switch, why, usual, file, line, text, freed, outside in told["turns"]
            ),
            str(told["digest"]),
            bool(told["steered"]),
            tuple(map(_read, told["unmet"])),
        )


class Stop(NamedTuple):
    """Where a thread stops, and who goes on there, how far."""

    thread: str
    """The name of the one that stops."""
    where: Place
    """The line that it ran last, or is at; line 0 where it has run none of the project's."""
    text: str
    within: bool
    """Whether it stops in the midst of that line, at a lock or the like."""
    other: str
    """The name of the one that goes on."""
    until: Place
    """The line that this one then runs last, or waits at; line 0 where it is none of the project's."""
    until_text: str
    why: Why | None
    """Why that one stops in turn; None where it does not any more."""
    before: Place = Place("", 0)
    """The line that the first one is about to run; line 0 where it stops within one."""
    freed: bool = False
    """Whether that one has just let go of a lock that the project's own code had taken."""
    held: tuple[tuple[str, Place], ...] = ()
    """Names of other threads that have run none of the project's lines yet, and the one that each has come to."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """The fewest switches of threads that make a test fail, in the order in which they take place."""

    stops: tuple[Stop, ...]
    """Empty where it fails with no switch but where a thread waits or ends."""
    exact: bool
    """Whether two runs failed with the same switches, and no thread ran free."""
