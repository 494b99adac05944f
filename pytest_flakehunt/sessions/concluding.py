"""Drawing a hunt's conclusions: experiments on causes, findings, and the command that each of them ends with."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.analysis import leaks, verdicts
from pytest_flakehunt.asked import flags, takeover
from pytest_flakehunt.asked.options import Options
from pytest_flakehunt.diagnosis import repro
from pytest_flakehunt.diagnosis.benches import Lead
from pytest_flakehunt.diagnosis.budget import DEFAULT_EACH, allowed
from pytest_flakehunt.diagnosis.cases import OURS, Cases
from pytest_flakehunt.diagnosis.laboratory import Laboratory, further
from pytest_flakehunt.diagnosis.pictures import pictured
from pytest_flakehunt.diagnosis.rerun import Rerun
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import BESIDE, Diagnosis, Finding, Findings, Group, Mode, Trial
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.sessions.origin import ORIGIN
from pytest_flakehunt.sessions.preparing import Setup
from pytest_flakehunt.survey.survey import Survey

SHORT = 8
"""Digits that name a hunt among those of a ledger."""
MOST_PASSES = 6
"""How often a test is run by itself at most, to tell one that fails by chance from one that we make fail."""


class Conclusions:
    """What follows from the sweeps of one hunt."""

    def __init__(self, setup: Setup, ledger: Ledger, say: Callable[[str], None]) -> None:
        self.setup, self.config, self.options, self.ledger, self._say = setup, setup.config, setup.options, ledger, say
        self.diagnoses: dict[tuple[str, str], Diagnosis] = {}
        self.experiments = 0
        self.memory: Ledger | None = ledger
        """Where steps of experiments are kept, for a hunt that is killed and goes on."""
        self._context = context(setup.config, setup.options, setup.switched_off)

    def confirm(self, survey: Survey, cases: Cases) -> None:
        """Let pytest itself run what failed in every calm sweep: what passes there is our fault, and not broken."""
        if self.options.plan or self._context.hunts or not (doubtful := cases.unconfirmed()):
            return
        if survey.tallies.deadly:  # what pytest itself runs has this process for its parent
            return
        rerun = Rerun(self.config.stash[ORIGIN], survey.pool.slots.scratch)
        limit = max(survey.pool.limit(survey.tallies.named(nodeid), 1.0) for nodeid in doubtful)
        passing = rerun.passing(self._context.ordinary(doubtful), doubtful, limit)
        if passing:  # alone; what others do to it is no fault of ours
            passing = rerun.passing(self._context.ordinary(), passing, limit)
        passes = 1
        while passes < MOST_PASSES and (
            unsure := [test for test in sorted(passing) if cases.may_be_chance(test, passes)]
        ):
            passing = passing.difference(unsure) | rerun.passing(self._context.ordinary(unsure), unsure, limit)
            passes += 1
        survey.tallies.ours.update(passing)
        for nodeid in sorted(passing):
            self._say(f"{nodeid}: {OURS}")

    def diagnose(
        self,
        survey: Survey,
        cases: Cases,
        spent: float,
        start: float,
        wanted: Callable[[Lead], bool] = lambda _: True,
    ) -> None:
        """Find out by experiment what makes each mode come and go.

        Args:
            survey: which has ended.
            cases: its failing tests.
            spent: seconds that it took.
            start: seconds that an interpreter took to start.
            wanted: tells of which modes.
        """
        if self.options.plan or self.setup.diagnose == 0:
            return
        given = self.setup.diagnose
        rerun = Rerun(self.config.stash[ORIGIN], survey.pool.slots.scratch)

        def verify(lead: Lead, found: Diagnosis, name: str, pairs: int, ends: float) -> Diagnosis:
            commands = self._commands(lead.finding, replace(lead.mode, diagnosis=found), name)
            limit = survey.pool.limit(survey.tallies.named(lead.finding.nodeid), commands.plan.patience)
            apart = lead.target.quiet or any(cause.perturbation == "parallel" for cause in found.causes)
            verified, control = rerun.counted(
                commands,
                lead.finding.nodeid,
                lead.mode,
                pairs=pairs,
                limit=limit,
                ends=ends,
                apart=apart,
                sure=found.sure,
            )
            return replace(found, verified=verified if verified.runs else None, control=control)

        deadly = survey.tallies.deadly
        chosen = (
            [lead for lead in group if wanted(lead) and lead.finding.nodeid not in deadly] for group in cases.groups()
        )
        groups = [group for group in chosen if group]
        laboratory = Laboratory(
            survey.pool,
            self.ledger,
            survey.next_number,
            survey.tallies.suspicious,
            runs=DEFAULT_EACH * len(groups) if given is None else given,
            budget=allowed(len(groups), spent, start, self.options.seconds) if given is None else None,
            verify=verify,
            memory=self.memory,
            keep=lambda lead, found: self.diagnoses.update({(lead.finding.nodeid, lead.mode.fingerprint): found}),
        )
        if self.options.timeout is None:
            survey.pool.limits.update(cases.limits())
        crowds = [group for group in groups if all(lead.finding.nodeid in survey.crowd.members for lead in group)]
        try:
            laboratory.diagnose([group[:1] if group in crowds else group for group in groups])
        finally:
            self.experiments = laboratory.made
        for group in crowds:
            self._crowded(group, survey.crowd.share())

    def _crowded(self, group: Sequence[Lead], shared: str) -> None:
        """Let all that get into each other's way have the cause that the first one was shown to have."""
        first, *others = ((lead.finding.nodeid, lead.mode.fingerprint) for lead in group)
        found = self.diagnoses.get(first)
        if found is None or not any(cause.perturbation == "parallel" for cause in found.causes):
            return
        sentence = f"{BESIDE}: {shared}"
        causes = tuple(replace(c, sentence=sentence) if c.perturbation == "parallel" else c for c in found.causes)
        self.diagnoses[first] = found = replace(found, causes=causes)
        self.diagnoses.update(dict.fromkeys(others, replace(found, verified=None, control=None, runs=0)))

    def drawn(self, survey: Survey, cases: Cases, trial: Trial, notes: Sequence[str]) -> Findings:
        """Give the findings.

        Args:
            survey: which has ended.
            cases: its failing tests.
            trial: the record of the hunt.
            notes: what else was noticed; more may come to it meanwhile.
        """
        trial = replace(
            trial,
            experiments=self.experiments,
            sweeps=len(survey.sweeps),
            saved=survey.saved,
            zygotes=survey.pool.slots.zygotes,
            spent=survey.spent(),
            at_once=survey.at_once(),
            hashseeds=survey.hashseeds(),
        )
        tests = tuple(
            replace(finding, modes=tuple(self.completed(finding, mode) for mode in finding.modes))
            for finding in cases.findings()
        )
        trial = replace(trial, go_on=self.go_on(tests, trial.uid))
        tests = leaks.attached(tests, cases.leaks())
        if survey.unexplained >= 0:
            self._say(
                f"sweep {survey.unexplained} left state changed that tests share (handlers, filters, levels, paths); "
                "no later sweep looked by whom: hunt longer"
            )
        if not trial.interrupted:
            self._end(trial.seconds)
        groups = self.groups()
        crowd, sentence = cases.crowded(), f"{BESIDE}: {survey.crowd.share()}"
        if len(crowd) > 1 and sentence not in {group.sentence for group in groups}:
            groups.append(Group(crowd, sentence))
        found = Findings(trial, tests, tuple(survey.outages.set_aside), tuple(groups), notes=tuple(notes))
        return pictured(found, cases)

    def _end(self, seconds: float) -> None:
        try:
            self.ledger.end(seconds)
        except LedgerError as error:
            self._say(f"it is not kept that the hunt has ended: {error}")

    def groups(self) -> list[Group]:
        """Give what has one cause and more than one member."""
        return list(verdicts.groups(self.diagnoses))

    def go_on(self, tests: Sequence[Finding], uid: str) -> str:
        """Give the command that goes on where the budget ended experiments; empty where it ended none."""
        found = (mode.diagnosis for finding in tests for mode in finding.modes)
        if not any(diagnosis is not None and diagnosis.unfinished for diagnosis in found):
            return ""
        return self._context.going_on(self.options.ledger, uid[:SHORT])

    def completed(self, finding: Finding, mode: Mode) -> Mode:
        """Add what the experiments showed, and the command."""
        mode = replace(mode, diagnosis=self.diagnoses.get((finding.nodeid, mode.fingerprint)))
        commands = self._commands(finding, mode)
        setup = mode.diagnosis.setup if mode.diagnosis is not None else None
        return replace(
            mode,
            diagnosis=self._further(finding, mode),
            plan=str(commands.plan),
            repro=str(commands.again),
            without=str(commands.without or ""),
            after=setup.before if setup is not None else (),
        )

    def _further(self, finding: Finding, mode: Mode) -> Diagnosis | None:
        """Add the command of each further cause."""
        if mode.diagnosis is None:
            return None
        also = []
        for place, one in enumerate(mode.diagnosis.also):
            if one.setup is not None:
                commands = self._commands(finding, replace(mode, diagnosis=one), further(mode, place))
                also.append(replace(one, plan=str(commands.plan), repro=str(commands.again)))
            else:
                also.append(one)
        return replace(mode.diagnosis, also=tuple(also))

    def _commands(self, finding: Finding, mode: Mode, name: str = "") -> repro.Commands:
        found = mode.diagnosis
        if found is not None and found.setup is not None:
            return self._context.cause(finding.nodeid, name or mode.fingerprint, found, self.setup.workers)
        return self._context.no_cause(finding, mode, read_plan(mode.plan, self.setup.known))


def context(config: pytest.Config, options: Options, switched_off: Sequence[str]) -> repro.Context:
    """Gather how pytest was called."""
    origin = config.stash[ORIGIN]
    selection = tuple(str(word) for word in getattr(config.option, "file_or_dir", None) or [])
    written = [*config.getini("addopts"), *shlex.split(origin.environ.get("PYTEST_ADDOPTS", ""))]
    return repro.Context(
        repro.program(origin.argv, sys.orig_argv),
        selection,
        repro.kept(origin.args, selection, config.stash[takeover.SPELLED]),
        Path(origin.directory),
        config.rootpath,
        options.ledger.parent,
        unsettled=bool(switched_off) or repro.unsettled(written) or options.update or quarantined(config),
        hunts=bool(config.getini("flakehunt")) or any(word.startswith("--flakehunt=") for word in written),
    )


def quarantined(config: pytest.Config) -> bool:
    """Tell whether a file excuses failures of ordinary runs."""
    return flags.given(config, "flakehunt-quarantine") != "off" and flags.quarantine_file(config).exists()
