"""Whole hunts, each in a process of its own: what users are promised of the loop."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

SCHEMA = Path(__file__).parents[2] / "pytest_flakehunt" / "reports" / "schema.json"
Hunter = Callable[..., Any]


@pytest.mark.isolations
def test_pytest_itself_sees_one_ordinary_run(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import warnings, pytest
        def test_passes(record_property): record_property("key", "value")
        def test_warns(): warnings.warn("look here", UserWarning)
        def test_fails():
            print("said before")
            assert 1 == 2
        @pytest.mark.skip(reason="not now")
        def test_skipped(): pass
        @pytest.mark.xfail
        def test_xfails(): assert 0
        """
    )
    found = hunt("-v", "--junitxml=junit.xml", "--durations=1", "-W", "default")
    outcomes = found.result.parseoutcomes()
    assert outcomes == {"passed": 2, "failed": 1, "skipped": 1, "xfailed": 1, "warnings": 1}
    found.result.stdout.fnmatch_lines(
        ["*::test_passes PASSED*", "*::test_fails FAILED*", "*::test_skipped SKIPPED (n*", "*said before*"]
    )
    found.result.stdout.fnmatch_lines(["*UserWarning: look here*", "*slowest 1 durations*"])
    suite = ElementTree.parse(pytester.path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("5", "1")
    assert suite.find(".//property") is not None
    assert found.result.ret == 1


def test_the_report_keeps_to_its_schema(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import pathlib
        def test_steady(): pass
        def test_flaky():
            try: pathlib.Path(__file__ + ".seen").touch(exist_ok=False)
            except FileExistsError: return
            assert False
        """
    )
    found = hunt(sweeps=20)
    jsonschema.validate(found.report, json.loads(SCHEMA.read_text("utf-8")))
    assert found.report["hunt"]["sweeps"] == 20
    steady, flaky = found.report["tests"]
    assert (steady["verdict"], steady["failures"]) == ("steady", 0)
    assert 15 < steady["runs"] <= 20  # subsets leave it out
    assert flaky["verdict"] in {"flaky", "fragile"}
    assert flaky["failures"] == 1  # whichever attempt came first
    assert flaky["modes"][0]["where"].endswith(".py:6")


@pytest.mark.thorough
def test_every_test_gets_as_many_attempts_as_there_are_sweeps(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    found = hunt(sweeps=40)
    assert found.tests["test_it"]["runs"] in {39, 40}  # a subset sweep may leave the only test in
    assert found.tests["test_it"]["calm"]["runs"] == 8


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_plans(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    plans = []
    for ledger in ("one.sqlite", "two.sqlite"):
        hunt(f"--flakehunt-ledger={ledger}", "-n1", sweeps=12)
        with sqlite3.connect(pytester.path / ledger) as db:
            plans.append(db.execute("SELECT number, plan FROM sweeps ORDER BY number").fetchall())
        db.close()
    assert plans[0] == plans[1]
    assert len(plans[0]) == 12


def test_a_time_instead_of_a_number(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    found = hunt(sweeps="4s")
    assert found.result.ret == 0
    assert found.report["hunt"]["asked"] == "4s"
    assert found.report["hunt"]["sweeps"] > 2


@pytest.mark.thorough
def test_exit_status_counts_what_the_user_says_counts(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        seen = []
        def test_cannot_run_twice():
            assert not seen
            seen.append(1)
        """
    )
    args = ("--flakehunt-only=repeat",)
    assert hunt(*args).result.ret == 0
    assert hunt(*args, "--flakehunt-fail-on=stress").result.ret == 1
    found = hunt(*args)
    assert found.verdicts == {"test_cannot_run_twice": "fragile"}
    assert found.tests["test_cannot_run_twice"]["contract"] == "stress"
    found.result.stdout.fnmatch_lines(["*under stress alone*", "*run 2 of 2 in one process*"])


def test_a_broken_test_fails_the_run_unless_told_otherwise(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): assert 0")
    assert hunt().result.ret == 1
    assert hunt("--flakehunt-fail-on=none").result.ret == 0


def test_one_zygote_at_a_time_has_no_neighbours(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(worker_id): assert worker_id == 'gw0'")
    assert hunt("-n1").verdicts == {"test_it": "steady"}
    with sqlite3.connect(pytester.path / ".flakehunt" / "ledger.sqlite") as db:
        assert db.execute("SELECT max(neighbours) FROM sweeps").fetchone() == (0,)
    db.close()


@pytest.mark.thorough
def test_history_is_kept_over_hunts(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    hunt()
    hunt()
    with sqlite3.connect(pytester.path / ".flakehunt" / "ledger.sqlite") as db:
        assert db.execute("SELECT count(*), count(seconds) FROM hunts").fetchone() == (2, 2)
        assert db.execute("SELECT hunt, count(*) FROM attempts GROUP BY hunt").fetchall() == [(1, 6), (2, 6)]
    db.close()


def test_an_empty_selection_is_pytests_own_business(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    assert hunt("-k", "nothing").result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_an_error_in_collection_is_shown_once(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("raise RuntimeError('cannot be imported')")
    found = hunt()
    assert found.result.ret == pytest.ExitCode.INTERRUPTED
    assert found.result.stdout.str().count("RuntimeError: cannot be imported") == 1


def test_a_conftest_that_exits_is_pytests_own_business(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest("import sys; sys.exit(9)")
    pytester.makepyfile("def test_it(): pass")
    assert hunt().result.ret == 9


def test_a_suite_that_no_other_interpreter_collects(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        import os, sys
        if "PYTEST_XDIST_WORKER" in os.environ:
            sys.exit(9)
        """
    )
    pytester.makepyfile("def test_it(): pass")
    found = hunt()
    assert found.result.ret == pytest.ExitCode.INTERNAL_ERROR
    found.result.stdout.fnmatch_lines(
        ["*the suite was collected here, but not in an interpreter started for the hunt*"]
    )


@pytest.mark.thorough
def test_collecting_differently_is_noted_and_no_error(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import os, pytest
        WORKER = os.environ.get("PYTEST_XDIST_WORKER", "controller")
        @pytest.mark.parametrize("name", ["always", WORKER])
        def test_it(name): assert name in {"always", WORKER} and name != "gw1"
        """
    )
    found = hunt("-n2", sweeps=12)
    assert found.verdicts["test_it[always]"] == "steady"
    assert found.tests["test_it[controller]"]["notes"] == ["it never ran to a result: skipped in every attempt"]
    assert any("not every interpreter collects" in note for note in found.report["notes"])
    assert any("collected by some interpreters only" in note for note in found.report["notes"])
    assert found.verdicts["test_it[gw0]"] == "steady"
    failing = found.tests["test_it[gw1]"]
    assert failing["failures"] == failing["runs"] > 0  # whether a calm sweep went there is chance: broken or fragile
    assert 0 < found.tests["test_it[gw0]"]["runs"] < 12
    assert not any("cut short" in note for note in found.report["notes"])


@pytest.mark.isolations
def test_x_ends_what_pytest_sees_and_not_the_hunt(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_a(): assert 0\ndef test_b(): pass")
    found = hunt("-x")
    assert found.result.parseoutcomes() == {"failed": 1}
    assert found.verdicts == {"test_a": "broken", "test_b": "steady"}


@pytest.mark.parametrize("verbosity", ["-q", "-v"])
def test_quiet_shortens_and_verbose_lengthens(pytester: pytest.Pytester, hunt: Hunter, verbosity: str) -> None:
    pytester.makepyfile("def test_a(): assert 0\ndef test_b(): pass")
    shown = hunt(verbosity).result.stdout.str().partition("= flakehunt =")[2]
    assert "BROKEN" in shown
    assert ("  reproduce: " in shown) == (verbosity == "-v")
    assert ("steady test_quiet" in shown) == (verbosity == "-v")


def test_a_perturbation_of_another_plugin_is_drawn_held_and_reported(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        import contextlib, os
        from pytest_flakehunt.model import Contract

        class Weather:
            contract, patience = Contract.ENVIRONMENT, 1.0
            def __init__(self, text): self.text = text
            def __str__(self): return self.text
            @contextlib.contextmanager
            def held(self):
                os.environ["WEATHER"] = self.text
                yield
                del os.environ["WEATHER"]

        class Weathers:
            name, allowed = "weather", "rain or sun"
            def draw(self, seed, turn): return Weather("rain")
            def read(self, text): return Weather(text)

        def pytest_flakehunt_perturbations(config): return [Weathers()]
        """
    )
    pytester.makepyfile("import os\ndef test_it(): assert os.environ.get('WEATHER') != 'rain'")
    found = hunt("--flakehunt-only=weather")
    assert found.verdicts == {"test_it": "fragile"}
    assert found.mode("test_it")["suspects"][0]["perturbation"] == "weather"
    assert found.mode("test_it")["plan"] == "weather=rain"


def obeying_ctrl_c() -> None:
    """Let the process obey Ctrl-C though whoever started these tests does not, as what runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.thorough
@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_whoever_ends_a_hunt_gets_the_report_of_what_was_seen(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, name: str
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("TMPDIR", str(pytester.mkdir("tmp")))
    pytester.makepyfile("import time\ndef test_a(): assert 0\ndef test_b(): time.sleep(0.2)")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--flakehunt=1000", "--flakehunt-json=report.json"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=obeying_ctrl_c,  # noqa: PLW1509 - no thread runs here
    )
    ledger = pytester.path / ".flakehunt" / "ledger.sqlite"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and sweeps_in(ledger) < 3:
        time.sleep(0.1)
    process.send_signal(number)
    shown, _ = process.communicate(timeout=60)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert f"! Interrupted: by {name}; the same command goes on with --flakehunt-resume !" in shown
    assert "KeyboardInterrupt" not in shown
    assert "ended early: this is what was seen until then" in shown
    assert "BROKEN" in shown
    report = json.loads((pytester.path / "report.json").read_text("utf-8"))
    assert report["hunt"]["interrupted"]
    assert 3 <= report["hunt"]["sweeps"] < 1000
    assert not list((pytester.path / "tmp").glob("flakehunt-*"))


@pytest.fixture
def terminal_may_close() -> Iterator[None]:
    """Have processes that are started heed that, even where our own were told not to."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (
            "os.kill(MINE, signal.SIGTERM)",
            "by SIGTERM, while the suite was collected: no sweep has run, and nothing is",
        ),
        ("os.kill(MINE, signal.SIGHUP)", "by SIGHUP, while the suite was collected: no sweep has run, and nothing is"),
        (
            "\ntry: os.kill(MINE, signal.SIGTERM)\nexcept BaseException: pass",
            "by SIGTERM; the same command goes on with --flakehunt-resume",
        ),
    ],
)
@pytest.mark.usefixtures("terminal_may_close")
def test_whoever_ends_a_hunt_while_it_collects_is_told_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, hunt: Callable[..., Any], deed: str, said: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(pytester.mkdir("tmp")))
    pytester.makepyfile(test_it="def test_a(): pass")
    hunt(sweeps=1)
    ledger = pytester.path / ".flakehunt" / "ledger.sqlite"
    before = sweeps_in(ledger)
    mine = "import os, signal\nMINE = os.getppid() if 'PYTEST_XDIST_WORKER' in os.environ else os.getpid()\n"
    pytester.makepyfile(test_it=f"{mine}{deed}\ndef test_a(): pass")
    found = hunt(sweeps=1000)
    assert found.result.ret == pytest.ExitCode.INTERRUPTED
    found.result.stdout.fnmatch_lines([f"* Interrupted: {said}*"])  # before pytest 8.3 it is an error of collection
    assert "KeyboardInterrupt" not in found.result.stdout.str()
    assert sweeps_in(ledger) == before
    assert not list((pytester.path / "tmp").glob("flakehunt-*"))


def test_what_a_suite_forks_as_it_is_imported_ends_by_the_signal_that_it_is_sent(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        """
        import os, signal, time
        server = os.fork()
        if not server: time.sleep(1000)
        time.sleep(0.1)
        os.kill(server, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(server, 0)[1]) == -signal.SIGTERM
        def test_a(): pass
        """
    )
    assert hunt(sweeps=1).result.ret == 0


def sweeps_in(ledger: Path) -> int:
    if not ledger.exists():
        return 0
    db = sqlite3.connect(ledger)
    try:
        return int(db.execute("SELECT count(*) FROM sweeps WHERE purpose <> 'torn'").fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        db.close()
