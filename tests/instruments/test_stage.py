"""Holding a plan for some tests, and not for others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import Contract, Plan


@dataclass(frozen=True)
class Noted:
    """A setting that notes for whom it is held."""

    contract: ClassVar[Contract] = Contract.NATURAL
    patience: ClassVar[float] = 1.0
    held: ClassVar[list[str]] = []

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        self.held.append(nodeid)
        yield


def test_a_perturbation_is_not_held_for_the_tests_that_are_named(request: pytest.FixtureRequest) -> None:
    Noted.held.clear()
    setting: Any = Noted()
    item = request.node
    stage = Stage(Plan((("one", setting), ("other", setting))), {"one": {item.nodeid}})
    with stage._held_for(item):
        assert Noted.held == [item.nodeid]
    with Stage(Plan((("one", setting),)), {})._held_for(item):
        assert Noted.held == [item.nodeid] * 2
