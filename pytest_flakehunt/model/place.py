"""Where something stands."""

from typing import NamedTuple, Self


class Place(NamedTuple):
    """A line of code, relative to the root directory where it lies inside."""

    file: str
    line: int
    """From 1; 0 where unknown."""
    function: str = ""

    @classmethod
    def read(cls, written: str, function: str = "") -> Self:
        """Read what ``str`` gives; raise ValueError where no line stands at its end."""
        file, _, line = written.rpartition(":")
        return cls(file, int(line), function)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
