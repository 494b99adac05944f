"""A hunt within a pytest session: from what the user asked for to what the reports say."""

import os
import platform
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from math import ceil, log
from pathlib import Path

import pytest

from pytest_flakehunt import flags, foreground, perturbations, realtime, repro, takeover
from pytest_flakehunt.analysis import verdicts
from pytest_flakehunt.analysis.attribution import MOST_CANDIDATES, Candidate, Target
from pytest_flakehunt.diagnosis import DEFAULT_ALL, LEAST_SECONDS, Laboratory
from pytest_flakehunt.hunt import Hunt
from pytest_flakehunt.ledger.store import Ledger, LedgerError
from pytest_flakehunt.mirror import Mirror
from pytest_flakehunt.model import (
    Contract,
    Count,
    Diagnosis,
    Finding,
    Findings,
    Group,
    Isolation,
    Mode,
    Perturbation,
    Plan,
    SettingError,
    Sweep,
    Trial,
    Verdict,
)
from pytest_flakehunt.options import Options, usage
from pytest_flakehunt.perturbations import random
from pytest_flakehunt.plan import Schedule, arranged, read_plan, replay, survey
from pytest_flakehunt.reports import document, progress, terminal
from pytest_flakehunt.tallies import Tallies, Tally
from pytest_flakehunt.workshop import HuntFailed, Workshop
from pytest_flakehunt.zygote.link import Origin

ORIGIN = pytest.StashKey[Origin]()
HELD = pytest.StashKey[foreground.Foreground]()
REFUSED = pytest.StashKey[pytest.UsageError]()
MOST_NEEDED = 3000
"""Sweeps that a repro command asks for at most, where nothing pins the failure."""


