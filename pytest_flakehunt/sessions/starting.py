"""How a session of pytest becomes ours: what is noted first, what is switched off, and what is registered."""

import os
from typing import TYPE_CHECKING

import pytest

from pytest_flakehunt.asked import flags, takeover
from pytest_flakehunt.asked.later import Later
from pytest_flakehunt.asked.options import Options, usage
from pytest_flakehunt.asked.placing import placing
from pytest_flakehunt.model import SettingError
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.sessions import replaying
from pytest_flakehunt.sessions.origin import ORIGIN, known, origin

if TYPE_CHECKING:  # what is not asked for is not imported
    from pytest_flakehunt.sessions.hunting import Session
    from pytest_flakehunt.sessions.preparing import Setup

HELD = pytest.StashKey[replaying.Replay]()
HUNTING: "pytest.StashKey[Session]" = pytest.StashKey()
LATER = pytest.StashKey[Later]()
REFUSED = pytest.StashKey[pytest.UsageError]()


def early(config: pytest.Config) -> None:
    """Note how this process started; hold a plan over it, or keep coverage from starting."""
    later = os.environ.pop(flags.LATER, "")
    if later:
        config.stash[LATER] = Later.read(later)
    again = os.environ.pop(flags.WITNESS, "")
    if again:
        config.stash[flags.AGAIN] = again
    if flags.given(config, "flakehunt"):
        config.stash[ORIGIN] = origin(config)
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
    if flags.AGAIN in config.stash:
        from pytest_flakehunt.diagnosis import witness

        witness.attend(config, config.stash[flags.AGAIN], hunts=bool(options.asked))
    if options.leaks and not options.asked:
        from pytest_flakehunt.sessions.leak_watching import WatchedRun

        config.pluginmanager.register(WatchedRun(config, options.fail_on))
    if not options.asked and not options.plan:
        return
    if options.asked:
        from pytest_flakehunt.sessions.preparing import Setup

        takeover.check_disabled(config)
        placed = placing(config)
        setup = Setup(config, options, placed, takeover.settle(config))
        config.stash[HUNTING] = _session(config, setup)
        config.pluginmanager.register(config.stash[HUNTING])
    else:
        config.stash[HELD].switched_off = takeover.settle(config)
        config.pluginmanager.register(config.stash[HELD])


def _session(config: pytest.Config, setup: "Setup") -> "Session":
    """Give the kind of session that is asked for."""
    from pytest_flakehunt.ledger import recalling
    from pytest_flakehunt.sessions.hunting import Session
    from pytest_flakehunt.sessions.later import LaterSession
    from pytest_flakehunt.sessions.resuming import ResumedSession

    if LATER in config.stash:
        later = config.stash[LATER]
        if later.concluded:
            return LaterSession(setup, later)
        return ResumedSession(setup, later.hunt, recalling.particulars(setup.options.ledger)[later.hunt], complete=True)
    return Session(setup) if setup.before is None else ResumedSession(setup, *setup.before, complete=False)


def ended(config: pytest.Config, status: object) -> object:
    """Give the exit status: a hunt's own, whatever others have made of it since it was settled."""
    hunting = config.stash.get(HUNTING, None)
    return status if hunting is None or hunting.status is None else hunting.status
