import pytest

from pytest_flakehunt.analysis.verdicts import Case, judge, steady, verdict
from pytest_flakehunt.model import CALM, Contract, Count, Evidence, Isolation, Outcome, Place, Sweep, Verdict
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry

KNOWN = registry()
EVIDENCE = Evidence("call", "AssertionError", "assert 0", Place("test_a.py", 3, "test_x"))


def sweep(number: int, plan: str = "", focus: tuple[str, ...] = (), hashseed: str = "1") -> Sweep:
    held = read_plan(plan, KNOWN) if plan else CALM
    return Sweep(number, held, focus, Isolation.FORK, 1, hashseed, 0)


def case(attempts: list[tuple[Sweep, bool]]) -> Case:
    seen = [(s, Outcome.FAILED if failed else Outcome.PASSED, "f" * 16 if failed else "") for s, failed in attempts]
    return Case("test_a.py::test_x", "test_a.py", 2, seen, {"f" * 16: (1, EVIDENCE)})


@pytest.mark.parametrize(
    ("calm", "total", "expected"),
    [
        (Count(4, 0), Count(20, 0), Verdict.STEADY),
        (Count(4, 0), Count(20, 3), Verdict.FRAGILE),
        (Count(4, 1), Count(20, 3), Verdict.FLAKY),
        (Count(4, 4), Count(20, 20), Verdict.BROKEN),
        (Count(4, 4), Count(20, 9), Verdict.BROKEN),
        (Count(0, 0), Count(0, 0), Verdict.STEADY),
    ],
)
def test_what_counts_say(calm: Count, total: Count, expected: Verdict) -> None:
    assert verdict(calm, total) is expected


@pytest.mark.parametrize(
    ("calm", "others", "notes"),
    [
        (2, [False], ("it failed in all 2 calm attempts, and passed 1 of 1 others",)),
        (
            1,
            [False, True],
            (
                "it failed in the only calm attempt, and passed 1 of 2 others: whether it always fails when calm is "
                "not known",
            ),
        ),
        (1, [], ("it was run once: whether it always fails is not known",)),
        (1, [True], ()),
    ],
)
def test_what_speaks_against_a_broken_test_is_said(calm: int, others: list[bool], notes: tuple[str, ...]) -> None:
    unlike = [(sweep(9 + n, "gc=off", ("gc",)), failed) for n, failed in enumerate(others)]
    (found,) = judge([case([*((sweep(n), True) for n in range(calm)), *unlike])], 9)
    assert found.verdict is Verdict.BROKEN
    assert found.notes == notes
    assert found.modes[0].suspects == ()


def test_failures_that_come_with_a_perturbation_make_it_a_suspect() -> None:
    clock = [(sweep(n, "clock=+1d random=3", ("clock",)), True) for n in range(10, 15)]
    others = [(sweep(n, "gc=off random=3", ("gc",)), False) for n in range(20, 50)]
    (found,) = judge([case([(sweep(0), False), *clock, *others])], 9)
    assert found.verdict is Verdict.FRAGILE
    assert found.contract is Contract.ENVIRONMENT
    (mode,) = found.modes
    (suspect,) = mode.suspects
    assert (suspect.perturbation, suspect.present, suspect.absent) == ("clock", Count(5, 5), Count(31, 0))
    assert suspect.p_value == pytest.approx(9 / 376992, rel=1e-6)
    assert mode.plan == "clock=+1d random=3"


def test_one_telling_setting_stands_out_from_its_perturbation() -> None:
    telling = [(sweep(n, "clock=2028-02-29T23:59:58", ("clock",)), True) for n in range(1, 4)]
    dull = [(sweep(n, "clock=+1d", ("clock",)), False) for n in range(4, 40)]
    (found,) = judge([case([*telling, *dull])], 9)
    (suspect,) = found.modes[0].suspects
    assert (suspect.perturbation, suspect.setting) == ("clock", "2028-02-29T23:59:58")
    assert suspect.present == Count(3, 3)


def test_a_hash_seed_is_held_against_all_others_calm_sweeps_too() -> None:
    ones = [(sweep(n, hashseed="1"), True) for n in range(6)]
    others = [(sweep(n, hashseed=str(n % 5 + 2)), False) for n in range(6, 36)]
    (found,) = judge([case([*ones, *others])], 9)
    assert found.verdict is Verdict.FLAKY
    (suspect,) = found.modes[0].suspects
    assert (suspect.perturbation, suspect.setting, suspect.present) == ("hashseed", "1", Count(6, 6))


def test_where_nothing_stands_out_the_nearest_is_named_with_its_numbers() -> None:
    attempts = [(sweep(n, "gc=off", ("gc",)), n == 1) for n in range(1, 4)]
    attempts += [(sweep(n), False) for n in range(4, 8)]
    (found,) = judge([case(attempts)], 9)
    (suspect,) = found.modes[0].suspects
    assert suspect.p_value == 1


def test_a_random_seed_is_no_suspect_by_association() -> None:
    attempts = [(sweep(n, "random=3", ("random",)), True) for n in range(1, 6)] + [(sweep(9), False)] * 20
    (found,) = judge([case(attempts)], 9)
    assert found.modes[0].suspects == ()


def test_the_plan_to_replay_is_pinned_natural_and_small() -> None:
    attempts = [
        (sweep(0), True),
        (sweep(1, "clock=+1d hashseed=1 random=2", ("clock",)), True),
        (sweep(2, "hashseed=1 random=2", ("random",)), True),
        (sweep(3), False),
    ]
    (found,) = judge([case(attempts)], 9)
    (mode,) = found.modes
    assert mode.plan == "hashseed=1 random=2"
    assert (mode.failures, mode.calm_failures) == (3, 1)
    assert mode.contract is Contract.NATURAL


def test_steady_is_never_said_without_its_bound() -> None:
    found = steady("test_a.py::test_x", "test_a.py", 2, Count(1000, 0), Count(200, 0))
    assert found.verdict is Verdict.STEADY
    assert found.rate.high == pytest.approx(0.0037, abs=5e-5)


def test_a_test_that_never_ran_is_said_so() -> None:
    found = steady("test_a.py::test_x", "test_a.py", 2, Count(), Count())
    assert found.notes == ("it never ran to a result: skipped in every attempt",)
    assert found.rate == (0, 1)
