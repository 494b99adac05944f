"""The command line of a replay, and what its report says."""

import sys
from pathlib import Path

import pytest

from pytest_flakehunt.model import Count
from pytest_flakehunt.replays.hunt import Hunt, kinds, under_plan

REPORT = {
    "runs": 11,
    "failures": 4,
    "calm": {"runs": 1, "failures": 1},
    "modes": [
        {"fingerprint": "a", "failures": 3, "calm_failures": 1, "at": "call E s", "exception": "E"},
        {"fingerprint": "b", "failures": 1, "calm_failures": 0, "at": "", "exception": "SIGSEGV"},
    ],
}


@pytest.mark.parametrize(
    ("hunt", "selected", "written"),
    [
        (Hunt(("a.py::x", "a.py::y")), ["a.py::x", "a.py::y"], "calm"),
        (Hunt(("a.py::y",), "order=alone"), ["a.py::y"], "order=alone"),
        (Hunt(("a.py::y",), "gc=off order=reversed"), [], "gc=off order=reversed"),
    ],
)
def test_the_tests_are_named_unless_the_plan_arranges_the_suite(hunt: Hunt, selected: list[str], written: str) -> None:
    words = hunt.words(5, Path("/p"), Path("/s"))
    assert words[:3] == [sys.executable, "-m", "pytest"]
    assert [word for word in words if "::" in word] == selected
    assert f"--flakehunt-plan={written}" in words
    assert "--flakehunt=5" in words


def test_the_calm_sweep_before_those_under_a_plan_is_left_out() -> None:
    assert under_plan("gc=off", REPORT) == Count(10, 3)
    assert under_plan("", REPORT) == Count(11, 4)
    assert kinds("gc=off", REPORT) == {"a": (2, "call E s"), "b": (1, "SIGSEGV")}
    assert kinds("", REPORT)["a"] == (3, "call E s")
