"""Which code is the project's own, and which acts for it."""

import functools
import io
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from stat import S_ISREG
from types import FrameType, FunctionType
from typing import Any, TypeVar

import pytest

RUNNING_TESTS = frozenset({"_pytest", "pytest", "pluggy"})
Given = TypeVar("Given", bound=Callable[..., Any])
POSING = os.path.join(os.sep, "flakehunt", "posing.py")  # noqa: PTH118 - as it stands in code
"""A file of no project, which is neither Python's nor installed."""
FOR_TESTS = frozenset({"unittest.async_case", "_pytest.pytester"})
"""Modules that only what a test does itself leads to."""


def _spellings(*folders: str) -> tuple[str, ...]:
    """Give folders as they are written and as they are, once links are followed."""
    return tuple(f"{path}/" for folder in folders for path in {folder, str(Path(folder).resolve())})


_FOREIGN = _spellings(
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    str(Path(os.__file__).parent),
)
_OURS = _spellings(str(Path(__file__).parents[1]))
SOURCES = ("", "src", "lib", "python")
"""Where projects keep the packages that they install."""


class _Files:
    """Held on to where neither a test's stand-ins nor those of a plugin look for it."""

    stat = staticmethod(os.stat)
    open = staticmethod(io.open)


def _is_file(path: Path) -> bool:
    try:
        return S_ISREG(_Files.stat(path).st_mode)
    except (OSError, ValueError):
        return False


_normal = os.path.normpath  # held on to: a test may forbid what looks at files, and this is asked while it runs


@functools.cache
def owns(filename: str) -> bool:
    """Tell whether a source file belongs to the project: it is neither Python's, nor installed, nor ours.

    Args:
        filename: as in ``co_filename`` or ``__file__``.
    """
    if filename.startswith("<"):
        return False
    path = _normal(filename)
    return not path.startswith((*_FOREIGN, *_OURS)) and "/site-packages/" not in path and "/dist-packages/" not in path


def posing(function: Given) -> Given:
    """Give a function that counts as the project's own code: what acts for that alone can be tried with it.

    Args:
        function: one written in Python that uses nothing but its module's globals.
    """
    code = function.__code__.replace(co_filename=POSING)
    made: Any = FunctionType(code, function.__globals__, function.__name__)
    posed: Given = made
    return posed


def package_of(frame: FrameType) -> str:
    """Name the package that code belongs to."""
    name = frame.f_globals.get("__name__")
    return name.partition(".")[0] if type(name) is str else ""


def module_of(plugin: object) -> str:
    """Name the module that a plugin is, or is defined in."""
    return str(getattr(plugin, "__name__", None) or type(plugin).__module__)


def acts(frame: FrameType | None) -> bool:
    """Tell whether code acts for a test: outwards, the first that is neither Python's own nor ours is not pytest's."""
    while frame is not None:
        if owns(frame.f_code.co_filename) or frame.f_globals.get("__name__") in FOR_TESTS:
            return True
        package = package_of(frame)
        if package not in sys.stdlib_module_names and package != "pytest_flakehunt":
            return package not in RUNNING_TESTS
        frame = frame.f_back
    return True


def package_root(folder: Path) -> Path:
    """Give the folder that the outermost package around a folder lies in."""
    while folder.parent != folder and _is_file(folder / "__init__.py"):
        folder = folder.parent
    return folder


def within_package(filename: str) -> str:
    """Give a path from the folder on that its outermost package lies in, be that a source folder or an installation."""
    path = Path(filename)
    return path.relative_to(package_root(path.parent)).as_posix()


def lines(filename: str) -> list[str]:
    """Give the lines of a source file, each with its end; none where it cannot be read."""
    try:
        with _Files.open(filename, encoding="utf-8", errors="surrogateescape") as file:
            return file.readlines()
    except (OSError, ValueError):
        return []


@functools.cache
def copied(filename: str, folder: Path) -> str:
    """Give the file of the project that an installed one was copied from, if it was; else the one given.

    Args:
        filename: as in ``co_filename``.
        folder: the project's.
    """
    _, installed, name = filename.rpartition("-packages/")
    candidates = (folder / source / name for source in SOURCES) if installed else ()
    return next((str(path) for path in candidates if _is_file(path)), filename)


def folder_of(config: pytest.Config) -> Path:
    """Give the folder where the project is kept: that of its configuration."""
    return config.inipath.parent if config.inipath is not None else config.rootpath


OWN = ".flakehunt"


def own_folder(folder: Path) -> None:
    """Make a folder of ours, unless it is there, and keep it out of version control."""
    ignored = folder / ".gitignore"
    if not folder.is_dir():
        folder.mkdir(parents=True)
    elif folder.name != OWN or ignored.exists():
        return  # somebody else's, or ours already
    ignored.write_text("# made by pytest-flakehunt\n*\n", "utf-8")


def relative(filename: str, root: Path) -> str:
    """Give a path relative to the root directory where it lies inside."""
    path = Path(filename)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else filename


class _Root:
    """Where paths are told from."""

    path = Path()


def root_is(root: Path) -> None:
    """Take in the root directory of the session."""
    _Root.path = root
    told.cache_clear()


@functools.cache
def told(filename: str) -> str:
    """Give a path as it is told, relative to the root directory of the session where it lies inside."""
    return relative(filename, _Root.path)
