"""Which objects of the project are watched: from the globals of its modules, step by step inwards."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from pytest_flakehunt.ground import project
from pytest_flakehunt.state.parts import Cache, Elements, Fixed, Part, Values, elements
from pytest_flakehunt.state.stores import (
    LruCache,
    Store,
    attributes,
    class_attributes,
    items,
    module_globals,
    names,
    of_class,
    of_others,
    patched,
    qualified_name,
)

OBJECTS = 50_000
"""So many objects of the project are looked into."""
ELEMENTS = 10_000
"""A container with more elements is left alone."""
DEPTH = 6
"""From a module, so many steps inwards."""
_UNWATCHED = frozenset({
    "__main__", "__mp_main__", "_pytest", "coverage", "execnet", "freezegun", "hypothesis", "pluggy", "py", "pytest",
    "pytest_flakehunt", "time_machine", "xdist",
})  # fmt: skip
"""Packages that run the tests: what they keep is no test's doing."""


def modules() -> tuple[dict[str, ModuleType], dict[str, ModuleType]]:
    """Give the modules that are loaded, by name: the project's, and others."""
    ours: dict[str, ModuleType] = {}
    others: dict[str, ModuleType] = {}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if not issubclass(type(module), ModuleType) or top in _UNWATCHED or top.startswith("pytest_"):
            continue
        file = module_globals(module).get("__file__")
        owned = type(file) is str and project.owns(file)
        (ours if owned else others)[name] = module
    return ours, others


def watch_project(ours: Mapping[str, ModuleType], root: Path | None) -> list[Part]:
    """Watch the project's modules and what they hold; what lies below ``root`` comes first."""
    # a module is listed before those it imports: from the last to the first, things are met where they are at home
    held = {name: module_globals(ours[name]) for name in reversed(list(ours))}
    roots: dict[str, Part] = {name: _values(names(name, own)) for name, own in held.items()}
    _deepen(roots.values(), frozenset(ours), set(map(id, held.values())))
    return [roots[name] for name in sorted(held, key=lambda name: not _lies_below(held[name]["__file__"], root))]


def _lies_below(file: str, root: Path | None) -> bool:
    return root is not None and Path(file).is_relative_to(root)


def _deepen(roots: Iterable[Part], ours: frozenset[str], seen: set[int]) -> None:
    # each thing is met once, by the shortest way to it: breadth first
    queue = deque((root, 0) for root in roots)
    while queue and len(seen) < OBJECTS:
        part, depth = queue.popleft()
        for key, value, path in part.inside():
            if id(value) not in seen and (parts := list(_parts(value, path, ours))):
                seen.add(id(value))
                part.below[key] = parts
                if depth + 1 < DEPTH:
                    queue.extend((each, depth + 1) for each in parts)


def _parts(value: Any, path: str, ours: frozenset[str]) -> Iterator[Part]:
    kind = type(value)
    if kind in {staticmethod, classmethod}:
        yield from _parts(value.__func__, path, ours)
    elif kind is FunctionType:
        yield from _of_function(value, path)
    elif kind is LruCache:
        yield Cache(path, value, LruCache.cache_info(value).currsize)
    elif issubclass(kind, type):
        if _is_of(value, ours):
            home = class_attributes(value)["__module__"]
            yield _values(of_class(f"{home}.{qualified_name(value)}", value))
    else:
        yield from _of_container(value, path)
        if kind is SimpleNamespace or _is_of(kind, ours):
            yield _values(attributes(path, value))


def _is_of(kind: type, ours: frozenset[str]) -> bool:
    home = class_attributes(kind).get("__module__")
    return type(home) is str and home in ours


def _of_function(function: FunctionType, path: str) -> Iterator[Part]:
    if not project.owns(function.__code__.co_filename):
        return
    path = f"{function.__module__}.{function.__qualname__}" if function.__module__ else path
    yield _values(names(path, function.__dict__))
    positional, defaults = function.__code__.co_varnames[: function.__code__.co_argcount], function.__defaults__ or ()
    named = [*zip(reversed(positional), reversed(defaults), strict=False), *(function.__kwdefaults__ or {}).items()]
    yield Fixed(tuple((f"{path}'s default {name}", value) for name, value in named))


def _of_container(value: Any, path: str) -> Iterator[Part]:
    kind = type(value)
    if kind is tuple and len(value) <= ELEMENTS:
        yield Fixed(tuple((f"{path}[{index}]", each) for index, each in enumerate(value)))
    elif issubclass(kind, dict) and dict.__len__(value) <= ELEMENTS:
        yield _values(items(path, value))
    elif issubclass(kind, (list, set, deque)) and len(elements(value)) <= ELEMENTS:
        yield Elements(path, value)


def _values(store: Store) -> Values:
    return Values(store, store.read())


def watch_others(others: Mapping[str, ModuleType]) -> list[Part]:
    """Watch what stands directly in other modules, and the methods of their classes."""
    return [_of_module(name, module_globals(module)) for name, module in others.items()]


def _of_module(name: str, held: dict[str, Any]) -> Values:
    part = _values(names(name, held, lambda key, before: of_others(name, held, key, before)))
    for key, value in part.before.items():
        if issubclass(type(value), type) and class_attributes(value).get("__module__") == name:
            part.below[key] = [_values(of_class(f"{name}.{key}", value, patched))]
    return part
