"""Rows that come in another order: which, on which connections, and what stays as it was."""

import contextlib
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.instruments.source_watch import Watch
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import SettingError
from pytest_flakehunt.perturbations.rows import PRAGMA, Orders, Reversed, is_on

NAMES = ["Ada", "Grace", "Hedy", "Mary"]
SEATS = "CREATE TABLE guests (name, side); CREATE INDEX sides ON guests (side);"


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"clock", "resolution", "rows"}:
            pytest.skip(f"already under {plugin.plan}")


class Kept(sqlite3.Connection):
    """A connection that is opened by its class, and says nothing of itself by the usual names."""

    def execute(self, *_args: Any) -> Any:
        raise AssertionError("it is not ours to call")

    cursor = execute  # type: ignore[assignment]


def filled(database: sqlite3.Connection) -> sqlite3.Connection:
    made = sqlite3.Cursor(database)
    made.executescript(SEATS)
    made.executemany("INSERT INTO guests VALUES (?, ?)", [(name, place % 2) for place, name in enumerate(NAMES)])
    database.commit()
    return database


@pytest.fixture
def opened() -> Iterator[Callable[..., sqlite3.Connection]]:
    with contextlib.ExitStack() as undo:

        def opened(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = sqlite3.connect(*(args or (":memory:",)), **kwargs)
            return filled(undo.enter_context(contextlib.closing(connection)))

        yield opened


def asked(database: sqlite3.Connection, query: str = "SELECT name FROM guests") -> list[Any]:
    return [row[0] for row in sqlite3.Cursor(database).execute(query)]


def test_rows_come_the_other_way_round(opened: Callable[..., sqlite3.Connection]) -> None:
    with Reversed().held():
        assert asked(opened()) == NAMES[::-1]
    assert asked(opened()) == NAMES


REVERSED = [
    "SELECT name FROM guests",
    "SELECT rowid FROM guests WHERE rowid > 1",
    "SELECT name FROM guests WHERE side = 1",
    "SELECT name FROM guests WHERE side >= 0",
    "SELECT a.name || b.name FROM guests a, guests b",
    "SELECT name FROM sqlite_master",
]
AS_EVER = [
    "SELECT name FROM guests ORDER BY side",
    "SELECT name FROM guests ORDER BY side LIMIT 3",
    "SELECT DISTINCT side FROM guests",
    "SELECT count(*) FROM guests GROUP BY side",
    "SELECT group_concat(name) FROM guests GROUP BY side",
    "SELECT side FROM guests UNION SELECT rowid FROM guests",
    "SELECT max(name) FROM guests",
    "VALUES (1), (2)",
    "PRAGMA table_info(guests)",
    "UPDATE guests SET side = 0 RETURNING name",
]


@pytest.mark.parametrize("query", [*REVERSED, *AS_EVER])
def test_which_statements_it_reverses(opened: Callable[..., sqlite3.Connection], query: str) -> None:
    before = asked(opened(), query)
    assert len(before) > 1 or "max" in query
    with Reversed().held():
        assert asked(opened(), query) == (before[::-1] if query in REVERSED else before)


def test_a_limit_without_an_order_takes_others_but_as_many(opened: Callable[..., sqlite3.Connection]) -> None:
    with Reversed().held():
        assert asked(opened(), "SELECT name FROM guests LIMIT 3") == ["Mary", "Hedy", "Grace"]


def test_connections_of_other_classes_and_those_that_are_open(opened: Callable[..., sqlite3.Connection]) -> None:
    open_before = opened(factory=Kept)
    with contextlib.closing(filled(Kept(":memory:"))) as of_its_class:
        with Reversed().held():
            inside = opened(factory=Kept)
            assert [asked(each) for each in (open_before, of_its_class, inside)] == [NAMES[::-1]] * 3
        assert [asked(each) for each in (open_before, of_its_class, inside)] == [NAMES] * 3


def test_what_the_suite_sets_itself_stays(opened: Callable[..., sqlite3.Connection]) -> None:
    theirs = opened()
    theirs.execute(f"{PRAGMA}=ON")
    with Reversed().held():
        plain = opened()
        plain.execute(f"{PRAGMA}=OFF")
        assert asked(plain) == NAMES
        assert list(plain.iterdump())
        assert asked(plain) == NAMES
    assert is_on(theirs)
    assert not is_on(plain)


def test_nothing_that_a_suite_made_of_its_connection_is_asked(opened: Callable[..., sqlite3.Connection]) -> None:
    seen: list[Any] = []
    database = opened(isolation_level=None)
    database.row_factory = lambda _cursor, row: seen.append(row)
    running = sqlite3.Cursor(database)
    running.execute("SELECT name FROM guests")
    first = running.fetchone()
    changes = database.total_changes
    with Reversed().held():
        assert [first, *running] == [(name,) for name in NAMES]  # what runs runs on
        assert (database.in_transaction, database.total_changes) == (False, changes)
    assert seen == []


def test_a_suite_that_allows_no_pragma_keeps_its_order(opened: Callable[..., sqlite3.Connection]) -> None:
    database = opened()
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == 19 else sqlite3.SQLITE_OK)
    with Reversed().held():
        assert asked(database) == NAMES
    assert asked(database) == NAMES


