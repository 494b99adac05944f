"""The order in which directories give their entries."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self

from pytest_flakehunt.ground import scratch, seeds
from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding


@dataclass(frozen=True, slots=True)
class Listing(Seeded):
    """One order of all names: no file system promises any.

    A directory gives its entries in the same order whenever it is read, as
    real ones do, and leaving files out keeps the order of the rest.
    """

    contract: ClassVar[Contract] = Contract.ENVIRONMENT

    def prepare(self) -> None:
        """Find what it looks for in the project's modules."""
        learn(self.stand_ins(), in_project=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Arrange what ``listdir`` and ``scandir`` give, and so ``walk``, ``glob`` and ``pathlib``."""
        with standing(self.stand_ins(), in_project=True):
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what stands in for the two functions that all others build on."""
        return {"os:listdir": self._listdir, "os:scandir": self._scandir}

    def _place(self, name: str | bytes) -> int:
        return seeds.derive(self.seed, os.fsdecode(name))

    def _listdir(self, original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def listdir(path: Any = None) -> list[Any]:
            return sorted(original(path), key=self._place)

        return listdir

    def _scandir(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def scandir(path: Any = None) -> Entries:
            with original(path) as entries:
                return Entries(sorted(entries, key=lambda entry: self._place(entry.name)))

        return scandir


class Entries:
    """The entries of a directory, to be gone through once, as ``os.scandir`` gives them."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give no more."""
        self._entries = iter(())


class Listings(Seeding):
    """The order of directory entries."""

    name = "listdir"
    sources = frozenset({"directory"})
    kind = Listing

    @staticmethod
    def idle() -> str:
        """Say that seeds do not change the order in which a folder is listed; empty where they do."""
        with scratch.folder() as folder:
            for name in "abcdefgh":
                os.mkdir(f"{folder}/{name}")  # noqa: PTH102 - a plain path
            seen = {tuple(_listed(folder, seed)) for seed in range(4)}
        return "" if len(seen) > 1 else "four seeds list a folder in one order"


def _listed(folder: str, seed: int) -> Iterator[str]:
    with standing(Listing(seed).stand_ins()), os.scandir(folder) as entries:
        yield from [entry.name for entry in entries] + os.listdir(folder)  # noqa: PTH208 - what is stood in for
