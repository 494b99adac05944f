"""Deleting folders of our own, whatever tests have done to what is in them."""

import os
import shutil
from contextlib import suppress


def removed(folder: str | os.PathLike[str]) -> None:
    """Delete a folder with all that is in it, also where folders in it may not be read or written; the rest stays."""
    _rmtree(folder, ignore_errors=True)
    if _exists(folder):
        _unlock(os.fspath(folder))
        _rmtree(folder, ignore_errors=True)


def _unlock(folder: str) -> None:
    with suppress(OSError):
        _chmod(folder, 0o700)
        with _scandir(folder) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    _unlock(entry.path)


_rmtree, _chmod, _scandir, _exists = shutil.rmtree, os.chmod, os.scandir, os.path.lexists
"""Held on to: a test may replace them."""
