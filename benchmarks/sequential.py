"""Simulate findings whose truth is known, and write benchmarks/SEQUENTIAL.md: ``python benchmarks/sequential.py [--findings=10000]``.

How often does chance pass for a cause: in one contrast, in one step of a reduction, and in whole diagnoses? Each is stated beside what came of it.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "analysis"))
RATES = (0.02, 0.1, 0.3, 0.5, 0.8)


def conducted(experiment: Any, fails: Callable[[Any], float], chance: Random) -> tuple[Any, int]:
    """Run an experiment in a world, and give what it says and how many runs it took."""
    from pytest_flakehunt.model import Reply, Seen

    runs = 0
    try:
        setups = next(experiment)
        while True:
            runs += len(setups)
            setups = experiment.send(
                [Seen(Reply.FAILS if chance.random() < fails(one) else Reply.PASSES) for one in setups]
            )
    except StopIteration as end:
        return end.value, runs


def contrast(rate: float, varies: bool, seeds: bool, several: bool, seed: int) -> tuple[bool, int]:
    """Tell whether a contrast shows a difference where there is none."""
    from test_attribution import KNOWN

    from pytest_flakehunt.analysis.notebook import Arm, Notebook
    from pytest_flakehunt.model import Setup
    from pytest_flakehunt.model.plans import read_plan

    plans = ("hashseed=1", "hashseed=2") if seeds else ("cores=1", "")
    arms = (Arm(plan, Setup(read_plan(plan, KNOWN))) for plan in plans)
    seen, runs = conducted(Notebook(varies=varies, several=several).contrast(*arms), lambda _: rate, Random(seed))
    return seen.shown, runs


def step(fails: bool, seed: int) -> tuple[bool, int]:
    """Tell whether one step of a reduction is wrong, at the very rates that it tells apart."""
    from pytest_flakehunt.analysis.reduction import Rates, decide
    from pytest_flakehunt.model import Setup

    rates = Rates(0.05, 0.6)
    said, runs = conducted(decide(Setup(), rates), lambda _: rates.high if fails else rates.low, Random(seed))
    return said is not fails, runs


def diagnosis(rate: float, seed: int) -> tuple[bool, int]:
    """Tell whether a cause is named of a test that fails at a rate whatever is held."""
    from test_attribution import a_target, diagnosed

    from pytest_flakehunt.model import Count

    target = a_target(calm=Count(40, round(40 * rate)), workers=2)
    found, runs = diagnosed(lambda _: rate, target, seed, budget=100_000)
    return bool(found.causes), runs


def sure(seed: int) -> tuple[bool, int]:
    """Tell whether a cause that always makes a test fail, and is in the plan with four others, is not named, or another is."""
    from test_attribution import a_target, diagnosed, named, setting

    found, runs = diagnosed(lambda setup: setting(setup, "cores") == "1", a_target(), seed, budget=100_000)
    return named(found) != ["cores=1"], runs


def now_and_then(seed: int) -> tuple[bool, int]:
    """Tell whether a wrong cause is named where the right one makes a test fail three times in ten."""
    from test_attribution import a_target, diagnosed, named, setting

    found, runs = diagnosed(lambda setup: 0.3 * (setting(setup, "cores") == "1"), a_target(), seed, budget=100_000)
    return bool(named(found)) and named(found) != ["cores=1"], runs


def crowd(seed: int) -> tuple[bool, int]:
    """Tell whether more than the one polluter is named where it makes a test fail six times in ten, and a setting undoes a cleaner."""
    from test_attribution import a_target, diagnosed, named, setting

    def world(setup: Any) -> float:
        undone = "t5" in setup.before and not setting(setup, "latency")
        return 0.6 if "t3" in setup.before and not undone else 0.0

    found, runs = diagnosed(world, a_target(), seed, budget=100_000)
    return bool(found.causes) and (named(found) != ["order="] or found.causes[0].polluters != ("t3",)), runs


def rows(findings: int) -> Iterator[str]:
    """Yield a row for each kind."""
    kinds: list[tuple[str, str, Callable[[int], tuple[bool, int]]]] = []
    for rate in RATES:
        first = max(0.0, (rate * (1 - rate)) ** 5)
        kinds += [
            (f"contrast, no difference, fails {rate:.0%}, never seen to vary", f"{first + 7e-5:.3%}", partial(contrast, rate, False, False, False)),
            (f"contrast, no difference, fails {rate:.0%}, known to vary", "0.007%", partial(contrast, rate, True, False, False)),
            (f"contrast of two hash seeds, no difference, fails {rate:.0%}", f"{(rate * (1 - rate)) ** 6 + 7e-5:.3%}", partial(contrast, rate, True, True, False)),
            (f"contrast, an interpreter for each turn, fails {rate:.0%} calm too", f"{(rate * (1 - rate)) ** 8 + 7e-5:.3%}", partial(contrast, rate, True, False, True)),
        ]  # fmt: skip
    kinds += [
        ("step of a reduction: fails as often as the high rate, taken for the low", "1%", partial(step, True)),
        ("step of a reduction: fails as seldom as the low rate, taken for the high", "1%", partial(step, False)),
    ]
    kinds += [
        (f"diagnosis, nothing controls it, fails {rate:.0%}: a cause is named", "0.1%", partial(diagnosis, rate))
        for rate in RATES
    ]
    kinds += [
        ("diagnosis, one of five settings always makes it fail: not named, or another", "2%", sure),
        ("diagnosis, one of five settings makes it fail three times in ten: another is named", "0.1%", now_and_then),
        (
            "diagnosis, a polluter makes it fail six times in ten, a setting undoes its cleaner: more is named",
            "2%",
            crowd,
        ),
    ]
    with multiprocessing.Pool() as pool:
        for what, stated, kind in kinds:
            said = pool.map(kind, range(findings), chunksize=50)
            wrong = sum(one for one, _ in said)
            runs = sorted(runs for _, runs in said)
            yield f"| {what} | {stated} | {wrong / findings:.3%} | {wrong} | {runs[findings // 2]} |"


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--findings", type=int, default=10_000)
    given = parser.parse_args()
    lines = [
        "# How often chance passes for a cause\n",
        f"Made by `python benchmarks/sequential.py`: {given.findings} simulated findings of each kind. *Stated* is the bound that follows from the rules of",
        "sequential tests, at worst; *wrong* is how often it came out wrong.\n",
        "| what | stated | wrong | of them | runs, median |",
        "|---|---|---|---|---|",
        *rows(given.findings),
    ]
    text = "\n".join(lines) + "\n"
    (HERE / "SEQUENTIAL.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
