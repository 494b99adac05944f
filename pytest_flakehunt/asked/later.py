"""What another day's experiments are asked to go on with: told to pytest by ``flakehunt diagnose``."""

import json
from collections.abc import Iterator
from typing import NamedTuple, Self

from pytest_flakehunt.model import Findings, Mode, Verdict


class Later(NamedTuple):
    """What is asked for."""

    hunt: int
    """Its number in the ledger."""
    tests: frozenset[str]
    """Node ids; empty for all whose experiments have not come to an end."""
    concluded: bool = True
    """Whether the hunt has been; one that was put together from shards is yet to be."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read it as it is written in the environment."""
        hunt, concluded, *tests = json.loads(text)
        return cls(int(hunt), frozenset(tests), concluded=bool(concluded))

    def __str__(self) -> str:
        return json.dumps([self.hunt, self.concluded, *sorted(self.tests)])

    def modes(self, findings: Findings) -> Iterator[tuple[str, str]]:
        """Give the modes that are meant, by node id and fingerprint: none that has a cause, or is broken."""
        for finding in findings.tests:
            named = finding.nodeid in self.tests
            if finding.verdict in {Verdict.FLAKY, Verdict.FRAGILE} and (named or not self.tests):
                yield from ((finding.nodeid, mode.fingerprint) for mode in finding.modes if _open(mode, again=named))


def _open(mode: Mode, *, again: bool) -> bool:
    found = mode.diagnosis
    return found is None or (not found.causes and (again or found.unfinished))
