"""Which earlier tests are tried, and how many runs a search takes in a suite of thousands."""

from random import Random

from pytest_flakehunt.analysis import polluters
from pytest_flakehunt.analysis.target import Candidate, Ran
from pytest_flakehunt.model import Setup
from pytest_flakehunt.model.plans import read_plan
from tests.analysis.test_attribution import KNOWN, a_target, diagnosed

MANY = tuple(f"t{number}" for number in range(3000))
SECONDS = dict.fromkeys(MANY, 0.01)


def orders(fails_after: set[str], count: int = 8) -> list[Ran]:
    """Give sweeps in shuffled orders: the test stands somewhere, and fails if all those ran before it."""
    found = []
    for seed in range(count):
        tests, place = Random(seed).sample(MANY, len(MANY)), Random(seed).randrange(500, len(MANY))
        before = tuple(tests[:place])
        found.append(Ran(before, fails=fails_after <= set(before)))
    return found


def test_one_by_one_only_where_that_takes_less_than_halving() -> None:
    history = orders({"t7"})
    before = next(ran.before for ran in history if ran.fails)
    quick = a_target("", history=lambda: history, others=MANY)
    assert set(polluters.suspects(quick, before).rest) == set()
    slow = a_target("", history=lambda: history, others=MANY, seconds=SECONDS)
    found = polluters.suspects(slow, before)
    assert "t7" in found.likely
    assert len(found.likely) < len(before)
    some = polluters.suspects(a_target("", history=lambda: history, seconds=SECONDS), before[:400])
    assert {*some.first, *some.rest} == set(before[:400])


def test_two_polluters_among_thousands_are_found_by_halving_who_always_ran_before() -> None:
    both = {"t7", "t2900"}
    history = orders(both, 16)
    before = next(ran.before for ran in history if ran.fails)
    target = a_target(
        "", history=lambda: history, others=MANY, calm_before=(), seconds=SECONDS,
        candidates=[Candidate(read_plan("order=shuffled:1", KNOWN), before, 7, 1, ordered=True)],
    )  # fmt: skip

    def world(setup: Setup) -> float:
        return float(both <= set(setup.before))

    found, runs = diagnosed(world, target, 1, budget=10_000)
    assert set(found.causes[0].polluters) == both
    assert runs < 800  # one by one it took 2,600
