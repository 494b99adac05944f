"""Journals: what is written reads back, to the last whole line, and whatever a stranger writes is refused."""

import json
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.ledger import foreign
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.journal import Journal, Written, lines
from pytest_flakehunt.ledger.merging import written
from pytest_flakehunt.ledger.texts import storable
from pytest_flakehunt.model import Outcome, Purpose
from tests.ledger import hunts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return hunts.journal(tmp_path / "shard.jsonl", 1)


def changed(path: Path, number: int, **new: object) -> Path:
    """Change members of one line."""
    text = path.read_text("ascii").splitlines()
    text[number] = json.dumps({**json.loads(text[number]), **new})
    path.write_text("\n".join(text) + "\n")
    return path


def test_what_is_written_reads_back(path: Path) -> None:
    read = Written(path)
    assert read.hunt == replace(hunts.particulars(1), seconds=3.0)
    assert read.tests == [(storable(nodeid), file, line) for nodeid, file, line in hunts.TESTS]
    assert read.notes == ["shard 1 noticed something"]
    found = list(lines(read, written))
    assert [sweep.number for sweep, *_ in found] == sorted(set(hunts.numbers(1)))
    for sweep, attempts, fingerprints in found:
        assert sweep == hunts.sweep(sweep.number, 1)
        expected, prints = hunts.attempts(sweep.number)
        assert [attempt.outcome for attempt in attempts] == [attempt.outcome for attempt in expected]
        assert (fingerprints, attempts[1].judged) == (prints, expected[1].judged)
    (_, (failed, _), _) = found[0]
    assert (failed.evidence, failed.leaks) == (hunts.EVIDENCE, (hunts.LEAK,))


def test_evidence_is_kept_of_the_first_few_of_a_mode(path: Path) -> None:
    kept = [sweep.number for sweep, (first, _), _ in lines(Written(path), written) if first.evidence is not None]
    assert kept == [0, 4, 10]


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_last_line_that_was_cut_is_left_out_and_what_is_added_stands_after_the_last_whole_one(
    path: Path, cut: int
) -> None:
    opened = Journal(path)
    opened.declare(hunts.TESTS)  # they are known anew, and nothing is lost by it
    opened.write(hunts.sweep(30), *hunts.attempts(30))
    opened.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert 30 not in Written(path).sweeps
    Journal(path).close()
    assert path.read_bytes() == whole[: whole[:-1].rindex(b"\n") + 1]


@pytest.mark.parametrize("text", ["# Shop\n", "{}"])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    other = tmp_path / "README.md"
    other.write_text(text, "utf-8")
    with pytest.raises(LedgerError, match=r"README.md is there and no journal; give another path"):
        Journal(other)
    assert other.read_text("utf-8") == text


def test_one_that_can_take_no_more_says_so_and_is_let_go(path: Path) -> None:
    opened = Journal(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limits[1]))
    try:
        with pytest.raises(LedgerError, match=r"cannot be written: .*; make room, or give another path"):
            opened.note("x" * 100_000)
        opened.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_the_last_line_of_a_sweep_counts(path: Path) -> None:
    opened = Journal(path)
    opened.declare(hunts.TESTS)
    opened.write(hunts.sweep(1, purpose=Purpose.TORN), *hunts.attempts(2))
    opened.close()
    assert Written(path).sweeps[1][0]
    sweep, attempts, _ = Written(path).read(1, written)
    assert (sweep.purpose, attempts[0].outcome) == (Purpose.TORN, Outcome.FAILED)


def test_experiments_are_not_handed_on(path: Path) -> None:
    before = path.read_bytes()
    opened = Journal(path)
    opened.write(hunts.sweep(31, purpose=Purpose.DIAGNOSIS), *hunts.attempts(31))
    opened.close()
    assert path.read_bytes() == before


def test_another_version_is_refused(path: Path) -> None:
    with pytest.raises(
        LedgerError,
        match=r"line 1 is not one that a hunt writes: it has version 1, .* reads 2; merge with what wrote it",
    ):
        Written(changed(path, 0, version=1))


SWEEP = {
    "number": 5, "plan": "", "focus": [], "isolation": "fork", "zygote": 1, "hashseed": "", "neighbours": 0,
    "started": 1.0, "seconds": 1.0, "torn": False, "outage": False, "purpose": "survey", "looked": "far",
}  # fmt: skip


@pytest.mark.parametrize(
    ("number", "new"),
    [
        (0, {"format": "something else"}),
        (0, {"terms": {"shards": "3"}}),
        (0, {"terms": []}),
        (0, {"parts": {"9": "a" * 32}}),
        (0, {"parts": {}}),
        (0, {"hunt": "../../etc/passwd"}),
        (0, {"machine": "x" * (foreign.MOST_TEXT + 1)}),
        (1, {"tests": [["a", "b"]]}),
        (1, {"tests": [["a", "b", -1]]}),
        (1, {"tests": 5}),
        (2, {"sweep": {}}),
        (2, {"sweep": {**SWEEP, "number": -1}}),
        (2, {"sweep": {**SWEEP, "number": True}}),
        (2, {"sweep": {**SWEEP, "number": 2**60}}),
        (2, {"sweep": {**SWEEP, "isolation": "x'; DROP TABLE hunts; --"}}),
        (2, {"sweep": {**SWEEP, "seconds": 1e999}}),
        (2, {"sweep": {**SWEEP, "focus": {"a": 1}, "plan": None}}),
        (2, {"attempts": [[99, 0, 1]]}),
        (2, {"attempts": [[0, 99, 1]]}),
        (2, {"attempts": [[0, 1, 1]]}),
        (2, {"attempts": [[0, 0, 1, "f"]]}),
        (2, {"attempts": [[0, 0, 1], [0, 0, 1]]}),
        (2, {"attempts": {"a": 1}}),
        (2, {"evidence": [[0, {"phase": "call"}]]}),
        (2, {"leaks": [[0, {"kind": "ghost"}]]}),
        (2, {"unjudged": "all"}),
    ],
)
def test_what_no_hunt_writes_is_refused_with_its_line(path: Path, number: int, new: dict[str, object]) -> None:
    with pytest.raises(LedgerError, match=f"line {number + 1} is not one that a hunt writes: "):
        Written(changed(path, number, **new))


@pytest.mark.parametrize("line", [b"[" * 100_000, b"nul\0l", b"\xff\xfe", b"[]", b'"text"'])
def test_what_is_no_object_is_refused(path: Path, line: bytes) -> None:
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(LedgerError, match="is not one that a hunt writes: "):
        Written(path)


def test_a_line_without_end_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" " * 20_000)
    with pytest.raises(LedgerError, match="line 11 is longer than any that a hunt writes"):
        Written(path, most=10_000)
