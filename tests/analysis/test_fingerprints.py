from dataclasses import replace

import pytest

from pytest_flakehunt.analysis.fingerprints import fingerprint, normalised
from pytest_flakehunt.model import Evidence, Outcome, Place

ONE = Evidence("call", "AssertionError", "assert 3 == 4", Place("src/a.py", 40, "pay"))


@pytest.mark.parametrize(
    ("message", "same"),
    [
        ("assert 17 == 18", "assert 3 == 4"),
        ("<Thing at 0x7f3a2b>", "<Thing at 0xdeadbeef>"),
        ("no file /tmp/pytest-1/a/b.txt", "no file /tmp/pytest-22/c/d.txt"),
        ("KeyError: 'tea'", "KeyError: 'coffee'"),
        ("id 12345678-1234-1234-1234-123456789abc", "id 87654321-1234-1234-1234-abcdefabcdef"),
        ("assert {'b', 'a'} == {1}", "assert {'a', 'b'} == {2}"),
        ("first\nsecond", "first\nanother"),
    ],
)
def test_what_varies_between_failures_of_one_bug_is_left_out(message: str, same: str) -> None:
    assert normalised(message) == normalised(same)


def test_what_tells_bugs_apart_is_kept() -> None:
    assert normalised("timed out") != normalised("refused")


def test_a_fingerprint_outlives_a_move_of_the_line() -> None:
    moved = replace(ONE, where=Place("src/a.py", 90, "pay"))
    assert fingerprint(Outcome.FAILED, ONE) == fingerprint(Outcome.FAILED, moved)


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, exception="ValueError"),
        replace(ONE, phase="setup"),
        replace(ONE, message="refused"),
        replace(ONE, where=Place("src/a.py", 40, "refund")),
    ],
)
def test_another_failure_has_another_fingerprint(other: Evidence) -> None:
    assert fingerprint(Outcome.FAILED, ONE) != fingerprint(Outcome.FAILED, other)


def test_a_hang_and_a_crash_are_two_modes() -> None:
    ended = replace(ONE, phase="process", exception="SIGKILL")
    assert fingerprint(Outcome.HUNG, ended) != fingerprint(Outcome.CRASHED, ended)


def test_a_lone_surrogate_does_no_harm() -> None:
    assert len(fingerprint(Outcome.FAILED, replace(ONE, message="\udc80"))) == 16
