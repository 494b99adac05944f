"""State that tests share, of which no event tells: looks that cost microseconds, whether anything moved, and what."""

import locale
import logging
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from pytest_flakehunt.ground.umask import umask
from pytest_flakehunt.leaks.owners import Debt
from pytest_flakehunt.model import POLLED, LeakKind
from pytest_flakehunt.state import WATCHED, Change, Imports, Listed, Part, handlers, handlers_of

_setlocale = getattr(sys.modules.get("_locale"), "setlocale", locale.setlocale)
_settings = attrgetter("level", "disabled", "propagate")
_listed = attrgetter("handlers")
STATE = (LeakKind.ENVIRON, LeakKind.CWD, *POLLED)


class Shared:
    """The state that a process has but once: how it was at first, and at the last look."""

    def __init__(self) -> None:
        """Look for the first time."""
        self._modules = False
        self.first: dict[LeakKind, list[Part]] = {kind: parts(kind) for kind in POLLED if kind is not LeakKind.MODULES}
        """As it was before any test."""
        self.last = dict(self.first)
        """As it was at the last look; replaced, not changed, when a later one differs."""
        self.look = self.read()

    def begin(self, *, modules: bool) -> None:
        """Take how things stand now as how they were before any test.

        Args:
            modules: whether to look at ``sys.modules`` from now on.
        """
        self._modules = modules
        for kind in self.moved():
            self.first[kind] = self.last[kind] = parts(kind)

    def told(self, touched: set[str]) -> list[LeakKind]:
        """Name the kinds of which an event has told since last asked.

        Args:
            touched: by name; it is emptied.
        """
        kinds = [LeakKind(name) for name in touched] if touched else []
        touched.clear()
        return kinds

    def moved(self) -> list[LeakKind]:
        """Name the kinds that are polled, and are not as they were when last asked."""
        now = self.read()
        if same(now, self.look):
            return []
        kinds = [kind for kind, one, other in zip(POLLED, now, self.look, strict=True) if not same(one, other)]
        self.look = now
        return kinds

    def changed(self, kind: LeakKind) -> frozenset[str]:
        """Name what of a kind is not as it was before any test."""
        return paths(kind, self.first[kind])

    def stirred(self) -> list[tuple[LeakKind, str]]:
        """Name what is polled, was changed since the tests began, and was not taken back."""
        return [(kind, path) for kind in self.moved() for path in paths(kind, self.first[kind])]

    def about_to_move(self, kind: LeakKind) -> None:
        """Look at something that an event tells of, before it is changed for the first time."""
        if kind not in self.first:
            self.first[kind] = self.last[kind] = parts(kind)

    def settle(self, kinds: Iterable[LeakKind], before: Mapping[LeakKind, list[Part]]) -> list[Debt]:
        """Give what was changed since, and is not as it was before any test.

        Args:
            kinds: what has moved.
            before: how things stood then.
        """
        debts: list[Debt] = []
        now: dict[LeakKind, list[Part]] = {}
        for kind in kinds:
            at_first = paths(kind, self.first[kind])
            found = [(part, at_first & paths(kind, [part])) for part in before.get(kind, self.first[kind])]
            debts.extend(Debt(kind, part, changed) for part, changed in found if changed)
            now[kind] = parts(kind)
        self.last = {**self.last, **now}
        return debts

    def read(self) -> tuple[Any, ...]:
        """Give a reading of what is polled."""
        root = logging.root
        loggers = [one for one in list(root.manager.loggerDict.values()) if isinstance(one, logging.Logger)]
        return (
            umask(),
            _setlocale(locale.LC_ALL),
            handlers(),
            tuple(sys.path),
            tuple(warnings.filters),
            (
                root.manager.disable,
                _settings(root),
                handlers_of(root),
                *map(_settings, loggers),
                *map(tuple, map(_listed, loggers)),
            ),
            tuple(sys.modules.values()) if self._modules else (),
            tuple(_patches()),
        )


def same(one: Any, other: Any) -> bool:
    """Tell whether two readings are equal."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - a stand-in among the modules may refuse to be compared
        return False


def parts(kind: LeakKind) -> list[Part]:
    """Watch one kind of shared state as it is now."""
    if kind is LeakKind.MODULES:
        return [Imports(dict(sys.modules))]
    if kind is LeakKind.PATH:
        return [Listed(sys, "path", _of_packages)]
    if kind is LeakKind.PATCH:
        return [Patches(tuple(_patches()))]
    return list(WATCHED[kind.value]())


def changes(kind: LeakKind, watched: Iterable[Part]) -> Iterator[Change]:
    """Compare; what libraries do to ``sys.modules`` as they are imported is no change that anyone would take back."""
    for part in watched:
        found = list(part.changes())
        if kind is not LeakKind.MODULES:
            yield from found
            continue
        imported = {change.path for change in found if change.verb == "imports"}
        packages = {path.partition(".")[0] for path in imported}
        in_c = any(_in_c(sys.modules.get(path)) for path in imported)
        for change in found:
            name = change.path.partition("'")[2].partition("'")[0]
            known = isinstance(part, Imports) and name in part.before
            if change.verb != "imports" and name.partition(".")[0] not in packages and (known or not in_c):
                yield change


def paths(kind: LeakKind, watched: Iterable[Part]) -> frozenset[str]:
    """Name what is not as it was then."""
    return frozenset(change.path for change in changes(kind, watched))


def _in_c(module: Any) -> bool:
    origin = getattr(getattr(module, "__spec__", None), "origin", None)
    return type(origin) is str and origin.endswith((".so", ".pyd"))


package_roots: set[str] = set()
"""Where packages of tests lie: pytest puts these on ``sys.path`` anew as it sets a package up."""


def _of_packages(entry: object) -> bool:
    return entry in package_roots


def _patches() -> list[Any]:
    mock = sys.modules.get("unittest.mock")
    return [] if mock is None else mock._patch._active_patches  # noqa: SLF001 - patch.stopall() has them from there


@dataclass(frozen=True, slots=True)
class Patches(Part):
    """What ``mock.patch(…).start()`` holds."""

    before: tuple[Any, ...]

    def changes(self) -> Iterator[Change]:
        """Name those that were started."""
        for patch in _patches():
            if not any(patch is one for one in self.before):
                yield Change(_target(patch), "patches", partial(_stop, patch))


def _target(patch: Any) -> str:
    if getattr(patch, "attribute", None) is None:  # of a dict
        return f"patch.dict({_dict(getattr(patch, 'in_dict', None))})"
    try:
        target = patch.getter()
    except Exception:  # noqa: BLE001 - what it patches may be gone
        return str(patch.attribute)
    return f"{getattr(target, '__name__', type(target).__qualname__)}.{patch.attribute}"


def _dict(held: Any) -> str:
    """Name a dict without a word of what it holds."""
    if type(held) is str:
        return repr(held)
    return {id(os.environ): "os.environ", id(sys.modules): "sys.modules"}.get(id(held), type(held).__qualname__)


def _stop(patch: Any) -> None:
    patch.stop()
