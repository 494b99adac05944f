"""What tests of whole hunts share."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest
import rich.console  # noqa: F401 - before any test: pytester forgets modules that a run in this process imported first, and half of rich with another half's classes does not render

pytest_plugins = ["pytester"]
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)  # which a busy machine exceeds
hypothesis.settings.load_profile("patient")
ZOO = Path(__file__).parent / "zoo"
ISOLATIONS = ("fork", "fresh")


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


SETTLING = (
    "PYTEST_ADDOPTS", "CI", "PYTHONHASHSEED", "TZ", "PYTEST_XDIST_WORKER", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY",
    "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION", "BUILDKITE", "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "SYSTEM_PULLREQUEST_TARGETBRANCH", "BUILDKITE_PULL_REQUEST_BASE_BRANCH", "CHANGE_TARGET", "CI_DEFAULT_BRANCH",
)  # fmt: skip
"""Variables that settle something for a hunt, and that whoever runs the tests may have set."""


@pytest.fixture(scope="session")
def bare() -> dict[str, str]:
    """Give an environment in which nothing is settled, and in which interpreters start fast."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTLING}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **({} if networked() else {"NO_NETWORK": "1"})}


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let what is started be interrupted, also where these tests were started with interruptions ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def networked() -> bool:
    """Tell whether this machine has a route to others."""
    with socket.socket(type=socket.SOCK_DGRAM) as packets:
        return packets.connect_ex(("192.0.2.1", 9)) == 0  # nothing is sent


@pytest.fixture(scope="session")
def hunted_once(
    tmp_path_factory: pytest.TempPathFactory, bare: dict[str, str]
) -> Callable[[str, Sequence[str], Callable[[Path], object]], dict[str, Any]]:
    """Give the report of a hunt that many tests read: whichever of xdist's workers comes first does it for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def hunted(name: str, args: Sequence[str], prepare: Callable[[Path], object] = Path.mkdir) -> dict[str, Any]:
        """Hunt in a folder of this name, which ``prepare`` makes."""
        path = folder / name / "report.json"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                prepare(path.parent)
                plugins = [f"-p{plugin}" for plugin in ("xdist.plugin", "pytest_flakehunt.plugin")]
                subprocess.run(
                    [sys.executable, "-m", "pytest", *plugins, f"--flakehunt-json={path}", *args],
                    env=bare,
                    cwd=path.parent,
                    check=False,
                    timeout=300,
                    stdout=subprocess.DEVNULL,
                )
        read: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return read

    return hunted


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--isolation", choices=ISOLATIONS, help="let all hunts of tests run their sweeps in this way")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is promised of every kind of isolation under each."""
    if metafunc.definition.get_closest_marker("isolations") and not metafunc.config.option.isolation:
        fresh = pytest.param("fresh", marks=pytest.mark.thorough)
        metafunc.parametrize("isolation", ["fork", fresh], indirect=True)


@pytest.fixture
def isolation(request: pytest.FixtureRequest) -> str:
    """Give how sweeps are kept apart; empty where that is the hunt's own choice, as it is for what is about forks."""
    if request.node.get_closest_marker("forks"):
        return ""
    found: str = getattr(request, "param", "") or request.config.option.isolation or ""
    return found


@pytest.fixture
def hunt(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, isolation: str) -> Callable[..., Hunted]:
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
            *([f"--flakehunt-isolation={isolation}"] if isolation else []),
            *args,
        )
        path = pytester.path / "report.json"
        return Hunted(result, json.loads(path.read_text("utf-8")) if path.exists() else {})

    return run
