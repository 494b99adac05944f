"""Which code is the project's own."""

import functools
import sysconfig
from pathlib import Path

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


def relative(filename: str, root: Path) -> str:
    """Give a path relative to the root directory where it lies inside."""
    path = Path(filename)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else filename


_OURS = f"{Path(__file__).resolve().parent}/"
