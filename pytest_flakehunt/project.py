"""Which code is the project's own, and which acts for it."""

import functools
import sys
import sysconfig
from pathlib import Path
from types import FrameType

RUNNING_TESTS = frozenset({"_pytest", "pytest", "pluggy"})
FOR_TESTS = frozenset({"unittest.async_case", "_pytest.pytester"})
"""Modules that only what a test does itself leads to."""
_FOREIGN = tuple(
    f"{Path(path).resolve()}/"
    for path in {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
    }
)


@functools.cache
def owns(filename: str) -> bool:
    """Tell whether a source file belongs to the project: it is neither Python's, nor installed, nor ours.

    Args:
        filename: as in ``co_filename`` or ``__file__``.
    """
    if filename.startswith("<"):
        return False
    try:
        path = str(Path(filename).resolve())
    except OSError:  # the working directory may be gone
        path = filename
    if path.startswith(_FOREIGN) or "/site-packages/" in path or "/dist-packages/" in path:
        return False
    return not path.startswith(_OURS)


def package_of(frame: FrameType) -> str:
    """Name the package that code belongs to."""
    name = frame.f_globals.get("__name__")
    return name.partition(".")[0] if type(name) is str else ""


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


def relative(filename: str, root: Path) -> str:
    """Give a path relative to the root directory where it lies inside."""
    path = Path(filename)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else filename


_OURS = f"{Path(__file__).resolve().parent}/"
