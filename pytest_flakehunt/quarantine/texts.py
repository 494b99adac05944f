"""The text of a quarantine file."""

import re
import stat
from pathlib import Path

from pytest_flakehunt.quarantine import QuarantineError

MOST = 2 * 1024 * 1024
"""Bytes that a file has at most."""
HEADER = re.compile(r"^[ \t]*\[\[[ \t]*(quarantined|released)[ \t]*\]\]", re.MULTILINE)
"""What each entry begins with."""


def text_of(path: Path) -> str:
    """Give the text of a file.

    Raises:
        QuarantineError: it cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise QuarantineError(f"{path.name} is no file: give the path of one")
        with path.open("rb") as file:
            raw = file.read(MOST + 1)
        if len(raw) > MOST:
            raise QuarantineError(f"{path.name} has more than {MOST:,} bytes: no file of a few entries is as large")
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise QuarantineError(f"{path.name}: byte {error.start} is no UTF-8: save the file in UTF-8") from None
    except IsADirectoryError:
        raise QuarantineError(f"{path.name} is a folder: give the path of a file") from None
    except OSError as error:
        raise QuarantineError(f"{path.name} cannot be read: {error.strerror}: make it readable") from None
