"""What is no leak though it stays: threads that well-known libraries start once and keep, and what users add."""

import fnmatch
import re
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Kept(NamedTuple):
    """Something that stays and is no leak."""

    pattern: str
    """``KIND:NAME``, as shells have patterns."""
    library: str
    """Whose it is."""
    why: str
    module: str = ""
    """What must be loaded for it; empty where the name alone tells."""

    @property
    def once(self) -> bool:
        """Whether only the first test of a process that has it is forgiven: by its name it may be anybody's."""
        return bool(self.module)


FORGIVEN: Sequence[Kept] = (
    Kept("thread:tqdm.*", "tqdm", "the monitor of progress bars"),
    Kept("thread:pytest_timeout.*", "pytest-timeout", "a timer"),
    Kept("thread:execnet.*", "execnet", "the engine under pytest-xdist"),
    Kept("thread:xdist.*", "pytest-xdist", "its own"),
    Kept("thread:_pytest.*", "pytest", "its own"),
    Kept("thread:pydevd*", "pydevd", "a debugger"),
    Kept("thread:_pydev*", "pydevd", "a debugger"),
    Kept("thread:debugpy.*", "debugpy", "a debugger"),
    Kept("thread:coverage.*", "coverage", "its own"),
    Kept("thread:sentry_sdk.*", "Sentry's client", "worker and monitor"),
    Kept("thread:opentelemetry.*", "OpenTelemetry", "exporters"),
    Kept("thread:ddtrace.*", "Datadog's tracer", "its own"),
    Kept("thread:prometheus_client.*", "the client of Prometheus", "its own"),
    Kept("thread:py4j.*", "py4j", "the gateway of Spark"),
    Kept("thread:zmq.*", "ZeroMQ", "the collector of its contexts"),
    Kept("thread:trio._core._thread_cache.*", "trio", "idle threads, for ten seconds"),
    Kept("thread:multiprocessing.resource_sharer*", "multiprocessing", "its own"),
    Kept("thread:numba.*", "numba", "its own"),
    Kept("executor:joblib.*", "joblib", "its workers"),
    Kept("executor:loky.*", "joblib", "its workers"),
    Kept("process:*multiprocessing.resource_tracker*", "multiprocessing", "its own"),
    Kept("process:*multiprocessing.forkserver*", "multiprocessing", "its own"),
    Kept("process:*loky.backend*", "joblib", "its workers"),
    Kept("temp:*/pymp-*", "multiprocessing", "folders, until the interpreter ends"),
    Kept("file:/dev/shm/pym-*", "multiprocessing", "what its heap once had"),
    Kept("file:/dev/urandom", "whoever draws from it", "it gives random bytes to all"),
    Kept("file:/dev/null", "anybody", "takes nothing and gives nothing"),
    Kept("logging:logging.getLogger('uvicorn*').*", "uvicorn", "its loggers, set up with its first server"),
    Kept("logging:logging.getLogger('celery*').*", "celery", "its loggers, set up with its first app"),
    Kept("logging:logging.getLogger('multiprocessing').*", "celery", "the logger of its workers", "celery.app.log"),
    Kept("environ:os.environ[[]'CELERY_LOG_*']", "celery", "tells workers how to log"),
    Kept("environ:os.environ[[]'_MP_FORK_LOG*']", "celery", "tells workers how to log"),
    Kept("file:*/.xprocess/*/xprocess.log", "pytest-xprocess", "the log of a process that it keeps"),
    Kept("temp:*/.xprocess/*/xprocess.log", "pytest-xprocess", "the log of a process that it keeps"),
    Kept("file:anon_inode:[[]eventpoll]", "twisted", "its reactor's", "twisted.internet.reactor"),
    Kept("file:pipe", "twisted", "wakes its reactor", "twisted.internet.reactor"),
    Kept("file:stream socket (UNIX)", "twisted", "wakes its reactor", "twisted.internet.reactor"),
    Kept("signal:signal SIG*'s handler", "twisted", "its reactor's, once it has run", "twisted.internet.reactor"),
    Kept("file:anon_inode:[[]eventpoll]", "gevent", "its hub's", "gevent.hub"),
    Kept("file:anon_inode:[[]eventfd]", "gevent", "wakes its hub", "gevent.hub"),
    Kept("environ:os.environ[[]'_RJEM_MALLOC_CONF'[]]", "polars", "tells its allocator what to do, as it is imported"),
    Kept("file:anon_inode:[[]eventpoll]", "polars", "its runtime's", "polars"),
    Kept("file:anon_inode:[[]eventfd]", "polars", "its runtime's", "polars"),
    Kept("file:*/matplotlib/mpl-data/*", "matplotlib", "fonts that it has read"),
    Kept("file:pipe", "uvloop", "tells its loops of signals", "uvloop"),
)
"""What well-known libraries open or start once and keep."""


class Forgiven:
    """The list in use, in one process."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        """Make one.

        Args:
            more: patterns of the form ``KIND:NAME``, as in :data:`FORGIVEN`.
        """
        patterns = (*(kept.pattern for kept in FORGIVEN if not kept.once), *more)
        self._matches = re.compile("|".join(map(fnmatch.translate, patterns))).match
        self._once = [(kept, re.compile(fnmatch.translate(kept.pattern)).match) for kept in FORGIVEN if kept.once]
        self._first: dict[tuple[Kept, str], str] = {}
        """By what may be anybody's and its name: the test that had it first."""

    def __call__(self, kind: str, *names: str, nodeid: str = "") -> bool:
        """Tell whether a leak is forgiven: by its name, or by the module and name of what it runs.

        Args:
            kind: the leak's.
            names: the leak's, of which one is enough.
            nodeid: the test that it is told with.
        """
        said = [f"{kind}:{name}" for name in names]
        if any(map(self._matches, said)):
            return True
        for kept, matches in self._once:
            name = next(filter(matches, said), None) if kept.module in sys.modules else None
            if name is not None and self._first.setdefault((kept, name), nodeid) == nodeid:
                return True
        return False
