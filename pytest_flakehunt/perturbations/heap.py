"""Where objects lie in memory, and so what follows from ``id()``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding

CLASSES = range(48, 529, 16)
"""Sizes of blocks, in bytes, that Python's own allocator hands out and that objects usually have."""
BLOCKS = 96
"""Blocks of each size; half of them are given back."""


@dataclass(frozen=True, slots=True)
class Heap(Seeded):
    """One disorder of free memory: what a test creates lies neither one after the other nor where it lay before."""

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


class Heaps(Seeding):
    """The addresses of objects."""

    name = "heap"
    kind = Heap

    @staticmethod
    def idle() -> str:
        """Say that new objects lie one after the other all the same; empty where they do not."""
        with Heap(1).held_for(""):
            found = [id(each) for each in [bytes(CLASSES[4] - 33) for _ in range(BLOCKS // 4)]]
        rises = sum(one < other for one, other in pairwise(found))
        return "new objects lie one after the other all the same" if rises in {0, len(found) - 1} else ""
