"""Options of other plugins that would fight a hunt: taken over or switched off, and said so."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from pytest_flakehunt.model import Perturbation

OFF: dict[str, tuple[str, object]] = {
    "numprocesses": ("-n", None),
    "maxprocesses": ("--maxprocesses", None),
    "dist": ("--dist", "no"),
    "tx": ("--tx", []),
    "distload": ("-d", False),
    "looponfail": ("--looponfail", False),
    "reruns": ("--reruns", None),
    "count": ("--count", 1),
    "randomly_reorganize": ("pytest-randomly's order", False),
    "randomly_reset_seed": ("pytest-randomly's seed", False),
    "no_cov": ("--cov", True),
    "forked": ("--forked", False),
}
"""Option by option: how users write it, and the value that switches it off."""
OFF_IN_ZYGOTES: dict[str, object] = {
    "maxfail": 0,
    "lf": False,
    "failedfirst": False,
    "newfirst": False,
    "stepwise": False,
    "stepwise_skip": False,
    "stepwise_reset": False,
    "setupshow": False,
    "capture": "fd",
    "xmlpath": None,
    "usepdb": False,
    "trace": False,
    "basetemp": None,
    "durations": None,
}
"""What the controller's pytest goes on doing for sweep 0, and sweeps must not do for themselves."""
PLUGINS_OFF = ("rerunfailures", "flaky", "flakefinder", "random_order", "randomly", "pytest_forked")
"""Plugins that act through hooks alone: unregistered once they have declared their markers."""
SAID = ("reruns", "count", "no_cov", "forked")
"""What the header mentions where it was in use; the number after -n is taken over instead."""


def early(config: pytest.Config) -> None:
    """Switch off what starts before options are final: coverage measures one process, not a hunt."""
    known = config.known_args_namespace
    if hasattr(known, "no_cov"):
        known.no_cov = True


def settle(config: pytest.Config) -> list[str]:
    """Switch off what would rerun, reorder or distribute tests besides us.

    Returns:
        What was in use, as users write it, for the header.
    """
    said = []
    for name, (written, value) in OFF.items():
        present = getattr(config.option, name, None)
        if name == "no_cov":
            in_use = bool(getattr(config.option, "cov_source", None))
        else:
            in_use = bool(present) and present != value
        if in_use and name in SAID:
            said.append(written)
        if hasattr(config.option, name):
            setattr(config.option, name, value)
    said.extend(f"plugin {name}" for name in PLUGINS_OFF if config.pluginmanager.has_plugin(name))
    return said


def settle_zygote(config: pytest.Config) -> None:
    """Switch off what only the run that pytest itself sees may do."""
    for name, value in OFF_IN_ZYGOTES.items():
        if hasattr(config.option, name):
            setattr(config.option, name, value)
    if getattr(config.option, "tbstyle", "auto") in {"no", "line"}:
        config.option.tbstyle = "auto"


def silence(config: pytest.Config) -> None:
    """Unregister the plugins that would rerun or reorder tests, once they are configured."""
    for name in PLUGINS_OFF:
        plugin = config.pluginmanager.get_plugin(name)
        if plugin is not None:
            config.pluginmanager.unregister(plugin)


def workers_wanted(config: pytest.Config) -> int:
    """Give the number after ``-n``, or what xdist makes of ``auto``: at least 1."""
    wanted: Any = getattr(config.option, "numprocesses", None)
    if wanted is None or isinstance(wanted, str):
        with contextlib.suppress(AttributeError):
            wanted = config.hook.pytest_xdist_auto_num_workers(config=config)
    if not isinstance(wanted, int):
        import os

        wanted = os.cpu_count()
    most = getattr(config.option, "maxprocesses", None)
    return max(1, min(wanted or 1, most or wanted or 1))


def worker_input(config: pytest.Config, slot: int, slots: int, run: str) -> dict[str, Any]:
    """Give what xdist tells a worker, with what other plugins add through xdist's own hook."""
    import sys

    node = _Node(config, {
        "workerid": f"gw{slot}",
        "workercount": slots,
        "testrunuid": run,
        "mainargv": list(sys.argv),
    })  # fmt: skip
    if hasattr(config.hook, "pytest_configure_node"):
        config.hook.pytest_configure_node(node=node)
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
