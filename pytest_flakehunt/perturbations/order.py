"""Which tests run, in which order, in how many processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, assert_never

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import reading


class Arrangement(StrEnum):
    """The kinds of order."""

    REVERSED = "reversed"
    SHUFFLED = "shuffled"
    ALONE = "alone"
    SUBSET = "subset"


SEEDED = (Arrangement.SHUFFLED, Arrangement.SUBSET)
TURNS = (
    Arrangement.REVERSED,
    Arrangement.ALONE,
    Arrangement.SHUFFLED,
    Arrangement.SHUFFLED,
    Arrangement.SHUFFLED,
    Arrangement.SUBSET,
    Arrangement.SHUFFLED,
    Arrangement.SHUFFLED,
)
"""The first two find every single polluter that comes later, and every test that needs another before it."""


@dataclass(frozen=True, slots=True)
class Order:
    """One arrangement of the selected tests."""

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 1.0
    arrangement: Arrangement
    seed: int | None = None
    """From 0 to 4294967295 for ``shuffled`` and ``subset``, else None."""

    @property
    def dear(self) -> bool:
        """Whether a sweep costs many times what others do, so that it is not mixed with other settings."""
        return self.arrangement is Arrangement.ALONE

    def __str__(self) -> str:
        return self.arrangement if self.seed is None else f"{self.arrangement}:{self.seed}"

    def arranged(self, tests: Sequence[str]) -> list[list[str]]:
        """Give the tests of each process, in order.

        Shuffling moves modules, then classes within them, then tests within
        those, each by a hash of its name: what belongs together stays
        together, and leaving tests out keeps the order of the rest.
        """
        match self.arrangement:
            case Arrangement.REVERSED:
                return [list(reversed(tests))]
            case Arrangement.SHUFFLED:
                return [self._shuffled(tests)]
            case Arrangement.ALONE:
                return [[test] for test in tests]
            case Arrangement.SUBSET:
                return [self._subset(tests)]
            case _:
                assert_never(self.arrangement)

    def _shuffled(self, tests: Sequence[str]) -> list[str]:
        seed = self.seed or 0
        rank: dict[str, int] = {}

        def place(nodeid: str) -> tuple[int, ...]:
            names = containers(nodeid)
            for name in names:
                if name not in rank:
                    rank[name] = seeds.derive(seed, name)
            return tuple(rank[name] for name in names)

        return sorted(tests, key=place)

    def _subset(self, tests: Sequence[str]) -> list[str]:
        chosen = set(seeds.keyed_order(tests, self.seed or 0, str)[: (len(tests) + 1) // 2])
        return [test for test in tests if test in chosen]


def containers(nodeid: str) -> list[str]:
    """Give the names of a test's module, its classes and itself, widest first.

    Parameters may contain anything, also colons, and stay in one piece.

    >>> containers("a/test_b.py::TestC::test_d[x::y]")
    ['a/test_b.py', 'a/test_b.py::TestC', 'a/test_b.py::TestC::test_d[x::y]']
    """
    stem, bracket, _ = nodeid.partition("[")
    parts = stem.split("::")
    names = ["::".join(parts[: depth + 1]) for depth in range(len(parts))]
    if bracket:
        names[-1] = nodeid
    return names


class Orders:
    """The order of tests, and who shares a process."""

    name = "order"
    allowed = "reversed, alone, shuffled:SEED or subset:SEED"

    def draw(self, seed: int, turn: int) -> Order:
        """Reversed first: with the order as written it meets every pair of tests both ways."""
        arrangement = TURNS[turn] if turn < len(TURNS) else TURNS[1 + turn % (len(TURNS) - 1)]
        return Order(arrangement, seed if arrangement in SEEDED else None)

    def read(self, text: str) -> Order:
        """Read an arrangement."""
        kind, colon, seed = text.partition(":")
        try:
            arrangement = Arrangement(kind)
        except ValueError:
            raise SettingError(f"order={text}: give {self.allowed}") from None
        if (arrangement in SEEDED) != bool(colon):
            raise SettingError(f"order={text}: give {self.allowed}")
        return Order(arrangement, reading.seed("order", seed) if colon else None)
