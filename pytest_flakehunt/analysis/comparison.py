"""Whether a test fails more often, or less, in some hunts than in others: by exact tests, never by eye."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from pytest_flakehunt.analysis.association import fisher, holm, stratified
from pytest_flakehunt.analysis.intervals import rate
from pytest_flakehunt.model import (
    CALM_COLUMN,
    FIRST_MODE,
    LAST_MODE,
    NOTHING,
    SEVERAL,
    Count,
    Finding,
    Findings,
    Interval,
    Mode,
)

MOST_TOLD = LAST_MODE - FIRST_MODE + 1
"""Ways to fail of one test that a strip tells apart: from there on they share a mark."""
REST = "all but calm"
"""The column of what was not calm, in reports that do not say what was on trial."""


class Interpreter(NamedTuple):
    """Which one: hunts with the same seed decide alike in those of one number, hash seed and all, and count once."""

    seed: int
    number: int


@dataclass(slots=True)
class Seen:
    """What some hunts saw of one test, or of one of its modes."""

    columns: dict[str, Count] = field(default_factory=dict)
    """Sweeps, and those in which it failed, by what was on trial."""
    ran: frozenset["Interpreter"] = frozenset()
    """Interpreters in which it ran; none where a report does not say."""
    failed: frozenset["Interpreter"] = frozenset()
    """Those in which it ever failed."""

    @property
    def interpreters(self) -> Count:
        """How many it ran in, and failed in."""
        return Count(len(self.ran), len(self.failed))

    @property
    def total(self) -> Count:
        """Of all sweeps."""
        return Count(*map(sum, zip(*self.columns.values(), strict=True))) if self.columns else Count()

    @property
    def rate(self) -> Interval:
        """How often it fails, 95 %."""
        return rate(self.total.failures, self.total.runs)

    def plus(self, other: "Seen") -> "Seen":
        """Join what other hunts saw."""
        names = dict.fromkeys((*self.columns, *other.columns))
        joined = {name: self.columns.get(name, Count()).plus(*other.columns.get(name, Count())) for name in names}
        return Seen(joined, self.ran | other.ran, self.failed | other.failed)


def seen(findings: Findings, finding: Finding, mode: Mode | None = None) -> Seen:
    """Tell what a hunt saw of a test.

    Args:
        findings: of the hunt.
        finding: of the test.
        mode: which failures count; None for all.
    """
    told = mode is None or finding.modes.index(mode) < LAST_MODE - FIRST_MODE or len(finding.modes) <= MOST_TOLD
    if not findings.columns or not finding.under or not told:  # by older reports, or beyond what a strip can tell
        failures, calm = (
            (mode.failures, mode.calm_failures) if mode else (finding.total.failures, finding.calm.failures)
        )
        rest = Count(finding.total.runs - finding.calm.runs, failures - calm)
        return Seen({CALM_COLUMN: Count(finding.calm.runs, calm), REST: rest})
    if not finding.strip:
        sweeps = Counter(sweep.column for sweep in findings.sweeps)
        under = dict(zip(findings.columns, finding.under, strict=True))
        whole = {name for name, count in under.items() if count.runs == sweeps[name]}
        zygotes = {sweep.zygote for sweep in findings.sweeps if sweep.column in whole} or {0}
        runs = {_stratum(findings, name): Count(count.runs, 0) for name, count in under.items()}
        known = all(sweep.zygote for sweep in findings.sweeps)
        return Seen(runs, _interpreters(findings, zygotes if known else ()))
    wanted = None if mode is None else FIRST_MODE + finding.modes.index(mode)
    runs_of, failures_of = Counter[str](), Counter[str]()
    ran, failed = set[int](), set[int]()
    for mark, sweep in zip(finding.strip, findings.sweeps, strict=True):
        fails = mark >= FIRST_MODE if wanted is None else mark == wanted
        runs_of[_stratum(findings, sweep.column)] += mark != NOTHING
        failures_of[_stratum(findings, sweep.column)] += fails
        if mark != NOTHING:
            ran.add(sweep.zygote)
        if fails:
            failed.add(sweep.zygote)
    counts = {name: Count(runs_of[name], failures_of[name]) for name in runs_of}
    if 0 in ran:
        return Seen(counts)
    return Seen(counts, _interpreters(findings, ran), _interpreters(findings, failed))


def _interpreters(findings: Findings, numbers: Iterable[int]) -> frozenset[Interpreter]:
    return frozenset(Interpreter(findings.trial.seed, number) for number in numbers)


def _stratum(findings: Findings, column: str) -> str:
    """Name what sweeps are compared under: several on trial are the same only where they were drawn from the same."""
    return f"{column} of {' '.join(sorted(findings.trial.perturbations))}" if column == SEVERAL else column


def more(one: Seen, other: Seen) -> float:
    """Give the chance of so many more failures on one side, were there no difference.

    Sweeps are compared with those that had the same on trial. What an
    interpreter decides, such as a hash seed or what is drawn as the suite is
    imported, is the same in all its sweeps: the difference must also be there
    between interpreters, each counted once.

    Returns:
        A probability, above 0 and up to 1: one-sided, exact, the larger of the two.

    >>> five = frozenset(Interpreter(1, number) for number in range(5))
    >>> few, many = Seen({"calm": Count(20, 0)}, five), Seen({"calm": Count(20, 20)}, five, five)
    >>> f"{more(many, few):.4f}, {more(few, many):.1f}"
    '0.0040, 1.0'
    """
    if not one.interpreters.runs or not other.interpreters.runs:
        return by_sweeps(one, other)
    return max(by_sweeps(one, other), fisher(one.interpreters, other.interpreters))


def by_sweeps(one: Seen, other: Seen) -> float:
    """Give that chance, had each sweep been drawn by itself."""
    shared = [name for name in one.columns if name in other.columns]
    return stratified([(one.columns[name], other.columns[name]) for name in shared]) if shared else 1.0


class Change(StrEnum):
    """What became of the failures of a test."""

    NEW = "new"
    """It was not seen failing so before."""
    WORSE = "worse"
    BETTER = "better"
    GONE = "gone"
    """It was not seen failing so any more."""
    SAME = "same"
    """It fails about as often: chance gives such a difference."""


class Compared(NamedTuple):
    """The failures of one kind of one test, before and after."""

    nodeid: str
    fingerprint: str
    change: Change
    before: Seen
    after: Seen
    p_value: float
    """Two-sided, exact, corrected for all that were compared."""


def compared(before: Sequence[Findings], after: Sequence[Findings], error: float = 0.05) -> list[Compared]:
    """Compare hunts mode by mode: what is not ``same`` is told with the stated error, for all of it together.

    Args:
        before: hunts of one side.
        after: hunts of the other.
        error: chance, strictly between 0 and 1, that any of what is said is wrong.

    Returns:
        The modes of all tests that both sides ran, as they come.
    """
    one, other = rows(before), rows(after)
    pairs = [
        (nodeid, mode, of_mode(one[nodeid], mode), of_mode(other[nodeid], mode))
        for nodeid in one
        if nodeid in other
        for mode in dict.fromkeys(
            mode.fingerprint for _, finding in (*one[nodeid], *other[nodeid]) for mode in finding.modes
        )
    ]
    values = holm([min(1.0, 2 * min(more(first, last), more(last, first))) for _, _, first, last in pairs])
    return [
        Compared(nodeid, mode, _change(first, last, shown=value <= error), first, last, value)
        for (nodeid, mode, first, last), value in zip(pairs, values, strict=True)
    ]


def _change(first: Seen, last: Seen, *, shown: bool) -> Change:
    if not shown:
        return Change.SAME
    if more(last, first) < more(first, last):
        return Change.WORSE if first.total.failures else Change.NEW
    return Change.BETTER if last.total.failures else Change.GONE


Rows: TypeAlias = Mapping[str, Sequence[tuple[Findings, Finding]]]
"""What the hunts of one side say of each test that they ran."""


def rows(hunts: Iterable[Findings]) -> Rows:
    """Take hunts together, test by test."""
    found: dict[str, list[tuple[Findings, Finding]]] = {}
    for findings in hunts:
        for finding in findings.tests:
            if finding.total.runs:
                found.setdefault(finding.nodeid, []).append((findings, finding))
    return found


def of_mode(side: Sequence[tuple[Findings, Finding]], fingerprint: str) -> Seen:
    """Give what was seen of one kind of failure of a test, also in hunts that did not meet it."""
    whole = Seen()
    for findings, finding in side:
        mode = next((mode for mode in finding.modes if mode.fingerprint == fingerprint), None)
        whole = whole.plus(seen(findings, finding, mode) if mode else passing(seen(findings, finding)))
    return whole


def passing(one: Seen) -> Seen:
    """Give the same runs without a failure: of a mode that was not seen."""
    columns = {name: Count(count.runs, 0) for name, count in one.columns.items()}
    return Seen(columns, one.ran)


class Began(NamedTuple):
    """Where a test's rate of failure changed most surely."""

    place: int
    """Of the first hunt after it."""
    rose: bool
    p_value: float
    """Two-sided, exact, corrected for all places that were looked at."""


