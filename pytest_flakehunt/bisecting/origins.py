"""Where the code that a suite imports comes from. It is also the plugin that looks, in pytest's own process.

Two ways to be wrong: a module was imported from another work tree of the
repository (an editable install, PYTHONPATH), or one that the revision has is
found elsewhere (an installed copy), be it imported yet or not.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, Self

import pytest

from pytest_flakehunt.ground.project import SOURCES, owns

ASKED = "PYTEST_FLAKEHUNT_ORIGINS"
"""The variable that tells the plugin what to look for."""
STATUS = 70
NO_PACKAGES = frozenset({"setup", "conftest"})


class Foreign(NamedTuple):
    """A module of the project that is not the revision's."""

    name: str
    file: str


class Asked(NamedTuple):
    """What the plugin is told."""

    answer: Path
    """Where it writes what it found, if it found anything."""
    tree: Path
    """The work tree that all is to come from."""
    folder: Path
    """Where in it pytest is called."""
    others: tuple[Path, ...]
    """The other work trees of the repository."""

    @property
    def environ(self) -> dict[str, str]:
        """The variables that tell it."""
        return {ASKED: json.dumps([*map(str, self[:3]), [str(other) for other in self.others]])}

    @classmethod
    def read(cls, text: str) -> Self:
        """Read them."""
        answer, tree, folder, others = json.loads(text)
        return cls(Path(answer), Path(tree), Path(folder), tuple(map(Path, others)))

    def found(self) -> Foreign | None:
        """Give what the plugin found; None where all is as it should be."""
        return Foreign(*json.loads(self.answer.read_text("utf-8"))) if self.answer.exists() else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish() -> None:
    """Look once the suite is imported, and stop where one module is foreign."""
    asked = Asked.read(os.environ[ASKED])
    first = next((*_imported(asked), *_installed(asked)).__iter__(), None)
    if first is not None:
        draft = asked.answer.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(first), "utf-8")
        draft.replace(asked.answer)
        pytest.exit(f"{first.name} is imported from {first.file}", returncode=STATUS)


def _imported(asked: Asked) -> Iterator[Foreign]:
    """Yield modules that were imported from another work tree of the repository."""
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and owns(file):
            path = Path(file).resolve()
            if not path.is_relative_to(asked.tree) and any(path.is_relative_to(other) for other in asked.others):
                yield Foreign(name, file)


def _installed(asked: Asked) -> Iterator[Foreign]:
    """Yield packages and modules that the revision has, and that are found elsewhere."""
    for name in sorted(_provided((asked.folder, *(asked.tree / source for source in SOURCES if source)))):
        places = _places(name)
        if places and not any(Path(place).resolve().is_relative_to(asked.tree) for place in places):
            yield Foreign(name, places[0])


def _provided(folders: Sequence[Path]) -> set[str]:
    """Give the names of what can be imported from the folders that projects keep their packages in."""
    around = {*folders, *(folders[0] / source for source in SOURCES if source)}
    packages = {path.parent.name for folder in around for path in folder.glob("*/__init__.py")}
    modules = {path.stem for folder in around for path in folder.glob("*.py")}
    names = {name for name in packages | modules if name.isidentifier()}
    return names - NO_PACKAGES - sys.stdlib_module_names


def _places(name: str) -> list[str]:
    """Give where a module comes from, or would; nothing where it cannot be imported."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    return [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.has_location and spec.origin else [])]
