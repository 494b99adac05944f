"""Hunting what changed: which of the collected tests are hunted, which run beside them, and what is said of that."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.asked.options import Options
from pytest_flakehunt.changes.imports import Imports
from pytest_flakehunt.changes.repository import UnknownChange, changes
from pytest_flakehunt.changes.selecting import Selection
from pytest_flakehunt.ground.provenance import repository
from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports.words import safe

MOST_SAID = 20
"""Changed files that are named at most, of those that select no test."""


class Choosing:
    """What ``--flakehunt-changed`` makes of a suite; nothing where it was not given."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self.config, self.revision, self.fallback = config, options.changed, options.fallback
        self.selection: Selection | None = None
        self.all: list[pytest.Item] = []
        """Everything that was collected and selected otherwise, where only a part of it is hunted."""
        self.company: frozenset[str] = frozenset()
        """What runs beside that."""
        self.nothing = False
        """Whether there is nothing to hunt."""
        self.said: list[str] = []

    def choose(self, items: list[pytest.Item]) -> None:
        """Leave only those in a list that are to be hunted."""
        if self.revision is None or not items:
            return
        try:
            found = changes(self.config.rootpath, self.revision, os.environ)
        except UnknownChange as error:
            what = "everything is hunted" if self.fallback else "nothing is hunted"
            self._say(f"flakehunt: what changed is not known, and so {what}: {error}")
            if not self.fallback:
                self._leave(items, [])
            return
        imports = Imports(sys.modules, self._root(), self.config.rootpath, found.gone)
        self.selection = Selection(items, found, imports, self.config.pluginmanager.get_plugins())
        chosen = [item for item in items if item.nodeid in self.selection.why]
        self._say(f"flakehunt: {self.selection.sentence()}")
        if chosen and len(chosen) < len(items):
            self._say(f"flakehunt: the other {len(items) - len(chosen)} run beside them in orders")
        if unread := self.selection.unread():
            more = f" and {len(unread) - MOST_SAID} more" if len(unread) > MOST_SAID else ""
            self._say(f"flakehunt: who reads these changed files is not known: {', '.join(unread[:MOST_SAID])}{more}")
        if self.config.get_verbosity() > 0:
            for nodeid, (_, reason) in self.selection.why.items():
                self._say(f"flakehunt: {nodeid}: {reason}")
        self._leave(items, chosen)

    def _say(self, text: str) -> None:
        self.said.append(safe(text.replace("\n", "?")))

    def _root(self) -> Path:
        return repository(self.config.rootpath) or self.config.rootpath

    def _leave(self, items: list[pytest.Item], chosen: Sequence[pytest.Item]) -> None:
        names = {item.nodeid for item in chosen}
        others = [item for item in items if item.nodeid not in names]
        self.all = list(items)
        self.company = frozenset(item.nodeid for item in others)
        self.nothing = not chosen
        if others:
            self.config.hook.pytest_deselected(items=others)
            items[:] = chosen

    def marked(self, findings: Findings) -> Findings:
        """Give findings in which it stands why a test was hunted, and which only ran beside those that were."""
        if self.selection is None:
            return findings
        why = self.selection.why
        tests = []
        for finding in findings.tests:
            reason = why.get(finding.nodeid, ("", ""))[1]
            polluters = {
                polluter
                for mode in finding.modes
                if mode.diagnosis is not None
                for found in (mode.diagnosis, *mode.diagnosis.also)
                for cause in found.causes
                for polluter in (*cause.polluters, *cause.setters)
            }
            aside = finding.nodeid in self.company and not polluters & why.keys()
            tests.append(replace(finding, chosen=reason, company=aside))
        return replace(findings, tests=tuple(tests))
