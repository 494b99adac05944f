"""`flakehunt merge`, and what it is for: shards of a hunt that become one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ledger import archive, recalling
from pytest_flakehunt.ledger.merging import written
from tests.ledger import hunts

SUITE = """
    FLAGS = {}
    def test_victim(): assert not FLAGS
    def test_steady(): pass
    def test_pollutes(): FLAGS[1] = True
    """


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_says_what_is_missing_and_what_to_do_next(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hunts.journal(here / "2.jsonl", 2)
    assert main(["merge", "out.sqlite", "2.jsonl"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "hunt 1 of out.sqlite: seed 7, 12 sweeps asked for, 1 of 3 shards",
        "shards 1, 3 are missing: rates stay unbiased, as shards are alike, and bounds get wider: a test that never "
        "failed fails less than about 60 % of the time (95 %), not 26 %",
        "flakehunt diagnose out.sqlite makes the experiments on causes, and writes the report",
    ]
    hunts.ledger(here / "1.sqlite", 1)
    hunts.journal(here / "3.jsonl", 3)
    assert main(["merge", "out.sqlite", "1.sqlite", "3.jsonl"]) == 0
    assert capsys.readouterr().out.startswith("hunt 1 of out.sqlite: seed 7, 12 sweeps asked for, 3 of 3 shards\nflake")
    assert not list(here.glob(".*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("out.sqlite", "none.jsonl"), "none.jsonl: there is no such file; give journals or ledgers that shards wrote"),
        (("no/out.sqlite", "1.jsonl"), "no/out.sqlite: give the path of a file in a folder that there is"),
        (("1.jsonl", "1.jsonl"), "1.jsonl: it is there and no ledger; the first path is that of the ledger to write"),
        (("out.sqlite", "bad.jsonl"), "bad.jsonl: line 1 is not one that a hunt writes: "),
        (("out.sqlite", "1.jsonl", "8.jsonl"), "1.jsonl and 8.jsonl do not belong together: seed 7 and 8; leave one"),
        (("out.sqlite", "1.jsonl", "--", "-x"), "-- -x: pytest is started with --diagnose only; add it, or leave"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: tuple[str, ...], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hunts.journal(here / "1.jsonl", 1)
    hunts.journal(here / "8.jsonl", 2, seed="8")
    (here / "bad.jsonl").write_text("no journal\n")
    assert main(["merge", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (here / "out.sqlite").exists()


@pytest.mark.thorough
def test_shards_become_one_hunt_whose_experiments_are_made_once(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(test_it=SUITE)
    for index in (1, 2):
        hunt(
            f"--flakehunt-shard={index}/2", f"--flakehunt-ledger={index}.sqlite", "--flakehunt-only=order,gc", sweeps=16,
            diagnose="",
        )  # fmt: skip
        assert "experiments" not in json.loads((pytester.path / "report.json").read_text("utf-8"))["notes"]
    shutil.copy(".flakehunt/shard-1-of-2.jsonl", "one.jsonl")
    plugins = ("-pxdist.plugin", "-ppytest_flakehunt.plugin", "--flakehunt-json=merged.json")
    done = subprocess.run(
        [sys.executable, "-m", "pytest_flakehunt", "merge", "out.sqlite", "2.sqlite", "one.jsonl", "--diagnose", "--", *plugins],
        env=dict(os.environ), cwd=pytester.path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads((pytester.path / "merged.json").read_text("utf-8"))
    numbers = [sweep.number for sweep, *_ in recalling.recorded(pytester.path / "out.sqlite", 1, written)]
    assert set(range(16)) <= set(numbers)
    assert report["hunt"]["sweeps"] == len(numbers)
    (victim,) = (test for test in report["tests"] if test["modes"])
    assert victim["modes"][0]["causes"][0]["polluters"] == ["test_it.py::test_pollutes"]
    assert archive.hunts(pytester.path / "out.sqlite")[0].concluded
