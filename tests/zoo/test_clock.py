"""Date bugs in windows of different width."""

import datetime
import time


def test_same_day_next_year():
    today = datetime.date.today()
    assert today.replace(year=today.year + 1) > today


def test_certificate_is_valid():
    assert time.time() < datetime.datetime(2037, 1, 1, tzinfo=datetime.timezone.utc).timestamp()


def test_asks_twice_around_midnight():
    before = datetime.date.today()
    time.sleep(0.02)
    assert datetime.date.today() == before
