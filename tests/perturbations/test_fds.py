"""Limits and numbers of descriptors: what they bring out, what they leave alone, and that all is put back."""

# ruff: noqa: PTH208, SIM115 - descriptors as they are

import os
import resource
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pytest_flakehunt.analysis import naming
from pytest_flakehunt.ground import fillers
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.leaks import descriptors
from pytest_flakehunt.model import CALM, Contract, SettingError
from pytest_flakehunt.perturbations.fds import FEW, HIGH, ROOM, Descriptors, Limits, high_possible


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"fds"}:
            pytest.skip(f"already under {plugin.plan}")


@contextmanager
def under(kind: str) -> Iterator[None]:
    if kind == "high" and not high_possible():
        pytest.skip("this process may have too few descriptors")
    with Descriptors(kind).held():
        yield


def limits() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def opened(undo: ExitStack, count: int) -> None:
    for _ in range(count):
        undo.enter_context(open(os.devnull))  # noqa: PTH123 - one descriptor each


@pytest.mark.parametrize("kind", ["few", "high"])
def test_everything_is_put_back(kind: str) -> None:
    before = limits(), sorted(os.listdir("/dev/fd"))
    with under(kind):
        assert (limits(), sorted(os.listdir("/dev/fd"))) != before
        assert limits()[1] == before[0][1]
    assert (limits(), sorted(os.listdir("/dev/fd"))) == before
    assert not fillers.numbers()


def test_few_are_left_under_few() -> None:
    with under("few"):
        with ExitStack() as undo:
            opened(undo, FEW)
            with pytest.raises(OSError, match="Too many open files"):
                opened(undo, 1)
        for _ in range(2 * FEW):
            Path(os.devnull).open().close()
        code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert int(told) == limits()[0]


def test_a_limit_that_is_lower_already_stays() -> None:
    soft, hard = limits()
    with under("few"):
        lower = limits()[0] - 8
        resource.setrlimit(resource.RLIMIT_NOFILE, (lower, hard))
        with under("few"):
            assert limits()[0] == lower
    assert limits()[0] == lower  # a test has set it
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_select_has_no_room_for_high_numbers_and_poll_has() -> None:
    one, other = None, None
    with under("high"):
        one, other = socket.socketpair()
        with one, other:
            assert one.fileno() >= HIGH
            with pytest.raises(ValueError, match="out of range"):
                select.select([one], [], [], 0)
            other.send(b"x")
            poll = select.poll()
            poll.register(one, select.POLLIN)
            assert poll.poll(10) == [(one.fileno(), select.POLLIN)]


def test_what_is_started_inherits_no_filler() -> None:
    code = "import os; print(sum(1 for number in range(3, 2000) if os.path.exists(f'/dev/fd/{number}')))"
    with under("high"):
        for close in (True, False):
            command = [sys.executable, "-c", code]
            told = subprocess.run(command, capture_output=True, text=True, check=True, close_fds=close).stdout
            assert int(told) < 50


def test_a_low_limit_is_raised_for_high_numbers() -> None:
    soft, hard = limits()
    resource.setrlimit(resource.RLIMIT_NOFILE, (HIGH, hard))
    try:
        with under("high"):
            assert limits() == (ROOM, hard)
        assert limits() == (HIGH, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_where_the_hard_limit_is_low_numbers_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (HIGH, 2 * HIGH))
    assert {str(Limits().draw(1, turn)) for turn in range(4)} == {"few"}
    with Descriptors("high").held():
        assert not fillers.numbers()


def test_the_leak_watch_takes_no_filler_for_a_leak_and_sees_what_is_opened() -> None:
    watch = descriptors.Descriptors()
    with under("high"):
        watch.begin()
        assert watch.new(opened=True) == {}
        with ExitStack() as undo:
            opened(undo, 3)
            assert len(watch.new()) == 3
            opened(undo, descriptors.NEAR + 1)
            assert len(watch.new()) == descriptors.NEAR + 1
        assert watch.new() == {}
        assert watch._known.keys().isdisjoint(fillers.numbers())


def test_numbers_that_a_test_closes_and_takes_are_its_own() -> None:
    with under("high"):
        taken = next(iter(fillers.numbers()))
        os.close(taken)
        readable, writable = os.pipe()
        assert readable == taken
    os.write(writable, b"x")
    assert os.read(readable, 1) == b"x"
    os.close(readable)
    os.close(writable)


def test_a_child_may_close_everything() -> None:
    with under("high"):
        pid = os.fork()
        if not pid:
            os.closerange(3, 4096)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0


def test_what_is_written_is_read_back() -> None:
    for turn, kind in enumerate(["few", "high"] if high_possible() else ["few"]):
        assert str(Limits().draw(7, turn)) == str(Limits().read(kind)) == kind
        assert Limits().read(kind).contract is Contract.STRESS
    with pytest.raises(SettingError) as refusal:
        Limits().read("256")
    assert str(refusal.value) == "fds=256: give few or high"
    assert Limits().unavailable == ""


def test_causes_are_put_into_words() -> None:
    said = [naming.sentence("fds", kind, "", (), CALM) for kind in ("few", "high")]
    assert said == [
        "fails where a process may have few descriptors more",
        "fails where new descriptors have numbers over 1023",
    ]
    assert naming.sentence("environ", "umask=077", "", (), CALM).endswith("for their owner only (umask 077)")
    assert naming.sentence("environ", "COLUMNS=40", "", (), CALM) == "fails where COLUMNS=40 is set"
    readings = [("environment", f"os.environ[{name!r}]", f"a.py:{line}") for line, name in enumerate(["LANG", "USER"])]
    assert naming.places({"environ": "USER=unset"}, readings) == ("a.py:1 calls os.environ['USER']",)
    assert naming.places({"environ": "LANG=C"}, readings) == ("a.py:0 calls os.environ['LANG']",)
