"""Settings that are a seed and nothing else, and the perturbations that draw them."""

from dataclasses import dataclass
from typing import ClassVar, Self

from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations import reading

MOST_SIMPLE = 5
"""Seeds that a failure is tried with, while it is being reduced."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """A setting that is written as its seed."""

    contract: ClassVar[Contract] = Contract.NATURAL
    patience: ClassVar[float] = 1.0
    seed: int
    """From 0 to 4294967295."""

    def __str__(self) -> str:
        return str(self.seed)

    def simpler(self) -> list[Self]:
        """Give the first few seeds."""
        return [type(self)(seed) for seed in range(min(self.seed, MOST_SIMPLE))]

    @property
    def graded(self) -> bool:
        """One seed says nothing of the next."""
        return False


class Seeding:
    """A perturbation whose settings are all equally telling."""

    name: str
    allowed = f"a whole number from 0 to {reading.SEED_LIMIT}"
    kind: type[Seeded]
    """Its settings."""

    def draw(self, seed: int, turn: int) -> Seeded:
        """Any seed tells as much as any other."""
        del turn
        return self.kind(seed)

    def read(self, text: str) -> Seeded:
        """Read a seed."""
        return self.kind(reading.seed(self.name, text))
