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


def test_neither_hypothesis_nor_what_is_used_up_finds_fault_with_the_second_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        from hypothesis import given, strategies as st
        import pytest
        @pytest.mark.parametrize("args", [[(x for x in "ab")]])
        def test_uses_up(args): assert list(*args) == ["a", "b"]
        class TestIt:
            @given(st.integers())
            def test_it(self, number): pass
        """
    )
    plugins = ("-pxdist.plugin", "-ppytest_flakehunt.plugin", "-p_hypothesis_pytestplugin")
    pytester.runpytest_subprocess(*plugins, "--flakehunt-plan=repeat=2").assert_outcomes(passed=3)
