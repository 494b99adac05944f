"""Settings that are the name of something the machine has installed, such as a zone or a locale."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, Self

from pytest_flakehunt.model import Contract


@dataclass(frozen=True, slots=True)
class Named:
    """A setting that is written as a name."""

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 1.0
    from_start: ClassVar[bool] = True
    """No process meets a change of it."""
    widely_known: ClassVar[tuple[str, ...]]
    """What a failure is tried with first, while it is being reduced."""
    installed: ClassVar[Callable[[str], bool]]
    """Tells whether the machine has what a name stands for."""
    name: str

    def __str__(self) -> str:
        return self.name

    def held(self) -> AbstractContextManager[None]:
        """Let it be so in this process."""
        raise NotImplementedError

    def held_at_import(self) -> AbstractContextManager[None]:
        """Let it be so while the suite is imported: where a machine has it, it has it from the start."""
        return self.held()

    def simpler(self) -> list[Self]:
        """Give those that are more widely known."""
        known = self.widely_known
        names = known[: known.index(self.name)] if self.name in known else known
        return [type(self)(name) for name in names if type(self).installed(name)]

    @property
    def graded(self) -> bool:
        """They differ in more than one way."""
        return False
