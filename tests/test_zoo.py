"""The zoo: what is found of each kind of flaky test, and that sound tests are left in peace."""

import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ZOO = Path(__file__).parent / "zoo"
BY_20_SWEEPS = {
    "test_order.py::test_victim": "order",
    "test_order.py::test_brittle": "order",
    "test_pair.py::test_two_seats_are_free": "order",
    "test_clock.py::test_same_day_next_year": "clock",
    "test_latency.py::test_answer_within_sixty_milliseconds": "latency",
    "test_repeat.py::test_registers_once": "repeat",
}
"""Tests that twenty sweeps must find, and the perturbation whose sweeps they fail in."""


@pytest.fixture(scope="module")
def report(hunted_once: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return hunted_once(
        "zoo",
        [
            str(ZOO), f"--rootdir={ZOO}", f"-c{os.devnull}", "-p_hypothesis_pytestplugin", "--flakehunt=20",
            "--flakehunt-seed=7", "--flakehunt-diagnose=0", "--flakehunt-ledger=ledger.sqlite",
        ],
    )  # fmt: skip


@pytest.fixture(scope="module")
def reported(hunted_once: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return hunted_once(
        "reported",
        [
            str(ZOO / "test_reported.py"), f"--rootdir={ZOO}", f"-c{os.devnull}", "-p_hypothesis_pytestplugin", "--flakehunt=100",
            "--flakehunt-seed=7", "--flakehunt-diagnose=0", "--flakehunt-ledger=ledger.sqlite",
        ],
    )  # fmt: skip


@pytest.mark.thorough
def test_a_hundred_sweeps_find_what_reports_describe(reported: dict[str, Any]) -> None:
    truth = runpy.run_path(str(ZOO / "truth.py"))
    flaky = {nodeid for nodeid in truth["CAUSES"] if nodeid.startswith("test_reported.py")}
    assert len(flaky) == 6
    assert failing(reported).keys() == flaky


def failing(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {test["nodeid"]: test for test in report["tests"] if test["verdict"] != "steady"}


def test_no_sound_test_is_blamed(report: dict[str, Any]) -> None:
    blamed = {name: test["modes"] for name, test in failing(report).items() if name.startswith("test_calm.py")}
    assert blamed == {}
    assert sum(test["nodeid"].startswith("test_calm.py") for test in report["tests"]) > 15


@pytest.mark.parametrize("name", BY_20_SWEEPS)
def test_twenty_sweeps_find(report: dict[str, Any], name: str) -> None:
    test = failing(report)[name]
    assert test["verdict"] == "fragile"
    plans = [mode["plan"] for mode in test["modes"]]
    assert all(f"{BY_20_SWEEPS[name]}=" in plan for plan in plans)


def test_nothing_else_is_found(report: dict[str, Any]) -> None:
    truth = runpy.run_path(str(ZOO / "truth.py"))
    flaky = truth["CAUSES"].keys() | {nodeid for nodeid, _ in truth["MODES"]}
    assert BY_20_SWEEPS.keys() <= flaky
    assert failing(report).keys() <= flaky
