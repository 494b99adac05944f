"""Which sweeps come next: a survey's, drawn from a seed, or those of a replay."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count, islice
from math import inf
from random import Random
from types import MappingProxyType

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import WHOLE, Contract, Perturbation, Plan, Setting, SettingError, Shard
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.survey.dealing import dealt

PATTERN = "cssscsmssmcsmssmcsmm"
"""Twenty sweeps: c calm, s one perturbation, m a random few; the telling single ones early."""
FEW = (2, 3, 4)
"""How many perturbations a sweep with a random few has, besides an order of its own."""
ORDER = "order"
"""The one that costs nothing and is behind most of what is flaky: every such sweep has it."""
MOST_SEEDS = 32
"""Hash seeds that a hunt tries for their own sake."""
SWEEPS_PER_SEED = 4
"""Sweeps for which it tries one."""
LEAST_STARTING = 15.0
"""Seconds of workers that may go into starting interpreters for that, or ..."""
MOST_STARTING = 1 / 3
"""... this share of the time, whichever is longer."""
TRIES = 4
"""Settings that are drawn of each one, until one is neither stress nor dear."""
FORK = 0.01
"""Seconds that a process of its own costs a test, about."""


@dataclass(slots=True)
class Turns:
    """Whose turn it is to be alone on trial: by weight, spread evenly, so that any first few are in proportion.

    Each has a claim of its weight. Who has had least for it, half of what its
    next turn costs included, comes next (Webster's divisors). Where the
    number of sweeps decides, each turn costs the same, and nothing depends on
    how things come out; where time decides, it costs seconds, so that what is
    dear comes after cheaper ones and no perturbation takes more than its share.
    """

    weights: Mapping[str, float]
    timed: bool = False
    _spent: dict[str, float] = field(default_factory=dict)
    _drawn: dict[str, int] = field(default_factory=dict)
    _mixed: dict[str, int] = field(default_factory=dict)
    """Turns that each had together with others."""
    _under_way: dict[str, list[float]] = field(default_factory=dict)
    """What turns that have not ended were taken to cost."""
    _seconds: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Sweeps, and their seconds, by the perturbation alone on trial; by none for calm ones."""
    tests: int = 0
    """How many a sweep has, where that is known."""

    def take(self, draw: Callable[[str, int], Setting], chosen: str = "") -> tuple[str, Setting]:
        """Choose whose turn it is.

        Args:
            draw: gives the setting that a perturbation has in a turn of its own, counted from 0.
            chosen: who had the turn before the hunt was interrupted; empty where that is open.

        Returns:
            Its name, and the setting.
        """
        before = bool(chosen)
        costs = {
            name: self._cost(name, draw(name, self._drawn.get(name, 0))) if self.timed else 1.0 for name in self.weights
        }
        chosen = chosen or min(
            costs, key=lambda name: (self._spent.get(name, 0.0) + costs[name] / 2) / self.weights[name]
        )
        setting = draw(chosen, self._drawn.get(chosen, 0))
        self._spent[chosen] = self._spent.get(chosen, 0.0) + costs[chosen]
        self._drawn[chosen] = self._drawn.get(chosen, 0) + 1
        if self.timed and not before:
            self._under_way.setdefault(chosen, []).append(costs[chosen])
        return chosen, setting

    def in_need(self, chance: Random) -> list[str]:
        """Give all, first who had least for its weight, alone and with others; equals by chance."""

        def claimed(name: str) -> tuple[float, float]:
            return (self.had(name) + 0.5) / self.weights[name], chance.random()

        return sorted(self.weights, key=claimed)

    def mix(self, name: str) -> None:
        """Count a turn together with others: it is none of its own, whose number is in proportion by itself."""
        self._mixed[name] = self._mixed.get(name, 0) + 1

    def had(self, name: str) -> int:
        """Count the turns that one had, alone and with others."""
        return self._drawn.get(name, 0) + self._mixed.get(name, 0)

    def took(self, name: str, seconds: float) -> None:
        """Learn how long a sweep took.

        Args:
            name: the perturbation alone on trial; empty for a calm sweep.
            seconds: true time.
        """
        sweeps, total = self._seconds.get(name, (0, 0.0))
        self._seconds[name] = sweeps + 1, total + seconds
        if expected := self._under_way.get(name):
            self._spent[name] += seconds - expected.pop(0)

    def _mean(self, name: str) -> float | None:
        sweeps, total = self._seconds.get(name, (0, 0.0))
        return total / sweeps if sweeps else None

    def _cost(self, name: str, setting: Setting) -> float:
        calm = self._mean("") or 1.0
        usual = self._mean(name) or calm
        return max(usual, calm + FORK * self.tests) if getattr(setting, "dear", False) else usual


@dataclass(slots=True)
class Schedule:
    """The sweeps of a survey, in the order in which they should run.

    Everything follows from the seed: the same seed gives the same sweeps.
    """

    drafts: Iterator[Draft]
    limit: int | None
    """Sweeps in all; None where time decides."""
    turns: Turns = field(default_factory=lambda: Turns({}))
    shard: Shard = WHOLE
    whole: int | None = None
    """Sweeps of all shards together; None where time decides."""
    _waiting: list[Draft] = field(default_factory=list)
    """Drafts that a calm one was taken ahead of."""
    _reserved: list[Draft] = field(default_factory=list)
    """Every second calm draft: kept for zygotes that retire."""
    _calm: int = 0
    _ahead: int = 0
    """Calm drafts that were taken before others."""

    def next(self, retiring: int = 0) -> Draft | None:
        """Give the next sweep, or None when there are no more.

        Args:
            retiring: how many zygotes will each ask for a calm sweep at the end.
        """
        while (draft := self._waiting.pop(0) if self._waiting else next(self.drafts, None)) is not None:
            if draft.plan.settings:
                return draft
            self._calm += 1
            if self._calm % 2:
                return draft
            self._reserved.append(draft)
        return self._reserved.pop() if len(self._reserved) > retiring else None

    def last_calm(self) -> Draft | None:
        """Give a calm sweep for a zygote that retires; None where such have had their half of them."""
        return None if not self._reserved and self._ahead * 2 > self._calm > 0 else self.next_calm()

    def next_calm(self) -> Draft | None:
        """Give a calm sweep ahead of its turn; None where none is near."""
        if self._reserved:
            return self._reserved.pop(0)
        for draft in islice(self.drafts, len(PATTERN)):
            if not draft.plan.settings:
                self._ahead += 1
                return draft
            self._waiting.append(draft)
        return None


def for_survey(
    seed: int,
    sweeps: int | None,
    active: Sequence[Perturbation],
    weights: Mapping[str, float] | None = None,
    shard: Shard = WHOLE,
    done: Mapping[int, str] = MappingProxyType({}),
) -> Schedule:
    """Plan a survey, or what is left of one.

    Args:
        seed: the hunt's master seed.
        sweeps: how many, from 1; None for as many as there is time for.
        active: the perturbations in use.
        weights: how often each is drawn, against the others, by name; None where all are equal.
        shard: the part of it that is run here; where there are others, ``sweeps`` is a number.
        done: what was on trial in sweeps that have been run, by number: others are drawn as if they were still to come.
    """
    turns = Turns({item.name: (weights or {}).get(item.name, 1.0) for item in active}, timed=sweeps is None)
    drafts: Iterator[Draft] = islice(_drafts(seed, active, turns, done), sweeps)
    limit = sweeps
    if shard.count > 1:
        mine = dealt(list(drafts), shard, seed)
        drafts, limit = iter(mine), len(mine)
    return Schedule((draft for draft in drafts if draft.number not in done), limit, turns, shard, sweeps)


def lone_sweeps(sweeps: int | None, active: Sequence[Perturbation], weights: Mapping[str, float]) -> float:
    """Give about how many sweeps are for one perturbation whose sources can be seen; infinity where time decides."""
    if sweeps is None:
        return inf if any(map(sources, active)) else 0
    seen = sum(weights[item.name] for item in active if sources(item))
    share = seen / (sum(weights[item.name] for item in active) or 1)
    return sweeps * share * PATTERN.count("s") / len(PATTERN)


def seeds_wanted(sweeps: int | None) -> int:
    """Give how many hash seeds a hunt tries for their own sake, where interpreters start fast enough.

    >>> seeds_wanted(10), seeds_wanted(100), seeds_wanted(1000), seeds_wanted(None)
    (3, 25, 32, 32)
    """
    return MOST_SEEDS if sweeps is None else min(MOST_SEEDS, -(-sweeps // SWEEPS_PER_SEED))


def seeds_so_far(sweeps: int | None, done: int) -> int:
    """Give how many hash seeds are to be tried by the time that some sweeps are done.

    Args:
        sweeps: of the whole hunt; None where time decides.
        done: that ended, or were left out as no test was worth running in them.

    >>> [seeds_so_far(100, done) for done in (0, 1, 40, 100)], seeds_so_far(None, 40), seeds_so_far(None, 4000)
    ([0, 1, 10, 25], 10, 32)
    """
    return min(seeds_wanted(sweeps), -(-done // SWEEPS_PER_SEED))


def affords(starting: float, start: float, whole: float) -> bool:
    """Tell whether there is time for one more interpreter.

    Args:
        starting: seconds that starting some has taken so far.
        start: seconds that one more takes.
        whole: seconds of all workers so far.

    >>> affords(9.0, 0.5, 4.0), affords(16.0, 0.5, 60.0), affords(16.0, 0.5, 40.0)
    (True, True, False)
    """
    return starting + start <= max(LEAST_STARTING, MOST_STARTING * (whole + start))


def sources(perturbation: Perturbation) -> frozenset[str]:
    """Give what a test must consult for a perturbation to matter to it; empty where that cannot be seen."""
    return frozenset(getattr(perturbation, "sources", ()))


def for_replay(plan: Plan, sweeps: int | None, done: Collection[int] = ()) -> Schedule:
    """Plan a calm sweep, then sweeps that all have exactly one plan; but for those that have been run."""
    first = Draft(0)
    rest = (Draft(number, plan, tuple(sorted(plan.names))) for number in count(1))
    drafts = (draft for source in ((first,), rest) for draft in source)
    total = None if sweeps is None else sweeps + 1
    return Schedule((draft for draft in islice(drafts, total) if draft.number not in done), total, whole=total)


def _drafts(
    seed: int, active: Sequence[Perturbation], turns: Turns, done: Mapping[int, str]
) -> Iterator[Draft]:  # fmt: skip
    named = {perturbation.name: perturbation for perturbation in active}
    for number in count():
        kind = PATTERN[number % len(PATTERN)] if active else "c"
        if kind == "c":
            yield Draft(number)
        elif kind == "s":

            def draw(name: str, turn: int, sweep: str = str(number)) -> Setting:
                return named[name].draw(seeds.derive(seed, "sweep", sweep, name), turn)

            name, chosen = turns.take(draw, done.get(number, ""))
            draft = _pinned(seed, number, [(name, chosen)], active)
            plan = draft.plan
            for companion, setting in _companions(chosen, named):
                plan = plan.joined(companion, setting)
            yield replace(draft, plan=plan, lone=True)
        else:
            yield _pinned(seed, number, list(_few(seed, number, named, turns)), active)


def _companions(setting: Setting, named: Mapping[str, Perturbation]) -> Iterator[tuple[str, Setting]]:
    """Give the settings of others without which one shows little, such as a zone that has daylight saving."""
    for name, text in getattr(setting, "companions", ()):
        with suppress(KeyError, SettingError):  # it stands down, or is not installed
            yield name, named[name].read(text)


def _few(seed: int, number: int, named: Mapping[str, Perturbation], turns: Turns) -> Iterator[tuple[str, Setting]]:
    """Draw an order, and the few that had least for their weight: so what had no turn of its own is tried all the same.

    None of them is stress, as what fails should count, and none costs many times a sweep.
    """
    chance = Random(seeds.derive(seed, "sweep", str(number), "few"))
    wanted = chance.choice(FEW) + (ORDER in named)
    for name in sorted(turns.in_need(chance), key=lambda name: name != ORDER):
        drawn, first = seeds.derive(seed, "sweep", str(number), name), turns.had(name)
        for setting in (named[name].draw(drawn, first + turn) for turn in range(TRIES)):
            if setting.contract is not Contract.STRESS and not getattr(setting, "dear", False):
                yield name, setting
                turns.mix(name)
                wanted -= 1
                break
        if not wanted:
            return


def _pinned(seed: int, number: int, chosen: Sequence[tuple[str, Setting]], active: Sequence[Perturbation]) -> Draft:
    """Pin the natural sources that vary anyway, so that a failure can be replayed."""
    focus = tuple(sorted(name for name, _ in chosen))
    names = {perturbation.name: perturbation for perturbation in active}
    plan = Plan(tuple(sorted((name, setting) for name, setting in chosen if name != "hashseed")))
    if "random" in names and "random" not in plan.names:
        pin = seeds.derive(seed, "sweep", str(number), "random")
        plan = plan.joined("random", names["random"].draw(pin, 0))
    return Draft(number, plan, focus, pins_hashseed="hashseed" in names)
