"""What is watched, and how it was changed."""

import operator
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from types import ModuleType
from typing import Any, NamedTuple

from pytest_flakehunt.state.stores import ABSENT, SCALARS, LruCache, Mark, Store, same


class Change(NamedTuple):
    """One thing that is not as it was; "test_b.py::test_mono <verb> <path>" is a sentence."""

    path: str
    """Its written form: the same in another process, and of this change alone."""
    verb: str
    undo: Callable[[], object]
    """Puts back this one thing."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is watched, and what lies in it."""

    below: dict[Any, list["Part"]] = field(default_factory=dict, init=False)

    def inside(self) -> Iterable[tuple[Any, Any, str]]:
        """Give key, value and path of each thing that may be watched in turn."""
        return ()

    def changes(self) -> Iterator[Change]:
        """Compare with how it stands now."""
        for parts in self.below.values():
            for part in parts:
                yield from part.changes()

    def restore(self) -> None:
        """Undo every change of it and in it."""
        for change in list(self.changes()):
            change.undo()


@dataclass(frozen=True, slots=True)
class Fixed(Part):
    """What cannot change itself, but holds what can: a tuple, or a function's defaults."""

    held: tuple[tuple[str, Any], ...]
    """Each with its path."""

    def inside(self) -> Iterable[tuple[Any, Any, str]]:
        """Give all that it holds."""
        return ((path, value, path) for path, value in self.held)


@dataclass(frozen=True, slots=True)
class Values(Part):
    """The values a store holds."""

    store: Store
    before: dict[Any, Any]

    def inside(self) -> Iterable[tuple[Any, Any, str]]:
        """Give the values that matter."""
        for key, value in self.before.items():
            if type(value) not in SCALARS and self.store.heeds(key, value):
                yield key, value, self.store.named(key)

    def changes(self) -> Iterator[Change]:
        """Compare value by value, and look into those that are still there."""
        now, store = self.store.read(), self.store
        if len(now) == len(self.before) and all(
            map(operator.is_, chain(now, now.values()), chain(self.before, self.before.values()))
        ):
            yield from Part.changes(self)
            return
        for key, before in self.before.items():
            after = now.get(key, ABSENT)
            if same(before, after):
                for part in self.below.get(key, ()):
                    yield from part.changes()
            elif store.heeds(key, before):
                verb = "removes" if after is ABSENT else store.replacing
                yield Change(store.named(key), verb, partial(self.put_back, key))
        for key, value in now.items():
            imported = issubclass(type(value), ModuleType)  # whose name an import puts into its package
            if key not in self.before and not imported and store.heeds(key, ABSENT):
                yield Change(store.named(key), "sets", partial(store.drop, key))

    def put_back(self, key: Any) -> None:
        """Give a key its old value, itself as it was."""
        self.store.put(key, self.before[key])
        for part in self.below.get(key, ()):
            part.restore()


@dataclass(frozen=True, slots=True)
class Elements(Part):
    """The elements of a list, a set or a deque."""

    path: str
    owner: Any
    before: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", elements(self.owner))

    def inside(self) -> Iterable[tuple[Any, Any, str]]:
        """Give those that have a place."""
        if not issubclass(type(self.owner), set):
            yield from ((index, value, f"{self.path}[{index}]") for index, value in enumerate(self.before))

    def changes(self) -> Iterator[Change]:
        """Compare as a whole, then look into each."""
        ordered = not issubclass(type(self.owner), set)
        if verb := difference(self.before, elements(self.owner), ordered=ordered):
            yield Change(self.path, verb, partial(refill, self.owner, self.before))
        yield from Part.changes(self)


def difference(before: tuple[Any, ...], now: tuple[Any, ...], *, ordered: bool = True) -> str:
    """Say in a verb what happened to elements; nothing where they are the same."""
    if len(now) == len(before) and all(map(operator.is_, now, before)):
        return ""
    old, new = Counter(map(Mark.of, before)), Counter(map(Mark.of, now))
    if old == new and (not ordered or all(map(same, now, before))):
        return ""
    return "adds to" if old < new else "removes from" if new < old else "changes"


def elements(owner: Any) -> tuple[Any, ...]:
    """Give what a list, a set or a deque holds."""
    return tuple(_container(type(owner)).__iter__(owner))


def refill(owner: Any, held: tuple[Any, ...]) -> None:
    """Make a list, a set or a deque hold just this."""
    kind = _container(type(owner))
    kind.clear(owner)
    (kind.update if kind is set else kind.extend)(owner, held)


def _container(kind: type) -> Any:
    return next(each for each in (list, set, deque) if issubclass(kind, each))


@dataclass(frozen=True, slots=True)
class Cache(Part):
    """The cache that ``functools.lru_cache`` keeps for a function."""

    path: str
    owner: Any
    before: int

    def changes(self) -> Iterator[Change]:
        """Compare how many results it keeps; they cannot be told apart, so undoing forgets them all."""
        if LruCache.cache_info(self.owner).currsize > self.before:
            yield Change(f"the cache of {self.path}", "fills", partial(LruCache.cache_clear, self.owner))


@dataclass(frozen=True, slots=True)
class Knob(Part):
    """A value that the whole process shares."""

    path: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    before: Any

    @classmethod
    def now(cls, path: str, read: Callable[[], Any], write: Callable[[Any], object]) -> "Knob":
        """Give it as it stands now."""
        return cls(path, read, write, read())

    def changes(self) -> Iterator[Change]:
        """Compare it."""
        if not same(self.before, self.read()):
            yield Change(self.path, "changes", partial(self.write, self.before))
