"""How far the hunt is: a live bar on a terminal, plain lines elsewhere."""

import io
from typing import Self

import pytest
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.model import Progress
from pytest_flakehunt.reports.words import clean, harmless

LINE_EVERY = 15.0
"""Seconds between plain lines."""


class Screen(io.TextIOBase):
    """pytest's own terminal as a text stream, whatever it is that pytest captures."""

    def __init__(self, reporter: "pytest.TerminalReporter") -> None:
        super().__init__()
        self._reporter = reporter

    def write(self, text: str) -> int:
        """Write at once."""
        self._reporter.write(text, flush=True)
        return len(text)

    def isatty(self) -> bool:
        """Tell whether someone can see a bar move."""
        return bool(self._reporter.isatty)


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to take away."""

    def show(self, progress: Progress) -> None:
        """Say nothing."""


class Lines(Quiet):
    """Writes a line now and then."""

    def __init__(self, reporter: "pytest.TerminalReporter") -> None:
        self._reporter = reporter
        self._next = realtime.monotonic() + LINE_EVERY

    def show(self, progress: Progress) -> None:
        """Write how far it is, if it is time."""
        if progress.done and realtime.monotonic() >= self._next:
            self._next = realtime.monotonic() + LINE_EVERY
            self._reporter.ensure_newline()
            self._reporter.write_line(harmless(f"flakehunt: {sentence(progress)}"))


class Live(Quiet):
    """Keeps one line up to date once pytest has shown sweep 0."""

    def __init__(self, reporter: "pytest.TerminalReporter") -> None:
        self._reporter = reporter
        self._bar: Bar | None = None

    def show(self, progress: Progress) -> None:
        """Redraw the bar."""
        if not progress.done:
            return
        if self._bar is None:
            self._reporter.ensure_newline()
            console = Console(file=Screen(self._reporter), force_terminal=True)  # type: ignore[arg-type]
            columns = TextColumn("flakehunt"), BarColumn(bar_width=24), TextColumn("{task.description}", markup=False)
            self._bar = Bar(*columns, console=console, auto_refresh=False, transient=True)
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            description=sentence(progress),
            refresh=True,
        )

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def sentence(progress: Progress) -> str:
    """Put progress into words."""
    if progress.doing:
        return (
            f"run {progress.done}, {duration(progress.elapsed)} gone: {clean(progress.doing)}"  # a bar is cut off there
        )
    of = "" if progress.total is None else f" of {progress.total}"
    found = "1 test failed" if progress.found == 1 else f"{progress.found} tests failed"
    left = "" if progress.left is None else f", {duration(progress.left)} left"
    return f"sweep {progress.done}{of}, {found} so far, {duration(progress.elapsed)} gone{left}"


def duration(seconds: float) -> str:
    """Put a duration into words.

    >>> duration(5.4), duration(75), duration(7260)
    ('5 s', '1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def display(config: pytest.Config) -> Quiet:
    """Choose how progress is shown."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.get_verbosity() < 0:
        return Quiet()
    return Live(reporter) if reporter.isatty else Lines(reporter)
