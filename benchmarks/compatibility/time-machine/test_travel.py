import datetime
import time

import pytest
import time_machine

THERE = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)


@time_machine.travel(THERE, tick=False)
def test_decorated():
    assert time.time() == THERE.timestamp()


def test_block():
    with time_machine.travel(THERE):
        assert datetime.datetime.now(datetime.UTC) - THERE < datetime.timedelta(hours=1)


def test_fixture(time_machine):
    time_machine.move_to(THERE, tick=False)
    assert datetime.datetime.now(datetime.UTC) == THERE


def test_shift():
    with time_machine.travel(THERE, tick=False) as traveller:
        traveller.shift(60)
        assert time.time() == THERE.timestamp() + 60


@pytest.mark.parametrize("year", [2000, 2038])
def test_years(year):
    with time_machine.travel(datetime.datetime(year, 6, 1, tzinfo=datetime.UTC)):
        assert datetime.datetime.now(datetime.UTC).year == year
