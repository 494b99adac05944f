"""Changes that wait for the end of fixtures: they are looked at then, not after every test."""

from collections.abc import Callable, Collection, Iterable, Iterator

from pytest_flakehunt.leaks import shared_state
from pytest_flakehunt.leaks.leftovers import Leftover
from pytest_flakehunt.leaks.owners import Owner
from pytest_flakehunt.model import LeakKind

STATE = frozenset(shared_state.STATE)


class Held:
    """Changes of shared state that the tear-down of a fixture may still undo.

    A suite whose every test changes the same state has as many of them as tests: a look costs what the state costs
    that they changed, whatever their number.
    """

    def __init__(self, changed: Callable[[LeakKind], Collection[str]]) -> None:
        """Hold none.

        Args:
            changed: names what of a kind is not as it was before any test.
        """
        self._changed = changed
        self._by_holders: dict[frozenset[Owner], dict[Owner, list[Leftover]]] = {}
        self._last: dict[LeakKind, Collection[str]] = {}
        """What was changed at the last look, of the kinds that are held."""

    def __bool__(self) -> bool:
        return bool(self._by_holders)

    @property
    def owners(self) -> Iterator[Owner]:
        """Give those who left them, once for each set of holders."""
        for owners in self._by_holders.values():
            yield from owners

    def take(self, leftovers: Iterable[Leftover]) -> list[Leftover]:
        """Hold what can be held; give the others back."""
        others = []
        for leftover in leftovers:
            if leftover.holders and leftover.kind in STATE:
                self._by_holders.setdefault(leftover.holders, {}).setdefault(leftover.owner, []).append(leftover)
                self._last.setdefault(leftover.kind, ())
            else:
                others.append(leftover)
        return others

    def release(self, remaining: Collection[Owner]) -> list[Leftover]:
        """Forget what was put back, and let go of what one of its holders has ended for.

        Args:
            remaining: the fixtures that are set up.
        """
        if not self._by_holders:
            return []
        self._forget()
        over = [holders for holders in self._by_holders if not holders.issubset(remaining)]
        return [leftover for holders in over for some in self._by_holders.pop(holders).values() for leftover in some]

    def _forget(self) -> None:
        back: set[tuple[LeakKind, str]] = set()
        for kind, before in self._last.items():
            now = self._last[kind] = self._changed(kind)
            back.update((kind, path) for path in before if path not in now)
        if not back:
            return
        for holders, owners in [*self._by_holders.items()]:
            kept = {
                owner: some
                for owner, leftovers in owners.items()
                if (some := [one for one in leftovers if (one.kind, one.what) not in back])
            }
            if kept:
                self._by_holders[holders] = kept
            else:
                del self._by_holders[holders]
