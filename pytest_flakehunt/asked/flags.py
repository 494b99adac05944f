"""The names of our options, and whether any is in use: all that an ordinary run of pytest loads of us."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

ZYGOTE = "flakehunt-zygote"
"""The name under which a zygote's own plugin is registered."""
WITNESS = "PYTEST_FLAKEHUNT_WITNESS"
"""The variable that tells a command run again where to write how its tests ended."""
LATER = "PYTEST_FLAKEHUNT_LATER"
"""The variable that tells which hunt of the ledger to go on with: see ``later``."""
QUARANTINE = "flakehunt-quarantine.toml"
AGAIN = pytest.StashKey[str]()
"""What it told."""
PREFIX = "--fla"
"""How words begin that may be one of our options, misspelt."""
FAIL_ON = ("broken", "flaky", "fragile", "stress", "leaks", "none")
DEFAULT_FAIL_ON = "broken,flaky,fragile"
DEFAULT_LEDGER = ".flakehunt/ledger.sqlite"
NAMES = {
    "flakehunt": (
        "N",
        "run the selected tests in N sweeps under controlled nondeterminism, or for a time such as 10m",
    ),
    "flakehunt-seed": ("SEED", "draw all plans from this seed (default: a new one, shown in the header)"),
    "flakehunt-only": ("NAMES", "perturb nothing but these, separated by commas"),
    "flakehunt-without": ("NAMES", "leave these perturbations alone, separated by commas"),
    "flakehunt-weights": (
        "WEIGHTS",
        "how often perturbations are drawn, such as order=6,clock=3 (others as in the field), or learned: by what each "
        "found in earlier hunts of the ledger (default: field)",
    ),
    "flakehunt-plan": ("PLAN", "run under exactly this plan, such as 'hashseed=7 timezone=Asia/Kolkata', or calm"),
    "flakehunt-fail-on": (
        "KINDS",
        f"what makes the exit status 1: some of {', '.join(FAIL_ON)} (default: {DEFAULT_FAIL_ON})",
    ),
    "flakehunt-isolation": ("KIND", "auto, fork or fresh: what a sweep's process is (default: auto)"),
    "flakehunt-timeout": (
        "SECONDS",
        "when a test counts as hanging (default: ten times its slowest calm attempt, at least 10 s; where others of "
        "its file are slower, ten times the slowest, up to 30 s; while it has none, "
        "ten times the slowest other test of its sweep, from 10 to 30 s, and then once 60 s alone)",
    ),
    "flakehunt-diagnose": (
        "RUNS",
        "runs of experiments on causes, for all findings together; 0 for none (default: up to 3000 each, for as long "
        "as the survey took; at least 90 s, or 8 s for each finding up to 23 minutes; printed commands come on top; "
        "within N, where it is a time)",
    ),
    "flakehunt-leaks": (
        "",
        "watch an ordinary run for what its tests leave behind; a hunt always does (ini: on, or off for hunts too)",
    ),
    "flakehunt-grace": ("SECONDS", "what threads, processes and files on their way out are given (default: 0.1)"),
    "flakehunt-forgive": ("PATTERNS", "leaks that are none, such as 'thread:myclient.*', separated by commas"),
    "flakehunt-ledger": ("PATH", f"where every sweep is kept (default: {DEFAULT_LEDGER})"),
    "flakehunt-resume": (
        "",
        "go on with the newest hunt of the ledger that was interrupted or killed, with the same draws; N and all else "
        "as it was given",
    ),
    "flakehunt-shard": (
        "I/N",
        "run only this part of the sweeps, such as 2/8; flakehunt merge joins what all parts wrote (experiments on "
        "causes are then made once, by flakehunt diagnose, unless --flakehunt-diagnose asks for them here)",
    ),
    "flakehunt-journal": (
        "PATH",
        "write every sweep there too as it ends, as lines for flakehunt merge (default: with --flakehunt-shard "
        ".flakehunt/shard-I-of-N.jsonl)",
    ),
    "flakehunt-json": ("PATH", "write the report there as JSON"),
    "flakehunt-junit": ("PATH", "write it there as JUnit XML: one test case a test, flaky ones with flakyFailure"),
    "flakehunt-sarif": ("PATH", "write it there as SARIF 2.1.0, for code scanning"),
    "flakehunt-ctrf": ("PATH", "write it there in the Common Test Report Format"),
    "flakehunt-gitlab": ("PATH", "write it there as a code quality report for GitLab"),
    "flakehunt-markdown": ("PATH", "write a summary there in Markdown"),
    "flakehunt-html": ("PATH", "write it there as one HTML page, which opens anywhere and needs no network"),
    "flakehunt-annotate": (
        "SERVICE",
        "auto, github, gitlab, azure, teamcity, buildkite or none: whose annotations are written (default: auto, by "
        "the service's own variables)",
    ),
    "flakehunt-changed": (
        "REV",
        "hunt the tests that have to do with what changed since the merge base with this revision (default: the branch "
        "that this one goes into); the others run beside them in orders",
    ),
    "flakehunt-quarantine": (
        "KIND",
        "use, off or update: whether failures that the quarantine file lists are excused (default: use, where there is "
        "one); update has a hunt write what it found into it",
    ),
}
"""Every option: what stands for its value in help, if it takes one, and the help."""


