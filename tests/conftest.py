"""What tests of whole hunts share."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest_plugins = ["pytester"]
ZOO = Path(__file__).parent / "zoo"


class Hunted(NamedTuple):
    """What a hunt that ran in a process of its own gave."""

    result: pytest.RunResult
    report: dict[str, Any]

    @property
    def tests(self) -> dict[str, dict[str, Any]]:
        return {test["nodeid"].partition("::")[2]: test for test in self.report["tests"]}

    @property
    def verdicts(self) -> dict[str, str]:
        return {name: test["verdict"] for name, test in self.tests.items()}

    def mode(self, name: str) -> dict[str, Any]:
        (mode,) = self.tests[name]["modes"]
        found: dict[str, Any] = mode
        return found


SETTLING = ("PYTEST_ADDOPTS", "CI", "PYTHONHASHSEED", "TZ", "PYTEST_XDIST_WORKER")
"""Variables that settle something for a hunt, and that whoever runs the tests may have set."""


@pytest.fixture(scope="session")
def bare() -> dict[str, str]:
    """Give an environment in which nothing is settled, and in which interpreters start fast."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTLING}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture
def hunt(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Hunted]:
    """Run pytest with a hunt, in a process of its own, on what the test has written down."""
    for name in SETTLING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # interpreters that start fast

    def run(
        *args: str, sweeps: int | str = 6, seed: int = 7, diagnose: int | str = 0, plugins: Sequence[str] = ()
    ) -> Hunted:
        """Hunt; ``plugins`` are those of other packages that the suite needs, and no ``diagnose`` leaves the number to us."""
        chosen = [f"-p{name}" for name in ("xdist.plugin", "pytest_flakehunt.plugin", *plugins)]
        result = pytester.runpytest_subprocess(
            *chosen,
            f"--flakehunt={sweeps}",
            f"--flakehunt-seed={seed}",
            "--flakehunt-json=report.json",
            *([f"--flakehunt-diagnose={diagnose}"] if diagnose != "" else []),
            *args,
        )
        path = pytester.path / "report.json"
        return Hunted(result, json.loads(path.read_text("utf-8")) if path.exists() else {})

    return run
