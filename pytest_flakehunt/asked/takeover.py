"""Other plugins in the processes of a hunt: what would fight it is taken over or switched off, and said so."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.asked.other_plugins import TABLE, Given, Option, Plugin
from pytest_flakehunt.ground.project import module_of, owns
from pytest_flakehunt.model import Perturbation

OFF_IN_ZYGOTES: dict[str, object] = {
    "maxfail": 0,
    "setupshow": False,
    "capture": "fd",
    "usepdb": False,
    "trace": False,
    "durations": None,
}
"""What the controller's pytest goes on doing for sweep 0, and sweeps must not do for themselves."""
DISABLED = "flakehunt_disable_plugins"
SPELLED = pytest.StashKey[Mapping[str, bool]]()
"""The options of the table's plugins as users write them: whether a value follows."""
ASKED = pytest.StashKey[dict[str, Any]]()
"""Options as the user asked for them, where they were given other values."""


def early(config: pytest.Config) -> None:
    """Switch off what starts before options are final: coverage, which also deletes what it measured last."""
    known = config.known_args_namespace
    if hasattr(known, "cov_source"):
        known.cov_source = []


def settle(config: pytest.Config) -> list[str]:
    """Switch off what would rerun, reorder or distribute tests besides us, and what would rewrite the user's files.

    It is called before any plugin is configured.

    Returns:
        What was in use, as users write it, for the header.
    """
    found = present(config)
    written = (option for plugin in found for option in (*plugin.hunting, *plugin.quiet, *plugin.again))
    config.stash[SPELLED] = {
        option.written.rstrip("="): option.written.endswith("=") for option in written if option.written
    }
    options = [option for plugin in found for option in plugin.hunting]
    said = [option.written.rstrip("=") for option in options if option.said and in_use(config, option)]
    _set(config, options, Path())
    for plugin, names in found.items():
        if plugin.away:
            for name in names:
                config.pluginmanager.unregister(name=name)
                said.append(f"plugin {name}")
            for marker in plugin.markers:
                config.addinivalue_line("markers", marker)
    return said


def present(config: pytest.Config) -> Mapping[Plugin, list[str]]:
    """Give the rows of the table whose plugins are there, each with the names that they are registered under."""
    registered = [
        (name, module_of(plugin).partition(".")[0])
        for name, plugin in config.pluginmanager.list_name_plugin()
        if not owns(getattr(sys.modules.get(module_of(plugin)), "__file__", None) or "<none>")
    ]
    found = {
        plugin: [name for name, package in registered if name in plugin.known_as or package in plugin.known_as]
        for plugin in TABLE
    }
    return {plugin: names for plugin, names in found.items() if names}


def quieten(config: pytest.Config, scratch: Path, *, zygote: bool) -> None:
    """Give plugins nothing to write, or a place in the scratch folder, in a process that nobody looks at.

    It is called before any plugin is configured.

    Args:
        config: of the process.
        scratch: a folder of its own.
        zygote: whether plugins take it for one of xdist's workers.
    """
    for plugin in present(config):
        _set(config, (*plugin.quiet, *(() if zygote else plugin.again)), scratch)
    for name in disabled(config):
        if config.pluginmanager.has_plugin(name):
            config.pluginmanager.unregister(name=name)


def strip(config: pytest.Config) -> None:
    """Take away what can only be found once plugins are configured, in a process that nobody looks at."""
    for plugin in present(config):
        for name in plugin.attributes:
            if hasattr(config, name):
                delattr(config, name)
        for registered in config.pluginmanager.get_plugins() if plugin.dropped else ():
            if type(registered).__name__ in plugin.dropped:
                config.pluginmanager.unregister(registered)


def show(config: pytest.Config) -> None:
    """Let plugins write for sweep 0 what an ordinary run would write where tests run."""
    asked = config.stash[ASKED]
    for plugin in present(config):
        if plugin.shown is not None:
            plugin.shown(config, asked)


def standing_down(config: pytest.Config) -> Mapping[str, str]:
    """Give the perturbations that cannot be held beside a plugin that is there, each with the reason."""
    return {name: reason for plugin in present(config) for name, reason in plugin.without.items()}


def variables(config: pytest.Config) -> Mapping[str, str | None]:
    """Give what plugins are told by the environment of a process that nobody looks at; None takes a variable away."""
    return {name: value for plugin in present(config) for name, value in plugin.variables.items()}


def in_use(config: pytest.Config, option: Option) -> bool:
    """Tell whether an option has a value that says more than the one it gets instead."""
    present = getattr(config.option, option.dest, None)
    return bool(present) and present != value_of(config, option, Path())


