"""Where objects lie in memory, and so what follows from ``id()``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from pytest_flakehunt import seeds
from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations import reading

CLASSES = range(48, 529, 16)
"""Sizes of blocks, in bytes, that Python's own allocator hands out and that objects usually have."""
BLOCKS = 96
"""Blocks of each size; half of them are given back."""


@dataclass(frozen=True, slots=True)
class Heap:
    """One disorder of free memory: what a test creates lies neither one after the other nor where it lay before."""

    contract: ClassVar[Contract] = Contract.NATURAL
    patience: ClassVar[float] = 1.0
    seed: int
    """From 0 to 4294967295."""

    def __str__(self) -> str:
        return str(self.seed)

    def simpler(self) -> list["Heap"]:
        """Give the first few seeds."""
        return [Heap(seed) for seed in range(min(self.seed, 3))]

    @property
    def graded(self) -> bool:
        """One seed says nothing of the next."""
        return False

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Take blocks of every size as a test starts, and give half of them back in another order."""
        chance = Random(seeds.derive(self.seed, nodeid))
        kept = []
        for size in CLASSES:
            blocks = [bytes(size - 33) for _ in range(BLOCKS + chance.randrange(BLOCKS))]
            chance.shuffle(blocks)
            kept.append(blocks[: len(blocks) // 2])
            while blocks:
                blocks.pop()
        yield
        kept.clear()


class Heaps:
    """The addresses of objects."""

    name = "heap"
    allowed = f"a whole number from 0 to {reading.SEED_LIMIT}"

    def draw(self, seed: int, turn: int) -> Heap:
        """Any seed tells as much as any other."""
        del turn
        return Heap(seed)

    def read(self, text: str) -> Heap:
        """Read a seed."""
        return Heap(reading.seed(self.name, text))
