"""What is no leak though it stays: threads that well-known libraries start once and keep, and what users add."""

import fnmatch
import re
from collections.abc import Iterable, Sequence

FORGIVEN: Sequence[tuple[str, str]] = (
    ("thread:tqdm.*", "the monitor of progress bars"),
    ("thread:pytest_timeout.*", "a timer of pytest-timeout"),
    ("thread:execnet.*", "the engine under pytest-xdist"),
    ("thread:xdist.*", "pytest-xdist"),
    ("thread:_pytest.*", "pytest"),
    ("thread:pydevd*", "a debugger"),
    ("thread:_pydev*", "a debugger"),
    ("thread:debugpy.*", "a debugger"),
    ("thread:coverage.*", "coverage"),
    ("thread:sentry_sdk.*", "the worker and monitor of Sentry's client"),
    ("thread:opentelemetry.*", "exporters of OpenTelemetry"),
    ("thread:ddtrace.*", "Datadog's tracer"),
    ("thread:prometheus_client.*", "the client of Prometheus"),
    ("thread:py4j.*", "the gateway of Spark"),
    ("thread:zmq.*", "the collector of ZeroMQ's contexts"),
    ("thread:trio._core._thread_cache.*", "trio keeps idle threads for ten seconds"),
    ("thread:multiprocessing.resource_sharer*", "multiprocessing's own"),
    ("thread:numba.*", "numba's threads"),
    ("executor:joblib.*", "joblib keeps its workers"),
    ("executor:loky.*", "joblib keeps its workers"),
    ("process:*multiprocessing.resource_tracker*", "multiprocessing's own"),
    ("process:*multiprocessing.forkserver*", "multiprocessing's own"),
    ("process:*loky.backend*", "joblib keeps its workers"),
    ("temp:*/pymp-*", "multiprocessing's own, until the interpreter ends"),
    ("file:/dev/shm/pym-*", "the heap of multiprocessing keeps what it once had"),
    ("file:/dev/urandom", "kept by whoever draws from it"),
    ("file:/dev/null", "takes nothing and gives nothing"),
)
"""Patterns, and what they forgive."""


class Forgiven:
    """The list in use."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        """Make one.

        Args:
            more: patterns of the form ``KIND:NAME``, as in :data:`FORGIVEN`.
        """
        patterns = (*(pattern for pattern, _ in FORGIVEN), *more)
        self._matches = re.compile("|".join(map(fnmatch.translate, patterns))).match

    def __call__(self, kind: str, *names: str) -> bool:
        """Tell whether a leak is forgiven: by its name, or by the module and name of what it runs."""
        return any(self._matches(f"{kind}:{name}") for name in names)
