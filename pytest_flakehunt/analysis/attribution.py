"""Finding the cause of one mode by experiment: confirm, reduce, counterfactual; what fails is ``unknown``."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pytest_flakehunt.analysis import meetings, naming, polluters
from pytest_flakehunt.analysis.kinds import Kinds
from pytest_flakehunt.analysis.notebook import FINAL, Arm, Notebook, elsewhere, listed
from pytest_flakehunt.analysis.pinning import ENOUGH, Pinning
from pytest_flakehunt.analysis.reduction import (
    AT_ONCE,
    Experiment,
    OutOfRuns,
    Rates,
    bounds,
    counted,
    decide,
    smallest,
)
from pytest_flakehunt.analysis.settling import Settling
from pytest_flakehunt.analysis.target import MOST_CANDIDATES, Candidate, Target, only
from pytest_flakehunt.model import CALM, Cause, Count, Diagnosis, Reply, Setting, Setup, Simplifying

FIRST_LOOK = 4
"""Runs of a setup that should fail before it is taken for one that may not."""
LONG_LOOK = 24
"""Runs of it where nothing else came back either."""
SURE = 16
"""Runs that fail calm and alone, one and all, before a test is taken for one that always does."""
MIXED = 3
"""Failures, and as many passes, in one interpreter that show that it is not what decides."""
TELLING = 5
"""Failures that estimate a low rate well enough."""
LONGEST_SHOWN = 100
"""Characters of a setting in a row of evidence."""
LONGEST = 100
"""Runs that this takes at most."""


CALM_SETUP = Setup()


@dataclass(slots=True)
class Attribution:
    """The experiments on one mode, and what they have shown so far."""

    target: Target
    book: Notebook = field(default_factory=Notebook)
    calm: Setup = CALM_SETUP
    """In one interpreter where calm sweeps failed: what it has drawn may be what makes it fail."""

    def run(self) -> Experiment[Diagnosis]:
        """Diagnose; whatever the budget allows is returned."""
        self.book.several = bool(self.target.calm.failures)
        self.calm = elsewhere(CALM_SETUP, 0) if self.book.several else CALM_SETUP
        try:
            by_seed = yield from Pinning(self.target, self.book).by_seed()
            return (yield from self._settling.settled(by_seed)) if by_seed else (yield from self._diagnose())
        except OutOfRuns:
            said = f"the budget was spent{f': {self.book.left}' if self.book.left else ''}"
            return replace(self.book.unknown(said), unfinished=True)

    def _diagnose(self) -> Experiment[Diagnosis]:
        calm = replace(self.calm, lone=self.book.several)  # or what goes on beside it may be what makes it fail
        alone = yield from self.book.count("calm, alone", calm, FIRST_LOOK)
        if alone.failures and alone.failures == alone.runs:  # one in two fails four times running once in sixteen
            alone = alone.plus(*(yield from self.book.count("calm, alone", calm, SURE - FIRST_LOOK)))
            if alone.failures == alone.runs:
                return (yield from self._without_help(alone))
        found = yield from self._confirmed(FIRST_LOOK, seeded=self.book.several, lone=self.book.several)
        if found is None:
            pinning = Pinning(self.target, self.book)
            beside = yield from pinning.neighbours()
            if beside is not None:
                return beside
            found = yield from self._confirmed(LONG_LOOK, seeded=True)
            if found is None:
                return (yield from self._drawn_or_pinned(["hashseed"] if self.target.calm.failures else []))
        setup, present = found
        return (yield from self._told(replace(setup, lone=False), present, alone))

    def _told(self, setup: Setup, present: Count, alone: Count) -> Experiment[Diagnosis]:
        """Name what makes it fail under a setup that was seen to."""
        alone = alone.plus(*(yield from self.book.count("calm, alone", self.calm, ENOUGH - FIRST_LOOK)))
        if alone.failures:  # it varies by itself: only good estimates keep a chance failure from passing for a sure one
            alone = alone.plus(*(yield from self.book.count("calm, alone", self.calm, LONG_LOOK - ENOUGH)))
            present = present.plus(*(yield from counted(setup, FINAL - ENOUGH)))
        if self.book.mixed("calm, alone", MIXED):  # in one interpreter: it does not decide
            self.book.several = False
        self.book.varies = bool(alone.failures or self.target.calm.failures or present.failures < present.runs)
        rates = bounds(present, self._pooled(alone))
        diagnosis = None if rates is None else (yield from self._reduced(setup, rates))
        if diagnosis is None or (not diagnosis.causes and alone.failures):
            return (yield from self._varying())
        if not diagnosis.causes and "hashseed" in setup.plan.names:
            drawn = yield from Pinning(self.target, self.book).interpreters()
            return drawn if drawn.causes else replace(diagnosis, tried=drawn.tried)
        return diagnosis

    def _pooled(self, alone: Count) -> Count:
        """Join the survey's calm count where it says the same."""
        return alone.plus(*self.target.calm) if not alone.failures and not self.target.calm.failures else alone

    def _varying(self) -> Experiment[Diagnosis]:
        """It fails calm too, about as often: look for what pins it."""
        pinning = Pinning(self.target, self.book)
        pinned = yield from pinning.natural()
        return (yield from self._settling.settled(pinned)) if pinned else (yield from pinning.interpreters())

    @property
    def _settling(self) -> Settling:
        return Settling(self.target, self.book)

    # confirm

    def _confirmed(self, looks: int, *, seeded: bool, lone: bool = False) -> Experiment[tuple[Setup, Count] | None]:
        """Bring the failure back: alone under a failing sweep's plan, else with its own order before.

        Args:
            looks: runs of each at most.
            seeded: whether the sweep's hash seed is held as well, which takes
                an interpreter of its own: what never failed calm had many seeds there.
            lone: whether nothing may run beside it: what fails calm as well may do so because of that.
        """
        candidates = self.target.candidates[:MOST_CANDIDATES]
        for candidate in candidates:
            sweep, alone = self._as_seen(candidate, seeded=seeded, lone=lone)
            count = yield from self._looked(f"{sweep}, alone", alone, looks)
            if count.failures and alone.plan.settings:
                return alone, (yield from self._rate(f"{sweep}, alone", alone, count))
        for candidate in sorted(candidates, key=lambda candidate: candidate.seconds):
            if candidate.before:
                found = yield from self._after_others(candidate, looks, seeded=seeded, lone=lone)
                if found is not None:
                    return found
        return None

    def _as_seen(self, candidate: Candidate, *, seeded: bool, lone: bool) -> tuple[str, Setup]:
        """Give a failing sweep's plan, and how the evidence calls it."""
        seed = candidate.plan.names & {"hashseed"}
        plan = candidate.plan if seeded else only(candidate.plan, candidate.plan.names - seed)
        setup = Setup(plan, lone=lone)
        return f"sweep {candidate.number}'s plan{' but for the hash seed' if seed and not seeded else ''}", setup

    def _after_others(
        self, candidate: Candidate, looks: int, *, seeded: bool, lone: bool
    ) -> Experiment[tuple[Setup, Count] | None]:
        """Bring the failure back after one of the tests that ran before it, or after all of them."""
        sweep, alone = self._as_seen(candidate, seeded=seeded, lone=lone)
        whole = replace(alone, before=candidate.before)
        suspects = polluters.suspects(self.target, candidate.before)
        first, rest = suspects.first, suspects.rest
        if not candidate.ordered:  # in that order it passes calm: all together are tried first
            first, rest = [], [*first, *rest]
        if (polluted := (yield from self._polluted(alone, first))) is not None:
            return polluted
        count = yield from self._looked(f"{sweep} and order", whole, looks)
        if not count.failures:
            return None
        if (polluted := (yield from self._polluted(alone, rest))) is not None:
            return polluted
        if 1 < len(suspects.likely) <= len(candidate.before) / 2:
            likely = replace(alone, before=suspects.likely)
            some = yield from self.book.count("who ran before it whenever it failed", likely, AT_ONCE)
            if some.runs == some.failures > 0:
                return likely, (yield from self._rate("who ran before it whenever it failed", likely, some))
        return whole, (yield from self._rate(f"{sweep} and order", whole, count))

    def _looked(self, what: str, setup: Setup, looks: int) -> Experiment[Count]:
        """Run a setup until it fails, up to so many times."""
        count = Count()
        while count.runs < looks and not count.failures:
            some = yield from self.book.count(what, setup, AT_ONCE)
            if not some.runs:
                break
            count = count.plus(*some)
        return count

    def _polluted(self, alone: Setup, tests: Sequence[str]) -> Experiment[tuple[Setup, Count] | None]:
        """Try earlier tests one by one: after which of them does it fail?"""
        after = yield from polluters.first_to(tests, alone, Reply.FAILS, self.target, self.book)
        if tests:
            self.book.note(
                "earlier tests one by one", Count(tests.index(after or tests[-1]) + 1, int(after is not None))
            )
        if after is None:
            return None
        setup = replace(alone, before=(after,))
        return setup, (yield from self._rate(f"after {after}", setup, Count()))

    def _rate(self, what: str, setup: Setup, count: Count) -> Experiment[Count]:
        """Run on until there are failures enough to estimate how often it fails."""
        while count.runs < ENOUGH or (count.failures < TELLING and count.runs < LONGEST):
            some = yield from self.book.count(what, setup, max(AT_ONCE, ENOUGH - count.runs))
            if not some.runs:
                break
            count = count.plus(*some)
        return count

    # reduce

    def _reduced(self, setup: Setup, rates: Rates) -> Experiment[Diagnosis | None]:
        """Leave out what is not needed, and name the rest; None where nothing is."""
        setup = yield from self._fewest_settings(setup, rates)
        if setup.before and not (yield from decide(replace(setup, before=()), rates)):
            return (yield from self._victim(setup, rates))
        setup = replace(setup, before=())
        if not setup.plan.settings:
            return None
        for name in sorted(setup.plan.names):
            setup = yield from self._simpler(setup, name, rates)
        return (yield from self._by_settings(setup, rates))

    def _fewest_settings(self, setup: Setup, rates: Rates) -> Experiment[Setup]:
        """Leave out the settings that it fails without just as often."""

        def fails_under(names: Sequence[str]) -> Experiment[bool]:
            return decide(replace(setup, plan=only(setup.plan, names)), rates)

        names = sorted(setup.plan.names, key=lambda name: (name not in {"hashseed", "random"}, name))
        if setup.before and (yield from fails_under([])):
            return replace(setup, plan=CALM)
        return replace(setup, plan=only(setup.plan, (yield from smallest(names, fails_under)))) if names else setup

    def _simpler(self, setup: Setup, name: str, rates: Rates) -> Experiment[Setup]:
        """Take the simplest setting that still fails."""
        setting = setup.plan.setting(name)
        if not isinstance(setting, Simplifying):
            return setup

        def fails(step: Setting) -> Experiment[bool]:
            other = with_setting(setup, name, step)
            if name != "hashseed":
                return decide(other, rates)
            return decided_twice(elsewhere(other, 0), other, rates)

        steps = list(setting.simpler())
        if setting.graded:
            low, high = 0, len(steps)
            while low < high:
                middle = (low + high) // 2
                if (yield from fails(steps[middle])):
                    high = middle
                else:
                    low = middle + 1
            return with_setting(setup, name, steps[high]) if high < len(steps) else setup
        for step in steps:
            if (yield from fails(step)):
                return with_setting(setup, name, step)
        return setup

    # name

    def _by_settings(self, setup: Setup, rates: Rates) -> Experiment[Diagnosis]:
        """Name the settings that are left."""
        words: dict[str, str] = {}
        if "clock" in setup.plan.names:
            setup, words["clock"] = yield from naming.clock(self.target, setup, rates)
        causes = yield from self._provoked(setup, words)
        if isinstance(causes, Diagnosis):
            return causes
        without = replace(setup, plan=only(setup.plan, setup.plan.names - {causes[0].perturbation}))
        found = Diagnosis(tuple(causes), setup, without)
        if self.target.calm.failures or any("heap" in seen.plan.names for seen in self.target.failures()):
            found = yield from self._settling.held_elsewhere(found)
            if found.setup != setup:
                return found
        else:
            found = yield from self._settling.settled(found)
        try:  # the cause is shown: what comes now says more of it
            found = yield from self._met(found, rates)
            return (yield from Kinds(self.target, self.book, setup, rates).told(found))
        except OutOfRuns:
            return found

    def _met(self, found: Diagnosis, rates: Rates) -> Experiment[Diagnosis]:
        """Put the fewest switches of threads in the place of their seed, where these are shown to be the cause."""
        assert found.setup is not None
        if found.ours:
            return found
        setup, meeting = yield from meetings.reduced(found.setup, "threads", self.target.known, rates)
        if meeting is None:
            return found
        causes = yield from self._provoked(setup, {"threads": meetings.sentence(meeting)})
        if isinstance(causes, Diagnosis):
            return found
        return replace(found, causes=tuple(causes), setup=setup, meeting=meeting, tried=tuple(self.book.tried))

    def _provoked(self, setup: Setup, words: dict[str, str]) -> Experiment[list[Cause] | Diagnosis]:
        """Name each setting by its counterfactual: all that it fails under, but for this one."""
        causes: list[Cause] = []
        for name, setting in setup.plan.settings:
            without = replace(setup, plan=only(setup.plan, setup.plan.names - {name}))
            shown = str(setting) if len(str(setting)) <= LONGEST_SHOWN else f"{str(setting)[:LONGEST_SHOWN]}…"
            arms = Arm(f"with {name}={shown}", setup), Arm(f"without {name}", without)
            seen = yield from self.book.contrast(*arms)
            if not seen.shown:
                return self.book.chance(name)
            others = sorted(setup.plan.names - {name})
            sentence = naming.sentence(name, str(setting), words.get(name, ""), others, setup.plan)
            causes.append(Cause(name, str(setting), sentence, seen.present, seen.absent, seen.p_value))
        return causes

    def _victim(self, setup: Setup, rates: Rates) -> Experiment[Diagnosis]:
        """Find the fewest tests that must run before for it to fail."""
        before, setup = setup.before, (yield from polluters.fewest(setup, rates))
        if setup.plan.settings and setup.before != before:  # some may have been needed for tests that are gone
            setup = yield from self._fewest_settings(setup, rates)
        found = yield from polluters.of_victim(setup, rates, self.target)
        without = replace(setup, before=())
        missing = "without them" if len(found.needed) > 1 else "without it"
        after, seen = Arm(f"after {listed(found.needed)}", setup), []
        for other in (Arm(missing, without), *_one_fewer(setup)):
            seen.append((yield from self.book.contrast(after, other)))
            if not seen[-1].shown:
                return self.book.chance("order")
        order = Cause(
            "order",
            "",
            naming.victim(found, setup.plan),
            seen[0].present,
            seen[0].absent,
            seen[0].p_value,
            polluters=found.needed,
            cleaners=found.cleaners,
            changes=found.changes,
        )
        settings = yield from self._provoked(setup, naming.repeated(setup.plan))
        if isinstance(settings, Diagnosis):
            return settings
        return (yield from self._settling.held_elsewhere(Diagnosis((order, *settings), setup, without)))

    def _without_help(self, alone: Count) -> Experiment[Diagnosis]:
        """It fails calm and alone: a brittle test, or one that draws something as it is imported."""
        if before := self.target.calm_before:
            suspects = polluters.suspects(self.target, before, brittle=True)
            setter = yield from polluters.first_to(suspects.first, self.calm, Reply.PASSES, self.target, self.book)
            if setter is None:
                whole = replace(self.calm, before=before)
                ordered = yield from self.book.count("calm, with the order as written", whole, AT_ONCE)
                if ordered.failures == ordered.runs:
                    return (yield from self._drawn_or_pinned(["hashseed"]))
                setter = yield from polluters.first_to(suspects.rest, self.calm, Reply.PASSES, self.target, self.book)
            helped = replace(self.calm, before=before if setter is None else (setter,))
            what = "calm, with the order as written" if setter is None else f"after {setter}"
            rates = bounds(alone, (yield from self.book.count(what, helped, ENOUGH)))
            if rates is not None:
                self.book.varies = self.book.several
                return (yield from self._brittle(helped, rates))
        return (yield from self._drawn_or_pinned(["hashseed"]))

    def _drawn_or_pinned(self, sources: Sequence[str]) -> Experiment[Diagnosis]:
        """Look whether interpreters differ, first with equal hash seeds, then by what natural sources are pinned to."""
        pinning = Pinning(self.target, self.book)
        drawn = yield from pinning.interpreters()
        if drawn.causes:
            return drawn
        pinned = yield from pinning.natural(sources)
        return (yield from self._settling.settled(pinned)) if pinned else replace(drawn, tried=tuple(self.book.tried))

    def _brittle(self, setup: Setup, rates: Rates) -> Experiment[Diagnosis]:
        """Find the fewest tests that must run before for it to pass."""
        found = yield from polluters.of_brittle(setup, rates)
        helped = Setup(before=found.needed)
        seen = yield from self.book.contrast(Arm("alone", Setup()), Arm(f"after {listed(found.needed)}", helped))
        if not seen.shown:
            return self.book.chance("order")
        cause = Cause(
            "order",
            "",
            naming.brittle(found),
            seen.present,
            seen.absent,
            seen.p_value,
            setters=found.needed,
            changes=found.changes,
        )
        return (yield from self._settling.held_elsewhere(Diagnosis((cause,), Setup(), helped)))


def _one_fewer(setup: Setup) -> list[Arm]:
    """Give the setup without each of several earlier tests."""
    tests = setup.before if len(setup.before) > 1 else ()
    return [
        Arm(f"without {test}", replace(setup, before=tuple(t for t in setup.before if t != test))) for test in tests
    ]


def with_setting(setup: Setup, name: str, setting: Setting) -> Setup:
    """Put another setting in a setup's plan."""
    return replace(setup, plan=setup.plan.joined(name, setting))


def decided_twice(first: Setup, second: Setup, rates: Rates) -> Experiment[bool]:
    """Decide in two interpreters, as what one draws at import may pass for the hash seed."""
    return (yield from decide(first, rates)) and (yield from decide(second, rates))
