"""Perturbations, their settings, and plans."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Contract(StrEnum):
    """Under which promise of the world a perturbation acts."""

    NATURAL = "natural"
    """Differs between two runs on one machine."""
    ENVIRONMENT = "environment"
    """Differs between machines or days."""
    STRESS = "stress"
    """Beyond what the documentation of Python promises."""


class SettingError(ValueError):
    """A setting or plan cannot be read; the message says which part, and what is allowed."""


class Setting(Protocol):
    """The value of one perturbation; ``str`` gives its written form.

    A setting acts by having some of the methods of :class:`BeforeStart`,
    :class:`Arranging`, :class:`Prepared`, :class:`PerSweep`, :class:`PerTest`, :class:`Repeating`,
    :class:`AtImport`, :class:`AtCall`, :class:`Disputable` and :class:`Simplifying`. Where its
    ``lifelike`` is true it slows tests down as real machines do, and deadlines
    of the tests' own hold; else they are stretched by its ``slowing``, which is
    its ``patience`` unless it says otherwise.
    """

    @property
    def contract(self) -> Contract:
        """Under which contract this very setting acts."""

    @property
    def patience(self) -> float:
        """By how much time limits are stretched under it, 1 or more."""


@runtime_checkable
class BeforeStart(Protocol):
    """A setting that only a new interpreter can take, such as the hash seed."""

    def environment(self) -> Mapping[str, str]:
        """Give the variables the new interpreter is started with."""


@runtime_checkable
class Arranging(Protocol):
    """A setting that says which tests a sweep runs, in which order, in how many processes."""

    def arranged(self, tests: Sequence[str]) -> list[list[str]]:
        """Give the tests of each process, in order."""


@runtime_checkable
class PerSweep(Protocol):
    """A setting that is held from before the first test of a sweep to after its last."""

    def held(self) -> AbstractContextManager[None]:
        """Hold the setting in this process."""


@runtime_checkable
class PerTest(Protocol):
    """A setting that is taken anew as each test starts."""

    def held_for(self, nodeid: str) -> AbstractContextManager[None]:
        """Hold the setting while one test is set up, called and torn down."""


@runtime_checkable
class Prepared(Protocol):
    """A setting that a process which holds it would first have to import or find out much for."""

    def prepare(self) -> None:
        """Do so in a process of which others are forked that will hold it; nothing else may change there."""


@runtime_checkable
class AtCall(Protocol):
    """A setting that acts once more as the test's own code begins, its fixtures being set up."""

    def called(self) -> None:
        """Act on what the test is about to see."""


@runtime_checkable
class AtImport(Protocol):
    """A setting that can also be held while the suite is imported, so that what is drawn there is drawn again."""

    def held_at_import(self) -> AbstractContextManager[None]:
        """Hold the setting until the suite is collected."""


@runtime_checkable
class Simplifying(Protocol):
    """A setting that there are simpler ones for, to try while a failure is being reduced."""

    def simpler(self) -> "Sequence[Setting]":
        """Give settings that say less or disturb less, the simplest first."""

    @property
    def graded(self) -> bool:
        """Whether they grow from one to the next, so that all above one that fails can be taken to fail."""


@runtime_checkable
class Disputable(Protocol):
    """A setting that does not reach everything it should: some failures under it come of that gap alone."""

    def disputed(self, error: BaseException, test: object) -> str:
        """Say why a failure says nothing of its test; empty where it counts.

        Args:
            error: what the test failed with.
            test: its function, where it has one.
        """


@runtime_checkable
class Repeating(Protocol):
    """A setting that runs each test more than once in one process."""

    @property
    def times(self) -> int:
        """How often each test runs, 2 or more."""


class Perturbation(Protocol):
    """One named source of nondeterminism that we control.

    It may have ``sources``, the names of those (as in ``source_lines``) of which
    a test must consult one for the perturbation to matter to it: sweeps for
    this perturbation alone then leave other tests out. It may have
    ``unavailable`` and ``withdrawn()``, which say why it stands down, and
    ``idle()``, which tries in a few milliseconds whether it does anything on
    this interpreter, leaves nothing changed, and says what has not happened;
    these give an empty text where nothing speaks against it.
    """

    @property
    def name(self) -> str:
        """The word users write, such as ``clock``."""

    @property
    def allowed(self) -> str:
        """What may stand after ``name=``, for messages and help."""

    def draw(self, seed: int, turn: int) -> Setting:
        """Choose a setting.

        Args:
            seed: where chance comes from.
            turn: how often this perturbation was drawn before, from 0; the
                most telling settings come in the first turns.
        """

    def read(self, text: str) -> Setting:
        """Read a setting's written form; raise SettingError saying what is allowed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings for some perturbations; those absent are left alone. The empty plan is calm."""

    settings: tuple[tuple[str, Setting], ...] = ()
    """Name and setting, sorted by name, each name once."""

    def __str__(self) -> str:
        """Give the one written form, which the command line reads back."""
        return " ".join(f"{name}={setting}" for name, setting in self.settings)

    @property
    def names(self) -> frozenset[str]:
        """The perturbations that the plan sets."""
        return frozenset(name for name, _ in self.settings)

    @property
    def contract(self) -> Contract:
        """The weakest promise that the plan needs: natural, environment or stress."""
        contracts = {setting.contract for _, setting in self.settings}
        for contract in (Contract.STRESS, Contract.ENVIRONMENT):
            if contract in contracts:
                return contract
        return Contract.NATURAL

    @property
    def patience(self) -> float:
        """By how much time limits are stretched, 1 or more."""
        return max((setting.patience for _, setting in self.settings), default=1.0)

    @property
    def stretch(self) -> float:
        """By how much deadlines of the tests' own are stretched: for what our tools cost, not for what machines do."""
        ours = (setting for _, setting in self.settings if not getattr(setting, "lifelike", False))
        return max((getattr(setting, "slowing", setting.patience) for setting in ours), default=1.0)

    def setting(self, name: str) -> Setting | None:
        """Give one perturbation's setting, or None where the plan leaves it alone."""
        return dict(self.settings).get(name)

    def joined(self, name: str, setting: Setting) -> "Plan":
        """Give this plan with one more setting, which replaces an older one of that name."""
        return Plan(tuple(sorted({**dict(self.settings), name: setting}.items())))


CALM = Plan()
