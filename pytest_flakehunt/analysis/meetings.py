"""Where threads have to change places for a test to fail: the fewest switches of a run that failed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, permutations
from typing import assert_never

from pytest_flakehunt.analysis.reduction import Experiment, Rates, decide, smallest
from pytest_flakehunt.model import (
    Meeting,
    Perturbation,
    Place,
    Reply,
    Seen,
    Setting,
    Setup,
    Stop,
    Switch,
    Taped,
    Taping,
    Why,
)
from pytest_flakehunt.model.switches import MOST

TRIES = 5
"""Runs until one fails and its switches are known."""
SCHEDULES = 32
"""Schedules that are tried where delays make it fail, so that it comes back exactly: of most races one in ten does."""
AT_ONCE = 8
"""So many of them side by side."""
MOST_SAID = 4
"""Switches that a sentence tells of; all are in the plan, and in the JSON report."""
MOST_SINGLES = 48
"""Single switches that are tried where more than one is left."""
SURE = Rates(0.3, 0.75)
"""One run tells whether it fails under a tape; in the end these two are told apart: it mostly comes back, or hardly."""


def reduced(
    setup: Setup, name: str, known: Mapping[str, Perturbation], rates: Rates
) -> Experiment[tuple[Setup, Meeting | None]]:
    """Find the fewest switches of threads under which it still fails; None where that could not be had.

    Args:
        setup: under which it fails.
        name: of the perturbation that steers threads.
        known: the perturbations, by name.
        rates: at which it fails with the setup, and without.
    """
    before, setting = setup, setup.plan.setting(name)
    if setting is None or rates.low > SURE.low:
        return setup, None
    if not isinstance(setting, Taping):
        setting = yield from _schedule(setup, name, known)
        if not isinstance(setting, Taping):
            return setup, None
        setup = replace(setup, plan=setup.plan.joined(name, setting))

    def played(tape: Sequence[Switch]) -> Setup:
        return replace(setup, plan=setup.plan.joined(name, setting.taped(tape)), tape=True)

    def fails(tape: Sequence[Switch]) -> Experiment[bool]:
        (seen,) = yield (played(tape),)
        return seen.reply is Reply.FAILS

    taped = yield from _failing(setup)
    tape = () if taped is None else taped.tape
    if taped is None or len(tape) > MOST or not (yield from fails(tape)):
        return before, None
    least: Sequence[Switch] = [] if (yield from fails([])) else (yield from smallest(tape, fails))
    if len(least) > 1:
        singles = list(islice(_singles(least, range(len(taped.names))), MOST_SINGLES))
        seen = yield [played([one]) for one in singles]
        failing = (one for one, run in zip(singles, seen, strict=True) if run.reply is Reply.FAILS)
        least = next(([one] for one in failing), least)
    if not (yield from decide(played(least), SURE)):
        return before, None
    one, other = yield (played(least),) * 2
    return replace(played(least), tape=False), _meeting(one, other)


def _singles(tape: Sequence[Switch], threads: Iterable[int]) -> Iterator[Switch]:
    """Yield switches that may do alone what several do: at the same lines, of any thread to any other.

    They come as a thread comes there first, or as often as in the tape: a loop has to have begun.
    """
    for one in reversed(tape):  # the last one is what the others have led to
        if not one.at.operation:
            for time in sorted({1, one.at.time}):
                for thread, to in permutations(threads, 2):
                    yield Switch(one.at._replace(thread=thread, time=time), to)


def _schedule(setup: Setup, name: str, known: Mapping[str, Perturbation]) -> Experiment[Setting | None]:
    """Give a schedule under which it fails as it does when threads are delayed."""
    schedules = [known[name].read(f"steered:{seed}") for seed in range(SCHEDULES)] if name in known else []
    for start in range(0, len(schedules), AT_ONCE):
        some = schedules[start : start + AT_ONCE]
        seen = yield [replace(setup, plan=setup.plan.joined(name, one)) for one in some]
        for one, run in zip(some, seen, strict=True):
            if run.reply is Reply.FAILS:
                return one
    return None


def _failing(setup: Setup) -> Experiment[Taped | None]:
    """Give how the threads of a run that fails changed places."""
    for _ in range(TRIES):
        (seen,) = yield (replace(setup, tape=True),)
        if seen.reply is Reply.FAILS and seen.taped is not None:
            return seen.taped
    return None


def _meeting(one: Seen, other: Seen) -> Meeting | None:
    """Say where threads meet in a run; another one tells whether that comes back exactly."""
    if one.taped is None or one.reply is not Reply.FAILS:
        return None
    exact = (
        other.taped is not None
        and other.reply is Reply.FAILS
        and one.taped.digest == other.taped.digest
        and one.taped.steered
        and other.taped.steered
    )
    return Meeting(tuple(_stops(one.taped)), exact)


def _stops(taped: Taped) -> list[Stop]:
    """Give the switches that do not come by themselves, each with how far the other thread then runs."""
    stops = []
    held: dict[int, Place] = {}
    for place, turn in enumerate(taped.turns):
        at, to = turn.switch
        file, line, text = turn.last
        held.pop(to, None)
        if turn.usual:
            if turn.why is Why.ROOM and not line and not at.operation:
                held[at.thread] = Place(at.file, at.line)
            continue
        then = next((later for later in taped.turns[place + 1 :] if later.switch.at.thread == to), None)
        until = then.last if then is not None and then.why is not Why.ENDS and not then.outside else ("", 0, "")
        stops.append(
            Stop(
                taped.names[at.thread],
                Place(file, line),
                text,
                at.operation > 0,
                taped.names[to],
                Place(*until[:2]),
                until[2],
                None if then is None else then.why,
                Place("", 0) if at.operation else Place(at.file, at.line),
                turn.freed,
                tuple((taped.names[thread], where) for thread, where in held.items()),
            )
        )
    return stops


def sentence(meeting: Meeting) -> str:
    """Complete "the test fails …"."""
    if not meeting.stops:
        return "when its threads run one after another, each until it waits or ends"
    said = [*map(_said, meeting.stops[:MOST_SAID])]
    more = len(meeting.stops) - len(said)
    return "when " + "; then ".join([*said, *([f"{more} more such switches take place"] if more else [])])


def _said(stop: Stop) -> str:
    then = _then(stop)
    if stop.other == stop.thread and stop.within:
        return f"the wait of {stop.thread} in {_line(stop.where, stop.text)} is over before another thread runs"
    if stop.other == stop.thread:
        return f"{stop.thread} {then} as soon as it starts"
    others = "".join(f", while {name} has come to {where}" for name, where in stop.held)
    return f"{stop.thread} {_stopped(stop)} and {stop.other} {then} in between{others}"


def _stopped(stop: Stop) -> str:
    """Say where a thread stops: what is missing is in between two lines, so by both, unless one follows the other."""
    line = _line(stop.where, stop.text)
    if not stop.where.line:
        return f"stops before {stop.before}, its first line," if stop.before.line else "has not run a line yet"
    if stop.within:
        return f"stops after it has let go of the lock in {line}" if stop.freed else f"stops in {line}"
    if not stop.before.line or stop.before == Place(stop.where.file, stop.where.line + 1):
        return f"stops after {line}"
    same = stop.before.file == stop.where.file
    return f"stops after {line}, before {f'line {stop.before.line}' if same else stop.before},"


def _then(stop: Stop) -> str:
    """Say how far the other thread runs."""
    match stop.why:
        case Why.ENDS:
            return "runs to its end"
        case None:
            return "goes on"
        case Why.WAITS:
            where = f"in {_line(stop.until, stop.until_text)}" if stop.until.line else "outside the project's code"
            return f"runs on until it waits {where}"
        case Why.ROOM:
            return f"runs on past {_line(stop.until, stop.until_text)}" if stop.until.line else "goes on"
    assert_never(stop.why)


def _line(where: Place, text: str) -> str:
    return f"{where} ({text})" if text else str(where)
