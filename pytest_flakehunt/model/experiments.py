"""Experiments on causes, and what they show."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pytest_flakehunt.model.attempts import Count
from pytest_flakehunt.model.settings import CALM, Plan
from pytest_flakehunt.model.switches import Meeting, Taped
from pytest_flakehunt.model.walked import Parting, Walked


@dataclass(frozen=True, slots=True)
class Setup:
    """What one run of an experiment on one test is made under."""

    plan: Plan = CALM
    before: tuple[str, ...] = ()
    """Tests that run before it in the same process, in order."""
    fresh: bool = False
    """Whether every run gets an interpreter of its own, that never forked."""
    interpreter: str = ""
    """Which of several interpreters to fork from; empty where any will do."""
    early: Plan = CALM
    """What of the plan is also held while the suite is imported."""
    lone: bool = False
    """Whether nothing of ours may go on beside it."""
    beside: bool = False
    """Whether others go on beside it all the while, in as many interpreters as the survey had."""
    readings: bool = False
    """Whether to note which sources of nondeterminism are consulted, and where."""
    changes: bool = False
    """Whether to note what each test changes that outlives it."""
    undone: tuple[str, ...] = ()
    """Changes, by their paths, that are taken back before the next test starts."""
    path: bool = False
    """Whether to note which lines of the project it runs, and with which values."""
    tape: bool = False
    """Whether to note where its threads change places, if they are steered."""


class Reply(StrEnum):
    """What one run of an experiment said."""

    FAILS = "fails"
    """As the mode in question does."""
    OTHERWISE = "otherwise"
    """It failed, in another way."""
    PASSES = "passes"
    NOTHING = "nothing"
    """It was skipped, or not reached."""


class Seen(NamedTuple):
    """One run of an experiment."""

    reply: Reply
    readings: tuple[tuple[str, str, str], ...] = ()
    """Source, call and place."""
    changes: tuple[tuple[str, str, str], ...] = ()
    """Test, verb and path."""
    path: Walked | None = None
    """The lines that it ran."""
    zygote: int = 0
    """Of which interpreter, by its number; 0 where that is not known."""
    taped: Taped | None = None
    """How its threads changed places."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A row of evidence: what was held, and what came of it."""

    what: str
    count: Count
    decisive: bool = False
    """Whether the cause rests on it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes a mode come and go, shown by experiment."""

    perturbation: str
    """Its name; ``import`` for what is drawn as the suite is imported, ``parallel`` for neighbours."""
    setting: str
    sentence: str
    """What completes "the test …"."""
    present: Count
    absent: Count
    p_value: float
    """One-sided, exact, of ``present`` against ``absent``."""
    polluters: tuple[str, ...] = ()
    """For a victim: the smallest set of earlier tests that it fails after."""
    setters: tuple[str, ...] = ()
    """For a brittle test: the smallest set of earlier tests that it needs."""
    cleaners: tuple[str, ...] = ()
    """The smallest set of tests that undo what the polluters did."""
    changes: tuple[str, ...] = ()
    """What polluters or setters changed that makes the difference: shown by undoing it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the experiments on one mode showed."""

    causes: tuple[Cause, ...] = ()
    """Empty where it is unknown; several where they fail only together."""
    setup: Setup | None = None
    """The least that it fails under."""
    without: Setup | None = None
    """The same without the cause."""
    tried: tuple[Condition, ...] = ()
    """What was counted as evidence, in order; the steps of reductions are left out."""
    places: tuple[str, ...] = ()
    """Lines of the project that consult the source."""
    runs: int = 0
    seconds: float = 0.0
    """That these took, those that went on side by side each for itself."""
    ours: bool = False
    """Whether it fails in forks only: our fault, not the test's."""
    note: str = ""
    unfinished: bool = False
    """Whether the budget ended the experiments."""
    verified: Count | None = None
    """The printed command run again: how often, and how often it failed; None where it was not run."""
    control: Count | None = None
    """The same for the command without the cause."""
    parting: Parting | None = None
    """Where an attempt with the cause and one without it go apart: where to look, and no part of what shows it."""
    meeting: Meeting | None = None
    """Where threads have to change places; None where that is not known."""
    also: tuple["Diagnosis", ...] = ()
    """Further causes, each of which makes it fail by itself."""
    plan: str = ""
    """Of a further cause: the simplest plan that it fails under, in written form."""
    repro: str = ""
    """Of a further cause: the command."""

    @property
    def sure(self) -> bool:
        """Whether it always failed with each cause, and never without."""
        return bool(self.causes) and all(
            one.present.failures == one.present.runs and not one.absent.failures for one in self.causes
        )
