"""Tests that are excused for a while: what the quarantine file says, checked."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pytest_flakehunt.model.attempts import Count


class Excusing(StrEnum):
    """What is done with a quarantined test."""

    RUN = "run"
    """It runs, and known failures are excused."""
    SKIP = "skip"
    """It is skipped: it hangs, or ends its process."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One test that is excused."""

    test: str
    """Its node id from the configuration's folder on; ``*`` within the parameters is any text, ``[*]`` itself."""
    added: date
    expires: date
    """The last day, in UTC, on which it is excused."""
    fingerprints: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    """What each fingerprint is made of: phase, exception, and the failing statement after its file and function."""
    cause: str = ""
    plan: str = ""
    """In written form; empty is calm."""
    after: tuple[str, ...] = ()
    """Tests that run before it in the same process when it fails."""
    seen: Count = field(default=Count())
    """Under that plan."""
    owner: str = ""
    issue: str = ""
    reason: str = ""
    body: str = ""
    """A hash of the test's source but for its name; empty where it could not be had."""
    repro: str = ""
    message: str = ""
    """A pattern in the manner of shells that the whole message has to fit; empty for any."""
    mode: Excusing = Excusing.RUN
    together: str = ""
    """A name that entries with one cause share: they are released together, or none of them."""
    line: int = 0
    """Where it stands in the file, from 1."""

    @property
    def about(self) -> str:
        """Until when it is excused, why, and who answers for it."""
        said = "; ".join(filter(None, (self.cause, self.reason, self.owner, self.issue)))
        return f"until {self.expires}{': ' * bool(said)}{said}"


@dataclass(frozen=True, slots=True)
class Released:
    """A test that was excused once, kept so that a return is recognised."""

    test: str
    released: date
    cause: str = ""
    fingerprints: tuple[str, ...] = ()
    revision: str = ""
    shown: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be excused."""

    max_entries: int = 40
    """Entries; 1 or more."""
    max_days: int = 30
    """From ``added`` to ``expires``; 1 or more."""
    max_excused: int = 10
    """Tests in one run; more are a systemic failure."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What a quarantine file says."""

    limits: Limits = field(default=Limits())
    entries: tuple[Entry, ...] = ()
    released: tuple[Released, ...] = ()
    unknown: tuple[str, ...] = ()
    """Keys that mean nothing to us, each with the place where it stands."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What one failing phase of a test says of itself."""

    phase: str
    kind: str
    statement: str
    message: str

    @property
    def told(self) -> tuple[str, str, str]:
        """What its fingerprint is made of."""
        return self.phase, self.kind, self.statement

    def __str__(self) -> str:
        return f"{self.phase} {self.kind} {self.statement}"


@dataclass(frozen=True, slots=True)
class Known:
    """What a ledger knows of a quarantined test since its entry was added."""

    runs: int = 0
    """Attempts that ran to a result, of all hunts."""
    failures: int = 0
    """Those that failed as its entry says."""
    last: str = ""
    """When it was last seen failing so, as ever: UTC, ISO 8601; empty where never."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a file."""

    line: int
    """From 1; 0 for all of it."""
    test: str
    text: str
    remedy: str
    """What to do: a command where there is one."""
    error: bool = True
    """False for a warning."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the replay of one entry showed."""

    entry: Entry
    asked: int
    """Attempts that its rate asks for."""
    count: Count
    """Of the test that failed most, or else ran least."""
    why_not: str = ""
    """Why it stays; empty where it may leave."""
    excluded: float = 1.0
    """The rate of failure that as many passes exclude; from 0 to 1."""

    @property
    def shown(self) -> str:
        """What was seen, for the file."""
        under = f"under {self.entry.plan}" if self.entry.plan else "calm"
        after = f" after {', '.join(self.entry.after)}" if self.entry.after else ""
        return f"{self.count.failures} of {self.count.runs} {under}{after}"
