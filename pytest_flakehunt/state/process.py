"""What a whole process shares: its environment, working directory, handlers, loggers and modules."""

import gc
import locale
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MethodType, ModuleType
from typing import Any

from pytest_flakehunt.ground.umask import umask
from pytest_flakehunt.state.listed import Listed, Loggers
from pytest_flakehunt.state.parts import Change, Knob, Part, Values
from pytest_flakehunt.state.stores import ABSENT, environment, module_globals, same

IMPORTS = 20
"""Of more new modules, only the packages are named, not what lies in them."""


def watch_process() -> list[Part]:
    """Watch what the process has but once, except for its modules."""
    return [part for watch in WATCHED.values() for part in watch()]


def _variables() -> Iterator[Part]:
    variables = environment()
    yield Values(variables, variables.read())


def _place() -> Iterator[Part]:
    yield Knob.now("the working directory", _directory, os.chdir)


def _mask() -> Iterator[Part]:
    yield Knob.now("the umask", umask, os.umask)


def _locale() -> Iterator[Part]:
    yield Knob.now("the locale", lambda: locale.setlocale(locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL))


def _knobs() -> Iterator[Part]:
    yield Knob.now("the time zone", _zone, partial(_set_zone, os.environ.get("TZ")))
    yield Knob.now("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit)
    yield Knob.now("the switch interval", sys.getswitchinterval, sys.setswitchinterval)
    yield Knob.now("the garbage collector's thresholds", gc.get_threshold, lambda before: gc.set_threshold(*before))
    yield Knob.now("whether the garbage collector runs", gc.isenabled, lambda on: gc.enable() if on else gc.disable())
    if socket := sys.modules.get("socket"):
        yield Knob.now("the default timeout of sockets", socket.getdefaulttimeout, socket.setdefaulttimeout)
    if decimal := sys.modules.get("decimal"):
        for name in ("prec", "rounding"):
            read, write = _attribute_of(decimal.getcontext, name)
            yield Knob.now(f"decimal.getcontext().{name}", read, write)


def _attribute_of(owner: Callable[[], Any], name: str) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    return lambda: getattr(owner(), name), lambda value: setattr(owner(), name, value)


def _directory() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a path object is not compared by value
    except FileNotFoundError:
        return None


def _zone() -> tuple[Any, ...]:
    return time.tzname, time.timezone, time.altzone, time.daylight


def _set_zone(variable: str | None, _zone: object) -> None:
    # the variable itself is another change: it stays as it is
    now = os.environ.get("TZ")
    _set_variable(variable)
    if hasattr(time, "tzset"):
        time.tzset()
    _set_variable(now)


def _set_variable(value: str | None) -> None:
    if value is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = value


SIGNALS = tuple(sorted(map(int, signal.valid_signals())))
SIGNAL_NAMES = {int(one): one.name for one in signal.Signals}
_handler = getattr(sys.modules.get("_signal"), "getsignal", signal.getsignal)
"""In C: Python's own wrapper makes an enum of every answer, at twenty times the cost."""


def handlers() -> tuple[Any, ...]:
    """Give what handles each of the signals."""
    return tuple(map(_handler, SIGNALS))


@dataclass(frozen=True, slots=True)
class Handlers(Part):
    """What handles each signal."""

    before: tuple[Any, ...] = field(default_factory=handlers)

    def changes(self) -> Iterator[Change]:
        """Name the signals that are handled by something else."""
        for number, now, before in zip(SIGNALS, handlers(), self.before, strict=True):
            method = type(now) is type(before) is MethodType and now == before  # made anew whenever it is asked for
            if not method and not same(now, before):
                name = SIGNAL_NAMES.get(number, str(number))
                yield Change(f"signal {name}'s handler", "changes", partial(signal.signal, number, before))


def _lists(module: ModuleType, *names: str) -> Iterator[Part]:
    yield from (Listed(module, name) for name in names if type(vars(module).get(name)) is list)


WATCHED: Mapping[str, Callable[[], Iterable[Part]]] = {
    "environ": _variables,
    "cwd": _place,
    "umask": _mask,
    "locale": _locale,
    "settings": _knobs,
    "signal": lambda: [Handlers()],
    "path": lambda: _lists(sys, "path", "argv", "meta_path", "path_hooks"),
    "warnings": lambda: _lists(warnings, "filters"),
    "logging": lambda: [Loggers()],
}
"""Gathered under one word each."""


@dataclass(frozen=True, slots=True)
class Imports(Part):
    """The modules that are loaded."""

    before: dict[str, Any]

    def changes(self) -> Iterator[Change]:
        """Tell first which were taken away or replaced, then which were imported."""
        now = dict(sys.modules)
        for name, module in self.before.items():
            if not same(module, after := now.get(name, ABSENT)):
                verb = "removes" if after is ABSENT else "sets"
                yield Change(f"sys.modules[{name!r}]", verb, partial(sys.modules.__setitem__, name, module))
        new = {name: module for name, module in now.items() if name not in self.before}
        for name in [name for name, module in new.items() if not _was_imported(name, module, new)]:
            yield Change(f"sys.modules[{name!r}]", "sets", partial(sys.modules.pop, name, None))
            del new[name]
        for name in new:
            if len(new) <= IMPORTS or name.rpartition(".")[0] not in new:
                yield Change(name, "imports", partial(self.forget, name))

    def forget(self, name: str) -> None:
        """Unload a module, and those below it that were not loaded before."""
        below = [other for other in list(sys.modules) if other.startswith(f"{name}.") and other not in self.before]
        for each in [*below, name]:
            module = sys.modules.pop(each, None)
            parent, _, last = each.rpartition(".")
            package = sys.modules.get(parent)
            if issubclass(type(package), ModuleType) and module_globals(package).get(last) is module:
                del module_globals(package)[last]


def _was_imported(name: str, module: object, new: Mapping[str, object]) -> bool:
    # unlike a stand-in that a test puts there; extension modules make others, which have no spec either
    if not issubclass(type(module), ModuleType):
        return False
    made_in_c = name.rpartition(".")[0] in new or name.startswith(("_cython_", "cython_runtime"))
    return made_in_c or module_globals(module).get("__spec__") is not None
