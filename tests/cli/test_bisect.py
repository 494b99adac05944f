"""`flakehunt bisect`, as people call it: with real git, real hunts, and processes that are killed."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_flakehunt.cli.main import main
from tests.bisecting.conftest import SUITE, Repository, repository

__all__ = ["repository"]
TEST = "test_shop.py::test_price"
FAILS = "return 2"
Said = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.thorough


@pytest.fixture
def bisect(capsys: pytest.CaptureFixture[str]) -> Said:
    """Give the command, as a function of this process: what it starts are processes of their own."""

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        status = main(["bisect", *words])
        return subprocess.CompletedProcess(words, status, *capsys.readouterr())

    return call


def left() -> list[str]:
    """Give what is left in the folder for temporary files."""
    return sorted(path.name for path in Path(tempfile.gettempdir()).iterdir())


def named(repository: Repository, name: str) -> str:
    return repository.git("log", "-1", "--abbrev=12", "--format=%h %s", name).strip()


def ran(repository: Repository) -> int:
    (path,) = (repository.folder / ".flakehunt").glob("bisect-*.json")
    return len(json.loads(path.read_text("utf-8"))["revisions"])


def test_the_revision_is_found_and_the_repository_is_as_it_was(repository: Repository, bisect: Said) -> None:
    repository.commits(2)
    repository.commits(2, FAILS)
    (repository.folder / "shop.py").write_text("uncommitted = True\n", "utf-8")
    (repository.folder / "new.py").write_text("", "utf-8")
    before = repository.state()
    said = bisect(TEST, "v1", "HEAD")
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-1].startswith(
        f"began to fail with {named(repository, 'v3')} (fails 4 of 4; its parent 0 of "
    )
    assert repository.state() == before
    assert left() == []
    *lines, took, answer = said.stdout.splitlines()
    assert re.fullmatch(r"it took (\d+ min )?\d+ s: \d+ runs at 4 revisions", took)
    *again, took, same = bisect(TEST, "v1", "HEAD").stdout.splitlines()
    assert re.fullmatch(r"it took \d+ s: nothing was run anew", took)
    assert (again[2:], same) == (lines[1:], answer)


def test_a_plan_from_a_report_is_held_and_a_victim_runs_after_what_pollutes_it(
    repository: Repository, bisect: Said
) -> None:
    repository.commit("pass", suite=SUITE.replace("def test_first", "def test_other"))
    repository.commits(2, "if os.environ.get('TZ') == 'Asia/Kolkata' and len(FLAG) > 1: return 2")
    repository.commit("if os.environ.get('TZ') == 'Asia/Kolkata' and FLAG: return 2")
    said = bisect(TEST, "v2", "v4", "--plan", "timezone=Asia/Kolkata", "--after", "test_shop.py::test_first")
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"bad      {named(repository, 'v4')}: fails 10 of 10\n" in said.stdout


def test_what_has_to_run_before_it_may_not_be_there(repository: Repository, bisect: Said) -> None:
    repository.commit("pass", suite=SUITE)
    repository.commit("pass", suite=SUITE.replace("def test_first", "def test_other"))
    repository.commit("pass", suite=SUITE.replace("def test_price", "def test_cost"))
    repository.commit("pass", suite="import nowhere\n" + SUITE)
    repository.commit("assert not FLAG")
    said = bisect(TEST, "v1", "v5", "--after", "test_shop.py::test_first")
    assert said.returncode == 1, said.stderr
    assert (
        f"{named(repository, 'v2')}: test_shop.py::test_first, which has to run before it, is not there" in said.stdout
    )
    assert f"skipped  {named(repository, 'v3')}: the test is not there\n" in said.stdout
    assert "cannot be collected: ModuleNotFoundError: No module named 'nowhere'\n" in said.stdout
    assert said.stdout.splitlines()[-1] == f"  {named(repository, 'v5')}"


def test_a_revision_that_cannot_be_prepared_is_skipped(repository: Repository, bisect: Said) -> None:
    repository.commit()
    for number in (2, 3):
        repository.commit(FAILS if number == 3 else "pass", {"ready": "no" * (number == 2)})
    script = "import pathlib, sys; sys.exit(pathlib.Path('ready').exists() and pathlib.Path('ready').read_text() or 0)"
    prepare = f'{sys.executable} -c "{script}"'
    said = bisect(TEST, "v1", "v3", "--prepare", prepare)
    assert said.returncode == 1, said.stderr
    assert f"skipped  {named(repository, 'v2')}: {prepare} ended with status 1: no\n" in said.stdout
    refused = bisect(TEST, "v1", "v3", "--prepare", "no-such-program x")
    assert refused.returncode == 2
    assert refused.stderr.startswith("flakehunt: --prepare no-such-program x: it cannot be run: ")
    assert left() == []


def test_what_an_earlier_revision_leaves_is_not_met_by_the_next(repository: Repository, bisect: Said) -> None:
    repository.commits(2)
    repository.commit(FAILS)
    script = "import pathlib, sys; left = pathlib.Path('left'); sys.exit(left.exists() or left.touch())"
    said = bisect(TEST, "v1", "v3", "--prepare", f'{sys.executable} -c "{script}"')
    assert said.stdout.splitlines()[-1].startswith(f"began to fail with {named(repository, 'v3')} (")


@pytest.mark.parametrize("how", ["another work tree", "a copy"])
def test_code_that_is_not_the_revisions_own_is_refused(
    repository: Repository, bisect: Said, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = "def price():\n    return {}\n"
    for price in (1, 2):
        repository.commit(
            files={"src/parcel/__init__.py": package.format(price)},
            suite="import parcel\n" + SUITE.replace("shop.price", "parcel.price"),
        )
    where = repository.folder / "src"
    if how == "a copy":
        where = tmp_path / "site-packages"
        (where / "parcel").mkdir(parents=True)
        (where / "parcel/__init__.py").write_text(package.format(1), "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{where}{os.pathsep}{os.environ.get('PYTHONPATH', Path(__file__).parents[2])}")
    said = bisect(TEST, "v1", "v2")
    assert said.returncode == 2, said.stdout
    assert said.stderr.startswith(f"flakehunt: parcel is imported from {where}/parcel")
    assert "add -- -o pythonpath=src (or wherever its packages are) where that is enough" in said.stderr
    remedied = bisect(TEST, "v1", "v2", "--", "-o", "pythonpath=src")
    assert remedied.returncode == 0, remedied.stderr
    assert remedied.stdout.splitlines()[-1].startswith(f"began to fail with {named(repository, 'v2')} (")


SLOW = "import time; open(os.environ['SEEN'], 'a').close(); time.sleep(60 * os.path.exists(os.environ['SLOW']))"


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_one_that_is_ended_goes_on_where_it_was(
    repository: Repository, bisect: Said, how: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, seen = tmp_path / "slow", tmp_path / "seen"
    monkeypatch.setenv("SLOW", str(slow))
    monkeypatch.setenv("SEEN", str(seen))
    repository.commits(2, SLOW)
    repository.commit(FAILS)
    before = repository.state()
    slow.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_flakehunt", "bisect", TEST, "v1", "v3"],
        env={**os.environ, "TMPDIR": tempfile.gettempdir()}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not seen.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    refused = bisect(TEST, "v1", "v3")
    assert refused.stderr == "flakehunt: the same search is running already: wait for it, or end it first\n"
    process.send_signal(how)
    out, err = process.communicate(timeout=300)
    slow.unlink()
    assert f"bad      {named(repository, 'v3')}" in out
    if how != signal.SIGKILL:
        assert process.returncode == 2
        assert err == "flakehunt: interrupted; the same command goes on with what was tried\n"
        assert repository.state() == before
        assert [name for name in left() if name.startswith("flakehunt-bisect")] == []
    assert ran(repository) == 1
    said = bisect(TEST, "v1", "v3")
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[1] == "1 revision was tried by an earlier call; --afresh forgets it"
    assert said.stdout.splitlines()[-1].startswith(f"began to fail with {named(repository, 'v3')} (")
    assert repository.state() == before
    assert [name for name in left() if name.startswith("flakehunt-bisect")] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("test_shop.py", "v1", "v2"), "test_shop.py: give the node id of a test, such as tests/test_shop.py::test_warranty"),
        ((TEST, "v1", "v2", "--ledger", "none.sqlite"), "--ledger none.sqlite: there is no such ledger; hunt first, or leave it out"),
        ((TEST, "v1", "v2", "--python", "no-such-python"), "the test cannot be run at v2 (f00 number 2): no-such-python cannot be started: No such file or directory"),
        ((TEST, "v2", "v1"), "v2 contains v1: the revision that passes has to be the earlier one; give GOOD first, then BAD"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_said(
    repository: Repository, bisect: Said, words: tuple[str, ...], said: str
) -> None:
    repository.commits(2)
    refused = bisect(*words)
    said = said.replace("f00 number 2", named(repository, "v2"))
    assert (refused.returncode, refused.stderr) == (2, f"flakehunt: {said}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rate", "2"), "argument --rate: 2: give a number from 0.000001 to 1, such as 0.05"),
        (("--rate", "1e-320"), "argument --rate: 1e-320: give a number from 0.000001 to 1, such as 0.05"),
        (("--rate", "often"), "argument --rate: often: give a number from 0.000001 to 1, such as 0.05"),
        (("--runs", "0"), "argument --runs: 0: give 1 or more"),
    ],
)
def test_numbers_are_checked(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bisect", TEST, "v1", "v2", *words])
    assert capsys.readouterr().err.endswith(f"{said}\n")


def test_what_a_hunt_found_is_searched_for_as_it_was_found(
    repository: Repository, bisect: Said, bare: dict[str, str]
) -> None:
    repository.commits(2)
    repository.commits(2, "if os.environ.get('TZ', '').startswith('A'): return 2")
    words = ("--flakehunt=12", "--flakehunt-only=timezone", "-pxdist.plugin", "-ppytest_flakehunt.plugin")
    subprocess.run([sys.executable, "-m", "pytest", TEST, *words], env=bare, check=False, capture_output=True)
    said = bisect(TEST, "v1", "v4")
    assert said.returncode == 0, said.stdout + said.stderr
    first, *_, last = said.stdout.splitlines()
    assert re.match(r"AssertionError, as hunt 1 saw it, under timezone=A\w+/\w+: (\d+) of \1$", first), first
    assert last.startswith(f"began to fail with {named(repository, 'v3')} (")
    other = bisect(TEST, "v1", "v4", "--plan", "calm", "--rate", "0.9")
    assert other.returncode == 1, other.stderr
    assert other.stdout.startswith("calm\n"), other.stdout
    assert "it does not fail at v4" in other.stdout


@pytest.mark.parametrize(("plan", "shared"), [("calm", False), ("random=1 hashseed=7", True)])
def test_runs_share_an_interpreter_only_where_they_share_its_hash_seed_anyway(
    repository: Repository, bisect: Said, tmp_path: Path, *, plan: str, shared: bool
) -> None:
    """What an interpreter decides is the same in all its sweeps: together they would be held for many passes."""
    log = tmp_path / "log"
    suite = f"import os\nwith open({str(log)!r}, 'a') as log: log.write(f'{{os.getpid()}}\\n')\n{SUITE}"
    repository.commit("pass", suite=suite)
    repository.commit(FAILS, suite=suite)
    said = bisect(TEST, "v1", "v2", "--plan", plan)
    assert said.returncode == 0, said.stderr
    (path,) = (repository.folder / ".flakehunt").glob("bisect-*.json")
    runs = sum(tried["runs"] for tried in json.loads(path.read_text("utf-8"))["revisions"].values())
    assert (len({*log.read_text("utf-8").split()}) < runs) is shared
