"""A suite that gets into its own way when it runs beside itself: one finding, and then one sweep at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_flakehunt.model import Attempt, Sweep
from pytest_flakehunt.zygote import wire

CROWD = 3
"""Tests that fail in one calm sweep with neighbours, from which on it is asked whether the neighbours are why."""
MOST_NAMED = 3


@dataclass(slots=True)
class Crowd:
    """Tests that may fail only because another sweep runs beside theirs."""

    suspects: set[str] = field(default_factory=set)
    """Those that failed in a calm sweep with neighbours; nothing more is known of them."""
    trial: int = -1
    """The number of the calm sweep that runs by itself to find out."""
    members: set[str] = field(default_factory=set)
    """Those that passed by themselves."""
    _settled: set[str] = field(default_factory=set)
    """Those that fail by themselves as well, or pass beside others."""
    _once: set[str] = field(default_factory=set)
    """Those that passed by themselves once, where nothing was seen that they share: that may be chance."""
    _touched: dict[str, frozenset[str]] = field(default_factory=dict)

    def look(self, sweep: Sweep, attempts: Sequence[Attempt]) -> None:
        """Look at a sweep of the survey."""
        if not sweep.calm or not sweep.neighbours or self.members:
            return
        self._settled |= self._once & passing(attempts)
        failed = {attempt.nodeid for attempt in attempts if attempt.outcome.fails} - self._settled
        if len(failed) >= CROWD:
            self.suspects = failed

    def recall(self, sweep: Sweep, attempts: Sequence[Attempt]) -> None:
        """Look at a sweep from before the hunt was interrupted; who is suspected then is asked about again."""
        if sweep.calm and not sweep.neighbours:
            failed = {attempt.nodeid for attempt in attempts if attempt.outcome.fails}
            self._settled |= failed
            self.suspects -= failed
        self.look(sweep, attempts)
        if len(self.suspects) < CROWD:
            self.suspects = set()

    def settle(self, attempts: Sequence[Attempt], told: Sequence[wire.Told], nodeids: Sequence[str]) -> None:
        """Take in the sweep that ran by itself, and what its tests wrote to."""
        passed = passing(attempts)
        outside = [item.data for item in told if item.kind == wire.OUTSIDE]
        self._touched = {nodeids[data["position"]]: frozenset(data["names"]) for data in outside}
        alone = self.suspects & passed
        names = set(most_shared(alone, self._touched))
        if len(alone if names else alone & self._once) >= CROWD:
            self.members = alone | {nodeid for nodeid in passed if names & self._touched.get(nodeid, frozenset())}
        self._once |= alone
        self._settled |= self.suspects - passed

    def sentence(self) -> str:
        """Say what is the matter."""
        first, *others = sorted(self.members)
        more = f" and {len(others)} other tests fail" if others else " fails"
        return (
            f"the suite gets into its own way: {first}{more} in a calm sweep beside another one, and pass in one that "
            f"runs by itself; {self.share()}; from here on one sweep runs at a time"
        )

    def share(self) -> str:
        """Say what its members share."""
        return shared(self.members, self._touched)


def passing(attempts: Sequence[Attempt]) -> set[str]:
    """Name the tests that passed."""
    return {attempt.nodeid for attempt in attempts if attempt.outcome.counts and not attempt.outcome.fails}


def shared(members: set[str], touched: Mapping[str, frozenset[str]]) -> str:
    """Say what some tests share.

    >>> shared({"a", "b"}, {"a": frozenset({"port 80"}), "b": frozenset({"port 80", "x"}), "c": frozenset({"y"})})
    'all of them write to port 80'
    >>> shared({"a"}, {})
    'what they share outside their processes was not seen'
    """
    names = most_shared(members, touched)
    if not names:
        return "what they share outside their processes was not seen"
    most = sum(names[0] in touched.get(nodeid, ()) for nodeid in members)
    who = "all of them write" if most == len(members) else f"{most} of them write"
    return f"{who} to {', '.join(names[:MOST_NAMED])}"


def most_shared(members: set[str], touched: Mapping[str, frozenset[str]]) -> list[str]:
    """Give the names that most of some tests write to; none that only one of them does."""
    counted = Counter(name for nodeid in members for name in touched.get(nodeid, ()))
    most = max(counted.values(), default=0)
    return sorted(name for name, count in counted.items() if count == most > 1)
