"""The jobs that the documentation has to paste: their form, and their shell, run for real over a small suite."""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pytest_flakehunt.asked.flags import NAMES
from pytest_flakehunt.ledger import archive
from tests.changes.conftest import git_in
from tests.conftest import SETTLING

pytestmark = pytest.mark.thorough
ROOT = Path(__file__).parents[1]
JOBS = ROOT / "docs" / "how-to" / "ci" / "jobs"
ACTION = ROOT / ".github" / "actions" / "flakehunt" / "action.yml"
AUDIT = ROOT / ".github" / "workflows" / "audit.yml"
SCHEMAS = {
    "github-": "github-workflows", "gitlab": "gitlab-ci", "azure-": "azure-pipelines", "circleci": "circle-ci",
    "buildkite-": "buildkite", "action": "github-actions", "audit": "github-workflows",
}  # fmt: skip
NIGHTLY = (
    "github-nightly.yml",
    "gitlab.yml",
    "azure-nightly.yml",
    "Jenkinsfile.nightly",
    "circleci.yml",
    "buildkite-nightly.yml",
    "nightly.sh",
)
PULL_REQUEST = tuple(name.replace("nightly", "pull-request") for name in NIGHTLY)
FINDING = "def test_sound():\n    pass\n\ndef test_broken():\n    assert 1 == 2\n"


def texts(node: Any) -> list[str]:
    """Give the texts of a YAML document in which pytest is run."""
    if isinstance(node, str):
        return [node] if "pytest --flakehunt" in node else []
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for item in inner for text in texts(item)]


def shell(name: str, kind: str) -> str:
    """Give the shell of a job that hunts: that of a night, or of a pull request."""
    text = (JOBS / name).read_text("utf-8")
    if name.endswith(".yml"):
        found = texts(YAML(typ="safe").load(text))
    elif name.startswith("Jenkinsfile"):
        found = [textwrap.dedent(block) for block in re.findall(r"'''\n(.*?)'''", text, re.DOTALL)]
    else:
        found = [text]
    (one,) = [
        script.replace("$$", "$") for script in found if ("--flakehunt-changed" in script) == (kind == "pull request")
    ]
    return one


@pytest.mark.parametrize("path", [*sorted(JOBS.glob("*.yml")), ACTION, AUDIT], ids=lambda path: path.name)
def test_it_has_the_form_that_its_service_wants(path: Path) -> None:
    schema = next(schema for name, schema in SCHEMAS.items() if path.name.startswith(name))
    more = ["--regex-variant", "python"] if schema == "azure-pipelines" else []
    if schema in {"gitlab-ci", "azure-pipelines"}:
        more += ["--data-transform", schema]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *more, str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("name", "kind"), [(n, "night") for n in NIGHTLY] + [(n, "pull request") for n in PULL_REQUEST]
)
def test_its_options_are_ours(name: str, kind: str) -> None:
    (line,) = re.findall(r"^\s*pytest (--flakehunt.*?)(?: \|\| .*)?$", shell(name, kind), re.MULTILINE)
    options = [word.partition("=")[0].removeprefix("--") for word in shlex.split(line)]
    assert set(options) <= NAMES.keys()
    assert options[0] == "flakehunt"


def test_a_night_is_the_same_everywhere_but_for_its_reports() -> None:
    def kept(name: str) -> list[str]:
        lines = shell(name, "night").splitlines()
        begin = lines.index("mkdir -p .flakehunt flakehunt-reports")
        return [line for line in lines[begin:] if not line.startswith("pytest ")]

    *usual, last = kept("nightly.sh")
    for name in NIGHTLY:
        *lines, end = kept(name)
        more = lines[len(usual) :]
        assert (lines[: len(usual)], end) == (usual, last)
        assert not more or name == "buildkite-nightly.yml"  # it keeps the ledger itself, and annotates


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a job's shell as a service does, with four sweeps, where everything is installed already."""
    script = re.sub(r"^.*(pip install|-m venv|bin/activate|git fetch).*\n", "", script, flags=re.MULTILINE)
    script = re.sub(r"--flakehunt=\d+m", "--flakehunt=4", script)
    kept = {name: value for name, value in os.environ.items() if name not in SETTLING}
    environ = {
        **kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "-pxdist.plugin -ppytest_flakehunt.plugin -pno:cacheprovider --flakehunt-diagnose=0",
    }  # fmt: skip
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "test_it.py").write_text(FINDING)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    git = git_in(tmp_path)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    git("checkout", "-qb", "topic")
    return tmp_path


def test_a_night_leaves_reports_and_a_ledger_that_the_next_one_goes_on_with(project: Path) -> None:
    script = shell("github-nightly.yml", "night")
    (project / "flakehunt-quarantine.toml").write_text("version = 1\n")
    first = run(script, project)
    assert first.returncode == 1, first.stdout + first.stderr
    reports = project / "flakehunt-reports"
    assert {path.name for path in reports.iterdir()} == {
        "flakehunt.json", "junit.xml", "summary.md", "flakehunt.sarif", "ledger.sqlite", "quarantine.md",
    }  # fmt: skip
    (project / ".flakehunt" / "ledger.sqlite").unlink()  # another machine
    (project / "test_it.py").write_text(FINDING.replace("1 == 2", "1 == 1"))
    second = run(script, project)
    assert second.returncode == 0, second.stdout + second.stderr
    assert [hunt.concluded for hunt in archive.hunts(reports / "ledger.sqlite")] == [True, True]


def test_a_wrong_quarantine_file_fails_a_night_that_found_nothing(project: Path) -> None:
    (project / "test_it.py").write_text("def test_sound():\n    pass\n")
    (project / "flakehunt-quarantine.toml").write_text("version = 2\n")
    assert run(shell("gitlab.yml", "night"), project).returncode != 0
    assert (project / "flakehunt-reports" / "gl-code-quality-report.json").read_text("utf-8") == "[]\n"


@pytest.mark.parametrize("name", ["pull-request.sh", "gitlab.yml", "buildkite-pull-request.yml"])
def test_a_pull_request_is_hunted_for_what_it_touches(project: Path, name: str) -> None:
    script = shell(name, "pull request")
    untouched = run(script, project)
    assert untouched.returncode == 0, untouched.stdout + untouched.stderr
    assert "there is nothing to hunt" in untouched.stdout
    (project / "test_new.py").write_text("def test_new():\n    pass\n")
    touched = run(script, project)
    assert touched.returncode == 0, touched.stdout + touched.stderr
    assert "1 new test: none fails more than" in touched.stdout


def test_the_action_hands_its_status_on(project: Path) -> None:
    (step,) = [one for one in YAML(typ="safe").load(ACTION.read_text("utf-8"))["runs"]["steps"] if "run" in one]
    output = project / "output"
    script = (
        f"export HUNT=4 CHANGED=false ARGS='-k \"test_broken or test_sound\"' GITHUB_OUTPUT={output}\n{step['run']}"
    )
    ended = run(script, project)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert output.read_text() == "status=1\n"
    assert (project / "flakehunt-reports" / "ledger.sqlite").exists()
