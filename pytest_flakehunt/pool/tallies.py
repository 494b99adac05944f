"""What a hunt remembers of each test while it runs: two counts, and what they say of sweeps and of ourselves."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from pytest_flakehunt.model import Attempt, Count, Isolation, Outage, Outcome, Sweep

OUTAGE_TESTS = 10
"""Sound tests that a sweep must run before it can be called an outage."""
FEWEST_LATER = 3
"""Forks of interpreters that forked before, in which a test must fail each time before it is doubted for that."""


class Tally:
    """What the hunt remembers of one test while it runs."""

    __slots__ = (
        "calm",
        "file",
        "forked",
        "hangs",
        "later",
        "later_calm",
        "line",
        "nodeid",
        "slowest",
        "total",
        "unforked",
    )

    def __init__(self, nodeid: str, file: str, line: int) -> None:
        self.nodeid, self.file, self.line = nodeid, file, line
        self.total, self.calm = Count(), Count()
        self.slowest: float | None = None
        """Seconds of the slowest calm attempt."""
        self.hangs = 0
        self.forked = Count()
        """Attempts in forks, under whatever plan."""
        self.later = Count()
        """Attempts that came after a fork of the same interpreter, and may lack what that one used up."""
        self.later_calm = 0
        """Those of them that failed though nothing was perturbed."""
        self.unforked = Count()
        """Calm attempts in interpreters of their own, and passes in such as retired, of which forks use things up."""

    @property
    def fails_in_forks(self) -> bool:
        """Whether it failed in every fork, or in every one that another fork of its interpreter came before."""
        always = 0 < self.forked.failures == self.forked.runs
        return always or (bool(self.later_calm) and self.fails_later)

    @property
    def fails_later(self) -> bool:
        """Whether it failed in every fork that another fork of its interpreter came before, calm or not."""
        return FEWEST_LATER <= self.later.runs == self.later.failures


class Tallies:
    """The tests of a hunt, in the controller's order, and their counts."""

    def __init__(self, tests: Iterable[Tally]) -> None:
        self.tests = list(tests)
        self.positions = {test.nodeid: position for position, test in enumerate(self.tests)}
        self.suspicious: set[str] = set()
        """Tests that fail forked and pass unforked: only what ran in interpreters of their own counts."""
        self.ours: set[str] = set()
        """Tests that fail in every calm sweep, and pass when pytest runs them by itself: nothing is said of these."""
        self.company: set[str] = set()
        """Tests that run in a sweep only where it names them."""
        self.deadly: set[str] = set()
        """Tests that end what their process is forked from: unforked, that would be this process."""
        self.files: dict[str, float] = {}
        """Seconds of the slowest calm attempt of any test in a file: whoever comes first pays for what they share."""
        self._checked: set[str] = set()
        self._used: dict[int, float] = {}
        """Seconds since 1970 at which the first fork of each zygote ended."""

    @classmethod
    def of(cls, places: Iterable[tuple[str, str, int | None]]) -> Self:
        """Begin with the tests that pytest has collected, each node id once.

        Args:
            places: node id, file, and line from 0, if it is known.
        """
        once = {nodeid: (file, line) for nodeid, file, line in places}
        return cls(
            Tally(nodeid, Path(file).as_posix(), 0 if line is None else line + 1)
            for nodeid, (file, line) in once.items()
        )

    def __getitem__(self, position: int) -> Tally:
        return self.tests[position]

    def named(self, nodeid: str) -> Tally:
        """Give a test by its node id."""
        return self.tests[self.positions[nodeid]]

    def nodeids(self) -> list[str]:
        """Give all node ids, by position."""
        return [test.nodeid for test in self.tests]

    def hunted(self) -> list[str]:
        """Give the node ids of the tests that a sweep runs unless it names others."""
        return [test.nodeid for test in self.tests if test.nodeid not in self.company]

    def discover(self, nodeids: Iterable[str]) -> list[Tally]:
        """Add tests that only some interpreters collect; give the new ones."""
        new = [Tally(nodeid, nodeid.partition("::")[0], 0) for nodeid in nodeids if nodeid not in self.positions]
        for test in new:
            self.positions[test.nodeid] = len(self.tests)
            self.tests.append(test)
        return new

    def add(self, sweep: Sweep, attempts: Sequence[Attempt]) -> None:
        """Count the attempts of a sweep."""
        forked = sweep.isolation is Isolation.FORK
        later = sweep.isolation is not Isolation.FRESH and self._follows(sweep)
        for attempt in attempts:
            if not attempt.outcome.counts:
                continue
            test = self.named(attempt.nodeid)
            failures = int(attempt.outcome.fails)
            test.total = test.total.plus(1, failures)
            if forked:
                test.forked = test.forked.plus(1, failures)
            if later and (forked or failures):
                test.later = test.later.plus(1, failures)
                test.later_calm += failures * sweep.calm
            if sweep.calm:
                test.calm = test.calm.plus(1, failures)
                if sweep.isolation is Isolation.FRESH or (not forked and not failures):
                    test.unforked = test.unforked.plus(1, failures)
                if attempt.outcome is not Outcome.HUNG:
                    test.slowest = max(test.slowest or 0.0, attempt.seconds)
                    self.files[test.file] = max(self.files.get(test.file, 0.0), attempt.seconds)

    def _follows(self, sweep: Sweep) -> bool:
        """Tell whether a fork of the same zygote had ended before a sweep in it began."""
        before = self._used.get(sweep.zygote, math.inf)
        self._used[sweep.zygote] = min(before, sweep.started + sweep.seconds)
        return sweep.started >= before

    def outage(self, sweep: Sweep, attempts: Sequence[Attempt], left_out: int = 0) -> Outage | None:
        """Tell whether most tests that pass when calm failed in one sweep.

        Args:
            sweep: which.
            attempts: its own.
            left_out: tests that were not worth running in it: they are taken to pass.
        """
        sound = [
            attempt
            for attempt in attempts
            if attempt.outcome.counts and (test := self.named(attempt.nodeid)).calm.runs > test.calm.failures
        ]
        failed = [attempt for attempt in sound if attempt.outcome.fails]
        if len(sound) < OUTAGE_TESTS or 2 * len(failed) <= len(sound) + left_out:
            return None
        evidence = next((attempt.evidence for attempt in failed if attempt.evidence is not None), None)
        said = ("", "") if evidence is None else (evidence.exception, evidence.message)
        return Outage(sweep.number, str(sweep.plan), Count(len(sound), len(failed)), *said)

    def doubted(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Name tests that forks alone may make fail, each once.

        Returns:
            Those that no unforked attempt has checked, and those that passed
            one: of these, from now on, only interpreters of their own count.
        """
        hunted = (test for test in self.tests if test.nodeid not in self.company | self.deadly)
        always = [test for test in hunted if test.fails_in_forks]
        unchecked = tuple(t.nodeid for t in always if not t.unforked.runs and t.nodeid not in self._checked)
        passing = (test.nodeid for test in always if test.unforked.runs > test.unforked.failures)
        doubted = tuple(nodeid for nodeid in passing if nodeid not in self.suspicious)
        self._checked.update(unchecked)
        self.suspicious.update(doubted)
        return unchecked, doubted

    @property
    def found(self) -> int:
        """How many tests failed at least once."""
        return sum(bool(test.total.failures) for test in self.tests)
