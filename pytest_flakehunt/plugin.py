"""The porch: pytest's hooks, each of which calls one function. Everything heavy is imported when it is asked for."""

from collections.abc import Generator
from typing import Any

import pytest

from pytest_flakehunt import hookspecs
from pytest_flakehunt.asked import flags


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    flags.declare(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that other plugins may answer."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None]:
    """Note how this process started, before anything changes it; say what an option may mean that nobody knows."""
    if flags.wanted(early_config):
        from pytest_flakehunt.sessions import starting

        starting.early(early_config)
    loaded = yield
    if flags.foreign(args):
        from pytest_flakehunt.asked import misspellings

        misspellings.refuse(early_config, parser, args)
    return loaded


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Check what is asked for, and register what does it; let nobody else decide how a hunt has ended."""
    if flags.excuses(config):
        from pytest_flakehunt.sessions import quarantining

        quarantining.begin(config)
    if not flags.wanted(config):
        return (yield)
    from pytest_flakehunt.sessions import starting

    starting.settle(config)
    return starting.ended(config, (yield))