def test_a_factory_may_make_anything() -> None:
    with Reversed().held():
        assert sqlite3.connect(":memory:", factory=lambda *_args, **_kwargs: 3) == 3  # type: ignore[call-overload]


def test_a_dump_can_be_read_back(opened: Callable[..., sqlite3.Connection]) -> None:
    view = "CREATE VIEW names AS SELECT name FROM guests"
    trigger = "CREATE TRIGGER new INSTEAD OF INSERT ON names BEGIN INSERT INTO guests VALUES (new.name, 0); END"
    with Reversed().held():
        database = opened()
        database.executescript(f"{view}; {trigger}")
        dump = list(database.iterdump())
        half = database.iterdump()
        next(half)
        half.close()
        assert asked(database) == NAMES[::-1]
        with contextlib.closing(sqlite3.connect(":memory:")) as other:
            other.executescript("\n".join(dump))
            assert asked(other) == NAMES[::-1]
    assert list(database.iterdump()) == dump


def test_a_copy_is_a_copy(opened: Callable[..., sqlite3.Connection], tmp_path: Path) -> None:
    with Reversed().held():
        database = opened(tmp_path / "a.db")
        with contextlib.closing(sqlite3.connect(tmp_path / "b.db")) as other:
            database.backup(other)
        database.execute("VACUUM")
        assert asked(database, "PRAGMA integrity_check") == ["ok"]
    with contextlib.closing(sqlite3.connect(tmp_path / "b.db")) as other:
        assert asked(other) == asked(database) == NAMES


def test_databases_of_tools_are_left_alone(opened: Callable[..., sqlite3.Connection]) -> None:
    names = {"__name__": "coverage.sqldata", "sqlite3": sqlite3}
    tool = f"{sys.prefix}/lib/site-packages/coverage/sqldata.py"
    exec(compile("def connect(): return sqlite3.connect(':memory:')", tool, "exec"), names)
    with Reversed().held(), contextlib.closing(names["connect"]()) as theirs:  # type: ignore[operator]
        assert not is_on(theirs)
        assert is_on(opened())


def test_a_test_that_asks_a_database_is_known(request: pytest.FixtureRequest) -> None:
    with Watch(lambda: ()).during(request.node) as noted, contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute("SELECT 1")
    assert "database" in noted
    with Watch(lambda: ()).during(request.node) as noted:
        sqlite3.complete_statement("SELECT 1;")
    assert "database" not in noted


def test_its_one_word_is_read() -> None:
    assert str(Orders().read("reversed")) == str(Orders().draw(1, 3)) == "reversed"
    assert Orders().unavailable == ""
    with pytest.raises(SettingError, match=r"^rows=shuffled: give reversed$"):
        Orders().read("shuffled")
