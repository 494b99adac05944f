"""The sweep that shows which lines leave what is left behind."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

Hunter = Callable[..., Any]


def test_of_many_tests_with_the_same_leak_the_lines_of_a_few_are_watched(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makepyfile(
        """
        import pytest, signal

        @pytest.mark.parametrize("number", range(8))
        def test_it_leaves_a_handler(number):
            signal.signal(signal.SIGUSR1, lambda *_: number)
        """
    )
    hunted = hunt("--flakehunt-only=order", sweeps=2)
    with closing(sqlite3.connect(pytester.path / ".flakehunt/ledger.sqlite")) as db:
        watched = "SELECT count(*) FROM attempts JOIN sweeps ON sweep = number WHERE purpose = 'study'"
        assert db.execute(watched).fetchone() == (5,)
    hunted.result.stdout.fnmatch_lines(["*left by the test *handler[[]0], and in 4 other tests", "  from *.py:5 in *"])
    hunted.result.stdout.fnmatch_lines(["*left by the test *handler[[]5], and in 2 other tests"])
