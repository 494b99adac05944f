"""Another machine as the controller sees it, with a line that leads nowhere."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.machines import frames
from pytest_flakehunt.machines.machine import SILENCE, STEADY, Machine
from pytest_flakehunt.model import Isolation
from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.host import Origin

ORIGIN = Origin((), "", (), (), {})


class ALine:
    """A line whose other end is the test."""

    def __init__(self) -> None:
        self.sent: list[frames.Frame] = []
        self.open = threading.Event()
        self.open.set()

    def send(self, data: bytes) -> None:
        self.open.wait()
        self.sent.extend(frames.Decoder().feed(data))

    def listen(self, take: Callable[[bytes | str], None]) -> None:
        self.take = take

    def close(self) -> None:
        self.take("it was cut")

    def tell(self, *some: frames.Frame) -> None:
        self.take(b"".join(map(frames.encode, some)))


class AClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> AClock:
    return AClock()


@pytest.fixture
def line() -> ALine:
    return ALine()


@pytest.fixture
def machine(line: ALine, clock: AClock) -> Machine:
    return Machine("ssh=a", line, clock)


@given(st.lists(st.binary(max_size=30), max_size=5), st.lists(st.integers(1, 40), max_size=20))
def test_frames_come_whole_in_whatever_pieces_they_come(texts: list[bytes], cuts: list[int]) -> None:
    sent: list[frames.Frame] = [frames.Said(number, text) for number, text in enumerate(texts)]
    data = b"".join(map(frames.encode, sent))
    decoder, found = frames.Decoder(), list[frames.Frame]()
    for size in (*cuts, len(data)):
        found += decoder.feed(data[:size])
        data = data[size:]
    assert found == sent


def test_its_clock_stands_while_nothing_is_heard_of_it(machine: Machine, line: ALine, clock: AClock) -> None:
    began = machine.clock()
    clock.now += 1
    assert machine.clock() - began == 1
    clock.now += 30
    assert machine.clock() - began == STEADY
    machine.look()
    assert not machine.lost
    line.tell(frames.Beat())
    assert machine.clock() - began == STEADY
    clock.now += 1
    assert machine.clock() - began == STEADY + 1


def test_after_a_long_silence_it_is_lost(machine: Machine, clock: AClock) -> None:
    clock.now += SILENCE + 1
    machine.look()
    assert machine.lost == "nothing was heard of it for 60 seconds"


def test_what_a_zygote_writes_there_stands_here(machine: Machine, line: ALine, tmp_path: Path) -> None:
    scratch = tmp_path / "4"
    scratch.mkdir()
    far = machine.start(ORIGIN, {"A": "1"}, scratch)
    line.tell(frames.Grew(4, "1", b"one "), frames.Became(4, "stacks", b"old"), frames.Grew(4, "1", b"two"))
    line.tell(frames.Became(4, "stacks", b"new"), frames.Said(4, b"hello"), frames.Gone(4, 3))
    assert (scratch / "1").read_bytes() == b"one two"
    assert (scratch / "stacks").read_bytes() == b"new"
    assert far.answers is not None
    assert os.read(far.answers, 100) + os.read(far.answers, 100) == b"hello"
    assert far.leave(0) == far.status == 3
    assert far.answers is None


def test_who_prints_without_end_is_told_of(machine: Machine, line: ALine, tmp_path: Path) -> None:
    far = machine.start(ORIGIN, {}, tmp_path / "4")
    assert not far.prints_without_end(77)
    line.tell(frames.Flooded(4, 77))
    assert far.prints_without_end(77)
    assert far.leave(0) == -9


def test_a_machine_that_does_not_listen_keeps_nobody_waiting(machine: Machine, line: ALine, tmp_path: Path) -> None:
    line.open.clear()
    far = machine.start(ORIGIN, {}, tmp_path / "4")
    for _ in range(100):
        far.send(b"x" * 100_000)
    assert line.sent == []


def test_a_cut_line_ends_what_zygotes_say_and_answers_questions(machine: Machine, line: ALine, tmp_path: Path) -> None:
    far = machine.start(ORIGIN, {}, tmp_path / "4")
    line.take("its cable was cut")
    assert far.answers is not None
    assert os.read(far.answers, 1) == b""
    with pytest.raises(OSError, match="its cable was cut"):
        machine.ask(frames.Compare({}, (), ()))


def test_what_cannot_be_sent_fails_where_it_is_asked_for(machine: Machine) -> None:
    with pytest.raises(ValueError, match="unmarshallable object"):
        machine.ask(frames.Compare({}, (), [(Isolation.FORK, "")]))


def test_folders_are_called_what_they_are_called_there(machine: Machine) -> None:
    machine.prepared = frames.Prepared("", "/there", "/tmp/f", "boot", "/lib/pytest/__main__.py")
    machine.here, machine.there = "/home/me/shop", "/srv/shop"
    born = machine.born(
        wire.Birth(
            args=["/home/me/shop/tests", "-c/home/me/shop/x", "--rootdir=/home/me/shop", "/home/me/shopping", "-q"],
            directory="/home/me/shop/tests",
            argv=["pytest"],
            workerinput={},
            tests=[],
            scratch="/tmp/here/3",
        )
    )
    assert born.args == ["/srv/shop/tests", "-c/home/me/shop/x", "--rootdir=/srv/shop", "/home/me/shopping", "-q"]
    assert (born.directory, born.scratch) == ("/srv/shop/tests", "/tmp/f/3")
    assert born.program["__file__"] == "/lib/pytest/__main__.py"
