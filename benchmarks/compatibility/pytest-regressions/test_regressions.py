import pytest


def test_receipt(data_regression):
    data_regression.check({"bread": 3, "milk": 2})


@pytest.mark.parametrize("n", [1, 2])
def test_squares(data_regression, n):
    data_regression.check({"n": n, "square": n * n})


def test_text(file_regression):
    file_regression.check("bread and milk", extension=".txt")


def test_numbers(num_regression):
    num_regression.check({"x": [1.0, 2.0], "y": [1.5, 3.25]})


def test_table(dataframe_regression):
    import pandas

    dataframe_regression.check(pandas.DataFrame({"x": [1, 2], "y": [3, 4]}))
