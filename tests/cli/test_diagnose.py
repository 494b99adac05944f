"""`flakehunt diagnose`: what a hunt's budget ended goes on another day, as people call it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.cli.main import main

Hunter = Callable[..., Any]
Later = Callable[..., "subprocess.CompletedProcess[str]"]
PLUGINS = ("-pxdist.plugin", "-ppytest_flakehunt.plugin")
SUITE = """
    import pytest
    FLAGS = {}
    @pytest.mark.parametrize("n", range(3))
    def test_victim(n): assert n not in FLAGS
    @pytest.mark.parametrize("n", range(3))
    def test_pollutes(n): FLAGS[n] = True
    """


@pytest.fixture
def later(pytester: pytest.Pytester) -> Later:
    def run(
        *words: str, more: tuple[str, ...] = ("--flakehunt-json=later.json",)
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "pytest_flakehunt", "diagnose", *words, "--", *PLUGINS, *more]
        return subprocess.run(
            command, env=dict(os.environ), cwd=pytester.path, capture_output=True, text=True, check=False, timeout=300
        )

    return run


def polluters(path: Path) -> dict[str, list[str]]:
    report = json.loads(path.read_text("utf-8"))
    return {
        test["nodeid"].partition("::")[2]: [name for cause in mode["causes"] for name in cause["polluters"]]
        for test in report["tests"]
        for mode in test["modes"]
    }


ALL = {f"test_victim[{n}]": [f"test_it.py::test_pollutes[{n}]"] for n in range(3)}


@pytest.mark.thorough
def test_what_the_budget_ended_goes_on_from_the_ledger(pytester: pytest.Pytester, hunt: Hunter, later: Later) -> None:
    pytester.makepyfile(test_it=SUITE)
    first = hunt("--flakehunt-only=order", "-n2", sweeps=14, diagnose=20)
    before = polluters(pytester.path / "report.json")
    assert before != ALL
    (line,) = (
        line for line in first.result.outlines if line.startswith("experiments that the budget ended go on with:")
    )
    assert line.partition(": ")[2] == first.report["hunt"]["go_on"]
    assert f" diagnose .flakehunt/ledger.sqlite --hunt {first.report['hunt']['id'][:8]} -- " in line
    done = later()
    assert done.returncode == 1, done.stdout + done.stderr
    assert polluters(pytester.path / "later.json") == ALL
    report = json.loads((pytester.path / "later.json").read_text("utf-8"))
    for name in ("id", "seed", "sweeps", "spent", "zygotes"):
        assert report["hunt"][name] == first.report["hunt"][name]
    assert report["hunt"]["experiments"] > first.report["hunt"]["experiments"]
    assert report["hunt"]["go_on"] == ""
    counts = [(test["nodeid"], test["runs"], test["failures"], test["calm"]) for test in first.report["tests"]]
    assert [(test["nodeid"], test["runs"], test["failures"], test["calm"]) for test in report["tests"]] == counts
    assert all(mode["verified"]["failures"] for test in report["tests"] for mode in test["modes"])
    again = later()
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("nothing is left to find out")


@pytest.mark.thorough
def test_a_hunt_without_experiments_gets_them_later_for_the_tests_that_are_named(
    pytester: pytest.Pytester, hunt: Hunter, later: Later
) -> None:
    pytester.makepyfile(test_it=SUITE)
    first = hunt("--flakehunt-only=order", sweeps=14, diagnose=0)
    assert first.report["hunt"]["go_on"] == ""
    done = later("--test", "test_it.py::test_victim[1]")
    assert done.returncode == 1, done.stdout + done.stderr
    named = {name: found * (name == "test_victim[1]") for name, found in ALL.items()}
    assert polluters(pytester.path / "later.json") == named


@pytest.mark.thorough
def test_tests_that_are_gone_are_left_as_they_were_and_new_code_is_said(
    pytester: pytest.Pytester, hunt: Hunter, later: Later
) -> None:
    git = ("git", "-c", "user.name=N", "-c", "user.email=n@example.org")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first", "--allow-empty")):
        pytester.makepyfile(test_it=SUITE, test_gone='import os\ndef test_leaks(): os.environ["LEFT"] = "1"')
        subprocess.run([*git, *words], cwd=pytester.path, check=True)
    first = hunt("--flakehunt-only=order", sweeps=14, diagnose=0)
    (pytester.path / "test_gone.py").unlink()
    pytester.makepyfile(test_it=SUITE.replace("range(3))\n    def test_victim", "range(2))\n    def test_victim"))
    subprocess.run([*git, "commit", "-qam", "second"], cwd=pytester.path, check=True)
    done = later()
    assert polluters(pytester.path / "later.json") == {**ALL, "test_victim[2]": []}, done.stdout + done.stderr
    notes = json.loads((pytester.path / "later.json").read_text("utf-8"))["notes"]
    assert "collected no more, and left as they were: test_it.py::test_victim[2]" in notes, notes
    assert any(note.startswith("experiments went on with revision ") for note in notes)
    assert first.report["hunt"]["revision"] in " ".join(notes)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), ".flakehunt/ledger.sqlite: there is no such ledger; hunt first, or give the path of one"),
        (("report.json",), "report.json: it is no ledger"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.json").write_text("{}")
    assert main(["diagnose", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.thorough
def test_a_test_that_did_not_fail_is_refused(pytester: pytest.Pytester, hunt: Hunter, later: Later) -> None:
    pytester.makepyfile(test_it=SUITE)
    hunt("--flakehunt-only=order", sweeps=14, diagnose=0)
    done = later("--test", "test_it.py::test_pollutes[0]")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("flakehunt: --test test_it.py::test_pollutes[0]: it did not fail in .flakehunt/")
    assert "those that did: test_it.py::test_victim[0], " in done.stderr
