"""How long a command waits for what a file asks of it."""

import contextlib
import signal
from collections.abc import Iterator

from pytest_flakehunt.cli.ending import Refused

LONGEST = 120
"""Seconds of CPU."""


@contextlib.contextmanager
def within(why: str, *, limited: bool) -> Iterator[None]:
    """Refuse what takes longer: a pattern may be written so that trying it never ends.

    Args:
        why: what is refused.
        limited: whether there is a limit.
    """
    number = getattr(signal, "SIGPROF", None)
    if number is None or not limited:  # the first on Windows
        yield
        return
    late = False

    def ended(*_: object) -> None:
        nonlocal late
        late = True
        raise Refused(why)

    before = signal.signal(number, ended)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    except Exception:
        if late:  # whoever called the pattern may have made another error of it
            raise Refused(why) from None
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(number, before)
