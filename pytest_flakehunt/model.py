"""The nouns: frozen values that cross from one room to another."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable


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


class Contract(StrEnum):
    """Under which promise of the world a perturbation acts."""

    NATURAL = "natural"
    """Differs between two runs on one machine."""
    ENVIRONMENT = "environment"
    """Differs between machines or days."""
    STRESS = "stress"
    """Beyond what the documentation of Python promises."""


class Verdict(StrEnum):
    """What the attempts of one test say."""

    STEADY = "steady"
    FLAKY = "flaky"
    FRAGILE = "fragile"
    BROKEN = "broken"


class Isolation(StrEnum):
    """In which kind of process a sweep ran."""

    FORK = "fork"
    """A child forked from a zygote."""
    UNFORKED = "unforked"
    """A zygote that had collected and forked before, as it retired."""
    FRESH = "fresh"
    """An interpreter of its own that never forked."""


class Purpose(StrEnum):
    """Why a sweep was run."""

    SURVEY = "survey"
    """To see which tests fail, how often, and under what."""
    DIAGNOSIS = "diagnosis"
    """As one run of an experiment on a cause: in no rate."""


class SettingError(ValueError):
    """A setting or plan cannot be read; the message says which part, and what is allowed."""


class Setting(Protocol):
    """The value of one perturbation; ``str`` gives its written form.

    A setting acts by having some of the methods of :class:`BeforeStart`,
    :class:`Arranging`, :class:`PerSweep`, :class:`PerTest`, :class:`Repeating`,
    :class:`AtImport` and :class:`Simplifying`.
    """

    @property
    def contract(self) -> Contract:
        """Under which contract this very setting acts."""

    @property
    def patience(self) -> float:
        """By how much time limits are stretched under it, 1 or more."""


@runtime_checkable
class BeforeStart(Protocol):
    """A setting that only a new interpreter can take, such as the hash seed."""

    def environment(self) -> Mapping[str, str]:
        """Give the variables the new interpreter is started with."""


@runtime_checkable
class Arranging(Protocol):
    """A setting that says which tests a sweep runs, in which order, in how many processes."""

    def arranged(self, tests: Sequence[str]) -> list[list[str]]:
        """Give the tests of each process, in order."""


@runtime_checkable
class PerSweep(Protocol):
    """A setting that is held from before the first test of a sweep to after its last."""

    def held(self) -> AbstractContextManager[None]:
        """Hold the setting in this process."""


@runtime_checkable
class PerTest(Protocol):
    """A setting that is taken anew as each test starts."""

    def held_for(self, nodeid: str) -> AbstractContextManager[None]:
        """Hold the setting while one test is set up, called and torn down."""


@runtime_checkable
class AtImport(Protocol):
    """A setting that can also be held while the suite is imported, so that what is drawn there is drawn again."""

    def held_at_import(self) -> AbstractContextManager[None]:
        """Hold the setting until the suite is collected."""


@runtime_checkable
class Simplifying(Protocol):
    """A setting that there are simpler ones for, to try while a failure is being reduced."""

    def simpler(self) -> "Sequence[Setting]":
        """Give settings that say less or disturb less, the simplest first."""

    @property
    def graded(self) -> bool:
        """Whether they grow from one to the next, so that all above one that fails can be taken to fail."""


@runtime_checkable
class Repeating(Protocol):
    """A setting that runs each test more than once in one process."""

    @property
    def times(self) -> int:
        """How often each test runs, 2 or more."""


class Perturbation(Protocol):
    """One named source of nondeterminism that we control."""

    @property
    def name(self) -> str:
        """The word users write, such as ``clock``."""

    @property
    def allowed(self) -> str:
        """What may stand after ``name=``, for messages and help."""

    def draw(self, seed: int, turn: int) -> Setting:
        """Choose a setting.

        Args:
            seed: where chance comes from.
            turn: how often this perturbation was drawn before, from 0; the
                most telling settings come in the first turns.
        """

    def read(self, text: str) -> Setting:
        """Read a setting's written form; raise SettingError saying what is allowed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings for some perturbations; those absent are left alone. The empty plan is calm."""

    settings: tuple[tuple[str, Setting], ...] = ()
    """Name and setting, sorted by name, each name once."""

    def __str__(self) -> str:
        """Give the one written form, which the command line reads back."""
        return " ".join(f"{name}={setting}" for name, setting in self.settings)

    @property
    def names(self) -> frozenset[str]:
        """The perturbations that the plan sets."""
        return frozenset(name for name, _ in self.settings)

    @property
    def contract(self) -> Contract:
        """The weakest promise that the plan needs: natural, environment or stress."""
        contracts = {setting.contract for _, setting in self.settings}
        for contract in (Contract.STRESS, Contract.ENVIRONMENT):
            if contract in contracts:
                return contract
        return Contract.NATURAL

    @property
    def patience(self) -> float:
        """By how much time limits are stretched, 1 or more."""
        return max((setting.patience for _, setting in self.settings), default=1.0)

    def setting(self, name: str) -> Setting | None:
        """Give one perturbation's setting, or None where the plan leaves it alone."""
        return dict(self.settings).get(name)

    def joined(self, name: str, setting: Setting) -> "Plan":
        """Give this plan with one more setting, which replaces an older one of that name."""
        return Plan(tuple(sorted({**dict(self.settings), name: setting}.items())))


