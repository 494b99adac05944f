"""What sessions that run tests need to know first: how pytest was called, and which perturbations there are."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from pytest_flakehunt import perturbations
from pytest_flakehunt.asked import takeover
from pytest_flakehunt.model import Perturbation

if TYPE_CHECKING:  # a replay does without
    from pytest_flakehunt.zygote.host import Origin

ORIGIN: "pytest.StashKey[Origin]" = pytest.StashKey()


def known(config: pytest.Config) -> Mapping[str, Perturbation]:
    """Give all perturbations by name, those of other plugins included."""
    return perturbations.registry(takeover.perturbations_of_plugins(config))


def origin(config: pytest.Config) -> "Origin":
    """Note how this process started, before anything changes it."""
    from pytest_flakehunt.zygote.host import Origin

    parameters = config.invocation_params
    return Origin(
        [str(arg) for arg in parameters.args],
        str(parameters.dir),
        list(sys.argv),
        list(sys.path),
        dict(os.environ),
        _program(),
        takeover.variables(config),
    )


def _program() -> dict[str, str | None]:
    """Give what ``__main__`` says of itself."""
    main = sys.modules["__main__"]
    said: dict[str, str | None] = {name: getattr(main, name, None) for name in ("__file__", "__package__", "__doc__")}
    return {**said, "spec": getattr(getattr(main, "__spec__", None), "name", None)}
