"""What a test leaves changed in its process: seen by comparing, named by a path, undone on request."""

import sys
from dataclasses import dataclass
from pathlib import Path

from pytest_flakehunt.state.listed import Listed, handlers_of
from pytest_flakehunt.state.parts import Change, Part
from pytest_flakehunt.state.process import WATCHED, Imports, handlers, watch_process
from pytest_flakehunt.state.walking import modules, watch_others, watch_project

__all__ = ["WATCHED", "Change", "Imports", "Listed", "Part", "Snapshot", "handlers", "handlers_of"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a process stood at one moment. It holds on to all it saw, so keep it in a process that soon ends."""

    parts: tuple[Part, ...]
    """The most telling first."""

    @classmethod
    def take(cls, root: Path | None = None) -> "Snapshot":
        """Look at the process as it is now.

        Args:
            root: where the suite lies; changes there are told before those in other code of the project.
        """
        ours, others = modules()
        watched = [*watch_project(ours, root), *watch_process(), *watch_others(others)]
        return cls((*watched, Imports(dict(sys.modules))))

    def changes(self) -> list[Change]:
        """Compare with how things stand now: the project's own state first, mere imports last."""
        found: dict[str, Change] = {}
        for change in (change for part in self.parts for change in part.changes()):
            path, number = change.path, 1
            while path in found:  # keys may be written alike
                number += 1
                path = f"{change.path} ({number})"
            found[path] = change._replace(path=path)
        return list(found.values())
