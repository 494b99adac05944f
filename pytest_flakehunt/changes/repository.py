"""Which files differ from a revision, and in which lines: asked of git."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_flakehunt.ground.provenance import git

TARGETS = (
    "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH", "CHANGE_TARGET", "CI_DEFAULT_BRANCH",
)  # fmt: skip
"""Variables in which services say what a pull request goes into, and what the default branch is."""
USUAL = ("origin/main", "origin/master", "main", "master")
HUNK = re.compile(rb"^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


class UnknownChange(Exception):  # noqa: N818 - nothing has gone wrong
    """What changed cannot be told; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between a revision and the files as they are, uncommitted ones included."""

    base: str
    """The revision, shortened."""
    since: str
    """What it is, in words."""
    lines: Mapping[Path, frozenset[int]] = field(default_factory=dict)
    """By file that is there: its lines, from 1, that are new or other; none for one that is no source of Python."""
    added: Mapping[Path, frozenset[int]] = field(default_factory=dict)
    """Those of them that stand in no old line's place."""
    new: frozenset[Path] = frozenset()
    """Those of them that were not there."""
    gone: frozenset[Path] = frozenset()
    """Files that are no longer there."""

    @property
    def files(self) -> frozenset[Path]:
        """All of them."""
        return frozenset(self.lines) | self.gone


def changes(folder: Path, revision: str, environ: Mapping[str, str]) -> Changes:
    """Ask what changed.

    Args:
        folder: in the repository.
        revision: what to compare with: the merge base of it and HEAD; empty for the branch that this one goes into.
        environ: the variables in which a CI service says which branch that is.

    Raises:
        UnknownChange: it cannot be told.
    """
    root = _root(folder)
    name, base = _base(root, revision, environ)
    new, gone = set[Path](), set[Path]()
    lines, added = dict[Path, frozenset[int]](), dict[Path, frozenset[int]]()
    for status, path in _statuses(root, base):
        if status == "D":
            gone.add(path)
            continue
        if status == "A":
            new.add(path)
        lines[path], added[path] = _changed_lines(root, base, path)
    for path in _listed(root, "ls-files", "--others", "--exclude-standard", "-z"):
        if path.is_file() and "__pycache__" not in path.parts:
            new.add(path)
            lines[path] = added[path] = frozenset()
    short = (git(root, "rev-parse", "--short=12", base) or base).strip()
    return Changes(short, f"the merge base with {name}", lines, added, frozenset(new), frozenset(gone))


def _root(folder: Path) -> Path:
    """Give the root of the repository, all links followed."""
    said = git(folder, "rev-parse", "--show-toplevel")
    if said is None:
        raise UnknownChange(
            f"{folder} is in no repository that git reads here: check the project out with git, install git, or trust"
            f" the folder where it is somebody else's (git config --global --add safe.directory {folder})"
        )
    return Path(said.rstrip("\n")).resolve()


def _base(root: Path, revision: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Give what is compared with: its name, and the commit."""
    name = revision or _target(root, environ)
    if git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}") is None:
        raise UnknownChange("there is no commit yet: commit first")
    shallow = (git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    more = "; this is a shallow clone: fetch all of it, as git fetch --unshallow does (fetch-depth: 0 on GitHub)"
    if git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}") is None:
        remedy = (
            more if shallow else f"; fetch it, as git fetch origin {name.removeprefix('origin/')} does, or give another"
        )
        raise UnknownChange(f"git knows no revision {name}{remedy}")
    base = git(root, "merge-base", "--end-of-options", name, "HEAD")
    if base is None:
        raise UnknownChange(f"HEAD and {name} have no common base{more if shallow else '; give another revision'}")
    head = _asked(root, "rev-parse", "HEAD").strip()
    if not revision and shallow and base.strip() == head:
        raise UnknownChange(f"whether HEAD is all that changed since {name} cannot be seen{more}")
    return name, base.strip()


def _target(root: Path, environ: Mapping[str, str]) -> str:
    """Name the branch that this one goes into."""
    for variable in TARGETS:
        branch = environ.get(variable, "").removeprefix("refs/heads/")
        if branch:
            here = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"origin/{branch}^{{commit}}")
            return branch if here is None and _is_there(root, branch) else f"origin/{branch}"
    default = git(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if default:
        return default.strip()
    for name in USUAL:
        if _is_there(root, name):
            return name
    raise UnknownChange(
        f"no default branch was found ({', '.join(USUAL)}): fetch it, or name it, as --flakehunt-changed=REV"
    )


def _is_there(root: Path, name: str) -> bool:
    return git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}") is not None


DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


def _statuses(root: Path, base: str) -> Iterator[tuple[str, Path]]:
    said = _asked(root, *DIFF, "--name-status", "-z", base, "--").split("\0")
    for status, name in zip(said[::2], said[1::2], strict=False):
        yield status, root / name


def _listed(root: Path, *words: str) -> Iterator[Path]:
    for name in _asked(root, *words).split("\0"):
        if name:
            yield root / name


def _asked(root: Path, *words: str) -> str:
    """Give what git says; where it cannot tell, nobody can."""
    said = git(root, *words)
    if said is None:
        raise UnknownChange(f"git {words[0]} failed: git status and git fsck in {root} may say why")
    return said


def _changed_lines(root: Path, base: str, path: Path) -> tuple[frozenset[int], frozenset[int]]:
    """Give the lines of a source of Python that are new or other, and those of them that are new."""
    if path.suffix != ".py":
        return frozenset(), frozenset()
    said = _asked(root, *DIFF, "--unified=0", base, "--", str(path))
    found, added = set[int](), set[int]()
    for match in HUNK.finditer(said.encode("utf-8", "surrogateescape")):
        begin, count = int(match[2]), int(match[3] or 1)
        lines = range(begin, begin + max(1, count))
        found.update(lines)
        if match[1] == b"0":
            added.update(lines)
    return frozenset(found), frozenset(added)
