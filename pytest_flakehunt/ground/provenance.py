"""What a hunt ran on: the project's revision, and the plugins that were there."""

import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest


def revision(root: Path) -> str:
    """Give the project's revision under git, with a plus where files were changed; empty where there is none."""
    return (git(root, "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*") or "").strip()


ALONE = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "--literal-pathspecs")
"""What keeps git from running the project's hooks, and from reading names as patterns."""


def repository(folder: Path) -> Path | None:
    """Give the root of the repository around a folder."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def below_repository(folder: Path) -> str:
    """Give a folder as seen from the root of the repository around it, with slashes; empty where they are one."""
    root = repository(folder)
    return "" if root is None or root == folder else folder.relative_to(root).as_posix()


def git(folder: Path, *words: str) -> str | None:
    """Give what git says in a folder; None where it fails, or is not there. It changes, runs and fetches nothing."""
    try:
        asked = subprocess.run(  # noqa: S603 - without a shell
            ["git", *ALONE, *words],  # noqa: S607 - whichever git there is
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"},
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout if asked.returncode == 0 else None


def plugins(config: pytest.Config) -> dict[str, str]:
    """Give the version of each distribution that gave pytest a plugin."""
    names = sorted({distribution.project_name for _, distribution in config.pluginmanager.list_plugin_distinfo()})
    return {name: version(name) for name in names}