REPORTS = ("json", "junit", "sarif", "ctrf", "gitlab", "markdown", "html")
"""What reports can be written to files, each by an option of its own."""
CHANGED, AUTO = "flakehunt-changed", "auto"
"""The option that may stand without a value, and what it then means."""
LISTS = frozenset(
    {"flakehunt-only", "flakehunt-without", "flakehunt-fail-on", "flakehunt-forgive", "flakehunt-weights"}
)
"""Options whose value in a configuration file is a list: in an ini file lines, or names between commas."""
NUMBERS = {
    "flakehunt": int,
    "flakehunt-seed": int,
    "flakehunt-timeout": float,
    "flakehunt-diagnose": int,
    "flakehunt-grace": float,
}
"""Options whose value may be a number there; the kind of it."""
SWITCHES = {"true": "on", "yes": "on", "1": "on", "false": "off", "no": "off", "0": "off"}
"""Other words for on and off, as configuration files have them."""
INI_ONLY = {
    "flakehunt_quarantine_file": "path of the quarantine file, from the folder of the configuration on (default: "
    "flakehunt-quarantine.toml)",
    "flakehunt_changed_fallback": "all or none: what --flakehunt-changed hunts where git cannot tell what changed "
    "(default: all)",
    "flakehunt_redact": "regular expressions, one a line, of what must not leave the machine: what groups of them "
    "fit, or all, is hidden in every report",
    "flakehunt_disable_plugins": "names of other plugins, as pytest knows them, that are kept out of zygotes and of "
    "commands that are run again, separated by spaces: they see sweep 0 alone",
}
"""Settings that only a configuration file can make."""
INI_TYPES: dict[str, Any] = {"flakehunt_disable_plugins": "args", "flakehunt_redact": "linelist"}


def declare(parser: pytest.Parser) -> None:
    """Add the options, each with an ini twin whose name has underscores."""
    group = parser.getgroup("flakehunt", "flaky tests (pytest-flakehunt)")
    for name, (metavar, text) in NAMES.items():
        if name == CHANGED:
            group.addoption(f"--{name}", metavar=metavar, nargs="?", const=AUTO, default=None, help=text)
        elif metavar:
            group.addoption(f"--{name}", metavar=metavar, default=None, help=text)
        else:
            group.addoption(f"--{name}", action="store_const", const="on", default=None, help=text)
        parser.addini(name.replace("-", "_"), f"the same as --{name}", type=_type(name), default="")
    for name, text in INI_ONLY.items():
        parser.addini(name, text, type=INI_TYPES.get(name, "string"), default="")


def _type(name: str, version: tuple[int | str, ...] = pytest.version_tuple) -> Any:
    """Give the type that an option's value has in a configuration file.

    Args:
        name: the option's.
        version: pytest's: from 9 on it reads TOML with types, and from 9.2 on an
            option may have several, of which text comes first: a bad value is
            then refused in our own words.
    """
    if name in LISTS:
        return "linelist"
    kind = bool if not NAMES[name][0] else NUMBERS.get(name, str)
    if version >= (9, 2) and kind is not str:
        return str | int | kind
    return kind.__name__ if version >= (9,) and name != "flakehunt" and kind is not str else "string"


def given(config: pytest.Config, name: str) -> str:
    """Give the text of an option, or of its ini twin; empty where neither is set."""
    destination = name.replace("-", "_")
    for namespace in (getattr(config, "option", None), getattr(config, "known_args_namespace", None)):
        value: Any = getattr(namespace, destination, None)
        if value is not None:
            return str(value).strip()
    try:
        value = config.getini(destination)
    except (TypeError, ValueError) as error:  # pytest makes this a refusal from 9.2 on
        raise pytest.UsageError(f"{destination}: {error}") from None
    text = written(value)
    return text if NAMES[name][0] else SWITCHES.get(text.lower(), text)


def written(value: object) -> str:
    """Give the text that stands on the command line for a value of a configuration file.

    >>> written(["order", "repeat"]), written(True), written(60), written(" 10m ")
    ('order,repeat', 'on', '60', '10m')
    """
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).strip()


def wanted(config: pytest.Config) -> bool:
    """Tell whether this process is asked for anything; a zygote is told what to do by its controller."""
    if config.pluginmanager.has_plugin(ZYGOTE):
        return False
    return bool(
        given(config, "flakehunt")
        or given(config, "flakehunt-plan")
        or given(config, "flakehunt-leaks") not in {"", "off"}
        or on_command_line(config)
        or WITNESS in os.environ
        or AGAIN in config.stash
    )


def foreign(words: Iterable[str]) -> bool:
    """Tell whether words of a command line look like an option of ours that there is not."""
    return any(word.startswith(PREFIX) and word.partition("=")[0][2:] not in NAMES for word in words)


def quarantine_file(config: pytest.Config) -> Path:
    """Give the path of the quarantine file, be there one or not."""
    name = config.getini("flakehunt_quarantine_file") or QUARANTINE
    return (config.inipath.parent if config.inipath is not None else config.rootpath) / name


def excuses(config: pytest.Config) -> bool:
    """Tell whether failures of this run may be excused: it is an ordinary one, and there is a file."""
    return not (
        config.pluginmanager.has_plugin(ZYGOTE)
        or AGAIN in config.stash
        or given(config, "flakehunt")
        or given(config, "flakehunt-plan")
        or given(config, "flakehunt-quarantine") == "off"
    ) and os.path.lexists(quarantine_file(config))


def on_command_line(config: pytest.Config) -> list[str]:
    """Name those of our options that were written on the command line, rather than in a configuration file."""
    namespaces = [getattr(config, "option", None), getattr(config, "known_args_namespace", None)]
    return [
        name
        for name in NAMES
        if any(getattr(namespace, name.replace("-", "_"), None) is not None for namespace in namespaces)
    ]
