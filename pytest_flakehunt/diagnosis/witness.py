"""What a printed command, run again, tells of each test, as a journal like a sweep's; it leaves nothing else behind."""

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pytest_flakehunt.asked import takeover
from pytest_flakehunt.instruments.artefacts import Artefacts
from pytest_flakehunt.perturbations import random
from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.child import Observer, own_cache
from pytest_flakehunt.zygote.journal import Journal

FOLDER = ".d"
"""What the name of a journal ends with in that of its command's scratch folder."""


def attend(config: pytest.Config, path: str, *, hunts: bool) -> None:
    """Write how each test ends to a file, and nothing anywhere else.

    It is called before any plugin is configured.

    Args:
        config: of the command.
        path: of the journal.
        hunts: whether the command hunts, and so tells by its exit status.
    """
    scratch = Path(path + FOLDER)
    scratch.mkdir(exist_ok=True)
    takeover.settle(config)
    takeover.quieten(config, scratch, zygote=False)
    config.pluginmanager.register(Unseen(config, scratch))
    if hunts:
        return
    journal = Journal(path)
    observer = Observer(config)
    observer.journal = journal
    config.pluginmanager.register(observer)
    config.pluginmanager.register(Witness(observer, journal))


class Unseen:
    """A pytest plugin for a run that nobody looks at: the user's cache, examples and reports stay as they are."""

    def __init__(self, config: pytest.Config, scratch: Path) -> None:
        own_cache(config, scratch / "cache")
        self._living = ExitStack()
        self._living.enter_context(Artefacts(config, scratch).noted())

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Take away what was just configured."""
        takeover.strip(config)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let Hypothesis keep no examples."""
        random.own_hypothesis(items, 1.0)


class Witness:
    """A pytest plugin that says which test starts, and how it ended."""

    def __init__(self, observer: Observer, journal: Journal) -> None:
        self.observer, self.journal = observer, journal

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Write both; a test that its plan repeats ends more than once."""
        self.observer.begin(item)
        named = wire.Told("test", {"nodeid": item.nodeid})
        self.journal.write(named, wire.Started(0))
        result = yield
        self.journal.write(named, self.observer.finished(0))
        return result
