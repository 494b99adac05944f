"""Sweeps that were begun and have not ended when the process of a hunt did."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.ledger import recalling
from pytest_flakehunt.ledger.journal import Journal, Written, lines
from pytest_flakehunt.ledger.merging import written
from pytest_flakehunt.ledger.store import EVIDENCE_PER_MODE, Ledger
from pytest_flakehunt.model import WHOLE, Purpose, Shard
from tests.ledger import hunts


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    opened.copy(hunts.particulars(1, shards="1"))
    opened.declare(hunts.TESTS)
    yield opened
    opened.close()


def purposes(ledger: Ledger) -> dict[int, str]:
    found = recalling.recorded(ledger.path, 1, written, tuple(Purpose))
    return {sweep.number: sweep.purpose for sweep, *_ in found if sweep.torn or sweep.purpose is Purpose.SURVEY}


def test_a_sweep_is_torn_until_it_has_ended(ledger: Ledger) -> None:
    ledger.begun(hunts.sweep(3))
    assert purposes(ledger) == {3: Purpose.TORN}
    assert ledger.rows(hunts.TESTS[0][0]) == []
    ledger.write(hunts.sweep(3), *hunts.attempts(3))
    assert purposes(ledger) == {3: Purpose.SURVEY}


def test_torn_sweeps_give_their_numbers_back_and_count_no_more(ledger: Ledger) -> None:
    ledger.write(hunts.sweep(0), *hunts.attempts(0))
    ledger.write(replace(hunts.sweep(2), torn=True), *hunts.attempts(2))  # as Ctrl-C leaves it
    ledger.begun(hunts.sweep(5))  # as SIGKILL does
    ledger.begun(hunts.sweep(70))
    assert ledger.tear(12, iter([20, 21]).__next__) == [2, 5]
    assert purposes(ledger) == {0: Purpose.SURVEY, 20: Purpose.TORN, 21: Purpose.TORN, 70: Purpose.TORN}
    ledger.write(hunts.sweep(2), *hunts.attempts(2))
    assert [row.sweep for row in ledger.rows(hunts.TESTS[0][0])] == [0, 2]
    assert ledger.tear(12, iter([]).__next__) == []


def test_what_goes_on_keeps_no_more_evidence_than_what_was_not_interrupted(ledger: Ledger) -> None:
    for number in range(0, 8, 2):
        ledger.write(hunts.sweep(number), *hunts.attempts(number))
    ledger.close()
    again = Ledger(ledger.path)
    again.go_on(1)
    again.declare(hunts.TESTS)
    for number in range(8, 12, 2):
        again.write(hunts.sweep(number), *hunts.attempts(number))
    again.close()
    kept = [first.evidence for _, (first, _), _ in recalling.recorded(ledger.path, 1, written) if first.evidence]
    assert len(kept) == EVIDENCE_PER_MODE


def test_the_newest_hunt_that_has_not_ended_goes_on(ledger: Ledger) -> None:
    assert recalling.unfinished(ledger.path, WHOLE) is not None
    assert recalling.unfinished(ledger.path, Shard(1, 3)) is None
    ledger.end(1.0)
    assert recalling.unfinished(ledger.path, WHOLE) is None
    ledger.copy(hunts.particulars(2, uid="b" * 32))
    found = recalling.unfinished(ledger.path, Shard(2, 3))
    assert found is not None
    assert (found[0], found[1].trial.uid) == (2, "b" * 32)
    assert recalling.unfinished(ledger.path.with_name("none"), WHOLE) is None


def test_time_in_which_nothing_ran_is_not_counted(ledger: Ledger) -> None:
    for number, started in ((0, 1000.0), (1, 1000.25), (2, 9000.0)):
        ledger.write(replace(hunts.sweep(number), started=started, seconds=0.5), *hunts.attempts(number))
    assert recalling.busy(ledger.path, 1) == pytest.approx(1.25)


def test_a_time_that_ran_backwards_makes_nothing_unreadable(ledger: Ledger, tmp_path: Path) -> None:
    """What a killed test took is the difference of two clocks, which were two milliseconds apart."""
    (first, second), prints = hunts.attempts(1)
    backwards = [first._replace(seconds=-0.002), second]
    ledger.write(hunts.sweep(1), backwards, prints)
    ((_, attempts, _),) = recalling.recorded(ledger.path, 1, written)
    assert [attempt.seconds for attempt in attempts] == [0.0, 0.001]
    journal = Journal(tmp_path / "shard.jsonl")
    journal.begin(hunts.particulars(1))
    journal.declare(hunts.TESTS)
    journal.write(hunts.sweep(1), backwards, prints)
    journal.close()
    ((_, attempts, _),) = lines(Written(tmp_path / "shard.jsonl"), written)
    assert [attempt.seconds for attempt in attempts] == [0.0, 0.001]
