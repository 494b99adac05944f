"""Plans as they are written and read, and what a sweep takes from one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_flakehunt.model.misspelt import hint
from pytest_flakehunt.model.settings import (
    CALM,
    Arranging,
    BeforeStart,
    Perturbation,
    Plan,
    Setting,
    SettingError,
)

LONGEST = 20_000
"""Letters of a perturbation's name with its setting."""


def read_plan(text: str, known: Mapping[str, Perturbation]) -> Plan:
    """Read a plan's written form.

    Args:
        text: settings such as ``hashseed=7 timezone=Asia/Kolkata``, in any
            order; white space between them, none within. ``calm`` is the
            empty plan, as is no text at all.
        known: the perturbations there are, by name.

    Raises:
        SettingError: names the part that is wrong, and what is allowed.
    """
    settings: dict[str, Setting] = {}
    if text.strip() == "calm":
        return CALM
    for part in text.split():
        if len(part) > LONGEST:
            raise SettingError(f"{part[:60]}…: no setting has more than {LONGEST} letters; give NAME=SETTING")
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise SettingError(f"{part}: give NAME=SETTING, such as hashseed=7")
        if name not in known:
            raise SettingError(
                f"{part}: there is no perturbation {name}{hint(name, known)}; give {', '.join(sorted(known))}"
            )
        if name in settings:
            raise SettingError(f"{part}: {name} is set twice; give it once")
        settings[name] = known[name].read(value)
    return Plan(tuple(sorted(settings.items())))


def environment(plan: Plan) -> dict[str, str]:
    """Give the variables that an interpreter must be started with for this plan."""
    variables: dict[str, str] = {}
    for _, setting in plan.settings:
        if isinstance(setting, BeforeStart):
            variables.update(setting.environment())
    return variables


def arranged(plan: Plan, tests: Sequence[str]) -> list[list[str]]:
    """Give the tests of each process that a sweep needs, in order."""
    for _, setting in plan.settings:
        if isinstance(setting, Arranging):
            return setting.arranged(tests)
    return [list(tests)]


@dataclass(frozen=True, slots=True)
class Draft:
    """A sweep still to be run."""

    number: int
    plan: Plan = CALM
    focus: tuple[str, ...] = ()
    """The perturbations under trial; the rest of the plan is pinned for replay."""
    pins_hashseed: bool = False
    """Whether the plan takes over the hash seed of the zygote that it meets."""
    lone: bool = False
    """Whether the one perturbation is all that the sweep is for."""
