"""Putting a cause into words: what completes "the test …", where the source is read, and the usual fix."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from pytest_flakehunt.analysis.polluters import Found
from pytest_flakehunt.analysis.reduction import Experiment, Rates, decide
from pytest_flakehunt.analysis.windows import Windows
from pytest_flakehunt.model import Perturbation, Plan, Repeating, Reply, SettingError, Setup

MOST_PLACES = 3
DRAWN = frozenset({"random", "clock", "process", "environment", "hash", "address", "directory"})
"""Sources that can differ from one import of the suite to the next."""
SOURCES: Mapping[str, frozenset[str]] = {
    "clock": frozenset({"clock", "timezone"}),
    "timezone": frozenset({"clock", "timezone"}),
    "random": frozenset({"random"}),
    "latency": frozenset({"network", "sleep", "process"}),
    "locale": frozenset({"locale"}),
    "network": frozenset({"network"}),
    "pieces": frozenset({"network", "process", "terminal"}),
    "ports": frozenset({"network"}),
    "cores": frozenset({"cores"}),
    "hashseed": frozenset({"hash"}),
    "heap": frozenset({"address"}),
    "listdir": frozenset({"directory"}),
    "environ": frozenset({"environment"}),
    "rows": frozenset({"database"}),
    "resolution": frozenset({"clock", "status"}),
    "load": frozenset({"sleep", "threads"}),
    "threads": frozenset({"threads"}),
    "asyncio": frozenset({"asyncio"}),
}
"""By perturbation: the sources whose readings show where it matters."""
SHIFTS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FIXES: Mapping[str, str] = {
    "order": "let each test set up what it needs and take back what it changes: a fixture, monkeypatch or tmp_path",
    "repeat": "take back what the test changes when it ends, so that it can run twice: a fixture or monkeypatch",
    "clock": "pass the time in, or hold it in the test, rather than reading the clock",
    "timezone": "work in UTC, or name the zone, rather than taking the machine's",
    "random": "seed what the test draws, or assert what holds for every draw",
    "hashseed": "sort what comes out of a set before relying on its order",
    "latency": "wait for what should happen, with a generous limit, rather than for a time",
    "network": "let tests talk to a server of their own on loopback, or to a stand-in",
    "pieces": "read on until the message is complete: its length, its end mark, or the end of the stream",
    "ports": "bind the server itself to port 0 and ask it for its port, or try another port when one is taken",
    "locale": "set the locale that the test counts on, or format without one",
    "cores": "do not count on a number of cores",
    "gc": "keep a reference to what must live, and close what must end, rather than leaving it to the collector",
    "threads": "lock what is read and then changed, take locks in one order, and wait for what must have happened",
    "asyncio": "await what must have happened: an event, a task or a result, rather than counting on who comes first",
    "rows": "ask for the order that the test counts on, with ORDER BY, or compare without one",
    "resolution": "count on no two time stamps to differ: set them with os.utime, or number what happens",
    "listdir": "sort what a directory gives before relying on its order",
    "environ": "set in the test what it counts on: monkeypatch.setenv, a folder of its own, the mode that a file needs",
    "load": "wait for what should happen, with a generous limit, rather than for a time",
    "fds": "close what is opened, a few at a time, and wait for descriptors with selectors or poll, not with select",
    "heap": "do not rely on id() or on the default order of objects: give them a name to sort by",
    "import": "draw nothing as a module is imported; do it where it is needed",
    "parallel": "give each process its own files, ports and names",
}
"""By cause: the usual fix, in one line."""
KINDS: Mapping[str, str] = {
    "order": "depends on which tests run before it",
    "repeat": "cannot run twice in one process",
    "clock": "depends on the date or the time of day",
    "timezone": "depends on the time zone of the machine",
    "random": "depends on the seed of a random generator",
    "hashseed": "depends on the order of sets or on hashes",
    "latency": "does not wait long enough for what comes late",
    "network": "needs a network",
    "pieces": "takes what one read gives for the whole message",
    "ports": "counts on a port that it has let go",
    "locale": "depends on the locale of the machine",
    "cores": "depends on the number of cores",
    "gc": "depends on when garbage is collected",
    "threads": "depends on how threads take turns",
    "asyncio": "depends on which of several events comes first",
    "listdir": "depends on the order of directory entries",
    "environ": "depends on how the machine is set up",
    "resolution": "depends on time stamps that differ",
    "rows": "depends on the order of rows that no ORDER BY asks for",
    "load": "does not wait long enough on a busy machine",
    "fds": "depends on how many descriptors there are, or on their numbers",
    "heap": "depends on where objects lie in memory",
    "import": "depends on something drawn as the suite is imported",
    "parallel": "cannot run beside itself",
    "unknown": "fails now and then, for a reason that no experiment has shown",
    "broken": "failed in every calm attempt",
    "leak": "leaves something behind",
}
"""By cause, and by what stands in its place: what is the matter with the test, after "a test that"."""

ELSEWHERE: Mapping[str, str] = {
    "HOME=empty": "where the home is empty",
    "HOME=readonly": "where the home cannot be written to",
    "USER=unset": "where no variable says who the user is",
    "TMPDIR=link": "where the folder for temporary files is a link",
    "TMPDIR=space": "where the folder for temporary files has a space in its path",
    "TMPDIR=long": "where the folder for temporary files has a long path",
    "umask=077": "where new files are for their owner only (umask 077)",
    "umask=002": "where new files may be written by their group (umask 002)",
}
"""By what differs on another machine: what completes "the test fails …"; of others the setting says it."""
DESCRIPTORS: Mapping[str, str] = {
    "few": "where a process may have few descriptors more",
    "high": "where new descriptors have numbers over 1023",
}
"""By what they are limited to: what completes "the test fails …"."""
USER_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")
"""Variables that say who the user is: ``getpass`` takes the first that is set."""


class Dated(Protocol):
    """What naming a clock's cause needs to know."""

    @property
    def known(self) -> Mapping[str, Perturbation]:
        """The perturbations, by name."""

    @property
    def now(self) -> datetime:
        """The local time of the survey."""

    @property
    def seed(self) -> int:
        """The hunt's seed."""

    @property
    def clocks(self) -> Sequence[tuple[str, bool]]:
        """Settings of the clock in the survey, and whether the test failed under each."""


