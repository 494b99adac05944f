"""`flakehunt plan`, as people call it."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.asked.options import usage
from pytest_flakehunt.cli.main import main
from pytest_flakehunt.cli.plan import _simpler
from pytest_flakehunt.model import Plan, SettingError
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import OURS, clock, registry

PLAN = "latency=500ms hashseed=7 clock=frozen:2028-02-29T23:59:58"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["plan", *words]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["plan", *words]) == 2
    out, errors = capsys.readouterr()
    assert not out
    return errors


def test_each_setting_is_explained_and_the_plan_written_as_it_always_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, *PLAN.split()) == said(capsys, PLAN)
    lines = said(capsys, PLAN).splitlines()
    assert lines[:3] == [
        "clock=frozen:2028-02-29T23:59:58: what the wall clock shows; monotonic and event loops are never moved",
        "    the time of day and the date, as a test reads them",
        "    stress: it goes beyond what Python promises; a failure under it alone does not count unless "
        "--flakehunt-fail-on has stress",
    ]
    assert "    natural: it differs between two runs on one machine" in lines
    assert "    needs PYTHONHASHSEED=7" in lines
    assert "    simpler: 200ms, 100ms, 70ms, 50ms, 30ms, and 5 more" in lines
    assert lines[-1] == "written: clock=frozen:2028-02-29T23:59:58 hashseed=7 latency=500ms"


def test_calm_is_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "calm") == "calm: nothing is perturbed\nwritten: calm\n"


def test_every_perturbation_of_ours_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for item in OURS:
        plan = f"{item.name}={item.draw(1, 0)}"
        assert said(capsys, plan).endswith(f"written: {plan}\n")


def test_what_cannot_be_held_here_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.Clocks, "unavailable", "there is no clock", raising=False)
    assert "    hunts here leave it out: there is no clock\n" in said(capsys, "clock=+1d")


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (("--without", "clock"), "hashseed=7 latency=500ms"),
        (("--without", "clock, latency,hashseed"), "calm"),
        (("--only", "latency,hashseed"), "hashseed=7 latency=500ms"),
        (("--simpler", "latency"), "clock=frozen:2028-02-29T23:59:58 hashseed=7 latency=200ms"),
        (("--simpler", "hashseed"), "clock=frozen:2028-02-29T23:59:58 hashseed=0 latency=500ms"),
    ],
)
def test_a_changed_plan_is_written_alone(
    words: tuple[str, ...], changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, PLAN, *words) == f"{changed}\n"


@given(st.sampled_from(OURS), st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_simpler_settings_come_to_an_end(item: object, seed: int, turn: int) -> None:
    perturbation = next(one for one in OURS if one is item)
    setting, steps = perturbation.draw(seed, turn), 0
    while simpler := _simpler(setting):
        assert str(simpler[0]) != str(setting)
        setting, steps = simpler[0], steps + 1
        assert steps < 200, Plan(((perturbation.name, setting),))


@pytest.mark.parametrize("plan", ["clok=3", "hashseed", "hashseed=x", "hashseed=1 hashseed=2", "cores=none"])
def test_a_bad_plan_is_refused_as_pytest_refuses_it(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingError) as error:
        read_plan(plan, registry())
    assert refused(capsys, plan) == f"flakehunt: {error.value}\n"
    assert str(usage(error.value, "flakehunt-plan")) == f"--flakehunt-plan: {error.value}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--without", "gc"),
            "--without gc: the plan leaves gc alone; give some of clock, hashseed, latency",
        ),
        (("--only", ","), "--only ,: give some of clock, hashseed, latency"),
        (("--simpler", "clock,latency"), "--simpler clock,latency: give one of clock, hashseed, latency"),
        (
            ("--simpler", "clock"),
            "--simpler clock: nothing simpler is known than clock=frozen:2028-02-29T23:59:58; leave it out with "
            "--without",
        ),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, PLAN, *words) == f"flakehunt: {message}\n"


def test_perturbations_of_plugins_are_explained_too(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from pytest_flakehunt.model import Contract

        class Mood:
            contract, patience = Contract.NATURAL, 1.0
            def __str__(self): return "bad"

        class Moods:
            '''How the server feels.'''
            name, allowed = "mood", "bad"
            def read(self, text): return Mood()
            def draw(self, seed, turn): return Mood()

        def pytest_flakehunt_perturbations(config): return [Moods()]
        """
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest_flakehunt", "plan", "mood=bad", "--", "-ppytest_flakehunt.plugin"],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": ""},
        cwd=pytester.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("mood=bad: how the server feels\n")
    assert {path.name for path in pytester.path.iterdir()} == {"conftest.py"}
