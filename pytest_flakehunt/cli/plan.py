"""``flakehunt plan``: what a plan does, whether it can be held here, and how it gets simpler."""

import argparse
import sys
from collections.abc import Mapping, Sequence

import pytest

from pytest_flakehunt.cli.ending import OK, Refused
from pytest_flakehunt.model import (
    Arranging,
    BeforeStart,
    Contract,
    PerSweep,
    PerTest,
    Perturbation,
    Plan,
    Repeating,
    Setting,
    SettingError,
    Simplifying,
)
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.reports.words import safe

SHOWN = 5
"""Simpler settings that are shown of each."""
CONTRACTS = {
    Contract.NATURAL: "natural: it differs between two runs on one machine",
    Contract.ENVIRONMENT: "environment: it differs between machines or days",
    Contract.STRESS: "stress: it goes beyond what Python promises; a failure under it alone does not count unless "
    "--flakehunt-fail-on has stress",
}
MOMENTS: Mapping[type, str] = {
    BeforeStart: "before the interpreter starts",
    Arranging: "as tests are put in order",
    PerSweep: "from before the first test to after the last",
    PerTest: "anew for each test",
    Repeating: "around each test",
}
"""When a setting is held, by what it can do."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    text = "explain a plan, check it, and take it apart by hand"
    more = (
        "With --without, --only or --simpler, nothing but the changed plan is written, on one line, for "
        '--flakehunt-plan="$(flakehunt plan … --without clock)". What follows -- is given to pytest, where '
        "perturbations of a plugin of yours need it."
    )
    reads = commands.add_parser("plan", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    reads.add_argument("plan", metavar="PLAN", nargs="+", help="settings such as hashseed=7 timezone=UTC, or calm")
    change = reads.add_mutually_exclusive_group()
    change.add_argument("--without", metavar="NAMES", help="leave out these perturbations, separated by commas")
    change.add_argument("--only", metavar="NAMES", help="leave out all others")
    change.add_argument("--simpler", metavar="NAME", help="take the next simpler setting of this perturbation")
    reads.set_defaults(run=explain, starts_pytest=True)


def explain(asked: argparse.Namespace) -> int:
    """Explain a plan, or write a changed one."""
    text = " ".join(asked.plan)
    known = _known(text, asked.pytest)
    try:
        plan = read_plan(text, known)
    except SettingError as error:
        raise Refused(str(error)) from None
    if asked.without or asked.only:
        names = _names(asked.without or asked.only, plan, "--without" if asked.without else "--only")
        kept = plan.names - names if asked.without else names
        plan = Plan(tuple((name, setting) for name, setting in plan.settings if name in kept))
    elif asked.simpler:
        (name,) = _names(asked.simpler, plan, "--simpler") or {""}
        plan = plan.joined(name, _next(name, plan))
    else:
        for line in _lines(plan, known):
            sys.stdout.write(f"{safe(line)}\n")
        return OK
    sys.stdout.write(f"{safe(_written(plan))}\n")
    return OK


def _written(plan: Plan) -> str:
    return str(plan) or "calm"


def _lines(plan: Plan, known: Mapping[str, Perturbation]) -> list[str]:
    """Explain each setting, and then the whole."""
    lines = []
    for name, setting in plan.settings:
        perturbation = known[name]
        lines.append(f"{name}={setting}: {_sentence(perturbation)}")
        lines.append(f"    {_sentence(setting)}")
        lines.append(f"    {CONTRACTS[setting.contract]}")
        moments = [moment for kind, moment in MOMENTS.items() if isinstance(setting, kind)]
        if moments:
            lines.append(f"    held {', and '.join(moments)}")
        if isinstance(setting, BeforeStart):
            lines.extend(f"    needs {variable}={value}" for variable, value in setting.environment().items())
        if setting.patience > 1:
            lines.append(f"    time limits are stretched {setting.patience:g} times")
        if reason := getattr(perturbation, "unavailable", ""):
            lines.append(f"    hunts here leave it out: {reason}")
        lines.append(f"    {_easing(setting)}")
    if not plan.settings:
        lines.append("calm: nothing is perturbed")
    lines.append(f"written: {_written(plan)}")
    return lines


def _sentence(described: Perturbation | Setting) -> str:
    """Say what something varies or does, in its own words."""
    paragraph = (type(described).__doc__ or "it says nothing of itself").strip().partition("\n\n")[0]
    words = " ".join(paragraph.replace("``", "").split()).rstrip(".")
    return words if words[1:2].isupper() else f"{words[0].lower()}{words[1:]}"


def _easing(setting: Setting) -> str:
    simpler = _simpler(setting)
    if not simpler:
        return "nothing simpler is known"
    more = f", and {len(simpler) - SHOWN} more" if len(simpler) > SHOWN else ""
    return f"simpler: {', '.join(map(str, simpler[:SHOWN]))}{more}"


def _simpler(setting: Setting) -> Sequence[Setting]:
    """Give simpler settings, the one to try next first."""
    if not isinstance(setting, Simplifying):
        return ()
    simpler = list(setting.simpler())
    return simpler[::-1] if setting.graded else simpler


def _next(name: str, plan: Plan) -> Setting:
    setting = plan.setting(name)
    simpler = _simpler(setting) if setting is not None else ()
    if not simpler:
        raise Refused(f"--simpler {name}: nothing simpler is known than {name}={setting}; leave it out with --without")
    return simpler[0]


def _names(text: str, plan: Plan, option: str) -> set[str]:
    """Read names of perturbations that the plan has."""
    names = {name.strip() for name in text.split(",") if name.strip()}
    allowed = ", ".join(sorted(plan.names)) or "none"
    for name in sorted(names):
        if name not in plan.names:
            raise Refused(f"{option} {text}: the plan leaves {name} alone; give {_some_or_one(option)} of {allowed}")
    if not names or (option == "--simpler" and len(names) > 1):
        raise Refused(f"{option} {text}: give {_some_or_one(option)} of {allowed}")
    return names


def _some_or_one(option: str) -> str:
    return "one" if option == "--simpler" else "some"


def _known(text: str, more: Sequence[str]) -> Mapping[str, Perturbation]:
    """Give the perturbations there are; pytest is asked for those of plugins where the plan needs one."""
    from pytest_flakehunt import perturbations

    ours = perturbations.registry()
    names = {part.partition("=")[0] for part in text.split()} - {"calm"}
    if not more and names <= ours.keys():
        return ours
    asking = _Asking()
    sys.dont_write_bytecode = True  # a question leaves nothing behind
    pytest.main(["-p", "no:cacheprovider", *more], plugins=[asking])
    return perturbations.registry(asking.found)


class _Asking:
    """A plugin that asks pytest's other plugins for perturbations, and lets nothing else happen."""

    def __init__(self) -> None:
        self.found: list[Perturbation] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        from pytest_flakehunt.asked import takeover

        if hasattr(config.hook, "pytest_flakehunt_perturbations"):
            self.found.extend(takeover.perturbations_of_plugins(config))
        return 0
