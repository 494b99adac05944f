"""What fails in every calm sweep is run by pytest itself, and what fails in forks alone is hunted without."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.diagnosis.cases import Cases
from pytest_flakehunt.model import Count
from pytest_flakehunt.pool.tallies import Tallies

OURS = "it fails in every calm sweep and passes when pytest runs it by itself: the hunt's own fault, not the test's"


@pytest.mark.thorough
def test_what_passes_when_pytest_runs_it_by_itself_is_our_fault(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        test_it="""
        import os
        def test_polluter(): os.environ["POLLUTED"] = "1"
        def test_victim(): assert "POLLUTED" not in os.environ
        def test_broken(): assert False
        def test_ours(): assert "PYTEST_XDIST_WORKER" not in os.environ
        """
    )
    found = hunt("--flakehunt-only=gc", sweeps=4)
    assert found.verdicts == {
        "test_polluter": "steady", "test_victim": "broken", "test_broken": "broken", "test_ours": "steady",
    }  # fmt: skip
    assert found.report["notes"] == [f"test_it.py::test_ours: {OURS}"]
    assert OURS in found.tests["test_ours"]["notes"]
    assert found.tests["test_ours"]["runs"] == 0


@pytest.mark.forks
@pytest.mark.thorough
def test_what_fails_in_forks_alone_gets_its_share_of_perturbations_without(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        test_it="""
        import os, time
        STARTED = os.getpid()
        def test_zone():
            assert os.getpid() == STARTED
            assert time.timezone > -4 * 3600
        def test_sound(): pass
        """
    )
    found = hunt("--flakehunt-only=timezone", sweeps=12)
    assert found.verdicts == {"test_zone": "fragile", "test_sound": "steady"}
    assert found.tests["test_zone"]["runs"] >= 8
    assert found.mode("test_zone")["where"] == "test_it.py:5"


@pytest.mark.parametrize(("calm", "enough"), [(2, 5), (4, 3), (20, 1)])
def test_a_flaky_test_is_not_taken_for_our_fault_as_long_as_chance_may_be_why(calm: int, enough: int) -> None:
    """One that fails seven times in ten fails two calm sweeps one time in two, and may pass when it runs by itself."""
    tallies = Tallies.of([("a.py::test_it", "a.py", 0)])
    tallies.named("a.py::test_it").calm = Count(calm, calm)
    survey: Any = SimpleNamespace(tallies=tallies)
    cases = Cases(survey, survey, {}, (), datetime.now(UTC), 1)
    asked = [cases.may_be_chance("a.py::test_it", passes) for passes in range(1, enough + 1)]
    assert asked == [True] * (enough - 1) + [False]
