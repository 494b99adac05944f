"""Every refusal, word for word, and pytest's own exit status for it."""

from pathlib import Path

import pytest

from pytest_flakehunt.asked.options import length


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--flakehunt=many"],
            "--flakehunt=many: give a number of sweeps, such as 200, or a time, such as 90s, 10m or 2h",
        ),
        (
            ["--flakehunt=1.5"],
            "--flakehunt=1.5: give a number of sweeps, such as 200, or a time, such as 90s, 10m or 2h",
        ),
        (
            ["--flakehunt=0"],
            "--flakehunt=0: that is no sweep at all; give 1 or more, or leave it out for an ordinary run",
        ),
        (
            ["--flakehunt=0s"],
            "--flakehunt=0s: that is no sweep at all; give 1 or more, or leave it out for an ordinary run",
        ),
        (
            ["--flakehunt=-1"],
            "--flakehunt=-1: there cannot be fewer than no sweeps; give 1 or more, or leave it out for an ordinary run",
        ),
        (
            ["--flakehunt=3", "--pdb"],
            "--pdb cannot go with --flakehunt: leave one of them out; to debug one failure, run the repro command of "
            "its finding without --flakehunt",
        ),
        (
            ["--flakehunt=3", "--collect-only"],
            "--collect-only cannot go with --flakehunt: leave one of them out",
        ),
        (
            ["--flakehunt=3", "--flakehunt-only=gc", "--flakehunt-without=clock"],
            "--flakehunt-only and --flakehunt-without contradict each other; give one of them",
        ),
        (
            ["--flakehunt=3", "--flakehunt-only=gc", "--flakehunt-plan=gc=off"],
            "--flakehunt-plan is exactly what runs; leave out --flakehunt-only and --flakehunt-without",
        ),
        (
            ["--flakehunt=3", "--flakehunt-without=colour"],
            "--flakehunt-without=colour: there is no such perturbation; give some of asyncio, clock, cores, gc, hashseed, "
            "heap, latency, listdir, load, locale, network, order, random, repeat, threads, timezone",
        ),
        (["--flakehunt=3", "--flakehunt-seed=x"], "--flakehunt-seed=x: give a whole number, 0 or more"),
        (
            ["--flakehunt=3", "--flakehunt-fail-on=bugs"],
            "--flakehunt-fail-on=bugs: bugs is none of broken, flaky, fragile, stress, leaks, none",
        ),
        (
            ["--flakehunt=3", "--flakehunt-fail-on=none,flaky"],
            "--flakehunt-fail-on=none,flaky: none stands alone; leave it or the others out",
        ),
        (["--flakehunt=3", "--flakehunt-isolation=vm"], "--flakehunt-isolation=vm: give auto, fork or fresh"),
        (["--flakehunt=3", "--flakehunt-timeout=0"], "--flakehunt-timeout=0: give seconds, more than 0"),
        (
            ["--flakehunt-json=x.json"],
            "--flakehunt-json goes with a hunt; add --flakehunt=N, or leave it out",
        ),
        (
            ["--flakehunt=3", "--flakehunt-json=no/x.json"],
            "no/x.json: give the path of a file in a folder that exists",
        ),
        (["--flakehunt-plan=gc=lazy"], "--flakehunt-plan: gc=lazy: give eager, off or random:SEED"),
        (
            ["--flakehunt=3", "--flakehunt-plan=gc=lazy"],
            "--flakehunt-plan: gc=lazy: give eager, off or random:SEED",
        ),
    ],
)
def test_bad_input_gets_one_clear_message(pytester: pytest.Pytester, args: list[str], message: str) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_inprocess("-pno:randomly", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line]
    assert errors == [f"ERROR: {message}"]


@pytest.mark.parametrize(
    ("text", "sweeps", "seconds"),
    [("1", 1, None), ("1000", 1000, None), ("90s", None, 90), ("1.5h", None, 5400)],
)
def test_n_is_a_number_or_a_time(text: str, sweeps: int | None, seconds: float | None) -> None:
    assert length(text) == (sweeps, seconds)


def test_a_ledger_that_is_a_folder_is_refused_before_anything_is_collected(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("raise SystemExit")
    result = pytester.runpytest_inprocess("--flakehunt=3", f"--flakehunt-ledger={pytester.path}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"{pytester.path} is a folder; give the path of a file" in result.stderr.str()


def test_options_have_ini_twins(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    pytester.makeini("[pytest]\nflakehunt = never\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --flakehunt=never: *"])


def test_an_ordinary_run_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nflakehunt_timeout = 60\n")
    pytester.makepyfile(
        test_it="""
        import sys
        def test_it():
            ours = {name for name in sys.modules if name.startswith("pytest_flakehunt")}
            assert ours == {"pytest_flakehunt", "pytest_flakehunt.plugin", "pytest_flakehunt.asked", "pytest_flakehunt.asked.flags",
                            "pytest_flakehunt.hookspecs"}
            assert "psutil" not in sys.modules and "rich" not in sys.modules and "freezegun" not in sys.modules
        """
    )
    result = pytester.runpytest_subprocess("-pno:randomly", "-pno:freezegun", "-pno:hypothesispytest")
    result.assert_outcomes(passed=1)
    assert not Path(pytester.path, ".flakehunt").exists()
