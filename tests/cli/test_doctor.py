"""`flakehunt doctor`, as people call it: each examines a real suite in a process of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_flakehunt import perturbations
from pytest_flakehunt.cli import doctor
from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ledger.store import VERSION, Ledger
from pytest_flakehunt.model.examined import Examined
from tests.ledger.test_pruning import TRIAL

Doctor = Callable[..., tuple[int, list[str]]]
PLUGINS = ("-pxdist.plugin", "-ppytest_flakehunt.plugin")
BAD_QUARANTINE = "flakehunt-quarantine.toml: version is missing: write version = 1 above everything else"


@pytest.fixture
def examine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, bare: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> Doctor:
    without = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")  # so that what is imported would be written down
    monkeypatch.setattr("os.environ", {name: value for name, value in bare.items() if name not in without})

    def run(*words: str, plugins: tuple[str, ...] = PLUGINS) -> tuple[int, list[str]]:
        before = contents(pytester.path)
        capsys.readouterr()
        status = main(["doctor", "--", *plugins, *words])
        said = capsys.readouterr()
        assert not said.err
        assert contents(pytester.path) == before, "it changes nothing"
        return status, said.out.splitlines()

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """Give all files but those that SQLite has beside one while it is read."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if not path.name.endswith(("-wal", "-shm"))}


def wrong(lines: list[str]) -> list[str]:
    at = lines.index("this keeps a hunt from working as asked:")
    return [line.removeprefix("- ") for line in lines[at + 1 :]]


