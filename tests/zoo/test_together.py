"""Two settings that fail only together, and two modes in one test, each with a cause of its own."""

import datetime
import os


def test_leap_day_far_east():
    today = datetime.datetime.now()
    offset = datetime.datetime(2024, 1, 15, 12).astimezone().utcoffset()
    assert not ((today.month, today.day) == (2, 29) and offset > datetime.timedelta(hours=3))


def test_fails_in_two_ways():
    today = datetime.date.today()
    today.replace(year=today.year + 1)
    assert len(os.sched_getaffinity(0)) > 1
