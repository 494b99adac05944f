"""Another language and country: with locales that are built for the test."""

import locale
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import SettingError
from pytest_flakehunt.perturbations.locale import CATEGORIES, Locale, Locales

LOCALEDEF = shutil.which("localedef")
GERMAN = "de_DE.UTF-8"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Locales of our own: hardly any container has one."""
    if LOCALEDEF is None:
        pytest.skip("there is no localedef")
    folder = tmp_path_factory.mktemp("locales")
    for name in ("de_DE", "tr_TR"):
        built = subprocess.run(
            [LOCALEDEF, "-i", name, "-f", "UTF-8", str(folder / f"{name}.UTF-8")], capture_output=True, check=False
        )
        if built.returncode > 1:
            pytest.skip("the sources of locales are not installed")
    return folder


@pytest.fixture
def german(request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"locale"}:
            pytest.skip(f"already under {plugin.plan}")
    monkeypatch.setenv("LOCPATH", str(folder))
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.mark.usefixtures("german")
def test_what_python_takes_from_the_environment_as_it_starts_is_the_locales() -> None:
    before = {category: locale.setlocale(category) for category in CATEGORIES}
    with Locale(GERMAN).held():
        assert locale.setlocale(locale.LC_CTYPE) == GERMAN
        assert locale.setlocale(locale.LC_NUMERIC) == "C"
        assert time.strftime("%B", time.gmtime(0)) == "January"
        assert os.environ["LC_ALL"] == os.environ["LANG"] == GERMAN
        locale.setlocale(locale.LC_ALL, "")
        assert time.strftime("%B", time.gmtime(0)) == "Januar"
        assert locale.format_string("%.1f", 1.5) == "1,5"
    assert {category: locale.setlocale(category) for category in CATEGORIES} == before


TAKEN = """
import locale, os, time
from pytest_flakehunt.perturbations.locale import Locale
locale.setlocale(locale.LC_TIME, "")
with Locale("de_DE.UTF-8").held():
    print(time.strftime("%B", time.gmtime(0)), locale.setlocale(locale.LC_NUMERIC), os.environ.get("LANGUAGE"))
print(locale.setlocale(locale.LC_TIME), os.environ["LANGUAGE"])
os.environ["LC_ALL"] = "C"
with Locale("de_DE.UTF-8").held():
    print(os.environ["LC_ALL"])
"""


def test_what_the_suite_took_from_the_environment_follows_and_what_it_put_there_stays(folder: Path) -> None:
    environ = {**os.environ, "LOCPATH": str(folder), "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr"}
    done = subprocess.run([sys.executable, "-c", TAKEN], env=environ, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.splitlines() == ["Januar C None", "tr_TR.UTF-8 tr", "C"]


@pytest.mark.usefixtures("german")
def test_what_the_suite_chose_itself_stays() -> None:
    locale.setlocale(locale.LC_TIME, "tr_TR.UTF-8")
    with Locale(GERMAN).held():
        assert locale.setlocale(locale.LC_TIME) == "tr_TR.UTF-8"


@pytest.mark.usefixtures("german")
def test_other_locales_than_the_machines_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", GERMAN)
    drawn = {str(Locales().draw(seed, turn)) for seed in range(3) for turn in range(9)}
    assert "tr_TR.UTF-8" in drawn
    assert GERMAN not in drawn
    assert not Locales().unavailable
    assert GERMAN in map(str, Locale("tr_TR.UTF-8").simpler())
    monkeypatch.setenv("LANG", "no_SUCH.UTF-8")
    assert "tr_TR.UTF-8" in {str(Locales().draw(seed, turn)) for seed in range(3) for turn in range(9)}


@pytest.mark.parametrize("text", ["de_DE", "C", "de_DE.ISO-8859-1", "no_SUCH.UTF-8", "\u0000.UTF-8"])
def test_only_installed_locales_in_utf_8_are_taken(text: str) -> None:
    with pytest.raises(SettingError) as refused:
        Locales().read(text)
    assert str(refused.value) == f"locale={text}: give the name of an installed locale in UTF-8, such as de_DE.UTF-8"


def test_where_no_other_is_installed_it_stands_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert Locales().unavailable in {"", "no locale in UTF-8 is installed but the machine's own"}
