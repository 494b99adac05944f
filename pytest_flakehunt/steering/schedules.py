"""Which thread runs, and where it makes room for another: drawn from a seed, so that it comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model.switches import Moment, Switch

DENSITIES = (0.1, 0.3, 0.7)
"""Share of lines at which a thread makes room, where lines decide; one of these for a test and seed."""
OFTEN = (0.3, 0.6, 1.0)
"""Chance that it does so each time it passes such a line; one of these for a test and seed."""
COUNTS = 0.3
"""Chance that a schedule counts lines instead."""
LENGTHS = (8, 32, 128)
"""Lines that the places to make room are then drawn over: no test's length is known before it ran."""
MOST_ROOM = 3
"""Lines at which the running thread then makes room, at most: few bugs need more."""
OPERATION = 0.01
"""Chance that a thread makes room at an operation of a lock or queue: a line of the project mostly came just before."""
HOLDING = 0.2
"""The same where it has taken a lock: no line need lie between this one and the next."""
EARLY = 0.3
"""Chance that who waits for a time is taken to have waited long enough, as if all others were slow."""


class Choosing(Protocol):
    """What says which thread runs."""

    @property
    def tape(self) -> Mapping[Moment, int] | None:
        """Where a thread stops, and which one goes on; None where that is drawn."""

    def priority(self) -> float:
        """Give a new thread's: higher ones run first."""

    def lowest(self) -> float:
        """Give a priority below all that were given before."""

    def early(self) -> bool:
        """Tell whether a thread that waits for a time comes back before others that could run."""

    def makes_room(self, *, holding: bool) -> bool:
        """Tell whether the running thread drops below all others at an operation."""

    def makes_room_at(self, function: str, line: int) -> bool:
        """Tell whether it does before a line, counted from 0 on within its function."""


@dataclass(slots=True)
class Tape:
    """Switches that are played: all others are those where a thread waits or ends, and the first that can goes on."""

    tape: Mapping[Moment, int]
    _given: int = 0

    @classmethod
    def of(cls, switches: Sequence[Switch]) -> "Tape":
        """Make one."""
        return cls({switch.at: switch.to for switch in switches})

    def priority(self) -> float:
        """Give less to each thread than to those that started before."""
        self._given -= 1
        return self._given

    lowest = priority

    @staticmethod
    def early() -> bool:
        """Let nobody be early but whom the tape names."""
        return False

    @staticmethod
    def makes_room(*, holding: bool) -> bool:
        """Go on."""
        del holding
        return False

    @staticmethod
    def makes_room_at(function: str, line: int) -> bool:
        """Go on."""
        del function, line
        return False


@dataclass(slots=True)
class Schedule:
    """Priorities of threads, and the places where the running one drops below all others.

    Some schedules count lines, as PCT does (Burckhardt et al., ASPLOS 2010): one
    to three of them, anywhere in the test, which finds what needs few switches
    among many places. The others go by place: a line is one to make room at for
    the whole test or never, which finds what needs a switch there, however often
    that line ran before.
    """

    seed: int
    nodeid: str
    _chance: Random = field(init=False)
    _counted: frozenset[int] = frozenset()
    _density: float = 0.0
    _often: float = 0.0
    _lines: int = 0
    _rooms: dict[tuple[str, int], bool] = field(default_factory=dict)
    _lowest: float = 0.0
    tape: None = None

    def __post_init__(self) -> None:
        chance = self._chance = Random(seeds.derive(self.seed, self.nodeid, "schedule"))
        if chance.random() < COUNTS:
            length = chance.choice(LENGTHS)
            self._counted = frozenset(chance.randrange(length) for _ in range(chance.randint(1, MOST_ROOM)))
        else:
            self._density, self._often = chance.choice(DENSITIES), chance.choice(OFTEN)

    def priority(self) -> float:
        """Draw a new thread's, from 0 to 1: higher ones run first."""
        return self._chance.random()

    def lowest(self) -> float:
        """Give a priority below all that were given before."""
        self._lowest -= 1.0
        return self._lowest

    def early(self) -> bool:
        """Draw whether a thread that waits for a time comes back before others that could run."""
        return self._chance.random() < EARLY

    def makes_room(self, *, holding: bool) -> bool:
        """Draw whether the running thread drops below all others at an operation of a lock, queue or thread."""
        return self._chance.random() < (HOLDING if holding else OPERATION)

    def makes_room_at(self, function: str, line: int) -> bool:
        """Draw whether the running thread drops below all others before it runs a line.

        Args:
            function: its qualified name.
            line: from 0 on within it.
        """
        self._lines += 1
        if not self._density:
            return self._lines - 1 in self._counted
        room = self._rooms.get((function, line))
        if room is None:
            drawn = seeds.derive(self.seed, self.nodeid, "room", function, str(line))
            room = self._rooms[function, line] = drawn / 2**32 < self._density
        return room and self._chance.random() < self._often
