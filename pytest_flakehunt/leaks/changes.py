"""Shared state: who has changed it, and what of that is still there."""

import functools
import re
from collections.abc import Callable, Collection, Iterable, Sequence

from pytest_flakehunt.leaks import shared_state
from pytest_flakehunt.leaks.leftovers import Leftover
from pytest_flakehunt.leaks.log import Log
from pytest_flakehunt.leaks.owners import Debt, Owner
from pytest_flakehunt.model import LeakKind, Place
from pytest_flakehunt.state import Part


class Changes:
    """Puts what moves on the account of whoever is at work."""

    def __init__(self, log: Log) -> None:
        """Look for the first time.

        Args:
            log: what events tell of.
        """
        self.log = log
        self.shared = shared_state.Shared()
        self.near = True
        """Whether state of which no event tells is read as each test ends."""
        self._before: dict[LeakKind, list[Part]] = {}
        """How everything was as the test at hand began."""
        self._moved: set[LeakKind] = set()
        """What has moved since."""

    def begin(self, *, near: bool, modules: bool) -> None:
        """Take how things stand now as how they should be left.

        Args:
            near: whether to read what no event tells of as each test ends.
            modules: whether to look at ``sys.modules``.
        """
        self.near = near
        self.shared.begin(modules=modules)
        self.log.about_to_move = self.shared.about_to_move
        self.log.touched.clear()

    def start(self) -> None:
        """Begin with a test."""
        self._before = self.shared.last
        self._moved.clear()

    def settle(self, owner: Owner) -> None:
        """Put what has moved since the last look on someone's account; on a test's all that moved since it began."""
        kinds: Collection[LeakKind] = self.shared.told(self.log.touched)
        if self.near:
            kinds = [*kinds, *self.shared.moved()]
        before = self.shared.last
        if kinds:
            self._moved.update(kinds)
        if owner.fixture is None:
            kinds, before = self._moved, self._before
        if kinds:
            owner.debts.extend(self.shared.settle(kinds, before))

    def left(
        self, test: Owner, over: Sequence[Owner], alive: Iterable[Owner], line: Callable[[str], Place | None]
    ) -> Iterable[Leftover]:
        """Give what is not as it was: a fixture's changes, then those of the test that no fixture accounts for.

        Args:
            test: the test that is over.
            over: fixtures that are over with it.
            alive: fixtures that are not.
            line: gives the line that made a change, where it was seen.
        """
        owed = {path for owner in (*over, *alive) for debt in owner.debts for path in debt.paths}
        for owner in (*over, test):
            undone_at_once = owner is not test and owner.definition.brief
            others = [self.shared.first, *([self._before] if undone_at_once else [])]  # whoever puts it back undoes all
            for debt in owner.debts:
                for path in sorted(self._changed(debt, others) - (owed if owner is test else frozenset())):
                    by, place = self._writer(path, {owner, *over}) or (owner, line(path))
                    still = functools.partial(self._still_changed, debt, path, others)
                    yield Leftover(debt.kind, by, place, path, still)

    def _still_changed(self, debt: Debt, path: str, others: Sequence[dict[LeakKind, list[Part]]]) -> bool:
        return path in self._changed(debt, others)

    def _changed(self, debt: Debt, others: Sequence[dict[LeakKind, list[Part]]]) -> frozenset[str]:
        """Name what still is as nobody found it."""
        found, first = debt.unpaid(), self.shared.first[debt.kind]
        for other in others:
            found &= shared_state.paths(debt.kind, other.get(debt.kind, first)) if found else found
        return found

    def _writer(self, path: str, among: Collection[Owner]) -> tuple[Owner, Place] | None:
        """Give who was seen to write it last, and the line: a fixture's tear-down runs with a test."""
        name = re.fullmatch(r"os\.environ\[(['\"])(.+)\1\]", path)
        last = self.log.variables.get(name[2]) if name else None
        if path == "the working directory":
            last = self.log.moved_to
        return last if last is not None and last[0] in among else None
