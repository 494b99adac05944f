"""Each page about a cause says all that it should, its commands are taken, and its test does what the page says."""

import importlib.util
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from pytest_flakehunt.asked import options
from pytest_flakehunt.model import Perturbation
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import locale, registry

ROOT = Path(__file__).parents[1]
MOST_LINES = 11
"""Of a page's test, blank ones left out."""
NATURAL = 20
"""Runs after which a test that fails in half of them has failed and passed, but for one time in half a million."""
PLAN = "--flakehunt-plan="


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages = load("perturbation_pages")
NAMES = pages.names()
each = pytest.mark.parametrize("name", NAMES)


def text_of(name: str) -> str:
    text: str = (pages.FOLDER / f"{name}.md").read_text("utf-8")
    return text


def test_every_cause_has_a_page_and_every_page_a_cause() -> None:
    assert {path.stem for path in pages.FOLDER.glob("*.md")} == {*NAMES, "index"}


@each
def test_a_page_has_all_sections_and_something_in_each(name: str) -> None:
    title, *sections = text_of(name).split("\n## ")
    assert title.startswith(f"# {name}\n")
    assert [section.partition("\n")[0] for section in sections] == list(pages.SECTIONS)
    assert all(section.partition("\n")[2].strip() for section in sections)


@each
def test_what_is_generated_is_as_the_code_has_it(name: str) -> None:
    assert pages.page(name) == text_of(name)


@each
def test_the_bug_is_shown_in_few_lines(name: str) -> None:
    source = pages.test_of(name)
    compile(source, f"test_{name}.py", "exec")
    assert "def test_" in source
    assert len([line for line in source.splitlines() if line.strip()]) <= MOST_LINES


@each
def test_a_page_shows_how_its_test_passes_and_how_it_fails(name: str) -> None:
    commands = pages.commands_of(name)
    assert commands
    assert {command.file for command in commands} == {f"test_{name}.py"}
    outcomes = [command.outcome for command in commands]
    assert outcomes in (["passes", "fails"], ["passes", "fails in some runs"], ["fails in some runs"])


def lines_of(text: str) -> list[str]:
    """Give the commands that a page has pytest run, but for what stands behind them."""
    blocks = text.split("```sh\n")[1:]
    lines = [line for block in blocks for line in block.partition("```")[0].splitlines()]
    return [line.partition("  #")[0] for line in lines if line.startswith(("pytest ", "python -m pytest "))]


@pytest.fixture
def taken(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], options.Options]:
    """Have pytest's own parser take the words of a command, and ours the options among them."""

    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def take(words: list[str]) -> options.Options:
        return options.Options.read(pytester.parseconfig("-pxdist.plugin", "-ppytest_flakehunt.plugin", *words))

    return take


@each
def test_replay_and_switch_off_are_taken(name: str, taken: Callable[[list[str]], options.Options]) -> None:
    commands = lines_of(text_of(name))
    assert len(commands) >= 2
    known = registry()
    if name == "locale" and stands_down(name):
        pytest.skip(stands_down(name))  # its sample cannot be held here
    for command in commands:
        words = [word for word in shlex.split(command)[1:] if word.startswith("-") and word != "-m"]
        plans = [word.removeprefix(PLAN) for word in words if word.startswith(PLAN)]
        asked = taken([word for word in words if not word.startswith(PLAN)])
        assert set(asked.without) <= {name}
        assert set(asked.only) <= set(known)
        for plan in plans:
            assert plan == "calm" or read_plan(plan, known).settings
    if name in known:
        assert any(f"--flakehunt-without={name}" in command for command in commands)
        assert f"`flakehunt_without = {name}`" in text_of(name)


def stands_down(name: str) -> str:
    """Say what this machine lacks for a page's test; empty where nothing."""
    item: Perturbation | None = registry().get(name)
    if name == "listdir" and not Path("/dev/shm").is_dir():
        return "there is no file system in memory"
    if name == "locale" and not locale.installed("de_DE.UTF-8"):
        return "de_DE.UTF-8 is not installed"
    if name in {"load", "threads"} and os.getloadavg()[0] > len(os.sched_getaffinity(0)):
        return "this machine is busy, so that its test may fail without"
    if name == "load" and len(os.sched_getaffinity(0)) > 8:
        return "16 processes are few for so many cores"
    return getattr(item, "unavailable", "")


def run(folder: Path, command: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "TZ": "UTC"}
    environment["PYTEST_PLUGINS"] = "xdist.plugin,pytest_flakehunt.plugin"
    words = [sys.executable, "-m", "pytest", "-pno:cacheprovider", *shlex.split(command)]
    done = subprocess.run(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.thorough
@each
def test_it_passes_and_fails_as_its_page_says(name: str, tmp_path: Path) -> None:
    if reason := stands_down(name):
        pytest.skip(reason)
    (tmp_path / f"test_{name}.py").write_text(pages.test_of(name), "utf-8")
    for file, given, outcome in pages.commands_of(name):
        statuses = set()
        for _ in range(NATURAL if "some" in outcome else 1):
            status, said = run(tmp_path, f"{file} {given}")
            statuses.add(status)
            if len(statuses) == 2:
                break
        expected = {"passes": {0}, "fails": {1}, "fails in some runs": {0, 1}}[outcome]
        assert statuses == expected, said
