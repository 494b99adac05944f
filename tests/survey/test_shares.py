"""How the sweeps of a hunt are shared out among interpreters."""

from collections.abc import Callable
from typing import Any

import pytest


def test_no_interpreter_is_started_for_a_sweep_left_over(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    started = pytester.path / "started"
    pytester.makeconftest(
        f"""
        import os
        if "PYTEST_XDIST_WORKER" in os.environ:
            with open({str(started)!r}, "a") as notes:
                print(os.getpid(), file=notes)
        """
    )
    pytester.makepyfile("def test_it(): pass")
    found = hunt("--flakehunt-only=gc", "-n1", sweeps=11)
    assert found.verdicts == {"test_it": "steady"}
    assert len(started.read_text().splitlines()) == 2
