"""Finding the cause of one mode by experiment: confirm, reduce, counterfactual; what fails is ``unknown``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pytest_flakehunt.analysis import naming, polluters
from pytest_flakehunt.analysis.association import fisher
from pytest_flakehunt.analysis.reduction import Experiment, Rates, bounds, counted, decide, smallest
from pytest_flakehunt.model import (
    CALM,
    Cause,
    Condition,
    Count,
    Diagnosis,
    Perturbation,
    Plan,
    Reply,
    Setting,
    Setup,
    Simplifying,
)

FIRST_LOOK = 4
"""Runs of a setup that should fail before it is taken for one that may not."""
LONG_LOOK = 24
"""Runs of it where nothing else came back either."""
ENOUGH = 8
"""Runs that estimate a rate."""
FINAL = 20
"""Runs with the cause, and without it, that decide; three times as many where the rate is low."""
NAMED_AT = 1e-4
"""Chance that rates as different come from one rate; a cause is named below it."""
INTERPRETERS = 8
"""Interpreters started to tell what differs between them."""
MOST_CANDIDATES = 3
"""Failing sweeps that are tried to bring a failure back."""
DRAWS = 12
"""Settings of a natural source that are drawn in search of one that pins a failure."""


class OutOfRuns(Exception):  # noqa: N818 - it says what is the matter
    """The budget of a diagnosis is spent."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sweep that the mode was seen in."""

    plan: Plan
    """Without an order."""
    before: tuple[str, ...]
    """The tests that ran before, in that sweep's own order."""
    number: int
    neighbours: int


@dataclass(frozen=True, slots=True)
class Target:
    """One mode of one test, and what the survey knows of it."""

    nodeid: str
    candidates: Sequence[Candidate]
    """The most telling first."""
    calm: Count
    """In the survey: calm sweeps through all tests, as written."""
    calm_before: tuple[str, ...]
    """The tests before it as written."""
    others: tuple[str, ...]
    """All tests but this one, as written."""
    known: Mapping[str, Perturbation]
    active: frozenset[str]
    """Perturbations in use; the rest is left alone in experiments too."""
    now: datetime
    workers: int = 1
    seed: int = 0


