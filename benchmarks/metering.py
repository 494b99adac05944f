"""A pytest plugin for benchmarks: it writes down what CPU each sweep costs its zygote, or what an ordinary run's tests cost."""

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


def note(seconds: float, *, near: bool) -> None:
    """Append a figure to the file that the benchmark reads, and whether shared state was read after each test."""
    with Path(os.environ["METERED"]).open("a", encoding="ascii") as file:
        file.write(f"{int(near)} {seconds}\n")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Meter all tests of an ordinary run; in a zygote every fork."""
    zygote = session.config.pluginmanager.get_plugin("flakehunt-zygote")
    if zygote is not None:
        forked = zygote._forked  # noqa: SLF001 - from before the fork to after the end

        def metered(work: Any) -> object:
            before = spent()
            status = forked(work)
            note(spent() - before, near=work.args[-1].study.near)
            return status

        zygote._forked = metered  # noqa: SLF001
        return (yield)
    if session.config.getoption("flakehunt"):  # the controller of a hunt
        return (yield)
    before = spent()
    result = yield
    note(spent() - before, near=True)
    return result
