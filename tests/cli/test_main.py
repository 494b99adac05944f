"""`flakehunt` itself: how it ends where it cannot say what it should, or is asked for what is not there."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ledger import archive
from tests.analysis.test_comparison import hunted, never
from tests.cli.test_compare import OFTEN, kept

CALL = f"{sys.executable} -m pytest_flakehunt"
COMPARE = "compare 1 2 --ledger .flakehunt/ledger.sqlite"


@pytest.fixture
def shell(tmp_path: Path) -> "subprocess.Popen[str]":
    kept(tmp_path, hunted({"t": never}), hunted({"t": OFTEN}))
    return subprocess.Popen(
        ["/bin/bash", "-s"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (f"{CALL} {COMPARE} >&-", "1", ""),
        (f"{CALL} {COMPARE} 2>&- >&-", "1", ""),
        (f"{CALL} {COMPARE} >/dev/full", "2", "flakehunt: No space left on device\n"),
        (f"{CALL} {COMPARE} > >(exit)", "2", ""),
        (f"{CALL} history t >/dev/null", "0", ""),
    ],
    ids=["closed", "both closed", "full", "nobody reads", "a terminal without lines"],
)
def test_the_status_is_right_whatever_becomes_of_the_output(
    shell: "subprocess.Popen[str]", command: str, status: str, said: str
) -> None:
    out, error = shell.communicate(f"{command}\necho $?\n", timeout=60)
    assert (out, error) == (f"{status}\n", said)


@pytest.mark.parametrize("words", [["show", "t"], ["diagnose"], ["prune", "--keep=1"], ["report", "--list"]])
@pytest.mark.parametrize(("name", "why"), [("n" * 4096, "File name too long"), (".", "Is a directory")])
def test_a_path_that_cannot_be_read_is_refused(
    words: list[str], name: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, name]) == 2
    error = capsys.readouterr().err
    assert error.startswith("flakehunt: ")
    assert why in error


def test_a_word_of_a_comparison_may_be_no_path_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "n" * 4096, "1"]) == 2
    assert capsys.readouterr().err.endswith(": File name too long\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["reprot"],
            "flakehunt: error: argument COMMAND: invalid choice: 'reprot' (choose from *) (did you mean report?)",
        ),
        (
            ["quarantine", "ad"],
            "flakehunt quarantine: error: argument COMMAND: invalid choice: 'ad' (choose from *) (did you mean add?)",
        ),
        (
            ["report", "--htlm=x"],
            "flakehunt report: error: unrecognized arguments: --htlm=x (did you mean --html?)",
        ),
        (
            ["report", "--annotate", "githup"],
            "flakehunt report: error: argument --annotate: invalid choice: 'githup' (choose from *) (did you mean github?)",
        ),
        (["xylophone"], "flakehunt: error: argument COMMAND: invalid choice: 'xylophone' (choose from *)"),
        (["report", "--xylophone"], "flakehunt report: error: unrecognized arguments: --xylophone"),
    ],
)
def test_a_misspelt_word_is_refused_with_the_nearest_there_is(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    line = capsys.readouterr().err.splitlines()[-1]
    assert re.sub(r"choose from [^)]*", "choose from *", line) == said


def test_what_follows_two_dashes_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another ledger was named there, as one may for other programs; all of the default one's hunts would have gone."""
    path = kept(tmp_path, hunted({"t": never}))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["prune", "--keep", "0", "--yes", "--", "other.sqlite"])
    assert len(archive.hunts(path)) == 2


ENDING = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.default_int_handler)
pathlib.Path("begun").touch()
try:
    time.sleep(30)
except KeyboardInterrupt:
    time.sleep(1)  # as a hunt takes, to keep what it has and end what it started
    pathlib.Path("ended in order").touch()
    raise
"""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("how", [os.killpg, os.kill])
def test_an_interrupted_diagnosis_lets_pytest_end_in_order(tmp_path: Path, how: Callable[[int, int], None]) -> None:
    kept(tmp_path, hunted({"t": OFTEN}))
    (tmp_path / "ending.py").write_text(ENDING, "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_flakehunt", "diagnose", "--", "-p", "ending"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    how(process.pid, signal.SIGINT if how is os.killpg else signal.SIGTERM)  # by hand, or by a service
    process.wait(60)
    assert (tmp_path / "ended in order").exists()
