"""The hash seed: the order of sets, and of whatever follows from it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_flakehunt.perturbations.replacing import set_variable
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding


@dataclass(frozen=True, slots=True)
class HashSeed(Seeded):
    """``PYTHONHASHSEED``, which only a new interpreter can take; 0 turns hash randomisation off."""

    def environment(self) -> Mapping[str, str]:
        """Give the variable that sets the seed."""
        return {"PYTHONHASHSEED": str(self.seed)}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hand the seed on to the Pythons that tests start."""
        with set_variable("PYTHONHASHSEED", str(self.seed)):
            yield


class HashSeeds(Seeding):
    """Where ``str`` and ``bytes`` hash to."""

    name = "hashseed"
    kind = HashSeed
