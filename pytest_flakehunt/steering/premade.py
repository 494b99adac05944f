"""What modules got hold of as they were imported: locks, and what makes some, in themselves and in what they hold."""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import BuiltinMethodType, CellType, FunctionType, ModuleType
from typing import Any, NamedTuple

from pytest_flakehunt.ground import project
from pytest_flakehunt.steering import gates

KINDS: dict[type, type[gates.Lock]] = {gates.REAL_LOCK: gates.Lock, gates.REAL_RLOCK: gates.RLock}
BUILT_OF_LOCKS = ("threading", "queue")
"""Modules of the standard library whose objects hold locks for the project's."""
MOST = 10_000
"""Objects that are looked into: a project that keeps more at import is steered as far as that."""


class Holder(NamedTuple):
    """What has variables: a module, a class, an object or a function."""

    variables: Callable[[], Mapping[str, Any]]
    put: Callable[[str, Any], None]


def holders(modules: Iterable[ModuleType]) -> Iterator[Holder]:
    """Yield modules; for the project's own, also the classes, functions and objects of its that these hold."""
    owned = [module for module in modules if project.owns(getattr(module, "__file__", None) or "<none>")]
    names = {module.__name__ for module in owned}
    yield from (Holder(partial(vars, module), vars(module).__setitem__) for module in modules)
    found = [value for module in owned for value in list(vars(module).values())]
    seen: set[int] = set()
    while found and len(seen) < MOST:
        held = found.pop()
        if type(held) in FUNCTIONS_IN:
            found += FUNCTIONS_IN[type(held)](held)
        elif id(held) not in seen:
            for holder in _within(held, names):
                seen.add(id(held))
                yield holder
                found += list(holder.variables().values())


FUNCTIONS_IN: Mapping[type, Callable[[Any], list[Any]]] = {
    staticmethod: lambda held: [held.__func__],
    classmethod: lambda held: [held.__func__],
    property: lambda held: [held.fget, held.fset, held.fdel],
}


def _within(held: Any, names: Container[str | None]) -> Iterator[Holder]:
    """Yield what a class, a function or an object holds, without asking code of the project's for it.

    Args:
        held: by a module of the project's, or by what that holds.
        names: of these modules.
    """
    kind = type(held)
    if kind is FunctionType:
        if held.__module__ in names:
            yield from _within_function(held)
    elif issubclass(kind, type):
        if held.__module__ in names:
            yield Holder(partial(vars, held), partial(type.__setattr__, held))
    elif kind.__module__ in names or kind.__module__ in BUILT_OF_LOCKS:
        with suppress(AttributeError):
            yield from _dictionary(object.__getattribute__(held, "__dict__"))


def _within_function(function: FunctionType) -> Iterator[Holder]:
    """Yield what a function closes over, its defaults, and globals of no module, as attrs gives to what it writes."""
    if function.__closure__ is not None:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))
        yield Holder(partial(_contents, cells), lambda name, value: setattr(cells[name], "cell_contents", value))
        yield from _dictionary(vars(function))  # what wraps another keeps it here, and what it needs for that
    if function.__defaults__ is not None:
        yield Holder(partial(_defaults, function), partial(_set_default, function))
    yield from _dictionary(function.__kwdefaults__)
    if "__name__" not in function.__globals__:
        yield from _dictionary(function.__globals__)


def _dictionary(variables: Any) -> Iterator[Holder]:
    if type(variables) is dict:
        yield Holder(lambda: variables, variables.__setitem__)


def _contents(cells: Mapping[str, CellType]) -> Mapping[str, Any]:
    contents = {}
    for name, cell in cells.items():
        with suppress(ValueError):  # nothing is in it yet
            contents[name] = cell.cell_contents
    return contents


def _defaults(function: FunctionType) -> Mapping[str, Any]:
    return {str(place): value for place, value in enumerate(function.__defaults__ or ())}


def _set_default(function: FunctionType, place: str, value: object) -> None:
    function.__defaults__ = tuple({**_defaults(function), place: value}.values())


class Place(NamedTuple):
    """Where something is kept that gates stand for."""

    holder: Holder
    name: str


def places(modules: Iterable[ModuleType], reals: Collection[int]) -> Iterator[Place]:
    """Yield where locks are kept, their bound methods, and what makes locks.

    Args:
        modules: to look into.
        reals: addresses of what makes locks, or is stood in for as well.
    """
    for holder in holders(modules):
        for name, held in list(holder.variables().items()):
            if id(held) in reals or type(_lock(held)) in KINDS:
                yield Place(holder, name)


class Learned:
    """What was found before processes were forked, which need not look again."""

    def __init__(self) -> None:
        self._modules: dict[int, ModuleType] = {}
        self._places: list[Place] = []

    def places(self, modules: Iterable[ModuleType], reals: Collection[int]) -> list[Place]:
        """Give the places, of modules that were learned as they were then; arguments as of :func:`places`."""
        return [*self._places, *places([module for module in modules if id(module) not in self._modules], reals)]

    def learn(self, modules: Iterable[ModuleType], reals: Collection[int]) -> None:
        """Learn the places in modules; arguments as of :func:`places`."""
        self._places = self.places(modules, reals)
        self._modules = {id(module): module for module in modules}


learned = Learned()


@contextmanager
def gated(modules: Iterable[ModuleType], stands: dict[int, tuple[Any, Any]]) -> Iterator[None]:
    """Let gates stand where modules keep locks, their bound methods, and what makes locks.

    Args:
        modules: that keep them, in themselves or in what they hold.
        stands: by address: the real thing, and what stands for it. Locks are
            added as they are found.
    """
    swapped = []
    for holder, name in learned.places(modules, stands):
        held = holder.variables().get(name)
        ours = _stands_for(held, stands)
        if ours is not held:
            with suppress(Exception):  # a class that lets nothing be set keeps what it has
                holder.put(name, ours)
                swapped.append((holder, name, held, ours))
    try:
        yield
    finally:
        for holder, name, held, ours in swapped:
            if holder.variables().get(name) is ours:
                holder.put(name, held)


def _lock(held: Any) -> Any:
    """Give what a bound method is of; anything else is given back."""
    return held.__self__ if type(held) is BuiltinMethodType else held


def _stands_for(held: Any, stands: dict[int, tuple[Any, Any]]) -> Any:
    """Give what stands for something; itself where nothing does."""
    if id(held) in stands:
        return stands[id(held)][1]
    real = _lock(held)
    if type(real) not in KINDS:
        return held
    _, gate = stands.setdefault(id(real), (real, KINDS[type(real)].around(real)))
    return gate if real is held else getattr(gate, held.__name__, held)
