"""Clocks that C reads, which show the true time under a moved one: made to agree where that is safe, else known.

SQLite's date functions are replaced on each connection by such that take
``now`` from the clock shown. gRPC's Python half, which hands points in time to
its C half, is shown the true time as well. What OpenSSL, pydantic and numpy
ask cannot be changed: a failure that comes of two clocks that disagree is
recognised, and says nothing of the test.
"""

import functools
import importlib.util
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from threading import RLock
from types import CodeType, FrameType, ModuleType
from typing import Any

from pytest_flakehunt.ground import auditing
from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.perturbations import connections
from pytest_flakehunt.perturbations.connections import Connections
from pytest_flakehunt.perturbations.replacing import replaced

Clock = Callable[[], float]
"""Gives seconds since 1970."""
_fromtimestamp = datetime.fromtimestamp


def prepare() -> None:
    """Find what is asked of originals for that."""
    learn(stand_ins())
    if importlib.util.find_spec("_sqlite3"):
        connections.prepare()
        learn(Dates(time.time).connections().stand_ins(), in_project=True)


@contextmanager
def agreeing(shown: Clock, true: Clock) -> Iterator[Callable[[], None]]:
    """Let what can be made to agree with the clock agree with it.

    Args:
        shown: the time shown.
        true: the true time.

    Yields:
        What is to be called as each test starts.
    """
    with ExitStack() as undo:
        if importlib.util.find_spec("_sqlite3"):
            undo.enter_context(Dates(shown).held())
        undo.enter_context(standing(stand_ins()))
        undo.enter_context(GRPC(true).held())
        yield _disagreed.clear


# SQLite

PLACES = {"date": 0, "time": 0, "datetime": 0, "julianday": 0, "unixepoch": 0, "strftime": 1}
"""SQLite's date functions, and which of their arguments is a point in time: ``now`` where it is missing."""
KEYWORDS = {"current_date": "date", "current_time": "time", "current_timestamp": "datetime"}


class Dates:
    """Gives connections date functions that take the time shown for ``now``; for all else they ask SQLite's own."""

    def __init__(self, shown: Clock) -> None:
        """Make one.

        Args:
            shown: the time shown.
        """
        self._shown, self._lock = shown, RLock()
        self._own: Any = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Give them to all connections that are opened meanwhile, and to those that are open; these keep them."""
        with self.connections().held():
            import sqlite3

            with closing(sqlite3.Connection(":memory:", check_same_thread=False)) as self._own:
                yield

    def connections(self) -> Connections:
        """Give those that they are given to."""
        return Connections(self._give)

    def _give(self, connection: Any) -> None:
        import sqlite3

        calls = {name: (name, -1, place) for name, place in PLACES.items()}
        calls |= {name: (function, 0, 0) for name, function in KEYWORDS.items()}
        for name, (function, count, place) in calls.items():
            call = functools.partial(self._call, function, place)
            sqlite3.Connection.create_function(connection, name, count, call, deterministic=True)

    def _call(self, function: str, place: int, *args: Any) -> Any:
        import sqlite3

        given = list(args)
        if len(given) == place:
            given.append("now")
        if len(given) > place and isinstance(given[place], str) and given[place].strip().lower() == "now":
            given[place] = _fromtimestamp(self._shown(), UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        with self._lock:
            query = f"SELECT {function}({','.join('?' * len(given))})"
            try:
                return self._own.execute(query, given).fetchone()[0]
            except sqlite3.ProgrammingError:  # it is closed: the clock was let go since
                with closing(sqlite3.Connection(":memory:")) as own:
                    return own.execute(query, given).fetchone()[0]


# gRPC

COUNTING = (
    "grpc._cython.cygrpc", "grpc._channel", "grpc._server", "grpc._utilities", "grpc.aio._utils", "grpc.beta.utilities",
)  # fmt: skip
"""Modules that reckon with points in time which C compares with its own clock."""


class GRPC:
    """Shows the true time to code that hands points in time to C."""

    def __init__(self, true: Clock) -> None:
        """Make one.

        Args:
            true: the true time.
        """
        self._undo = ExitStack()
        self._time = ModuleType("time")
        vars(self._time).update(vars(time))
        self._time.time = true  # type: ignore[attr-defined]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Show it to those modules for a while, whenever they are imported."""
        with self._undo, auditing.when_imported(COUNTING, self._show):
            yield

    def _show(self, _name: str, module: ModuleType) -> None:
        if getattr(module, "time", None) is time:
            self._undo.enter_context(replaced(module, "time", self._time))


