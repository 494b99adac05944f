"""What the survey knows of tests that failed: from rows of the ledger to cases, and to targets of a diagnosis."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from pytest_flakehunt.analysis import association, leaks, verdicts
from pytest_flakehunt.analysis.pinning import preferred_seeds
from pytest_flakehunt.analysis.target import MOST_CANDIDATES, Candidate, Ran, Target
from pytest_flakehunt.analysis.verdicts import Case
from pytest_flakehunt.diagnosis.benches import Lead
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import (
    Count,
    Finding,
    Isolation,
    LeakKind,
    Left,
    Outcome,
    Perturbation,
    Plan,
    Sweep,
    Verdict,
)
from pytest_flakehunt.model.plans import arranged
from pytest_flakehunt.pool.pool import LIMIT_FACTOR
from pytest_flakehunt.pool.tallies import Tally
from pytest_flakehunt.survey.survey import Survey

ENDING = frozenset({Outcome.CRASHED, Outcome.HUNG})
"""How a test ends that takes its process with it: whatever comes after it starts clean, which makes it no cleaner."""

CROWD = frozenset({-1})
"""Stands for the sweeps that had neighbours, where the suite gets into its own way."""
CHANCE = 0.05
"""How likely a flaky test may be to fail in all calm sweeps, and then to pass so often by itself."""
OURS = "it fails in every calm sweep and passes when pytest runs it by itself: the hunt's own fault, not the test's"
UNTRIED = "forks of one interpreter alone may be the cause: the hunt ended before a fresh one had run it"
LEAST_LIMIT = 2.0
"""Seconds that a test may take at least which is known to hang, ..."""
ENDED_FACTOR = 3.0
"""... and how many times as long as its slowest attempt that came to an end, under whatever plan."""
MOST_HISTORY = 40
"""Sweeps in which a test failed, and as many in which it passed, that are searched for who ran before it."""
MOST_FAILURES = 30
"""Sweeps in which a test failed that are searched for a further cause."""
REACHED = frozenset(Outcome) - {Outcome.UNREACHED}


@dataclass(frozen=True, slots=True)
class Suite:
    """What is known of all tests, for the diagnosis of each."""

    nodeids: tuple[str, ...]
    ending: frozenset[str]
    """Tests that take their process with them."""
    leaky: frozenset[str]
    """Tests that were seen to leave something."""
    seconds: Mapping[str, float]
    """Of the slowest calm attempt, by test."""
    preferred: Sequence[str]
    """Hash seeds, those first that several tests are tried under."""
    orders: Callable[[int], Sequence[Sequence[str]]]
    """Gives the tests of a sweep by its number, in the order of each of its processes."""

    def before(self, sweep: Sweep, nodeid: str) -> tuple[str, ...]:
        """Name the tests that ran before one in a sweep, in the same process."""
        group = next((group for group in self.orders(sweep.number) if nodeid in group), [nodeid])
        return tuple(group[: group.index(nodeid)])

    def candidate(self, sweep: Sweep, nodeid: str) -> Candidate:
        """Give a failing sweep as experiments repeat it."""
        plan = Plan(tuple((name, setting) for name, setting in sweep.plan.settings if name != "order"))
        ordered = "order" in sweep.plan.names
        before = self.before(sweep, nodeid)
        return Candidate(plan, before, sweep.number, sweep.neighbours, ordered, sweep.seconds)


@dataclass(frozen=True, slots=True)
class Cases:
    """The failing tests of one survey."""

    survey: Survey
    ledger: Ledger
    known: Mapping[str, Perturbation]
    active: Sequence[Perturbation]
    now: datetime
    seed: int

    def case(self, test: Tally) -> Case:
        """Give all attempts of a test that count, and the evidence they left."""
        suspicious = test.nodeid in self.survey.tallies.suspicious
        attempts = [
            (sweep, row.outcome, row.fingerprint)
            for row in self.ledger.rows(test.nodeid)
            if not (sweep := self.survey.sweeps[row.sweep]).outage
            and not (suspicious and sweep.isolation is not Isolation.FRESH)
        ]
        return Case(test.nodeid, test.file, test.line, attempts, self.ledger.evidence(test.nodeid))

    def failing(self) -> list[Case]:
        """Give the cases of tests that failed, in the order of collection."""
        tallies = self.survey.tallies
        cases = (self.case(test) for test in tallies.tests if test.total.failures and test.nodeid not in tallies.ours)
        return [case for case in cases if failed(case)]

    def unconfirmed(self) -> list[str]:
        """Name the tests that failed in every calm attempt, but for those that hang: these may be our fault."""
        calm = (test for test in self.survey.tallies.tests if test.calm.runs == test.calm.failures > 0)
        return [test.nodeid for test in calm if not test.hangs and failed(self.case(test))]

    def may_be_chance(self, nodeid: str, passes: int) -> bool:
        """Tell whether a test that always failed calm, and passed so often otherwise, may just be flaky."""
        calm = self.survey.tallies.named(nodeid).calm
        return association.fisher(calm, Count(passes, 0)) >= CHANCE

    def groups(self) -> list[list[Lead]]:
        """Give what there is to diagnose: modes that failed in the same sweeps stand together.

        What fails calm too comes last: a seed or an import takes an interpreter
        for every run, and the time that the others did not need.
        """
        groups: dict[frozenset[int], list[Lead]] = {}
        cases = self.failing()
        suite = self._suite(cases)
        for case, finding in zip(cases, verdicts.judge(cases, len(self.active)), strict=True):
            if finding.verdict not in {Verdict.FLAKY, Verdict.FRAGILE}:
                continue  # what never passed calm has no cause to find
            for mode in finding.modes:
                sweeps = self._failing(case, mode.fingerprint)
                groups.setdefault(sweeps, []).append(Lead(self._target(case, mode.fingerprint, suite), finding, mode))
        return sorted(groups.values(), key=lambda group: group[0].finding.verdict is Verdict.FLAKY)

    def _failing(self, case: Case, mode: str) -> frozenset[int]:
        """Name the sweeps that a mode was seen in; those in which a crowd was in its own way stand for one."""
        failing = [sweep for sweep, _, found in case.attempts if found == mode]
        if case.nodeid in self.survey.crowd.members and all(sweep.neighbours for sweep in failing):
            return CROWD
        return frozenset(sweep.number for sweep in failing)

    def limits(self) -> dict[str, float]:
        """Give the seconds after which tests that hang are taken to: it is known by now how long they take else."""
        hanging = (test for test in self.survey.tallies.tests if test.hangs)
        return {
            test.nodeid: max(
                LEAST_LIMIT, LIMIT_FACTOR * (test.slowest or 0.0), ENDED_FACTOR * self.ledger.slowest(test.nodeid)
            )
            for test in hanging
            if test.slowest is not None
        }

    def crowded(self) -> tuple[tuple[str, str], ...]:
        """Give the modes, by node id and fingerprint, in which a suite was in its own way."""
        crowd = self.survey.crowd.members
        cases = [case for case in self.failing() if case.nodeid in crowd] if crowd else []
        modes = [(case, mode) for case in cases for mode in sorted({mode for _, _, mode in case.attempts if mode})]
        return tuple((case.nodeid, mode) for case, mode in modes if self._failing(case, mode) == CROWD)

    def _suite(self, cases: Sequence[Case]) -> "Suite":
        tests = self.survey.tallies.tests
        return Suite(
            tuple(test.nodeid for test in tests),
            frozenset(case.nodeid for case in cases if any(outcome in ENDING for _, outcome, _ in case.attempts)),
            frozenset(self.leaks()),
            {test.nodeid: test.slowest for test in tests if test.slowest is not None},
            preferred_seeds([_by_seed(case, mode) for case in cases for mode in {m for _, _, m in case.attempts if m}]),
            cache(self._orders),
        )

    def _orders(self, number: int) -> list[list[str]]:
        """Give the tests of a sweep, in the order of each of its processes."""
        ran = self.ledger.tests_of(number)
        every = (test.nodeid for test in self.survey.tallies.tests)
        return arranged(self.survey.sweeps[number].plan, [nodeid for nodeid in every if nodeid in ran])

    def _target(self, case: Case, mode: str, suite: "Suite") -> Target:
        place = self.survey.tallies.positions[case.nodeid]
        failing = sorted((sweep for sweep, _, found in case.attempts if found == mode), key=verdicts.telling)
        passing = [sweep for sweep, outcome, _ in case.attempts if outcome.counts and not outcome.fails]
        calm = [outcome.fails for sweep, outcome, _ in case.attempts if sweep.calm and outcome.counts]
        return Target(
            nodeid=case.nodeid,
            candidates=[suite.candidate(sweep, case.nodeid) for sweep in failing[:MOST_CANDIDATES]],
            calm=Count(len(calm), sum(calm)),
            calm_before=suite.nodeids[:place],
            others=tuple(nodeid for nodeid in suite.nodeids if nodeid != case.nodeid and nodeid not in suite.ending),
            known=self.known,
            active=frozenset(item.name for item in self.active),
            now=self.now.astimezone().replace(tzinfo=None),
            workers=self.survey.pool.workers,
            seed=self.seed,
            history=lambda: [
                Ran(suite.before(sweep, case.nodeid), fails)
                for some, fails in ((failing, True), (passing, False))
                for sweep in _spread(some)
            ],
            failures=lambda: [suite.candidate(sweep, case.nodeid) for sweep in _various(failing)],
            leaky=suite.leaky,
            seconds=suite.seconds,
            seeds=_by_seed(case, mode),
            preferred=suite.preferred,
            clocks=[
                (str(clock), fails)
                for some, fails in ((failing, True), (passing, False))
                for sweep in some
                if (clock := sweep.plan.setting("clock")) is not None
            ],
            quiet=case.nodeid in self.survey.crowd.members,
        )

    def findings(self) -> list[Finding]:
        """Give what is to be said of every test, in the order of collection."""
        judged = {finding.nodeid: finding for finding in verdicts.judge(self.failing(), len(self.active))}
        found = [(judged.get(test.nodeid) or self._steady(test), test) for test in self.survey.tallies.tests]
        return [
            replace(finding, seconds=test.slowest or 0.0, notes=(*finding.notes, *self._untried(finding, test)))
            for finding, test in found
        ]

    def _untried(self, finding: Finding, test: Tally) -> Iterator[str]:
        """Say that forks alone may be the cause, where a hunt that was ended had no time to find out."""
        doubted = self.survey.checks and (test.fails_in_forks or test.fails_later) and not test.unforked.runs
        if doubted and finding.verdict in {Verdict.FLAKY, Verdict.FRAGILE}:
            yield UNTRIED

    def leaks(self) -> dict[str, tuple[Left, ...]]:
        """Give what tests and fixtures leave behind, by the test that it is told with."""
        sweeps, told_all = self.survey.sweeps, cache(self._told_all)
        seen = []
        for some in leaks.gathered(self.ledger.leaks(), self.survey.tallies.positions):
            leaking = {number for sighting in some for number in sighting.sweeps}
            ran = set[int]().union(*(told_all(one.nodeid) for one in some))
            if some[0].leak.kind is LeakKind.MODULES:
                ran &= self.survey.modules
            elif some[0].leak.polled:
                ran &= self.survey.near
            counted = sorted(number for number in ran | leaking if number in sweeps and not sweeps[number].outage)
            if leaking.intersection(counted):
                hits = [(sweeps[number], number in leaking) for number in counted]
                victims = sorted({victim for sighting in some for victim in sighting.victims})
                first = next((one for one in some if one.leak.now), some[0])
                seen.append(leaks.Seen(some[0].nodeid, first.leak, hits, victims))
        return leaks.judge(seen, len(self.active))

    def _told_all(self, nodeid: str) -> set[int]:
        """Name the sweeps of which it is known what a test left."""
        reached = {row.sweep for row in self.ledger.rows(nodeid) if row.outcome in REACHED}
        return reached - self.survey.unjudged.get(nodeid, set())

    def _steady(self, test: Tally) -> Finding:
        if not test.total.failures:
            return verdicts.steady(test.nodeid, test.file, test.line, test.total, test.calm)
        if test.nodeid in self.survey.tallies.ours:
            return verdicts.steady(test.nodeid, test.file, test.line, Count(), Count(), [OURS])
        case = self.case(test)
        notes = ["it failed in forked processes only, and passes in fresh ones"]
        return verdicts.steady(test.nodeid, test.file, test.line, _counts(case), _counts(case, calm=True), notes)


def _by_seed(case: Case, mode: str) -> dict[str, Count]:
    """Count sweeps, and those in which a mode was seen, by the hash seed of their interpreter."""
    seeds: dict[str, Count] = {}
    for sweep, outcome, found in case.attempts:
        if outcome.counts and sweep.hashseed:
            seeds[sweep.hashseed] = seeds.get(sweep.hashseed, Count()).plus(1, int(found == mode))
    return seeds


def _spread(sweeps: Sequence[Sweep]) -> Sequence[Sweep]:
    """Choose some of many, in orders of all kinds: calm sweeps all have the same one."""
    arranged_first = sorted(sweeps, key=lambda sweep: ("order" not in sweep.plan.names, sweep.number))
    return arranged_first[:MOST_HISTORY]


def _various(sweeps: Sequence[Sweep]) -> Sequence[Sweep]:
    """Choose some of many, the first under each set of perturbations before the second under any."""
    met = Counter[frozenset[str]]()
    turns = []
    for place, sweep in enumerate(sweeps):
        met[sweep.plan.names] += 1
        turns.append((met[sweep.plan.names], place))
    return [sweeps[place] for _, place in sorted(turns)[:MOST_FAILURES]]


def failed(case: Case) -> bool:
    """Tell whether any attempt that counts failed."""
    return any(outcome.fails for _, outcome, _ in case.attempts)


def _counts(case: Case, *, calm: bool = False) -> Count:
    counted = [outcome for sweep, outcome, _ in case.attempts if outcome.counts and (sweep.calm or not calm)]
    return Count(len(counted), sum(outcome.fails for outcome in counted))
