"""What a whole process shares: its environment, working directory, handlers, loggers and modules."""

import gc
import locale
import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from pytest_flakehunt.state.parts import Change, Elements, Knob, Part, Values
from pytest_flakehunt.state.stores import ABSENT, Store, environment, module_globals, own_attributes, same

IMPORTS = 20
"""Of more new modules, only the packages are named, not what lies in them."""


def watch_process() -> list[Part]:
    """Watch what the process has but once, except for its modules."""
    variables = environment()
    return [Values(variables, variables.read()), *_knobs(), *_handlers(), *_lists(), *_loggers()]


def _knobs() -> Iterator[Part]:
    yield Knob.now("the working directory", _directory, os.chdir)
    yield Knob.now("the umask", _umask, os.umask)
    yield Knob.now("the locale", lambda: locale.setlocale(locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL))
    yield Knob.now("the time zone", _zone, partial(_set_zone, os.environ.get("TZ")))
    yield Knob.now("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit)
    yield Knob.now("the switch interval", sys.getswitchinterval, sys.setswitchinterval)
    yield Knob.now("the garbage collector's thresholds", gc.get_threshold, lambda before: gc.set_threshold(*before))
    yield Knob.now("whether the garbage collector runs", gc.isenabled, lambda on: gc.enable() if on else gc.disable())
    manager = logging.root.manager
    yield Knob.now("the level of logging.disable()", lambda: manager.disable, logging.disable)
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


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _zone() -> tuple[Any, ...]:
    return time.tzname, time.timezone, time.altzone, time.daylight


def _set_zone(variable: str | None, _zone: object) -> None:
    # the variable itself is another change: it stays as it is
    now = os.environ.get("TZ")
    _set_variable(variable)
    time.tzset()
    _set_variable(now)


def _set_variable(value: str | None) -> None:
    if value is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = value


def _handlers() -> Iterator[Part]:
    for number in sorted(signal.valid_signals()):
        name = signal.Signals(number).name if number in set(signal.Signals) else str(int(number))
        yield Knob.now(f"signal {name}'s handler", partial(signal.getsignal, number), partial(signal.signal, number))


def _lists() -> Iterator[Part]:
    for module, name in ((sys, "path"), (sys, "argv"), (sys, "meta_path"), (sys, "path_hooks"), (warnings, "filters")):
        owner = vars(module).get(name)
        if type(owner) is list:
            yield Elements(f"{module.__name__}.{name}", owner)


def _loggers() -> Iterator[Part]:
    yield _logger("logging.root", logging.root)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if issubclass(type(logger), logging.Logger):
            yield _logger(f"logging.getLogger({name!r})", logger)


def _logger(path: str, logger: Any) -> Values:
    held = own_attributes(logger)
    kept = ("level", "disabled", "propagate", "handlers", "filters")

    def put(name: str, value: Any) -> None:
        held[name] = value
        if name == "level":  # loggers remember which levels are enabled, and forget when one is set
            logging.Logger.setLevel(logger, value)

    store = Store(
        named=lambda name: f"{path}.{name}",
        read=lambda: {name: held[name] for name in kept if name in held},
        put=put,
        drop=held.pop,
        replacing="changes",
    )
    part = Values(store, store.read())
    for name in ("handlers", "filters"):
        if type(part.before.get(name)) is list:
            part.below[name] = [Elements(f"{path}.{name}", part.before[name])]
    return part


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
