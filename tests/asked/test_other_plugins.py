"""Other plugins in a hunt: they see sweep 0 as one ordinary run, and what is the user's stays as it was."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.asked.other_plugins import TABLE

Hunter = Callable[..., Any]
REPORTERS = ("allure_pytest", "html", "metadata", "pytest_jsonreport", "pytest_reportlog", "pytest_cov", "syrupy")
MESSAGE = "flakehunt: switched off: "


def test_every_option_is_switched_off_once() -> None:
    """A second row for one option of one plugin would make the order of the table matter."""
    for plugin in TABLE:
        assert plugin.instead
        spellings = Counter(
            option.written for option in (*plugin.hunting, *plugin.quiet, *plugin.again) if option.written
        )
        assert max(spellings.values(), default=1) == 1
        assert plugin.away or not plugin.markers


# what measures and what keeps snapshots


def test_coverage_neither_runs_nor_deletes_what_it_measured(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeini("[pytest]\naddopts = --cov=shop --cov-report=xml")
    pytester.makepyfile(shop="PRICE = 1")
    pytester.makepyfile("import sys, shop\ndef test_it(): assert sys.gettrace() is None and shop.PRICE")
    kept = pytester.path / ".coverage", pytester.path / "coverage.xml"
    for path in kept:
        path.write_text(f"what an ordinary run left in {path.name}", "utf-8")
    found = hunt(plugins=["pytest_cov"], sweeps=3)
    found.result.stdout.fnmatch_lines([f"{MESSAGE}--cov"])
    assert found.verdicts == {"test_it": "steady"}
    assert [path.read_text("utf-8") for path in kept] == [f"what an ordinary run left in {path.name}" for path in kept]


@pytest.mark.thorough
@pytest.mark.parametrize("args", [[], ["--snapshot-update"]])
def test_snapshots_are_neither_missed_nor_deleted(pytester: pytest.Pytester, hunt: Hunter, args: list[str]) -> None:
    pytester.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.parametrize("n", [1, 2])
        def test_it(n, snapshot): assert {"n": n} == snapshot
        """
    )
    made = pytester.runpytest_subprocess("-psyrupy", "--snapshot-update")
    made.stdout.fnmatch_lines(["2 snapshots generated."])
    path = pytester.path / "__snapshots__" / "test_it.ambr"
    before = path.read_bytes()
    found = hunt(*args, plugins=["syrupy"], sweeps=2)
    assert path.read_bytes() == before
    assert found.result.ret == pytest.ExitCode.OK
    found.result.stdout.no_fnmatch_line("*unused.*")
    if args:
        found.result.stdout.fnmatch_lines([f"{MESSAGE}--snapshot-update"])


# what could not be hunted at all


