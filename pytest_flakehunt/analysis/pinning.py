"""Causes of what varies by itself: a source that pins it, something drawn at import, or neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_flakehunt.analysis import naming
from pytest_flakehunt.analysis.notebook import (
    NAMED_AT_SEVERAL,
    SEVERAL_LOOK,
    Arm,
    Contrast,
    Notebook,
    contrasted,
    elsewhere,
)
from pytest_flakehunt.analysis.reduction import Experiment, one, tally
from pytest_flakehunt.analysis.target import Target, only
from pytest_flakehunt.model import BESIDE, CALM, Cause, Condition, Count, Diagnosis, Plan, Reply, Seen, Setting, Setup

ENOUGH = 8
"""Runs that tell whether an outcome varies."""
INTERPRETERS = 8
"""Interpreters started to tell whether anything differs between them ..."""
MORE_INTERPRETERS = 12
"""... and what, where something does."""
HEAPS = 4
"""Ways to lay objects elsewhere under which a cause must still tell whether a test fails."""
LAYOUTS = 8
"""The same within one interpreter: where half of them fail, all agree once in 128 times."""
RUNS_IN_EACH = 5
"""Runs in each of them: the first tells interpreters apart, the others show that it was no chance."""
AGAIN_AT_IMPORT = 5
"""Runs, in as many new interpreters, with a seed that is held while the suite is imported."""
DRAWS = 12
"""Settings of a natural source that are drawn in search of one that pins a failure."""
SOURCES = ("random", "hashseed")
LEAST_UNDER_SEED = 2
"""Sweeps in which a test must have failed under a hash seed, and never passed, for that to be followed."""
MOST_OF_FAILURES = 0.8
"""Share of all failures that such seeds must have."""


@dataclass(slots=True)
class Pinning:
    """The experiments on a mode that comes and goes whatever is held."""

    target: Target
    book: Notebook

    def natural(self, names: Sequence[str] = SOURCES) -> Experiment[Diagnosis | None]:
        """Look for a natural source under which the outcome no longer varies."""
        for name in names:
            if name in self.target.active:
                found = yield from self._pinned(name)
                if found is not None:
                    return found
        return None

    def _pinned(self, name: str) -> Experiment[Diagnosis | None]:
        """Try settings: under one it always fails, under another never."""
        failing: Setting | None = None
        passing: Setting | None = None
        for draw in range(DRAWS if name != "hashseed" else INTERPRETERS):
            setting = self.target.known[name].draw(draw + 1, draw)
            count = yield from self.book.count(f"some {name}s", Setup(Plan(((name, setting),))), 1)
            if count.failures and failing is None:
                failing = yield from self._kept(name, setting, fails=True)
            elif count.runs and not count.failures and passing is None:
                passing = yield from self._kept(name, setting, fails=False)
            if failing and passing:
                return (yield from self._compared(name, failing, passing))
        return None

    def _kept(self, name: str, setting: Setting, *, fails: bool) -> Experiment[Setting | None]:
        """Give the setting back if under it the outcome does not vary."""
        setup = Setup(Plan(((name, setting),)), interpreter=str(setting) if name == "hashseed" else "")
        count = Count()
        while count.runs < ENOUGH and count.failures == (count.runs if fails else 0):
            one = yield from self.book.count(f"{name}={setting}, again", setup, 1)
            if not one.runs:
                return None
            count = count.plus(*one)
        return setting if count.failures == (count.runs if fails else 0) else None

    def _compared(self, name: str, failing: Setting, passing: Setting) -> Experiment[Diagnosis | None]:
        setup, other = Setup(Plan(((name, failing),))), Setup(Plan(((name, passing),)))
        arms = Arm(f"with {name}={failing}", setup), Arm(f"with {name}={passing}", other)
        seen = yield from self.book.contrast(*arms, sure=True)
        if seen.present.failures < seen.present.runs or not seen.shown:
            return None
        sentence = naming.sentence(name, str(failing), "", [], setup.plan)
        return Diagnosis((Cause(name, str(failing), sentence, seen.present, seen.absent, seen.p_value),), setup, other)

    # addresses

    def by_addresses(self, cause: Cause, setup: Setup, without: Setup) -> Experiment[Diagnosis | None]:
        """Lay objects elsewhere: None where what was shown still tells whether it fails, or addresses are left alone.

        What runs before a test, or is set for it, also moves the objects that it makes; one that depends on their
        order fails after the same tests in every interpreter, and none of them has done anything to it.

        Args:
            cause: that was shown.
            setup: with it.
            without: the same without it.
        """
        if "heap" not in self.target.active or "heap" in setup.plan.names:
            return None
        sides = [side for pair in zip(self._laid(setup), self._laid(without), strict=True) for side in pair]
        runs = yield sides
        present, absent = tally(runs[::2]), tally(runs[1::2])
        self.book.note("the same with objects laid elsewhere", present)
        self.book.note("without it, with objects laid elsewhere", absent)
        passed = cause.present.failures == cause.present.runs and present.failures < present.runs
        if not passed and not (absent.failures and not cause.absent.failures):
            return None
        held = [elsewhere(side, 0) for side in sides]
        one, again = (yield held), (yield held)
        if [run.reply for run in one] != [run.reply for run in again]:
            return None  # it varies where objects lie as they lay before
        pinned = self._pinned("heap")
        laid_out = [self._laid_out(held[side::2], one[side::2]) for side in (1, 0)]
        for experiment in (pinned, *laid_out):
            found = yield from experiment
            if found is not None:
                return found
        return self.book.unknown("it comes and goes with where objects lie in memory, whatever else is held")

    def _by_layouts(self, setup: Setup) -> Experiment[Diagnosis | None]:
        """Lay objects elsewhere within one interpreter: what interpreters differ in may be this alone."""
        if "heap" not in self.target.active:
            return None
        held = [elsewhere(side, 0) for side in self._laid(setup, LAYOUTS)]
        one, again = (yield held), (yield held)
        if [run.reply for run in one] != [run.reply for run in again]:
            return None
        return (yield from self._laid_out(held, one))

    def _laid(self, setup: Setup, layouts: int = HEAPS) -> list[Setup]:
        """Give the setup with several layouts."""
        heaps = [self.target.known["heap"].draw(number + 1, number) for number in range(layouts)]
        return [replace(setup, plan=setup.plan.joined("heap", heap)) for heap in heaps]

    def _laid_out(self, setups: Sequence[Setup], seen: Sequence[Seen]) -> Experiment[Diagnosis | None]:
        """Compare two layouts in one interpreter: in others they may well do the opposite."""
        by_reply = {run.reply: setup for setup, run in zip(setups, seen, strict=True)}
        failing, passing = by_reply.get(Reply.FAILS), by_reply.get(Reply.PASSES)
        if failing is None or passing is None:
            return None
        runs = yield [failing, passing] * SEVERAL_LOOK
        setting, other = failing.plan.setting("heap"), passing.plan.setting("heap")
        shown = contrasted(tally(runs[::2]), tally(runs[1::2]))
        for heap, count in ((setting, shown.present), (other, shown.absent)):
            self.book.tried.append(Condition(f"with heap={heap}, in one interpreter", count, decisive=True))
        if shown.p_value > NAMED_AT_SEVERAL:
            return None
        where = f"in one interpreter always under heap={setting}, never under heap={other}"
        words = f"or passes with where objects lie in memory: {where}"
        sentence = naming.sentence("heap", str(setting), words, [], failing.plan)
        cause = Cause("heap", str(setting), sentence, shown.present, shown.absent, shown.p_value)
        return Diagnosis((cause,), failing, passing)

    # hash seeds

    def by_seed(self) -> Experiment[Diagnosis | None]:
        """Follow what the survey saw: it fails wherever one hash seed is, and passes wherever another is.

        None where it did not see that, or where new interpreters with these seeds do not agree.
        """
        seeds = telling_seeds(self.target.seeds, self.target.preferred) if "hashseed" in self.target.active else None
        if seeds is None:
            return None
        failing, passing = (Setup(Plan((("hashseed", self.target.known["hashseed"].read(seed)),))) for seed in seeds)
        pairs = [(elsewhere(failing, place), elsewhere(passing, place)) for place in range(2) for _ in range(2)]
        seen = yield [setup for pair in pairs for setup in pair]
        present, absent = tally(seen[::2]), tally(seen[1::2])
        self.book.note(f"with hashseed={seeds[0]}, as the survey saw it fail", present)
        self.book.note(f"with hashseed={seeds[1]}, as the survey saw it pass", absent)
        if not present.runs or present.failures < present.runs or absent.failures:
            return None
        setting = failing.plan.setting("hashseed")
        assert setting is not None
        other = passing.plan.setting("hashseed")
        assert other is not None
        return (yield from self._compared("hashseed", setting, other))

    # neighbours

    def neighbours(self) -> Experiment[Diagnosis | None]:
        """Let others run beside it all the while: first the test itself, then all that stands before it too."""
        if self.target.workers < 2 or not any(candidate.neighbours for candidate in self.target.candidates):
            return None
        for before in dict.fromkeys(((), self.target.calm_before)):
            what = " after the tests before it as written" if before else ""
            lone, beside = Setup(before=before, lone=True), Setup(before=before, beside=True)
            first = yield from self.book.count(f"calm{what}, others beside it", beside, ENOUGH)
            if not first.failures:
                continue
            seen = yield from self.book.contrast(Arm(f"others beside it{what}", beside), Arm(f"by itself{what}", lone))
            if seen.shown:
                sentence = f"{BESIDE}: they share something outside the process"
                cause = Cause("parallel", str(self.target.workers), sentence, seen.present, seen.absent, seen.p_value)
                return Diagnosis((cause,), beside, lone, tuple(self.book.tried))
        return None

    # import

    def interpreters(self) -> Experiment[Diagnosis]:
        """Start several interpreters: does the outcome stay the same within each, and differ between them?"""
        plan = self.target.candidates[0].plan if self.target.candidates else CALM
        plan = only(plan, {"hashseed"})
        if not plan.settings and "hashseed" in self.target.active:  # or each would have a hash seed of its own
            plan = plan.joined("hashseed", self.target.known["hashseed"].draw(1, 0))
        outcomes: list[bool] = []
        what = "new interpreters, five runs in each"
        for number in range(MORE_INTERPRETERS):
            if number >= INTERPRETERS and len(set(outcomes)) < 2:
                break
            count = yield from self.book.count(what, Setup(plan, interpreter=f"new {number}"), RUNS_IN_EACH)
            if self.book.mixed(what, 1):
                return self.book.unknown("it varies within one interpreter, whatever is held")
            if 0 < count.failures < count.runs:
                continue  # it had to be started again in between: these are two, and one run proves nothing
            outcomes.append(bool(count.failures))
            again = RUNS_IN_EACH - 1
            failing, passing = again * sum(outcomes), again * (len(outcomes) - sum(outcomes))
            split = contrasted(Count(failing, failing), Count(passing, 0))
            if split.shown:
                laid_out = yield from self._by_layouts(Setup(plan))
                return laid_out or (yield from self._at_import(plan, split))
        return self.book.unknown("it came back no more often under the failing plan than without it")

    def _at_import(self, plan: Plan, split: Contrast) -> Experiment[Diagnosis]:
        """Tell what is drawn as the suite is imported, by holding it there."""
        seen = yield from one(Setup(plan, fresh=True, readings=True, early=plan))
        places = tuple(f"{place} calls {call}" for source, call, place in seen.readings if source in naming.DRAWN)
        setup = other = None
        setting = ""
        if "random" in self.target.active:
            held = yield from self._held_at_import(plan)
            if held is not None:
                setup, other = held
                setting = f"random={setup.plan.setting('random')}"
        sentence = naming.drawn_at_import(setting, places)
        cause = Cause("import", setting, sentence, split.present, split.absent, split.p_value)
        return Diagnosis((cause,), setup, other, tuple(self.book.tried), places[: naming.MOST_PLACES])

    def _held_at_import(self, plan: Plan) -> Experiment[tuple[Setup, Setup] | None]:
        """Find two seeds, held while the suite is imported, that give it always and never."""
        found: dict[bool, Setup] = {}
        for draw in range(DRAWS):
            setting = self.target.known["random"].draw(draw + 1, draw)
            held = plan.joined("random", setting)
            setup = Setup(held, fresh=True, early=held)
            count = yield from self.book.count("random held at import, some seeds", setup, 1)
            if count.runs:
                found.setdefault(bool(count.failures), setup)
            if len(found) == 2:
                break
        if len(found) < 2:
            return None
        present = yield from self.book.decisive("a failing seed held at import", found[True], AGAIN_AT_IMPORT)
        absent = yield from self.book.decisive("a passing seed held at import", found[False], AGAIN_AT_IMPORT)
        if present.failures < present.runs or absent.failures:
            return None
        return found[True], found[False]


def telling_seeds(seeds: Mapping[str, Count], preferred: Sequence[str] = ()) -> tuple[str, str] | None:
    """Choose a hash seed under which a test always failed, and one under which it never did; None for want of either.

    The failures must lie where they would lie if seeds decided: nearly all under seeds that always fail.

    >>> telling_seeds({"7": Count(4, 4), "8": Count(3, 0), "9": Count(4, 0)})
    ('7', '9')
    >>> telling_seeds({"7": Count(4, 4), "8": Count(3, 0), "9": Count(4, 0)}, ["8"])
    ('7', '8')
    >>> telling_seeds({"7": Count(4, 2), "8": Count(3, 1), "9": Count(4, 0)})
    """
    failing, passing = _failing(seeds), {seed: count for seed, count in seeds.items() if not count.failures}
    if not passing or not failing:
        return None
    rank = {seed: place for place, seed in enumerate(preferred)}

    def most(some: Mapping[str, Count]) -> str:
        return min(some, key=lambda seed: (rank.get(seed, len(rank)), -some[seed].runs, int(seed)))

    return most(failing), most(passing)


def preferred_seeds(tests: Sequence[Mapping[str, Count]]) -> list[str]:
    """Rank hash seeds for several tests, so that the same few interpreters serve them all.

    Those come first under which some test fails that fails under few others.

    >>> few = {"1": Count(3, 3), "2": Count(3, 0), "3": Count(3, 0)}
    >>> preferred_seeds([few, {"1": Count(3, 0), "2": Count(3, 3), "3": Count(4, 4)}])
    ['1', '2', '3']
    """
    weights: dict[str, float] = {}
    for seeds in tests:
        failing = _failing(seeds)
        for seed in failing:
            weights[seed] = weights.get(seed, 0.0) + 1 / len(failing)
    return sorted(weights, key=lambda seed: (-weights[seed], int(seed)))


def _failing(seeds: Mapping[str, Count]) -> dict[str, Count]:
    """Give the seeds that a test always fails under; none where it fails elsewhere too."""
    failing = {seed: count for seed, count in seeds.items() if count.failures == count.runs >= LEAST_UNDER_SEED}
    under = sum(count.failures for count in failing.values())
    return failing if under >= MOST_OF_FAILURES * sum(count.failures for count in seeds.values()) else {}
