import datetime
import time

import pytest


@pytest.mark.freeze_time("2024-02-29")
def test_marked():
    assert datetime.date.today() == datetime.date(2024, 2, 29)


def test_moved(freezer):
    freezer.move_to("2021-01-01")
    assert time.time() == 1609459200


def test_tick(freezer):
    before = datetime.datetime.now()
    freezer.tick(60)
    assert datetime.datetime.now() - before == datetime.timedelta(minutes=1)


def test_still(freezer):
    before = time.time()
    time.sleep(0.01)
    assert time.time() == before


@pytest.mark.freeze_time
def test_marked_and_moved(freezer):
    freezer.move_to("2020-05-05")
    assert datetime.datetime.now().month == 5
