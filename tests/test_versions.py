"""What the project supports is said in pyproject.toml; whatever says it again says the same."""

import configparser
import platform
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from ruamel.yaml import YAML

from pytest_flakehunt.cli.main import main

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SAID = PROJECT["project"]
PYTHONS = [
    found[1]
    for line in SAID["classifiers"]
    if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
]
"""The versions of Python that are supported, oldest first."""
NEEDED = {one.name: one for one in map(Requirement, SAID["dependencies"])}


def tox() -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None)
    read.read(ROOT / "tox.ini", "utf-8")
    return read


def oldest(requirement: Requirement) -> Version:
    """Give the oldest version that fits a requirement."""
    (one,) = requirement.specifier
    assert one.operator == ">=", requirement
    return Version(one.version)


def words(path: str) -> str:
    """Give a file's text as if it were one line."""
    return " ".join((ROOT / path).read_text("utf-8").split())


def test_the_version_that_is_installed_is_the_one_in_pyproject() -> None:
    assert version("pytest-flakehunt") == SAID["version"], "install the project again: pip install -e ."


def test_the_command_says_which_version_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    beside = f"pytest {version('pytest')}, Python {platform.python_version()}, {platform.system()}"
    assert capsys.readouterr().out == f"pytest-flakehunt {SAID['version']} ({beside})\n"


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "pytest_flakehunt", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.startswith(f"pytest-flakehunt {SAID['version']} (")


def test_the_version_stands_nowhere_else() -> None:
    for path in (ROOT / "pytest_flakehunt").rglob("*.py"):
        assert "__version__ =" not in path.read_text("utf-8"), path
    assert "version" not in YAML(typ="safe").load((ROOT / "CITATION.cff").read_text("utf-8"))


def test_the_pythons_are_those_from_the_oldest_on() -> None:
    assert [f"3.{minor}" for minor in range(int(PYTHONS[0][2:]), int(PYTHONS[-1][2:]) + 1)] == PYTHONS
    assert SpecifierSet(SAID["requires-python"]) == SpecifierSet(f">={PYTHONS[0]}")


def test_tox_runs_the_tests_under_each_python() -> None:
    environments = [name.strip() for name in tox()["tox"]["env_list"].split(",")]
    assert [name for name in environments if re.fullmatch(r"py\d+", name)] == [
        f"py{one.replace('.', '')}" for one in PYTHONS
    ]
    every = ", ".join(f"py{one.replace('.', '')}" for one in PYTHONS)
    for section in tox().values():
        if "," in section.get("base_python", ""):
            assert section["base_python"] == every, section.name


def test_the_oldest_python_is_the_one_that_tools_check_for() -> None:
    assert tox()["testenv:lowest"]["base_python"] == f"py{PYTHONS[0].replace('.', '')}"
    assert PROJECT["tool"]["mypy"]["python_version"] == PYTHONS[0]
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{PYTHONS[0].replace('.', '')}"


def test_each_oldest_version_of_a_dependency_is_tested() -> None:
    pinned = {one.name: one for one in map(Requirement, tox()["testenv:lowest"]["deps"].split())}
    groups = [*SAID["dependencies"], *PROJECT["dependency-groups"]["test-quick"]]
    allowed = {one.name: oldest(one) for one in map(Requirement, groups)}
    assert NEEDED.keys() <= pinned.keys()
    for name, one in pinned.items():
        (exact,) = one.specifier
        assert (exact.operator, Version(exact.version)) == ("==", allowed[name]), name


def test_pytest_refuses_what_we_do_not_support() -> None:
    assert Version(PROJECT["tool"]["pytest"]["ini_options"]["minversion"]) == oldest(NEEDED["pytest"])


def test_the_readme_names_the_pythons() -> None:
    assert f"It needs Python {', '.join(PYTHONS[:-1])} or {PYTHONS[-1]} on Linux" in words("README.md")


def test_new_machines_look_for_the_same_pythons() -> None:
    minors = "|".join(one[2:] for one in PYTHONS)
    assert rf"'^3\.({minors})\.[0-9]+$'" in words(".ci/run")


def test_jobs_to_paste_use_a_python_that_is_supported() -> None:
    named = {
        found[1]
        for path in (ROOT / "docs" / "how-to" / "ci" / "jobs").iterdir()
        for found in re.finditer(
            r"python(?:[:-]| ?version[\"']?: *[\"']?|-version: *[\"']?)?(3\.\d+)", path.read_text("utf-8")
        )
    }
    assert named
    assert named <= set(PYTHONS)


def test_the_page_on_dependencies_says_what_each_is_for() -> None:
    page = (ROOT / "docs" / "explanation" / "dependencies.md").read_text("utf-8")
    assert (
        set(re.findall(r"^\| ([a-z0-9-]+)(?: \(on CPython\))? \| [^|]", page, re.MULTILINE)) - {"package"}
        == NEEDED.keys()
    )
