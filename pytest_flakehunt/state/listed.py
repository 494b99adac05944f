"""Lists that a whole process shares, and its loggers: read anew each time, as a test may put others in their place."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

from pytest_flakehunt.state.parts import Change, Part, difference, refill
from pytest_flakehunt.state.stores import own_attributes

SETTINGS = ("level", "disabled", "propagate")
LISTS = ("handlers", "filters")


def never(_entry: object) -> bool:
    """Spare no entry."""
    return False


@dataclass(frozen=True, slots=True)
class Listed(Part):
    """A list that a module keeps under a name, such as ``sys.path``."""

    module: ModuleType
    name: str
    spared: Callable[[Any], bool] = never
    """Tells which entries others put there and take away, such as pytest itself."""
    owner: list[Any] = field(init=False)
    held: tuple[Any, ...] = field(init=False)
    """All that was in it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "owner", vars(self.module)[self.name])
        object.__setattr__(self, "held", tuple(self.owner))

    def changes(self) -> Iterator[Change]:
        """Compare what is not spared."""
        before, now = (
            tuple(entry for entry in entries if not self.spared(entry))
            for entries in (self.held, vars(self.module)[self.name])
        )
        if verb := difference(before, now):
            yield Change(f"{self.module.__name__}.{self.name}", verb, self._put_back)

    def _put_back(self) -> None:
        refill(self.owner, self.held)
        setattr(self.module, self.name, self.owner)


def loggers() -> list[tuple[str, logging.Logger]]:
    """Give every logger by name; the root's is empty."""
    held = list(logging.root.manager.loggerDict.items())
    return [("", logging.root), *((name, one) for name, one in held if isinstance(one, logging.Logger))]


def handlers_of(logger: logging.Logger) -> list[logging.Handler]:
    """Give a logger's handlers, without those that pytest puts there while a test runs."""
    return [one for one in logger.handlers if not type(one).__module__.startswith("_pytest.")]


@dataclass(frozen=True, slots=True)
class Loggers(Part):
    """Levels, handlers and filters of all loggers; of new ones the handlers."""

    disabled: int = field(default_factory=lambda: logging.root.manager.disable)
    before: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: _read(one) for name, one in loggers()})

    def changes(self) -> Iterator[Change]:
        """Compare each with how it was; a new one with how loggers are made."""
        if logging.root.manager.disable != self.disabled:
            yield Change("the level of logging.disable()", "changes", partial(logging.disable, self.disabled))
        for name, logger in loggers():
            path = f"logging.getLogger({name!r})" if name else "logging.root"
            now, before = _read(logger), self.before.get(name)
            if before is None:  # it is new: libraries set levels as they are imported, and add what does nothing
                before = {"handlers": ()}
                now = {"handlers": tuple(one for one in now["handlers"] if not isinstance(one, logging.NullHandler))}
            for key, value in before.items():
                verb = difference(value, now[key]) if key in LISTS else "changes" if now[key] != value else ""
                if verb:
                    yield Change(f"{path}.{key}", verb, partial(_put_back, logger, key, value))


def _read(logger: logging.Logger) -> dict[str, Any]:
    held = own_attributes(logger)
    found: dict[str, Any] = {name: held[name] for name in SETTINGS if name in held}
    if type(held.get("handlers")) is list:
        found["handlers"] = tuple(handlers_of(logger))
    if type(held.get("filters")) is list:
        found["filters"] = tuple(held["filters"])
    return found


def _put_back(logger: logging.Logger, key: str, value: Any) -> None:
    held = own_attributes(logger)
    if key == "level":  # loggers remember which levels are enabled, and forget when one is set
        logging.Logger.setLevel(logger, value)
    elif key == "handlers":
        ours = handlers_of(logger)
        refill(held[key], (*value, *(one for one in held[key] if one not in ours)))
    elif key == "filters":
        refill(held[key], value)
    else:
        held[key] = value
