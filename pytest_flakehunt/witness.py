"""What a printed command, run again, tells of each test: a journal like a sweep's, written by an ordinary run."""

from collections.abc import Generator

import pytest

from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.child import Journal, Observer


def attend(config: pytest.Config, path: str) -> None:
    """Write how each test ends to a file."""
    journal = Journal(path)
    observer = Observer(config, journal, reported=False)
    config.pluginmanager.register(observer)
    config.pluginmanager.register(Witness(observer, journal))


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