def early(config: pytest.Config) -> None:
    """Note how this process started; hold a plan over it, or keep coverage from starting."""
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
    if text:
        try:
            plan = read_plan(text, known(config))
            foreground.restart_where_needed(config, plan)
            config.stash[HELD] = foreground.Foreground(config, plan)
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
    if not options.asked and not options.plan:
        return
    workers = takeover.workers_wanted(config)
    said = takeover.settle(config)
    if options.asked:
        config.pluginmanager.register(Session(config, options, workers, said))
    else:
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
        chosen, away = [], []
        for name, perturbation in self.known.items():
            if (self.options.only and name not in self.options.only) or name in self.options.without:
                continue
            reason = getattr(perturbation, "unavailable", "")
            if reason:
                away.append(f"{name} stands down: {reason}")
            else:
                chosen.append(perturbation)
        return chosen, away

    # hooks

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Silence the plugins that would rerun or reorder tests, now that they have declared their markers."""
        takeover.silence(config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Open the ledger, so that a bad path is refused before anything is collected."""
        del session
        try:
            self.ledger = Ledger(self.options.ledger)
        except LedgerError as error:
            raise pytest.UsageError(f"--flakehunt-ledger: {error}") from None

    def pytest_report_header(self) -> list[str]:
        """Say what will be done, and with which seed."""
        names = str(self.plan) if self.plan.settings else ", ".join(item.name for item in self.active) or "none"
        sweeps = "1 sweep" if self.options.sweeps == 1 else f"{self.options.sweeps} sweeps"
        length = sweeps if self.options.sweeps else self.options.asked
        zygotes = "1 zygote" if self.workers == 1 else f"{self.workers} zygotes"
        lines = [
            f"flakehunt: {length}, seed {self.seed}, {zygotes} at a time",
            f"flakehunt: {'under exactly' if self.plan.settings else 'perturbing'} {names}",
        ]
        if self.switched_off:
            lines.append(f"flakehunt: switched off: {', '.join(self.switched_off)}")
        lines.extend(f"flakehunt: {reason}" for reason in self.stood_down)
        return lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Hunt instead of running the tests once."""
        if not session.items or (session.testsfailed and not session.config.option.continue_on_collection_errors):
            return None
        self._hunt(session)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let the findings decide the exit status, and write the reports that were asked for."""
        if self.findings is not None:
            ended = session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
            if ended and not self.findings.trial.interrupted:
                session.exitstatus = int(any(counts(finding, self.options) for finding in self.findings.tests))
            if self.options.json is not None:
                document.write(self.findings, self.options.json)
        if self.ledger is not None:
            self.ledger.close()

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Show what was found."""
        if self.findings is not None:
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
        versions = {name: version(name) for name in _plugins(session.config)}
        self.ledger.begin(trial, f"{os.cpu_count()} cores, {platform.machine()}", versions, session.config.rootpath)
        tests = Tallies(tallies(session.items))
        self._declare(tests.tests)
        display = progress.display(session.config)
        workshop = self._workshop(session, tests, display)
        hunt = Hunt(
            workshop=workshop,
            schedule=self._schedule(),
            tallies=tests,
            ledger=self.ledger,
            seconds=self.options.seconds,
            checks=not self.plan.settings,
        )
        started = realtime.monotonic()
        interrupted = True
        try:
            with display, workshop:
                hunt.run()
                self._diagnose(hunt)
            interrupted = False
        except (HuntFailed, LedgerError) as error:
            session.shouldfail = f"flakehunt: {error}"
            raise session.Failed(session.shouldfail) from None
        finally:
            hunt.close()
            seconds = realtime.monotonic() - started
            self.findings = self._conclude(hunt, replace(trial, seconds=seconds, interrupted=interrupted))

    def _diagnose(self, hunt: Hunt) -> None:
        """Find out by experiment what makes each mode come and go."""
        assert self.ledger is not None
        if self.plan.settings or self.options.diagnose == 0:
            return
        spent = realtime.monotonic() - hunt.workshop.began
        given = self.options.diagnose
        laboratory = Laboratory(
            hunt.workshop,
            self.ledger,
            hunt.next_number,
            hunt.tallies.suspicious,
            runs=DEFAULT_ALL if given is None else given,
            seconds=max(LEAST_SECONDS, spent) if given is None else None,
        )
        failing = (self._case(hunt, test) for test in hunt.tallies.tests if test.total.failures)
        cases = [case for case in failing if any(outcome.fails for _, outcome, _ in case.attempts)]
        groups = grouped(cases, verdicts.judge(cases, len(self.active)))
        targets = [[(self._target(hunt, case, mode), mode) for case, mode in group] for group in groups]
        for nodeid, mode, found in laboratory.diagnose(targets):
            self.diagnoses[nodeid, mode] = found
            self.experiments = laboratory.made
            if found.ours:
                hunt.tallies.suspicious.add(nodeid)

    def _target(self, hunt: Hunt, case: verdicts.Case, mode: str) -> Target:
        """Gather what the survey knows of one mode."""
        nodeids = hunt.tallies.nodeids()
        place = hunt.tallies.positions[case.nodeid]
        failed = sorted((sweep for sweep, _, found in case.attempts if found == mode), key=verdicts.telling)
        calm = [outcome.fails for sweep, outcome, _ in case.attempts if sweep.calm and outcome.counts]
        return Target(
            nodeid=case.nodeid,
            candidates=[self._candidate(sweep, case.nodeid, nodeids) for sweep in failed[:MOST_CANDIDATES]],
            calm=Count(len(calm), sum(calm)),
            calm_before=tuple(nodeids[:place]),
            others=tuple(nodeid for nodeid in nodeids if nodeid != case.nodeid),
            known=self.known,
            active=frozenset(item.name for item in self.active),
            now=self.began.astimezone().replace(tzinfo=None),
            workers=self.workers,
            seed=self.seed,
        )

    def _candidate(self, sweep: Sweep, nodeid: str, nodeids: Sequence[str]) -> Candidate:
        assert self.ledger is not None
        ran = self.ledger.tests_of(sweep.number)
        order = arranged(sweep.plan, [test for test in nodeids if test in ran])
        group = next((group for group in order if nodeid in group), [nodeid])
        plan = Plan(tuple((name, setting) for name, setting in sweep.plan.settings if name != "order"))
        return Candidate(plan, tuple(group[: group.index(nodeid)]), sweep.number, sweep.neighbours)

    def _workshop(self, session: pytest.Session, tests: Tallies, display: progress.Quiet) -> Workshop:
        return Workshop(
            seed=self.seed,
            tallies=tests,
            origin=session.config.stash[ORIGIN],
            worker_input=self._worker_input,
            known=self.known,
            audience=Mirror(session, display.show),
            say=self._say,
            discovered=self._declare,
            workers=self.workers,
            hashseeds=any(item.name == "hashseed" for item in self.active) and not self.plan.settings,
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
            return replay(self.plan, self.options.sweeps)
        return survey(self.seed, self.options.sweeps, self.active)

    def _worker_input(self, slot: int) -> dict[str, object]:
        if not hasattr(self, "_run_id"):
            self._run_id = uuid.uuid4().hex
        return takeover.worker_input(self.config, slot, self.workers, self._run_id)

    def _trial(self) -> Trial:
        return Trial(
            seed=self.seed,
            sweeps=0,
            seconds=0.0,
            started=self.began.isoformat(timespec="seconds"),
            python=platform.python_version(),
            pytest=pytest.__version__,
            platform=sys.platform,
            perturbations=tuple(sorted(self.plan.names) or [item.name for item in self.active]),
            revision=revision(self.config.rootpath),
            asked=self.options.asked,
        )

    def _conclude(self, hunt: Hunt, trial: Trial) -> Findings:
        assert self.ledger is not None
        trial = replace(trial, experiments=self.experiments, sweeps=len(hunt.sweeps), zygotes=hunt.workshop.zygotes)
        cases, calm = [], []
        for test in hunt.tallies.tests:
            case = self._case(hunt, test) if test.total.failures else None
            if case is not None and any(outcome.fails for _, outcome, _ in case.attempts):
                cases.append(case)
            else:
                notes = ["it failed in forked processes only, and passes in fresh ones"] if case else []
                total, quiet = (_counts(case), _counts(case, calm=True)) if case else (test.total, test.calm)
                calm.append(verdicts.steady(test.nodeid, test.file, test.line, total, quiet, notes))
        context = self._context()
        judged = [
            replace(f, modes=tuple(self._repro(f, self._diagnosed(f, m), context) for m in f.modes))
            for f in verdicts.judge(cases, len(trial.perturbations))
        ]
        place = hunt.tallies.positions
        tests = sorted((*judged, *calm), key=lambda finding: place[finding.nodeid])
        if not trial.interrupted:
            self.ledger.end(trial.seconds)
        groups = [Group(members, sentence) for sentence, members in self._together().items() if len(members) > 1]
        return Findings(trial, tuple(tests), tuple(hunt.outages), tuple(groups), notes=tuple(self.notes))

    def _case(self, hunt: Hunt, test: Tally) -> verdicts.Case:
        assert self.ledger is not None
        attempts = [
            (sweep, row.outcome, row.fingerprint)
            for row in self.ledger.rows(test.nodeid)
            if not (sweep := hunt.sweeps[row.sweep]).outage
            and not (test.nodeid in hunt.tallies.suspicious and sweep.isolation is Isolation.FORK)
        ]
        return verdicts.Case(test.nodeid, test.file, test.line, attempts, self.ledger.evidence(test.nodeid))

    def _diagnosed(self, finding: Finding, mode: Mode) -> Mode:
        return replace(mode, diagnosis=self.diagnoses.get((finding.nodeid, mode.fingerprint)))

    def _together(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Gather the modes that share a cause."""
        together: dict[str, tuple[tuple[str, str], ...]] = {}
        for member, found in self.diagnoses.items():
            if found.causes:
                sentence = "; ".join(cause.sentence for cause in found.causes)
                together[sentence] = (*together.get(sentence, ()), member)
        return together

    def _context(self) -> repro.Context:
        origin = self.config.stash[ORIGIN]
        positional = [str(word) for word in getattr(self.config.option, "file_or_dir", None) or []]
        return repro.Context(origin.args, positional, Path(origin.directory), self.config.rootpath)

    def _repro(self, finding: Finding, mode: Mode, context: repro.Context) -> Mode:
        found = mode.diagnosis
        if found is not None and found.causes and found.setup is not None:
            setup = found.setup
            command = repro.command(
                finding.nodeid, str(setup.plan), needs_others=False, context=context, before=setup.before
            )
            return replace(mode, plan=str(setup.plan), repro=command)
        plan = read_plan(mode.plan, self.known)
        sweeps = 0
        if not plan.settings and finding.verdict is not Verdict.BROKEN:
            share = mode.failures / finding.total.runs
            sweeps = min(MOST_NEEDED, max(2, ceil(log(0.05) / log(1 - share)))) if share < 1 else 2
        command = repro.command(
            finding.nodeid,
            mode.plan,
            needs_others=repro.needs_others(plan),
            context=context,
            sweeps=sweeps,
        )
        return replace(mode, repro=command)


