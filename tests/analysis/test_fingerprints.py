from dataclasses import replace

import pytest

from pytest_flakehunt.analysis.fingerprints import fingerprint, named
from pytest_flakehunt.model import Evidence, Outcome, Place

ONE = Evidence(
    "call",
    "AssertionError",
    "assert 3 == 4",
    Place("src/a.py", 40, "pay"),
    kind="AssertionError",
    statement="a.py::pay assert left==right",
)


@pytest.mark.parametrize(
    "alike",
    [
        replace(ONE, message="assert 17 == 18"),
        replace(ONE, where=Place("elsewhere/src/a.py", 90, "pay")),
        replace(ONE, traceback="longer", note="run 2 of 2"),
    ],
)
def test_other_values_and_another_place_are_the_same_failure(alike: Evidence) -> None:
    assert fingerprint(Outcome.FAILED, ONE) == fingerprint(Outcome.FAILED, alike)


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, kind="ValueError"),
        replace(ONE, phase="setup"),
        replace(ONE, statement="a.py::pay assert left==other"),
    ],
)
def test_another_failure_has_another_fingerprint(other: Evidence) -> None:
    assert fingerprint(Outcome.FAILED, ONE) != fingerprint(Outcome.FAILED, other)


def test_what_a_plugin_calls_a_failure_is_told_by_its_words_and_place() -> None:
    said = replace(ONE, kind="", statement="", exception="Failed")
    assert fingerprint(Outcome.FAILED, said) == named("call", "Failed", "src/a.py::pay")


def test_a_hang_and_a_crash_are_two_modes() -> None:
    ended = replace(ONE, phase="process", exception="SIGKILL")
    assert fingerprint(Outcome.HUNG, ended) != fingerprint(Outcome.CRASHED, ended)


def test_a_lone_surrogate_does_no_harm() -> None:
    assert len(fingerprint(Outcome.FAILED, replace(ONE, statement="\udc80"))) == 16
