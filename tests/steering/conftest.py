"""What tests of steered threads share."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.perturbations.steered import Steering


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> None:
    """Stand aside where threads are steered already."""
    plugins = request.config.pluginmanager.get_plugins()
    if any(isinstance(plugin, Stage) and "threads" in plugin.plan.names for plugin in plugins):
        pytest.skip("threads are perturbed already")


@contextmanager
def steering(seed: int) -> Iterator[None]:
    """Steer the threads of one test."""
    setting = Steering(seed)
    with setting.held(), setting.held_for("test_a.py::test_x"):
        yield
