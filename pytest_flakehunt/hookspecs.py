"""What other plugins may answer."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # an ordinary run of pytest reads this file, and should read no more
    from pytest_flakehunt.model import Perturbation


@pytest.hookspec
def pytest_flakehunt_perturbations(config: pytest.Config) -> "list[Perturbation]":  # type: ignore[empty-body]
    """Give further perturbations.

    They are drawn, held, recorded and reported as ours are; one that bears
    the name of ours takes its place. The hook is called in every
    interpreter of a hunt, so that each can read the plans it is given.
    """


@pytest.hookspec
def pytest_flakehunt_forgiven(config: pytest.Config) -> "list[str]":  # type: ignore[empty-body]
    """Give patterns of what is no leak, such as ``thread:myclient.*``.

    A pattern is ``KIND:NAME``, with the wildcards of ``fnmatch``. It is held
    against the name that a leak is reported with and, for a thread, against
    the module and name of what it runs. The hook is called in every
    interpreter of a hunt.
    """
