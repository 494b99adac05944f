"""The choice and the arithmetic, without git and pytest."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.bisecting.search import Answer, Budget, Judged, Search, chosen, steps
from pytest_flakehunt.bisecting.tries import Kind, Tried


class Graph:
    """Revisions 0, 1, 2, … with their parents, each of them smaller."""

    def __init__(self, parents: Sequence[frozenset[int]]) -> None:
        self.parents = parents
        self.contained: list[frozenset[int]] = []
        for number, above in enumerate(parents):
            self.contained.append(frozenset({number}).union(*(self.contained[parent] for parent in above)))

    def between(self, bad: str, good: Sequence[str]) -> list[str]:
        """Give what ``git rev-list --bisect-all`` does."""
        left = self.contained[int(bad)].difference(*(self.contained[int(one)] for one in good))
        distance = {one: min(reach := len(self.contained[one] & left), len(left) - reach) for one in left}
        return [str(one) for one in sorted(left, key=lambda one: (-distance[one], one))]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    parents = [
        frozenset(draw(st.sets(st.integers(max(0, number - 6), number - 1), min_size=1, max_size=3)) if number else ())
        for number in range(draw(st.integers(1, 30)))
    ]
    tip = len(parents)
    heads = set(range(tip)).difference(*parents)
    return Graph([*parents, frozenset(heads)])


@given(graphs(), st.data())
def test_the_first_that_fails_is_found_in_any_history_or_is_among_those_that_could_not_be_judged(
    graph: Graph, data: st.DataObject
) -> None:
    tip = len(graph.parents) - 1
    first = data.draw(st.integers(1, tip), label="first")
    skips = data.draw(st.sets(st.integers(1, tip - 1) if tip > 1 else st.nothing()), label="skipped")
    tried: list[int] = []

    def judge(revision: str, left: int) -> Judged:
        number = int(revision)
        assert number not in tried
        tried.append(number)
        assert left >= 0
        if number in skips:
            return Judged.SKIPPED
        return Judged.BAD if first in graph.contained[number] else Judged.GOOD

    answer = Search(graph.between, judge).run(str(tip), ["0"])
    possible = {int(answer.first), *map(int, answer.skipped)}
    assert first in possible
    assert first in graph.contained[int(answer.first)]
    assert {*map(int, answer.skipped)} <= skips
    if not skips:
        assert answer == Answer(str(first))


@given(st.integers(1, 200), st.data())
def test_a_straight_history_takes_no_more_steps_than_were_told(count: int, data: st.DataObject) -> None:
    graph = Graph([frozenset({number - 1}) if number else frozenset() for number in range(count + 1)])
    first = data.draw(st.integers(1, count))
    told: list[int] = []

    def judge(revision: str, left: int) -> Judged:
        told.append(left)
        return Judged.BAD if int(revision) >= first else Judged.GOOD

    assert Search(graph.between, judge).run(str(count), ["0"]).first == str(first)
    assert len(told) <= steps(count)
    assert all(later < sooner for sooner, later in pairwise(told))


@given(
    st.floats(0.02, 1), st.floats(0.001, 0.5), st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=40)
)  # fmt: skip
def test_the_chances_of_all_that_were_called_good_add_up_to_no_more_than_the_error(
    rate: float, error: float, rounds: list[tuple[bool, int]]
) -> None:
    budget = Budget(rate, error)
    spent = 0.0
    for good, left in rounds:
        passes = budget.passes(left)
        assert (1 - rate) ** passes <= error
        if good:
            budget.called_good(passes)
            spent += (1 - rate) ** passes
    assert budget.spent == pytest.approx(spent)
    assert spent <= error * (1 + 1e-9)


def test_a_lower_rate_and_more_steps_take_more_passes() -> None:
    assert [Budget(1, 0.05).passes(4), Budget(0.5, 0.05).passes(4), Budget(0.5, 0.05).passes(9)] == [3, 7, 8]
    assert Budget(0.1, 0.05).passes(4) == 46


def test_neighbours_of_what_could_not_be_judged_are_not_tried_one_by_one() -> None:
    left = [str(number) for number in range(64)]
    skipped: list[str] = []
    for _ in range(4):
        revision = chosen(left, skipped)
        assert revision is not None
        skipped.append(revision)
    assert skipped[0] == "0"
    assert max(map(int, skipped)) > 8


@pytest.mark.parametrize(
    ("tried", "judged"),
    [
        (Tried(), None),
        (Tried(3, {"a": Kind(1, "A")}), Judged.BAD),
        (Tried(3, {"a": Kind(1, "A")}, "it was skipped later"), Judged.BAD),
        (Tried(9), None),
        (Tried(10), Judged.GOOD),
        (Tried(why_not="not there"), Judged.SKIPPED),
        (Tried(3, {"b": Kind(3, "B")}), Judged.SKIPPED),
        (Tried(10, {"b": Kind(1, "B")}), None),
        (Tried(11, {"b": Kind(1, "B")}), Judged.GOOD),
        (Tried(20, {"b": Kind(11, "B")}), Judged.SKIPPED),
    ],
)
def test_only_the_failure_that_is_searched_for_makes_a_revision_bad(tried: Tried, judged: Judged | None) -> None:
    assert tried.judged("a", 10) is judged


def test_runs_at_one_revision_add_up() -> None:
    both = Tried(10, {"a": Kind(1, "A")}).joined(Tried(5, {"a": Kind(2, "A"), "b": Kind(1, "B")}))
    assert both == Tried(15, {"a": Kind(3, "A"), "b": Kind(1, "B")})
    assert (both.passes, both.failures("a"), both.failures("c"), both.otherwise) == (11, 3, 0, "A")
