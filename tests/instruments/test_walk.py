"""What is noted of the path of one test: its lines and plain values, and never by means of the project's own code."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.ground import scratch
from pytest_flakehunt.instruments import walk
from pytest_flakehunt.instruments.short import LONGEST, short
from pytest_flakehunt.instruments.walk import Walk
from pytest_flakehunt.model import Walked

TOUCHED: list[str] = []


class Hostile:
    """A class whose every method does harm."""

    def __getattribute__(self, name: str) -> Any:
        TOUCHED.append(name)
        raise RuntimeError(name)

    def __repr__(self) -> str:
        TOUCHED.append("repr")
        return ""

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        TOUCHED.append("eq")
        return True

    def __hash__(self) -> int:
        TOUCHED.append("hash")
        return 1


class HostileText(str):
    __slots__ = ()

    def __repr__(self) -> str:
        TOUCHED.append("repr")
        return ""

    __len__ = __iter__ = __repr__  # type: ignore[assignment]


class HostileZone(tzinfo):
    def utcoffset(self, moment: datetime | None) -> None:
        TOUCHED.append("zone")

    tzname = dst = utcoffset


class HostileDay(date):
    def isoformat(self) -> str:
        TOUCHED.append("iso")
        return ""

    __str__ = __repr__ = isoformat


class HostileKind(type):
    def __getattribute__(cls, name: str) -> Any:
        if name == "__name__":
            TOUCHED.append(name)
        return super().__getattribute__(name)


class StrangeError(Exception, metaclass=HostileKind):
    """An exception whose class has a mind of its own."""


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    TOUCHED.clear()
    yield
    assert TOUCHED == []


def noted(config: pytest.Config, deed: Callable[[], object]) -> Walked:
    before = sys.gettrace()
    sys.settrace(None)  # whoever measures coverage
    try:
        with Walk(config).noted() as path:
            deed()
    finally:
        sys.settrace(before)
    return Walked.read(path.told())


def lines(walked: Walked) -> list[tuple[str, str]]:
    return [(walked.text(index), step.raised) for index, step in enumerate(walked.steps)]


def adds(first: int) -> int:
    second = first + 1
    return second  # noqa: RET504 - two lines are wanted


def loops() -> None:
    for number in range(2):
        adds(number)


def test_lines_are_noted_in_order_with_what_has_changed(pytestconfig: pytest.Config) -> None:
    walked = noted(pytestconfig, loops)
    assert [text for text, _ in lines(walked)] == [
        "for number in range(2):", "adds(number)", "second = first + 1", "return second  # noqa: RET504 - two lines are wanted",
        "for number in range(2):", "adds(number)", "second = first + 1", "return second  # noqa: RET504 - two lines are wanted",
        "for number in range(2):",
    ]  # fmt: skip
    assert [dict(step.changed) for step in walked.steps] == [
        {}, {"number": "0"}, {"first": "0"}, {"second": "1"}, {}, {"number": "1"}, {"first": "1", "second": None},
        {"second": "2"}, {},
    ]  # fmt: skip
    assert walked.place(2).file == "tests/instruments/test_walk.py"
    assert walked.place(2).function == "adds"
    assert not walked.cut


def test_a_line_that_raises_is_noted_with_the_type(pytestconfig: pytest.Config) -> None:
    def raises() -> None:
        raise StrangeError

    def catches() -> None:
        with suppress(StrangeError):
            raises()

    assert ("raise StrangeError", "StrangeError") in lines(noted(pytestconfig, catches))


def test_no_code_of_the_project_is_run_for_a_value(pytestconfig: pytest.Config) -> None:
    def meets() -> None:
        object_ = Hostile()
        held = [object_, HostileText("x"), {"at": object_}]
        text = HostileText("x")
        kind = HostileKind
        day = HostileDay(2026, 11, 26)
        moment = datetime(2026, 11, 26, tzinfo=HostileZone())
        del object_, text, kind, day, moment
        held.clear()

    def meets_in_a_class_body() -> None:
        class Names(dict):  # type: ignore[type-arg]
            def items(self) -> Any:
                TOUCHED.append("items")
                return super().items()

        class Meta(type):
            @classmethod
            def __prepare__(cls, *_: Any, **__: Any) -> Names:
                return Names()

            def __new__(cls, name: str, bases: Any, names: Any) -> Any:
                return type.__new__(cls, name, bases, {**names})

        class Made(metaclass=Meta):
            inside = 1

    walked = noted(pytestconfig, meets)
    told = {name: text for step in walked.steps for name, text in step.changed.items() if text is not None}
    assert told == {"held": "[…, …, {'at': …}]", "day": "2026-11-26"}
    noted(pytestconfig, meets_in_a_class_body)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"), (True, "True"), (None, "None"), (b"x", "b'x'"), (1 << 9999, "<10000 bits>"),
        ({"b", "a"}, "{'a', 'b'}"), (frozenset((2, 1)), "{1, 2}"), ((1, [2, [3]]), "(1, [2, …])"),
        ({1: {2: {3: 4}}}, "{1: {2: …}}"), (list(range(9)), "<list of 9>"), (dict.fromkeys(range(9)), "<dict of 9>"),
        (date(2028, 2, 29), "2028-02-29"), (datetime(2028, 2, 29, 1, tzinfo=UTC), "2028-02-29 01:00:00+00:00"),
        ("<a.B object at 0x7f00deadbeef>", "'<a.B object at 0x…>'"), (object(), None), (Path("a"), None),
        (b"x" * 61, "<61 bytes, crc 8867c4ce>"),
    ],
)  # fmt: skip
def test_values_have_short_texts(value: object, text: str | None) -> None:
    assert short(value) == text


@pytest.mark.parametrize("value", ["x" * 10**6, b"x" * 10**6, ["y" * LONGEST] * 8, {1: ["z" * LONGEST] * 4}])
def test_of_a_long_value_nothing_is_told_but_its_length(value: Any) -> None:
    text = short(value)
    assert text is not None
    assert len(text) < 50
    assert str(len(value)) in text
    assert "xx" not in text
    assert text == short(value)


def test_names_of_this_sweeps_own_are_alike_in_every_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_starts", ["/tmp/hunt/3/run-17"])
    assert short("/tmp/hunt/3/run-17.t/test_x0") == "'….t/test_x0'"


@pytest.mark.parametrize(("name", "limit"), [("MOST_STEPS", 10), ("MOST_CHARACTERS", 40)])
def test_what_comes_after_a_limit_is_cut(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    def runs_on() -> int:
        number = 0
        for number in range(100):  # noqa: B007
            pass
        return number

    monkeypatch.setattr(walk, name, limit)
    walked = noted(pytestconfig, runs_on)
    assert walked.cut
    assert 1 < len(walked.steps) < 20


def test_other_threads_are_not_followed(pytestconfig: pytest.Config) -> None:
    def starts() -> None:
        thread = threading.Thread(target=adds, args=(1,))
        thread.start()
        thread.join()

    assert {text for text, _ in lines(noted(pytestconfig, starts))} == {
        "thread = threading.Thread(target=adds, args=(1,))", "thread.start()", "thread.join()",
    }  # fmt: skip


@pytest.mark.parametrize(("scope", "times"), [("module", 1), ("function", 2)])
def test_what_is_set_up_for_other_tests_too_is_left_out(pytestconfig: pytest.Config, scope: str, times: int) -> None:
    def sets_up() -> None:
        wrapped = path.pytest_fixture_setup(SimpleNamespace(scope=scope))  # type: ignore[arg-type]
        next(wrapped)
        adds(1)
        with suppress(StopIteration):
            wrapped.send(None)

    path = Walk(pytestconfig)
    with path.noted():
        sets_up()
        adds(2)
    texts = [text for text, _ in lines(Walked.read(path.told()))]
    assert texts.count("second = first + 1") == times


def test_of_a_long_line_no_half_word_is_told() -> None:
    assert walk._source([f"   x = 'a {'b' * 300}'\n"], 1) == "x = 'a …"
    assert walk._source([], 1) == ""


@pytest.mark.skipif(walk.MONITORING is not None, reason="trace functions are used before Python 3.12")
def test_a_trace_function_of_somebody_else_is_left_alone(pytestconfig: pytest.Config) -> None:
    def other(*_: object) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(other)
    try:
        with Walk(pytestconfig).noted() as path:
            loops()
        assert sys.gettrace() is other
    finally:
        sys.settrace(before)
    assert (path.steps, path.cut) == ([], True)

    def takes_it() -> None:
        sys.settrace(other)
        sys.settrace(None)

    assert noted(pytestconfig, takes_it).cut


@pytest.mark.skipif(walk.MONITORING is None, reason="sys.monitoring came with Python 3.12")
def test_tool_ids_of_somebody_else_are_left_alone(pytestconfig: pytest.Config) -> None:
    taken = [tool for tool in walk.TOOLS if walk.MONITORING.get_tool(tool) is None]
    for tool in taken:
        walk.MONITORING.use_tool_id(tool, "another")
    try:
        with Walk(pytestconfig).noted() as path:
            loops()
        assert {walk.MONITORING.get_tool(tool) for tool in taken} == {"another"}
    finally:
        for tool in taken:
            walk.MONITORING.free_tool_id(tool)
    assert (path.steps, path.cut) == ([], True)
    noted(pytestconfig, loops)
    assert [walk.MONITORING.get_tool(tool) for tool in taken] == [None] * len(taken)
