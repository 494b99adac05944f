"""A hunt within a pytest session: from what the user asked for to what the reports say."""

import os
import platform
import secrets
import shlex
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt import perturbations
from pytest_flakehunt.analysis import leaks, verdicts
from pytest_flakehunt.asked import flags, takeover
from pytest_flakehunt.asked.options import Options, usage
from pytest_flakehunt.diagnosis import repro
from pytest_flakehunt.diagnosis.cases import Cases
from pytest_flakehunt.diagnosis.laboratory import DEFAULT_EACH, RESERVE, Laboratory, Lead, allowed_seconds
from pytest_flakehunt.diagnosis.rerun import Rerun
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.ground.provenance import plugins, revision
from pytest_flakehunt.ledger.store import Ledger, LedgerError
from pytest_flakehunt.model import (
    Contract,
    Diagnosis,
    Finding,
    Findings,
    Mode,
    Perturbation,
    Plan,
    SettingError,
    Trial,
    Verdict,
)
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import random
from pytest_flakehunt.pool.pool import HuntFailed, Pool
from pytest_flakehunt.pool.slots import Slots
from pytest_flakehunt.pool.tallies import Tallies, Tally
from pytest_flakehunt.reports import document, progress, terminal
from pytest_flakehunt.sessions import replaying
from pytest_flakehunt.sessions.closing import Closing
from pytest_flakehunt.sessions.leak_watching import WatchedRun
from pytest_flakehunt.sessions.mirror import Mirror
from pytest_flakehunt.survey.schedule import Schedule, for_replay, for_survey, lone_sweeps
from pytest_flakehunt.survey.survey import STUDY_PAYS, Survey
from pytest_flakehunt.zygote.link import Origin

ORIGIN = pytest.StashKey[Origin]()
HELD = pytest.StashKey[replaying.Replay]()
REFUSED = pytest.StashKey[pytest.UsageError]()


def early(config: pytest.Config) -> None:
    """Note how this process started; hold a plan over it, or keep coverage from starting."""
    again = os.environ.pop(flags.WITNESS, "")
    if again:
        config.stash[flags.AGAIN] = again
    parameters = config.invocation_params
    config.stash[ORIGIN] = Origin(
        [str(arg) for arg in parameters.args],
        str(parameters.dir),
        list(sys.argv),
        list(sys.path),
        dict(os.environ),
    )
    if flags.given(config, "flakehunt"):
        takeover.early(config)
        return
    text = flags.given(config, "flakehunt-plan")
    if text or again:
        takeover.early(config)
    if text:
        try:
            plan = read_plan(text, known(config))
            replaying.restart_where_needed(config, plan, {flags.WITNESS: again} if again else {})
            config.stash[HELD] = replaying.Replay(config, plan)
        except SettingError as error:
            config.stash[REFUSED] = usage(error, "flakehunt-plan")
        except pytest.UsageError as error:
            config.stash[REFUSED] = error


def settle(config: pytest.Config) -> None:
    """Check every option, switch off what would fight a hunt, and register what does the work.

    Raises:
        pytest.UsageError: see ``options``.
    """
    if REFUSED in config.stash:
        raise config.stash[REFUSED]
    options = Options.read(config)
    workers = takeover.workers_wanted(config)
    if flags.AGAIN in config.stash:
        from pytest_flakehunt.diagnosis import witness

        witness.attend(config, config.stash[flags.AGAIN], hunts=bool(options.asked))
    if options.leaks and not options.asked:
        config.pluginmanager.register(WatchedRun(config, options.fail_on))
    if not options.asked and not options.plan:
        return
    if options.asked:
        takeover.check_disabled(config)
        config.pluginmanager.register(Session(config, options, workers, takeover.settle(config)))
    else:
        config.stash[HELD].switched_off = takeover.settle(config)
        config.pluginmanager.register(config.stash[HELD])


def known(config: pytest.Config) -> Mapping[str, Perturbation]:
    """Give all perturbations by name, those of other plugins included."""
    return perturbations.registry(takeover.perturbations_of_plugins(config))


