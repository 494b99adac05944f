"""What hooks of other plugins write under the root in processes that nobody looks at, outside a test's own phases."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pytest_flakehunt.ground import auditing, project

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PHASES = frozenset({"pytest_runtest_setup", "pytest_runtest_call", "pytest_runtest_teardown"})
"""Functions of pytest's runner within which a test and its fixtures run."""
NOT_OURS_TO_TELL = ("/__pycache__/", "/.flakehunt/")
CONFTEST = "a conftest"
FILE = "written"
"""Name of the file in a scratch folder that keeps what was seen."""


class Artefacts:
    """Notes in a file of the scratch folder which plugin wrote what: Python's audit events tell of it."""

    def __init__(self, config: pytest.Config, scratch: Path) -> None:
        self.config = config
        self._root, self._scratch = f"{config.rootpath}{os.sep}", str(scratch)
        self._file = str(scratch / FILE)
        self._seen: set[tuple[str, str]] = set()
        self._noting = False

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take note of files that are opened for writing, moved or deleted, and of databases that are opened."""
        with auditing.listening(
            {
                "open": self._open,
                "sqlite3.connect": self._connect,
                "os.remove": self._path,
                "os.rename": self._rename,
                "os.rmdir": self._path,
                "shutil.rmtree": self._path,
            }
        ):
            yield

    def _open(self, args: tuple[Any, ...]) -> None:
        path = args[0]
        if args[2] & WRITING and not (type(path) is str and path.startswith(self._scratch)):
            self._path(args[:1])

    def _connect(self, args: tuple[Any, ...]) -> None:
        if args[0] not in {"", ":memory:"} and not str(args[0]).startswith("file:"):
            self._path(args[:1])

    def _rename(self, args: tuple[Any, ...]) -> None:
        self._path((args[1], *args[3:]))  # where it comes to lie

    def _path(self, args: tuple[Any, ...]) -> None:
        within = len(args) == 2 and isinstance(args[1], int) and args[1] >= 0  # relative to a folder that is open
        if self._noting or isinstance(args[0], int) or within:
            return
        path = os.path.abspath(os.fsdecode(args[0]))  # noqa: PTH100 - called at every file that is written
        inside = path.startswith(self._root) and not path.startswith(self._scratch)
        if not inside or any(part in path for part in NOT_OURS_TO_TELL):
            return
        module = hook_at_work(sys._getframe(2))  # noqa: SLF001 - the only way to see who writes
        if module and (module, path) not in self._seen:
            self._seen.add((module, path))
            self._keep(self._named(module), path.removeprefix(self._root))

    def _keep(self, plugin: str, path: str) -> None:
        self._noting = True
        try:
            with open(self._file, "a", encoding="ascii") as lines:  # noqa: PTH123 - as above
                lines.write(json.dumps([plugin, path]) + "\n")
        finally:
            self._noting = False

    def _named(self, module: str) -> str:
        """Name the plugin that a module belongs to, as pytest knows it."""
        package = module.partition(".")[0]
        for name, plugin in self.config.pluginmanager.list_name_plugin():
            if project.module_of(plugin).partition(".")[0] == package and not str(name).isdigit():
                return CONFTEST if "/" in str(name) else str(name)
        return package


def hook_at_work(frame: FrameType | None) -> str:
    """Name the module of the plugin whose hook leads to some code; empty where none does, or a test's own phase.

    Code of the project counts where it is a hook itself, as in a conftest:
    what importing a test module writes is the project's own affair.
    """
    foreign = ""
    while frame is not None:
        module, code = str(frame.f_globals.get("__name__")), frame.f_code
        package = module.partition(".")[0]
        if package == "pluggy":
            return foreign and _outside_phases(frame, foreign)
        if package in {"_pytest", "pytest"}:
            return ""
        if project.owns(code.co_filename):
            if not code.co_name.startswith("pytest_"):
                return ""
            foreign = module
        elif package not in sys.stdlib_module_names and package != "pytest_flakehunt":
            foreign = foreign or module
        frame = frame.f_back
    return ""


def _outside_phases(frame: FrameType | None, foreign: str) -> str:
    while frame is not None:
        if frame.f_code.co_name in PHASES and frame.f_globals.get("__name__") == "_pytest.runner":
            return ""
        frame = frame.f_back
    return foreign


def written(folders: Iterable[Path]) -> Mapping[str, list[str]]:
    """Give what was seen: paths relative to the root, by plugin.

    Args:
        folders: scratch folders of processes.
    """
    found: dict[str, set[str]] = {}
    for folder in folders:
        for line in (folder / FILE).read_text("ascii").splitlines() if (folder / FILE).exists() else ():
            plugin, path = json.loads(line)
            found.setdefault(plugin, set()).add(path)
    return {plugin: sorted(paths) for plugin, paths in sorted(found.items())}
