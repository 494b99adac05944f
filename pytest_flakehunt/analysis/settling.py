"""Before a cause is said: it holds wherever objects lie and in interpreters that never forked; then where to look."""

from dataclasses import dataclass, replace

from pytest_flakehunt.analysis import naming
from pytest_flakehunt.analysis.association import fisher
from pytest_flakehunt.analysis.notebook import Notebook
from pytest_flakehunt.analysis.parting import parted
from pytest_flakehunt.analysis.pinning import Pinning
from pytest_flakehunt.analysis.reduction import Experiment, OutOfRuns, one
from pytest_flakehunt.analysis.target import MOST_CANDIDATES, Target, from_start
from pytest_flakehunt.model import Count, Diagnosis, Reply, Setup


@dataclass(slots=True)
class Settling:
    """The last experiments on a mode whose cause was shown."""

    target: Target
    book: Notebook

    def held_elsewhere(self, found: Diagnosis) -> Experiment[Diagnosis]:
        """Settle what holds wherever objects lie in memory; else say that their addresses decide."""
        assert found.setup is not None
        assert found.without is not None
        by_addresses = yield from Pinning(self.target, self.book).by_addresses(
            found.causes[0], found.setup, found.without
        )
        if by_addresses is not None:
            found = by_addresses
        return (yield from self.settled(found)) if found.causes else found

    def settled(self, diagnosis: Diagnosis) -> Experiment[Diagnosis]:
        """Check that the fork is not to blame, and look where the test reads the source.

        What was shown within one interpreter says nothing of others: they are not asked.
        """
        setup = diagnosis.setup
        assert setup is not None
        ours, note = False, ""
        early = from_start(setup.plan)
        what = "in interpreters that never forked" + (f", with {early} from their start" if early.settings else "")
        fresh = replace(setup, fresh=True, interpreter="", early=early)
        count = (yield from self.book.count(what, fresh, 1)) if not setup.interpreter else Count()
        if count.runs and not count.failures:
            count = yield from self.book.count(what, fresh, 5)
            share = diagnosis.causes[0].present
            if not count.failures and fisher(share, Count(6, 0)) < 0.01:
                note = f"it failed in forks only: what it fails under was not found again {what}"
                ours = not (yield from self._fails_fresh())
        found = replace(diagnosis, tried=tuple(self.book.tried), ours=ours, note=note)
        try:  # what comes now is where to look: the cause is shown
            seen = yield from one(replace(setup, readings=True))
            if seen.reply is Reply.PASSES:
                seen = yield from one(replace(setup, readings=True))
            settings = {cause.perturbation: cause.setting for cause in diagnosis.causes}
            found = replace(found, places=naming.places(settings, seen.readings))
            return replace(found, parting=(yield from parted(setup, diagnosis.without)))
        except OutOfRuns:
            return found

    def _fails_fresh(self) -> Experiment[bool]:
        """Tell whether the failing sweeps' own plans fail in interpreters that never forked."""
        for candidate in self.target.candidates[:MOST_CANDIDATES]:
            plan = candidate.plan
            setup = Setup(plan, before=candidate.before, fresh=True, early=from_start(plan))
            what = f"sweep {candidate.number}'s plan and order, never forked"
            count = yield from self.book.count(what, setup, 3)
            if count.failures or not count.runs:
                return True
        return False
