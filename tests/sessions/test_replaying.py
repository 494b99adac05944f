"""Replaying a failure: the printed command, an ordinary run under a plan, and counting how often."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.diagnosis.repro import Context, needs_others, unsettled
from pytest_flakehunt.diagnosis.repro import kept as options
from pytest_flakehunt.model import (
    CALM,
    Contract,
    Count,
    Diagnosis,
    Evidence,
    Finding,
    Interval,
    Mode,
    Outcome,
    Place,
    Setup,
    Verdict,
)
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry

Hunter = Callable[..., Any]
LEAP = "clock=2028-02-29T23:59:58"
LEAP_TEST = """
import datetime
def test_leap(): assert datetime.date.today().day != 29
def test_other(): pass
"""


PYTEST = [sys.executable, "-m", "pytest", "-p", "xdist.plugin", "-p", "pytest_flakehunt.plugin"]


def ordinary(*args: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as a person at a desk does."""
    return subprocess.run([*PYTEST, *args], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


def test_a_plan_without_a_hunt_is_an_ordinary_run_under_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LEAP_TEST)
    ran = ordinary(f"--flakehunt-plan={LEAP}")
    assert ran.returncode == 1
    assert f"flakehunt: under {LEAP}" in ran.stdout
    assert "1 failed, 1 passed" in ran.stdout
    assert not Path(".flakehunt").exists()


def test_what_passes_is_said_not_to_have_been_reproduced(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(LEAP_TEST)
    ran = ordinary(f"{path.name}::test_other", f"--flakehunt-plan={LEAP}")
    assert ran.returncode == 0
    assert f"flakehunt: did not reproduce: 1 test passed under {LEAP}" in ran.stdout


def test_the_interpreter_is_restarted_with_the_hash_seed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import os\ndef test_it(): print(os.environ['PYTHONHASHSEED'], hash('tea')); assert 0")
    shown = {
        line
        for _ in range(2)
        for line in ordinary("--flakehunt-plan=hashseed=7").stdout.splitlines()
        if line.startswith("7 ")
    }
    assert len(shown) == 1


def test_where_python_cannot_be_restarted_the_user_is_told_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_inprocess("-pxdist.plugin", "-ppytest_flakehunt.plugin", "--flakehunt-plan=hashseed=7")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --flakehunt-plan=hashseed=7: PYTHONHASHSEED=7 can only be set before Python starts; "
            "set it in the environment"
        ]
    )


def test_the_debugger_works_under_a_plan(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LEAP_TEST)
    child = pytester.spawn(f"{shlex.join(PYTEST)} --pdb '--flakehunt-plan={LEAP} hashseed=3'")
    child.expect(r"\(Pdb\)")
    child.sendline("p datetime.date.today().year")
    child.expect("2028")
    child.sendline("c")
    child.expect("1 failed, 1 passed")
    child.wait()


def test_an_order_arranges_the_ordinary_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(): pass\ndef test_b(): pass")
    shown = ordinary("-v", "--flakehunt-plan=order=reversed").stdout
    assert shown.index("::test_b PASSED") < shown.index("::test_a PASSED")


