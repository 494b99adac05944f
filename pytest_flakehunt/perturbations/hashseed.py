"""The hash seed: the order of sets, and of whatever follows from it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations import reading
from pytest_flakehunt.perturbations.replacing import set_variable


@dataclass(frozen=True, slots=True)
class HashSeed:
    """``PYTHONHASHSEED``, which only a new interpreter can take."""

    contract: ClassVar[Contract] = Contract.NATURAL
    patience: ClassVar[float] = 1.0
    seed: int
    """From 0 to 4294967295; 0 turns hash randomisation off."""

    def __str__(self) -> str:
        return str(self.seed)

    def environment(self) -> Mapping[str, str]:
        """Give the variable that sets the seed."""
        return {"PYTHONHASHSEED": str(self.seed)}

    def simpler(self) -> list["HashSeed"]:
        """Give the first few seeds."""
        return [HashSeed(seed) for seed in range(min(self.seed, 3))]

    @property
    def graded(self) -> bool:
        """One seed says nothing of the next."""
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hand the seed on to the Pythons that tests start."""
        with set_variable("PYTHONHASHSEED", str(self.seed)):
            yield


class HashSeeds:
    """Where ``str`` and ``bytes`` hash to."""

    name = "hashseed"
    allowed = f"a whole number from 0 to {reading.SEED_LIMIT}"

    def draw(self, seed: int, turn: int) -> HashSeed:
        """Any seed tells as much as any other."""
        del turn
        return HashSeed(seed)

    def read(self, text: str) -> HashSeed:
        """Read a seed."""
        return HashSeed(reading.seed(self.name, text))
