"""The path that a test took through the project's lines, and where two of them go apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from pytest_flakehunt.model.place import Place


class Step(NamedTuple):
    """A line of the project that was about to run, or one that raised."""

    code: int
    """Which of the functions it stands in."""
    line: int
    changed: Mapping[str, str | None] = {}
    """Local names with another value than when the function was last met, each with its text; None where it is gone."""
    raised: str = ""
    """The type of the exception, where the line raised one."""


@dataclass(frozen=True, slots=True)
class Walked:
    """The path that one test took, in the thread that ran it."""

    codes: tuple[tuple[str, str], ...]
    """The functions by number: file and name."""
    steps: tuple[Step, ...]
    texts: Mapping[tuple[int, int], str]
    """The source by function and line."""
    cut: bool
    """Whether what came after was not followed any more."""

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Give it from its JSON form."""
        return cls(
            tuple((file, function) for file, function in told["codes"]),
            tuple(Step(*step) for step in told["steps"]),
            {(code, line): text for code, line, text in told["texts"]},
            told["cut"],
        )

    def place(self, index: int) -> Place:
        """Give where a step stands."""
        step = self.steps[index]
        file, function = self.codes[step.code]
        return Place(file, step.line, function)

    def text(self, index: int) -> str:
        """Give the source line of a step."""
        step = self.steps[index]
        return self.texts.get((step.code, step.line), "")


class Spot(NamedTuple):
    """A line that both attempts came to, and what they had there."""

    where: Place
    text: str
    """The source line."""
    failing: tuple[str, ...] = ()
    """Local names whose values differ, as ``name=value`` in the failing attempt ..."""
    passing: tuple[str, ...] = ()
    """... and in the passing one."""


@dataclass(frozen=True, slots=True)
class Parting:
    """Where a failing and a passing attempt of one test go apart: where to look, and no proof of a cause."""

    at: Spot
    """The last line that both ran alike; where their lines do not differ, the first one with other values."""
    failing: str = ""
    """What the failing attempt does next; empty where their lines do not differ."""
    passing: str = ""
    first: Spot | None = None
    """Where values differ for the first time, if that is at an earlier line."""
    cut: bool = False
    """Whether one of them was followed only so far, and differed in no line until then."""