def test_alone_needs_one_test_or_a_hunt(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile("def test_a(): pass\ndef test_b(): pass")
    ran = ordinary("--flakehunt-plan=order=alone")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert (
        "ERROR: order=alone runs every test in a process of its own; name one test, or add --flakehunt=1" in ran.stderr
    )
    assert ordinary(f"{path.name}::test_a", "--flakehunt-plan=order=alone").returncode == 0


def test_xdist_is_left_out_of_an_ordinary_run_under_a_plan(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(worker_id): assert worker_id == 'master'")
    assert ordinary("-n2", "--flakehunt-plan=gc=eager").returncode == 0


def test_random_numbers_are_drawn_again(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os, random, secrets, uuid
        def test_it():
            print("drew", random.random(), uuid.uuid4(), secrets.token_hex(4), os.urandom(3), random.Random().random())
            assert 0
        """
    )
    drawn = [
        line
        for seed in ("5", "5", "6")
        for line in ordinary(f"--flakehunt-plan=random={seed}").stdout.splitlines()
        if line.startswith("drew")
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_what_runs_again_draws_anew(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import random, uuid
        seen = []
        def test_it():
            seen.append((uuid.uuid4(), random.random()))
            print("drew", seen)
            assert len(seen) < 2
        """
    )
    plans = ("random=5 repeat=2", "random=5 repeat=2", "random=5")
    lines = [ordinary(f"--flakehunt-plan={plan}", "-s").stdout.splitlines() for plan in plans]
    first, again, alone = [[line.partition("drew ")[2] for line in run if "drew " in line][-1] for run in lines]
    assert first == again
    assert first.startswith(alone.removesuffix("]"))
    assert len(set(re.findall(r"UUID\('([^']+)'\)", first))) == 2


def test_hypothesis_draws_again(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from hypothesis import given, settings, strategies as st
        drawn = []
        @settings(database=None, max_examples=5)
        @given(st.integers())
        def test_it(number): drawn.append(number)
        def test_show(): print("drew", drawn); assert 0
        """
    )
    drawn = [
        line
        for seed in ("5", "5", "6")
        for line in ordinary("-p_hypothesis_pytestplugin", f"--flakehunt-plan=random={seed}").stdout.splitlines()
        if line.startswith("drew")
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_plan_with_a_hunt_counts_how_often_it_fails(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(LEAP_TEST)
    found = hunt(f"--flakehunt-plan={LEAP}", sweeps=5)
    assert found.verdicts == {"test_leap": "fragile", "test_other": "steady"}
    test = found.tests["test_leap"]
    assert (test["runs"], test["failures"], test["calm"]["runs"]) == (6, 5, 1)
    assert found.report["hunt"]["perturbations"] == ["clock"]


@pytest.mark.thorough
def test_the_printed_command_makes_the_failure_come_back(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import datetime, pytest
        IDS = ["it's", "a b", "$HOME `x` \\\\ \\"", "new\\nline"]
        @pytest.mark.parametrize("value", IDS, ids=IDS)
        def test_leap(value): assert datetime.date.today().day != 29
        """
    )
    found = hunt("--flakehunt-only=clock,hashseed,random", sweeps=4)
    assert set(found.verdicts.values()) == {"fragile"}
    for test in found.report["tests"]:
        repro = test["modes"][0]["repro"]
        assert shlex.split(repro)[:3] == [sys.executable, "-m", "pytest"]
        ran = subprocess.run(["sh", "-c", repro], capture_output=True, text=True, timeout=60, check=False)
        assert "1 failed" in ran.stdout, ran.stdout + ran.stderr


def test_an_order_needs_the_other_tests_to_be_replayed(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_order="""
        state = []
        def test_victim(): assert not state
        def test_polluter(): state.append(1)
        """
    )
    found = hunt("test_order.py", "--flakehunt-only=order", sweeps=3)
    assert found.verdicts == {"test_victim": "fragile", "test_polluter": "steady"}
    repro = found.mode("test_victim")["repro"]
    assert " -m pytest test_order.py " in repro
    assert repro.endswith(" --flakehunt-plan=order=reversed")


KNOWN = registry()


@pytest.mark.parametrize(("plan", "others"), [("order=reversed", True), ("order=alone", False), ("gc=off", False)])
def test_only_an_order_needs_others(plan: str, others: bool) -> None:
    assert needs_others(read_plan(plan, KNOWN)) is others


WRITING = {"--html": True, "--alluredir": True, "--junitxml": True, "--snapshot-update": False}


@pytest.mark.parametrize(
    ("args", "positional", "kept"),
    [
        (["--flakehunt=200", "tests", "--ds=settings"], ["tests"], ["--ds=settings"]),
        (["--flakehunt", "200", "-x", "-n4", "-k", "not slow"], [], ["-k", "not slow"]),
        (["-n", "4", "--junitxml=x.xml", "--maxfail", "3", "-vv", "--cov=src"], [], []),
        (["--html", "r.html", "--snapshot-update", "--alluredir=a", "--strict-markers"], [], ["--strict-markers"]),
        (["-p", "no:cacheprovider", "-c", "other.ini"], [], ["-p", "no:cacheprovider", "-c", "other.ini"]),
    ],
)
def test_options_that_matter_are_kept(args: list[str], positional: list[str], kept: list[str]) -> None:
    context = a_context(selection=tuple(positional), options=options(args, positional, WRITING))
    mode = a_mode("gc=off")
    written = context.no_cause(a_finding(mode), mode, read_plan("gc=off", KNOWN)).again
    assert shlex.split(str(written)) == ["pytest", "a.py::x[/]", *kept, "--flakehunt-plan=gc=off"]


def test_a_command_is_written_for_the_folder_it_was_given_in() -> None:
    mode = a_mode("")
    written = a_context(directory=Path("/p/sub")).no_cause(a_finding(mode), mode, CALM).again
    assert str(written) == "pytest '../a.py::x[/]' --flakehunt=5 --flakehunt-diagnose=0"


def test_what_is_broken_needs_no_plan() -> None:
    mode = a_mode("hashseed=7 random=3")
    finding = replace(a_finding(mode), verdict=Verdict.BROKEN)
    assert str(a_context().no_cause(finding, mode, read_plan(mode.plan, KNOWN)).again) == "pytest 'a.py::x[/]'"


def test_many_tests_are_listed_in_a_file(tmp_path: Path) -> None:
    before = tuple(f"a.py::test_it[{number} x]" for number in range(40))
    found = Diagnosis((), Setup(before=before), Setup())
    context = a_context(directory=tmp_path, root=tmp_path, lists=tmp_path)
    again, _, without = context.cause("a.py::x[/]", "", found, 1)
    (word,) = again.words
    assert Path(tmp_path, word.removeprefix("@")).read_text("utf-8").splitlines() == [*before, "a.py::x[/]"]
    assert str(without) == "pytest 'a.py::x[/]'"


def test_what_a_configuration_file_distributes_is_kept_together_by_the_calm_plan() -> None:
    assert unsettled(["-n4"])
    assert unsettled(["-ra", "--reruns=2"])
    assert not unsettled(["-ra", "--no-header", "-nothing"])
    again, _, _ = a_context(unsettled=True).cause("a.py::x", "", Diagnosis((), Setup()), 1)
    assert str(again) == "pytest a.py::x --flakehunt-plan=calm"


def a_context(**changed: Any) -> Context:
    usual: dict[str, Any] = {
        "program": ("pytest",), "selection": (), "options": (), "directory": Path("/p"), "root": Path("/p"), "lists": Path("/p"),
    }  # fmt: skip
    return Context(**{**usual, **changed})


def a_mode(plan: str) -> Mode:
    return Mode("f", Outcome.FAILED, Evidence("call", "E", "", Place("a.py", 1)), 5, 1, plan, Contract.NATURAL)


def a_finding(mode: Mode) -> Finding:
    half = Interval(0.4, 0.6)
    return Finding("a.py::x[/]", "a.py", 1, Verdict.FLAKY, Count(10, 5), half, Count(2, 1), half, modes=(mode,))


def test_each_turn_of_a_test_has_an_instance_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_turns="""
        import unittest

        class TestPlain:
            def test_it(self, request):
                assert request.instance is self
                self.seen = not hasattr(self, "seen")
                assert self.seen

        class TestUnit(unittest.TestCase):
            def setUp(self):
                assert not hasattr(self, "seen")
                self.seen = True
            def test_it(self): pass

        class TestAsync(unittest.IsolatedAsyncioTestCase):
            async def test_it(self):
                assert not hasattr(self, "seen")
                self.seen = True
        """
    )
    plugins = ("-pxdist.plugin", "-ppytest_flakehunt.plugin")
    pytester.runpytest_subprocess(*plugins, "--flakehunt-plan=repeat=3").assert_outcomes(passed=9)
