"""What holds values under names and keys: read without running a line of the project's, and written to.

The project's objects may have any ``__eq__``, ``__hash__`` or ``__getattr__``: they are read past those.
"""

import functools
import os
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

module_globals = vars(ModuleType)["__dict__"].__get__
class_attributes = vars(type)["__dict__"].__get__
ancestry = vars(type)["__mro__"].__get__
qualified_name = vars(type)["__qualname__"].__get__
LruCache: Any = type(functools.lru_cache(len))
SCALARS = frozenset({str, bytes, int, float, complex, bool, type(None)})
_CODE = (
    FunctionType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType,
    type, staticmethod, classmethod, property, LruCache,
)  # fmt: skip
ABSENT = object()


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are one object, or plain values that are equal."""
    kind = type(one)
    if one is other or kind is not type(other):
        return one is other
    if kind is tuple:
        return len(one) == len(other) and all(map(same, one, other))
    if kind is frozenset:
        return {type(each) for each in chain(one, other)} <= SCALARS and bool(one == other)
    return kind in SCALARS and bool(one == other)


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """Stands for an object as a key, by what :func:`same` says."""

    held: Any

    @classmethod
    def of(cls, thing: Any) -> Any:
        """Give what stands for it; a string stands for itself."""
        return thing if type(thing) is str else cls(thing)

    def __eq__(self, other: object) -> bool:
        return type(other) is Mark and same(self.held, other.held)

    def __hash__(self) -> int:
        kind = type(self.held)
        if kind is tuple:
            return hash(tuple(map(Mark, self.held)))
        if kind is frozenset:
            return len(self.held)
        return hash(self.held) if kind in SCALARS else id(self.held)


def written(key: Any) -> str:
    """Give a key as it stands between brackets."""
    kind = type(key)
    if kind in SCALARS:
        return repr(key)
    if kind is tuple:
        return f"({', '.join(map(written, key))})"
    if issubclass(kind, type):
        return str(qualified_name(key))
    member = own_attributes(key).get("_name_")
    return f"{kind.__name__}.{member}" if type(member) is str else f"<{kind.__name__}>"


def own_attributes(thing: object) -> dict[str, Any]:
    """Give an object's ``__dict__`` itself; an empty one if it has none."""
    for ancestor in ancestry(type(thing)):
        found = class_attributes(ancestor).get("__dict__")
        if type(found) in {GetSetDescriptorType, MemberDescriptorType}:
            attributes: dict[str, Any] = found.__get__(thing)
            return attributes
    return {}


def own_slots(thing: object) -> dict[str, Any]:
    """Give what reads and writes the ``__slots__`` of an object."""
    return {
        name: slot
        for ancestor in reversed(ancestry(type(thing)))
        if "__slots__" in (attributes := class_attributes(ancestor))
        for name, slot in attributes.items()
        if type(slot) is MemberDescriptorType
    }


_BOOKKEEPING = (
    "@py", "_abc_impl", "_classSetupFailed", "_class_cleanups", "_hypothesis_", "_pytest", "_xunit_",
    "tearDown_exceptions",
)  # fmt: skip
"""How names begin that pytest, unittest, Hypothesis and ABCMeta put into what is the project's."""


def of_project(name: Any, before: object) -> bool:
    """Tell whether a name of the project's matters: not pytest's, nor Python's own unless it is a method."""
    if type(name) is not str or name.startswith(_BOOKKEEPING):
        return False
    return issubclass(type(before), _CODE) or not (name.startswith("__") and name.endswith("__"))


_FLEETING = frozenset({
    "linecache.cache", "mimetypes.common_types", "mimetypes.encodings_map", "mimetypes.inited",
    "mimetypes.suffix_map", "mimetypes.types_map", "sys.last_exc", "sys.last_traceback", "sys.last_type",
    "sys.last_value", "sys.stderr", "sys.stdin", "sys.stdout", "time.altzone", "time.clock", "time.daylight",
    "time.timezone", "time.tzname", "warnings.filters",
})  # fmt: skip
"""Globals that Python, pytest and freezegun set by themselves, and those compared in a better way."""


def of_others(module: str, held: dict[str, Any], name: Any, before: object) -> bool:
    """Tell whether a global of a foreign module matters: private ones are caches, unless they held code."""
    if type(name) is not str or f"{module}.{name}" in _FLEETING:
        return False
    if before is ABSENT:
        made_lazily = "__getattr__" in held
        return not name.startswith("_") and not made_lazily
    return issubclass(type(before), _CODE) or not name.startswith("_")


def patched(_name: object, before: object) -> bool:
    """Tell whether an attribute of a foreign class matters: only where something took the place of code."""
    return issubclass(type(before), _CODE)


def of_environment(name: Any, _before: object) -> bool:
    """Tell whether a variable matters: not those in which pytest says what it does."""
    return name not in {"PYTEST_CURRENT_TEST", "PYTEST_VERSION"}


@dataclass(frozen=True, slots=True)
class Store:
    """Something that holds values under keys, and how to write to it."""

    named: Callable[[Any], str]
    """Gives the path of a key."""
    read: Callable[[], dict[Any, Any]]
    """Gives a copy."""
    put: Callable[[Any, Any], object]
    drop: Callable[[Any], object]
    heeds: Callable[[Any, object], bool] = lambda _key, _before: True
    replacing: str = "sets"
    """The verb for another value under the same key."""


def names(path: str, held: dict[str, Any], heeds: Callable[[Any, object], bool] = of_project) -> Store:
    """Give the store behind a module's globals or a function's attributes."""
    return Store(lambda name: f"{path}.{name}", held.copy, held.__setitem__, held.pop, heeds)


def attributes(path: str, owner: object) -> Store:
    """Give the store behind an object's attributes, those in its ``__slots__`` too."""
    slots = own_slots(owner)

    def read() -> dict[str, Any]:
        found = own_attributes(owner).copy()
        for name, slot in slots.items():
            with suppress(AttributeError):  # it is not filled
                found[name] = slot.__get__(owner)
        return found

    def put(name: str, value: object) -> None:
        if name in slots:
            slots[name].__set__(owner, value)
        else:
            own_attributes(owner)[name] = value

    def drop(name: str) -> None:
        if name in slots:
            slots[name].__delete__(owner)
        else:
            del own_attributes(owner)[name]

    return Store(lambda name: f"{path}.{name}", read, put, drop, of_project)


def of_class(path: str, owner: type, heeds: Callable[[Any, object], bool] = of_project) -> Store:
    """Give the store behind a class's attributes."""
    put, drop = partial(type.__setattr__, owner), partial(type.__delattr__, owner)
    return Store(lambda name: f"{path}.{name}", lambda: dict(class_attributes(owner)), put, drop, heeds)


def items(path: str, owner: Any) -> Store:
    """Give the store behind a dict's items, with marks for keys."""
    kind: Any = OrderedDict if issubclass(type(owner), OrderedDict) else dict

    def key(mark: Any) -> Any:
        return mark.held if type(mark) is Mark else mark

    return Store(
        lambda mark: f"{path}[{written(key(mark))}]",
        lambda: {Mark.of(key): value for key, value in list(dict.items(owner))},
        lambda mark, value: kind.__setitem__(owner, key(mark), value),
        lambda mark: kind.__delitem__(owner, key(mark)),
    )


def environment() -> Store:
    """Give the store behind the environment; writing to it reaches the C library."""
    held = os.environ
    return Store(
        "os.environ[{!r}]".format, held.copy, held.__setitem__, held.__delitem__, of_environment, replacing="changes"
    )
