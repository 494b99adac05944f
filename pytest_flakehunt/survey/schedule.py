"""Which sweeps come next: a survey's, drawn from a seed, or those of a replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from math import inf
from random import Random

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import Contract, Perturbation, Plan, Setting
from pytest_flakehunt.model.plans import Draft

PATTERN = "cssscsmssmcsmssmcsmm"
"""Twenty sweeps: c calm, s one perturbation, m a random few; the telling single ones early."""
FEW = (2, 3, 4)
"""How many perturbations a sweep with a random few has."""
MIXED_TURNS = 12
"""Sweeps with a few perturbations draw from this many of each one's most telling settings."""


@dataclass(slots=True)
class Schedule:
    """The sweeps of a survey, in the order in which they should run.

    Everything follows from the seed: the same seed gives the same sweeps.
    """

    drafts: Iterator[Draft]
    limit: int | None
    """Sweeps in all; None where time decides."""
    _waiting: list[Draft] = field(default_factory=list)
    """Drafts that a calm one was taken ahead of."""
    _reserved: list[Draft] = field(default_factory=list)
    """Every second calm draft: kept for zygotes that retire."""
    _calm: int = 0

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

    def next_calm(self) -> Draft | None:
        """Give a calm sweep ahead of its turn, for a zygote that retires; None where none is near."""
        if self._reserved:
            return self._reserved.pop(0)
        for draft in islice(self.drafts, len(PATTERN)):
            if not draft.plan.settings:
                return draft
            self._waiting.append(draft)
        return None


def for_survey(seed: int, sweeps: int | None, active: Sequence[Perturbation]) -> Schedule:
    """Plan a survey.

    Args:
        seed: the hunt's master seed.
        sweeps: how many, from 1; None for as many as there is time for.
        active: the perturbations in use, most telling first.
    """
    return Schedule(islice(_drafts(seed, active), sweeps), sweeps)


def lone_sweeps(sweeps: int | None, active: Sequence[Perturbation]) -> float:
    """Give about how many sweeps are for one perturbation whose sources can be seen; infinity where time decides."""
    if sweeps is None:
        return inf if any(map(sources, active)) else 0
    share = sum(bool(sources(perturbation)) for perturbation in active) / max(1, len(active))
    return sweeps * share * PATTERN.count("s") / len(PATTERN)


def sources(perturbation: Perturbation) -> frozenset[str]:
    """Give what a test must consult for a perturbation to matter to it; empty where that cannot be seen."""
    return frozenset(getattr(perturbation, "sources", ()))


def for_replay(plan: Plan, sweeps: int | None) -> Schedule:
    """Plan a calm sweep, then sweeps that all have exactly one plan."""
    first = Draft(0)
    rest = (Draft(number, plan, tuple(sorted(plan.names))) for number in count(1))
    drafts = (draft for source in ((first,), rest) for draft in source)
    total = None if sweeps is None else sweeps + 1
    return Schedule(islice(drafts, total), total)


def _drafts(seed: int, active: Sequence[Perturbation]) -> Iterator[Draft]:
    turns = dict.fromkeys((perturbation.name for perturbation in active), 0)
    singles = 0
    for number in count():
        kind = PATTERN[number % len(PATTERN)] if active else "c"
        if kind == "c":
            yield Draft(number)
            continue
        chosen: list[tuple[str, Setting]] = []
        if kind == "s":
            perturbation = active[singles % len(active)]
            singles += 1
            drawn = seeds.derive(seed, "sweep", str(number), perturbation.name)
            chosen.append((perturbation.name, perturbation.draw(drawn, turns[perturbation.name])))
            turns[perturbation.name] += 1
        else:
            chosen.extend(_few(seed, number, active))
        yield replace(_pinned(seed, number, chosen, active), lone=kind == "s")


def _few(seed: int, number: int, active: Sequence[Perturbation]) -> Iterator[tuple[str, Setting]]:
    """Draw a random few, none of them stress, as what fails should count, and none that costs many times a sweep."""
    chance = Random(seeds.derive(seed, "sweep", str(number), "few"))
    wanted = chance.choice(FEW)
    for perturbation in chance.sample(active, len(active)):
        drawn = seeds.derive(seed, "sweep", str(number), perturbation.name)
        setting = perturbation.draw(drawn, chance.randrange(MIXED_TURNS))
        if setting.contract is not Contract.STRESS and not getattr(setting, "dear", False):
            yield perturbation.name, setting
            wanted -= 1
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
