"""Sweeps, attempts, and what failing ones leave to read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pytest_flakehunt.model.leaks import Leak
from pytest_flakehunt.model.place import Place
from pytest_flakehunt.model.settings import Plan


class Outcome(StrEnum):
    """How one attempt ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    HUNG = "hung"
    CRASHED = "crashed"
    UNREACHED = "unreached"

    @property
    def fails(self) -> bool:
        """Whether the attempt counts as a failure of its test."""
        return self in _FAILING

    @property
    def counts(self) -> bool:
        """Whether the attempt says anything: the test was reached and not skipped."""
        return self not in _SILENT


_FAILING = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.HUNG, Outcome.CRASHED})
_SILENT = frozenset({Outcome.SKIPPED, Outcome.UNREACHED})


class Isolation(StrEnum):
    """In which kind of process a sweep ran."""

    FORK = "fork"
    """A child forked from a zygote."""
    UNFORKED = "unforked"
    """A zygote that had collected and forked before, as it retired."""
    FRESH = "fresh"
    """An interpreter of its own that never forked."""


HANG = "Hang"
"""Kind of the failure of a test that had to be ended, or would have had to be if nobody had seen it coming."""
UNSEEN = "unseen"
"""Stands among the sources that a test consults where it could not be watched to the end."""


class Purpose(StrEnum):
    """Why a sweep was run."""

    SURVEY = "survey"
    """To see which tests fail, how often, and under what."""
    DIAGNOSIS = "diagnosis"
    """As one run of an experiment on a cause: in no rate."""
    STUDY = "study"
    """To see what each test consults: in no rate."""
    TORN = "torn"
    """Begun, and not ended when the hunt's process did: what it was to show is run again; in no rate."""


class Look(StrEnum):
    """How close a sweep looked at what each test leaves of state that it shares with others."""

    FAR = "far"
    """At what events tell of."""
    NEAR = "near"
    """At the state itself, after each test."""
    MODULES = "modules"
    """At that of modules, too."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one failing attempt left to read."""

    phase: str
    """``setup``, ``call``, ``teardown``, or ``process`` for a crash or a hang."""
    exception: str
    """The exception's type, qualified unless it is a builtin; ``SIGSEGV`` and the like for a crash."""
    message: str
    where: Place
    traceback: str = ""
    sections: tuple[tuple[str, str], ...] = ()
    """Captured output and logs: title and text."""
    stacks: str = ""
    """The stacks of all threads, for a hang or a crash."""
    note: str = ""
    kind: str = ""
    """The exception's type as it is named wherever the project lies; empty where there was no exception."""
    statement: str = ""
    """The failing statement in the project's innermost frame, after the file and the function it stands in."""


class Attempt(NamedTuple):
    """One test in one sweep."""

    nodeid: str
    outcome: Outcome
    seconds: float = 0.0
    evidence: Evidence | None = None
    leaks: tuple[Leak, ...] = ()
    """What it left behind, and what fixtures did that were set up for it."""
    judged: bool = True
    """Whether that is all: not so where its process ended before it could be told."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One run of the selected tests in a process of its own, and how it went."""

    number: int
    """From 0. Sweep 0 is calm and seen by pytest itself."""
    plan: Plan
    focus: tuple[str, ...]
    """The perturbations under trial; others in the plan are pinned so that failures can be replayed."""
    isolation: Isolation
    zygote: int
    hashseed: str
    """The hash seed of the interpreter; empty where Python chose one that nobody knows."""
    neighbours: int
    """Sweeps that ran beside it at some time."""
    started: float = 0.0
    """Seconds since 1970, true clock."""
    seconds: float = 0.0
    torn: bool = False
    """Whether it was cut short: by Ctrl-C, or because its process could not go on."""
    outage: bool = False
    """Whether most tests failed in it: set aside, and reported as such."""
    purpose: Purpose = Purpose.SURVEY
    looked: Look = Look.FAR
    cpu: float = 0.0
    """CPU seconds of its processes, as far as they lived to be counted."""
    memory: int = 0
    """Bytes of memory that the largest of them had at most, those shared with its zygote included; 0 where unknown."""

    @property
    def calm(self) -> bool:
        """Whether nothing was perturbed."""
        return not self.plan.settings


class Count(NamedTuple):
    """Attempts that ran, and those of them that failed."""

    runs: int = 0
    failures: int = 0

    def plus(self, runs: int, failures: int) -> "Count":
        """Give the count with more attempts added."""
        return Count(self.runs + runs, self.failures + failures)


class Interval(NamedTuple):
    """Bounds on a probability, each from 0 to 1."""

    low: float
    high: float
