"""Where a failing and a passing attempt of one test go apart: the last line that both ran alike, and other values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_flakehunt.analysis.reduction import Experiment
from pytest_flakehunt.model import Parting, Reply, Setup, Spot, Walked

MOST_NAMES = 3
"""Local names that are told."""
TRIES = 5
"""Runs each way, at most, until one fails and one passes."""
WORD = re.compile(r"\w+")


def parted(setup: Setup, without: Setup | None) -> Experiment[Parting | None]:
    """Follow an attempt with the cause and one without it; None where following them changes how they end."""
    wanted = {Reply.FAILS: setup, Reply.PASSES: without}
    found: dict[Reply, Walked | None] = {}
    for _ in range(TRIES if without is not None else 0):
        left = {reply: one for reply, one in wanted.items() if reply not in found and one is not None}
        seen = yield [replace(one, path=True) for one in left.values()]
        found.update({reply: one.path for reply, one in zip(left, seen, strict=True) if one.reply is reply})
        if len(found) == len(wanted):
            break
    failing, passing = found.get(Reply.FAILS), found.get(Reply.PASSES)
    return parting(failing, passing) if failing is not None and passing is not None else None


def parting(failing: Walked, passing: Walked) -> Parting | None:
    """Compare two paths: the first place at which their lines differ, and the first at which their values do.

    Where only values differ, that is the place; None where nothing does, or
    where there is no line that both ran.
    """
    sides = _Side(failing), _Side(passing)
    first: Spot | None = None
    both = min(len(failing.steps), len(passing.steps))
    index = 0
    while index < both and _alike(failing, passing, index):
        names = [*dict.fromkeys(name for side in sides for name in side.go_on())]
        first = first or _spot(sides, index, names)
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
    others = [name for name in (*here, *there) if name not in named]
    spot = _spot(sides, index - 1, named) or _spot(sides, index - 1, [*dict.fromkeys(others)])
    at = spot or Spot(failing.place(index - 1), text)
    if first is not None and (first.where == at.where or (first.failing, first.passing) == (at.failing, at.passing)):
        first = None
    return Parting(at, _next(failing, index), _next(passing, index), first)


class _Side:
    """One of two paths, as far as it was gone."""

    def __init__(self, walked: Walked) -> None:
        self.walked = walked
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

    @property
    def here(self) -> Mapping[str, str]:
        """The values of the function that the last step was in."""
        return self._values[self.walked.steps[self._gone - 1].code]


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
