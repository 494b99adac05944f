"""Which sources of nondeterminism a test consults, and from which lines of the project."""

import functools
import random
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple, Self

from pytest_flakehunt.ground import project
from pytest_flakehunt.instruments.profiler import Profiler
from pytest_flakehunt.model import Place

LIMIT = 500
"""So many readings are kept, those last used."""


class Reading(NamedTuple):
    """One line of the project that asked for something which may differ from run to run."""

    source: str
    """Such as ``clock``: a key of the tables below."""
    call: str
    """What the line calls, such as ``random.randint()``; for the environment the variable, ``os.environ['HOME']``."""
    place: Place


def _inverted(table: Mapping[str, str], module: str) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for source, called in table.items():
        for name in called.split():
            found[module, name] = (*found.get((module, name), ()), source)
    return found


IN_C: Mapping[tuple[str, str], tuple[str, ...]] = {
    **_inverted({
        "clock": "time time_ns localtime gmtime strftime ctime asctime clock_gettime clock_gettime_ns",
        "timezone": "localtime mktime strftime ctime tzset",
        "sleep": "sleep",
    }, "time"),
    **_inverted({
        "random": "urandom getrandom",
        "directory": "listdir scandir",
        "status": "stat lstat fstat",
        "cores": "cpu_count sched_getaffinity",
        "process": "fork forkpty system getpid posix_spawn posix_spawnp",
        "terminal": "openpty",
    }, "posix"),
    **_inverted({"process": "fork_exec"}, "_posixsubprocess"),
    **_inverted({"network": "getaddrinfo gethostbyname gethostbyname_ex gethostbyaddr getnameinfo"}, "_socket"),
    **_inverted({
        "locale": "setlocale localeconv strcoll strxfrm getencoding getlocale nl_langinfo",
    }, "_locale"),
    **_inverted({"random": "generate_time_safe"}, "_uuid"),
    **_inverted({"gc": "collect get_objects get_referrers get_count get_stats"}, "gc"),
    **_inverted({"address": "id", "hash": "hash"}, "builtins"),
}  # fmt: skip
"""Functions written in C, by module and name: the sources they ask."""

METHODS_IN_C: Mapping[str, Mapping[tuple[str, str], tuple[str, ...]]] = {
    "now": {("datetime", "datetime"): ("clock", "timezone")},
    "utcnow": {("datetime", "datetime"): ("clock",)},
    "today": {("datetime", "date"): ("clock", "timezone")},
    "fromtimestamp": {("datetime", "date"): ("timezone",)},
    "astimezone": {("datetime", "datetime"): ("timezone",)},
    "timestamp": {("datetime", "datetime"): ("timezone",)},
    "random": {("_random", "Random"): ("random",)},
    "getrandbits": {("_random", "Random"): ("random",)},
    "stat": {("posix", "DirEntry"): ("status",)},
    **{
        name: {("sqlite3", kind): ("database",) for kind in ("Connection", "Cursor")}
        for name in ("execute", "executemany", "executescript")
    },
    **{
        name: {("_socket", "socket"): ("network",)}
        for name in (
            "connect", "connect_ex", "bind", "_accept", "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg",
            "send", "sendall", "sendto", "sendmsg",
        )
    },
}  # fmt: skip
"""Methods written in C, by name, then by the class that has them, which the object's may derive from."""

_WALL_CLOCK = "pytest_flakehunt.perturbations.wall_clock"
_DELAYS = "pytest_flakehunt.perturbations.delays"
_CLOCK = {
    "clock": "fake_time fake_time_ns fake_localtime fake_gmtime fake_strftime"
    " FakeDatetime.now FakeDatetime.today FakeDatetime.utcnow FakeDate.today",
    "timezone": "fake_localtime fake_strftime"
    " FakeDatetime.now FakeDatetime.today FakeDatetime.astimezone FakeDate.today",
}
"""freezegun's stand-ins, and ours that take their place, bear these names."""

IN_PYTHON: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("os", "_Environ.__getitem__"): ("environment",),
    ("os", "_Environ.__iter__"): ("environment",),
    ("subprocess", "Popen.__init__"): ("process",),
    ("threading", "Thread.start"): ("threads",),
    ("concurrent.futures.thread", "ThreadPoolExecutor.submit"): ("threads",),
    ("asyncio.base_events", "BaseEventLoop.run_forever"): ("asyncio",),
    ("random", "Random.seed"): ("random",),
    **_inverted(_CLOCK, "freezegun.api"),
    **_inverted(_CLOCK, _WALL_CLOCK),
}  # fmt: skip
"""Functions written in Python, by module and qualified name; a clock that stands still is consulted like any other."""

_NAMES = {name.rpartition(".")[2] for _, name in IN_PYTHON}
_ONLY_DIRECTLY = frozenset({("builtins", "id"), ("builtins", "hash"), ("posix", "getpid")})
"""The library calls these all the time, to no effect: they count where the project itself does."""
QUIET = frozenset({"freezegun", "importlib", "linecache", "logging", "time_machine", "traceback", "warnings"})
"""What these packages consult has no effect on the code that calls them."""
_MODULES = {"posix": "os", "_socket": "socket", "_locale": "locale", "_posixsubprocess": "subprocess", "_uuid": "uuid"}


def sources_in_c(called: Any) -> tuple[str, ...]:
    """Give the sources that a function written in C asks."""
    module = called.__module__
    if type(module) is str:
        return IN_C.get((module, called.__name__), ())
    owners = METHODS_IN_C.get(called.__name__)
    if owners is None:
        return ()
    kind = called.__self__ if issubclass(type(called.__self__), type) else type(called.__self__)
    for ancestor in type.mro(kind):
        if sources := owners.get((ancestor.__module__, ancestor.__qualname__)):
            return sources
    return ()


