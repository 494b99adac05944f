"""Following a journal, also where nobody looked for a while, and where it is gone."""

from pathlib import Path

from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.journal import Journal
from pytest_flakehunt.zygote.link import Watch


def test_time_in_which_nobody_looked_is_not_a_tests_own(tmp_path: Path) -> None:
    now = [0.0]
    journal = Journal(str(tmp_path / "1"))
    watch = Watch(tmp_path / "1", lambda: now[0])
    journal.write(wire.Began(7), wire.Started(3))
    watch.look()
    now[0] = 0.5
    watch.look()
    now[0] = 3600.0  # the laptop slept
    watch.look()
    assert (watch.running, now[0] - watch.since) == (3, 0.5)
    journal.close()


def test_a_journal_that_is_gone_is_lost_once_it_or_its_folder_was_there(tmp_path: Path) -> None:
    gone = Watch(tmp_path / "gone" / "1")
    gone.look()
    assert gone.lost
    watch = Watch(tmp_path / "1")
    watch.look()
    assert not watch.lost
    journal = Journal(str(tmp_path / "1"))
    journal.write(wire.Began(7))
    watch.look()
    (tmp_path / "1").unlink()
    assert watch.look() == []
    assert watch.lost
    journal.close()
