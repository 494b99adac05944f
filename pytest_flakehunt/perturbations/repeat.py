"""Each test more than once in the same process: finds what cannot run twice."""

from dataclasses import dataclass
from typing import ClassVar

from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations import reading


@dataclass(frozen=True, slots=True)
class Repeat:
    """How often each test runs before the next one starts."""

    contract: ClassVar[Contract] = Contract.STRESS
    patience: ClassVar[float] = 1.0
    times: int
    """From 2 to 99."""

    def __str__(self) -> str:
        return str(self.times)

    def simpler(self) -> list["Repeat"]:
        """Give all smaller numbers of runs."""
        return [Repeat(times) for times in range(2, self.times)]

    @property
    def graded(self) -> bool:
        """What fails the second time has failed when it runs a third time."""
        return True


class Repeats:
    """Running a test again where it just ran."""

    name = "repeat"
    allowed = "a whole number from 2 to 99"

    def draw(self, seed: int, turn: int) -> Repeat:
        """Twice is what finds the defects."""
        del seed, turn
        return Repeat(2)

    def read(self, text: str) -> Repeat:
        """Read a number of runs."""
        return Repeat(reading.whole(self.name, text, 2, 99))