# what cannot be changed, and is known

TLS = "OpenSSL holds certificates against the true time"
PYDANTIC = "pydantic holds what must lie in the past or the future against the true time"
NUMPY = "numpy's datetime64 takes 'now' and 'today' from the true time"
OUT_OF_DATE = frozenset({9, 10})
"""Codes of OpenSSL: a certificate that is not valid yet, or no more."""
PAST_OR_FUTURE = frozenset({"date_past", "date_future", "datetime_past", "datetime_future"})
"""Types of pydantic's errors."""
MOST_ERRORS = 50
"""Errors that are looked through, at most, for what led to one."""
_disagreed: list[str] = []
"""What has disagreed since the test began."""


def stand_ins() -> Mapping[str, Maker]:
    """Give what notes handshakes that fail for a certificate's dates, whatever the test makes of that."""
    return dict.fromkeys(("ssl:SSLSocket.do_handshake", "ssl:SSLObject.do_handshake"), _noting_dates)


def _noting_dates(original: Callable[..., Any]) -> Callable[..., Any]:
    def do_handshake(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except OSError as error:
            if _out_of_date(error):
                _disagreed.append(TLS)
            raise

    return do_handshake


def disputed(error: BaseException, test: object) -> str:
    """Say which clock disagrees with the one shown where a failure comes of that; empty where none is known to.

    Args:
        error: what the test failed with.
        test: its function.
    """
    if _disagreed:
        return _disagreed[0]
    errors = list(_led_to(error))
    if any(map(_out_of_date, errors)):
        return TLS
    if any(map(_past_or_future, errors)):
        return PYDANTIC
    if "numpy" in sys.modules and any(map(_asks_numpy, _code(errors, test))):
        return NUMPY
    return ""


def _led_to(error: BaseException) -> Iterator[BaseException]:
    """Give an error, and those that led to it."""
    layer, seen = [error], set[int]()
    while layer and len(seen) < MOST_ERRORS:
        each = layer.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        within = each.exceptions if isinstance(each, BaseExceptionGroup) else each.args
        further = (each.__cause__, each.__context__, getattr(each, "reason", None), *within)
        layer.extend(one for one in further if isinstance(one, BaseException))


def _out_of_date(error: BaseException) -> bool:
    """Tell whether a certificate's dates are held against it, here or by the other side."""
    if type(error).__module__ != "ssl":
        return False
    return getattr(error, "verify_code", None) in OUT_OF_DATE or "CERTIFICATE_EXPIRED" in str(
        getattr(error, "reason", "")
    )


def _past_or_future(error: BaseException) -> bool:
    """Tell whether pydantic refused what must lie in the past or the future, or did not as it should have."""
    if _pydantics(type(error)):
        return any(one["type"] in PAST_OR_FUTURE for one in error.errors())  # type: ignore[attr-defined]
    if not str(error).startswith("DID NOT RAISE"):
        return False
    raising = [frame.f_locals.get("self") for frame in _frames(error)]
    named = ("expected_exceptions", "expected_exception")  # the second one before pytest 8.4
    awaited = [getattr(each, name, ()) for each in raising for name in named]
    return any(_pydantics(kind) for some in awaited for kind in (some if isinstance(some, tuple) else (some,)))


def _pydantics(kind: type) -> bool:
    return kind.__name__ == "ValidationError" and kind.__module__.startswith("pydantic_core")


def _code(errors: Iterable[BaseException], test: object) -> Iterator[CodeType]:
    """Give the code that some errors came through, and that of the test."""
    if isinstance(code := getattr(test, "__code__", None), CodeType):
        yield code
    for error in errors:
        for frame in _frames(error):
            yield frame.f_code


def _frames(error: BaseException) -> Iterator[FrameType]:
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame
        step = step.tb_next


def _asks_numpy(code: CodeType) -> bool:
    return "datetime64" in code.co_names and not {"now", "today"}.isdisjoint(_texts(code))


def _texts(code: CodeType) -> set[str]:
    return {constant for constant in code.co_consts if isinstance(constant, str)}
