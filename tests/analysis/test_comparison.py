"""Comparisons of hunts: what is said to have changed has, and what an interpreter decides is no change."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest

from pytest_flakehunt.analysis.comparison import Change, Seen, added, began, compared, seen
from pytest_flakehunt.analysis.intervals import rate
from pytest_flakehunt.model import (
    FIRST_MODE,
    PASSED,
    Contract,
    Count,
    Evidence,
    Finding,
    Findings,
    Mode,
    Outcome,
    Place,
    Planned,
    Trial,
    Verdict,
    column,
)

SEEDS = count(1)
TRIAL = Trial(1, 0, 1.0, "2026-11-26T06:00:00+00:00", "3.13.0", "9.2.0", "linux", ("order",))
EVIDENCE = Evidence("call", "AssertionError", "assert 0", Place("a.py", 1))
TRIALS: Sequence[tuple[str, ...]] = ((), ("order",), (), ("order", "clock"), ("clock",))
Fails = Callable[[Planned], bool]


def hunted(tests: dict[str, Fails], sweeps: int = 100, each: int = 4, **changed: Any) -> Findings:
    """Give what a hunt says whose sweeps took place in interpreters that served so many each."""
    planned = tuple(Planned(n, "", TRIALS[n % len(TRIALS)], 1 + n // each) for n in range(sweeps))
    columns = tuple(dict.fromkeys(sweep.column for sweep in planned))
    findings = []
    for nodeid, fails in tests.items():
        strip = tuple(FIRST_MODE if fails(sweep) else PASSED for sweep in planned)
        failures = strip.count(FIRST_MODE)
        under = tuple(
            Count(
                sum(sweep.column == name for sweep in planned),
                sum(sweep.column == name and mark == FIRST_MODE for sweep, mark in zip(planned, strip, strict=True)),
            )
            for name in columns
        )
        mode = Mode("f" * 16, Outcome.FAILED, EVIDENCE, failures, under[0].failures, "", Contract.NATURAL)
        total, calm = Count(sweeps, failures), under[0]
        made = Finding(
            nodeid,
            "a.py",
            1,
            Verdict.FLAKY if failures else Verdict.STEADY,
            total,
            rate(*reversed(total)),
            calm,
            rate(*reversed(calm)),
        )
        made = replace(made, under=under)
        findings.append(replace(made, modes=(mode,), strip=strip) if failures else made)
    return Findings(
        replace(TRIAL, **{"sweeps": sweeps, "seed": next(SEEDS), **changed}),
        tuple(findings),
        columns=columns,
        sweeps=planned,
    )


def never(_: Planned) -> bool:
    return False


def now_and_then(share: float, seed: object) -> Fails:
    return lambda sweep: Random(f"{seed} {sweep.number}").random() < share


def said(before: Findings, after: Findings) -> dict[str, Change]:
    return {row.nodeid: row.change for row in compared([before], [after])}


def test_each_change_has_its_word() -> None:
    before = hunted(
        {"new": never, "gone": now_and_then(0.4, 1), "worse": now_and_then(0.1, 2), "same": now_and_then(0.3, 3)}
    )
    after = hunted(
        {
            "new": now_and_then(0.4, 4),
            "gone": never,
            "worse": now_and_then(0.8, 5),
            "same": now_and_then(0.3, 6),
            "late": now_and_then(1, 7),
        }
    )
    words = {"new": Change.NEW, "gone": Change.GONE, "worse": Change.WORSE, "same": Change.SAME}
    assert said(before, after) == words
    turned = {Change.NEW: Change.GONE, Change.GONE: Change.NEW, Change.WORSE: Change.BETTER, Change.SAME: Change.SAME}
    assert said(after, before) == {name: turned[word] for name, word in words.items()}
    assert [(finding.nodeid, row.total) for finding, row in added([before], [after])] == [("late", Count(100, 100))]
    assert added([after], [before]) == []


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_chance_is_seldom_told_as_a_change(share: float) -> None:
    wrong = 0
    for seed in range(60):
        tests = {f"t{place}": now_and_then(share, (seed, place)) for place in range(5)}
        others = {f"t{place}": now_and_then(share, (seed, place, "after")) for place in range(5)}
        wrong += any(change is not Change.SAME for change in said(hunted(tests, 60), hunted(others, 60)).values())
    assert wrong <= 5  # of 60, where 3 are expected at the very most


def test_what_an_interpreter_decides_is_seldom_told_as_a_change() -> None:
    """Sweep by sweep it is plain: 40 more failures of 100. They are four interpreters of ten."""

    def by_interpreter(seed: object) -> Fails:
        return lambda sweep: Random(f"{seed} {sweep.zygote}").random() < 0.4

    wrong = sum(
        said(hunted({"t": by_interpreter(seed)}, each=10), hunted({"t": by_interpreter((seed, 1))}, each=10))["t"]
        is not Change.SAME
        for seed in range(100)
    )
    assert wrong <= 7


def test_another_share_of_sweeps_that_bring_it_out_is_no_change() -> None:
    def ordered(sweep: Planned) -> bool:
        return "order" in sweep.trial

    few, many = hunted({"t": ordered}, 100), hunted({"t": ordered}, 100)
    more = tuple(replace_trial(sweep, ("order",) if sweep.number % 5 < 4 else ()) for sweep in many.sweeps)
    strip = tuple(FIRST_MODE if ordered(sweep) else PASSED for sweep in more)
    under = tuple(
        Count(
            sum(column(sweep.trial) == name for sweep in more),
            sum(column(sweep.trial) == name and ordered(sweep) for sweep in more),
        )
        for name in many.columns
    )
    test = replace(many.tests[0], strip=strip, under=under, total=Count(100, strip.count(FIRST_MODE)))
    assert said(few, replace(many, sweeps=more, tests=(test,))) == {"t": Change.SAME}


def replace_trial(sweep: Planned, trial: tuple[str, ...]) -> Planned:
    return sweep._replace(trial=trial)


def test_reports_of_before_say_less_and_are_compared_all_the_same() -> None:
    old = replace(hunted({"t": never}), columns=(), sweeps=())
    new = replace(hunted({"t": now_and_then(0.6, 1)}), columns=(), sweeps=())
    assert said(old, new) == {"t": Change.NEW}
    assert seen(new, new.tests[0]).interpreters == Count()


def test_hunts_of_one_side_are_taken_together() -> None:
    once = [hunted({"t": never}, 20, each=7, seed=seed) for seed in range(6)]
    fails = [hunted({"t": now_and_then(0.5, seed)}, 20, each=7, seed=seed) for seed in range(6)]
    (alone,), (together,) = compared(once[:1], fails[:1]), compared(once, fails)
    assert (alone.change, together.change) == (Change.SAME, Change.NEW)
    assert together.after.total.runs == together.before.total.runs == 120


def test_the_hunt_at_which_it_began_is_found_or_nothing_is_said() -> None:
    for seed in range(40):
        rates = [0.0] * 4 + [0.5] * 4
        hunts = [hunted({"t": now_and_then(share, (seed, place))}, 40) for place, share in enumerate(rates)]
        when = began([seen(hunt, hunt.tests[0]) for hunt in hunts])
        assert when is not None
        assert (when.place, when.rose, when.p_value < 0.05) == (4, True, True)
    same = [[hunted({"t": now_and_then(0.3, (seed, place))}, 40) for place in range(6)] for seed in range(100)]
    found = [began([seen(hunt, hunt.tests[0]) for hunt in hunts]) for hunts in same]
    assert sum(one is not None and one.p_value <= 0.05 for one in found) <= 8
    assert began([Seen({"calm": Count(5, 5)})]) is None


def test_several_on_trial_are_compared_only_where_they_were_drawn_from_the_same() -> None:
    """Under clocks and zones nothing fails; the later hunt tried orders as well, and the test is as it was."""

    def together(sweep: Planned) -> bool:
        return len(sweep.trial) > 1

    before = hunted({"t": never}, 200, perturbations=("clock", "timezone"))
    assert said(before, hunted({"t": together}, 200, perturbations=("clock", "order"))) == {"t": Change.SAME}
    assert said(before, hunted({"t": together}, 200, perturbations=("timezone", "clock"))) == {"t": Change.NEW}


def test_an_interpreter_counts_only_where_the_test_certainly_ran_in_it() -> None:
    """It was left out of some sweeps under clocks, as it reads none; those took place in interpreters of their own."""
    calm = hunted({"t": never}, 100, each=4)
    sweeps = tuple(sweep._replace(zygote=1 if sweep.trial != ("clock",) else sweep.zygote) for sweep in calm.sweeps)
    under = tuple(
        Count(1, 0) if name == "clock" else count for name, count in zip(calm.columns, calm.tests[0].under, strict=True)
    )
    left_out = replace(calm, sweeps=sweeps, tests=(replace(calm.tests[0], under=under),))
    assert seen(left_out, left_out.tests[0]).interpreters == Count(1, 0)
    assert seen(calm, calm.tests[0]).interpreters == Count(25, 0)


def test_hunts_with_one_seed_are_no_further_interpreters() -> None:
    """A test that fails under some hash seeds fails in the same ones in every hunt of that seed."""

    def by_interpreter(sweep: Planned) -> bool:
        return sweep.zygote % 4 == 1

    def side(seed: int, fails: Callable[[Planned], bool]) -> list[Findings]:
        return [hunted({"t": fails}, 40, seed=seed) for _ in range(5)]

    (row,) = compared(side(1, never), side(2, by_interpreter))
    (once,) = compared(side(1, never)[:1], side(2, by_interpreter)[:1])
    assert row.after.interpreters == once.after.interpreters
    assert row.change is Change.SAME
    hunts = [*side(1, never), *side(1, now_and_then(0.5, 1))]
    when = began([seen(hunt, hunt.tests[0]) for hunt in hunts])
    assert when is not None
    assert (when.place, when.rose) == (5, True)


def test_a_way_to_fail_beyond_what_a_strip_tells_is_counted_all_the_same() -> None:
    hunt = hunted({"t": now_and_then(0.5, 1)}, 200)
    (test,) = hunt.tests
    modes = tuple(
        replace(test.modes[0], fingerprint=f"{place:016x}", failures=2, calm_failures=0) for place in range(50)
    )
    test = replace(test, modes=modes)
    assert seen(hunt, test, modes[45]).total == Count(200, 2)
