import datetime


def test_no_zone_is_farther_than_thirteen_hours():
    offset = datetime.datetime(2024, 1, 15, 12).astimezone().utcoffset()
    assert offset <= datetime.timedelta(hours=13)