@dataclass(slots=True)
class Attribution:
    """The experiments on one mode, and what they have shown so far."""

    target: Target
    tried: list[Condition] = field(default_factory=list)

    def run(self) -> Experiment[Diagnosis]:
        """Diagnose; whatever the budget allows is returned."""
        try:
            return (yield from self._diagnose())
        except OutOfRuns:
            return self._unknown("the budget was spent")

    def _unknown(self, note: str = "") -> Diagnosis:
        return Diagnosis(tried=tuple(self.tried), note=note)

    def _count(self, what: str, setup: Setup, runs: int) -> Experiment[Count]:
        count = yield from counted(setup, runs)
        self._note(what, count)
        return count

    def _note(self, what: str, count: Count) -> None:
        """Add a row to the evidence; what was tried again is one row."""
        for place, row in enumerate(self.tried):
            if row.what == what:
                self.tried[place] = Condition(what, row.count.plus(*count))
                return
        self.tried.append(Condition(what, count))

    def _diagnose(self) -> Experiment[Diagnosis]:
        alone = yield from self._count("calm, alone", Setup(), FIRST_LOOK)
        if alone.failures and alone.failures == alone.runs:  # one in two fails four times running once in sixteen
            alone = alone.plus(*(yield from self._count("calm, alone", Setup(), 2 * ENOUGH - FIRST_LOOK)))
            if alone.failures == alone.runs:
                return (yield from self._without_help(alone))
        found = yield from self._confirmed(FIRST_LOOK)
        found = found or (yield from self._confirmed(LONG_LOOK))
        if found is None:
            return (yield from self._elusive())
        setup, present = found
        alone = alone.plus(*(yield from self._count("calm, alone", Setup(), ENOUGH - FIRST_LOOK)))
        if alone.failures:  # it varies by itself: only good estimates keep a chance failure from passing for a sure one
            alone = alone.plus(*(yield from self._count("calm, alone", Setup(), LONG_LOOK - ENOUGH)))
            present = present.plus(*(yield from counted(setup, FINAL - ENOUGH)))
        rates = bounds(present, self._pooled(alone))
        found_cause = None if rates is None else (yield from self._reduced(setup, rates))
        if found_cause is None or (not found_cause.causes and alone.failures):
            return (yield from self._varying())
        return found_cause

    def _pooled(self, alone: Count) -> Count:
        """Join the survey's calm count where it says the same."""
        return alone.plus(*self.target.calm) if not alone.failures and not self.target.calm.failures else alone

    # confirm

    def _confirmed(self, looks: int) -> Experiment[tuple[Setup, Count] | None]:
        """Bring the failure back: alone under a failing sweep's plan, else with its own order before."""
        for candidate in self.target.candidates[:MOST_CANDIDATES]:
            alone = Setup(candidate.plan)
            for setup in (alone, replace(alone, before=candidate.before)) if candidate.before else (alone,):
                what = f"sweep {candidate.number}'s plan{' and order' if setup.before else ', alone'}"
                count = Count()
                while count.runs < looks and not count.failures:
                    one = yield from self._count(what, setup, 1)
                    if not one.runs:
                        break
                    count = count.plus(*one)
                if count.failures:
                    rest = yield from self._count(what, setup, max(ENOUGH, 2 * count.runs) - count.runs)
                    if setup.plan.settings or setup.before:
                        return setup, count.plus(*rest)
        return None

    # reduce

    def _reduced(self, setup: Setup, rates: Rates) -> Experiment[Diagnosis]:
        def fails_under(names: Sequence[str]) -> Experiment[bool]:
            return decide(replace(setup, plan=only(setup.plan, names)), rates)

        names = sorted(setup.plan.names, key=lambda name: name in {"hashseed", "random"}, reverse=True)
        if setup.before and (yield from fails_under([])):
            setup = replace(setup, plan=CALM)
        elif names:
            needed = yield from smallest(names, fails_under)
            setup = replace(setup, plan=only(setup.plan, needed))
        if setup.before and not (yield from decide(replace(setup, before=()), rates)):
            return (yield from self._victim(setup, rates))
        setup = replace(setup, before=())
        for name in sorted(setup.plan.names):
            setup = yield from self._simpler(setup, name, rates)
        return (yield from self._by_settings(setup, rates))

    def _simpler(self, setup: Setup, name: str, rates: Rates) -> Experiment[Setup]:
        """Take the simplest setting that still fails."""
        setting = setup.plan.setting(name)
        if not isinstance(setting, Simplifying):
            return setup
        steps = list(setting.simpler())
        if setting.graded:
            low, high = 0, len(steps)
            while low < high:
                middle = (low + high) // 2
                if (yield from decide(with_setting(setup, name, steps[middle]), rates)):
                    high = middle
                else:
                    low = middle + 1
            return with_setting(setup, name, steps[high]) if high < len(steps) else setup
        for step in steps:
            if (yield from decide(with_setting(setup, name, step), rates)):
                return with_setting(setup, name, step)
        return setup

    # name

    def _by_settings(self, setup: Setup, rates: Rates) -> Experiment[Diagnosis]:
        """Name the settings that are left, each by its counterfactual."""
        words: dict[str, str] = {}
        if "clock" in setup.plan.names:
            setup, words["clock"] = yield from naming.clock(self.target, setup, rates)
        causes: list[Cause] = []
        control: Setup | None = None
        for name in sorted(setup.plan.names):
            without = replace(setup, plan=only(setup.plan, setup.plan.names - {name}))
            present, absent = yield from self._contrast(setup, without, name)
            p_value = fisher(present, absent)
            self._note(f"with {name}={setup.plan.setting(name)}", present)
            self._note(f"without {name}", absent)
            if p_value > NAMED_AT:
                return self._unknown(f"{name} is the nearest suspect; the difference could be chance")
            others = sorted(setup.plan.names - {name})
            sentence = naming.sentence(name, str(setup.plan.setting(name)), words.get(name, ""), others, setup.plan)
            causes.append(Cause(name, str(setup.plan.setting(name)), sentence, present, absent, p_value))
            control = control or without
        return (yield from self._settled(Diagnosis(tuple(causes), setup, control)))

    def _contrast(self, setup: Setup, without: Setup, name: str) -> Experiment[tuple[Count, Count]]:
        """Run with and without by turns; a hash seed over several interpreters, as what they import may differ too."""
        present, absent = Count(), Count()
        for turn in range(3 * FINAL):
            if turn >= FINAL and (fisher(present, absent) <= NAMED_AT or present.failures <= absent.failures):
                break
            one, other = setup, without
            if "hashseed" in setup.plan.names:
                one = replace(setup, interpreter=f"with {turn // 5}")
            if name == "hashseed":
                other = replace(without, interpreter=f"without {turn // 5}")
            present = present.plus(*(yield from counted(one, 1)))
            absent = absent.plus(*(yield from counted(other, 1)))
        return present, absent

    def _victim(self, setup: Setup, rates: Rates) -> Experiment[Diagnosis]:
        """Find the fewest tests that must run before for it to fail."""
        found = yield from polluters.of_victim(setup, rates, self.target.others)
        setup, without = replace(setup, before=found.needed), replace(setup, before=())
        present, absent = yield from self._contrast(setup, without, "order")
        p_value = fisher(present, absent)
        self._note(f"after {listed(found.needed)}", present)
        self._note("without them" if len(found.needed) > 1 else "without it", absent)
        if p_value > NAMED_AT:
            return self._unknown("order is the nearest suspect; the difference could be chance")
        cause = Cause(
            "order",
            "",
            naming.victim(found, setup.plan),
            present,
            absent,
            p_value,
            polluters=found.needed,
            cleaners=found.cleaners,
            changes=found.changes,
        )
        return (yield from self._settled(Diagnosis((cause,), setup, without)))

    def _without_help(self, alone: Count) -> Experiment[Diagnosis]:
        """It fails calm and alone: a brittle test, or one that draws something as it is imported."""
        before = self.target.calm_before
        if before:
            ordered = yield from self._count("calm, with the order as written", Setup(before=before), ENOUGH)
            rates = bounds(alone.plus(*(yield from self._count("calm, alone", Setup(), FIRST_LOOK))), ordered)
            if rates is not None:
                return (yield from self._brittle(Setup(before=before), rates))
        if "hashseed" in self.target.active:
            pinned = yield from self._pinned("hashseed")
            if pinned is not None:
                return pinned
        return (yield from self._between_interpreters())

    def _brittle(self, setup: Setup, rates: Rates) -> Experiment[Diagnosis]:
        """Find the fewest tests that must run before for it to pass."""
        found = yield from polluters.of_brittle(setup, rates)
        helped = Setup(before=found.needed)
        present, absent = yield from self._contrast(Setup(), helped, "order")
        p_value = fisher(present, absent)
        self._note("alone", present)
        self._note(f"after {listed(found.needed)}", absent)
        if p_value > NAMED_AT:
            return self._unknown("order is the nearest suspect; the difference could be chance")
        cause = Cause(
            "order", "", naming.brittle(found), present, absent, p_value, setters=found.needed, changes=found.changes
        )
        return (yield from self._settled(Diagnosis((cause,), Setup(), helped)))

    # what does not come back by itself

    def _varying(self) -> Experiment[Diagnosis]:
        """It fails calm too, about as often: look for a natural source that pins it."""
        for name in ("random", "hashseed"):
            if name not in self.target.active:
                continue
            pinned = yield from self._pinned(name)
            if pinned is not None:
                return pinned
        return (yield from self._between_interpreters())

    def _pinned(self, name: str) -> Experiment[Diagnosis | None]:
        """Try settings of a source that varies anyway: under one it always fails, under another never."""
        failing: Setting | None = None
        passing: Setting | None = None
        for draw in range(DRAWS if name != "hashseed" else INTERPRETERS):
            setting = self.target.known[name].draw(draw + 1, draw)
            count = yield from self._count(f"some {name}s", Setup(Plan(((name, setting),))), 1)
            if count.failures and failing is None:
                failing = yield from self._kept(name, setting, fails=True)
            elif count.runs and not count.failures and passing is None:
                passing = yield from self._kept(name, setting, fails=False)
            if failing and passing:
                setup = Setup(Plan(((name, failing),)))
                other = Setup(Plan(((name, passing),)))
                present, absent = yield from self._contrast(setup, other, name)
                self._note(f"with {name}={failing}", present)
                self._note(f"with {name}={passing}", absent)
                p_value = fisher(present, absent)
                if present.failures == present.runs and p_value <= NAMED_AT:
                    sentence = naming.sentence(name, str(failing), "", [], setup.plan)
                    cause = Cause(name, str(failing), sentence, present, absent, p_value)
                    return (yield from self._settled(Diagnosis((cause,), setup, other)))
                return None
        return None

    def _kept(self, name: str, setting: Setting, *, fails: bool) -> Experiment[Setting | None]:
        """Give the setting back if under it the outcome does not vary."""
        setup = spread(Setup(Plan(((name, setting),))), name, str(setting))
        count = Count()
        while count.runs < ENOUGH and count.failures == (count.runs if fails else 0):
            one = yield from self._count(f"{name}={setting}, again", setup, 1)
            if not one.runs:
                return None
            count = count.plus(*one)
        return setting if count.failures == (count.runs if fails else 0) else None

    def _elusive(self) -> Experiment[Diagnosis]:
        """Nothing brought it back: try neighbours, then other interpreters."""
        if self.target.workers > 1 and any(candidate.neighbours for candidate in self.target.candidates):
            found = yield from self._parallel()
            if found is not None:
                return found
        return (yield from self._between_interpreters())

    def _parallel(self) -> Experiment[Diagnosis | None]:
        """Let others run beside it all the while: first the test itself, then all that stands before it too."""
        for before in dict.fromkeys(((), self.target.calm_before)):
            what = "side by side" + (", with the order as written" if before else "")
            lone, beside = Setup(before=before), Setup(before=before, beside=True)
            first = yield from self._count(f"calm, {what}", beside, ENOUGH)
            if not first.failures:
                continue
            present, absent = yield from self._contrast(beside, lone, "parallel")
            p_value = fisher(present, absent)
            self._note(f"calm, {what}", present)
            self._note("calm, by itself", absent)
            if p_value <= NAMED_AT:
                sentence = "fails while other sweeps run beside it: they share something outside the process"
                cause = Cause("parallel", str(self.target.workers), sentence, present, absent, p_value)
                return Diagnosis((cause,), beside, lone, tuple(self.tried))
        return None

    def _between_interpreters(self) -> Experiment[Diagnosis]:
        """Start several interpreters: does the outcome stay the same within each, and differ between them?"""
        plan = self.target.candidates[0].plan if self.target.candidates else CALM
        plan = only(plan, {"hashseed"}) if "hashseed" in plan.names else CALM
        failing: list[str] = []
        passing: list[str] = []
        first = Count()
        for number in range(INTERPRETERS * 2):
            setup = Setup(plan, interpreter=f"new {number}")
            count = yield from counted(setup, 3)
            first = first.plus(*count)
            if 0 < count.failures < count.runs:
                self._note("new interpreters", first)
                return self._unknown("it varies within one interpreter, whatever is held")
            (failing if count.failures else passing).append(setup.interpreter)
            # the first run tells the interpreters apart; were the others chance, so clean a split would be rare
            present, absent = Count(2 * len(failing), 2 * len(failing)), Count(2 * len(passing), 0)
            if fisher(present, absent) <= NAMED_AT:
                self._note("new interpreters, three runs in each", first)
                return (yield from self._at_import(plan, present, absent))
        self._note("new interpreters, three runs in each", first)
        return self._unknown("it came back no more often under the failing plan than without it")

    def _at_import(self, plan: Plan, present: Count, absent: Count) -> Experiment[Diagnosis]:
        """Tell what is drawn as the suite is imported, by holding it there."""
        seen = yield Setup(plan, fresh=True, readings=True, early=True)
        places = tuple(f"{place} calls {call}" for source, call, place in seen.readings if source in naming.DRAWN)
        setting = ""
        setup = control = None
        if "random" in self.target.active:
            pinned = yield from self._pinned_at_import(plan)
            if pinned is not None:
                setup, control, present, absent = pinned
                setting = f"random={setup.plan.setting('random')}"
        sentence = naming.drawn_at_import(setting, places)
        cause = Cause("import", setting, sentence, present, absent, fisher(present, absent))
        return Diagnosis((cause,), setup, control, tuple(self.tried), places[: naming.MOST_PLACES])

    def _pinned_at_import(self, plan: Plan) -> Experiment[tuple[Setup, Setup, Count, Count] | None]:
        found: dict[bool, Setup] = {}
        for draw in range(DRAWS):
            setting = self.target.known["random"].draw(draw + 1, draw)
            setup = Setup(plan.joined("random", setting), fresh=True, early=True)
            count = yield from self._count("random held at import, some seeds", setup, 1)
            if count.runs:
                found.setdefault(bool(count.failures), setup)
            if len(found) == 2:
                break
        if len(found) < 2:
            return None
        present = yield from self._count("… a failing seed again", found[True], ENOUGH)
        absent = yield from self._count("… a passing seed again", found[False], ENOUGH)
        if present.failures < present.runs or absent.failures:
            return None
        return found[True], found[False], present, absent

    # at the end

    def _settled(self, diagnosis: Diagnosis) -> Experiment[Diagnosis]:
        """Check that the fork is not to blame, and look where the test reads the source."""
        setup = diagnosis.setup
        assert setup is not None
        ours, note = False, ""
        fresh = replace(setup, fresh=True, interpreter="")
        count = yield from self._count("in interpreters that never forked", fresh, 1)
        if count.runs and not count.failures:
            count = yield from self._count("in interpreters that never forked", fresh, 5)
            share = diagnosis.causes[0].present
            if not count.failures and fisher(share, Count(6, 0)) < 0.01:
                note = "it failed in forks only: what it fails under was not found again in fresh interpreters"
                ours = not (yield from self._fails_fresh())
        seen = yield replace(setup, readings=True)
        if seen.reply is Reply.PASSES:
            seen = yield replace(setup, readings=True)
        places = naming.places([cause.perturbation for cause in diagnosis.causes], seen.readings)
        return replace(diagnosis, tried=tuple(self.tried), places=places, ours=ours, note=note)

    def _fails_fresh(self) -> Experiment[bool]:
        """Tell whether the failing sweeps' own plans fail in interpreters that never forked."""
        for candidate in self.target.candidates[:MOST_CANDIDATES]:
            setup = Setup(candidate.plan, before=candidate.before, fresh=True)
            what = f"sweep {candidate.number}'s plan and order, never forked"
            count = yield from self._count(what, setup, 3)
            if count.failures or not count.runs:
                return True
        return False


