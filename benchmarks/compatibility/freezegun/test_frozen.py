import datetime
import time

import pytest
from freezegun import freeze_time


@freeze_time("2024-02-29 12:00:00")
def test_decorated():
    assert datetime.date.today() == datetime.date(2024, 2, 29)


def test_block():
    with freeze_time("2021-01-01"):
        assert time.time() == 1609459200


def test_tick():
    with freeze_time("2021-01-01 00:00:00") as frozen:
        frozen.tick(90)
        assert datetime.datetime.now() == datetime.datetime(2021, 1, 1, 0, 1, 30)


@freeze_time("2021-06-01", tz_offset=2)
def test_offset():
    assert datetime.datetime.now() - datetime.datetime.utcnow() == datetime.timedelta(hours=2)


@pytest.mark.parametrize("day", [1, 31])
def test_days(day):
    with freeze_time(f"2021-12-{day:02}"):
        assert datetime.date.today().day == day


def test_time_goes_on_afterwards():
    with freeze_time("2021-01-01"):
        pass
    assert time.time() > 1609459200 + 86400
