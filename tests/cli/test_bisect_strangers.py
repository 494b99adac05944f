"""`flakehunt bisect` by a report that somebody else wrote."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.cli.main import main
from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports import document
from tests.analysis.test_comparison import hunted
from tests.bisecting.conftest import Repository, repository
from tests.cli.test_compare import OFTEN

__all__ = ["repository"]
TEST = "test_shop.py::test_price"


def told(after: tuple[str, ...] = (), **trial: Any) -> Findings:
    findings = hunted({TEST: OFTEN}, **trial)
    (test,) = findings.tests
    (mode,) = test.modes
    return replace(findings, tests=(replace(test, modes=(replace(mode, after=after),)),))


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        (told(folder="../elsewhere"), "its folder ../elsewhere is none of the repository"),
        (told(folder="/"), "its folder / is none of the repository"),
        (told(after=("-pevil::",)), "-pevil::, which has to run before, is no node id"),
        (told(after=("@words::x",)), "@words::x, which has to run before, is no node id"),
        (told(after=("/tmp/evil.py::test_x",)), "/tmp/evil.py::test_x, which has to run before, is no node id"),
        (told(after=("../evil.py::test_x",)), "../evil.py::test_x, which has to run before, is no node id"),
        (told(after=("--collect-only",)), "--collect-only, which has to run before, is no node id"),
    ],
)
def test_it_leads_nowhere_else_and_gives_pytest_no_options(
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    findings: Findings,
    said: str,
) -> None:
    repository.commits(2)
    (tmp_path / "report.json").write_text(document.text(findings), "utf-8")
    monkeypatch.chdir(repository.folder)
    assert main(["bisect", TEST, "v1", "v2", "--ledger", str(tmp_path / "report.json")]) == 2
    assert said in capsys.readouterr().err