def test_a_plugin_that_takes_zygotes_for_workers_of_its_own_is_switched_off(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:  # fmt: skip
    pytester.makeini("[pytest]\naddopts = --retries=2 --strict-markers")
    pytester.makepyfile("import pytest\n@pytest.mark.flaky(retries=1)\ndef test_it(): pass")
    found = hunt(plugins=["pytest-retry"], sweeps=2)
    found.result.stdout.fnmatch_lines([f"{MESSAGE}--retries, plugin pytest-retry"])
    assert found.verdicts == {"test_it": "steady"}


@pytest.mark.thorough
def test_options_of_the_suites_own_are_left_alone(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        def pytest_addoption(parser):
            for name in ("--reruns", "--path", "--output", "--profile"): parser.addoption(name)
        """
    )
    pytester.makepyfile(
        """
        def test_it(request):
            option = request.config.option
            assert [option.reruns, option.path, option.output, option.profile] == ["3", "a", "b", "c"]
        """
    )
    found = hunt("--reruns=3", "--path=a", "--output=b", "--profile=c", sweeps=3)
    assert found.verdicts == {"test_it": "steady"}
    found.result.stdout.no_fnmatch_line(f"{MESSAGE}*")


def test_a_suite_that_gevent_has_patched_is_hunted(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytest.importorskip("gevent")
    pytester.makeconftest("from gevent import monkey\nmonkey.patch_all()")
    pytester.makepyfile(
        """
        import gevent, threading, time
        def test_threads_are_greenlets():
            seen = []
            threads = [threading.Thread(target=seen.append, args=(n,)) for n in range(3)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert sorted(seen) == [0, 1, 2]
        def test_sleeps_together():
            started = time.monotonic()
            gevent.joinall([gevent.spawn(time.sleep, 0.1) for _ in range(20)])
            assert time.monotonic() - started < 1.5
        """
    )
    found = hunt("--flakehunt-without=load,latency,gc", sweeps=8)
    assert found.verdicts == {"test_threads_are_greenlets": "steady", "test_sleeps_together": "steady"}


def test_reports_come_with_their_attributes_as_they_were(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        import pytest
        VALUES = {"set": {1, 2}, "bytes": b"x", "numbers": {1: (2, 3)}}
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport():
            report = yield
            report.values = VALUES
            return report
        def pytest_runtest_logreport(report):
            assert report.values == VALUES
            assert type(report.values["numbers"][1]) is tuple
        """
    )
    pytester.makepyfile("def test_it(): pass")
    found = hunt(sweeps=2)
    assert found.verdicts == {"test_it": "steady"}
    assert not found.report["notes"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("hook", "at"),
    [
        ("pytest_runtest_logstart(nodeid)", "in pytest_runtest_logstart as it was shown sweep 0"),
        ("pytest_runtest_logreport(report)", "in pytest_runtest_logreport as it was shown sweep 0"),
        ("pytest_runtest_logfinish(nodeid)", "in pytest_runtest_logfinish as it was shown sweep 0"),
        ("pytest_sessionfinish(session)", "as the session ended"),
        ("pytest_terminal_summary(terminalreporter)", "as the session ended"),
    ],
)
def test_a_plugin_that_fails_costs_a_note_and_not_the_hunt(
    pytester: pytest.Pytester, hunt: Hunter, hook: str, at: str
) -> None:
    pytester.makeconftest(
        f"import os\ndef {hook}:\n    if 'PYTEST_XDIST_WORKER' not in os.environ: raise OSError('gone')"
    )
    pytester.makepyfile("def test_it(): pass")
    found = hunt(sweeps=2)
    assert found.result.ret == pytest.ExitCode.OK
    assert found.verdicts == {"test_it": "steady"}
    found.result.stdout.fnmatch_lines([f"note: conftest failed {at}: OSError: gone"])
    found.result.stdout.fnmatch_lines(["1 test never failed: 0 of 2; *"])


@pytest.mark.thorough
def test_what_an_interpreter_wrote_as_it_died_is_in_the_message(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        "def pytest_configure(config):\n    if hasattr(config, 'workerinput'): config.workerinput['port']"
    )
    pytester.makepyfile("def test_it(): pass")
    found = hunt(sweeps=2)
    found.result.stdout.fnmatch_lines(["*pytest ended with exit status 3 before it had collected the suite*"])
    found.result.stdout.fnmatch_lines(["*KeyError: 'port'*"])


def test_plugins_find_a_terminal_reporter_that_hears_of_no_test(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        from _pytest.terminal import TerminalReporter
        def pytest_sessionstart(session):
            assert isinstance(session.config.pluginmanager.get_plugin("terminalreporter"), TerminalReporter)
        """
    )
    pytester.makepyfile(
        "def test_it(request): assert not request.config.pluginmanager.get_plugin('terminalreporter').stats"
    )
    found = hunt(sweeps=3)
    assert found.verdicts == {"test_it": "steady"}


@pytest.mark.thorough
def test_a_crash_outside_of_a_tests_phases_is_told_with_its_error(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        import os, pytest
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(item):
            yield
            raise FileNotFoundError("the folder is gone")
        """
    )
    pytester.makepyfile("def test_it(): pass")
    found = hunt(sweeps=2)
    message = found.tests["test_it"]["modes"][0]["message"]
    assert message == "the process ended: exit status 70, of FileNotFoundError: the folder is gone"


@pytest.mark.thorough
@pytest.mark.parametrize("when", ["tryfirst", "trylast", "wrapper"])
def test_the_exit_status_is_ours(pytester: pytest.Pytester, hunt: Hunter, when: str) -> None:
    pytester.makeconftest(
        f"""
        import pytest
        class Late:
            @pytest.hookimpl({when}=True)
            def pytest_sessionfinish(self, session):
                {"yield" if when == "wrapper" else "pass"}
                session.exitstatus |= 5
        def pytest_configure(config): config.pluginmanager.register(Late())
        """
    )
    pytester.makepyfile("def test_it(): pass")
    assert hunt(sweeps=1).result.ret == pytest.ExitCode.OK


def test_sweeps_run_one_at_a_time_where_tests_write_beside_themselves(
    pytester: pytest.Pytester, hunt: Hunter, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = pytester.mkdir("site-packages")
    (installed / "approvaltests.py").touch()  # known by its name alone
    monkeypatch.setenv("PYTHONPATH", str(installed))
    pytester.makepyfile("def test_it(worker_id): assert worker_id == 'gw0'")
    found = hunt("-papprovaltests", "-n2", sweeps=4)
    assert found.verdicts == {"test_it": "steady"}
    assert "repeat" not in found.report["hunt"]["perturbations"]
    found.result.stdout.fnmatch_lines(["flakehunt: one zygote at a time, as approvaltests writes beside the tests"])


def test_no_later_hook_changes_the_exit_status_either(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        import pytest
        class Late:
            @pytest.hookimpl(wrapper=True, tryfirst=True)
            def pytest_sessionfinish(self, session):
                yield
                session.exitstatus = 42
        def pytest_collection_finish(session): session.config.pluginmanager.register(Late())
        """
    )
    pytester.makepyfile("def test_it(): pass")
    assert hunt(sweeps=1).result.ret == pytest.ExitCode.OK


# what the table does not know

WRITER = """
    import pathlib, pytest
    PLACE = pathlib.Path(__file__).parent
    def pytest_runtest_logreport(report):
        if report.when == "call": (PLACE / "report.txt").write_text(report.nodeid, "utf-8")
    def pytest_sessionfinish(session):
        if hasattr(session.config, "workerinput"): (PLACE / "end.txt").touch()
    def pytest_runtest_call(item):
        if report := item.config.getoption("--nowhere", None): report.touch()
    @pytest.fixture
    def place(): return PLACE
"""


@pytest.mark.thorough
def test_a_plugin_of_the_projects_own_is_left_alone_whatever_its_name(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(reporter='def pytest_addoption(parser): parser.addoption("--path", default="/etc/hosts")')
    pytester.makepyfile("def test_it(request): assert request.config.option.path == '/etc/hosts'")
    assert hunt("-preporter", sweeps=2).verdicts == {"test_it": "steady"}


def test_plugins_keep_their_cache_for_the_users_own_run(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        def pytest_configure(config): config.cache.set("kept/runs", config.cache.get("kept/runs", 0) + 1)
        """
    )
    pytester.makepyfile("def test_it(): pass")
    hunt(sweeps=3)
    assert (pytester.path / ".pytest_cache/v/kept/runs").read_text("utf-8") == "1"


def test_the_log_file_has_what_both_processes_of_sweep_0_log(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeini("[pytest]\nlog_file = run.log\nlog_file_level = INFO")
    pytester.makeconftest(
        """
        import logging, os
        def pytest_runtest_logreport(report):
            if "PYTEST_XDIST_WORKER" not in os.environ: logging.getLogger().info("heard of %s", report.when)
        """
    )
    pytester.makepyfile("import logging\ndef test_it(): logging.getLogger().info('within')")
    hunt(sweeps=3)
    log = (pytester.path / "run.log").read_text("utf-8")
    assert [log.count(words) for words in ("within", "heard of call", "\0")] == [1, 1, 0]


def test_what_was_left_out_is_not_hunted(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_a(): assert 0\ndef test_b(): pass", test_other="def test_c(): pass")
    pytester.runpytest_subprocess()
    assert hunt("--lf", sweeps=2).verdicts == {"test_a": "broken"}


def test_examples_of_hypothesis_stay_the_users_own(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        from hypothesis import given, strategies as st
        def test_inner():
            @given(st.integers())
            def property(n): assert n < 100
            property()
        """
    )
    found = hunt(plugins=["hypothesispytest"], sweeps=3)
    assert found.verdicts == {"test_inner": "broken"}
    assert not list((pytester.path / ".hypothesis").glob("examples/*"))


def test_a_file_system_that_a_module_fakes_is_no_matter(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import os
        def test_one(fs_module):
            fs_module.create_dir("/z")
            assert os.listdir("/z") == []
        def test_two(): assert os.listdir("/")
        """
    )
    found = hunt("--flakehunt-only=order,latency", plugins=["pyfakefs.pytest_plugin"], sweeps=6)
    assert found.verdicts == {"test_one": "steady", "test_two": "steady"}


def test_processes_of_plugins_are_their_own(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest(
        """
        import os, subprocess
        HELPER = []
        def pytest_runtest_logreport(report):
            if "PYTEST_XDIST_WORKER" not in os.environ and not HELPER:
                HELPER.append(subprocess.Popen(["sleep", "100"]))
        def pytest_sessionfinish():
            if HELPER:
                print("HELPER", HELPER[0].poll())
                HELPER[0].kill()
        """
    )
    pytester.makepyfile("def test_it(): pass")
    hunt("-s", sweeps=6).result.stdout.fnmatch_lines(["*HELPER None"])


def test_what_a_plugin_writes_where_nobody_looks_is_told(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(writer=WRITER)
    pytester.makepyfile("def test_it(place): (place / 'own.txt').touch()")
    found = hunt("-pwriter", sweeps=3)
    (note,) = found.report["notes"]
    assert re.fullmatch(
        r"writer wrote (end\.txt, )?report\.txt where only the hunt looks; "
        r"if no test needs it, keep it from that with flakehunt_disable_plugins = writer",
        note,
    )


def test_a_plugin_can_be_kept_from_where_nobody_looks(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeini("[pytest]\nflakehunt_disable_plugins = writer")
    pytester.makepyfile(writer=WRITER)
    pytester.makepyfile("def test_it(): pass")
    found = hunt("-pwriter", sweeps=3)
    assert found.report["notes"] == []
    assert (pytester.path / "report.txt").exists()  # of sweep 0, as pytest itself was shown it
    assert not (pytester.path / "end.txt").exists()


def test_a_plugin_that_is_not_there_cannot_be_kept_away(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeini("[pytest]\nflakehunt_disable_plugins = wirter, writer")
    pytester.makepyfile(writer="")
    found = hunt("-pwriter", sweeps=3)
    assert found.result.ret == pytest.ExitCode.USAGE_ERROR
    found.result.stderr.fnmatch_lines([
        "ERROR: flakehunt_disable_plugins=wirter: no plugin is registered under that name; give some of *writer*",
    ])  # fmt: skip


# all at once

BUSY = """
    [pytest]
    log_file = run.log
    log_file_level = INFO
    addopts =
        --cov=shop --cov-report=xml --html=report.html --report-log=log.jsonl --json-report --junitxml=junit.xml
        --alluredir=allure --clean-alluredir --snapshot-update
"""
IGNORED = "stdout\nstderr\nrunpytest-*\nreport.json\n.coverage\ncoverage.xml\nreport.html\nassets/\nlog.jsonl\n.report.json\njunit.xml\nallure/\nrun.log\n__pycache__/\n.pytest_cache/\n.flakehunt/\n"


@pytest.mark.thorough
def test_a_hunt_with_findings_leaves_a_repository_and_its_artefacts_as_sweep_0_made_them(
    pytester: pytest.Pytester, hunt: Hunter, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", str(root))
    pytester.makeini(BUSY)
    pytester.makepyfile(shop="CURRENCY = {'symbol': '€'}")
    pytester.makepyfile(
        test_shop="""
        import logging, shop
        def test_victim(snapshot):
            logging.getLogger().info("priced")
            assert f"3.00 {shop.CURRENCY['symbol']}" == snapshot
        def test_polluter(tmp_path):
            shop.CURRENCY["symbol"] = "$"
        def test_broken(): assert not "always"
        """
    )
    (pytester.path / ".gitignore").write_text(IGNORED, "utf-8")
    chosen = [f"-p{name}" for name in REPORTERS]
    pytester.runpytest_subprocess(*chosen)
    git("init", "-q")
    git("add", "-A")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all")
    coverage = (pytester.path / ".coverage").read_bytes(), (pytester.path / "coverage.xml").read_bytes()

    found = hunt("--flakehunt-only=order,random", plugins=REPORTERS, sweeps=8, diagnose=80)

    assert found.verdicts == {"test_victim": "fragile", "test_polluter": "steady", "test_broken": "broken"}
    assert found.mode("test_victim")["verified"]["failures"] > 0
    found.result.stdout.fnmatch_lines([f"{MESSAGE}--snapshot-update, --cov"])
    assert git("status", "--porcelain") == ""
    assert found.report["notes"] == []
    assert not list(root.iterdir())  # folders of commands that are run again push the user's own out
    assert coverage == ((pytester.path / ".coverage").read_bytes(), (pytester.path / "coverage.xml").read_bytes())
    assert artefacts(pytester.path) == {
        "html": 3, "report log": 9, "json": ["passed", "passed", "failed"], "junit": 3, "allure": 3, "log": 1,
        "failed last": ["test_shop.py::test_broken"],
    }  # fmt: skip


def git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def artefacts(folder: Path) -> dict[str, Any]:
    """Count what each reporter has written."""
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]
    cache = json.loads((folder / ".pytest_cache/v/cache/lastfailed").read_text("utf-8"))
    return {
        "html": len(set(re.findall(r"test_shop\.py::test_\w+", (folder / "report.html").read_text("utf-8")))),
        "report log": sum(line["$report_type"] == "TestReport" for line in log),
        "json": [test["outcome"] for test in json.loads((folder / ".report.json").read_text("utf-8"))["tests"]],
        "junit": (folder / "junit.xml").read_text("utf-8").count("<testcase"),
        "allure": len(list((folder / "allure").glob("*-result.json"))),
        "log": (folder / "run.log").read_text("utf-8").count("priced"),
        "failed last": list(cache),
    }
