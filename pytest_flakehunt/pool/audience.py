"""Who watches a hunt, and who records it: what the loop expects of both."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pytest_flakehunt.model import Attempt, Progress, Sweep


class Audience(Protocol):
    """Who watches: pytest itself for sweep 0, and the user throughout."""

    def started(self, nodeid: str) -> None:
        """A test of sweep 0 starts."""

    def reported(self, data: Mapping[str, object]) -> None:
        """Sweep 0 has a report."""

    def warned(self, data: Mapping[str, object]) -> None:
        """Sweep 0 has a warning."""

    def finished(self, nodeid: str) -> None:
        """A test of sweep 0 has ended."""

    def lost(self, attempt: Attempt) -> None:
        """A test of sweep 0 took its process with it."""

    def recalled(self, attempt: Attempt) -> None:
        """A test of sweep 0 has run before the hunt was interrupted."""

    def progress(self, progress: Progress) -> None:
        """The hunt is that far."""


class Recorder(Protocol):
    """Where sweeps are kept."""

    def declare(self, tests: Sequence[tuple[str, str, int]]) -> None:
        """Make tests known."""

    def write(self, sweep: Sweep, attempts: Sequence[Attempt], fingerprints: Sequence[str]) -> None:
        """Keep one sweep."""

    def set_aside(self, number: int) -> None:
        """Keep that a sweep, which was written before, is an outage."""

    def note(self, text: str) -> None:
        """Keep something that was noticed."""
