"""Which tests consult what a perturbation acts on, as a sweep that watched has shown, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_flakehunt.model import UNSEEN, Attempt, Outcome, Perturbation
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.pool.tallies import Tallies
from pytest_flakehunt.survey.schedule import sources
from pytest_flakehunt.zygote import wire

ALL_AGAIN = 4
"""Every so many sweeps all tests are taken to consult everything: code may have asked unseen."""


@dataclass(slots=True)
class Consulted:
    """What each test consults, as far as that is known."""

    tallies: Tallies
    known: Mapping[str, Perturbation]
    _sources: dict[str, frozenset[str]] = field(default_factory=dict)
    """By test, once it is known."""
    _turns: dict[str, int] = field(default_factory=dict)
    """Sweeps since then: by the perturbation alone on trial, by none for those with a few."""

    def take(self, attempts: Sequence[Attempt], told: Sequence[wire.Told]) -> None:
        """Believe tests that passed, and were watched to the end in one process."""
        passed = {attempt.nodeid for attempt in attempts if attempt.outcome is Outcome.PASSED}
        for item in told:
            if item.kind != "sources":
                continue
            position, consulted = item.data["position"], item.data["sources"]
            assert isinstance(position, int)
            assert isinstance(consulted, list)
            nodeid = self.tallies[position].nodeid
            if nodeid in passed and UNSEEN not in consulted:
                self._sources[nodeid] = frozenset(consulted)

    def worth(self, draft: Draft, tests: Sequence[str]) -> Sequence[str]:
        """Give the tests of which a sweep for one perturbation can say anything."""
        wanted = sources(self.known[draft.focus[0]]) if draft.lone else frozenset[str]()
        if not wanted or not self._sources or self._all_again(draft.focus[0]):
            return tests
        return [nodeid for nodeid in tests if self._consults(nodeid, wanted)]

    def narrows(self, name: str) -> bool:
        """Tell whether a sweep for a perturbation alone may be run without some tests."""
        return name in self.known and bool(sources(self.known[name]))

    def unheld(self, draft: Draft, tests: Sequence[str]) -> Mapping[str, Sequence[int]]:
        """Give the tests for which a sweep with a few perturbations need not hold the costly ones.

        Returns:
            By perturbation: positions of the tests that do not consult what it acts on.
        """
        costly = [name for name in draft.focus if getattr(self.known[name], "costly", False)]
        if len(draft.focus) < 2 or not costly or not self._sources or self._all_again(""):
            return {}
        return {
            name: [
                self.tallies.positions[test] for test in tests if not self._consults(test, sources(self.known[name]))
            ]
            for name in costly
        }

    def _consults(self, nodeid: str, wanted: frozenset[str]) -> bool:
        return bool(wanted & self._sources.get(nodeid, wanted))

    def _all_again(self, name: str) -> bool:
        self._turns[name] = self._turns.get(name, 0) + 1
        return self._turns[name] % ALL_AGAIN == 0
