"""A hunt under one plan alone, in a process of its own: it tells how often a known failure comes back.

A hunt rather than ordinary runs one after another: each sweep is isolated as
those were in which the failure was seen, a sweep costs a fork where a run
costs an interpreter, and its report has the failures by their kind.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pytest_flakehunt.model import Count
from pytest_flakehunt.replays import processes

LONGEST = 3600.0
"""Seconds that one hunt may take."""
CALM = "calm"


class Told(NamedTuple):
    """What a hunt told."""

    tests: tuple[Mapping[str, Any], ...] = ()
    """As its JSON report has them."""
    why_not: str = ""
    """Why it told nothing."""
    ended: processes.Ended | None = None


@dataclass(frozen=True, slots=True)
class Hunt:
    """What is to be run."""

    tests: tuple[str, ...]
    """In this order, in one process; the whole suite where the plan arranges it."""
    plan: str = ""
    """In written form; empty is calm."""
    fresh: bool = False
    """Whether every sweep needs an interpreter of its own."""
    more: tuple[str, ...] = ()
    """Options of pytest that the suite needs."""
    program: tuple[str, ...] = field(default=(sys.executable, "-m", "pytest"))

    @property
    def whole(self) -> bool:
        """Whether the plan arranges the suite, and so needs all of it."""
        return "order=" in self.plan and "order=alone" not in self.plan

    def words(self, sweeps: int, folder: Path, scratch: Path) -> list[str]:
        """Give the command line.

        Args:
            sweeps: under the plan.
            folder: which node ids begin from.
            scratch: a folder for what it writes.
        """
        return [
            *self.program,
            *([] if self.whole else self.tests),
            *self.more,
            f"--flakehunt={sweeps}",
            f"--flakehunt-plan={self.plan or CALM}",
            "--flakehunt-diagnose=0",
            "--flakehunt-quarantine=off",
            f"--flakehunt-isolation={'fresh' if self.fresh else 'auto'}",
            f"--flakehunt-ledger={scratch / 'ledger.sqlite'}",
            f"--flakehunt-json={scratch / 'report.json'}",
            "--flakehunt-annotate=none",
            f"--rootdir={folder}",
            "-q",
        ]

    def run(self, sweeps: int, folder: Path, environ: Mapping[str, str]) -> Told:
        """Run it.

        Args:
            sweeps: under the plan.
            folder: which node ids begin from: pytest is called there.
            environ: the environment.
        """
        with tempfile.TemporaryDirectory(prefix="flakehunt-replay-") as name:
            scratch = Path(name)
            told = {name: value for name, value in environ.items() if name != "PYTEST_FLAKEHUNT_WITNESS"}
            try:
                ended = processes.run(self.words(sweeps, folder, scratch), folder, told, LONGEST)
            except subprocess.TimeoutExpired:
                return Told(why_not=f"its replay took more than {LONGEST:.0f} s")
            report = scratch / "report.json"
            if not report.exists():
                return Told(why_not=f"pytest ended with status {ended.status}: {ended.tail(1)}", ended=ended)
            return Told(tuple(json.loads(report.read_text("utf-8"))["tests"]), ended=ended)


def under_plan(plan: str, test: Mapping[str, Any]) -> Count:
    """Give runs and failures of a test but for the calm sweep that comes before those under a plan.

    Args:
        plan: of the hunt, in written form.
        test: as its JSON report has it.
    """
    runs, failures, calm = test["runs"], test["failures"], test["calm"]
    return Count(runs - calm["runs"], failures - calm["failures"]) if plan else Count(runs, failures)


def kinds(plan: str, test: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Give by fingerprint how often a test failed so under a plan, and how.

    Args:
        plan: of the hunt, in written form.
        test: as its JSON report has it.
    """
    return {
        mode["fingerprint"]: (mode["failures"] - (mode["calm_failures"] if plan else 0), _how(mode))
        for mode in test["modes"]
    }


def _how(mode: Mapping[str, Any]) -> str:
    return str(mode["at"] or mode["exception"])