def value_of(config: pytest.Config, option: Option, scratch: Path) -> object:
    """Give the value that an option gets."""
    if callable(option.value):
        return option.value(Given(config, getattr(config.option, option.dest, None), scratch))
    return option.value


def _set(config: pytest.Config, options: Iterable[Option], scratch: Path) -> None:
    asked = config.stash.setdefault(ASKED, {})
    for option in options:
        if hasattr(config.option, option.dest):
            asked.setdefault(option.dest, getattr(config.option, option.dest))
            setattr(config.option, option.dest, value_of(config, option, scratch))


def disabled(config: pytest.Config) -> list[str]:
    """Give the names of plugins that the user keeps out of processes that nobody looks at."""
    return [name for some in config.getini(DISABLED) for name in some.split(",") if name]


def check_disabled(config: pytest.Config) -> None:
    """Refuse a name that no plugin bears.

    Raises:
        pytest.UsageError: says which are there.
    """
    for name in disabled(config):
        if not foreign(config.pluginmanager.get_plugin(name)):
            there = [str(other) for other, plugin in config.pluginmanager.list_name_plugin() if foreign(plugin)]
            raise pytest.UsageError(
                f"{DISABLED}={name}: no plugin is registered under that name; give some of "
                f"{', '.join(sorted(there)) or 'none'}"
            )


def foreign(plugin: object) -> bool:
    """Tell whether a plugin is neither pytest's, nor ours, nor one that the suite has of its own."""
    package = "" if plugin is None else module_of(plugin).partition(".")[0]
    return package not in {"", "_pytest", "pytest_flakehunt", "conftest"}


def settle_zygote(config: pytest.Config) -> None:
    """Switch off what only the run that pytest itself sees may do."""
    for name, value in OFF_IN_ZYGOTES.items():
        if hasattr(config.option, name):
            setattr(config.option, name, value)
    if getattr(config.option, "tbstyle", "auto") in {"no", "line"}:
        config.option.tbstyle = "auto"


def narrowed(config: pytest.Config) -> bool:
    """Tell whether pytest itself leaves files out as it collects, as it does for those that failed last."""
    return bool(getattr(config.option, "lf", False))


def apart(config: pytest.Config) -> list[str]:
    """Name the plugins for which sweeps must run one at a time."""
    return [plugin.name for plugin in present(config) if plugin.alone]


def workers_wanted(config: pytest.Config) -> int:
    """Give the number after ``-n``, or what xdist makes of ``auto``; 1 where sweeps must run one at a time."""
    if apart(config):
        return 1
    wanted: Any = getattr(config.option, "numprocesses", None)
    if wanted is None or isinstance(wanted, str):
        with contextlib.suppress(AttributeError):
            wanted = config.hook.pytest_xdist_auto_num_workers(config=config)
    if not isinstance(wanted, int):
        import os

        wanted = os.cpu_count()
    most = getattr(config.option, "maxprocesses", None)
    return max(1, min(wanted or 1, most or wanted or 1))


def may_grow(config: pytest.Config) -> bool:
    """Tell whether there may be more zygotes than :func:`workers_wanted`: nobody has named a number."""
    named = isinstance(getattr(config.option, "numprocesses", None), int) or getattr(
        config.option, "maxprocesses", None
    )
    return not named and not apart(config)


def worker_input(
    config: pytest.Config, slot: int, slots: int, run: str, say: Callable[[str], None]
) -> dict[str, Any]:  # fmt: skip
    """Give what xdist tells a worker, with what other plugins add through xdist's own hook.

    Args:
        config: the controller's.
        slot: which worker, from 0.
        slots: how many there are.
        run: the id of all of them.
        say: takes note of a plugin that fails: it may still do its work.
    """
    node = _Node(config, {
        "workerid": f"gw{slot}",
        "workercount": slots,
        "testrunuid": run,
        "mainargv": list(sys.argv),
    })  # fmt: skip
    if hasattr(config.hook, "pytest_configure_node"):
        try:
            config.hook.pytest_configure_node(node=node)
        except Exception as error:  # noqa: BLE001 - another plugin's, of any kind
            say(f"a plugin failed in pytest_configure_node: {type(error).__name__}: {error}")
    return node.workerinput


class _Node:
    """What plugins expect of an xdist node as they configure it."""

    def __init__(self, config: pytest.Config, workerinput: dict[str, Any]) -> None:
        self.config, self.workerinput = config, workerinput
        self.gateway = _Gateway(workerinput["workerid"])


class _Gateway:
    def __init__(self, name: str) -> None:
        self.id = name


def perturbations_of_plugins(config: pytest.Config) -> Iterator[Perturbation]:
    """Yield the perturbations that other plugins give."""
    answers: Iterable[list[Perturbation]] = config.hook.pytest_flakehunt_perturbations(config=config)
    for some in answers:
        yield from some
