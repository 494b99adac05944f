"""How many processor cores the tests may use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from pytest_flakehunt.model import Contract
from pytest_flakehunt.perturbations import reading
from pytest_flakehunt.perturbations.replacing import set_variable


@dataclass(frozen=True, slots=True)
class Cores:
    """The process, its threads and its children kept to some cores."""

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 3.0
    lifelike: ClassVar[bool] = True
    count: int
    """From 1; more than the machine has is taken for all of them."""

    def __str__(self) -> str:
        return str(self.count)

    def simpler(self) -> list["Cores"]:
        """Give all larger numbers of cores that are fewer than the machine has, the most first."""
        import psutil

        present = len(psutil.Process().cpu_affinity() or ())
        return [Cores(count) for count in range(present - 1, self.count, -1)]

    @property
    def graded(self) -> bool:
        """Fewer cores hardly ever make a failure rarer."""
        return True

    def prepare(self) -> None:
        """Import what pins processes."""
        import psutil  # noqa: F401

    @contextmanager
    def held(self) -> Iterator[None]:
        """Pin the process, and tell Pythons it starts (3.13 and later) how many cores there are.

        The cores are chosen by process id, so that sweeps side by side do
        not crowd onto one.
        """
        import psutil

        process = psutil.Process()
        before = process.cpu_affinity()
        assert before is not None
        first = process.pid % len(before)
        chosen = [*before[first:], *before[:first]][: self.count]
        process.cpu_affinity(chosen)
        try:
            with set_variable("PYTHON_CPU_COUNT", str(len(chosen))):
                yield
        finally:
            process.cpu_affinity(before)


class CoreCounts:
    """The number of cores in reach."""

    name = "cores"
    allowed = "a whole number from 1 to 4096"

    @property
    def unavailable(self) -> str:
        """Say why cores cannot be taken away here; empty where they can."""
        import psutil

        if not hasattr(psutil.Process, "cpu_affinity"):
            return "this platform cannot pin a process to cores"
        if len(psutil.Process().cpu_affinity() or ()) < 2:
            return "there is one core to begin with"
        return ""

    @staticmethod
    def idle() -> str:
        """Say that a process keeps all of its cores; empty where they can be taken away."""
        import psutil

        with Cores(1).held():
            left = len(psutil.Process().cpu_affinity() or ())
        return "" if left == 1 else "the process keeps its cores though it is pinned to one"

    def draw(self, seed: int, turn: int) -> Cores:
        """One core, which is what small machines and busy ones have."""
        del seed, turn
        return Cores(1)

    def read(self, text: str) -> Cores:
        """Read a number of cores."""
        return Cores(reading.whole(self.name, text, 1, 4096))
