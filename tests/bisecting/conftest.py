"""Repositories with a planted history."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Git = Callable[..., str]
SHOP = "import os\nFLAG = []\nN = {n}\n\ndef price():\n    {body}\n    return 1\n"
SUITE = """
import shop

def test_first():
    shop.FLAG.append(1)

def test_price():
    assert shop.price() == 1
"""


class Repository:
    """A project under git, one commit after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        folder.mkdir()
        self.git("init", "-q")
        (folder / ".gitignore").write_text("__pycache__\n", "utf-8")

    def git(self, *words: str) -> str:
        settled = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main")
        date = f"2026-01-01T00:{self.number:02}:00Z"  # the same revisions have the same names in every run
        environ = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        return subprocess.run(
            ["git", *settled, *words], cwd=self.folder, check=True, capture_output=True, text=True, env=environ
        ).stdout

    def commit(self, body: str = "pass", files: Mapping[str, str] | None = None, suite: str = SUITE) -> str:
        """Commit a revision in which the price is worked out so; give its number, which is a tag."""
        self.number += 1
        written = {"shop.py": SHOP.format(n=self.number, body=body), "test_shop.py": suite, **(files or {})}
        for name, text in written.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        self.git("add", "-A")
        self.git("commit", "-qm", f"number {self.number}")
        self.git("tag", f"v{self.number}")
        return f"v{self.number}"

    def commits(self, count: int, body: str = "pass") -> None:
        """Commit several alike."""
        for _ in range(count):
            self.commit(body)

    def state(self) -> tuple[object, ...]:
        """Give all that a search must leave as it is."""
        inside = self.folder / ".git"
        files = {
            str(path.relative_to(inside)): path.read_bytes()
            for path in inside.rglob("*")
            if path.is_file() and not path.is_relative_to(inside / "objects")
        }
        said = [self.git(*words.split()) for words in ("status --porcelain", "worktree list", "for-each-ref")]
        return (files, *said, {path.name: path.read_text() for path in self.folder.glob("*.py")})


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Give a repository, which is where the test is."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    made = Repository(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_flakehunt.plugin,xdist.plugin")
    return made
