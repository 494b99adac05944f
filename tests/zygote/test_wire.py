from collections import OrderedDict
from pathlib import PurePosixPath
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.model import Evidence, Outcome, Place
from pytest_flakehunt.zygote import wire

texts = st.text(st.characters())
evidence = st.builds(
    Evidence,
    phase=texts,
    exception=texts,
    message=texts,
    where=st.builds(Place, texts, st.integers(0, 10**6), texts),
    traceback=texts,
    sections=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
    stacks=texts,
    note=texts,
)
seconds = st.floats(0, 1e6).map(lambda value: round(value, 6))
items = st.one_of(
    st.builds(wire.Began, st.integers(1, 10**7)),
    st.builds(wire.Started, st.integers(0, 10**6)),
    st.builds(wire.Finished, st.integers(0, 10**6), st.sampled_from(Outcome), seconds, st.none() | evidence),
    st.builds(wire.Reported, st.dictionaries(texts, st.none() | st.binary() | st.sets(texts), max_size=3)),
    st.builds(wire.Told, texts, st.dictionaries(texts, st.none() | st.integers() | texts, max_size=3)),
    st.just(wire.Done()),
)


@given(st.lists(items, max_size=5))
def test_a_journal_reads_back_as_it_was_written(written: list[wire.Entry]) -> None:
    assert list(wire.entries(b"".join(map(wire.entry, written)))) == written


class Odd(str):
    __slots__ = ()


def test_reports_keep_values_of_pythons_own_types() -> None:
    data: dict[Any, Any] = {
        "set": {1, 2},
        "bytes": b"x",
        3: (1.5, None, True),
        "text": "\ud800",
        "deep": [{"a": frozenset({1})}],
    }
    (read,) = wire.entries(wire.entry(wire.Reported(data)))
    assert read == wire.Reported(data)


class Mute:
    def __repr__(self) -> str:
        raise OSError("no text")


def test_numbers_of_numpy_are_numbers_and_nothing_fails_however_odd_it_is() -> None:
    endless: list[Any] = []
    endless.append(endless)
    data: dict[Any, Any] = {
        "half": numpy.float64(0.5), "three": numpy.int64(3), "bytes": bytearray(b"x"), "mute": Mute(),
        "endless": endless, ("odd", Mute): 1, "array": numpy.zeros(2),
    }  # fmt: skip
    (read,) = wire.entries(wire.entry(wire.Reported(data)))
    assert isinstance(read, wire.Reported)
    values = {str(key): value for key, value in read.data.items() if key != "endless"}
    assert values["half"] == 0.5
    assert type(values["half"]) is float
    assert (values["three"], values["bytes"], values["array"]) == (3, "bytearray(b'x')", "array([0., 0.])")
    assert values["mute"] == "<Mute, whose text cannot be had: OSError>"


def test_what_no_serializer_takes_is_given_in_its_own_words() -> None:
    data = {"derived": Odd("x"), "ordered": OrderedDict(a=(Odd("y"),)), "path": PurePosixPath("a"), "set": {1}}
    (read,) = wire.entries(wire.entry(wire.Reported(data)))
    assert read == wire.Reported(
        {"derived": "x", "ordered": {"a": ("y",)}, "path": "PurePosixPath('a')", "set": {1}}
    )  # fmt: skip


def test_a_line_that_is_no_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="not a journal entry"):
        list(wire.entries(b'["z"]\n'))
    with pytest.raises(ValueError, match=r"not one journal entry: \["):
        list(wire.entries(b'["s",1] ["s",2]\n'))


@pytest.mark.parametrize(
    "message",
    [
        wire.Birth(
            ["-q"],
            "/d",
            ["pytest"],
            {"workerid": "gw0", "pickled": b"x", "set": {1}},
            ["a.py::x\ud800"],
            "/s",
            ["PYTHONHASHSEED"],
        ),
        wire.Run(3, "gc=off", [[1, 2], [3]], True, "/j", ["random"], True, ["c.py::z"]),
        wire.Retire(),
        wire.Ready([1], ["b.py::y"], {"random": "ab"}, "threads"),
        wire.Failed("no such file"),
        wire.Ended(2, -9),
    ],
)
def test_messages_read_back_as_they_were_sent(message: Any) -> None:
    line = wire.encode(message)
    assert line.count(b"\n") == 1
    assert wire.decode(line) == message
