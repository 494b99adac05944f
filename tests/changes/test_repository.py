import os
import subprocess
from pathlib import Path

import pytest

from pytest_flakehunt.changes.repository import Changes, UnknownChange, changes
from tests.changes.conftest import Git, git_in


def changed(folder: Path, revision: str = "", **environ: str) -> Changes:
    return changes(folder, revision, environ)


def names(folder: Path, found: Changes) -> dict[str, list[int]]:
    return {path.relative_to(folder).as_posix(): sorted(lines) for path, lines in found.lines.items()}


def test_what_is_committed_staged_written_and_new_since_the_branch_began_has_changed(
    pytester: pytest.Pytester, git: Git
) -> None:
    root = pytester.path
    (root / "pkg/rates.py").write_text("RATE = 2\nTAX = 3\n")
    git("commit", "-qam", "tax")
    (root / "pkg/late.py").write_text("X = 2\n")
    git("add", "-A")
    (root / "data.txt").unlink()
    (root / "a file\nwith ünusual name.py").write_text("one\ntwo\n")
    (root / "suite/test_other.py").rename(root / "suite/test_renamed.py")
    (root / "pkg/__pycache__").mkdir()
    (root / "pkg/__pycache__/rates.pyc").touch()
    found = changed(root)
    assert names(root, found) == {
        "pkg/rates.py": [2],
        "pkg/late.py": [1],
        "a file\nwith ünusual name.py": [],  # all of it is new
        "suite/test_renamed.py": [],
    }
    assert {path.name for path in found.new} == {"a file\nwith ünusual name.py", "test_renamed.py"}
    assert {path.name for path in found.gone} == {"data.txt", "test_other.py"}
    assert found.since == "the merge base with main"
    assert len(found.base) == 12


def test_what_others_did_meanwhile_has_not_changed(pytester: pytest.Pytester, git: Git) -> None:
    git("checkout", "-q", "main")
    (pytester.path / "pkg/late.py").write_text("X = 3\n")
    git("commit", "-qam", "others")
    git("checkout", "-q", "topic")
    assert changed(pytester.path).files == frozenset()
    assert {path.name for path in changed(pytester.path, "topic~0").files} == set()


def test_links_to_a_project_are_followed(pytester: pytest.Pytester, git: Git, tmp_path: Path) -> None:
    (pytester.path / "pkg/late.py").write_text("X = 3\n")
    link = tmp_path / "link"
    link.symlink_to(pytester.path)
    assert {*changed(link / "suite").files} == {pytester.path.resolve() / "pkg/late.py"}
    git("status")


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"GITHUB_BASE_REF": "next"}, "origin/next"),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "next"}, "origin/next"),
        ({"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/next"}, "origin/next"),
        ({"CHANGE_TARGET": "main"}, "origin/main"),
        ({"GITHUB_BASE_REF": ""}, "origin/main"),
        ({}, "origin/main"),
    ],
)
def test_the_branch_that_a_pull_request_goes_into_is_asked_of_the_service(
    pytester: pytest.Pytester, git: Git, tmp_path: Path, environ: dict[str, str], name: str
) -> None:
    git("branch", "next", "main")
    clone = tmp_path / "clone"
    git("clone", "-q", str(pytester.path), str(clone))
    git_in(clone)("remote", "set-head", "origin", "main")
    assert changed(clone, **environ).since == f"the merge base with {name}"


def refused(folder: Path, revision: str = "", **environ: str) -> str:
    with pytest.raises(UnknownChange) as error:
        changed(folder, revision, **environ)
    return str(error.value)


def test_a_shallow_clone_is_told_what_to_fetch(pytester: pytest.Pytester, git: Git, tmp_path: Path) -> None:
    git("checkout", "-q", "main")
    git("commit", "-qm", "more", "--allow-empty")
    git("checkout", "-q", "topic")
    git("commit", "-qm", "mine", "--allow-empty")
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth=1", "--branch=topic", f"file://{pytester.path}", str(clone))
    shallow = "this is a shallow clone: fetch all of it, as git fetch --unshallow does (fetch-depth: 0 on GitHub)"
    assert refused(clone, GITHUB_BASE_REF="main") == f"git knows no revision origin/main; {shallow}"
    git_in(clone)("fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main")
    assert refused(clone, GITHUB_BASE_REF="main") == f"HEAD and origin/main have no common base; {shallow}"
    git_in(clone)("fetch", "-q", "--unshallow")
    assert changed(clone, GITHUB_BASE_REF="main").files == frozenset()


def test_what_cannot_be_told_says_why_and_what_to_do(
    pytester: pytest.Pytester, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(pytester.path, "no/such") == (
        "git knows no revision no/such; fetch it, as git fetch origin no/such does, or give another"
    )
    assert refused(pytester.path, "--output=evil").startswith("git knows no revision --output=evil; ")
    git("checkout", "-q", "--orphan", "lonely")
    git("commit", "-qm", "lonely")
    assert refused(pytester.path) == "HEAD and main have no common base; give another revision"
    git("branch", "-D", "main")
    assert refused(pytester.path) == (
        "no default branch was found (origin/main, origin/master, main, master): fetch it, or name it, as "
        "--flakehunt-changed=REV"
    )
    empty = tmp_path / "empty"
    subprocess.run(["git", "init", "-q", str(empty)], check=True)
    assert refused(empty, "x") == "there is no commit yet: commit first"
    bare = tmp_path / "none"
    bare.mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert refused(bare) == (
        f"{bare} is in no repository that git reads here: check the project out with git, install git, or trust the "
        f"folder where it is somebody else's (git config --global --add safe.directory {bare})"
    )
    monkeypatch.setenv("PATH", os.devnull)
    assert "is in no repository that git reads here: " in refused(pytester.path)


def test_git_runs_nothing_of_the_projects(pytester: pytest.Pytester, git: Git) -> None:
    git("config", "diff.external", "touch ran; false")
    git("config", "diff.x.textconv", "touch ran")
    (pytester.path / ".gitattributes").write_text("*.py diff=x\n")
    (pytester.path / "pkg/late.py").write_text("X = 3\n")
    found = changed(pytester.path)
    assert names(pytester.path, found)["pkg/late.py"] == [1]
    assert not (pytester.path / "ran").exists()
