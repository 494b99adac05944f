"""What a report may say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pytest_flakehunt.model.attempts import Count, Evidence, Interval, Outcome
from pytest_flakehunt.model.experiments import Diagnosis
from pytest_flakehunt.model.leaks import Leak
from pytest_flakehunt.model.quarantine import Entry
from pytest_flakehunt.model.settings import Contract


class Service(StrEnum):
    """Whose annotations are written."""

    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE = "azure"
    TEAMCITY = "teamcity"
    BUILDKITE = "buildkite"


class Verdict(StrEnum):
    """What the attempts of one test say."""

    STEADY = "steady"
    FLAKY = "flaky"
    FRAGILE = "fragile"
    BROKEN = "broken"


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
class Left:
    """What all sweeps of a hunt say of one leak."""

    leak: Leak
    total: Count
    """Sweeps in which its test ran, and those in which it was left behind."""
    rate: Interval
    suspects: tuple[Suspect, ...] = ()
    """Perturbations whose sweeps leave it behind more often than the rest."""
    victims: tuple[str, ...] = ()
    """Tests that it hurt: its thread raised in them, or its change was shown to make them fail."""


BESIDE = "fails while other sweeps run beside it"
"""How the sentence of a cause begins that is something shared outside the process."""


@dataclass(frozen=True, slots=True)
class Group:
    """Modes that fail in the same sweeps: one finding, diagnosed once."""

    members: tuple[tuple[str, str], ...]
    """Node id and fingerprint; the first was diagnosed, and the cause was checked on the others."""
    sentence: str
    """The cause; empty where it is unknown."""


def anywhere(command: str) -> str:
    """Give a command as it is typed on any machine: without the path of the program.

    >>> anywhere("/home/me/.venv/bin/python -m pytest a.py::test_x")
    'python -m pytest a.py::test_x'
    >>> anywhere("/")
    '/'
    """
    program, separator, rest = command.partition(" ")
    return (program.rpartition("/")[2] or program) + separator + rest


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
    without: str = ""
    """The command without the cause; empty where none is known."""
    after: tuple[str, ...] = ()
    """Tests that run before it in the same process when it fails."""
    diagnosis: Diagnosis | None = None
    """None where no experiment was made."""
    quarantined: str = ""
    """Until when it is excused, why, and who owns it; empty where it counts."""

    @property
    def at(self) -> str:
        """What its fingerprint is made of, as an entry of the quarantine file has it; empty for a crash or a hang."""
        evidence = self.evidence
        return f"{evidence.phase} {evidence.kind} {evidence.statement}" if evidence.kind else ""

    @property
    def command(self) -> str:
        """What to type on any machine to see it again."""
        return anywhere(self.repro)


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
    leaks: tuple[Left, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    """Of its slowest calm attempt; 0 where there is none."""
    chosen: str = ""
    """Why it was hunted, where only what a change touches was; empty otherwise."""
    company: bool = False
    """Whether it only ran beside such tests, and none of them was shown to make it fail: it does not count."""
    under: tuple[Count, ...] = ()
    """Its runs and failures by what was on trial: one for each of the columns of the findings."""
    strip: tuple[int, ...] = ()
    """What each of the sweeps that the findings list said of it, if it failed in any: one of the marks below."""
    owner: str = ""
    """Who answers for it, separated by spaces; empty where nobody is known to."""
    entry: Entry | None = None
    """What would excuse it; None where it has an entry, or should have none."""

    @property
    def quarantined(self) -> bool:
        """Whether all its failures are excused."""
        return bool(self.modes) and all(mode.quarantined for mode in self.modes)

    @property
    def telling(self) -> Mode:
        """The mode to be told first, of a test that failed: one that is not excused, if there is any."""
        return next((mode for mode in self.modes if not mode.quarantined), self.modes[0])

    @property
    def excuse(self) -> str:
        """Why its failures do not count, whatever they are; empty where they may."""
        if self.quarantined:
            return f"quarantined {self.modes[0].quarantined}"
        return "it ran beside what changed, which was not shown to make it fail" if self.company else ""

    def fails_on(self, kinds: Collection[str]) -> bool:
        """Tell whether its failures make the exit status 1.

        Args:
            kinds: as ``--flakehunt-fail-on`` names them.
        """
        if self.excuse:
            return False
        left = [mode.contract for mode in self.modes if not mode.quarantined] or [self.contract]
        if self.verdict is Verdict.FRAGILE and all(contract is Contract.STRESS for contract in left):
            return "stress" in kinds
        return self.verdict.value in kinds


class Ready(NamedTuple):
    """A quarantined test that a hunt has not seen failing."""

    nodeid: str
    test: str
    """As its entry has it."""
    runs: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A sweep in which most tests failed."""

    sweep: int
    plan: str
    total: Count
    exception: str
    message: str


