"""What a ledger keeps of experiments: read back as it was, and no other way."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.diagnosis import remembered
from pytest_flakehunt.model import Moment, Reply, Seen, Switch, Taped, Turn, Walked, Why
from pytest_flakehunt.model.walked import Step

STEPS = (Step(0, 3), Step(0, 4, {"n": "1", "gone": None}), Step(1, 9, {}, "ValueError"))
PATH = Walked((("a.py", "f"), ("b.py", "g")), STEPS, {(0, 3): "n = 1", (1, 9): "raise"}, cut=False)
SWITCH = Switch(Moment(0, "a.py", 3, 1), 1)
TAPED = Taped(
    ("main", "left"), (Turn(SWITCH, Why.ROOM, usual=False, last=("a.py", 2, "n = 1")),), "d1", True, (SWITCH,)
)
SEEN = [
    Seen(Reply.FAILS, (("clock", "time.time", "a.py:3"),), (("test_a", "set", "os.environ"),), PATH, 4, TAPED),
    Seen(Reply.PASSES),
]
TOLD = json.loads(remembered.told(SEEN))
ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_it_is_read_back() -> None:
    assert remembered.read(remembered.told(SEEN), 2) == SEEN
    assert remembered.read(remembered.told(SEEN), 3) is None  # another number was asked for


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((0, 0), "sometimes"),
        ((0, 1, 0), ["clock", "time.time"]),
        ((0, 1, 0, 2), 3),
        ((0, 1), "abc"),
        ((0, 2), [["test_a", "set", None]]),
        ((0, 2), [["a", "b", "c"]] * 100_001),
        ((0, 3), []),
        ((0, 3, "codes", 0), ["a.py"]),
        ((0, 3, "steps", 0, 0), 2),
        ((0, 3, "steps", 0, 1), -1),
        ((0, 3, "steps", 1, 2), {"n": 1}),
        ((0, 3, "steps", 2, 3), None),
        ((0, 3, "steps", 0), [0, 3, {}, "", 1]),
        ((0, 3, "texts", 0, 0), 7),
        ((0, 3, "texts", 0, 2), ["n"]),
        ((0, 3, "cut"), 1),
        ((0, 4), True),
        ((0, 4), 2**60),
        ((0, 4), -1),
        ((0, 5), []),
        ((0, 5, "names"), ["main"]),
        ((0, 5, "names", 0), 3),
        ((0, 5, "turns", 0, 0), "0@a.py>1"),
        ((0, 5, "turns", 0, 1), "why not"),
        ((0, 5, "turns", 0, 4), -1),
        ((0, 5, "turns", 0), ["0@a.py:3>1"]),
        ((0, 5, "turns", 0, 6), "yes"),
        ((0, 5, "digest"), None),
        ((0, 5, "steered"), "yes"),
        ((0, 5, "unmet"), ["1>2"]),
        ((1,), None),
    ],
)
def test_what_no_hunt_wrote_is_made_again(place: tuple[Any, ...], value: object) -> None:
    kept = inner = deepcopy(TOLD)
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    assert remembered.read(json.dumps(kept), 2) is None


@pytest.mark.parametrize(
    "text", ["", "[" * 100_000, "null", "{}", "[1, 2]", '[{"reply": 1}, {}]', "[" + "9" * 5000 + "]"]
)
def test_nor_is_any_other_text(text: str) -> None:
    assert remembered.read(text, 2) is None


@given(ANYTHING, st.data())
def test_whatever_is_read_is_as_a_hunt_writes_it(value: Any, data: st.DataObject) -> None:
    kept = deepcopy(TOLD)
    places: list[tuple[Any, Any]] = []

    def look(holder: Any) -> None:
        for key, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            places.append((holder, key))
            if isinstance(inner, list | dict):
                look(inner)

    look(kept)
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = value
    found = remembered.read(json.dumps(kept), 2)
    assert found is None or remembered.read(remembered.told(found), 2) == found
    for one in found or []:
        for index in range(len(one.path.steps) if one.path else 0):
            assert one.path is not None
            assert one.path.place(index).line >= 0
            assert isinstance(one.path.text(index), str)
