"""`flakehunt compare`, `history` and `show`, as people call them."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports import document
from tests.analysis.test_comparison import hunted, never, now_and_then
from tests.reports.conftest import sample

__all__ = ["sample"]
Run = Callable[..., tuple[int, str, str]]
OFTEN = now_and_then(0.5, 1)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        status = main(words)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def kept(folder: Path, *hunts: Findings) -> Path:
    """Put hunts into a ledger; the one before the last was killed."""
    opened = Ledger(folder / ".flakehunt" / "ledger.sqlite")
    for number, findings in enumerate(hunts):
        trial = replace(findings.trial, uid=f"{number + 10:02x}" * 16)
        opened.begin(trial, "2 cores", {}, folder, [])
        opened.conclude(document.text(replace(findings, trial=trial)))
        opened.end(1.0)
    opened.begin(replace(hunts[0].trial, uid="ff" * 16), "2 cores", {}, folder, [])
    opened.close()
    return opened.path


def test_what_is_new_makes_the_exit_status_1(run: Run, tmp_path: Path) -> None:
    kept(
        tmp_path,
        hunted({"a.py::t": never, "a.py::u": never}),
        hunted({"a.py::t": OFTEN, "a.py::u": never}, python="3.12.1"),
    )
    status, said, _ = run("compare", "1", "2")
    assert status == 1
    assert said.startswith("before: hunt 1 (100 sweeps, 2026-11-26 06:00)\nafter:  hunt 2 (100 sweeps")
    assert "they differ in python: 3.13.0 before, 3.12.1 after\n" in said
    assert "\nNEW a.py::t\n  fails 0 of 100 (0 % to 3.6 %) before, " in said
    assert "  AssertionError at a.py:1: assert 0\n" in said
    assert "a.py::u" not in said
    assert run("compare", "2", "1")[0] == 0
    assert run("compare", "1", "2", "--fail-on=gone,better")[0] == run("compare", "1", "2", "--fail-on=none")[0] == 0
    assert run("compare", "2", "1", "--fail-on", "gone")[0] == 1
    assert run("compare", "0b0b", "0b0b")[1].endswith("at most 5 % chance that any change told is none\n")


def test_sides_are_files_hunts_ids_or_revisions(run: Run, tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main"]
    for words in (
        ["init", "-q"],
        ["commit", "-q", "--allow-empty", "-m", "one"],
        ["tag", "first"],
        ["commit", "-q", "--allow-empty", "-m", "two"],
    ):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    first, second = (
        subprocess.run(
            [*git, "rev-parse", name], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()
        for name in ("first", "main")
    )
    calm, flaky = hunted({"t": never}, 20, each=7), hunted({"t": OFTEN}, 20, each=7)
    revisions = (*[first[:12]] * 6, *[second[:12]] * 6, "c0ffee00c0ff+")
    at = [
        replace(hunt, trial=replace(hunt.trial, revision=revision, seed=seed))
        for seed, revision in enumerate(revisions)
        for hunt in [calm if seed < 6 else flaky]
    ]
    path = kept(tmp_path, *at)
    (tmp_path / "one.json").write_text(document.text(at[0]))
    (tmp_path / "two.json").write_text(document.text(at[-1]))
    assert run("compare", "one.json", "two.json")[0] == 0  # too few to tell
    status, said, error = run("compare", "first", "main")
    assert not error
    assert (status, "NEW t\n" in said) == (1, True)
    assert "before: hunts 1, 2, 3, 4, 5 and 6 (120 sweeps at first)" in said
    assert run("compare", first[:8], second[:8])[1].count("NEW t") == 1
    assert run("compare", str(path), "13", "-v")[1].count("SAME t") == 1
    for word, why in {
        "c0ffee": "of that revision there is only hunt 13 in .flakehunt/ledger.sqlite, with files that had been changed",
        "nothing": "that is no file, and .flakehunt/ledger.sqlite has no hunt of that number, id or revision",
    }.items():
        status, _, error = run("compare", word, "1")
        assert (status, why in error) == (2, True)


def test_what_cannot_be_compared_is_refused(run: Run, tmp_path: Path) -> None:
    assert "no ledger .flakehunt/ledger.sqlite to look in; give --ledger PATH" in run("compare", "1", "2")[2]
    kept(tmp_path, hunted({"t": never}), hunted({}))
    assert run("compare", "1", "2")[2].startswith("flakehunt: hunt 2 (100 sweeps, 2026-11-26 06:00): it has no tests")
    for words in (["--error", "1"], ["--error", "few"], ["--fail-on", "worst"]):
        with pytest.raises(SystemExit, match="2"):
            run("compare", "1", "1", *words)


def test_a_history_says_when_it_began(run: Run, tmp_path: Path) -> None:
    hunts = [hunted({"a.py::t": never, "a.py::u": never}, revision="aaaa")] * 3 + [
        hunted({"a.py::t": OFTEN, "a.py::u": never}, revision="bbbb")
    ] * 2
    kept(tmp_path, *hunts)
    status, said, _ = run("history", "t")
    assert status == 0
    lines = said.splitlines()
    assert lines[0] == "a.py::t"
    assert [line.split()[0] for line in lines[2:7]] == ["1", "2", "3", "4", "5"]
    assert "│███" in lines[5]
    assert lines[-1].startswith("it began to fail, most likely between hunt 3 (aaaa) and hunt 4 (bbbb) (p ")
    assert run("history", "a.py::u")[1].splitlines()[-1] == "it was never seen failing"
    assert "2 tests are called so; give more of one's node id:\n  a.py::t\n  a.py::u" in run("history", "a.py")[2]
    assert "v: no test is called so" in run("history", "v")[2]
    assert (
        "a.py::tt: no test is called so in what was recorded (did you mean a.py::t?); give"
        in run("history", "a.py::tt")[2]
    )


def test_one_finding_is_shown_in_full(run: Run, tmp_path: Path, sample: Findings) -> None:
    kept(tmp_path, sample)
    status, said, _ = run("show", "test_victim")
    assert status == 0
    assert said.startswith("\nFRAGILE tests/test_a.py::test_victim\n")
    assert "cause: order: it is the victim of tests/test_a.py::test_polluter" in said
    assert ["calm", "40", "0", "0", "%", "to", "8.8", "%"] in [line.split() for line in said.splitlines()]
    assert "not excluded: locale stands down: none is installed\n" in said
    assert "test_polluter: " not in said
    assert run("show", "test_victim", "--hunt", "1")[1] == said
    assert "no such file" in run("show", "test_victim", "elsewhere.json")[2]
