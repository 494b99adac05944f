"""Command line and ini: what a user may ask for, and every refusal."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_flakehunt.asked.flags import (
    AUTO,
    CHANGED,
    DEFAULT_FAIL_ON,
    DEFAULT_LEDGER,
    FAIL_ON,
    REPORTS,
    given,
    on_command_line,
)
from pytest_flakehunt.model import WHOLE, Isolation, LeakKind, Service, SettingError, Shard, misspelt

UNITS = {"s": 1, "m": 60, "h": 3600}
ALWAYS = ("flakehunt", "flakehunt-plan", "flakehunt-annotate")
"""Options that an ordinary run takes as well."""
ON_ORDINARY_RUNS = ("flakehunt-leaks", "flakehunt-grace", "flakehunt-forgive", "flakehunt-fail-on")
"""Options that an ordinary run takes which is watched for leaks."""
DEFAULT_GRACE = 0.1
FIELD, LEARNED = "field", "learned"
"""Weights that have a name."""
LEAK = re.compile(rf"(?:{'|'.join(kind.value for kind in LeakKind)}|\*):.+")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for, checked."""

    asked: str
    """N as it was given; empty where no hunt is wanted."""
    sweeps: int | None
    seconds: float | None
    seed: int | None
    only: tuple[str, ...]
    without: tuple[str, ...]
    weights: Mapping[str, float]
    """How often perturbations are drawn, where the user says."""
    learned: bool
    """Whether the others are drawn by what they found in earlier hunts."""
    plan: str
    fail_on: frozenset[str]
    isolation: Isolation | None
    """None leaves the choice to us."""
    timeout: float | None
    diagnose: int | None
    """Runs of experiments on causes; None leaves the number to us."""
    ledger: Path
    resume: bool
    """Whether a hunt goes on that was interrupted."""
    shard: Shard
    journal: Path | None
    """Where every sweep is written as well."""
    reports: Mapping[str, Path]
    """By kind, as in ``REPORTS``."""
    annotate: Service | None
    """Whose annotations are written."""
    redact: tuple[str, ...]
    """Patterns of what must not leave the machine."""
    changed: str | None
    """The revision since which to look for changes; empty leaves the choice to us, None hunts everything."""
    fallback: bool
    """Whether everything is hunted where it cannot be told what changed."""
    update: bool
    """Whether the quarantine file is to have what the hunt finds."""
    leaks: bool
    """Whether an ordinary run is watched for leaks."""

    @classmethod
    def read(cls, config: pytest.Config) -> "Options":
        """Read and check everything.

        Raises:
            pytest.UsageError: says what was given, what is allowed, and what to do.
        """
        asked = given(config, "flakehunt")
        sweeps, seconds = length(asked) if asked else (None, None)
        options = cls(
            asked=asked,
            sweeps=sweeps,
            seconds=seconds,
            seed=_seed(given(config, "flakehunt-seed")),
            only=_names(given(config, "flakehunt-only")),
            without=_names(given(config, "flakehunt-without")),
            weights=weights(given(config, "flakehunt-weights")),
            learned=given(config, "flakehunt-weights") == LEARNED,
            plan=given(config, "flakehunt-plan"),
            fail_on=_fail_on(given(config, "flakehunt-fail-on") or DEFAULT_FAIL_ON),
            isolation=_isolation(given(config, "flakehunt-isolation")),
            timeout=_timeout(given(config, "flakehunt-timeout")),
            diagnose=_runs(given(config, "flakehunt-diagnose")),
            ledger=_ledger(config, given(config, "flakehunt-ledger")),
            resume=_resume(given(config, "flakehunt-resume")),
            shard=_shard(given(config, "flakehunt-shard")),
            journal=_journal(config),
            reports=_reports(config),
            annotate=service(given(config, "flakehunt-annotate"), os.environ),
            redact=redact(config),
            changed=_changed(config, given(config, CHANGED)),
            fallback=_fallback(config),
            update=_quarantine(given(config, "flakehunt-quarantine")),
            leaks=watch_leaks(config) is True,
        )
        grace(config)
        forgiven(config)
        options._agree(config)
        return options

    def _agree(self, config: pytest.Config) -> None:
        if self.only and self.without:
            raise pytest.UsageError("--flakehunt-only and --flakehunt-without contradict each other; give one of them")
        if self.plan and (self.only or self.without or self.weights or self.learned):
            raise pytest.UsageError(
                "--flakehunt-plan is exactly what runs; leave out --flakehunt-only, --flakehunt-without and "
                "--flakehunt-weights"
            )
        if not self.asked:
            for name in on_command_line(config):
                if name == "flakehunt-quarantine" and not self.update:
                    continue
                if name not in {*ALWAYS, *(ON_ORDINARY_RUNS if self.leaks else ())}:
                    one = " or --flakehunt-leaks" if name in ON_ORDINARY_RUNS else ""
                    raise pytest.UsageError(f"--{name} goes with a hunt; add --flakehunt=N{one}, or leave it out")
            return
        self._agree_on_shards()
        if self.changed is not None and self.plan:
            raise pytest.UsageError(
                f"--{CHANGED} chooses what is hunted, and --flakehunt-plan says it; give one of them"
            )
        for name, written in (("usepdb", "--pdb"), ("trace", "--trace"), ("collectonly", "--collect-only")):
            if getattr(config.option, name, False):
                hint = (
                    "; to debug one failure, run the repro command of its finding without --flakehunt"
                    if name != "collectonly"
                    else ""
                )
                raise pytest.UsageError(f"{written} cannot go with --flakehunt: leave one of them out{hint}")

    def _agree_on_shards(self) -> None:
        if self.shard.count == 1:
            return
        option = f"--flakehunt-shard={self.shard}"
        if self.seed is None:
            raise pytest.UsageError(
                f"{option}: all shards must draw from one seed; give each of them the same --flakehunt-seed=SEED"
            )
        if self.sweeps is None:
            raise pytest.UsageError(
                f"{option}: a number of sweeps can be split, and a time cannot; give --flakehunt=N, such as 200"
            )
        if self.learned:
            raise pytest.UsageError(
                f"{option}: each shard would learn other weights from its own ledger; leave "
                "--flakehunt-weights=learned out, or give the weights"
            )
        if self.plan:
            raise pytest.UsageError(f"{option}: --flakehunt-plan leaves nothing to split; leave one of them out")


