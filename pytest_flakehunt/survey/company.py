"""The rest of a suite, where only what a change touches is hunted: it runs beside that in orders, for its victims."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import Attempt
from pytest_flakehunt.model.plans import Draft

ORDER = ("order",)
SHARE = 1 / 8
"""Of the time that a hunt has, what the company of one sweep may take."""
FIRST = 4
"""Tests of unknown length that the first company has at most; each further one has twice as many."""


@dataclass(slots=True)
class Company:
    """Tests that nobody asked for, and that what was asked for may harm."""

    tests: Sequence[str] = ()
    """In the order of collection."""
    allowed: float | None = None
    """Seconds that those of one sweep may take; None for any."""
    lengths: dict[str, float] = field(default_factory=dict)
    """Seconds that each took last, where that is known."""
    _joined: int = 0
    _met: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, tests: Sequence[str], seconds: float | None, workers: int, known: Mapping[str, float]) -> "Company":
        """Gather it.

        Args:
            tests: those that were not chosen.
            seconds: that the hunt has; None where the number of sweeps decides.
            workers: sweeps that run at once.
            known: how long tests took in earlier hunts.
        """
        allowed = None if seconds is None else seconds * SHARE * workers
        return cls(tests, allowed, {test: known[test] for test in tests if test in known})

    def joins(self, draft: Draft) -> bool:
        """Tell whether it runs in a sweep of the schedule: in orders."""
        return bool(self.tests) and draft.focus == ORDER and str(draft.plan.setting("order")) != "alone"

    def join(self, seed: int) -> list[str]:
        """Choose those that run in the next sweep that it joins: all, or others each time where time is short."""
        self._joined += 1
        if self.allowed is None:
            self._met.update(self.tests)
            return list(self.tests)
        known = sorted(self.lengths.values())
        guess = known[len(known) // 2] if known else 0.0
        left, unknown, chosen = self.allowed, FIRST * 2 ** (self._joined - 1), set[str]()
        drawn = sorted(self.tests, key=lambda test: seeds.derive(seed, "company", str(self._joined), test))
        for test in sorted(drawn, key=lambda test: test in self._met):
            length = self.lengths.get(test)
            unknown -= length is None
            left -= guess if length is None else length
            if left < 0:
                break
            if length is not None or unknown >= 0:
                chosen.add(test)
        self._met |= chosen
        return [test for test in self.tests if test in chosen]

    def saw(self, attempts: Iterable[Attempt]) -> None:
        """Note how long its tests took."""
        if self.tests:
            for attempt in attempts:
                if attempt.outcome.counts:
                    self.lengths[attempt.nodeid] = attempt.seconds

    def sentence(self) -> str:
        """Say what it was good for."""
        if len(self._met) == len(self.tests):
            return ""
        return (
            f"{len(self.tests) - len(self._met)} of the {len(self.tests)} tests that a change does not touch ran beside"
            " it in no order, for want of time: victims among them were not looked for"
        )
