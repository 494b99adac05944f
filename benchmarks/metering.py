"""A pytest plugin for benchmarks: it writes down what CPU each sweep costs its zygote, or what an ordinary run's tests cost.

Every other sweep of a zygote does without the leak watch, so that each has a twin on the same machine at the same time.
"""

import os
import resource
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest


def spent() -> float:
    """Give the CPU seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def note(kind: str, seconds: float, series: str) -> None:
    """Append a figure to the file that the benchmark reads; within a series, those with the watch follow those without."""
    with Path(os.environ["METERED"]).open("a", encoding="ascii") as file:
        file.write(f"{series} {kind} {seconds}\n")


class Switch:
    """Takes a zygote's watch away and gives it back."""

    def __init__(self, zygote: Any, config: pytest.Config) -> None:
        self.zygote, self.plugins, self.watch = zygote, config.pluginmanager, zygote.leaks
        self.heard = self.watch.log._noting  # noqa: SLF001 - of audit events: with none of them its hook does nothing
        self.all = dict(self.heard)

    def turn(self) -> bool:
        """Do the one or the other, and tell whether there is a watch now."""
        if self.zygote.leaks is None:
            self.zygote.leaks = self.watch
            self.plugins.register(self.watch)
            self.heard.update(self.all)
            return True
        self.zygote.leaks = None
        self.plugins.unregister(self.watch)
        self.heard.clear()
        return False


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Meter all tests of an ordinary run; in a zygote every fork."""
    config = session.config
    zygote = config.pluginmanager.get_plugin("flakehunt-zygote")
    if zygote is not None:
        forked = zygote._forked  # noqa: SLF001 - from before the fork to after the end
        switch: Switch | None = None

        def metered(work: Any) -> object:
            nonlocal switch
            switch = switch or Switch(zygote, config)
            watched = switch.turn()
            before = spent()
            status = forked(work)
            seconds = spent() - before
            kind = "without" if not watched else "near" if work.args[-1].study.near else "far"
            note(kind, seconds, f"zygote-{os.getpid()}")
            return status

        zygote._forked = metered  # noqa: SLF001
        return (yield)
    if config.getoption("flakehunt"):  # the controller of a hunt
        return (yield)
    before = spent()
    result = yield
    note("near" if config.getoption("flakehunt_leaks") else "without", spent() - before, "ordinary")
    return result
