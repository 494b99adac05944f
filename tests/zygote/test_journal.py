"""The journal of a sweep: whose it is, and what keeps it from being written."""

import os
import resource
from collections.abc import Callable
from pathlib import Path

from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.journal import Journal


def in_a_child(work: Callable[[], object]) -> int:
    """Give the exit status of a forked process that did it."""
    pid = os.fork()
    if not pid:
        status = 70
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_copies_of_the_process_write_nothing_until_it_is_theirs(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "1"))

    def write() -> None:
        journal.write(wire.Started(7))

    def take_over() -> None:
        journal.own()
        write()

    assert not in_a_child(write)
    assert (tmp_path / "1").read_bytes() == b""
    assert not in_a_child(take_over)
    assert (tmp_path / "1").read_bytes() == wire.entry(wire.Started(7))


def test_a_limit_of_file_sizes_keeps_nothing_from_being_written(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "1"))
    journal.write(wire.Started(7))

    def write() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
        journal.own()
        journal.write(wire.Started(8), wire.Started(9))
        assert resource.getrlimit(resource.RLIMIT_FSIZE) == (10, hard)

    assert not in_a_child(write)
    assert (tmp_path / "1").read_bytes() == b"".join(wire.entry(wire.Started(number)) for number in (7, 8, 9))
