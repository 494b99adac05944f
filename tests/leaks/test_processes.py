"""Which processes this one has started."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from pytest_flakehunt.leaks import processes

WORDS = [sys.executable, "-c", "input()", "two words"]


@pytest.mark.parametrize("listed", [processes.LISTED, False])
def test_those_that_run_are_named_and_those_that_have_ended_are_not(
    listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LISTED", listed)
    before = processes.children()
    with subprocess.Popen(WORDS, stdin=subprocess.PIPE) as process:
        while " ".join(WORDS) not in processes.children().values():  # it is still this program for a moment
            time.sleep(0.01)
        (child,) = processes.children().keys() - before.keys()
        assert child.pid == process.pid
        assert processes.lives(child)
        assert not processes.lives(child._replace(started=child.started + 1))
        process.kill()
        while processes.lives(child):
            time.sleep(0.01)
        assert child not in processes.children()  # and nobody has waited for it yet


@pytest.mark.skipif(not processes.LISTED, reason="psutil opens files as a test lets it")
def test_a_fixture_may_replace_what_opens_files(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    pytester.makepyfile(
        """
        import builtins, subprocess
        import pytest

        @pytest.fixture
        def no_open(monkeypatch):
            monkeypatch.setattr(builtins, "open", iter(()).__next__)

        @pytest.fixture
        def program(no_open):
            return subprocess.Popen(["sleep", "9"])

        def test_it_has_a_program(program): pass
        """
    )
    hunted = hunt("--flakehunt-only=order", sweeps=2)
    hunted.result.stdout.fnmatch_lines(["LEAK process sleep [#]"])
    assert "gave up" not in hunted.result.stdout.str()
