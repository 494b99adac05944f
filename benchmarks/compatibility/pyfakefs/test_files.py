import os
from os import listdir, scandir
from pathlib import Path

import pytest


def test_write(fs):
    Path("/shop").mkdir()
    Path("/shop/prices.txt").write_text("bread 3\n", "utf-8")
    assert Path("/shop/prices.txt").read_text("utf-8") == "bread 3\n"


def test_open(fs):
    with open("here.txt", "w", encoding="utf-8") as file:
        file.write("here")
    assert os.path.getsize("here.txt") == 4


def test_list(fs):
    for name in ("a", "b", "c"):
        fs.create_file(f"/shop/{name}")
    assert sorted(os.listdir("/shop")) == ["a", "b", "c"]
    assert sorted(entry.name for entry in os.scandir("/shop")) == ["a", "b", "c"]


def test_glob(fs):
    fs.create_file("/shop/a.txt")
    fs.create_file("/shop/b.md")
    assert [path.name for path in Path("/shop").glob("*.txt")] == ["a.txt"]
    assert [sorted(names) for _, _, names in os.walk("/shop")] == [["a.txt", "b.md"]]


def test_imported_functions(fs):
    fs.create_file("/there/one")
    assert listdir("/there") == ["one"]
    assert [entry.name for entry in scandir("/there")] == ["one"]


def test_written_to_the_fake_alone(fs):
    fs.makedirs("/tmp", exist_ok=True)
    with open("/tmp/flakehunt-compatibility-pyfakefs", "w", encoding="utf-8") as file:
        file.write("x")
    assert fs.exists("/tmp/flakehunt-compatibility-pyfakefs")


def test_missing(fs):
    with pytest.raises(FileNotFoundError):
        open("/no/such/file", encoding="utf-8")


def test_real_files_are_seen_when_added(fs):
    fs.add_real_file(__file__)
    assert "def test_write" in Path(__file__).read_text("utf-8")


def test_no_fake(tmp_path):
    (tmp_path / "real").write_text("x", "utf-8")
    assert os.listdir(tmp_path) == ["real"]
