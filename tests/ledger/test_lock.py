"""The lock of a hunt: held by real processes, one of which is killed."""

import fcntl
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.lock import Lock

HOLDS = """
import sys, time
from pathlib import Path
from pytest_flakehunt.ledger.lock import Lock
lock = Lock(Path(sys.argv[1]), "a" * 32)
print("held", flush=True)
time.sleep(60)
"""


def test_it_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(
            LedgerError, match=rf"process {process.pid} is running this hunt .*; wait until it has ended"
        ):
            Lock(path, "a" * 32)
        Lock(path, "b" * 32).release()  # another hunt of the same ledger
        process.kill()
    lock = Lock(path, "a" * 32)
    lock.release()
    assert not list(tmp_path.iterdir())


def test_files_of_hunts_that_were_killed_go_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    for uid in "bc":
        path.with_name(f"ledger.sqlite.{8 * uid}.lock").write_text("7\n")
    others = [tmp_path / "ledger.sqlite-wal", tmp_path / "other.sqlite.dddddddd.lock"]
    for other in others:
        other.touch()
    with (living := path.with_name(f"ledger.sqlite.{8 * 'c'}.lock")).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        Lock(path, "a" * 32).release()
    assert sorted(tmp_path.iterdir()) == sorted([*others, living])


def test_a_lock_on_a_file_that_was_deleted_meanwhile_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, lock_file = tmp_path / "ledger.sqlite", fcntl.flock
    other = Lock(path, "a" * 32)

    def released_meanwhile(file: TextIO, how: int) -> None:
        other.release()
        lock_file(file, how)

    monkeypatch.setattr(fcntl, "flock", released_meanwhile)
    one = Lock(path, "a" * 32)
    with pytest.raises(LedgerError, match="is running this hunt"):
        Lock(path, "a" * 32)
    one.release()
