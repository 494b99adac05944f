"""Reports and ledgers that somebody else wrote, and what is told of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.bisecting import worktree
from pytest_flakehunt.cli import patience
from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports import document, reading
from tests.reports.conftest import sample

__all__ = ["sample"]
ESCAPE = "\x1b]0;owned\x07\x1b[2J"


def refused(path: Path, told: Any, capsys: pytest.CaptureFixture[str]) -> str:
    path.write_text(json.dumps(told), "utf-8")
    assert main(["show", "test_a", str(path)]) == 2
    said = capsys.readouterr()
    assert not said.out
    return said.err


def test_a_text_in_the_place_of_a_list_writes_no_command(
    tmp_path: Path, sample: Findings, capsys: pytest.CaptureFixture[str]
) -> None:
    told = document.report(sample) | {"notes": "\n::error::x\n##vso[task.complete]"}
    said = refused(tmp_path / "r.json", told, capsys)
    assert "is no list" in said
    assert "\n::" not in said
    assert "##vso" not in said


def test_refusals_are_short(tmp_path: Path, sample: Findings, capsys: pytest.CaptureFixture[str]) -> None:
    told = document.report(sample)
    for wrong in ({"schema": "x" * 100_000}, {"tests": [{**told["tests"][0], "verdict": "x" * 100_000}]}):
        assert len(refused(tmp_path / "r.json", told | wrong, capsys)) < 1000
    told["hunt"]["sweeps"] = 10**4000
    assert "larger than any number" in refused(tmp_path / "r.json", told, capsys)


def test_a_report_that_is_larger_than_any_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "r.json").open("wb") as file:
        file.truncate(reading.MOST + 1)
    assert main(["report", str(tmp_path / "r.json")]) == 2
    assert "no report of a hunt has more than" in capsys.readouterr().err


def test_no_text_of_a_report_commands_a_terminal(
    tmp_path: Path, sample: Findings, capsys: pytest.CaptureFixture[str]
) -> None:
    def poisoned(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: poisoned(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [poisoned(one, name) for one in value]
        if isinstance(value, str) and name in {
            "repro",
            "plan",
            "setting",
            "note",
            "notes",
            "phase",
            "exception",
            "perturbation",
            "sentence",
            "what",
        }:
            return f"{value}{ESCAPE}"
        return value

    path = tmp_path / "r.json"
    path.write_text(json.dumps(poisoned(document.report(sample))), "utf-8")
    for words in (
        ["report", str(path), "-v"],
        ["show", "test_victim", str(path)],
        ["compare", str(path), str(path), "-v"],
    ):
        assert main(words) in {0, 1}
        said = capsys.readouterr().out
        assert said
        assert "\x1b" not in said
        assert "\x07" not in said


def test_a_pattern_that_never_ends_is_given_up(
    tmp_path: Path, sample: Findings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST", 0.2)
    ledger = Ledger(tmp_path / "l.sqlite")
    ledger.begin(sample.trial, "", {}, tmp_path, ["(a+)+$"])
    ledger.conclude(document.text(replace(sample, notes=("a" * 40 + "!",))))
    ledger.note("a" * 40 + "!")
    ledger.end(1.0)
    ledger.close()
    for words in (["--json", str(tmp_path / "r.json")], ["--redacted-ledger", str(tmp_path / "c.sqlite")]):
        assert main(["report", str(tmp_path / "l.sqlite"), *words]) == 2
        said = capsys.readouterr().err
        assert said.endswith("what its hunts were told to hide takes too long to look for: (a+)+$\n")
    assert {path.name for path in tmp_path.iterdir()} <= {"l.sqlite", "l.sqlite-shm", "l.sqlite-wal"}


def test_a_name_that_no_file_can_have_is_no_time_zone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", f"timezone={'A' * 300}"]) == 2
    assert ": give " in capsys.readouterr().err


def test_no_folder_is_removed_because_notes_name_it(tmp_path: Path) -> None:
    inner = tmp_path / "flakehunt-bisect-of-mine" / "project"
    inner.mkdir(parents=True)
    worktree.removed(tmp_path, inner)
    assert inner.exists()


def test_experiments_go_on_with_words_that_a_command_can_have(
    tmp_path: Path, sample: Findings, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger(tmp_path / "l.sqlite")
    ledger.begin(sample.trial, "", {}, tmp_path)
    ledger.conclude(document.text(replace(sample, trial=replace(sample.trial, perturbations=("clock\0",)))))
    ledger.end(1.0)
    ledger.close()
    assert main(["diagnose", str(tmp_path / "l.sqlite")]) == 2
    assert r"it asks for '--flakehunt-only=clock\x00', and no hunt does" in capsys.readouterr().err