def sources_in_python(frame: FrameType) -> tuple[str, ...]:
    """Give the sources that a function written in Python asks, as it is called."""
    code = frame.f_code
    if code.co_name not in _NAMES:
        return ()
    key = (frame.f_globals.get("__name__", ""), code.co_qualname)
    if key == ("random", "Random.seed") and frame.f_locals.get("a") is not None:
        return ()  # a seed that is given takes nothing from chance
    return IN_PYTHON.get(key, ())


class _Caller(NamedTuple):
    """Where the project asked."""

    frame: FrameType
    """The project's."""
    inner: FrameType | None
    """The one it called, not ours; None where it called the function in C itself."""


def _caller(frame: FrameType | None) -> _Caller | None:
    """Go outwards to the project's own code; give None where the asking is pytest's or of no effect."""
    inner = None
    while frame is not None:
        if project.owns(frame.f_code.co_filename):
            return _Caller(frame, inner)
        package = project.package_of(frame)
        if package == "pytest_flakehunt" and _delays(frame):
            return None  # nobody asked for it
        if (
            package in project.RUNNING_TESTS
            or package in QUIET
            or frame.f_code.co_filename.startswith("<frozen importlib")
        ):
            return None
        if package != "pytest_flakehunt":
            inner = frame
        frame = frame.f_back
    return None


def _delays(frame: FrameType) -> bool:
    """Tell whether it is one of our own delays that draws how long it takes, or waits."""
    name = frame.f_code.co_qualname
    return frame.f_globals.get("__name__") == _DELAYS and name.startswith(("Delays.", "pause"))


def _call_in_python(frame: FrameType) -> str:
    code = frame.f_code
    module = str(frame.f_globals.get("__name__", ""))
    # people write random.randint() and asyncio.run(), wherever these are defined
    package = module.partition(".")[0]
    if _is_public(package, code, frame):
        return f"{package}.{code.co_name}()"
    name = code.co_qualname.partition(".<locals>")[0]
    if package == "freezegun" or module == _WALL_CLOCK:
        return f"{name.replace('fake_', 'time.').replace('FakeDatetime', 'datetime').replace('FakeDate', 'date')}()"
    owner, _, method = name.rpartition(".")
    if method in {"__init__", "__new__"}:
        return f"{module}.{owner}()"
    public = name.lstrip("_")  # as of os.walk, a generator that os._walk makes
    return f"{name}()" if owner else f"{module}.{public if public in frame.f_globals else name}()"


def _is_public(package: str, code: CodeType, frame: FrameType) -> bool:
    if package not in sys.modules or code.co_name.startswith("_"):
        return False
    held = vars(sys.modules[package]).get(code.co_name)
    function = getattr(held, "__func__", held)
    if getattr(function, "__code__", None) is not code:
        return False
    bound_to = getattr(held, "__self__", None)
    return bound_to is None or bound_to is frame.f_locals.get("self")


def _call_in_c(called: Any) -> str:
    module = called.__module__
    if module == "builtins":
        return f"{called.__name__}()"
    if type(module) is str:
        return f"{_MODULES.get(module, module)}.{called.__name__}()"
    if called == getattr(random, called.__name__, None):
        return f"random.{called.__name__}()"
    owner = called.__self__ if issubclass(type(called.__self__), type) else type(called.__self__)
    return f"{owner.__name__}.{called.__name__}()"


class Recorder:
    """Notes while it is held what the project's code consults, in the thread at hand and those that start."""

    def __init__(self, root: Path) -> None:
        """Make one.

        Args:
            root: places are relative to it where they lie inside.
        """
        self._readings: dict[Reading, None] = {}
        self._profiler = Profiler(self._notice)
        self._relative = functools.cache(functools.partial(project.relative, root=root))

    @property
    def readings(self) -> list[Reading]:
        """What was noted, each once, the last used at the end."""
        return list(self._readings)

    def __enter__(self) -> Self:
        self._profiler.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._profiler.__exit__(kind, error, traceback)

    def _notice(self, frame: FrameType, event: str, called: Any) -> None:
        # Python turns profiling off while this runs, so nothing done here is noticed
        with suppress(Exception):  # whatever odd object was called, the test must not meet our failure
            if event == "c_call":
                if sources := sources_in_c(called):
                    self._note_in_c(sources, called, frame)
            elif event == "call" and (sources := sources_in_python(frame)):
                self._note_in_python(sources, frame)

    def _note_in_c(self, sources: tuple[str, ...], called: Any, frame: FrameType) -> None:
        caller = _caller(frame)
        if caller is None or frame.f_globals.get("__name__") == _WALL_CLOCK:
            return  # the stand-in's own name says what was asked
        if caller.inner is None:
            self._keep(sources, _call_in_c(called), caller.frame)
        elif (called.__module__, called.__name__) not in _ONLY_DIRECTLY:
            self._keep(sources, _call_in_python(caller.inner), caller.frame)

    def _note_in_python(self, sources: tuple[str, ...], frame: FrameType) -> None:
        caller = _caller(frame.f_back)
        if caller is None:
            return
        if sources == ("environment",):
            call = f"os.environ[{frame.f_locals['key']!r}]" if frame.f_code.co_name == "__getitem__" else "os.environ"
        else:
            call = _call_in_python(caller.inner or frame)
        self._keep(sources, call, caller.frame)

    def _keep(self, sources: tuple[str, ...], call: str, frame: FrameType) -> None:
        code = frame.f_code
        place = Place(self._relative(code.co_filename), frame.f_lineno, code.co_name)
        for source in sources:
            reading = Reading(source, call, place)
            self._readings.pop(reading, None)
            self._readings[reading] = None
        while len(self._readings) > LIMIT:
            self._readings.pop(next(iter(self._readings)), None)
