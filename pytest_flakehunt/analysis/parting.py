"""Where a failing and a passing attempt of one test go apart: the last line that both ran alike, and other values."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pytest_flakehunt.analysis.reduction import Experiment
from pytest_flakehunt.model import Parting, Reply, Setup, Spot, Walked

MOST_NAMES = 3
"""Local names that are told."""
TRIES = 5
"""Runs each way, at most, until one fails and one passes."""
WORD = re.compile(r"\w+")


def parted(setup: Setup, without: Setup | None) -> Experiment[Parting | None]:
    """Follow attempts with the cause and one without it; None where following them changes how they end."""
    if without is None:
        return None
    sides = (Reply.FAILS, setup), (Reply.PASSES, without)
    found: dict[Reply, list[Walked | None]] = {reply: [] for reply, _ in sides}
    asked: Sequence[tuple[Reply, Setup]] = (sides[0], *sides)
    for _ in range(TRIES):
        seen = yield [replace(one, path=True) for _, one in asked]
        for (reply, _), one in zip(asked, seen, strict=True):
            if one.reply is reply:
                found[reply].append(one.path)
        asked = [side for side in sides if not found[side[0]]]
        if not asked:
            break
    (failing, *again), (passing, *_) = ([*found[reply], None] for reply, _ in sides)
    return parting(failing, passing, again[0] if again else None) if failing and passing else None


def parting(failing: Walked, passing: Walked, again: Walked | None = None) -> Parting | None:
    """Compare two paths: the first place at which their lines differ, and the first at which their values do.

    Where only values differ, that is the place; None where nothing does, or
    where there is no line that both ran.

    Args:
        failing: of an attempt that fails.
        passing: of one that passes.
        again: of another one that fails: what differs between these two, such
            as the time of day, tells nothing, unless it stands in the very
            line at which they part.
    """
    aside = _differing(failing, again) if again is not None else frozenset()
    sides = _Side(failing, aside), _Side(passing, aside)
    first: Spot | None = None
    both = min(len(failing.steps), len(passing.steps))
    index = 0
    while index < both and _alike(failing, passing, index):
        changed = [*dict.fromkeys(name for side in sides for name in side.go_on())]
        first = first or _spot(sides, index, sides[0].telling(changed))
        index += 1
    if not index:
        return None
    ended = [walked for walked in (failing, passing) if len(walked.steps) == index]
    if len(ended) == 2 or any(walked.cut for walked in ended):
        cut = any(walked.cut for walked in ended)
        last = Spot(failing.place(index - 1), failing.text(index - 1))
        return Parting(first or last, cut=cut) if first or cut else None
    return _by_lines(sides, index, first)


def _by_lines(sides: "tuple[_Side, _Side]", index: int, first: Spot | None) -> Parting:
    """Say where lines differ: values that the last common line names count before others of its function."""
    failing, passing = (side.walked for side in sides)
    here, there = (side.here for side in sides)
    text = failing.text(index - 1)
    named = [name for name in dict.fromkeys(WORD.findall(text)) if name in here or name in there]
    others = [name for name in dict.fromkeys((*here, *there)) if name not in named]
    spot = _spot(sides, index - 1, named) or _spot(sides, index - 1, sides[0].telling(others))
    at = spot or Spot(failing.place(index - 1), text)
    if first is not None and (first.where == at.where or (first.failing, first.passing) == (at.failing, at.passing)):
        first = None
    return Parting(at, _next(failing, index), _next(passing, index), first)


class _Side:
    """One of two paths, as far as it was gone."""

    def __init__(self, walked: Walked, aside: Collection[tuple[int, str]] = ()) -> None:
        self.walked = walked
        self._aside = aside
        """Names, by function, that are left out."""
        self._gone = 0
        self._values: list[dict[str, str]] = [{} for _ in walked.codes]

    def go_on(self) -> Sequence[str]:
        """Take the next step; name what it has changed."""
        step = self.walked.steps[self._gone]
        self._gone += 1
        values = self._values[step.code]
        for name, text in step.changed.items():
            if text is None:
                values.pop(name, None)
            else:
                values[name] = text
        return list(step.changed)

    def telling(self, names: Sequence[str]) -> Sequence[str]:
        """Choose the names that are not left out in the function that the last step was in."""
        code = self.walked.steps[self._gone - 1].code
        return [name for name in names if (code, name) not in self._aside]

    @property
    def here(self) -> Mapping[str, str]:
        """The values of the function that the last step was in."""
        return self._values[self.walked.steps[self._gone - 1].code]


def _differing(one: Walked, other: Walked) -> frozenset[tuple[int, str]]:
    """Give the names, by function, whose values differ while two paths run the same lines."""
    sides = _Side(one), _Side(other)
    found: set[tuple[int, str]] = set()
    for index in range(min(len(one.steps), len(other.steps))):
        if not _alike(one, other, index):
            break
        names = {name for side in sides for name in side.go_on()}
        here, there = (side.here for side in sides)
        found.update((one.steps[index].code, name) for name in names if here.get(name) != there.get(name))
    return frozenset(found)


def _alike(failing: Walked, passing: Walked, index: int) -> bool:
    return failing.place(index) == passing.place(index) and failing.steps[index].raised == passing.steps[index].raised


def _spot(sides: tuple[_Side, _Side], index: int, names: Sequence[str]) -> Spot | None:
    """Give the line with the names among these whose values differ; None where there are none."""
    here, there = (side.here for side in sides)
    differ = [name for name in names if name in here and name in there and here[name] != there[name]][:MOST_NAMES]
    if not differ:
        return None
    walked = sides[0].walked
    return Spot(
        walked.place(index),
        walked.text(index),
        tuple(f"{name}={here[name]}" for name in differ),
        tuple(f"{name}={there[name]}" for name in differ),
    )


def _next(walked: Walked, index: int) -> str:
    """Say what an attempt does after the steps that were compared."""
    if index >= len(walked.steps):
        return "ends"
    raised = walked.steps[index].raised
    return f"raises {raised}" if raised else f"goes on at {walked.place(index)}"
