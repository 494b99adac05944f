from collections.abc import Mapping

from pytest_flakehunt.model import Attempt, Outcome, Plan
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.perturbations import OURS
from pytest_flakehunt.survey.company import FIRST, Company

TESTS = [f"a.py::test_{number}" for number in range(1000)]
(ORDER,) = [item for item in OURS if item.name == "order"]


def company(seconds: float | None = None, known: Mapping[str, float] = {}) -> Company:
    return Company.of(TESTS, seconds, 2, known)


def draft(number: int, setting: str, *focus: str) -> Draft:
    return Draft(number, Plan((("order", ORDER.read(setting)),)), focus or ("order",))


def test_it_joins_orders_alone() -> None:
    some = company()
    assert [some.joins(one) for one in (Draft(3), draft(4, "reversed"), draft(5, "shuffled:7"))] == [False, True, True]
    assert not some.joins(draft(6, "alone"))
    assert not some.joins(draft(7, "reversed", "clock", "order"))
    assert some.join(1) == TESTS
    assert not Company().joins(draft(4, "reversed"))


def test_where_sweeps_are_counted_all_of_it_joins_and_nothing_is_left_to_say() -> None:
    some = company()
    some.join(1)
    assert some.sentence() == ""


def test_tests_of_unknown_length_join_a_few_at_a_time_twice_as_many_each_time() -> None:
    some = company(seconds=300)
    seen: set[str] = set()
    for turn in range(4):
        joined = some.join(1)
        assert len(joined) == FIRST * 2**turn
        assert joined == sorted(joined, key=TESTS.index)
        assert not seen & set(joined)  # those that did not join yet come first
        seen |= set(joined)
    assert some.sentence() == (
        "940 of the 1000 tests that a change does not touch ran beside it in no order, for want of time: victims among "
        "them were not looked for"
    )


def test_no_more_joins_than_an_eighth_of_the_time_bears() -> None:
    slow = company(seconds=80, known=dict.fromkeys(TESTS, 1.0))
    assert len(slow.join(1)) == 20  # 80 s / 8, on two workers
    fast = company(seconds=80, known=dict.fromkeys(TESTS, 0.001))
    assert fast.join(1) == TESTS


def test_what_it_learns_of_lengths_it_uses() -> None:
    some = company(seconds=80)
    first = some.join(1)
    some.saw([Attempt(nodeid, Outcome.PASSED, 5.0) for nodeid in first])
    assert len(some.join(1)) == 4  # unknown ones are taken to be as long as those that are known


def test_the_same_seed_chooses_the_same() -> None:
    assert company(seconds=80).join(3) == company(seconds=80).join(3) != company(seconds=80).join(4)
