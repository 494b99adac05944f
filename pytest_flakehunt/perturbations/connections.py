"""Giving something to every connection of ``sqlite3``: to those that are open, and to those opened meanwhile.

An audit event tells of each connection that is made, however it is made, but
before it can be used; so they are met where ``sqlite3.connect`` returns them.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pytest_flakehunt.ground import project
from pytest_flakehunt.ground.stand_ins import Maker, standing

Give = Callable[[Any], object]
"""Is called with a connection."""
TOOLS = frozenset({"coverage", "testmon"})
"""Packages that keep what they note of tests in databases of their own."""


class Connections:
    """Those of tests and of what they call: ``aiosqlite``, SQLAlchemy and Django open theirs this way too."""

    def __init__(self, give: Give, take: Give | None = None) -> None:
        """Make one.

        Args:
            give: is called with each.
            take: is called in the end with each that is still open.
        """
        self._give, self._take = give, take
        self._given = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Give to all connections that are opened meanwhile, and to those that are open."""
        if "sqlite3" in sys.modules and _none_open_in != os.getppid():
            self._each(self._give)
        import sqlite3  # noqa: F401 - what is not imported cannot be stood in for

        try:
            with standing(self.stand_ins(), in_project=True):
                yield
        finally:
            if self._take is not None and self._given:
                self._each(self._take)

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what stands in for the function that opens connections."""
        return {"sqlite3:connect": self._opening}

    def _opening(self, connect: Callable[..., Any]) -> Callable[..., Any]:
        def opened(*args: Any, **kwargs: Any) -> Any:
            connection = connect(*args, **kwargs)
            if not _opens_for_a_tool(sys._getframe(1)):  # noqa: SLF001 - the only way to see who opens
                self._call(self._give, connection)
            return connection

        return opened

    def _each(self, call: Give) -> None:
        for each in _open():
            self._call(call, each)

    def _call(self, call: Give, given: Any) -> None:
        import sqlite3

        if issubclass(type(given), sqlite3.Connection):  # a factory may have made anything
            self._given = True
            with contextlib.suppress(sqlite3.Error):  # it is closed, or another thread's
                call(given)


_none_open_in = 0
"""The process that has opened none, and of which others are forked."""


def prepare() -> None:
    """See whether any connection is open, for processes that are forked by this one before anything else happens."""
    global _none_open_in  # noqa: PLW0603 - there is one such process
    import sqlite3

    opened = any(issubclass(type(each), sqlite3.Connection) for each in _open())
    _none_open_in = 0 if opened else os.getpid()


def _open() -> list[Any]:
    """Give what refers to a class of connections, those in it above all.

    To go through all objects there are, in Python, would touch each: a forked process would copy all of its memory.
    """
    import gc
    import sqlite3

    kinds: list[type] = [sqlite3.Connection]
    for kind in kinds:
        kinds.extend(type.__subclasses__(kind))
    return gc.get_referrers(*kinds)


def _opens_for_a_tool(frame: FrameType | None) -> bool:
    while frame is not None:
        package = project.package_of(frame)
        if package not in sys.stdlib_module_names and package != "pytest_flakehunt":
            return package in TOOLS and not project.owns(frame.f_code.co_filename)
        frame = frame.f_back
    return False
