"""The text of a quarantine file."""

import re
from pathlib import Path

from pytest_flakehunt.quarantine import QuarantineError

HEADER = re.compile(r"^[ \t]*\[\[[ \t]*(quarantined|released)[ \t]*\]\]", re.MULTILINE)
"""What each entry begins with."""


def text_of(path: Path) -> str:
    """Give the text of a file.

    Raises:
        QuarantineError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise QuarantineError(f"{path.name}: byte {error.start} is no UTF-8: save the file in UTF-8") from None
    except IsADirectoryError:
        raise QuarantineError(f"{path.name} is a folder: give the path of a file") from None
    except OSError as error:
        raise QuarantineError(f"{path.name} cannot be read: {error.strerror}: make it readable") from None