def clock(target: Dated, setup: Setup, rates: Rates) -> Experiment[tuple[Setup, str]]:
    """Find the moments at which the test fails, and say them; give a setup at the simplest of them."""
    setting = str(setup.plan.setting("clock"))
    frozen = "frozen:" if setting.startswith("frozen:") else ""
    moment = local(setting.removeprefix(frozen), target.now)

    def at(shown: datetime) -> Setup:
        text = f"{frozen}{shown.isoformat()}"
        return replace(setup, plan=setup.plan.joined("clock", target.known["clock"].read(text)))

    def possibly(shown: datetime) -> Setup | None:
        try:
            return at(shown)
        except SettingError:
            return None

    def fails(shown: datetime) -> Experiment[bool]:
        other = possibly(shown)
        return other is not None and (yield from decide(other, rates))

    if rates.high < 0.5 or not (yield from fails(moment)):
        return setup, ""

    def look(shown: Sequence[datetime]) -> Experiment[list[bool]]:
        possible = [(one, setup) for one in shown if (setup := possibly(one)) is not None]
        seen = (yield [setup for _, setup in possible]) if possible else ()
        failed = {one for (one, _), run in zip(possible, seen, strict=True) if run.reply is Reply.FAILS}
        return [one in failed for one in shown]

    zone = setup.plan.setting("timezone")
    transitions = None if zone is None else ZoneInfo(str(zone))
    windows = Windows(target.now.replace(microsecond=0), transitions, target.seed, fails, look)
    survey = [(local(clock.removeprefix("frozen:"), target.now), failed) for clock, failed in target.clocks]
    said = yield from windows.named(moment, survey)
    return at(said.moment), said.words


def local(moment: str, now: datetime) -> datetime:
    """Give a clock's setting as a local time.

    >>> local("+2d", datetime(2026, 1, 1))
    datetime.datetime(2026, 1, 3, 0, 0)
    """
    if moment[0] in "+-":
        return now.replace(microsecond=0) + timedelta(seconds=int(moment[:-1]) * SHIFTS[moment[-1]])
    return datetime.fromisoformat(moment)


def repeated(plan: Plan) -> dict[str, str]:
    """Complete "the test fails …" for a plan that repeats what runs before the test as well: its first run may fail."""
    again = [setting.times for _, setting in plan.settings if isinstance(setting, Repeating)]
    return {"repeat": f"only where each test runs {again[0]} times in a row, those before it too"} if again else {}


