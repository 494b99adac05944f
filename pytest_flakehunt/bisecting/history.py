"""The revisions between two: asked of git, which is not changed by it."""

from collections.abc import Sequence
from pathlib import Path

from pytest_flakehunt.bisecting.refusal import CannotBisect
from pytest_flakehunt.ground.provenance import git


class History:
    """The history of one repository."""

    def __init__(self, folder: Path) -> None:
        said = git(folder, "rev-parse", "--show-toplevel")
        if said is None:
            raise CannotBisect(f"{folder} is in no repository that git reads here: call flakehunt where the project is")
        self.root = Path(said.rstrip("\n")).resolve()

    def commit(self, name: str) -> str:
        """Give the commit that a revision names."""
        said = git(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if said is None:
            shallow = (git(self.root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
            remedy = "fetch all of it, as git fetch --unshallow does" if shallow else "give a commit, a tag or a branch"
            raise CannotBisect(f"{name}: git knows no such revision{' in this shallow clone' * shallow}; {remedy}")
        return said.strip()

    def between(self, bad: str, good: Sequence[str]) -> list[str]:
        """Give the revisions that one contains and others do not, those first that halve them best."""
        return [line.split()[0] for line in self._lines("rev-list", "--bisect-all", bad, "--not", *good)]

    def bases(self, bad: str, good: str) -> list[str]:
        """Give the revisions in which two histories part: the good one alone where it is a part of the bad one's."""
        found = self._lines("merge-base", "--all", bad, good)
        if not found:
            raise CannotBisect(
                f"{self.named(good)} and {self.named(bad)} have no revision in common; give another GOOD"
            )
        return found

    def parents(self, revision: str) -> list[str]:
        """Give the parents of a revision."""
        return self._asked("rev-list", "--parents", "--max-count=1", revision).split()[1:]

    def contains(self, revision: str, other: str) -> bool:
        """Tell whether a revision contains another."""
        return git(self.root, "merge-base", "--is-ancestor", other, revision) is not None

    def short(self, revision: str) -> str:
        """Give the first digits of a revision, enough to name it."""
        return self._asked("rev-parse", "--short=12", revision).strip()

    def named(self, revision: str) -> str:
        """Give a revision with its subject."""
        subject = self._asked("log", "--no-show-signature", "--max-count=1", "--format=%s", revision).strip()
        return f"{self.short(revision)} {subject}"

    def submodules(self, revision: str) -> bool:
        """Tell whether a revision has submodules."""
        return git(self.root, "cat-file", "-e", f"{revision}:.gitmodules") is not None

    def work_trees(self) -> list[Path]:
        """Give all work trees of the repository."""
        told = self._asked("worktree", "list", "--porcelain").splitlines()
        return [Path(line.removeprefix("worktree ")).resolve() for line in told if line.startswith("worktree ")]

    def _lines(self, *words: str) -> list[str]:
        return self._asked(*words).splitlines()

    def _asked(self, *words: str) -> str:
        said = git(self.root, *words)
        if said is None and words[0] != "merge-base":
            raise CannotBisect(f"git {words[0]} failed: git status and git fsck in {self.root} may say why")
        return said or ""
