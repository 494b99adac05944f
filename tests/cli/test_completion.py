"""What a shell is told when it asks how a command goes on: asked as bash asks, through argcomplete's own protocol."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_flakehunt

ROOT = Path(pytest_flakehunt.__file__).parent
INSTALLED = importlib.util.find_spec("argcomplete") is not None


def completions(line: str, folder: Path, *, flags: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    """Ask what may stand where a line ends."""
    asks = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "bash",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    command = [sys.executable, *flags, "-c", "from pytest_flakehunt.cli.main import main; main([])"]
    return subprocess.run(
        ["bash", "-c", 'exec 8>&1 9>/dev/null; exec "$@"', "bash", *command],
        env={**os.environ, **asks},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not INSTALLED, reason="argcomplete is not installed")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("flakehunt pru", {"prune "}),
        ("flakehunt quarantine ", {"list", "check", "release", "add", "remove", "-h", "--help"}),
        ("flakehunt report --annotate git", {"github", "gitlab"}),
        ("flakehunt prune --ol", {"--older-than "}),
        ("flakehunt prune old", {"old.sqlite "}),
    ],
)
def test_a_shell_is_told_what_could_come_next(line: str, wanted: set[str], tmp_path: Path) -> None:
    (tmp_path / "old.sqlite").touch()
    done = completions(line, tmp_path)
    assert (done.returncode, {word for word in done.stdout.split("\n") if word}) == (0, wanted), done.stderr


def test_without_argcomplete_nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "argcomplete.py").write_text("raise ImportError")
    done = completions("flakehunt pru", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the following arguments are required: COMMAND" in done.stderr


def test_argcomplete_is_imported_only_where_a_shell_asks(tmp_path: Path) -> None:
    (tmp_path / "argcomplete.py").write_text("raise SystemExit('imported')")
    done = subprocess.run(
        [sys.executable, "-m", "pytest_flakehunt", "plan", "calm"], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not INSTALLED, reason="argcomplete is not installed")
def test_argcomplete_finds_that_both_ways_of_calling_it_complete() -> None:
    for name in ("pytest_flakehunt", "pytest_flakehunt.cli.main"):
        found = subprocess.run(
            [sys.executable, "-m", "argcomplete._check_module", name], capture_output=True, check=False
        )
        assert (found.returncode, found.stderr) == (0, b"")
    assert "PYTHON_ARGCOMPLETE_OK" in (ROOT / "cli" / "main.py").read_text("utf-8")[:1024]
