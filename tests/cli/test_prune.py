"""`flakehunt prune`, as people call it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.ledger import archive
from pytest_flakehunt.ledger.store import Ledger
from tests.ledger.test_pruning import TRIAL

Prune = Callable[..., tuple[int, str, str]]
AGES = {1: 90.0, 2: 40.0, 3: 20.0, 4: 10.0, 5: 0.1}
"""Of each hunt, in days; the second and the last one never ended."""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    opened = Ledger(tmp_path / ".flakehunt" / "ledger.sqlite")
    for number, days in AGES.items():
        began = realtime.now() - timedelta(days=days)
        opened.begin(replace(TRIAL, uid=f"{number}" * 32, started=began.isoformat("T", "seconds")), "", {}, tmp_path)
        if number not in {2, 5}:
            opened.conclude("{}")
            opened.end(1.0)
    opened.close()
    return opened.path


@pytest.fixture
def prune(ledger: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Prune:
    monkeypatch.chdir(ledger.parents[1])

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["prune", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def numbers(ledger: Path) -> list[int]:
    return [hunt.number for hunt in archive.hunts(ledger)]


def test_without_yes_it_only_shows(prune: Prune, ledger: Path) -> None:
    before = ledger.read_bytes()
    status, said, _ = prune("--keep", "2")
    assert status == 0
    first, second, third, last = said.splitlines()
    assert first == "hunt 2 never ended, and stays unless --hunt 2 names it"
    assert second == "hunt 5 never ended, and stays unless --hunt 5 names it"
    assert third.startswith("   1  111111111111  ")
    assert third.endswith("  0 sweeps of 20 asked for")
    assert last == ("1 of 5 hunts would be taken out of .flakehunt/ledger.sqlite; nothing was: add --yes to do it")
    assert ledger.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "staying"),
    [
        (("--keep", "2"), [2, 3, 4, 5]),
        (("--keep", "0"), [2, 5]),
        (("--keep", "9"), [1, 2, 3, 4, 5]),
        (("--older-than", "15d"), [2, 4, 5]),
        (("--older-than", "3w"), [2, 3, 4, 5]),
        (("--older-than", "241h", "--keep", "2"), [2, 3, 4, 5]),
        (("--before", "2000-01-01"), [1, 2, 3, 4, 5]),
        (("--before", "2200-01-01"), [2, 5]),
        (("--hunt", "2"), [1, 3, 4, 5]),
        (("--hunt", "4444", "--hunt", "1"), [2, 3, 5]),
    ],
)
def test_those_that_are_asked_for_go(prune: Prune, ledger: Path, words: tuple[str, ...], staying: list[int]) -> None:
    status, said, errors = prune(*words, "--yes")
    assert (status, errors) == (0, "")
    assert numbers(ledger) == staying
    gone = 5 - len(staying)
    if gone:
        assert f"{gone} of 5 hunts taken out of .flakehunt/ledger.sqlite: 0." in said
    else:
        assert said.endswith("nothing to take out: .flakehunt/ledger.sqlite keeps its 5 hunts\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "which hunts are to go? give --keep N, --older-than AGE, --before DATE or --hunt ID"),
        (
            ("--hunt", "1", "--keep", "1"),
            "--hunt names what goes; leave out --keep, --older-than and --before, or --hunt",
        ),
        (("none", "--keep", "1"), "none: there is no such ledger; give the path of one"),
        (("other", "--keep", "1"), "other: it is no ledger; give the path of one"),
        (
            ("--hunt", "9"),
            ".flakehunt/ledger.sqlite: --hunt 9: no hunt is called so; flakehunt report --list shows those there are",
        ),
        (
            ("--hunt", "5"),
            ".flakehunt/ledger.sqlite: --hunt 5: it has not ended, and may be running; try again when it is a day old",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(prune: Prune, ledger: Path, words: tuple[str, ...], message: str) -> None:
    Path("other").write_text("{}")
    assert prune(*words, "--yes") == (2, "", f"flakehunt: {message}\n")
    assert numbers(ledger) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--keep", "-1"), "argument --keep: -1: give a whole number of hunts, 0 or more"),
        (("--older-than", "30"), "argument --older-than: 30: give hours, days or weeks, such as 36h, 30d or 8w"),
        (("--before", "2026-13-01"), "argument --before: 2026-13-01: give a day, such as 2026-10-01"),
    ],
)
def test_what_cannot_be_read_is_refused(
    prune: Prune, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        prune(*words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_the_number_of_a_hunt_that_is_gone_names_no_other(prune: Prune, ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as db, db:
        db.execute("UPDATE hunts SET uid = '3abc' || substr(uid, 5) WHERE id = 1")
    assert prune("--hunt", "3", "--yes")[0] == 0
    assert prune("--hunt", "3", "--yes")[0] == 2
    assert numbers(ledger) == [1, 2, 4, 5]


def test_where_only_the_file_stays_large_the_hunts_are_gone_and_that_is_said(
    prune: Prune, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(sqlite3.Connection):
        def execute(self, query: str, *values: object) -> sqlite3.Cursor:
            if query == "VACUUM":
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(query, *values)  # type: ignore[arg-type]

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **words: connect(*args, **words, factory=Full))
    status, said, wrong = prune("--hunt", "1", "--yes")
    assert (status, wrong, numbers(ledger)) == (0, "", [2, 3, 4, 5])
    assert said.endswith("MB now; it could not be made smaller: database or disk is full; later hunts use the room\n")


def test_the_ledger_of_the_project_around_is_meant_and_none_beyond_it(
    prune: Prune, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = ledger.parents[1] / "tests" / "shop"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    status, said, _ = prune("--keep", "2")
    assert (status, str(ledger) in said) == (0, True)
    (inner / "pytest.ini").write_text("[pytest]\n", "utf-8")
    assert prune("--keep", "2")[0] == 2