def test_all_is_well(examine: Doctor, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_a(): open('ran', 'w')\ndef test_b(): pass")
    pytester.makeini("[pytest]\naddopts = --junitxml=it.xml --cache-clear --timeout=9")
    plugins = (*PLUGINS, "-ppytest_timeout", "-ppytest_cov.plugin")
    status, lines = examine("-n3", "--flakehunt-without=clock", "--cov", plugins=plugins)
    assert status == 0
    assert lines[1].startswith(f"2 tests in {pytester.path}; a new interpreter has them after ")
    assert lines[2] == "sweeps are forked, 3 zygotes at a time: nothing speaks against it"
    (acting,) = (line for line in lines if line.startswith("perturbing "))
    assert acting.startswith("perturbing order, repeat, random, ")
    assert "left out, as asked: clock" in lines
    xdist = "-n counts zygotes at work here, --tx adds others; -d, --dist and --looponfail are switched off"
    assert f"xdist.plugin: {xdist}" in lines
    assert "as they are in every process of a hunt: pytest_timeout" in lines
    assert "switched off, as it is in use here: --cov" in lines
    assert f"ledger: a hunt makes {pytester.path}/.flakehunt/ledger.sqlite" in lines
    assert f"quarantine: there is no {pytester.path}/flakehunt-quarantine.toml" in lines
    assert lines[-1] == "nothing keeps a hunt from working as asked"


def test_threads_keep_it_from_forking(examine: Doctor, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import threading
        threading.Thread(target=threading.Event().wait, name="pump", daemon=True).start()
        def test_a(): pass
        """
    )
    status, lines = examine()
    assert status == 0
    assert lines[2] == "every sweep has a fresh interpreter: importing the suite starts threads: pump"
    status, lines = examine("--flakehunt-isolation=fork")
    assert status == 1
    assert wrong(lines) == ["--flakehunt-isolation=fork: importing the suite starts threads: pump; leave it out"]


def test_what_does_nothing_here_stands_down(examine: Doctor, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import gc\ngc.set_threshold = lambda *_: None")
    pytester.makepyfile("def test_a(): pass")
    _, lines = examine("--flakehunt-only=gc,order,listdir")
    assert "gc stands down: new objects do not make the collector run" in lines
    assert "seen to act on this interpreter: listdir" in lines
    assert "taken to act, as they need nothing of it, or cannot be tried at once: order" in lines


def test_files_of_ours_are_looked_at(examine: Doctor, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_a(): pass")
    path = pytester.path / ".flakehunt" / "ledger.sqlite"
    ledger = Ledger(path)
    ledger.begin(TRIAL, "", {}, pytester.path)
    ledger.close()
    (pytester.path / "flakehunt-quarantine.toml").write_text(
        'version = 1\n[[quarantined]]\ntest = "test_it.py::test_a"\nadded = 2020-01-01\nexpires = 2020-01-02\n'
        'fingerprints = ["0000000000000000"]\nowner = "me"\n'
    )
    status, lines = examine()
    assert f"ledger: {path} has 1 hunt (0.1 MB, format {VERSION})" in lines, lines
    assert f"quarantine: {pytester.path}/flakehunt-quarantine.toml has 1 entry, 1 expired" in lines
    assert status == 0
    path.write_bytes(b"no database")
    (pytester.path / "flakehunt-quarantine.toml").write_text("entries = 3")
    status, lines = examine()
    assert status == 1
    damaged, quarantine = wrong(lines)
    assert damaged.startswith(f"{path} cannot be read: file is not a database; it is damaged or no ledger")
    assert quarantine == BAD_QUARANTINE


def test_what_a_hunt_would_refuse_is_said(examine: Doctor, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="import nope")
    status, lines = examine("--flakehunt=20", "--flakehunt-fail-on=all")
    assert status == 1
    assert wrong(lines) == [
        "--flakehunt-fail-on=all: all is none of broken, flaky, fragile, stress, leaks, none",
        "test_it.py cannot be collected: E   ModuleNotFoundError: No module named 'nope'",
    ]
    _, lines = examine("test_none.py")
    assert wrong(lines) == [
        "pytest ended with exit status 4 before it had collected: ERROR: file or directory not found: test_none.py"
    ]
    _, lines = examine("--deselect=test_it.py", "--ignore=test_it.py")
    assert wrong(lines) == ["no test was collected: give what collects them after --"]
    pytester.makepyfile(test_it="import os; os._exit(3)")
    _, lines = examine()
    (last,) = wrong(lines)
    assert last.startswith("collecting the suite ended the process: ")


@pytest.mark.parametrize("place", [".", "test_it.py/ledger.sqlite"])
def test_a_ledger_that_cannot_be_written_is_said(place: str, examine: Doctor, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_a(): pass")
    _, lines = examine(f"--flakehunt-ledger={place}")
    assert wrong(lines) == [
        f"--flakehunt-ledger: {pytester.path / place} cannot be written: give the path of a file that can be"
    ]


def test_a_pytest_without_our_plugin_is_said(examine: Doctor) -> None:
    status, lines = examine(plugins=())
    assert status == 1
    assert wrong(lines) == [
        "pytest does not load pytest-flakehunt here: install it beside pytest, and see that neither -p no:flakehunt "
        "nor PYTEST_DISABLE_PLUGIN_AUTOLOAD keeps it away"
    ]


def test_what_stands_down_is_said_with_what_helps(examine: Doctor, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_a(): pass")
    pytester.makeconftest(
        """
        class Moods:
            name, allowed, unavailable = "mood", "bad", "there is one core to begin with"
        def pytest_flakehunt_perturbations(config): return [Moods()]
        """
    )
    status, lines = examine()
    assert status == 0
    assert (
        "mood stands down: there is one core to begin with; give the machine, or the container, a second one" in lines
    )
    status, lines = examine("--flakehunt-only=mood,gc")
    assert (status, wrong(lines)) == (
        1,
        ["--flakehunt-only=mood,gc: mood stands down: there is one core to begin with"],
    )


def test_remedies_are_for_reasons_that_there_are() -> None:
    folder = Path(perturbations.__file__).parent
    sources = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    for reason in doctor.REMEDIES:
        assert f'"{reason}"' in sources


def test_native_threads_are_tried(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = Examined(tests=1, rootdir="/a", hindrance="importing the suite starts 2 native threads")
    monkeypatch.setattr(doctor, "examined", lambda _: found)
    assert main(["doctor"]) == 0
    assert (
        "forks are tried, and used where calm sweeps come out alike without them: importing the suite starts 2 native "
        "threads\n"
    ) in capsys.readouterr().out
