import io

import pandas
import pytest


@pytest.fixture
def sales():
    return pandas.DataFrame({"item": ["bread", "milk", "bread"], "price": [3, 2, 4]})


def test_grouped(sales):
    assert sales.groupby("item")["price"].sum().to_dict() == {"bread": 7, "milk": 2}


def test_csv(sales):
    read = pandas.read_csv(io.StringIO(sales.to_csv(index=False)))
    pandas.testing.assert_frame_equal(read, sales, check_dtype=False)


def test_dates():
    days = pandas.date_range("2024-02-27", periods=4)
    assert [day.day for day in days] == [27, 28, 29, 1]


def test_zones():
    moment = pandas.Timestamp("2024-03-31 00:30", tz="UTC").tz_convert("Europe/Berlin")
    assert (moment + pandas.Timedelta(hours=1)).hour == 3


def test_merged(sales):
    stock = pandas.DataFrame({"item": ["bread"], "stock": [5]})
    assert len(sales.merge(stock, on="item")) == 2


def test_resampled():
    series = pandas.Series(range(4), index=pandas.date_range("2024-01-01", periods=4, freq="12h"))
    assert series.resample("D").sum().tolist() == [1, 5]
