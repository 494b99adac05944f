"""A pytest plugin for benchmarks: it writes down what each fork of a zygote costs, and a bare fork and wait right before it.

Where it is told no file to write to, it only sees to it that hunts of several lengths start as many interpreters, however
busy the machine is.
"""

import math
import os
import resource
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FORKS = 20
"""Tests of an ordinary run that are run in forks first."""


class Spent(NamedTuple):
    """What this process has used up, with those that it has waited for."""

    cpu: float
    """Seconds."""
    faults: int
    """Pages that were copied, or mapped without a disk."""

    @classmethod
    def now(cls) -> "Spent":
        """Look."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(sum(one.ru_utime + one.ru_stime for one in used), sum(one.ru_minflt for one in used))

    def note(self, kind: str) -> None:
        """Append what was used up since to the file that the benchmark reads."""
        after = Spent.now()
        with Path(os.environ["METERED"]).open("a", encoding="ascii") as file:
            file.write(f"{kind} {after.cpu - self.cpu} {after.faults - self.faults}\n")


def forked(kind: str, work: Callable[[], object] = bool) -> None:
    """Fork a child that does some work, or nothing, and wait for it."""
    before = Spent.now()
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    os.wait4(pid, 0)
    before.note(kind)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Meter every fork of a zygote; of an ordinary run all tests."""
    config = session.config
    zygote: Any = config.pluginmanager.get_plugin("flakehunt-zygote")
    if config.getoption("flakehunt", None) and zygote is None:
        from pytest_flakehunt.survey import survey

        survey.START_SHARE = math.inf  # none retires for the time it has worked
        return (yield)
    if "METERED" not in os.environ:
        return (yield)
    if zygote is not None:
        original = zygote._forked  # noqa: SLF001 - from before the fork to after the end

        def metered(work: Callable[[], None]) -> object:
            forked("bare")
            before = Spent.now()
            ending = original(work)
            before.note("fork")
            return ending

        zygote._forked = metered  # noqa: SLF001
        return (yield)
    for item in session.items[:FORKS]:
        forked("bare in an ordinary run")
        forked("protocol", partial(config.hook.pytest_runtest_protocol, item=item, nextitem=None))
    before = Spent.now()
    result = yield
    before.note("ordinary")
    return result
