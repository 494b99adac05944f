"""An ordinary run that is watched for leaks: in this process, or in those of xdist's workers."""

import json
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import pytest

from pytest_flakehunt.leaks.watch import Watch, ready
from pytest_flakehunt.model import Count, Interval, Leak, Left
from pytest_flakehunt.reports import terminal
from pytest_flakehunt.sessions import publishing
from pytest_flakehunt.zygote.wire import read_leak

OUTPUT = "flakehunt_leaks"
"""Under which name a worker gives its leaks to xdist."""


class Turns:
    """A pytest plugin that has one test after the other watched."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Watch it, from before its set-up to after its tear-down."""
        with self.watch.during(item, last=nextitem is None):
            return (yield)


class WatchedRun:
    """A pytest plugin that reports what the tests of one run leave behind."""

    def __init__(self, config: pytest.Config, fail_on: frozenset[str]) -> None:
        self.config, self.fail_on = config, fail_on
        self.found: dict[tuple[str, Leak], list[str]] = {}
        """By test and leak: whom it hurt."""
        self.notes: list[str] = []
        self._begun: dict[str, int] = {}
        """Tests, in the order in which they began: some leaks are seen later than others."""
        self._undo = ExitStack()

    def _take(self, nodeid: str, leak: Leak) -> None:
        victims = self.found.setdefault((nodeid, leak), [])
        if leak.victim and leak.victim not in victims:
            victims.append(leak.victim)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Begin to watch when all is collected, unless others run the tests."""
        if session.config.getoption("numprocesses", None):
            return
        watch, why_not = ready(session, self._undo)
        if watch is None:
            self.notes.append(why_not)
            return
        self._undo.callback(self._finish, watch)
        watch.begin(self._take, gave_up=self.notes.append)
        session.config.pluginmanager.register(Turns(watch))  # last: it sees how things are when all others are done

    def _finish(self, watch: Watch) -> None:
        """Judge the rest; nothing is known of what was on its way out as a run stopped before its last test."""
        if unknown := sorted(watch.finish()):
            more = len(unknown) - 1
            tests = unknown[0] + (f" and {more} other test{'s' * (more > 1)}" if more else "")
            self.notes.append(f"whether {tests} left anything behind is not known: the run stopped too early to tell")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note the order."""
        self._begun.setdefault(nodeid, len(self._begun))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker has seen."""
        found, notes = json.loads(getattr(node, "workeroutput", {}).get(OUTPUT, "[[], []]"))
        self.notes.extend(notes)
        for nodeid, fields in found:
            self._take(nodeid, read_leak(fields))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let leaks decide the exit status where they are asked to; give a worker's to its controller."""
        self._undo.close()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            found = [
                (nodeid, {**asdict(leak), "victim": victim})
                for (nodeid, leak), victims in self.found.items()
                for victim in victims or [""]
            ]
            output[OUTPUT] = json.dumps([found, self.notes])
        elif self.found and "leaks" in self.fail_on and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Show what was left behind."""
        left = [
            (nodeid, Left(leak, Count(1, 1), Interval(0.0, 1.0), victims=tuple(victims)))
            for (nodeid, leak), victims in sorted(self.found.items(), key=lambda one: self._begun.get(one[0][0], -1))
        ]
        nothing = [] if self.notes else ["no test left anything behind"]
        if left:
            publishing.leaks(self.config, left, counting="leaks" in self.fail_on)
        pieces = terminal.leaks(left, self.config.get_verbosity()) if left else nothing
        terminal.write([*pieces, *(f"note: {note}" for note in self.notes)], terminalreporter)