def column(trial: Sequence[str]) -> str:
    """Name what the tests of a sweep are counted under.

    >>> column(()), column(("clock",)), column(("clock", "order"))
    ('calm', 'clock', 'several')
    """
    return SEVERAL if len(trial) > 1 else next(iter(trial), CALM_COLUMN)


class Planned(NamedTuple):
    """A sweep of the survey, as reports tell it."""

    number: int
    plan: str
    """In written form; empty is calm."""
    trial: tuple[str, ...]
    """The perturbations on trial; what else the plan sets is pinned so that failures can be replayed."""
    zygote: int = 0
    """The number of the interpreter that it ran in; 0 where that is not known."""

    @property
    def column(self) -> str:
        """What its tests are counted under."""
        return column(self.trial)


class Spent(NamedTuple):
    """What sweeps of one kind took."""

    what: str
    """A perturbation that was alone on trial, ``calm``, ``several``, or ``starting`` interpreters."""
    number: int
    """Sweeps, or interpreters."""
    seconds: float
    """Of workers: true time."""
    cpu: float | None = None
    """CPU seconds of the sweeps' processes; None where they were not counted."""


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
    saved: int = 0
    """Attempts left out: of tests that consult nothing that was perturbed alone."""
    uid: str = ""
    """32 hexadecimal digits: which hunt it is, on whatever machine."""
    folder: str = ""
    """pytest's root directory as seen from the root of the repository, with slashes; empty where they are one."""
    fail_on: tuple[str, ...] = ()
    """What makes the exit status 1."""
    stood_down: tuple[str, ...] = ()
    """Perturbations that were not used, each with the reason."""
    switched_off: tuple[str, ...] = ()
    """What of other plugins was."""
    weights: tuple[tuple[str, float], ...] = ()
    """How often each perturbation was drawn, against the others: same seed and weights, same plans."""
    spent: tuple[Spent, ...] = ()
    """Where the time of the workers went, the dearest first."""
    hashseeds: int = 0
    """Hash seeds that were tried; 0 where they were left alone."""
    at_once: int = 0
    """Sweeps that went on at once, at most; 0 where that is not known."""
    go_on: str = ""
    """The command that goes on with experiments that the budget ended; empty where it ended none."""


CALM_COLUMN, SEVERAL = "calm", "several"
"""The columns of sweeps in which nothing was on trial, and more than one perturbation."""
NOTHING, PASSED, FIRST_MODE = range(3)
"""Marks of a strip: it was not run, or not to a result; it passed; it failed in its first mode, and so on."""
LAST_MODE = FIRST_MODE + 36
"""The mark of all modes from the 37th on."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a report may say."""

    trial: Trial
    tests: tuple[Finding, ...]
    outages: tuple[Outage, ...] = ()
    groups: tuple[Group, ...] = ()
    ready: tuple[Ready, ...] = ()
    """Quarantined tests that were not seen failing."""
    notes: tuple[str, ...] = field(default=())
    columns: tuple[str, ...] = ()
    """What tests are counted under: ``calm``, each perturbation that was alone on trial, and ``several``."""
    sweeps: tuple[Planned, ...] = ()
    """Of the survey, but for outages."""


class Hunted(NamedTuple):
    """Some hunts that are compared with others."""

    name: str
    hunts: tuple[Findings, ...]
