"""What leaves the machine: reports and annotations of whole runs, with nothing secret in them."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_flakehunt.ledger import archive
from tests.conftest import Hunted
from tests.reports import grammars

pytestmark = pytest.mark.thorough
Hunt = Callable[..., Hunted]
SECRET = "ghp_" + "a1B2" * 9
SUITE = f"""
import os
import pytest

@pytest.mark.parametrize("text", ["a\\n::error::injected\\n##vso[task.complete]", "b"])
def test_broken(text):
    print("::stop-commands::x\\n##teamcity[buildProblem description='x']")
    assert not text, f"::error::{{text}} {SECRET} {{os.environ['DB_PASSWORD']}}"

def test_sound():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makepyfile(test_it=SUITE)
    pytester.makeini("[pytest]\nflakehunt_redact = internal-\\w+\n")
    monkeypatch.setenv("DB_PASSWORD", "correct horse")
    return pytester


def test_every_report_is_written_and_nothing_secret_is_in_any(suite: pytest.Pytester, hunt: Hunt) -> None:
    kinds = {"junit": grammars.surefire, "sarif": grammars.sarif, "ctrf": grammars.ctrf, "gitlab": grammars.gitlab}
    hunted = hunt(*(f"--flakehunt-{kind}={kind}.out" for kind in (*kinds, "markdown", "html")))
    assert hunted.result.ret == 1
    for path in (*(suite.path / f"{kind}.out" for kind in (*kinds, "markdown", "html")), suite.path / "report.json"):
        text = path.read_text("utf-8")
        assert "test_broken" in text
        assert SECRET not in text
        assert "correct horse" not in text
        assert "***" in text
    for kind, read in kinds.items():
        read((suite.path / f"{kind}.out").read_text("utf-8"))
    (kept,) = archive.hunts(suite.path / ".flakehunt" / "ledger.sqlite")
    assert kept.uid == hunted.report["hunt"]["id"]
    assert kept.redact == ("internal-\\w+", "correct\\ horse")  # what it met, wherever it is reported from
    whole = archive.document(suite.path / ".flakehunt" / "ledger.sqlite", kept.number)
    assert SECRET in whole  # the ledger is the user's own
    assert whole.count("***") == 0


