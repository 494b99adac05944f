"""Sweep 0, shown to pytest itself: its plugins see one ordinary run."""

import builtins
import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pytest_flakehunt.model import Attempt
from pytest_flakehunt.watching import Progress


class Mirror:
    """Passes what sweep 0 reports to the hooks that would have seen it."""

    def __init__(self, session: pytest.Session, watch: Callable[[Progress], None]) -> None:
        self.session, self.config, self._watch = session, session.config, watch
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
            self.config.hook.pytest_runtest_logstart(nodeid=nodeid, location=self._location(nodeid))

    def told(self, kind: str, data: Mapping[str, Any]) -> None:
        """A report or a warning has come."""
        if not self._shown:
            return
        if kind == "report":
            report = self.config.hook.pytest_report_from_serializable(config=self.config, data=as_given(data))
            self.config.hook.pytest_runtest_logreport(report=report)
        else:
            self._warn(data)

    def finished(self, nodeid: str) -> None:
        """A test has ended."""
        if self._shown:
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
        self.config.hook.pytest_runtest_logreport(report=report)
        self.finished(attempt.nodeid)

    def progress(self, progress: Progress) -> None:
        """The hunt is that far."""
        self._watch(progress)

    def _location(self, nodeid: str) -> tuple[str, int | None, str]:
        return self.locations.get(nodeid, (nodeid.partition("::")[0], None, nodeid))

    def _warn(self, data: Mapping[str, Any]) -> None:
        module, name = data["category"]
        try:
            category = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            category = builtins.UserWarning
        message = warnings.WarningMessage(
            data["text"], category, data["filename"], data["lineno"]
        )  # fmt: skip
        location = data["location"]
        self.config.hook.pytest_warning_recorded.call_historic(
            kwargs={
                "warning_message": message,
                "when": data["when"],
                "nodeid": data["nodeid"],
                "location": tuple(location) if location else None,
            }
        )


def as_given(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give a report's values as they were before JSON made lists of its tuples.

    >>> as_given({"location": ["a.py", 3, "x"], "longrepr": None, "sections": [["out", "hello"]]})
    {'location': ('a.py', 3, 'x'), 'longrepr': None, 'sections': [('out', 'hello')]}
    """
    restored = dict(data)
    for name in ("location", "longrepr"):
        if isinstance(restored.get(name), list):
            restored[name] = tuple(restored[name])
    for name in ("sections", "user_properties"):
        if name in restored:
            restored[name] = [tuple(pair) for pair in restored[name]]
    return restored
