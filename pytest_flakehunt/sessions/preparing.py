"""Setting a hunt up: from what the user asked for to perturbations, a schedule and a pool."""

import json
import secrets
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import pytest

from pytest_flakehunt.analysis.learning import learned
from pytest_flakehunt.asked import takeover
from pytest_flakehunt.asked.options import Options, mattering, usage
from pytest_flakehunt.asked.placing import Placing
from pytest_flakehunt.diagnosis.budget import RESERVE
from pytest_flakehunt.ground import machine, realtime
from pytest_flakehunt.ground.provenance import below_repository, revision
from pytest_flakehunt.ledger import archive, recalling
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.ledger.particulars import Particulars, digest
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import Perturbation, Plan, SettingError, Trial, misspelt
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import random, worth
from pytest_flakehunt.pool.pool import Pool
from pytest_flakehunt.pool.room import Room
from pytest_flakehunt.pool.slots import Slots
from pytest_flakehunt.pool.tallies import Tallies, Tally
from pytest_flakehunt.reports import progress
from pytest_flakehunt.sessions import showing
from pytest_flakehunt.sessions.mirror import Mirror
from pytest_flakehunt.sessions.origin import ORIGIN, known
from pytest_flakehunt.sessions.reaching import Reached
from pytest_flakehunt.survey.company import Company
from pytest_flakehunt.survey.schedule import Schedule, for_replay, for_survey, lone_sweeps
from pytest_flakehunt.survey.survey import STUDY_PAYS, Survey


