"""`--flakehunt-changed` in whole hunts: what is hunted, what runs beside it, and what is said of both."""

from collections.abc import Callable

import pytest

from tests.changes.conftest import Git, git_in
from tests.conftest import Hunted

pytestmark = pytest.mark.thorough
Hunt = Callable[..., Hunted]
STATE = "STATE = {}\n"
VICTIM = """
import shop

def test_victim():
    assert not shop.STATE

def test_sound():
    pass

def test_broken_before():
    assert 1 == 2
"""
NEW = """
import shop

def test_new():
    shop.STATE["polluted"] = 1

def test_fine():
    pass
"""


@pytest.fixture
def git(pytester: pytest.Pytester) -> Git:
    """Make a repository whose branch adds a test that pollutes."""
    run = git_in(pytester.path)
    run("init", "-q")
    pytester.makepyfile(shop=STATE, test_old=VICTIM)
    pytester.makeini("[pytest]\npythonpath = .\n")
    run("add", "-A")
    run("commit", "-qm", "first")
    run("checkout", "-qb", "topic")
    pytester.makepyfile(test_a_new=NEW)
    return run


@pytest.mark.usefixtures("git")
@pytest.mark.thorough
def test_victims_of_a_new_polluter_are_found_and_what_was_broken_before_does_not_count(hunt: Hunt) -> None:
    hunted = hunt("--flakehunt-changed", "--flakehunt-only=order,repeat", "-v", sweeps=20, diagnose=400)
    hunted.result.stdout.fnmatch_lines(
        [
            "flakehunt: 2 of 5 tests have to do with what changed since ???????????? (the merge base with main): 2 are new",
            "flakehunt: the other 3 run beside them in orders",
            "flakehunt: test_a_new.py::test_new: its file is new",
            "2 new tests: none fails more than * of the time (95 %)",
            "1 test ran beside them, * times each, and never failed",
        ]
    )
    hunted.result.assert_outcomes(passed=2, deselected=3)
    assert hunted.result.ret == 1
    tests = hunted.tests
    assert {name: (test["chosen"], test["company"]) for name, test in tests.items()} == {
        "test_new": ("its file is new", False),
        "test_fine": ("its file is new", False),
        "test_victim": ("", False),
        "test_sound": ("", True),
        "test_broken_before": ("", True),
    }
    (cause,) = tests["test_victim"]["modes"][0]["causes"]
    assert cause["polluters"] == ["test_a_new.py::test_new"]
    assert tests["test_broken_before"]["verdict"] == "broken"
    assert tests["test_fine"]["runs"] > tests["test_sound"]["runs"]


def test_nothing_to_hunt_is_said_and_no_failure(pytester: pytest.Pytester, git: Git, hunt: Hunt) -> None:
    (pytester.path / "test_a_new.py").unlink()
    hunted = hunt("--flakehunt-changed")
    assert hunted.result.ret == 0
    assert hunted.report["tests"] == []
    assert "there is nothing to hunt" in hunted.report["notes"][0]
    hunted.result.stdout.fnmatch_lines(
        ["flakehunt: no test of 3 has to do with what changed since *; there is nothing to hunt"]
    )
    git("status")


@pytest.mark.usefixtures("git")
def test_where_git_cannot_tell_everything_is_hunted_unless_that_is_not_wanted(hunt: Hunt) -> None:
    said = hunt("--flakehunt-changed=gone", "--flakehunt-fail-on=none", sweeps=2)
    said.result.stdout.fnmatch_lines(
        ["flakehunt: what changed is not known, and so everything is hunted: git knows no revision gone; fetch it, *"]
    )
    assert len(said.tests) == 5
    none = hunt("--flakehunt-changed=gone", "-oflakehunt_changed_fallback=none", "-n2").result
    assert none.ret == 0
    none.stdout.fnmatch_lines(["flakehunt: what changed is not known, and so nothing is hunted: *"])


@pytest.mark.usefixtures("git")
def test_a_path_that_follows_the_option_is_not_taken_for_a_revision(hunt: Hunt) -> None:
    said = hunt("--flakehunt-changed", "test_old.py").result
    assert said.ret == pytest.ExitCode.USAGE_ERROR
    said.stderr.fnmatch_lines(
        [
            "ERROR: --flakehunt-changed=test_old.py: that is no revision; write --flakehunt-changed after the paths of "
            "tests, or --flakehunt-changed=REV"
        ]
    )