def grouped(cases: Sequence[verdicts.Case], findings: Sequence[Finding]) -> list[list[tuple[verdicts.Case, str]]]:
    """Join modes that failed in the same sweeps; those of tests that never passed calm have no cause to find."""
    groups: dict[frozenset[int], list[tuple[verdicts.Case, str]]] = {}
    for case, finding in zip(cases, findings, strict=True):
        if finding.verdict not in {Verdict.FLAKY, Verdict.FRAGILE}:
            continue
        for mode in finding.modes:
            failed = frozenset(sweep.number for sweep, _, found in case.attempts if found == mode.fingerprint)
            groups.setdefault(failed, []).append((case, mode.fingerprint))
    return list(groups.values())


def counts(finding: Finding, options: Options) -> bool:
    """Tell whether a finding makes the exit status 1."""
    if finding.verdict is Verdict.FRAGILE and finding.contract is Contract.STRESS:
        return "stress" in options.fail_on
    return finding.verdict.value in options.fail_on


def tallies(items: Sequence[pytest.Item]) -> Iterator[Tally]:
    """Yield what is remembered of each collected test, each node id once."""
    for nodeid, item in {item.nodeid: item for item in items}.items():
        file, line, _ = item.location
        yield Tally(nodeid, Path(file).as_posix(), 0 if line is None else line + 1)


def _counts(case: verdicts.Case, *, calm: bool = False) -> Count:
    counted = [outcome for sweep, outcome, _ in case.attempts if outcome.counts and (sweep.calm or not calm)]
    return Count(len(counted), sum(outcome.fails for outcome in counted))


def revision(root: Path) -> str:
    """Give the project's revision under git, with a plus where files were changed; empty where there is none."""
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],  # noqa: S607 - whichever git there is
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _plugins(config: pytest.Config) -> list[str]:
    return sorted({distribution.project_name for _, distribution in config.pluginmanager.list_plugin_distinfo()})
