"""Shards are put together: the same ledger whatever the order, and nothing that does not belong together."""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest

from pytest_flakehunt.ledger import archive, copying, merging, recalling
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.journal import Journal
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Purpose
from tests.ledger import hunts


def merge(out: Path, *given: Path, force: bool = False) -> list[merging.Merged]:
    """Merge as the command does."""
    scratch = out.with_name(f"{out.name}.d{len(list(out.parent.iterdir()))}")
    scratch.mkdir()
    there = merging.sources(out, scratch, ledger=True) if out.exists() else []
    found = [one for path in given for one in merging.sources(path, scratch, ledger=path.suffix == ".sqlite")]
    merged = merging.together(found, there, force=force)
    merging.write(scratch / "new.sqlite", merged)
    copying.replaced(out, scratch / "new.sqlite")
    return merged


def digest(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest()


@pytest.fixture
def journals(tmp_path: Path) -> list[Path]:
    return [hunts.journal(tmp_path / f"{index}.jsonl", index) for index in (1, 2, 3)]


def test_the_order_does_not_matter_nor_how_often(journals: Sequence[Path], tmp_path: Path) -> None:
    found = set()
    for number, order in enumerate(permutations(journals)):
        out = tmp_path / f"at-once-{number}.sqlite"
        merge(out, *order)
        found.add(digest(out))
    out = tmp_path / "one-by-one.sqlite"
    for path in (*reversed(journals), journals[1]):
        merge(out, path)
    found.add(digest(out))
    out = tmp_path / "of-ledgers.sqlite"
    merge(out, *(hunts.ledger(tmp_path / f"l{index}.sqlite", index) for index in (3, 1, 2)))
    found.add(digest(out))
    assert len(found) == 1


def test_every_sweep_is_there_once(journals: Sequence[Path], tmp_path: Path) -> None:
    merge(tmp_path / "out.sqlite", *journals)
    (hunt,) = recalling.particulars(tmp_path / "out.sqlite").values()
    assert (hunt.missing, hunt.merged, hunt.seconds) == ([], True, None)
    kept = [sweep for sweep, *_ in recalling.recorded(tmp_path / "out.sqlite", 1, merging.written)]
    assert [sweep.number for sweep in kept] == [*range(12), 13, 14, 15, 16, 17]
    assert {sweep.zygote for sweep in kept} == {1, 2, 3}
    assert recalling.notes(tmp_path / "out.sqlite", 1) == [f"shard {index} noticed something" for index in (1, 2, 3)]


def test_what_is_missing_is_known(journals: Sequence[Path], tmp_path: Path) -> None:
    (merged,) = merge(tmp_path / "out.sqlite", journals[1])
    assert merged.hunt.missing == [1, 3]
    (merged,) = merge(tmp_path / "out.sqlite", journals[0])
    assert merged.hunt.missing == [3]


def test_a_sweep_that_was_torn_and_run_again_is_there_as_it_ended(journals: Sequence[Path], tmp_path: Path) -> None:
    older = tmp_path / "older.jsonl"
    older.write_bytes(journals[0].read_bytes())
    torn = Journal(older)
    torn.declare(hunts.TESTS)
    torn.write(hunts.sweep(1, purpose=Purpose.TORN), *hunts.attempts(1))
    torn.close()
    merge(tmp_path / "one.sqlite", older, journals[0])
    merge(tmp_path / "other.sqlite", journals[0], older)
    assert digest(tmp_path / "one.sqlite") == digest(tmp_path / "other.sqlite")
    numbers = [sweep.number for sweep, *_ in recalling.recorded(tmp_path / "one.sqlite", 1, merging.written)]
    assert 1 in numbers


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"seed": "8"}, "seed 7 and 8"),
        ({"N": "20"}, "N 12 and 20"),
        ({"revision": "abd"}, "revision abc and abd"),
        ({"collected": "3 tests 11"}, "collected 2 tests 00 and 3 tests 11"),
        ({"Python": "3.12.1", "seed": "8"}, "seed 7 and 8; Python 3.13.0 and 3.12.1"),
        ({"options": "--flakehunt-only=order"}, "options none and --flakehunt-only=order"),
    ],
)
def test_what_does_not_belong_together_is_refused_with_what_differs_or_kept_apart(
    terms: dict[str, str], said: str, tmp_path: Path
) -> None:
    given = hunts.journal(tmp_path / "1.jsonl", 1), hunts.journal(tmp_path / "2.jsonl", 2, **terms)
    with pytest.raises(LedgerError, match=rf"1.jsonl and .*2.jsonl do not belong together: {said}; leave one of them"):
        merge(tmp_path / "out.sqlite", *given)
    assert not (tmp_path / "out.sqlite").exists()
    assert len(merge(tmp_path / "out.sqlite", *given, force=True)) == 2
    merge(tmp_path / "again.sqlite", *reversed(given), force=True)
    assert digest(tmp_path / "out.sqlite") == digest(tmp_path / "again.sqlite")


