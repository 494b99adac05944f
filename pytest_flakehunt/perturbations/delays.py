"""The delays of the running test, which everything that comes late draws from."""

import asyncio
import sys
from collections.abc import Callable
from random import Random
from typing import Any

from pytest_flakehunt.ground import project, realtime

MOST = 25
"""Mean delays that a test meets, at most: a slow line is late once, not at every byte."""
MOST_ON_FILES = 4
"""Mean delays that files take in one test, at most: they are opened in large numbers."""


class Delays:
    """How late the next thing is."""

    def __init__(self) -> None:
        self.mean = 0.0
        """Seconds; nothing is late while it is 0."""
        self.chance = Random(0)
        self.spent = 0.0
        """Seconds of the test at hand, files included."""
        self.on_files = 0.0
        """Seconds that files have taken."""

    def set(self, mean: float, seed: int) -> None:
        """Turn to the next test; with a mean of 0 to none."""
        self.mean, self.chance, self.spent, self.on_files = mean, Random(seed), 0.0, 0.0

    def next(self) -> float:
        """Give seconds to be late by; none where the test has met enough."""
        if self.spent >= MOST * self.mean:
            return 0.0
        delay = self.chance.uniform(0, 2 * self.mean)
        self.spent += delay
        return delay

    def wait(self) -> None:
        """Be late, unless an event loop would be blocked."""
        if self.mean and not on_a_loop():
            pause(self.next())

    def wait_for_disk(self) -> None:
        """Be late as a disk is, where the test or what acts for it is the caller."""
        late = self.mean and self.on_files < MOST_ON_FILES * self.mean
        if late and not on_a_loop() and project.acts(sys._getframe(1)):  # noqa: SLF001 - the only way
            delay = self.next()
            self.on_files += delay
            pause(delay)


def pause(seconds: float) -> None:
    """Let time go by. All delays wait here: a test is not said to sleep that only met one."""
    realtime.sleep(seconds)


delays = Delays()


def on_a_loop() -> bool:
    """Tell whether this thread runs an event loop, asyncio's, trio's or gevent's: it must be late, never blocked."""
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the documented get_running_loop raises, at ten times the cost
        return True
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and getattr(monkey, "saved", None):
        return True
    trio = sys.modules.get("trio.lowlevel")
    return trio is not None and hasattr(trio, "in_trio_run") and trio.in_trio_run()


def late(original: Callable[..., Any], wait: Callable[[], None] = delays.wait) -> Callable[..., Any]:
    """Wrap a function that begins late."""

    def begun_late(*args: Any, **kwargs: Any) -> Any:
        wait()
        return original(*args, **kwargs)

    return begun_late
