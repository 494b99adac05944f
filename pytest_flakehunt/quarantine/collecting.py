"""Which tests there are: asked of pytest itself, in a process of its own. It is also the plugin that answers there."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

ANSWER = "PYTEST_FLAKEHUNT_COLLECTED"
"""The variable that tells the plugin where to write."""
LONGEST = 600.0
"""Seconds that collecting may take."""


def collected(folder: Path, files: Collection[str], more: Sequence[str]) -> set[str] | None:
    """Give the node ids of the tests in some files, those that would be deselected too; None where pytest fails.

    Args:
        folder: of the configuration, which node ids and files begin from.
        files: those that are there.
        more: options of pytest that the suite needs.
    """
    if not files:
        return set()
    with tempfile.TemporaryDirectory(prefix="flakehunt-collect-") as name:
        answer = Path(name) / "tests.json"
        words = ["--collect-only", "-q", "-p", __name__, f"--rootdir={folder}", "-o", "console_output_style=classic"]
        try:
            ended = subprocess.run(  # noqa: S603 - pytest itself
                [sys.executable, "-m", "pytest", *words, *more, *sorted(files)],
                cwd=folder,
                env={**os.environ, ANSWER: str(answer)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        if ended.returncode not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED} or not answer.exists():
            return None
        return set(json.loads(answer.read_text("utf-8")))


_found: list[str] = []


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note a test before anybody deselects it."""
    _found.append(item.nodeid)


def pytest_collection_finish() -> None:
    """Write down what was noted."""
    Path(os.environ[ANSWER]).write_text(json.dumps(_found), "utf-8")
