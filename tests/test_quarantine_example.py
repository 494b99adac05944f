"""The example repository goes through the whole life of an entry, with real commits and real runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_flakehunt.ground import realtime
from pytest_flakehunt.quarantine.reading import read

EXAMPLE = Path(__file__).parents[1] / "examples" / "quarantine"
FILE = Path("flakehunt-quarantine.toml")
Run = Callable[..., subprocess.CompletedProcess[str]]


def git(*words: str) -> str:
    settled = ["-c", "user.name=us", "-c", "user.email=us@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *settled, *words], check=True, capture_output=True, text=True).stdout


def commit(message: str) -> None:
    git("add", "-A")
    git("commit", "-qm", message)


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give the environment of runs in a repository of the example's own."""
    shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path / "shop")
    Path(".gitignore").write_text("__pycache__\n.pytest_cache\n.flakehunt\n", "utf-8")
    git("init", "-q")
    commit("the shop")
    left_out = {"PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "CI"}
    return {
        **{name: value for name, value in os.environ.items() if name not in left_out},
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "xdist.plugin,pytest_flakehunt.plugin",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.mark.thorough
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_flaky_test_is_hunted_excused_mended_released_and_recognised(
    environ: dict[str, str], workers: tuple[str, ...]
) -> None:
    def call(*words: str, zone: str = "UTC") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words], env={**environ, "TZ": zone}, check=False, capture_output=True, text=True
        )  # fmt: skip

    def tests(zone: str) -> subprocess.CompletedProcess[str]:
        return call("pytest", *workers, zone=zone)

    # hunted, and written
    wanted = (
        "--flakehunt=12",
        "--flakehunt-only=timezone",
        "--flakehunt-diagnose=200",
        "--flakehunt-quarantine=update",
    )
    hunt = call("pytest", *wanted, *workers)
    assert hunt.returncode == 1, hunt.stdout
    (entry,) = read(FILE).entries
    assert (entry.test, entry.owner) == ("test_receipts.py::test_day", "@shop-team")
    assert entry.cause.startswith("timezone: ")
    failing, passing = entry.plan.removeprefix("timezone="), "UTC"
    text = FILE.read_text("utf-8").replace('issue = ""', 'issue = "#412"')
    FILE.write_text(text, "utf-8")
    commit("excuse test_day for two weeks")
    assert call("pytest_flakehunt", "quarantine", "check", "--base", "HEAD~1").returncode == 0

    # excused
    excused = tests(failing)
    assert excused.returncode == 0, excused.stdout
    assert "1 passed, 1 quarantined" in excused.stdout

    # another failure of the same test counts
    shop = Path("receipts.py").read_text("utf-8")
    Path("receipts.py").write_text(shop.replace("localtime(paid)", "localtime(str(paid))"), "utf-8")
    other = tests(failing)
    assert other.returncode == 1
    assert "failed with call TypeError receipts.py::day return time.strftime(" in other.stdout
    git("checkout", "-q", "receipts.py")

    # over date: red when it fails, and only then
    old = realtime.now().date() - timedelta(days=2)
    FILE.write_text(
        text.replace(f"expires = {entry.expires}", f"expires = {old}").replace(f"added = {entry.added}", f"added = {old - timedelta(days=9)}"), "utf-8",
    )  # fmt: skip
    assert tests(passing).returncode == 0
    expired = tests(failing)
    assert expired.returncode == 1
    assert f"expired on {old}" in expired.stdout
    git("checkout", "-q", str(FILE))

    # still flaky: it stays
    stays = call("pytest_flakehunt", "quarantine", "release")
    assert stays.returncode == 1
    assert stays.stdout.startswith("stays: test_receipts.py::test_day: it ")

    # mended, and released by what was seen
    Path("receipts.py").write_text(shop.replace("localtime", "gmtime"), "utf-8")
    commit("date receipts in UTC\n\nFlake-Fix: test_receipts.py::test_day")
    passes = call("pytest_flakehunt", "quarantine", "release", "--from-commits", "HEAD~1..HEAD")
    assert passes.returncode == 0, passes.stdout + passes.stderr
    said = re.search(r"passes: test_receipts.py::test_day: 0 of (\d+) under timezone=", passes.stdout)
    assert said is not None
    assert int(said[1]) >= 3
    commit("release test_day")
    left = read(FILE)
    assert not left.entries
    assert left.released[0].fingerprints == entry.fingerprints
    assert git("status", "--porcelain") == ""

    # the same failure later is recognised
    Path("receipts.py").write_text(shop, "utf-8")
    back = tests(failing)
    assert back.returncode == 1
    assert "NOT EXCUSED test_receipts.py::test_day: it is back: released from quarantine (timezone: " in back.stdout