CALM = Plan()


class Place(NamedTuple):
    """A line of code, relative to the root directory where it lies inside."""

    file: str
    line: int
    """From 1; 0 where unknown."""
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


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


class Attempt(NamedTuple):
    """One test in one sweep."""

    nodeid: str
    outcome: Outcome
    seconds: float = 0.0
    evidence: Evidence | None = None


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

    @property
    def calm(self) -> bool:
        """Whether nothing was perturbed."""
        return not self.plan.settings


class Interval(NamedTuple):
    """Bounds on a probability, each from 0 to 1."""

    low: float
    high: float


class Count(NamedTuple):
    """Attempts that ran, and those of them that failed."""

    runs: int = 0
    failures: int = 0

    def plus(self, runs: int, failures: int) -> "Count":
        """Give the count with more attempts added."""
        return Count(self.runs + runs, self.failures + failures)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A perturbation whose sweeps fail more often than the rest; not yet shown to be a cause."""

    perturbation: str
    setting: str
    """The setting it was seen failing under; empty where several differ."""
    present: Count
    absent: Count
    p_value: float
    """One-sided, exact, corrected over all modes and perturbations of the hunt."""


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
    early: bool = False
    """Whether the plan is also held while the suite is imported."""
    beside: bool = False
    """Whether others go on beside it all the while, in as many interpreters as the survey had."""
    readings: bool = False
    """Whether to note which sources of nondeterminism are consulted, and where."""
    changes: bool = False
    """Whether to note what each test changes that outlives it."""
    undone: tuple[str, ...] = ()
    """Changes, by their paths, that are taken back before the next test starts."""


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
    ours: bool = False
    """Whether it fails in forks only: our fault, not the test's."""
    note: str = ""
    verified: Count | None = None
    """The printed command run again: how often, and how often it failed; None where it was not run."""
    control: Count | None = None
    """The same for the command without the cause."""


@dataclass(frozen=True, slots=True)
class Group:
    """Modes that fail in the same sweeps: one finding, diagnosed once."""

    members: tuple[tuple[str, str], ...]
    """Node id and fingerprint; the first was diagnosed, and the cause was checked on the others."""
    sentence: str
    """The cause; empty where it is unknown."""


@dataclass(frozen=True, slots=True)
class Mode:
    """The failed attempts of one test that share a fingerprint."""

    fingerprint: str
    outcome: Outcome
    evidence: Evidence
    failures: int
    calm_failures: int
    plan: str
    """The simplest plan it failed under, in written form."""
    contract: Contract
    """The most natural contract among the plans it failed under."""
    suspects: tuple[Suspect, ...] = ()
    repro: str = ""
    diagnosis: Diagnosis | None = None
    """None where no experiment was made."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a hunt says of one test."""

    nodeid: str
    file: str
    line: int
    verdict: Verdict
    total: Count
    rate: Interval
    calm: Count
    calm_rate: Interval
    contract: Contract = Contract.NATURAL
    """For a fragile test: the most natural contract under which it fails."""
    modes: tuple[Mode, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outage:
    """A sweep in which most tests failed."""

    sweep: int
    plan: str
    total: Count
    exception: str
    message: str


@dataclass(frozen=True, slots=True)
class Trial:
    """The hunt's own particulars."""

    seed: int
    sweeps: int
    """Sweeps that ended."""
    seconds: float
    started: str
    """UTC, ISO 8601."""
    python: str
    pytest: str
    platform: str
    perturbations: tuple[str, ...]
    revision: str = ""
    zygotes: int = 0
    asked: str = ""
    """What the user gave as N."""
    interrupted: bool = False
    experiments: int = 0
    """Runs of the diagnosis; they are in no rate."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a report may say."""

    trial: Trial
    tests: tuple[Finding, ...]
    outages: tuple[Outage, ...] = ()
    groups: tuple[Group, ...] = ()
    notes: tuple[str, ...] = field(default=())
