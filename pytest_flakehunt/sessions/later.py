"""Another day: experiments on what an earlier hunt found go on, from what the ledger kept of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_flakehunt.asked.later import Later
from pytest_flakehunt.diagnosis.benches import Lead
from pytest_flakehunt.diagnosis.cases import Cases
from pytest_flakehunt.ground import machine
from pytest_flakehunt.ground.provenance import revision
from pytest_flakehunt.ledger import archive, recalling
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Finding, Findings, Group, Mode, Trial
from pytest_flakehunt.reports import reading
from pytest_flakehunt.sessions.concluding import Conclusions
from pytest_flakehunt.sessions.hunting import Session
from pytest_flakehunt.sessions.preparing import Setup
from pytest_flakehunt.survey.survey import Survey


class LaterSession(Session):
    """The pytest plugin of experiments that go on."""

    going_on = "; the same command goes on"

    def __init__(self, setup: Setup, later: Later) -> None:
        super().__init__(setup)
        self.later = later
        self.before = reading.read(archive.document(self.options.ledger, later.hunt))
        """What the hunt said in the end."""

    def _begun(self, ledger: Ledger, nodeids: Sequence[str]) -> Trial:
        del nodeids
        self._locked(self.before.trial.uid)
        ledger.go_on(self.later.hunt)
        trial = self.before.trial
        now = revision(self.config.rootpath), machine.python(), pytest.__version__
        then = trial.revision, trial.python, trial.pytest
        for what, old, new in zip(("revision", "Python", "pytest"), then, now, strict=True):
            if old != new:
                self._say(f"experiments went on with {what} {new or 'unknown'}; the hunt had {old or 'unknown'}")
        return trial

    def _work(self, survey: Survey, cases: Cases, conclusions: Conclusions) -> None:
        path, hunt = self.options.ledger, self.later.hunt
        there = survey.tallies.positions
        seen = (
            (sweep, [attempt for attempt in attempts if attempt.nodeid in there])
            for sweep, attempts, _ in recalling.recorded(path, hunt, self.setup.plan_of)
        )
        survey.restore(seen, recalling.last_number(path, hunt))
        survey.settle()
        modes = set(self.later.modes(self.before))
        if gone := sorted({nodeid for nodeid, _ in modes if nodeid not in there}):
            self._say(f"collected no more, and left as they were: {', '.join(gone)}")

        def wanted(lead: Lead) -> bool:
            return (lead.finding.nodeid, lead.mode.fingerprint) in modes

        conclusions.memory = None  # the budget is a new one, and what was given up is tried again
        starts = (one.seconds / one.number for one in self.before.trial.spent if one.what == "starting" and one.number)
        surveyed = sum(sweep.seconds for sweep in survey.sweeps.values()) / survey.pool.workers
        conclusions.diagnose(survey, cases, surveyed, next(starts, 0.0), wanted)

    def _drawn(self, survey: Survey, cases: Cases, conclusions: Conclusions, trial: Trial) -> Findings:
        """Give what the hunt had said, with what is known now."""
        del survey, cases

        def completed(finding: Finding, mode: Mode) -> Mode:
            known = (finding.nodeid, mode.fingerprint) in conclusions.diagnoses
            return conclusions.completed(finding, mode) if known else mode

        tests = tuple(
            replace(finding, modes=tuple(completed(finding, mode) for mode in finding.modes))
            for finding in self.before.tests
        )
        trial = replace(
            self.before.trial,
            seconds=self.before.trial.seconds + trial.seconds,
            experiments=self.before.trial.experiments + conclusions.experiments,
            go_on=conclusions.go_on(tests, self.before.trial.uid),
        )
        groups: list[Group] = [*self.before.groups]
        groups += [group for group in conclusions.groups() if group not in groups]
        notes = tuple(dict.fromkeys((*self.before.notes, *self.notes)))
        return replace(self.before, trial=trial, tests=tests, groups=tuple(groups), notes=notes)
