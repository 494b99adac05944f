"""One failure is one, wherever and however it is met: each way has to find the entry that another wrote."""

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_flakehunt.ground import realtime

TODAY = realtime.now().date()
SHOP = """
def prices(articles):
    return [
        price / 0 if price > 4 else price for price in articles
    ]
"""
SUITE = """
import pytest
from shop.till import prices

class TestTill:
    @pytest.mark.parametrize("articles", [[1, 5]])
    def test_prices(self, articles):
        assert prices(articles)
"""
PRINT = "1d4fcc6b498316cd"
"""The same under every version of Python: a constant, so that each holds the others to it."""
FILES = {
    "src/shop/__init__.py": "",
    "src/shop/till.py": SHOP,
    "tests/test_till.py": SUITE,
    "pyproject.toml": '[project]\nname = "shop"\n\n[tool.pytest.ini_options]\npythonpath = ["src"]\n',
}


def make(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "flakehunt-quarantine.toml").write_text(
        f'version = 1\n[[quarantined]]\ntest = "tests/test_till.py::TestTill::test_prices[*]"\nfingerprints = ["{PRINT}"]\n'
        f"added = {TODAY}\nexpires = {TODAY + timedelta(days=9)}\n",
        "utf-8",
    )
    return folder


def run(folder: Path, *args: str, path: str = "", bytecode: bool = False) -> subprocess.CompletedProcess[str]:
    environ = {
        name: value for name, value in os.environ.items() if name not in {"PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "CI"}
    }
    environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": path}
    if not bytecode:
        environ["PYTHONDONTWRITEBYTECODE"] = "1"
    plugins = ["-pxdist.plugin", "-ppytest_flakehunt.plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *args], cwd=folder, env=environ, check=False, capture_output=True, text=True
    )  # fmt: skip


WAYS = [(), ("-n2",), ("--tb=no", "-q"), ("--assert=plain", "--tb=native"), ("--import-mode=importlib",)]
FURTHER_WAYS = [
    ("--tb=native",), ("--tb=short", "-vvv"), ("--assert=plain",), ("-p", "no:cacheprovider"), ("--showlocals",),
    ("tests/test_till.py::TestTill",), ("--full-trace",),
]  # fmt: skip


@pytest.mark.parametrize("way", [*WAYS, *(pytest.param(way, marks=pytest.mark.thorough) for way in FURTHER_WAYS)])
def test_no_option_makes_it_another_one(tmp_path: Path, way: tuple[str, ...]) -> None:
    result = run(make(tmp_path, FILES), *way)
    assert result.returncode == 0, result.stdout
    assert "1 quarantined" in result.stdout


def test_no_working_directory_and_no_root_directory_does(tmp_path: Path) -> None:
    make(tmp_path, FILES)
    assert run(tmp_path / "tests").returncode == 0
    assert run(tmp_path / "tests", "test_till.py").returncode == 0
    assert run(tmp_path, "--rootdir=tests", "-c", "pyproject.toml").returncode == 0
    assert run(Path("/"), "-c", str(tmp_path / "pyproject.toml"), str(tmp_path / "tests")).returncode == 0


def test_no_line_above_and_no_layout_does(tmp_path: Path) -> None:
    shop = '"""More."""\nimport os\n' + SHOP.replace("[\n        ", "[ ").replace(
        "in articles\n    ]", "in articles]  # all"
    )
    suite = "# more\n\n" + SUITE.replace("def test_prices", "# here\n    def test_prices")
    assert run(make(tmp_path, {**FILES, "src/shop/till.py": shop, "tests/test_till.py": suite})).returncode == 0


def test_no_other_place_does_even_with_bytecode_of_the_old_one(tmp_path: Path) -> None:
    first = make(tmp_path / "first", FILES)
    assert run(first, bytecode=True).returncode == 0
    shutil.copytree(first, tmp_path / "second", copy_function=shutil.copy2)
    shutil.rmtree(first)
    assert run(tmp_path / "second", bytecode=True).returncode == 0


def test_no_installation_does(tmp_path: Path) -> None:
    """A built package lies among the installed ones, and the tests run beside its source."""
    make(tmp_path / "project", {**FILES, "pyproject.toml": "[tool.pytest.ini_options]\n"})
    installed = tmp_path / "env" / "lib" / "site-packages"
    shutil.copytree(tmp_path / "project" / "src" / "shop", installed / "shop")
    assert run(tmp_path / "project", path=str(installed)).returncode == 0


def test_a_hunt_finds_the_same_one(tmp_path: Path) -> None:
    suite = SUITE.replace(
        "        assert", "        import time\n        if time.timezone == 0: return\n        assert"
    )
    make(tmp_path, {**FILES, "tests/test_till.py": suite})
    result = run(tmp_path, "--flakehunt=8", "--flakehunt-only=timezone", "--flakehunt-diagnose=0")
    assert result.returncode == 0, result.stdout
    assert "quarantined (known, listed apart, not counted):" in result.stdout


OTHERS = {
    "statement": ("src/shop/till.py", "price > 4", "price > 3"),
    "exception": ("src/shop/till.py", "price / 0 if price > 4 else price", "price / 0 if price > 4 else price".replace("price / 0", "None / 0")),
    "function": ("src/shop/till.py", "def prices(articles):\n", "def prices(articles):\n    return each(articles)\n\ndef each(articles):\n"),
    "phase": ("tests/test_till.py", "        assert prices(articles)\n", "        pass\n\n@pytest.fixture(autouse=True)\ndef early(articles):\n    prices(articles)\n"),
    "text": ("src/shop/till.py", "for price in articles", "for price in (articles or 'x')"),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("other", OTHERS)
def test_what_is_another_failure_is_told_from_it(tmp_path: Path, other: str) -> None:
    name, old, new = OTHERS[other]
    assert old in FILES[name]
    result = run(make(tmp_path, {**FILES, name: FILES[name].replace(old, new)}))
    assert result.returncode == 1
    assert "NOT EXCUSED tests/test_till.py::TestTill::test_prices[articles0]: quarantined for " in result.stdout
