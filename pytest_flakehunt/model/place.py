"""Where something stands."""

from typing import NamedTuple


class Place(NamedTuple):
    """A line of code, relative to the root directory where it lies inside."""

    file: str
    line: int
    """From 1; 0 where unknown."""
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
