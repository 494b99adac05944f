"""Locks that were made before the sweep, as modules were imported: theirs, and those of objects that they hold."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import BuiltinMethodType, ModuleType
from typing import Any, NamedTuple

from pytest_flakehunt.ground import project
from pytest_flakehunt.steering import gates

KINDS: dict[type, type[gates.Lock]] = {gates.REAL_LOCK: gates.Lock, gates.REAL_RLOCK: gates.RLock}
BUILT_OF_LOCKS = ("threading", "queue")
"""Modules of the standard library whose objects hold locks for the project's."""
MOST = 10_000
"""Objects that are looked into: a project that keeps more at import is steered as far as that."""


class Holder(NamedTuple):
    """What has variables: a module, a class or an object."""

    variables: Mapping[str, Any]
    put: Callable[[str, Any], None]


def holders(modules: Iterable[ModuleType]) -> Iterator[Holder]:
    """Yield modules; for the project's own, also its classes and objects that they hold, directly or in others."""
    owned = [module for module in modules if project.owns(getattr(module, "__file__", None) or "<none>")]
    names = {module.__name__ for module in owned}.union(BUILT_OF_LOCKS)
    yield from (Holder(vars(module), vars(module).__setitem__) for module in modules)
    found = [value for module in owned for value in list(vars(module).values())]
    seen: set[int] = set()
    while found and len(seen) < MOST:
        held = found.pop()
        kind = held if isinstance(held, type) else type(held)
        if id(held) in seen or kind.__module__ not in names:
            continue
        seen.add(id(held))
        holder = _holder(held)
        if holder is not None:
            yield holder
            found += list(holder.variables.values())


def _holder(held: object) -> Holder | None:
    """Give what a class or an object holds, without asking code of the project's for it."""
    if isinstance(held, type):
        return Holder(vars(held), partial(type.__setattr__, held)) if held.__module__ not in BUILT_OF_LOCKS else None
    with suppress(AttributeError):
        variables = object.__getattribute__(held, "__dict__")
        if type(variables) is dict:
            return Holder(variables, variables.__setitem__)
    return None


@contextmanager
def gated(holder: Holder, around: dict[int, tuple[Any, gates.Lock]]) -> Iterator[None]:
    """Let gates stand where a holder has locks, and their bound methods.

    Args:
        holder: of the locks.
        around: by the address of a lock: itself, and its gate. More are added.
    """
    swapped = []
    for name, held in list(holder.variables.items()):
        real = held.__self__ if type(held) is BuiltinMethodType else held
        if type(real) not in KINDS:
            continue
        _, gate = around.setdefault(id(real), (real, KINDS[type(real)].around(real)))
        ours = gate if real is held else getattr(gate, held.__name__, held)
        with suppress(Exception):  # a class that lets nothing be set keeps what it has
            holder.put(name, ours)
            swapped.append((name, held, ours))
    try:
        yield
    finally:
        for name, held, ours in swapped:
            if holder.variables.get(name) is ours:
                holder.put(name, held)
