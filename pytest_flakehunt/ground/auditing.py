"""The audit hook of this process: Python takes none back, so one serves all who listen."""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, TypeAlias

Note: TypeAlias = Callable[[tuple[Any, ...]], object]
"""Takes the arguments of an audit event."""

_notes: dict[str, tuple[Note, ...]] = {}
_installed: list[bool] = []


@contextmanager
def listening(notes: Mapping[str, Note]) -> Iterator[None]:
    """Be told of audit events, by name, for a while."""
    if not _installed:
        sys.addaudithook(_hook(_notes.get))
        _installed.append(True)
    for event, note in notes.items():
        _notes[event] = (*_notes.get(event, ()), note)
    try:
        yield
    finally:
        for event, note in notes.items():
            left = tuple(other for other in _notes.get(event, ()) if other is not note)
            if left:
                _notes[event] = left
            else:
                _notes.pop(event, None)


@contextmanager
def when_imported(names: Iterable[str], take: Callable[[str, ModuleType], object]) -> Iterator[None]:
    """Be given modules by name, for a while: those that are there at once, others before whoever imports them.

    Args:
        names: of the modules.
        take: is given the name and the module.
    """
    coming = set(names)

    def imports(args: tuple[Any, ...]) -> None:
        name = args[0]
        if name in coming:
            coming.discard(name)
            take(name, importlib.import_module(name))  # it is about to be imported anyway

    for name in [name for name in coming if name in sys.modules]:
        coming.discard(name)
        take(name, sys.modules[name])
    with listening({"import": imports}):
        yield


def _hook(known: Callable[[str], tuple[Note, ...] | None]) -> Callable[[str, tuple[Any, ...]], None]:
    """Make the hook: it is called very often, so everything it needs is at hand."""

    def audit(event: str, args: tuple[Any, ...]) -> None:
        notes = known(event)
        if notes is not None:
            for note in notes:
                with suppress(Exception):  # what a test does must not fail because we cannot note it
                    note(args)

    return audit
