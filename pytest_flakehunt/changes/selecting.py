"""Which tests a change has to do with, and why."""

import inspect
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from pytest_flakehunt.changes.imports import Imports
from pytest_flakehunt.changes.repository import Changes

CONFTEST = "conftest.py"
CONFIGURATIONS = frozenset({
    "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py",
})  # fmt: skip
LOCKS = (
    "*requirements*.txt", "*requirements*.in", "constraints*.txt", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile",
    "Pipfile.lock", "pixi.lock", "pylock*.toml", "environment*.yml", "environment*.yaml", "conda-lock.yml",
)  # fmt: skip
"""Files that say which versions are installed."""
NEW, SOURCE, FILE, IMPORT, GOVERNED = "new", "own source changed", "file changed", "import changed", "governed"
KINDS = {
    NEW: ("is new", "are new"),
    SOURCE: ("has changed itself", "have changed themselves"),
    FILE: ("is in a file that changed", "are in files that changed"),
    IMPORT: ("imports what changed", "import what changed"),
    GOVERNED: ("is governed by a file that changed", "are governed by files that changed"),
}
"""Why a test is selected, the nearest reason first: of one, and of several."""


class Selection:
    """The tests that a change has to do with."""

    def __init__(
        self, items: Sequence[pytest.Item], changes: Changes, imports: Imports, plugins: Iterable[object] = ()
    ) -> None:
        """Select.

        Args:
            items: all that were collected.
            changes: what git says.
            imports: of the project.
            plugins: of pytest: the project's own concern all tests, but for conftest files.
        """
        self.changes, self.imports = changes, imports
        self.why: dict[str, tuple[str, str]] = {}
        """By node id: the kind of reason, and the reason in words."""
        self.total = len(items)
        self._python = frozenset(path for path in changes.files if path.suffix == ".py" and not governs(path))
        self._governing = [path for path in changes.files if governs(path)]
        self._plugins = [path for plugin in plugins if (path := imports.inside(getattr(plugin, "__file__", None)))]
        self._ways: dict[tuple[Path, ...], list[Path]] = {}
        for item in items:
            reason = self._reason(item)
            if reason is not None:
                self.why[item.nodeid] = reason

    def _reason(self, item: pytest.Item) -> tuple[str, str] | None:
        place, begin, end = lines_of(item)
        test, place = item.path.resolve(), self.imports.inside(str(place)) or place.resolve()
        if (reason := self._own_reason(test, place, frozenset(range(begin, end + 1)))) is not None:
            return reason
        governed = [path for path in self._governing if locks(path) or test.is_relative_to(path.parent)]
        own = [path for path in self._plugins if path.name != CONFTEST or test.is_relative_to(path.parent)]
        start = tuple(dict.fromkeys((test, place, *own)))
        if start not in self._ways:
            self._ways[start] = self.imports.way(start, self._python)
        if way := self._ways[start]:
            others = [self._name(path) for path in way[:-1] if path not in {test, place}]
            through = f", by way of {', '.join(others)}" if others else ""
            return IMPORT, f"it imports {self._name(way[-1])}, which changed{through}"
        if governed:
            return GOVERNED, f"{self._name(max(governed, key=lambda path: len(path.parts)))} changed, which governs it"
        return None

    def _own_reason(self, path: Path, place: Path, lines: frozenset[int]) -> tuple[str, str] | None:
        """Give the reason that lies in a test itself, given its file, that of its source, and the lines there."""
        changed = self.changes.lines
        if {path, place} & self.changes.new:
            return NEW, "its file is new"
        if lines & changed.get(place, frozenset()):
            new = lines <= self.changes.added.get(place, frozenset())
            return (NEW, "it is new") if new else (SOURCE, "its own source changed")
        for file in (path, place):
            if file in changed:
                return FILE, f"{self._name(file)} changed"
        return None

    def _name(self, path: Path) -> str:
        root = self.imports.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)

    def sentence(self) -> str:
        """Say how many tests were selected, since when, and why."""
        since = f"since {self.changes.base} ({self.changes.since})"
        if not self.why:
            files = len(self.changes.files)
            what = f"{files} file{'s' * (files != 1)} changed" if self.changes.files else "nothing changed"
            return f"no test of {self.total} has to do with what changed {since}: {what}; there is nothing to hunt"
        counts = Counter(kind for kind, _ in self.why.values())
        reasons = ", ".join(
            f"{counts[kind]} {words[counts[kind] != 1]}" for kind, words in KINDS.items() if counts[kind]
        )
        return f"{len(self.why)} of {self.total} tests have to do with what changed {since}: {reasons}"

    def unread(self) -> list[str]:
        """Name changed files that select no test by themselves, as nobody can tell who reads them."""
        looked = {path for path in self.changes.files if path.suffix == ".py" or governs(path)}
        return sorted(self._name(path) for path in self.changes.files - looked)


def governs(path: Path) -> bool:
    """Tell whether a file concerns all tests below its folder."""
    return path.name == CONFTEST or path.name in CONFIGURATIONS or locks(path)


def locks(path: Path) -> bool:
    """Tell whether a file says which versions are installed, for whatever is tested."""
    kept = path.suffix in {".txt", ".in"} and path.parent.name in {"requirements", "reqs"}
    return kept or any(fnmatchcase(path.name, lock) for lock in LOCKS)


def lines_of(item: pytest.Item) -> tuple[Path, int, int]:
    """Give the file that a test's own source stands in, and its first and last line; no lines where nobody knows."""
    function = getattr(item, "obj", None)
    try:
        function = inspect.unwrap(function)  # type: ignore[arg-type]
        source = inspect.getsourcefile(function)
        lines, begin = inspect.getsourcelines(function)
    except (OSError, TypeError, ValueError):
        return item.path, 0, -1
    return Path(source or item.path), begin, begin + len(lines) - 1