class Setup:
    """What a hunt is going to be.

    Raises:
        pytest.UsageError: the plan, or the name of a perturbation, is none.
    """

    def __init__(self, config: pytest.Config, options: Options, placing: Placing, switched_off: Sequence[str]) -> None:
        self.config, self.options, self.switched_off = config, options, switched_off
        self.workers = placing.zygotes
        self.reached = Reached(placing, config)
        self.before = self._interrupted()
        seed = self.before[1].trial.seed if self.before is not None else secrets.randbits(32)
        self.seed = seed if options.seed is None else options.seed
        self.known = known(config)
        self.plan = self._plan()
        self.active, self.stood_down = self._active()
        self.weights, self._learned_from = self._weights()
        self.began = realtime.now().replace(microsecond=0)
        if self.before is not None:
            self.began = datetime.fromisoformat(self.before[1].trial.started)
        self.deselected: set[str] = set()
        """Tests that were collected and not selected."""

    def _interrupted(self) -> tuple[int, Particulars] | None:
        """Give the hunt that is to go on, by its number in the ledger."""
        if not self.options.resume:
            return None
        try:
            found = recalling.unfinished(self.options.ledger, self.options.shard)
        except LedgerError as error:
            raise pytest.UsageError(f"--flakehunt-resume: {error}") from None
        if found is None:
            which = f" of shard {self.options.shard}" if self.options.shard.count > 1 else ""
            raise pytest.UsageError(
                f"--flakehunt-resume: {self.options.ledger} has no hunt{which} that was interrupted; leave it out for "
                "a new hunt, or give the ledger with --flakehunt-ledger"
            )
        return found

    def terms(self, nodeids: Iterable[str]) -> dict[str, str]:
        """Give what the draws of the hunt follow from: what has other terms does not belong to it.

        Args:
            nodeids: of the tests that were collected and chosen.
        """
        trial = self.trial()
        return {
            "N": trial.asked,
            "seed": str(trial.seed),
            "shards": str(self.options.shard.count),
            "revision": trial.revision,
            "Python": trial.python,
            "pytest": trial.pytest,
            "platform": trial.platform,
            "perturbations": " ".join(trial.perturbations),
            "weights": json.dumps(dict(trial.weights)),
            "options": mattering(self.config),
            "collected": digest(nodeids),
        }

    def plan_of(self, text: str) -> Plan:
        """Read a plan's written form; raise SettingError where it is none."""
        return read_plan(text, self.known)

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
                    hint = misspelt.hint(name, self.known)
                    raise pytest.UsageError(
                        f"--flakehunt-{option}={name}: there is no such perturbation{hint}; "
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

    def _weights(self) -> tuple[dict[str, float], int]:
        """Weigh the perturbations; tell from how many hunts of the ledger that was learned."""
        for name in self.options.weights:
            if name not in self.known:
                hint = misspelt.hint(name, self.known)
                raise pytest.UsageError(
                    f"--flakehunt-weights={name}={self.options.weights[name]:g}: there is no such perturbation{hint}; "
                    f"give some of {', '.join(sorted(self.known))}"
                )
        field = worth.weights(self.active, self.options.weights)
        if self.options.learned and self.before is not None:
            return {**field, **dict(self.before[1].trial.weights)}, 0
        if not self.options.learned or not self.options.ledger.exists():
            return field, 0
        try:
            past = archive.worth(self.options.ledger)
        except LedgerError as error:
            raise pytest.UsageError(f"--flakehunt-weights=learned: {error}") from None
        return (learned(field, past.seconds, past.found, past.calm) if past.calm else field), past.hunts

    def header(self) -> list[str]:
        """Say what will be done, with which seed, and what is left out."""
        names = str(self.plan) or ", ".join(item.name for item in self.active) or "none"
        sweeps = "1 sweep" if self.options.sweeps == 1 else f"{self.options.sweeps} sweeps"
        length = sweeps if self.options.sweeps else self.options.asked
        zygotes = "1 zygote" if self.workers == 1 else f"{self.workers} zygotes"
        shard = f" (of which shard {self.options.shard} runs its share)" if self.options.shard.count > 1 else ""
        lines = [
            f"flakehunt: {length}{shard}, seed {self.seed}, {zygotes} at a time",
            *self.reached.header(),
            f"flakehunt: {'under exactly' if self.plan.settings else 'perturbing'} {names}",
        ]
        usual = worth.weights(self.active, {})
        if moved := {name: weight for name, weight in self.weights.items() if weight != usual[name]}:
            hunts = "1 hunt" if self._learned_from == 1 else f"{self._learned_from} hunts"
            source = f" (learned from {hunts})" if self._learned_from else ""
            written = ",".join(f"{name}={weight:g}" for name, weight in moved.items())
            lines.append(f"flakehunt: drawn with --flakehunt-weights={written}{source}")
        elif self.options.learned:
            lines.append("flakehunt: drawn with the field's weights: the ledger has nothing yet to learn from")
        if self.switched_off:
            lines.append(f"flakehunt: switched off: {', '.join(self.switched_off)}")
        lines.extend(
            f"flakehunt: one zygote at a time, as {name} writes beside the tests"
            for name in takeover.apart(self.config)
        )
        lines.extend(f"flakehunt: {reason}" for reason in self.stood_down)
        return lines

    def withdraw(self) -> list[str]:
        """Give up perturbations that do nothing here, or of what the suite, now that it is imported, settles itself."""
        reasons = {item.name: item.withdrawn() for item in self.active if hasattr(item, "withdrawn")}
        self.active = [item for item in self.active if not reasons.get(item.name)]
        if not self.plan.settings:
            reasons |= showing.idle(self.active)
            self.active = [item for item in self.active if not reasons.get(item.name)]
        away = [f"{name} stands down: {reason}" for name, reason in reasons.items() if reason]
        self.stood_down += away
        return away

    def trial(self) -> Trial:
        """Give the record of the hunt as it begins."""
        return Trial(
            seed=self.seed,
            sweeps=0,
            seconds=0.0,
            started=self.began.isoformat(timespec="seconds"),
            python=machine.python(),
            pytest=pytest.__version__,
            platform=sys.platform,
            perturbations=tuple(item.name for item in self.active),
            revision=revision(self.config.rootpath),
            asked=self.options.asked,
            uid=uuid.uuid4().hex,
            folder=below_repository(self.config.rootpath),
            fail_on=tuple(sorted(self.options.fail_on)),
            stood_down=tuple(self.stood_down),
            switched_off=tuple(self.switched_off),
            weights=() if self.plan.settings else tuple((item.name, self.weights[item.name]) for item in self.active),
        )

    def pool(
        self,
        session: pytest.Session,
        tests: Tallies,
        display: progress.Quiet,
        say: Callable[[str], None],
        declare: Callable[[Sequence[Tally]], None],
    ) -> Pool:
        """Give what sweeps are run in.

        Args:
            session: what is shown sweep 0.
            tests: what was collected.
            display: is shown how far the hunt is.
            say: takes notes.
            declare: takes tests that only some interpreters collect.
        """
        run = uuid.uuid4().hex

        def worker_input(slot: int) -> dict[str, object]:
            return takeover.worker_input(self.config, slot, max(self.workers, slot + 1), run, say)

        slots = Slots(
            seed=self.seed,
            origin=session.config.stash[ORIGIN],
            worker_input=worker_input,
            hashseeds=any(item.name == "hashseed" for item in self.active) and "hashseed" not in self.plan.names,
            tests=tests.nodeids,
            shard=self.options.shard,
            hosts=self.reached.hosts(),
        )
        return Pool(
            slots=slots,
            tallies=tests,
            known=self.known,
            audience=Mirror(session, display.show, say),
            say=say,
            discovered=declare,
            room=Room(self.workers, grows=self.reached.placing.grows and not self.plan.settings),
            root=session.config.rootpath,
            isolation=self.options.isolation,
            timeout=self.options.timeout,
            controller_digests=random.digests(),
            left_out=None if takeover.narrowed(self.config) else self.deselected,
        )

    def survey(self, pool: Pool, tests: Tallies, ledger: Ledger, done: Mapping[int, str]) -> Survey:
        """Give what decides which sweep comes next.

        Args:
            pool: where sweeps are run.
            tests: what was collected.
            ledger: where they are kept.
            done: what was on trial in sweeps that were run before the hunt was interrupted, by number.
        """
        pool.begun = ledger.begun
        return Survey(
            pool=pool,
            schedule=self._schedule(done),
            tallies=tests,
            ledger=ledger,
            seconds=self.options.seconds,
            reserve=0.0 if self.options.plan or self.diagnose == 0 else RESERVE,
            checks=not self.plan.settings,
            studies=not self.plan.settings
            and lone_sweeps(self.options.sweeps, self.active, self.weights) >= STUDY_PAYS,
            company=Company.of(
                [nodeid for nodeid in tests.nodeids() if nodeid in tests.company],
                self.options.seconds,
                self.workers,
                ledger.lengths() if tests.company else {},
            ),
        )

    @property
    def diagnose(self) -> int | None:
        """Runs of experiments; in a shard none, unless they are asked for: they are made once all is merged."""
        if self.options.diagnose is None and self.options.shard.count > 1:
            return 0
        return self.options.diagnose

    def _schedule(self, done: Mapping[int, str]) -> Schedule:
        if self.plan.settings:
            return for_replay(self.plan, self.options.sweeps, done)
        asked = self.options
        return for_survey(self.seed, asked.sweeps, self.active, self.weights, asked.shard, done)
