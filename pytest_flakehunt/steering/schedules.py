"""Which thread runs, and where it makes room for another: drawn from a seed, so that it comes back."""

from dataclasses import dataclass, field
from random import Random

from pytest_flakehunt.ground import seeds

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
EARLY = 0.3
"""Chance that who waits for a time is taken to have waited long enough, as if all others were slow."""


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

    def makes_room(self) -> bool:
        """Draw whether the running thread drops below all others at an operation of a lock, queue or thread."""
        return self._chance.random() < OPERATION

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