class Session:
    """The pytest plugin of one hunt."""

    def __init__(self, config: pytest.Config, options: Options, workers: int, switched_off: Sequence[str]) -> None:
        self.config, self.options, self.workers, self.switched_off = config, options, workers, switched_off
        self.seed = secrets.randbits(32) if options.seed is None else options.seed
        self.known = known(config)
        self.plan = self._plan()
        self.active, self.stood_down = self._active()
        self.ledger: Ledger | None = None
        self.findings: Findings | None = None
        self.notes: list[str] = []
        self.diagnoses: dict[tuple[str, str], Diagnosis] = {}
        self.experiments = 0
        self.shown = False
        """Whether the user has seen what was found."""
        self.began = realtime.now()

    def _plan(self) -> Plan:
        try:
            return read_plan(self.options.plan, self.known)
        except SettingError as error:
            raise usage(error, "flakehunt-plan") from None

    def _active(self) -> tuple[list[Perturbation], list[str]]:
        """Choose the perturbations in use; say which cannot be used here."""
        for option in ("only", "without"):
            for name in getattr(self.options, option):
                if name not in self.known:
                    raise pytest.UsageError(
                        f"--flakehunt-{option}={name}: there is no such perturbation; "
                        f"give some of {', '.join(sorted(self.known))}"
                    )
        if self.options.plan:
            return [self.known[name] for name in sorted(self.plan.names)], []
        chosen, away = [], []
        barred = takeover.standing_down(self.config)
        for name, perturbation in self.known.items():
            if (self.options.only and name not in self.options.only) or name in self.options.without:
                continue
            reason = getattr(perturbation, "unavailable", "") or barred.get(name, "")
            if reason:
                away.append(f"{name} stands down: {reason}")
            else:
                chosen.append(perturbation)
        return chosen, away

    # hooks

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Open the ledger, so that a bad path is refused before anything is collected."""
        # after all others have registered what they do at the end
        self.config.pluginmanager.register(Closing(self.finish, self.pytest_terminal_summary))
        del session
        try:
            self.ledger = Ledger(self.options.ledger)
        except LedgerError as error:
            raise pytest.UsageError(f"--flakehunt-ledger: {error}") from None

    def pytest_report_header(self) -> list[str]:
        """Say what will be done, and with which seed."""
        names = str(self.plan) or ", ".join(item.name for item in self.active) or "none"
        sweeps = "1 sweep" if self.options.sweeps == 1 else f"{self.options.sweeps} sweeps"
        length = sweeps if self.options.sweeps else self.options.asked
        zygotes = "1 zygote" if self.workers == 1 else f"{self.workers} zygotes"
        lines = [
            f"flakehunt: {length}, seed {self.seed}, {zygotes} at a time",
            f"flakehunt: {'under exactly' if self.plan.settings else 'perturbing'} {names}",
        ]
        if self.switched_off:
            lines.append(f"flakehunt: switched off: {', '.join(self.switched_off)}")
        lines.extend(
            f"flakehunt: one zygote at a time, as {name} writes beside the tests"
            for name in takeover.apart(self.config)
        )
        lines.extend(f"flakehunt: {reason}" for reason in self.stood_down)
        return lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Hunt instead of running the tests once."""
        if not session.items or (session.testsfailed and not session.config.option.continue_on_collection_errors):
            return None
        self._hunt(session)
        return True

    def finish(self, session: pytest.Session) -> bool:
        """Let the findings decide the exit status, and write the reports that were asked for; tell if there are any."""
        if self.findings is not None:
            ended = session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
            if ended and not self.findings.trial.interrupted:
                session.exitstatus = int(any(counts(finding, self.options) for finding in self.findings.tests))
            if self.options.json is not None:
                document.write(self.findings, self.options.json)
        if self.ledger is not None:
            self.ledger.close()
        return self.findings is not None

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Show what was found."""
        if self.findings is not None and not self.shown:
            self.shown = True
            terminal.show(self.findings, terminalreporter, self.config.get_verbosity(), self.options.ledger)

    # the hunt

    def _withdraw(self) -> list[str]:
        """Give up perturbations of what the suite, now that it is imported, turned out to settle itself."""
        reasons = {item.name: item.withdrawn() for item in self.active if hasattr(item, "withdrawn")}
        self.active = [item for item in self.active if not reasons.get(item.name)]
        return [f"{name} stands down: {reason}" for name, reason in reasons.items() if reason]

    def _hunt(self, session: pytest.Session) -> None:
        assert self.ledger is not None
        self.notes.extend(self._withdraw())
        trial = self._trial()
        versions = plugins(session.config)
        self.ledger.begin(trial, f"{os.cpu_count()} cores, {platform.machine()}", versions, session.config.rootpath)
        tests = Tallies.of((item.nodeid, *item.location[:2]) for item in session.items)
        self._declare(tests.tests)
        display = progress.display(session.config)
        pool = self._pool(session, tests, display)
        survey = Survey(
            pool=pool,
            schedule=self._schedule(),
            tallies=tests,
            ledger=self.ledger,
            seconds=self.options.seconds,
            reserve=0.0 if self.options.plan or self.options.diagnose == 0 else RESERVE,
            checks=not self.plan.settings,
            studies=not self.plan.settings and lone_sweeps(self.options.sweeps, self.active) >= STUDY_PAYS,
        )
        cases = Cases(survey, self.ledger, self.known, self.active, self.began, self.seed)
        started = realtime.monotonic()
        interrupted = True
        try:
            with display, pool:
                survey.run()
                self._diagnose(survey, cases)
            interrupted = False
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None  # as a generator begins it has no line, and pytest dies of that
        except (HuntFailed, LedgerError) as error:
            session.shouldfail = f"flakehunt: {error}"
            raise session.Failed(session.shouldfail) from None
        finally:
            survey.close()
            seconds = realtime.monotonic() - started
            self.findings = self._conclude(survey, cases, replace(trial, seconds=seconds, interrupted=interrupted))

    def _diagnose(self, survey: Survey, cases: Cases) -> None:
        """Find out by experiment what makes each mode come and go."""
        assert self.ledger is not None
        if self.options.plan or self.options.diagnose == 0:
            return
        spent = realtime.monotonic() - survey.pool.began
        given = self.options.diagnose
        rerun = Rerun(self.config.stash[ORIGIN], survey.pool.slots.scratch)

        def verify(lead: Lead, found: Diagnosis, pairs: int, ends: float) -> Diagnosis:
            commands = self._commands(lead.finding, replace(lead.mode, diagnosis=found))
            limit = survey.pool.limit(survey.tallies[survey.tallies.positions[lead.finding.nodeid]], commands.plan)
            verified, control = rerun.counted(
                commands, lead.finding.nodeid, lead.mode, pairs=pairs, limit=limit, ends=ends
            )
            return replace(found, verified=verified if verified.runs else None, control=control)

        groups = cases.groups()
        laboratory = Laboratory(
            survey.pool,
            self.ledger,
            survey.next_number,
            survey.tallies.suspicious,
            runs=DEFAULT_EACH * len(groups) if given is None else given,
            seconds=allowed_seconds(len(groups), spent, self.options.seconds) if given is None else None,
            verify=verify,
        )
        for lead, found in laboratory.diagnose(groups):
            self.diagnoses[lead.finding.nodeid, lead.mode.fingerprint] = found
            self.experiments = laboratory.made
            if found.ours:
                survey.tallies.suspicious.add(lead.finding.nodeid)

    def _pool(self, session: pytest.Session, tests: Tallies, display: progress.Quiet) -> Pool:
        slots = Slots(
            seed=self.seed,
            origin=session.config.stash[ORIGIN],
            worker_input=self._worker_input,
            hashseeds=any(item.name == "hashseed" for item in self.active) and not self.plan.settings,
            tests=tests.nodeids,
        )
        return Pool(
            slots=slots,
            tallies=tests,
            known=self.known,
            audience=Mirror(session, display.show, self._say),
            say=self._say,
            discovered=self._declare,
            workers=self.workers,
            root=session.config.rootpath,
            isolation=self.options.isolation,
            timeout=self.options.timeout,
            controller_digests=random.digests(),
        )

    def _say(self, text: str) -> None:
        assert self.ledger is not None
        if text not in self.notes:
            self.notes.append(text)
            self.ledger.note(text)

    def _declare(self, tests: Sequence[Tally]) -> None:
        assert self.ledger is not None
        self.ledger.declare([(test.nodeid, test.file, test.line) for test in tests])

    def _schedule(self) -> Schedule:
        if self.plan.settings:
            return for_replay(self.plan, self.options.sweeps)
        return for_survey(self.seed, self.options.sweeps, self.active)

    def _worker_input(self, slot: int) -> dict[str, object]:
        if not hasattr(self, "_run_id"):
            self._run_id = uuid.uuid4().hex
        return takeover.worker_input(self.config, slot, self.workers, self._run_id, self._say)

    def _trial(self) -> Trial:
        return Trial(
            seed=self.seed,
            sweeps=0,
            seconds=0.0,
            started=self.began.isoformat(timespec="seconds"),
            python=platform.python_version(),
            pytest=pytest.__version__,
            platform=sys.platform,
            perturbations=tuple(item.name for item in self.active),
            revision=revision(self.config.rootpath),
            asked=self.options.asked,
        )

    def _conclude(self, survey: Survey, cases: Cases, trial: Trial) -> Findings:
        assert self.ledger is not None
        trial = replace(
            trial,
            experiments=self.experiments,
            sweeps=len(survey.sweeps),
            saved=survey.saved,
            zygotes=survey.pool.slots.zygotes,
        )
        tests = tuple(
            replace(finding, modes=tuple(self._completed(finding, mode) for mode in finding.modes))
            for finding in cases.findings()
        )
        tests = leaks.attached(tests, cases.leaks())
        if survey.unexplained >= 0:
            self._say(
                f"sweep {survey.unexplained} left state changed that tests share (handlers, filters, levels, paths); "
                "no later sweep looked by whom: hunt longer"
            )
        if not trial.interrupted:
            self.ledger.end(trial.seconds)
        return Findings(trial, tests, tuple(survey.outages), verdicts.groups(self.diagnoses), notes=tuple(self.notes))

    def _completed(self, finding: Finding, mode: Mode) -> Mode:
        """Add what the experiments showed, and the command."""
        mode = replace(mode, diagnosis=self.diagnoses.get((finding.nodeid, mode.fingerprint)))
        commands = self._commands(finding, mode)
        return replace(mode, plan=str(commands.plan), repro=str(commands.again))

    def _commands(self, finding: Finding, mode: Mode) -> repro.Commands:
        if not hasattr(self, "_context"):
            self._context = context(self.config, self.options, self.switched_off)
        found = mode.diagnosis
        if found is not None and found.setup is not None:
            return self._context.cause(finding.nodeid, mode.fingerprint, found, self.workers)
        return self._context.no_cause(finding, mode, read_plan(mode.plan, self.known))


def context(config: pytest.Config, options: Options, switched_off: Sequence[str]) -> repro.Context:
    """Gather how pytest was called."""
    origin = config.stash[ORIGIN]
    selection = tuple(str(word) for word in getattr(config.option, "file_or_dir", None) or [])
    written = [*config.getini("addopts"), *shlex.split(origin.environ.get("PYTEST_ADDOPTS", ""))]
    return repro.Context(
        repro.program(origin.argv, sys.orig_argv),
        selection,
        repro.kept(origin.args, selection, takeover.spelled(config)),
        Path(origin.directory),
        config.rootpath,
        options.ledger.parent,
        unsettled=bool(switched_off) or repro.unsettled(written),
        hunts=bool(config.getini("flakehunt")) or any(word.startswith("--flakehunt=") for word in written),
    )


def counts(finding: Finding, options: Options) -> bool:
    """Tell whether a finding makes the exit status 1."""
    if finding.leaks and "leaks" in options.fail_on:
        return True
    if finding.verdict is Verdict.FRAGILE and finding.contract is Contract.STRESS:
        return "stress" in options.fail_on
    return finding.verdict.value in options.fail_on
