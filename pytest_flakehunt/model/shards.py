"""A hunt that several machines share: which part of it one of them runs."""

import re
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a hunt, of so many."""

    index: int
    """From 1 to ``count``."""
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(f"there is no part {self.index} of {self.count}")

    @classmethod
    def read(cls, text: str) -> Self:
        """Read its written form.

        Raises:
            ValueError: it is none.

        >>> Shard.read("2/8")
        Shard(index=2, count=8)
        """
        found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
        if found is None:
            raise ValueError(text)
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def nth(self, number: int) -> int:
        """Give a number that no other shard gives to anything.

        Args:
            number: what has it here, counted from 1.

        >>> [Shard(2, 8).nth(number) for number in (1, 2)], WHOLE.nth(5)
        ([2, 10], 5)
        """
        return (number - 1) * self.count + self.index


WHOLE = Shard(1, 1)
"""A hunt that nobody shares."""
