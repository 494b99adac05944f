"""Build a release into dist/, check it, and run tests of its source against its wheel: ``tox run -e release``."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
VERSION = PROJECT["version"]
STEM = f"pytest_flakehunt-{VERSION}"
TESTS = ("tests/model", "tests/test_release.py", "tests/test_rooms.py", "tests/test_versions.py")
"""What takes seconds, and what reads files beside the package."""


def run(*words: str, folder: Path = ROOT, status: int = 0) -> None:
    """Run a command of this environment, and end where its exit status is another one."""
    print("$", *words, flush=True)
    safe = {**os.environ, "PYTHONSAFEPATH": "1"}
    ended = subprocess.run([sys.executable, *words], cwd=folder, env=safe, check=False)
    assert ended.returncode == status, f"exit status {ended.returncode}"


def built() -> tuple[Path, Path]:
    """Build both, and give them."""
    shutil.rmtree(DIST, ignore_errors=True)
    run("-m", "build", "--outdir", str(DIST))
    source, wheel = DIST / f"{STEM}.tar.gz", DIST / f"{STEM}-py3-none-any.whl"
    assert {*DIST.iterdir()} == {source, wheel}, sorted(DIST.iterdir())
    return source, wheel


def check_names(source: Path) -> None:
    """Compare what the source has with what git does not ignore, where this is a clone."""
    if not (ROOT / ".git").exists():
        return
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    with tarfile.open(source) as archive:
        packed = {member.name.removeprefix(f"{STEM}/") for member in archive if member.isfile()}
    known = {name for name in asked.stdout.split("\0") if name and (ROOT / name).exists()}
    assert packed - {"PKG-INFO"} == known, sorted((packed - {"PKG-INFO"}) ^ known)


def check_wheel(wheel: Path) -> None:
    """Read what the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        said = Parser().parsestr(archive.read(f"{STEM}.dist-info/METADATA").decode())
        tags = Parser().parsestr(archive.read(f"{STEM}.dist-info/WHEEL").decode())
        points = archive.read(f"{STEM}.dist-info/entry_points.txt").decode()
        licence = archive.read(f"{STEM}.dist-info/licenses/LICENSE").decode()
    assert (tags["Root-Is-Purelib"], tags.get_all("Tag")) == ("true", ["py3-none-any"])
    assert (said["Name"], said["Version"]) == (PROJECT["name"], VERSION)
    assert said["Requires-Python"] == PROJECT["requires-python"]
    assert said["License-Expression"] == PROJECT["license"]
    assert said.get_all("Classifier") == PROJECT["classifiers"]
    extras = [one for some in PROJECT["optional-dependencies"].values() for one in some]
    assert len(said.get_all("Requires-Dist") or ()) == len(PROJECT["dependencies"]) + len(extras)
    assert licence == (ROOT / "LICENSE").read_text("utf-8")
    for line in ("[pytest11]\nflakehunt = pytest_flakehunt.plugin", "flakehunt = pytest_flakehunt.cli.main:main"):
        assert line in points, points
    package = ROOT / "pytest_flakehunt"
    ours = {path.relative_to(ROOT).as_posix() for path in package.rglob("*") if path.is_file()}
    expected = {name for name in ours if "__pycache__" not in name}
    assert {name for name in names if ".dist-info/" not in name} == expected


def check_source(source: Path, wheel: Path) -> None:
    """Run tests from the unpacked source, and a hunt through its examples, with the wheel installed."""
    run("-m", "pip", "install", "-q", "--force-reinstall", "--no-deps", str(wheel))
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(source) as archive:
            archive.extractall(place, filter="data")
        folder = Path(place) / STEM
        run("-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, folder=folder)
        asked = ("--flakehunt=20", "--flakehunt-seed=1", "--flakehunt-diagnose=0")
        words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/shop", "--flakehunt-json=hunt.json")
        run(*words, *asked, folder=folder, status=1)  # its examples are flaky
        run("-m", "pytest_flakehunt", "report", "hunt.json", "-q", folder=folder)


def main() -> None:
    """Do it in the order in which things go wrong."""
    source, wheel = built()
    run("-m", "twine", "check", "--strict", str(source), str(wheel))
    run("-m", "check_wheel_contents", str(wheel))
    check_names(source)
    check_wheel(wheel)
    check_source(source, wheel)
    run("-m", "towncrier", "build", "--draft")
    print(f"{source.name} and {wheel.name} are in dist/")


if __name__ == "__main__":
    main()