@pytest.mark.parametrize(
    ("variables", "read", "names"),
    [
        ({"GITHUB_ACTIONS": "true"}, grammars.github, {"error"}),
        ({"TF_BUILD": "True"}, grammars.azure, {"task.logissue"}),
        ({"TEAMCITY_VERSION": "2026.1"}, grammars.teamcity, {"inspectionType", "inspection"}),
    ],
)
def test_a_service_that_is_there_is_told_and_tests_can_tell_it_nothing(
    suite: pytest.Pytester,
    hunt: Hunt,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    read: Callable[[str], list[grammars.Command]],
    names: set[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = hunt("--tb=no", "--show-capture=no", "-rN").result.stdout.str()
    ours = said[said.index("= flakehunt =") :]
    found = read(ours)
    assert {one.name for one in found} == names
    for command in found:
        assert "injected" not in command.name
    assert SECRET not in "".join(map(str, found))
    assert sum("it failed in every calm attempt" in str(one) for one in found) == 2
    hunted = hunt("--tb=no", "--show-capture=no", "-rN", "--flakehunt-annotate=none").result.stdout.str()
    assert read(hunted[hunted.index("= flakehunt =") :]) == []


def test_github_has_a_summary_beside_what_others_wrote_there(
    suite: pytest.Pytester, hunt: Hunt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "summary.md"))
    (suite.path / "summary.md").write_text("what was there\n")
    assert hunt().result.ret == 1
    text = (suite.path / "summary.md").read_text("utf-8")
    assert text.startswith("what was there\n## flakehunt: 2 findings that count\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "no" / "summary.md"))
    said = hunt().result
    assert said.ret == 1
    said.stdout.fnmatch_lines(
        [
            f"flakehunt: GITHUB_STEP_SUMMARY={suite.path}/no/summary.md: the summary could not be written: No such file or directory"
        ]
    )


def test_gitlab_and_buildkite_read_files(suite: pytest.Pytester, hunt: Hunt) -> None:
    assert hunt("--flakehunt-annotate=gitlab").result.ret == 1
    entries = grammars.gitlab((suite.path / "gl-code-quality-report.json").read_text("utf-8"))
    assert [entry["check_name"] for entry in entries.values()] == ["flakehunt-broken"] * 2
    said = hunt("--flakehunt-annotate=buildkite").result.stdout.str()
    path = suite.path / ".flakehunt" / "buildkite-annotation.md"
    assert f"flakehunt: to annotate: buildkite-agent annotate --style=error --context=flakehunt < {path}" in said
    assert path.read_text("utf-8").startswith("## flakehunt: 2 findings that count\n")


def test_what_cannot_be_written_keeps_no_other_report_back_and_loses_no_result(
    suite: pytest.Pytester, hunt: Hunt
) -> None:
    hunted = hunt("--flakehunt-junit=/dev/full", "--flakehunt-sarif=report.sarif")
    assert hunted.result.ret == 1
    hunted.result.stdout.fnmatch_lines(
        [
            "error: junit report at /dev/full: it could not be written: No space left on device; make it again from the "
            "ledger with flakehunt report"
        ]
    )
    assert hunted.verdicts["test_sound"] == "steady"
    grammars.sarif((suite.path / "report.sarif").read_text("utf-8"))
    (kept,) = archive.hunts(suite.path / ".flakehunt" / "ledger.sqlite")
    assert kept.concluded


def test_files_are_told_from_the_root_of_the_repository(
    suite: pytest.Pytester, hunt: Hunt, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = suite.path
    below = suite.mkdir("sub")
    (root / "test_it.py").rename(below / "test_it.py")
    (root / "tox.ini").rename(below / "tox.ini")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    monkeypatch.chdir(below)
    hunt("--flakehunt-json=../report.json", "--flakehunt-annotate=github", "--flakehunt-sarif=../report.sarif")
    report = json.loads((root / "report.json").read_text("utf-8"))
    assert report["hunt"]["folder"] == "sub"
    (run,) = json.loads((root / "report.sarif").read_text("utf-8"))["runs"]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert (location["artifactLocation"]["uri"], location["region"]["startLine"]) == ("sub/test_it.py", 4)


TITLE = "leaked environ: os.environ['LEFT']"
LEAKY = """
import os

def test_left():
    os.environ["LEFT"] = "1"

def test_due():
    assert 1 == 2
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_an_ordinary_run_is_annotated_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    for name in list(os.environ):
        if name.startswith(("GITHUB", "CI", "PYTEST_XDIST")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    pytester.makepyfile(test_it=LEAKY)
    pytester.makeini("[pytest]\nflakehunt_leaks = on\n")
    plugins = ("-pxdist.plugin", "-ppytest_flakehunt.plugin", "-pno:cacheprovider")
    hunted = pytester.runpytest_subprocess(*plugins, *workers)
    (leak,) = grammars.github(hunted.stdout.str())
    assert (leak.name, leak.properties) == (
        "notice",
        {"file": "test_it.py", "line": "3", "title": TITLE},
    )
    expired = '[[quarantined]]\ntest = "test_it.py::test_due"\nadded = 2020-01-01\nexpires = 2020-01-09\nreason = "soon"\nfingerprints = ["FP"]\n'
    from pytest_flakehunt.analysis.fingerprints import named

    print_of = named("call", "AssertionError", "test_it.py::test_due assert 1==2")
    Path("flakehunt-quarantine.toml").write_text("version = 1\n" + expired.replace("FP", print_of), "utf-8")
    found = grammars.github(pytester.runpytest_subprocess(*plugins, *workers).stdout.str())
    assert {(one.name, one.properties["title"], one.properties["line"]) for one in found} == {
        ("notice", "quarantined, and not excused", "6"),
        ("notice", TITLE, "3"),
    }
    assert "expired" in "".join(one.data for one in found)
    none = pytester.runpytest_subprocess(*plugins, *workers, "--flakehunt-annotate=none")
    assert grammars.github(none.stdout.str()) == []
