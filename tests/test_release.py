"""What a release is made of, beside the code: the changelog, the citation, the forms for issues."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pytest_flakehunt.cli.main import parser

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FRAGMENTS = sorted((ROOT / "changelog.d").glob("*.md"))
FORMS = [ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml" for name in ("wrong", "missed", "harm")]
SCHEMAS = {
    ROOT / "CITATION.cff": "citation-file-format",
    ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml": "github-issue-config",
    **dict.fromkeys(FORMS, "github-issue-forms"),
}


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text("utf-8"))


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_has_a_kind_that_the_changelog_has_and_a_change_a_line(path: Path) -> None:
    kinds = "|".join(kind["directory"] for kind in PROJECT["tool"]["towncrier"]["type"])
    assert re.fullmatch(rf"\d+\.({kinds})\.md", path.name)
    for line in path.read_text("utf-8").splitlines():
        assert re.fullmatch(r"\S.*\.", line), f"each line is one change, and ends with a full stop: {line!r}"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_it_has_the_form_that_its_readers_want(path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--default-filetype", "yaml", "--builtin-schema"]
    checked = subprocess.run(
        [*command, f"vendor.{SCHEMAS[path]}", str(path)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_each_form_asks_for_the_hunts_json_the_command_and_the_versions(path: Path) -> None:
    asked = {field["id"]: field for field in read(path)["body"]}
    assert {"report", "command", "versions"} <= asked.keys()
    assert asked["report"]["validations"]["required"] is (path.name != "harm.yml")
    assert "`flakehunt report --json flakehunt.json`" in asked["report"]["attributes"]["description"]
    assert "`flakehunt --version`" in asked["versions"]["attributes"]["description"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_commands_in_forms_are_taken(path: Path) -> None:
    commands = re.findall(r"`flakehunt (report [^`]+)`", path.read_text("utf-8"))
    assert len(commands) == 2
    for command in commands:
        assert parser().parse_args(command.split()).json == Path("flakehunt.json")


def test_every_paper_that_the_code_names_is_cited() -> None:
    cited = {(one["authors"][0]["family-names"], one["year"]) for one in read(ROOT / "CITATION.cff")["references"]}
    named = set()
    for path in (ROOT / "pytest_flakehunt" / "analysis").rglob("*.py"):
        text = " ".join(path.read_text("utf-8").split())
        for found in re.finditer(
            r"(?:Source: |from )(?:[A-Z]\. )+([A-Z]\w+)(?: and [A-Z. ]+[A-Z]\w+)?, [^()]*\((\d{4})\)", text
        ):
            named.add((found[1], int(found[2])))
    assert len(named) == 8
    assert named <= cited