def length(text: str) -> tuple[int | None, float | None]:
    """Read N: a number of sweeps, or a time.

    Returns:
        Sweeps, or seconds; the other is None.

    >>> length("1000"), length("10m")
    ((1000, None), (None, 600.0))
    """
    if re.fullmatch(r"-\d+", text, re.ASCII):
        raise pytest.UsageError(
            f"--flakehunt={text}: there cannot be fewer than no sweeps; give 1 or more, or leave it out for an "
            "ordinary run"
        )
    time = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smh])", text, re.ASCII)
    if time and float(time[1]):
        return None, float(time[1]) * UNITS[time[2]]
    if re.fullmatch(r"\d{1,9}", text, re.ASCII) and int(text):
        return int(text), None
    if re.fullmatch(r"[0.]+[smh]?", text, re.ASCII):
        raise pytest.UsageError(
            f"--flakehunt={text}: that is no sweep at all; give 1 or more, or leave it out for an ordinary run"
        )
    raise pytest.UsageError(
        f"--flakehunt={text}: give a number of sweeps, such as 200, or a time, such as 90s, 10m or 2h"
    )


def _runs(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise pytest.UsageError(
            f"--flakehunt-diagnose={text}: give how many runs experiments on causes may take, 0 for none"
        )
    return int(text)


def _seed(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise pytest.UsageError(f"--flakehunt-seed={text}: give a whole number, 0 or more")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def weights(text: str) -> dict[str, float]:
    """Read weights.

    >>> weights("order=6, clock=0.5"), weights("learned")
    ({'order': 6.0, 'clock': 0.5}, {})
    """
    found: dict[str, float] = {}
    for part in () if text in {FIELD, LEARNED} else _names(text):
        weight = re.fullmatch(r"([\w-]+)=(\d{1,3}(?:\.\d{1,3})?)", part, re.ASCII)
        if weight is None or not float(weight[2]):
            raise pytest.UsageError(
                f"--flakehunt-weights={part}: give NAME=WEIGHT, such as order=6, with a weight from 0.001 to 999; or "
                "field, or learned; what should not be drawn at all goes to --flakehunt-without"
            )
        if weight[1] in found:
            raise pytest.UsageError(f"--flakehunt-weights={text}: {weight[1]} is given twice; give it once")
        found[weight[1]] = float(weight[2])
    return found


def _fail_on(text: str) -> frozenset[str]:
    names = frozenset(_names(text))
    for name in sorted(names):
        if name not in FAIL_ON:
            hint = misspelt.hint(name, FAIL_ON)
            raise pytest.UsageError(f"--flakehunt-fail-on={text}: {name} is none of {', '.join(FAIL_ON)}{hint}")
    if "none" in names and len(names) > 1:
        raise pytest.UsageError(f"--flakehunt-fail-on={text}: none stands alone; leave it or the others out")
    return names - {"none"}


def _isolation(text: str) -> Isolation | None:
    if text in {"", "auto"}:
        return None
    if text not in {Isolation.FORK, Isolation.FRESH}:
        raise pytest.UsageError(f"--flakehunt-isolation={text}: give auto, fork or fresh")
    if text == Isolation.FORK and not hasattr(os, "fork"):
        raise pytest.UsageError("--flakehunt-isolation=fork: this Python cannot fork; leave it out")
    return Isolation(text)


def _quarantine(text: str) -> bool:
    if text not in {"", "use", "off", "update"}:
        raise pytest.UsageError(f"--flakehunt-quarantine={text}: give use, off or update")
    return text == "update"


def _timeout(text: str) -> float | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,7}(\.\d{1,6})?", text, re.ASCII) or not float(text):
        raise pytest.UsageError(f"--flakehunt-timeout={text}: give seconds, more than 0")
    return float(text)


def watch_leaks(config: pytest.Config) -> bool | None:
    """Tell whether leaks are watched for: always, never, or (None) in hunts alone."""
    text = given(config, "flakehunt-leaks")
    if text not in {"", "on", "off"}:
        raise pytest.UsageError(f"flakehunt_leaks={text}: give on or off, or leave it out to watch hunts alone")
    return {"": None, "on": True, "off": False}[text]


def grace(config: pytest.Config) -> float:
    """Give the seconds that things on their way out have."""
    text = given(config, "flakehunt-grace")
    if not text:
        return DEFAULT_GRACE
    if not re.fullmatch(r"\d{1,4}(\.\d{1,6})?", text, re.ASCII):
        raise pytest.UsageError(f"--flakehunt-grace={text}: give seconds, 0 or more")
    return float(text)


def forgiven(config: pytest.Config) -> tuple[str, ...]:
    """Give the patterns of leaks that users and other plugins forgive."""
    written = _names(given(config, "flakehunt-forgive").replace("\n", ","))
    for pattern in written:
        if not LEAK.fullmatch(pattern):
            raise pytest.UsageError(
                f"--flakehunt-forgive={pattern}: give KIND:NAME, such as thread:myclient.*; a kind is one of "
                f"{', '.join(LeakKind)}, or *"
            )
    return (*written, *(pattern for some in config.hook.pytest_flakehunt_forgiven(config=config) for pattern in some))


def _ledger(config: pytest.Config, text: str) -> Path:
    return config.invocation_params.dir / text if text else config.rootpath / DEFAULT_LEDGER


def _resume(text: str) -> bool:
    if text not in {"", "on", "off"}:
        raise pytest.UsageError(f"flakehunt_resume={text}: give on or off")
    return text == "on"


def _shard(text: str) -> Shard:
    try:
        return Shard.read(text) if text else WHOLE
    except ValueError:
        raise pytest.UsageError(
            f"--flakehunt-shard={text}: give which part of how many, such as 2/8, from 1/8 to 8/8"
        ) from None


def _journal(config: pytest.Config) -> Path | None:
    """Give the path of the journal; a shard writes one in any case."""
    text, shard = given(config, "flakehunt-journal"), _shard(given(config, "flakehunt-shard"))
    if text:
        path = config.invocation_params.dir / text
        if path.is_dir() or not path.parent.is_dir():
            raise pytest.UsageError(f"--flakehunt-journal={text}: give the path of a file in a folder that there is")
        if path.resolve() in {
            one.resolve() for one in with_companions(_ledger(config, given(config, "flakehunt-ledger")))
        }:
            raise pytest.UsageError(f"--flakehunt-journal={text}: the ledger is kept there; give another path")
        return path
    if shard.count == 1:
        return None
    return config.rootpath / Path(DEFAULT_LEDGER).parent / f"shard-{shard.index}-of-{shard.count}.jsonl"


MATTERING = (
    "flakehunt-only", "flakehunt-without", "flakehunt-weights", "flakehunt-plan", "flakehunt-isolation",
    "flakehunt-timeout", "flakehunt-changed", "flakehunt-leaks", "flakehunt-grace", "flakehunt-forgive",
)  # fmt: skip
"""Options that decide what sweeps are, besides N and the seed."""


def mattering(config: pytest.Config) -> str:
    """Give those of them that are in use, as they are written."""
    return " ".join(f"--{name}={text}" for name in MATTERING if (text := given(config, name)))


SERVICES = {
    Service.GITHUB: ("GITHUB_ACTIONS", "true"),
    Service.GITLAB: ("GITLAB_CI", "true"),
    Service.AZURE: ("TF_BUILD", "true"),
    Service.TEAMCITY: ("TEAMCITY_VERSION", ""),
    Service.BUILDKITE: ("BUILDKITE", "true"),
}
"""By which variable each service says that it is there, and with which value; any where that is empty."""


def service(text: str, environ: Mapping[str, str]) -> Service | None:
    """Give the service that annotations are for; None where there is none.

    Args:
        text: what was asked for.
        environ: the variables that services set.

    >>> service("", {"TF_BUILD": "True"}).value, service("none", {"TF_BUILD": "True"})
    ('azure', None)
    """
    if text in {"", "auto"}:
        for name, (variable, value) in SERVICES.items():
            said = environ.get(variable, "")
            if said and value in {"", said.lower()}:
                return name
        return None
    if text == "none":
        return None
    if text not in set(Service):
        raise pytest.UsageError(f"--flakehunt-annotate={text}: give auto, {', '.join(Service)}, or none")
    return Service(text)


def redact(config: pytest.Config) -> tuple[str, ...]:
    """Give the patterns of what must not leave the machine."""
    patterns = tuple(line.strip() for line in config.getini("flakehunt_redact") or () if line.strip())
    for pattern in patterns:
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise pytest.UsageError(f"flakehunt_redact={pattern}: it is no regular expression: {error}") from None
        if compiled.search(""):
            raise pytest.UsageError(f"flakehunt_redact={pattern}: it fits no text at all; give one that needs some")
    return patterns


def _changed(config: pytest.Config, text: str) -> str | None:
    if text in {"", "off"}:
        return None
    if text in {AUTO, "on"}:
        return ""
    if text.startswith("-") or "::" in text or (config.invocation_params.dir / text).exists():
        raise pytest.UsageError(
            f"--{CHANGED}={text}: that is no revision; write --{CHANGED} after the paths of tests, or --{CHANGED}=REV"
        )
    return text


def _fallback(config: pytest.Config) -> bool:
    text = config.getini("flakehunt_changed_fallback") or "all"
    if text not in {"all", "none"}:
        raise pytest.UsageError(f"flakehunt_changed_fallback={text}: give all or none")
    return bool(text == "all")


GITLAB_FILE = "gl-code-quality-report.json"
"""Where GitLab's own templates have a code quality report."""


def _reports(config: pytest.Config) -> dict[str, Path]:
    """Give the path of each report that is asked for."""
    found: dict[str, Path] = {}
    for kind in REPORTS:
        if not (text := given(config, f"flakehunt-{kind}")):
            continue
        option, path = f"--flakehunt-{kind}={text}", config.invocation_params.dir / text
        if path.is_dir():
            raise pytest.UsageError(
                f"{option}: that is a folder; give the path of a file, such as {text}/report.{kind}"
            )
        if not path.parent.is_dir():
            raise pytest.UsageError(f"{option}: there is no folder {path.parent}; make it, or give another path")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise pytest.UsageError(f"{option}: it cannot be written; make it writable, or give another path")
        found[kind] = path
    if given(config, "flakehunt-annotate") == Service.GITLAB:
        found.setdefault("gitlab", config.invocation_params.dir / GITLAB_FILE)
    _apart(config, found)
    return found


def _apart(config: pytest.Config, reports: Mapping[str, Path]) -> None:
    """Refuse reports that would be written where something else is."""
    ledger = _ledger(config, given(config, "flakehunt-ledger"))
    taken = {path.resolve(): "the ledger is kept" for path in with_companions(ledger)}
    junit = getattr(config.option, "xmlpath", None)
    if junit:
        taken[(config.invocation_params.dir / junit).resolve()] = "--junitxml is written"
    for kind, path in reports.items():
        if path.resolve() in taken:
            text = given(config, f"flakehunt-{kind}") or path.name
            raise pytest.UsageError(
                f"--flakehunt-{kind}={text}: {taken[path.resolve()]} there; give each report a path of its own"
            )
        taken[path.resolve()] = f"--flakehunt-{kind} is written"


def with_companions(ledger: Path) -> list[Path]:
    """Give the files that an SQLite file has beside it while it is open."""
    return [ledger, *(ledger.with_name(f"{ledger.name}{end}") for end in ("-wal", "-shm", "-journal"))]


def usage(error: SettingError, option: str) -> pytest.UsageError:
    """Give a refusal of a plan in pytest's own kind of error."""
    return pytest.UsageError(f"--{option}: {error}")