def sentence(name: str, setting: str, words: str, others: Sequence[str], plan: Plan) -> str:
    """Say what one setting does.

    Args:
        name: of the perturbation.
        setting: under which it fails.
        words: what completes "the test fails …" where more than this setting is known to; else empty.
        others: perturbations that are needed as well.
        plan: with their settings.
    """
    said = {
        "clock": f"fails with the clock at {setting}",
        "timezone": f"fails in the time zone {setting}",
        "random": f"fails under some random seeds, such as {setting}",
        "hashseed": f"fails under some hash seeds, such as {setting}",
        "latency": f"fails when packets, files, processes and sleeps are about {setting} late",
        "cores": "fails on one core" if setting == "1" else f"fails on {setting} cores",
        "repeat": "fails when it runs again in the same process",
        "threads": f"fails when threads take turns in other places, such as under {_turns(setting)}",
        "asyncio": f"fails when timers, I/O and executors are ready in another order, such as under {setting}",
        "network": "fails without a network",
        "pieces": f"fails when streams come in pieces, such as under seed {setting}",
        "ports": f"fails when somebody else takes a port that it has let go, such as under seed {setting}",
        "locale": f"fails in the locale {setting}",
        "listdir": f"fails under some orders of directory entries, such as {setting}",
        "environ": f"fails {ELSEWHERE.get(setting, f'where {setting} is set')}",
        "rows": f"fails when rows that no ORDER BY asks for come {setting}",
        "fds": f"fails {DESCRIPTORS.get(setting, setting)}",
        "resolution": (
            f"fails where {'the clock goes' if setting == '16ms' else 'times of files go'} in steps of {setting}"
        ),
        "load": f"fails beside {neighbours(setting)}",
        "heap": f"fails where objects lie elsewhere in memory, such as under seed {setting}",
    }.get(name, f"fails with {name}={setting}")
    said = f"fails {words}" if words else said
    together = " and ".join(f"{other}={plan.setting(other)}" for other in others)
    return f"{said} (with {together})" if together else said


def _turns(setting: str) -> str:
    """Say what tells threads when to take turns."""
    kind, _, seed = setting.rpartition(":")
    return f"{'schedule' if kind else 'seed'} {seed}"


def neighbours(setting: str) -> str:
    """Say what keeps a machine busy.

    >>> neighbours("1"), neighbours("disk:2")
    ('1 busy process', '2 processes that write to the disk')
    """
    kind, _, number = setting.rpartition(":")
    one = number == "1"
    processes = "process" if one else "processes"
    match kind:
        case "memory":
            return f"{number} {processes} that {'walks' if one else 'walk'} through memory"
        case "disk":
            return f"{number} {processes} that {'writes' if one else 'write'} to the disk"
    return f"{number} busy {processes}"


def victim(found: Found, plan: Plan) -> str:
    """Say after which tests a victim fails."""
    polluters = " and ".join(found.needed)
    said = f"is the victim of {polluters}"
    said += f": {'; '.join(found.changes)}" if found.changes else ""
    said += f"; cleaned by {' and '.join(found.cleaners)}" if found.cleaners else ""
    return f"{said} (with {plan})" if plan.settings else said


def brittle(found: Found) -> str:
    """Say which tests a brittle one needs."""
    said = (
        f"is brittle: it fails unless {' and '.join(found.needed)} {'runs' if len(found.needed) == 1 else 'run'} before"
    )
    return f"{said}: {'; '.join(found.changes)}" if found.changes else said


def drawn_at_import(setting: str, places: Sequence[str]) -> str:
    """Say that something is drawn as the suite is imported, and what, if it can be told."""
    said = "fails in some interpreters and not in others: something is drawn as the suite is imported"
    if setting:
        return f"{said}, from random"
    return f"{said}; read there: {places[0]}" if places else said


def places(settings: Mapping[str, str], readings: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """Give the lines that consult the source of a cause, the last ones first.

    Args:
        settings: the cause, as perturbations and their settings.
        readings: source, call and place of each.
    """
    wanted = frozenset().union(*(SOURCES.get(name, frozenset()) for name in settings))
    thing = settings.get("environ", "").partition("=")[0]
    variables = {f"os.environ[{name!r}]" for name in USER_NAMES if thing == "USER"} or {f"os.environ[{thing!r}]"}
    found = [
        f"{place} calls {call}"
        for source, call, place in reversed(readings)
        if source in wanted and (source != "environment" or call in variables)
    ]
    return tuple(dict.fromkeys(found))[:MOST_PLACES]
