"""A work tree of the search's own: git has each revision checked out there, and the user's is left as it is."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from pytest_flakehunt.bisecting.refusal import CannotBisect
from pytest_flakehunt.ground.provenance import ALONE

PREFIX = "flakehunt-bisect-"
ENVIRON = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
POINTING = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CEILING_DIRECTORIES",
)  # fmt: skip
"""Variables that would lead git to another work tree: a hook of git, for one, is called with them."""


def environ() -> dict[str, str]:
    """Give the environment of what is run in the work tree."""
    return {name: value for name, value in os.environ.items() if name not in POINTING}


class WorkTree:
    """One work tree, that shows one revision after another; each as it was committed, with nothing of the last."""

    def __init__(self, repository: Path) -> None:
        """Choose a place.

        Args:
            repository: the root of the user's own work tree.
        """
        self._repository = repository
        self._around = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        self.path = self._around / repository.name
        """Named as the user's own is: that the project is called as its folder is stays true."""

    def check_out(self, revision: str) -> None:
        """Show a revision.

        Args:
            revision: a commit, in full.
        """
        if not self.path.exists():
            self._git(self._repository, "worktree", "add", "--quiet", "--detach", str(self.path), revision)
            return
        if Path(self._git(self.path, "rev-parse", "--show-toplevel").rstrip("\n")).resolve() != self.path:
            raise CannotBisect(f"{self.path} is no work tree any more: what --prepare does there must leave .git alone")
        self._git(self.path, "checkout", "--quiet", "--force", "--detach", revision)
        self._git(self.path, "clean", "-ffdxq")

    def remove(self) -> None:
        """Take the work tree away, and what git keeps of it."""
        removed(self._repository, self.path)

    def _git(self, folder: Path, *words: str) -> str:
        asked = _run(folder, *words)
        if asked.returncode:
            said = asked.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise CannotBisect(f"git {words[0]} failed in {folder}: {said[0]}")
        return asked.stdout


def removed(repository: Path, path: Path) -> None:
    """Take a work tree away that a search made, now or before it was killed.

    Args:
        repository: the root of the user's own work tree.
        path: of the other one.
    """
    around = path.parent
    if not around.name.startswith(PREFIX) or around.parent != Path(tempfile.gettempdir()).resolve():
        return  # notes that others wrote may name any folder
    _run(repository, "worktree", "remove", "--force", "--force", str(path))
    shutil.rmtree(path.parent, ignore_errors=True)
    _run(repository, "worktree", "remove", "--force", "--force", str(path))  # where files stood in the way before


def _run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    with suppress(OSError):
        return subprocess.run(  # noqa: S603 - without a shell
            ["git", *ALONE, *words],  # noqa: S607 - whichever git there is
            cwd=folder,
            env={**environ(), **ENVIRON},
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    return subprocess.CompletedProcess(words, 1, "", "git is not there")
