import sqlite3
from contextlib import closing


def test_who_came_first_is_first():
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE guests (name)")
        database.executemany("INSERT INTO guests VALUES (?)", [("Ada",), ("Grace",), ("Mary",)])
        assert database.execute("SELECT name FROM guests").fetchone() == ("Ada",)
