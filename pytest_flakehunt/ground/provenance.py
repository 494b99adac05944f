"""What a hunt ran on: the project's revision, and the plugins that were there."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest


def revision(root: Path) -> str:
    """Give the project's revision under git, with a plus where files were changed; empty where there is none."""
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],  # noqa: S607 - whichever git there is
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def plugins(config: pytest.Config) -> dict[str, str]:
    """Give the version of each distribution that gave pytest a plugin."""
    names = sorted({distribution.project_name for _, distribution in config.pluginmanager.list_plugin_distinfo()})
    return {name: version(name) for name in names}
