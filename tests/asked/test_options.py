"""Every refusal, word for word, and pytest's own exit status for it."""

import json
from functools import partial
from pathlib import Path

import pytest

from pytest_flakehunt.asked import flags, takeover
from pytest_flakehunt.asked.options import length, service
from pytest_flakehunt.perturbations import registry

NAMES_OF_ALL = ", ".join(sorted(registry()))


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
            "--flakehunt-plan is exactly what runs; leave out --flakehunt-only, --flakehunt-without and "
            "--flakehunt-weights",
        ),
        (
            ["--flakehunt=3", "--flakehunt-without=colour"],
            f"--flakehunt-without=colour: there is no such perturbation; give some of {NAMES_OF_ALL}",
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
            ["--flakehunt=3", "--flakehunt-annotate=jenkins"],
            "--flakehunt-annotate=jenkins: give auto, github, gitlab, azure, teamcity, buildkite, or none",
        ),
        (
            ["--flakehunt=3", "--flakehunt-junit=x.xml", "--flakehunt-sarif=./x.xml"],
            "--flakehunt-sarif=./x.xml: --flakehunt-junit is written there; give each report a path of its own",
        ),
        (
            ["--flakehunt=3", "-oflakehunt_redact=a("],
            "flakehunt_redact=a(: it is no regular expression: missing ), unterminated subpattern at position 1",
        ),
        (
            ["--flakehunt=3", "-oflakehunt_redact=a*"],
            "flakehunt_redact=a*: it fits no text at all; give one that needs some",
        ),
        (["--flakehunt-sed=3"], "--flakehunt-sed=3: there is no such option; did you mean --flakehunt-seed?"),
        (["--flakhunt-seed=3"], "--flakhunt-seed=3: there is no such option; did you mean --flakehunt-seed?"),
        (
            ["--flakehunt=3", "--flakehunt-onyl=order"],
            "--flakehunt-onyl=order: there is no such option; did you mean --flakehunt-only?",
        ),
        (
            ["--flakehunt=3", "--flakehunt-only=ordr"],
            f"--flakehunt-only=ordr: there is no such perturbation (did you mean order?); give some of {NAMES_OF_ALL}",
        ),
        (
            ["--flakehunt-plan=ordr=reversed"],
            "--flakehunt-plan: ordr=reversed: there is no perturbation ordr (did you mean order?); give "
            f"{NAMES_OF_ALL}",
        ),
        (
            ["--flakehunt=3", "--flakehunt-fail-on=flakey"],
            "--flakehunt-fail-on=flakey: flakey is none of broken, flaky, fragile, stress, leaks, none (did you mean "
            "flaky?)",
        ),
        (["--flakehunt-plan=gc=lazy"], "--flakehunt-plan: gc=lazy: give eager, off, every:NUMBER or random:SEED"),
        (
            ["--flakehunt=3", "--flakehunt-plan=gc=lazy"],
            "--flakehunt-plan: gc=lazy: give eager, off, every:NUMBER or random:SEED",
        ),
    ],
)
def test_bad_input_gets_one_clear_message(pytester: pytest.Pytester, args: list[str], message: str) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_inprocess("-pno:randomly", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line]
    assert errors == [f"ERROR: {message}"]


def test_an_option_that_is_not_ours_is_left_to_pytest(pytester: pytest.Pytester) -> None:
    """One that a conftest declares is taken, pytest refuses others itself, and help is given whatever else is there."""
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--flakehunt-sea')")
    pytester.makepyfile("def test_it(): pass")
    run = partial(pytester.runpytest_inprocess, "-pno:pytest-retry")  # which takes one run a process
    run("--flakehunt-sea=3").assert_outcomes(passed=1)
    for unknown in ("--flakes", "--flakehunt-xylophone=1", "--bogus"):
        result = run(unknown, "--flakehunt-sea=3")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(f"*: error: unrecognized arguments: {unknown}")
    assert run("--help", "--flakehunt-sed=3").ret == pytest.ExitCode.OK


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


