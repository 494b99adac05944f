from datetime import date
from pathlib import Path

from pytest_flakehunt.analysis.fingerprints import named
from pytest_flakehunt.model import Entry
from pytest_flakehunt.quarantine import sources

BEFORE = """
import pytest

class TestShop:
    @pytest.mark.parametrize("n", [1])
    def test_price(self, n):  # of tea
        assert n == 1

if True:
    def test_loose():
        def inner():
            return 1
        assert inner() == 1
"""


def write(folder: Path, text: str = BEFORE, name: str = "test_shop.py") -> Path:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    sources.functions.cache_clear()
    return folder


def test_a_body_outlives_another_name_place_and_layout(tmp_path: Path) -> None:
    body = sources.body_of(write(tmp_path), "test_shop.py::TestShop::test_price[1]")
    assert len(body) == 16
    moved = BEFORE.replace("class TestShop", "X = 1\n\nclass TestTill").replace("test_price", "test_cost")
    write(tmp_path, moved.replace("n == 1", "n  ==  1  # still"), "other/test_till.py")
    (tmp_path / "test_shop.py").unlink()
    assert sources.alike(tmp_path, body) == ["other/test_till.py::TestTill::test_cost"]


def test_another_body_is_another_one(tmp_path: Path) -> None:
    body = sources.body_of(write(tmp_path), "test_shop.py::test_loose")
    assert body != sources.body_of(write(tmp_path, BEFORE.replace("return 1", "return 2")), "test_shop.py::test_loose")


def test_what_has_no_source_has_no_body(tmp_path: Path) -> None:
    write(tmp_path)
    assert sources.body_of(tmp_path, "test_shop.py::test_inherited") == ""
    assert sources.body_of(tmp_path, "nowhere.py::test_x") == ""
    assert sources.body_of(write(tmp_path, "def (", "test_bad.py"), "test_bad.py::test_x") == ""
    assert sources.alike(tmp_path, "") == []


def test_an_entry_follows_its_test_with_what_its_failures_are_told_by(tmp_path: Path) -> None:
    at = ("call E test_shop.py::TestShop.test_price assert n==1", "call E shop.py::price raise E", "by hand")
    prints = tuple(named(*text.split(" ", 2)) for text in at[:2])
    day = date(2026, 12, 1)
    entry = Entry(
        "test_shop.py::TestShop::test_price[1]",
        day,
        day,
        prints,
        at,
        repro="pytest test_shop.py::TestShop::test_price[1]",
    )
    write(tmp_path, BEFORE.replace("TestShop", "TestTill"), "deep/test_till.py")
    found = sources.renamed(tmp_path, entry, "deep/test_till.py::TestTill::test_price[1]")
    assert found.at == ("call E test_till.py::TestTill.test_price assert n==1", *at[1:])
    assert found.fingerprints == (named(*found.at[0].split(" ", 2)), prints[1])
    assert found.repro == "pytest deep/test_till.py::TestTill::test_price[1]"
    assert len(found.body) == 16


def test_lines_are_told_as_failures_tell_them(tmp_path: Path) -> None:
    path = write(tmp_path) / "test_shop.py"
    assert sources.statements(path, {7, 12, 2}) == {
        "test_shop.py::TestShop.test_price assert n==1",
        "test_shop.py::test_loose.inner return 1",
        "test_shop.py import pytest",
    }
