import pytest
from approvaltests import Options, verify, verify_all, verify_as_json
from approvaltests.namer import NamerFactory
from approvaltests.reporters import PythonNativeReporter

OPTIONS = Options().with_reporter(PythonNativeReporter())


def test_receipt():
    verify("bread 3\nmilk 2", options=OPTIONS)


def test_list():
    verify_all("prices", [3, 2], options=OPTIONS)


def test_json():
    verify_as_json({"bread": 3}, options=OPTIONS)


@pytest.mark.parametrize("n", [1, 2])
def test_squares(n):
    verify(n * n, options=NamerFactory.with_parameters(n).with_reporter(PythonNativeReporter()))


def test_plain():
    assert 2 + 2 == 4