def test_a_path_that_cannot_be_written_is_refused_before_anything_runs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("raise SystemExit")
    pytester.mkdir("folder")
    for text, said in {
        "folder": "that is a folder; give the path of a file, such as folder/report.sarif",
        "no/x": f"there is no folder {pytester.path / 'no'}; make it, or give another path",
    }.items():
        result = pytester.runpytest_inprocess("--flakehunt=3", f"--flakehunt-sarif={text}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert f"--flakehunt-sarif={text}: {said}" in result.stderr.str()


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, None),
        ({"GITHUB_ACTIONS": "true"}, "github"),
        ({"GITHUB_ACTIONS": "false"}, None),
        ({"GITLAB_CI": "true"}, "gitlab"),
        ({"TF_BUILD": "True"}, "azure"),
        ({"TEAMCITY_VERSION": "2026.1"}, "teamcity"),
        ({"BUILDKITE": "true"}, "buildkite"),
    ],
)
def test_services_are_known_by_their_variables(variables: dict[str, str], found: str | None) -> None:
    assert service("auto", variables) == found
    assert service("none", variables) is None


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


VALUES = [
    {
        "flakehunt": (200, "200"),
        "flakehunt-seed": (7, "7"),
        "flakehunt-only": (["order", "repeat"], "order,repeat"),
        "flakehunt-without": (["clock"], "clock"),
        "flakehunt-weights": (["order=6", "clock=0.5"], "order=6,clock=0.5"),
        "flakehunt-plan": ("hashseed=7 order=reversed", "hashseed=7 order=reversed"),
        "flakehunt-fail-on": (["broken", "leaks"], "broken,leaks"),
        "flakehunt-isolation": ("fresh", "fresh"),
        "flakehunt-timeout": (60, "60"),
        "flakehunt-diagnose": (100, "100"),
        "flakehunt-leaks": (True, "on"),
        "flakehunt-grace": (0.25, "0.25"),
        "flakehunt-forgive": (["thread:my client.*", "file:/var/*"], "thread:my client.*,file:/var/*"),
        "flakehunt-ledger": ("one/ledger.sqlite", "one/ledger.sqlite"),
        "flakehunt-resume": (True, "on"),
        "flakehunt-shard": ("2/8", "2/8"),
        "flakehunt-journal": ("shard.jsonl", "shard.jsonl"),
        "flakehunt-json": ("report.json", "report.json"),
        "flakehunt-junit": ("report.xml", "report.xml"),
        "flakehunt-sarif": ("report.sarif", "report.sarif"),
        "flakehunt-ctrf": ("ctrf.json", "ctrf.json"),
        "flakehunt-gitlab": ("gl.json", "gl.json"),
        "flakehunt-markdown": ("report.md", "report.md"),
        "flakehunt-html": ("report.html", "report.html"),
        "flakehunt-annotate": ("none", "none"),
        "flakehunt-changed": ("HEAD~3", "HEAD~3"),
        "flakehunt-quarantine": ("off", "off"),
    },
    {
        "flakehunt": ("10m", "10m"),
        "flakehunt-timeout": (0.5, "0.5"),
        "flakehunt-leaks": (False, "off"),
        "flakehunt-grace": (1, "1"),
    },
]
"""Options, a value in its natural type, and what stands for it on the command line."""
NATIVE = pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest reads TOML with types from 9 on")


@pytest.fixture
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def line_in_toml(name: str, value: object) -> str:
    return f"{name} = {json.dumps(value)}"  # the same, for such values


def line_in_ini(name: str, value: object) -> str:
    lines = "".join(f"\n    {each}" for each in value) if isinstance(value, list) else value
    return f"{name} = {lines}"


FORMS = {
    "pytest.ini": ("[pytest]", line_in_ini),
    "setup.cfg": ("[tool:pytest]", line_in_ini),
    "pyproject.toml": ("[tool.pytest.ini_options]", line_in_toml),
    "native pyproject.toml": ("[tool.pytest]", line_in_toml),
    "pytest.toml": ("[pytest]", line_in_toml),
}