def only(plan: Plan, names: Sequence[str] | frozenset[str] | set[str]) -> Plan:
    """Keep some settings of a plan."""
    return Plan(tuple((name, setting) for name, setting in plan.settings if name in names))


def with_setting(setup: Setup, name: str, setting: Setting) -> Setup:
    """Put another setting in a setup's plan."""
    return replace(setup, plan=setup.plan.joined(name, setting))


def spread(setup: Setup, name: str, label: str) -> Setup:
    """Let a hash seed be tried in an interpreter of its own: what is imported there must not stand in for it."""
    return replace(setup, interpreter=label) if name == "hashseed" else setup


def listed(names: Sequence[str]) -> str:
    """Name one, or say how many.

    >>> listed(["a"]), listed(["a", "b"])
    ('a', '2 tests')
    """
    return names[0] if len(names) == 1 else f"{len(names)} tests"


def shared(diagnosis: Diagnosis) -> Experiment[Diagnosis | None]:
    """See whether another mode that failed in the same sweeps has the same cause; None where it has not."""
    setup, without = diagnosis.setup, diagnosis.without
    if setup is None or without is None:
        return None
    present, absent = Count(), Count()
    try:
        for _ in range(ENOUGH):
            present = present.plus(*(yield from counted(setup, 1)))
            absent = absent.plus(*(yield from counted(without, 1)))
    except OutOfRuns:
        return None
    p_value = fisher(present, absent)
    if p_value > 0.001:
        return None
    causes = tuple(replace(c, present=present, absent=absent, p_value=p_value) for c in diagnosis.causes)
    tried = (Condition("with the cause of its group", present), Condition("without it", absent))
    return replace(diagnosis, causes=causes, tried=tried)
