"""What perturbations are worth in one project."""

from hypothesis import example, given
from hypothesis import strategies as st

from pytest_flakehunt.analysis.learning import LEAST, MOST, learned

FIELD = {"order": 6.0, "clock": 3.0, "gc": 1.0}
counts = st.fixed_dictionaries({name: st.integers(0, 200) for name in FIELD})
times = st.fixed_dictionaries({name: st.floats(0.0, 1e5) for name in FIELD})


def test_nothing_is_learned_where_nothing_was_found() -> None:
    assert learned(FIELD, {"order": 100.0}, {}, calm=1.0) == FIELD
    assert learned(FIELD, {}, {}, calm=1.0) == FIELD


def test_what_finds_more_for_its_time_is_drawn_more_often() -> None:
    moved = learned(FIELD, dict.fromkeys(FIELD, 40.0), {"order": 2, "clock": 30}, calm=1.0)
    assert moved["clock"] > FIELD["clock"]
    assert moved["order"] < FIELD["order"]
    assert moved["gc"] < FIELD["gc"]


def test_what_takes_long_is_drawn_less_often() -> None:
    fast = learned(FIELD, dict.fromkeys(FIELD, 40.0), dict.fromkeys(FIELD, 5), calm=1.0)
    slow = learned(FIELD, {**dict.fromkeys(FIELD, 40.0), "gc": 4000.0}, dict.fromkeys(FIELD, 5), calm=1.0)
    assert slow["gc"] / slow["order"] < fast["gc"] / fast["order"]


@example({"order": 0.0, "clock": 0.0, "gc": 5e-324}, {"order": 0, "clock": 0, "gc": 1}, 1.0)
@given(times, counts, st.floats(1e-3, 100.0))
def test_a_weight_stays_near_the_fields(seconds: dict[str, float], found: dict[str, int], calm: float) -> None:
    for name, weight in learned(FIELD, seconds, found, calm).items():
        assert LEAST * FIELD[name] <= weight <= MOST * FIELD[name]