def test_a_shard_that_ran_twice_is_refused(tmp_path: Path) -> None:
    given = hunts.journal(tmp_path / "1.jsonl", 1), hunts.journal(tmp_path / "2.jsonl", 1, uid="d" * 32)
    with pytest.raises(LedgerError, match="are the same shard of two hunts; give one of them, or --force"):
        merge(tmp_path / "out.sqlite", *given)
    assert len(merge(tmp_path / "out.sqlite", *given, force=True)) == 2


def test_what_was_concluded_stays_as_long_as_nothing_is_added(journals: Sequence[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.sqlite"
    merge(out, *journals[:2])
    ledger = Ledger(out)
    ledger.go_on(1)
    ledger.declare(hunts.TESTS)
    ledger.write(hunts.sweep(500, purpose=Purpose.DIAGNOSIS), *hunts.attempts(500))
    ledger.end(9.0)
    ledger.conclude("{}")
    ledger.close()
    merge(out, journals[1], journals[0])
    assert [hunt.concluded for hunt in archive.hunts(out)] == [True]
    assert recalling.last_number(out, 1) == 500
    merge(out, journals[2])
    assert [hunt.concluded for hunt in archive.hunts(out)] == [False]
    assert recalling.last_number(out, 1) < 500


def test_other_hunts_of_the_ledger_stay(journals: Sequence[Path], tmp_path: Path) -> None:
    out = hunts.ledger(tmp_path / "out.sqlite", 1, uid="e" * 32, seed="99", shards="1")
    ledger = Ledger(out)
    ledger.go_on(1)
    ledger.conclude('{"notes": []}')
    ledger.close()
    merge(out, *journals)
    kept = {hunt.uid: hunt for hunt in archive.hunts(out)}
    whole = kept.pop("e" * 32)
    assert (whole.concluded, whole.sweeps) == (True, 6)
    assert [merged.sweeps for merged in kept.values()] == [17]
    assert recalling.last_number(out, whole.number) == 900


def test_a_ledger_that_is_open_elsewhere_is_left_alone(journals: Sequence[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.sqlite"
    merge(out, journals[0])
    before = digest(out)
    ledger = Ledger(out)
    with pytest.raises(LedgerError, match="is in use: a hunt or another command has it open; try again when that has"):
        merge(out, journals[1])
    ledger.close()
    assert digest(out) == before


def test_a_ledger_of_an_older_format_is_left_as_it_is(tmp_path: Path) -> None:
    for stem, refused in (("6", False), ("3", True)):
        path = tmp_path / f"{stem}.sqlite"
        with closing(sqlite3.connect(path)) as db:
            db.executescript((Path(__file__).parent / "formats" / f"{stem}.sql").read_text("utf-8"))
            db.execute(f"PRAGMA application_id = {0x666C6B68}")
            db.execute(f"PRAGMA user_version = {stem}")
        before = path.read_bytes()
        if refused:
            with pytest.raises(LedgerError, match="has a format from before hunts had ids"):
                merge(tmp_path / f"out{stem}.sqlite", path)
        else:
            merge(tmp_path / f"out{stem}.sqlite", path)
            assert [hunt.concluded for hunt in archive.hunts(tmp_path / f"out{stem}.sqlite")] == [True]
        assert path.read_bytes() == before
