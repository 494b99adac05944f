"""`flakehunt report`, as people call it."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports import document, reading
from tests.reports import grammars
from tests.reports.conftest import sample

__all__ = ["sample"]
SECRET = "ghp_" + "a1B2" * 9
Report = Callable[..., tuple[int, str, str]]


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Report:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["report", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def ledger(tmp_path: Path, sample: Findings) -> Path:
    """Give one with a hunt that was killed between two that were concluded; the last found a secret in a message."""
    opened = Ledger(tmp_path / ".flakehunt" / "ledger.sqlite")
    last = replace(sample, notes=(f"token {SECRET}, and x-42",))
    for number, findings in enumerate((sample, None, last)):
        trial = replace(sample.trial, uid=f"{number}" * 32)
        opened.begin(trial, "2 cores", {}, tmp_path, ["x-[0-9]+"])
        if findings is not None:
            opened.conclude(document.text(replace(findings, trial=trial)))
            opened.end(1.0)
    opened.close()
    return opened.path


@pytest.mark.usefixtures("ledger")
def test_it_shows_the_last_hunt_that_was_concluded(report: Report) -> None:
    status, said, _ = report()
    assert status == 0
    assert said.startswith("200 sweeps of 8 tests in 1 min 1 s, seed 1, 8 zygotes")
    assert f"note: token {SECRET}, and x-42\n" in said  # the terminal is the user's own
    assert "cause: order: it is the victim of tests/test_a.py::test_polluter" in said
    assert "cause: order" not in report("-q")[1]
    assert SECRET not in report("--hunt", "1")[1]
    assert report("--hunt", "0000")[1] == report("--hunt", "1")[1]


@pytest.mark.usefixtures("ledger")
def test_every_report_is_made_from_it_again(report: Report, tmp_path: Path) -> None:
    kinds = {
        "json": None,
        "junit": grammars.surefire,
        "sarif": grammars.sarif,
        "ctrf": grammars.ctrf,
        "gitlab": grammars.gitlab,
        "markdown": None,
        "html": None,
    }
    status, said, _ = report(*(word for kind in kinds for word in (f"--{kind}", f"{kind}.out")))
    assert (status, said) == (0, "")
    for kind, read in kinds.items():
        text = (tmp_path / f"{kind}.out").read_text("utf-8")
        assert SECRET not in text
        if read is not None:
            read(text)
    findings = reading.read((tmp_path / "json.out").read_text("utf-8"))
    assert findings.notes == ("token ***, and ***",)
    (tmp_path / "again").mkdir()
    assert report("json.out", "--sarif", "again/sarif.out")[0] == 0
    assert (tmp_path / "again" / "sarif.out").read_text("utf-8") == (tmp_path / "sarif.out").read_text("utf-8")


@pytest.mark.usefixtures("ledger")
def test_annotations_are_written_as_a_service_reads_them(report: Report) -> None:
    assert len(grammars.github(report("--annotate", "github")[1])) == 7
    assert len(grammars.azure(report("--annotate", "azure")[1])) == 7


def test_a_redacted_ledger_is_one_that_can_be_handed_on(report: Report, ledger: Path, tmp_path: Path) -> None:
    assert report("--redacted-ledger", "copy.sqlite", "--redact", "test_victim") == (0, "", "")
    copy = (tmp_path / "copy.sqlite").read_bytes()
    assert SECRET.encode() in ledger.read_bytes()
    for secret in (SECRET, "x-42", "test_victim"):
        assert secret.encode() not in copy
    assert report("copy.sqlite")[1].startswith("200 sweeps of 8 tests")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM hunts").fetchone() == (3,)


def test_hunts_are_listed(report: Report, ledger: Path) -> None:
    assert report("--list")[1] == (
        "   1  000000000000  2026-11-26T06:00:00+00:00  0 sweeps of 200 asked for\n"
        "   2  111111111111  2026-11-26T06:00:00+00:00  0 sweeps of 200 asked for, cut short\n"
        "   3  222222222222  2026-11-26T06:00:00+00:00  0 sweeps of 200 asked for\n"
    )
    assert ledger.exists()


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none"], "none: there is no such file; give the path of a ledger or of a JSON report, or hunt first"),
        (
            ["--hunt", "2"],
            ".flakehunt/ledger.sqlite: hunt 2 was not concluded: it was killed, or is older than format 5",
        ),
        (["--hunt", "9"], "--hunt 9: no hunt is called so; flakehunt report --list shows those there are"),
        (["--junit", "a", "--sarif", "./a"], "--sarif a: --junit is written there; give each a path of its own"),
        (["--junit", ".flakehunt"], "--junit .flakehunt: that is a folder; give the path of a file"),
        (["--junit", "no/a"], "--junit no/a: there is no folder no; make it, or give another path"),
        (["bad.json"], "bad.json: it is no report of a hunt: its schema is None, and 'pytest-flakehunt/1' is wanted"),
        (["bad.json", "--redacted-ledger", "x"], "--redacted-ledger x: bad.json is no ledger; give the path of one"),
        (
            ["--redacted-ledger", ".flakehunt/ledger.sqlite"],
            "--redacted-ledger .flakehunt/ledger.sqlite: that is .flakehunt/ledger.sqlite itself, or a part of it",
        ),
        (["--junit", "/dev/full"], "junit report at /dev/full: it could not be written: No space left on device"),
    ],
)
def test_what_cannot_be_done_is_refused(report: Report, words: list[str], message: str) -> None:
    Path("bad.json").write_text(json.dumps({}), "utf-8")
    status, said, errors = report(*words)
    assert (status, said) == (2, "")
    assert errors.startswith("flakehunt: ")
    assert message in errors