def began(hunts: Sequence[Seen]) -> Began | None:
    """Find the place in a history at which the rate changed most surely; None in a history of one hunt.

    >>> eight = [frozenset(Interpreter(hunt, number) for number in range(8)) for hunt in range(4)]
    >>> failures = (0, 0, 12, 9)
    >>> calm = [Seen({"calm": Count(20, fails)}, ran, ran if fails else frozenset())
    ...         for fails, ran in zip(failures, eight)]
    >>> place, rose, p_value = began(calm)
    >>> place, rose, f"{p_value:.1g}"
    (2, True, '8e-08')
    """
    sums = [Seen()]
    for one in hunts:
        sums.append(sums[-1].plus(one))
    rests = [Seen()]
    for one in reversed(hunts):
        rests.append(rests[-1].plus(one))
    found: list[tuple[float, float, Began]] = []
    for place, _ in enumerate(pairwise(hunts), start=1):
        first, last = sums[place], rests[len(hunts) - place]
        up, down = more(last, first), more(first, last)
        value = min(1.0, 2 * min(up, down) * (len(hunts) - 1))
        # with one seed in all hunts, the same interpreters are on either side of every place: sweeps tell these apart
        found.append((value, min(by_sweeps(last, first), by_sweeps(first, last)), Began(place, up <= down, value)))
    return min(found, default=(1.0, 1.0, None))[2]


def added(before: Sequence[Findings], after: Sequence[Findings]) -> list[tuple[Finding, Seen]]:
    """Give tests that only the later side has, and that failed there."""
    one, other = rows(before), rows(after)
    found = []
    for nodeid, side in other.items():
        whole = Seen()
        for findings, finding in side:
            whole = whole.plus(seen(findings, finding))
        if nodeid not in one and whole.total.failures:
            found.append((next(finding for _, finding in side if finding.total.failures), whole))
    return found
