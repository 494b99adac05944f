"""Sweep 0, shown to pytest itself: its plugins see one ordinary run."""

import builtins
import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import pytest

from pytest_flakehunt.model import Attempt, Outcome, Progress

Phase: TypeAlias = Literal["setup", "call", "teardown"]
OWN = ("pytest", "_pytest", "pluggy", "pytest_flakehunt")


class Mirror:
    """Passes what sweep 0 reports to the hooks that would have seen it."""

    def __init__(
        self, session: pytest.Session, watch: Callable[[Progress], None], say: Callable[[str], None]
    ) -> None:  # fmt: skip
        """Make one.

        Args:
            session: whose hooks are called.
            watch: is shown how far the hunt is.
            say: takes note of what other plugins fail in.
        """
        self.session, self.config, self._watch, self._say = session, session.config, watch, say
        self.locations = {item.nodeid: item.location for item in session.items}
        self._begun: set[str] = set()

    @property
    def _shown(self) -> bool:
        """Whether pytest still wants to see more: ``-x`` and ``--maxfail`` end the ordinary run, not the hunt."""
        return not (self.session.shouldfail or self.session.shouldstop)

    def started(self, nodeid: str) -> None:
        """A test starts."""
        if self._shown and nodeid not in self._begun:
            self._begun.add(nodeid)
            with self._bearing("pytest_runtest_logstart"):
                self.config.hook.pytest_runtest_logstart(nodeid=nodeid, location=self._location(nodeid))

    def reported(self, data: Mapping[str, Any]) -> None:
        """A report has come."""
        if self._shown:
            report = None
            with self._bearing("pytest_report_from_serializable"):
                report = self.config.hook.pytest_report_from_serializable(config=self.config, data=dict(data))
            if report is not None:
                self._show(report)

    def finished(self, nodeid: str) -> None:
        """A test has ended."""
        if self._shown:
            with self._bearing("pytest_runtest_logfinish"):
                self.config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=self._location(nodeid))

    def lost(self, attempt: Attempt) -> None:
        """A test took its process with it: show it as a failure."""
        if not self._shown:
            return
        evidence = attempt.evidence
        assert evidence is not None
        report = pytest.TestReport(
            nodeid=attempt.nodeid,
            location=self._location(attempt.nodeid),
            keywords={},
            outcome="failed",
            longrepr=f"{evidence.message}\n{evidence.stacks}".strip(),
            when="call",
            duration=attempt.seconds,
        )
        self._show(report)
        self.finished(attempt.nodeid)

    def recalled(self, attempt: Attempt) -> None:
        """A test has run before the hunt was interrupted: show how it ended."""
        if attempt.outcome is Outcome.UNREACHED:
            return
        self.started(attempt.nodeid)
        if attempt.outcome in (Outcome.HUNG, Outcome.CRASHED):
            self.lost(attempt)
            return
        for report in reports(attempt, self._location(attempt.nodeid)):
            if self._shown:
                self._show(report)
        self.finished(attempt.nodeid)

    def progress(self, progress: Progress) -> None:
        """The hunt is that far."""
        self._watch(progress)

    def _location(self, nodeid: str) -> tuple[str, int | None, str]:
        return self.locations.get(nodeid, (nodeid.partition("::")[0], None, nodeid))

    def _show(self, report: pytest.TestReport) -> None:
        with self._bearing("pytest_runtest_logreport"):
            self.config.hook.pytest_runtest_logreport(report=report)

    @contextmanager
    def _bearing(self, hook: str) -> Iterator[None]:
        """Let another plugin's failure cost a note, not the hunt; one that ends the session on purpose may."""
        try:
            yield
        except pytest.exit.Exception:
            raise
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - all that was recorded stays
            self._say(f"{author(error)} failed in {hook} as it was shown sweep 0: {worded(error)}")

    def warned(self, data: Mapping[str, Any]) -> None:
        """A warning has come."""
        if not self._shown:
            return
        module, name = data["category"]
        try:
            category = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            category = builtins.UserWarning
        message = warnings.WarningMessage(
            data["text"], category, data["filename"], data["lineno"]
        )  # fmt: skip
        location = data["location"]
        with self._bearing("pytest_warning_recorded"):
            self.config.hook.pytest_warning_recorded.call_historic(
                kwargs={
                    "warning_message": message,
                    "when": data["when"],
                    "nodeid": data["nodeid"],
                    "location": tuple(location) if location else None,
                }
            )


def reports(attempt: Attempt, location: tuple[str, int | None, str]) -> list[pytest.TestReport]:
    """Give what pytest would have reported of an attempt, as far as the ledger tells: not why a test was skipped."""
    outcomes: dict[Phase, Literal["passed", "failed", "skipped"]] = {
        "setup": "passed", "call": "passed", "teardown": "passed",
    }  # fmt: skip
    text: str | tuple[str, int, str] | None = None
    failed: Phase = "call"
    match attempt.outcome:
        case Outcome.FAILED | Outcome.ERROR:
            assert attempt.evidence is not None
            failed = "setup" if attempt.evidence.phase == "setup" else "call"
            failed = "teardown" if attempt.evidence.phase == "teardown" else failed
            outcomes[failed] = "failed"
            text = attempt.evidence.traceback or attempt.evidence.message
        case Outcome.SKIPPED:
            outcomes["setup"] = "skipped"
            text = location[0], (location[1] or 0) + 1, "Skipped: before the hunt was interrupted"
        case Outcome.XFAILED:
            outcomes["call"] = "skipped"
        case _:
            pass
    if outcomes["setup"] != "passed":
        del outcomes["call"]
    found = []
    for phase, outcome in outcomes.items():
        seconds = attempt.seconds if phase == "call" else 0.0
        report = pytest.TestReport(
            attempt.nodeid, location, {}, outcome, None if outcome == "passed" else text, phase, duration=seconds
        )
        if phase == "call" and attempt.outcome in (Outcome.XFAILED, Outcome.XPASSED):
            report.wasxfail = ""
        found.append(report)
    return found


def worded(error: BaseException) -> str:
    """Name an error, with its text if it has one."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - it is another's
        return type(error).__name__


def author(error: BaseException) -> str:
    """Name the plugin whose code an error comes from: the innermost module that is not pytest's own."""
    names = []
    step = error.__traceback__
    while step is not None:
        names.append(str(step.tb_frame.f_globals.get("__name__")))
        step = step.tb_next
    foreign = [name for name in names if name.partition(".")[0] not in {*OWN, *sys.stdlib_module_names}]
    return foreign[-1] if foreign else "pytest"