def test_every_option_has_a_value_in_the_table() -> None:
    assert list(VALUES[0]) == list(flags.NAMES)


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize(
    "form",
    [pytest.param(form, marks=NATIVE if form in {"native pyproject.toml", "pytest.toml"} else ()) for form in FORMS],
)
@pytest.mark.usefixtures("only_ours")
def test_every_option_takes_its_natural_type_in_every_file(
    pytester: pytest.Pytester, form: str, values: dict[str, tuple[object, str]]
) -> None:
    if form in {"native pyproject.toml", "pytest.toml"} and pytest.version_tuple < (9, 2):
        values = {name: value for name, value in values.items() if name != "flakehunt"}  # it has two types
    header, line = FORMS[form]
    written = [line(name.replace("-", "_"), value) for name, (value, _) in values.items()]
    (pytester.path / form.rpartition(" ")[2]).write_text("\n".join([header, *written]), "utf-8")
    config = pytester.parseconfig("-pxdist.plugin", "-ppytest_flakehunt.plugin")
    assert {name: flags.given(config, name) for name in values} == {name: text for name, (_, text) in values.items()}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("pytest.ini", "one two, three"),
        ("pyproject.toml", ["one", "two", "three"]),
        ("pytest.toml", ["one", "two", "three"]),
    ],
)
@pytest.mark.usefixtures("only_ours")
def test_names_of_other_plugins_are_a_list_as_well(pytester: pytest.Pytester, form: str, text: object) -> None:
    if form == "pytest.toml" and pytest.version_tuple < (9,):
        pytest.skip("pytest reads TOML with types from 9 on")
    header, line = FORMS[form]
    (pytester.path / form).write_text(f"{header}\n{line('flakehunt_disable_plugins', text)}\n", "utf-8")
    assert takeover.disabled(pytester.parseconfig("-pxdist.plugin", "-ppytest_flakehunt.plugin")) == [
        "one",
        "two",
        "three",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("flakehunt_leaks = maybe", "flakehunt_leaks=maybe: give on or off, or leave it out to watch hunts alone"),
        ("flakehunt_timeout = soon", "--flakehunt-timeout=soon: give seconds, more than 0"),
        ("flakehunt_seed = seven", "--flakehunt-seed=seven: give a whole number, 0 or more"),
    ],
)
@pytest.mark.skipif((9,) <= pytest.version_tuple < (9, 2), reason="there pytest refuses it in its own words")
@pytest.mark.usefixtures("only_ours")
def test_a_bad_value_in_a_file_is_refused_in_our_own_words(pytester: pytest.Pytester, line: str, message: str) -> None:
    pytester.makeini(f"[pytest]\n{line}\n")
    result = pytester.runpytest_subprocess("-pxdist.plugin", "-ppytest_flakehunt.plugin", "--flakehunt=1")
    assert (result.ret, result.stderr.str().strip()) == (pytest.ExitCode.USAGE_ERROR, f"ERROR: {message}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--flakehunt-shard=9/8",),
            "--flakehunt-shard=9/8: give which part of how many, such as 2/8, from 1/8 to 8/8",
        ),
        (
            ("--flakehunt-shard=2/8",),
            "--flakehunt-shard=2/8: all shards must draw from one seed; give each of them the same --flakehunt-seed=SEED",
        ),
        (
            ("--flakehunt-shard=2/8", "--flakehunt-seed=1", "--flakehunt=10m"),
            "--flakehunt-shard=2/8: a number of sweeps can be split, and a time cannot; give --flakehunt=N, such as 200",
        ),
        (
            ("--flakehunt-shard=2/8", "--flakehunt-seed=1", "--flakehunt-weights=learned"),
            "--flakehunt-shard=2/8: each shard would learn other weights from its own ledger; leave "
            "--flakehunt-weights=learned out, or give the weights",
        ),
        (
            ("--flakehunt-shard=2/8", "--flakehunt-seed=1", "--flakehunt-plan=gc=eager"),
            "--flakehunt-shard=2/8: --flakehunt-plan leaves nothing to split; leave one of them out",
        ),
        (
            ("--flakehunt-journal=no/x.jsonl",),
            "--flakehunt-journal=no/x.jsonl: give the path of a file in a folder that there is",
        ),
        (
            ("--flakehunt-journal=a.sqlite", "--flakehunt-ledger=a.sqlite"),
            "--flakehunt-journal=a.sqlite: the ledger is kept there; give another path",
        ),
        (
            ("--flakehunt-resume", "--flakehunt-ledger=none.sqlite"),
            "--flakehunt-resume: *none.sqlite has no hunt that was interrupted; leave it out for a new hunt, or give the "
            "ledger with --flakehunt-ledger",
        ),
    ],
)
def test_what_cannot_be_split_or_gone_on_with_is_refused(
    words: tuple[str, ...], said: str, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_inprocess("--flakehunt=20", *words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert not Path(pytester.path, ".flakehunt").exists()
