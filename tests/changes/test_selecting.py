"""Which tests a change has to do with: pytest collects a project for real, and git compares it."""

import os
import sys
from pathlib import Path

import pytest

from pytest_flakehunt.changes.imports import Imports
from pytest_flakehunt.changes.repository import changes
from pytest_flakehunt.changes.selecting import Selection
from tests.changes.conftest import FILES, Git

pytestmark = pytest.mark.thorough


class Collected:
    """A pytest plugin that selects as the suite is collected."""

    def __init__(self) -> None:
        self.selection: Selection | None = None

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        found = changes(config.rootpath, "", {})
        self.selection = Selection(
            items,
            found,
            Imports(sys.modules, config.rootpath, config.rootpath, found.gone),
            config.pluginmanager.get_plugins(),
        )


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pkg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def selected(pytester: pytest.Pytester) -> Selection:
    plugin = Collected()
    path = list(sys.path)
    result = pytester.inline_run(
        "--collect-only", "-q", "-pno:cacheprovider", "--import-mode=importlib", plugins=[plugin]
    )
    sys.path[:] = path
    assert result.ret == 0
    assert plugin.selection is not None
    return plugin.selection


def why(pytester: pytest.Pytester) -> dict[str, str]:
    return {nodeid.rpartition("/")[2]: reason for nodeid, (_, reason) in selected(pytester).why.items()}


def write(pytester: pytest.Pytester, name: str, text: str) -> None:
    (pytester.path / name).parent.mkdir(parents=True, exist_ok=True)
    (pytester.path / name).write_text(text, "utf-8")


@pytest.mark.usefixtures("git")
def test_nothing_has_to_do_with_no_change(pytester: pytest.Pytester) -> None:
    found = selected(pytester)
    assert found.why == {}
    assert found.sentence().startswith("no test of 4 has to do with what changed since ")
    assert found.sentence().endswith("(the merge base with main): nothing changed; there is nothing to hunt")


@pytest.mark.usefixtures("git")
def test_new_tests_changed_tests_and_others_of_their_file_are_told_apart(pytester: pytest.Pytester) -> None:
    text = FILES["suite/test_money.py"].replace("(2) == 4", "(3) == 6") + "\n\ndef test_new():\n    pass\n"
    write(pytester, "suite/test_money.py", text)
    write(pytester, "suite/test_fresh.py", "def test_fresh():\n    pass\n")
    assert why(pytester) == {
        "test_money.py::test_price": "its own source changed",
        "test_money.py::test_sign": "suite/test_money.py changed",
        "test_money.py::test_new": "it is new",
        "test_fresh.py::test_fresh": "its file is new",
    }
    assert "2 are new, 1 has changed itself, 1 is in a file that changed" in selected(pytester).sentence()


@pytest.mark.usefixtures("git")
def test_tests_that_import_what_changed_are_selected_over_any_number_of_modules(pytester: pytest.Pytester) -> None:
    write(pytester, "pkg/rates.py", "RATE = 2.0\n")
    assert why(pytester) == {
        f"test_money.py::{name}": "it imports pkg/rates.py, which changed, by way of pkg/money.py"
        for name in ("test_price", "test_sign")
    }


@pytest.mark.usefixtures("git")
def test_imports_within_functions_and_relative_ones_count(pytester: pytest.Pytester) -> None:
    write(pytester, "pkg/late.py", "X = 2\n")
    assert why(pytester) == {
        "test_other.py::test_other": "it imports pkg/late.py, which changed, by way of pkg/other.py, pkg/lazily.py"
    }


@pytest.mark.usefixtures("git")
def test_a_conftest_a_configuration_and_a_lock_file_select_what_they_govern(pytester: pytest.Pytester) -> None:
    write(pytester, "suite/sub/conftest.py", "x = 1\n")
    assert why(pytester) == {"test_alone.py::test_alone": "suite/sub/conftest.py changed, which governs it"}
    (pytester.path / "suite/sub/conftest.py").unlink()
    for name in ("pytest.ini", "uv.lock", "requirements-dev.txt"):
        before = (pytester.path / name).read_text() if (pytester.path / name).exists() else None
        write(pytester, name, (before or "") + "\n# more\n")
        found = why(pytester)
        assert set(found.values()) == {f"{name} changed, which governs it"}
        assert len(found) == 4
        (pytester.path / name).unlink() if before is None else write(pytester, name, before)


def test_what_a_conftest_or_a_plugin_of_the_project_imports_its_tests_import(
    pytester: pytest.Pytester, git: Git
) -> None:
    write(pytester, "suite/sub/conftest.py", "from pkg import rates\n")
    pytester.makeconftest('pytest_plugins = ["pkg.lazily"]')
    git("add", "-A")
    git("commit", "-qm", "plugins")
    git("branch", "-f", "main", "HEAD")
    write(pytester, "pkg/rates.py", "RATE = 2.0\n")
    assert why(pytester)["test_alone.py::test_alone"] == (
        "it imports pkg/rates.py, which changed, by way of suite/sub/conftest.py"
    )
    git("checkout", "-q", "pkg/rates.py")
    write(pytester, "pkg/late.py", "X = 2\n")
    assert set(why(pytester).values()) == {"it imports pkg/late.py, which changed, by way of pkg/lazily.py"}


@pytest.mark.usefixtures("git")
def test_modules_that_are_gone_or_named_in_a_text_count(pytester: pytest.Pytester) -> None:
    text = "import pytest\n\ndef test_one():\n    pytest.importorskip('pkg.other')\n"
    write(pytester, "suite/test_one.py", text)
    write(
        pytester,
        "suite/test_two.py",
        "try:\n    import pkg.money\nexcept ImportError:\n    pass\n\ndef test_two(): pass\n",
    )
    found = selected(pytester)
    assert {path.name for path in found.imports.needs(pytester.path.resolve() / "suite/test_one.py")} == {
        "__init__.py", "other.py",
    }  # fmt: skip
    (pytester.path / "pkg/money.py").unlink()
    (pytester.path / "suite/test_money.py").unlink()
    gone = selected(pytester)
    assert pytester.path.resolve() / "pkg/money.py" in gone.imports.needs(pytester.path.resolve() / "suite/test_two.py")


def test_a_test_that_stands_in_another_file_changes_with_that(pytester: pytest.Pytester, git: Git) -> None:
    write(pytester, "suite/cases.py", "class Cases:\n    def test_case(self):\n        pass\n")
    write(pytester, "suite/test_case.py", "from suite.cases import Cases\n\nclass TestOne(Cases):\n    pass\n")
    git("add", "-A")
    git("commit", "-qm", "cases")
    git("branch", "-f", "main", "HEAD")
    write(pytester, "suite/cases.py", "class Cases:\n    def test_case(self):\n        assert True\n")
    assert why(pytester) == {"test_case.py::TestOne::test_case": "its own source changed"}


@pytest.mark.usefixtures("git")
def test_changed_files_that_nobody_is_seen_to_read_are_named(pytester: pytest.Pytester) -> None:
    write(pytester, "data.txt", "other\n")
    (pytester.path / "pkg/rates.py").touch()
    found = selected(pytester)
    assert (found.why, found.unread()) == ({}, ["data.txt"])
    assert "1 file changed; there is nothing to hunt" in found.sentence()


def test_modules_elsewhere_are_nobodys(tmp_path: Path) -> None:
    imports = Imports(sys.modules, tmp_path, tmp_path)
    assert imports.needs(Path(os.__file__)) == frozenset()
