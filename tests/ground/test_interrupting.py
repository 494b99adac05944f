"""Wishes to end: real signals, sent to this very process."""

import os
import signal
from collections.abc import Iterator

import pytest

from pytest_flakehunt.ground import interrupting

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Moments:
    """A clock that goes on when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def moments() -> Iterator[Moments]:
    before = [signal.signal(number, signal.default_int_handler) for number in SIGNALS]
    clock = Moments()
    listening = interrupting.Listening(clock)
    listening.start()
    yield clock
    listening.close()
    for number, handler in zip(SIGNALS, before, strict=True):
        assert signal.getsignal(number) is signal.default_int_handler
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "name"), list(zip(SIGNALS, ["Ctrl-C", "SIGTERM", "SIGHUP"], strict=True)))
def test_the_first_is_heeded_where_nothing_is_half_done(moments: Moments, number: signal.Signals, name: str) -> None:
    interrupting.heed()
    os.kill(os.getpid(), number)
    moments.now = 0.5
    os.kill(os.getpid(), signal.SIGTERM)  # the same wish: some signal a process, and then its group
    assert (interrupting.by(), interrupting.urged()) == (name, False)
    with pytest.raises(KeyboardInterrupt):
        interrupting.heed()


def test_the_second_breaks_in_except_where_processes_are_ended(moments: Moments) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    moments.now = 2.0
    with interrupting.held():
        os.kill(os.getpid(), signal.SIGINT)
    assert interrupting.urged()
    moments.now = 4.0
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    listening = interrupting.Listening()
    listening.start()
    os.kill(os.getpid(), signal.SIGHUP)
    assert not interrupting.by()
    listening.close()
    assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN
