"""The order in which directories give their entries."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self

from pytest_flakehunt import seeds
from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations.replacing import Stand, replaced, replaced_in_project
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding


@dataclass(frozen=True, slots=True)
class Listing(Seeded):
    """One order of all names: no file system promises any.

    A directory gives its entries in the same order whenever it is read, as
    real ones do, and leaving files out keeps the order of the rest.
    """

    contract: ClassVar[Contract] = Contract.ENVIRONMENT

    @contextmanager
    def held(self) -> Iterator[None]:
        """Arrange what ``listdir`` and ``scandir`` give, and so ``walk``, ``glob`` and ``pathlib``."""
        listed = Stand(os.listdir, self._listdir(os.listdir))
        scanned = Stand(os.scandir, self._scandir(os.scandir))
        with ExitStack() as undo:
            undo.enter_context(replaced_in_project(os.listdir, listed))
            undo.enter_context(replaced_in_project(os.scandir, scanned))
            for globber in ("_Globber", "_StringGlobber"):  # they keep a reference of their own (3.13 and later)
                kind = getattr(glob, globber, None)
                if kind is not None and getattr(kind, "scandir", None) is os.scandir:
                    undo.enter_context(replaced(kind, "scandir", staticmethod(scanned)))
            undo.enter_context(replaced(os, "listdir", listed))
            undo.enter_context(replaced(os, "scandir", scanned))
            yield

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
