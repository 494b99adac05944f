"""Where two paths of one test go apart."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_flakehunt.analysis.parting import TRIES, parted, parting
from pytest_flakehunt.model import Parting, Place, Reply, Seen, Setup, Spot, Step, Walked

TEXTS = {
    (0, 1): "count = 3",
    (0, 2): "if late(count):",
    (0, 3): "fail()",
    (0, 4): "succeed()",
    (1, 9): "return day > 28",
}


def walked(*steps: Step, cut: bool = False) -> Walked:
    return Walked((("a.py", "test_x"), ("b.py", "late")), steps, TEXTS, cut)


START = (Step(0, 1), Step(0, 2, {"count": "3"}))


def test_the_last_common_line_is_told_with_values_and_with_what_follows() -> None:
    failing = walked(*START, Step(1, 9, {"day": "29", "zone": "'A'"}), Step(0, 3))
    passing = walked(*START, Step(1, 9, {"day": "2", "zone": "'B'"}), Step(0, 4))
    assert parting(failing, passing) == Parting(
        Spot(Place("b.py", 9, "late"), "return day > 28", ("day=29",), ("day=2",)),
        "goes on at a.py:3",
        "goes on at a.py:4",
    )


def test_values_that_differ_before_are_told_at_their_own_line() -> None:
    early = Spot(Place("a.py", 1, "test_x"), "count = 3", ("seed=1",), ("seed=2",))
    at_the_line = Step(1, 9, {"day": "29"}), Step(1, 9, {"day": "2"})
    for one, other in (at_the_line, (Step(1, 9), Step(1, 9))):
        found = parting(
            walked(Step(0, 1, {"seed": "1"}), START[1], one, Step(0, 3)),
            walked(Step(0, 1, {"seed": "2"}), START[1], other, Step(0, 4)),
        )
        assert found is not None
        assert found.at.where == Place("b.py", 9, "late")
        assert found.first == early


def test_names_that_the_line_does_not_have_are_told_where_those_it_has_are_the_same() -> None:
    names = {f"n{number}": "0" for number in range(5)}
    found = parting(
        walked(START[0], Step(0, 2, {"count": "3", **names}), Step(0, 3)),
        walked(START[0], Step(0, 2, {"count": "3", **dict.fromkeys(names, "1")}), Step(0, 4)),
    )
    assert found is not None
    assert found.at.failing == ("n0=0", "n1=0", "n2=0")
    assert found.at.passing == ("n0=1", "n1=1", "n2=1")
    assert found.first is None  # it is the same line


def test_a_name_that_only_one_of_them_has_is_not_compared() -> None:
    found = parting(
        walked(Step(0, 1, {"x": "1", "y": "1"}), Step(0, 2, {"x": None}), Step(0, 3)),
        walked(Step(0, 1, {"x": "1", "y": "1"}), Step(0, 2, {"x": "2"}), Step(0, 4)),
    )
    assert found is not None
    assert (found.at.failing, found.first) == ((), None)


def test_what_differs_between_two_failing_attempts_is_left_out_unless_they_part_at_it() -> None:
    def took(now: str, day: str, *last: Step) -> Walked:
        return walked(Step(0, 1, {"now": now, "x": "1"}), Step(1, 9, {"day": day, "now": now}), *last)

    failing, again, passing = (
        took(now, day, Step(0, line)) for now, day, line in (("1", "29", 3), ("2", "29", 3), ("3", "2", 4))
    )
    found = parting(failing, passing, again)
    assert found is not None
    assert (found.at.failing, found.first) == (("day=29",), None)
    again = took("2", "30", Step(0, 3))
    found = parting(failing, passing, again)
    assert found is not None
    assert (found.at.failing, found.first) == (("day=29",), None)
    found = parting(failing, passing)
    assert found is not None
    assert found.first is not None
    assert found.first.failing == ("now=1",)
    elsewhere = took("1", "29")
    found = parting(failing, passing, walked(elsewhere.steps[1], elsewhere.steps[0]))
    assert found is not None
    assert found.first is not None  # that one says nothing of this path
    here, there, other = (took(now, "2", Step(1, 9, {}, raised)) for now, raised in (("1", "E"), ("2", ""), ("3", "E")))
    found = parting(here, there, other)
    assert found is not None
    assert found.at.failing == ()


def test_an_exception_at_a_line_is_where_they_part() -> None:
    found = parting(walked(*START, Step(0, 2, {}, "KeyError")), walked(*START, Step(0, 4)))
    assert found == Parting(Spot(Place("a.py", 2, "test_x"), "if late(count):"), "raises KeyError", "goes on at a.py:4")
    found = parting(walked(*START), walked(*START, Step(0, 4)))
    assert found is not None
    assert found.failing == "ends"


def test_the_same_lines_with_other_values_part_where_these_differ_first() -> None:
    one, other = (walked(Step(0, 1), Step(0, 2, {"count": text}), Step(0, 4)) for text in ("3", "4"))
    spot = Spot(Place("a.py", 2, "test_x"), "if late(count):", ("count=3",), ("count=4",))
    assert parting(one, other) == Parting(spot)
    assert parting(one, replace(other, cut=True)) == Parting(spot, cut=True)


def test_nothing_is_said_where_nothing_differs() -> None:
    assert parting(walked(*START), walked(*START)) is None
    assert parting(walked(), walked(*START)) is None
    assert parting(walked(Step(0, 3)), walked(*START)) is None


def test_the_end_of_a_path_that_was_cut_is_no_difference() -> None:
    last = Spot(Place("a.py", 2, "test_x"), "if late(count):")
    for one, other in ((START, (*START, Step(0, 3))), ((*START, Step(0, 3)), START)):
        assert parting(walked(*one, cut=len(one) == 2), walked(*other, cut=len(other) == 2)) == Parting(last, cut=True)
    found = parting(walked(*START, Step(0, 3), cut=True), walked(*START, Step(0, 4)))
    assert found is not None
    assert not found.cut


def asked(replies: Sequence[tuple[Reply, Reply]]) -> tuple[Parting | None, list[int]]:
    """Run the experiment; give the runs that were asked for each time."""
    setup, without = Setup(before=("t1",)), Setup()
    paths = {setup: walked(*START, Step(0, 3)), without: walked(*START, Step(0, 4))}
    experiment, runs = parted(setup, without), []
    try:
        setups = next(experiment)
        for failing, passing in replies:
            assert all(one.path for one in setups)
            runs.append(len(setups))
            said = {setup: failing, without: passing}
            plain = [replace(one, path=False) for one in setups]
            setups = experiment.send([Seen(said[one], path=paths[one]) for one in plain])
    except StopIteration as end:
        return end.value, runs
    raise AssertionError("it should have ended")


def test_three_runs_are_enough_where_they_end_as_they_should() -> None:
    found, runs = asked([(Reply.FAILS, Reply.PASSES)])
    assert found is not None
    assert runs == [3]


def test_the_side_that_ended_otherwise_is_tried_again_and_no_more_than_a_few_times() -> None:
    found, runs = asked([(Reply.FAILS, Reply.FAILS), (Reply.FAILS, Reply.PASSES)])
    assert found is not None
    assert runs == [3, 1]
    found, runs = asked([(Reply.OTHERWISE, Reply.PASSES)] * TRIES)
    assert (found, runs) == (None, [3, *[1] * (TRIES - 1)])


def test_nothing_is_followed_where_it_is_not_known_without_what_it_passes() -> None:
    experiment = parted(Setup(), None)
    with pytest.raises(StopIteration) as end:
        next(experiment)
    assert end.value.value is None
