import os
import time
from pathlib import Path


class Till:
    def pay(self, amount):
        return amount


def test_patch(mocker):
    mocker.patch("os.getcwd", return_value="/nowhere")
    assert os.getcwd() == "/nowhere"


def test_patched_clock(mocker):
    mocker.patch("time.time", return_value=7.0)
    assert time.time() == 7.0


def test_autospec(mocker):
    listdir = mocker.patch("os.listdir", autospec=True, return_value=["a"])
    assert os.listdir("/") == ["a"]
    listdir.assert_called_once_with("/")


def test_spy(mocker):
    spy = mocker.spy(Till, "pay")
    till = Till()
    assert till.pay(3) == 3
    spy.assert_called_once_with(till, 3)


def test_stub(mocker):
    stub = mocker.stub(name="heard")
    stub("x")
    stub.assert_called_once_with("x")


def test_mock_open(mocker):
    mocker.patch("builtins.open", mocker.mock_open(read_data="bread"))
    with open("prices", encoding="utf-8") as file:
        assert file.read() == "bread"


def test_patched_method(mocker):
    mocker.patch.object(Path, "exists", return_value=True)
    assert Path("/no/such/file").exists()
