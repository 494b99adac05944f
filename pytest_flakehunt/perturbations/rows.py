"""The order in which SQL gives rows where none is asked for."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import connections
from pytest_flakehunt.perturbations.connections import Connections

REVERSED = "reversed"
PRAGMA = "PRAGMA reverse_unordered_selects"
"""SQLite's own means of finding what counts on an order."""


@dataclass(frozen=True, slots=True)
class Reversed:
    """The other way round from what SQLite gives by itself, on every connection.

    It looks at tables and indexes from their ends. Which rows a statement
    gives, and how many, stays the same, but for a ``LIMIT`` without an order.
    """

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 1.0

    def __str__(self) -> str:
        return REVERSED

    def prepare(self) -> None:
        """Find what it looks for in the project's modules, and import what it stands in for."""
        import sqlite3.dump  # noqa: F401

        connections.prepare()
        learn([*stand_ins(), *Connections(Pragma().give).stand_ins()], in_project=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Reverse them on all connections, and set those that are still open right again in the end."""
        pragma = Pragma()
        with Connections(pragma.give, pragma.take).held():
            import sqlite3.dump  # noqa: F401 - what is not imported cannot be stood in for

            with standing(stand_ins()):
                yield


def stand_ins() -> Mapping[str, Maker]:
    """Give what stands in for the function behind ``Connection.iterdump``."""
    return {"sqlite3.dump:_iterdump": _dumping_as_ever}


def _dumping_as_ever(original: Callable[..., Iterator[str]]) -> Callable[..., Iterator[str]]:
    """Let a dump name views before their triggers: it takes them as they were made, which no machine changes."""

    def _iterdump(connection: Any, *args: Any, **kwargs: Any) -> Iterator[str]:
        turned = is_on(connection)
        if turned:
            switch(connection, on=False)
        try:
            yield from original(connection, *args, **kwargs)
        finally:
            if turned:
                switch(connection, on=True)

    return _iterdump


class Pragma:
    """Gives connections the pragma, and takes it from those that had it from us."""

    def __init__(self) -> None:
        self._theirs: set[int] = set()
        """Connections on which the suite had set it itself."""

    def give(self, connection: Any) -> None:
        """Turn it on for a connection."""
        if is_on(connection):
            self._theirs.add(id(connection))
        else:
            switch(connection, on=True)

    def take(self, connection: Any) -> None:
        """Turn it off again."""
        if id(connection) not in self._theirs:
            switch(connection, on=False)


def is_on(connection: Any) -> bool:
    """Tell whether a connection reverses rows."""
    return bool(_asked(connection, PRAGMA)[0][0])


def switch(connection: Any, *, on: bool) -> None:
    """Have a connection reverse rows, or not."""
    _asked(connection, f"{PRAGMA}={'ON' if on else 'OFF'}")


def _asked(connection: Any, statement: str) -> list[Any]:
    """Ask with a cursor that knows nothing of what the suite makes of rows and cursors."""
    import sqlite3

    cursor = sqlite3.Cursor(connection)
    try:
        return cursor.execute(statement).fetchall()
    finally:
        cursor.close()


class Orders:
    """The order of rows that SQL promises none of."""

    name = "rows"
    sources = frozenset({"database"})
    allowed = REVERSED

    @property
    def unavailable(self) -> str:
        """Say why no rows can be reversed here; empty where they can."""
        return "" if "_sqlite3" in sys.modules or importlib.util.find_spec("_sqlite3") else "this Python has no sqlite3"

    @staticmethod
    def idle() -> str:
        """Say that rows come in the same order as ever; empty where they come the other way round."""
        import sqlite3

        with standing(Connections(Pragma().give).stand_ins()), closing(sqlite3.connect(":memory:")) as database:
            database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY)")
            database.executemany("INSERT INTO rows VALUES (?)", ((number,) for number in range(3)))
            found = [row[0] for row in database.execute("SELECT number FROM rows")]
        return "" if found == [2, 1, 0] else "rows come in the same order as ever"

    def draw(self, seed: int, turn: int) -> Reversed:
        """There is but one other way."""
        del seed, turn
        return Reversed()

    def read(self, text: str) -> Reversed:
        """Read the one word."""
        if text != REVERSED:
            raise SettingError(f"rows={text}: give {self.allowed}")
        return Reversed()
