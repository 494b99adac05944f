"""What each test consults at all, and which sweeps leave it out for that."""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.model import UNSEEN
from pytest_flakehunt.perturbations import OURS
from pytest_flakehunt.survey.schedule import sources

Hunter = Callable[..., Any]
ZOO = Path(__file__).parents[1] / "zoo"
LOOKED_FOR = frozenset().union(*map(sources, OURS))
PLUGIN = """
import json, pytest
from pytest_flakehunt.instruments import source_watch
from pytest_flakehunt.perturbations import random

FOUND = {}

def pytest_configure(config):
    config.pluginmanager.register(source_watch.Watch(random.states), "watch")

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    with item.config.pluginmanager.get_plugin("watch").during(item) as noted:
        result = yield
    FOUND[item.nodeid] = sorted(noted)
    return result

def pytest_unconfigure(config):
    with open("found.json", "w") as file:
        json.dump(FOUND, file)
"""
WAYS: Mapping[str, tuple[str, set[str]]] = {
    "nothing": ("assert sorted({3, 1}) == [1, 3]", set()),
    "a_logger": ("import logging; logging.getLogger('x').warning('hello')", set()),
    "the_date": ("import datetime; datetime.date.today()", {"clock", "timezone"}),
    "a_time_in_a_library": ("import email.utils; email.utils.formatdate(localtime=True)", {"clock", "timezone"}),
    "draws": ("import random; random.shuffle([1, 2])", {"random"}),
    "numpy_draws": ("numpy.random.rand()", {"random"}),
    "numpy_draws_of_its_own": ("numpy.random.default_rng().random()", {"random"}),
    "a_uuid": ("import uuid; uuid.uuid4()", {"random"}),
    "naps": ("import time; time.sleep(0)", {"sleep"}),
    "a_file": ("import pathlib; pathlib.Path(__file__).read_text()", {"file"}),
    "a_folder": ("import glob; glob.glob('*')", {"directory"}),
    "a_socket": ("import socket\nwith socket.socket() as s: s.connect_ex(('127.0.0.1', 1))", {"network"}),
    "a_name": ("import socket; socket.getaddrinfo('127.0.0.1', 80)", {"network"}),
    "a_program": ("import subprocess; subprocess.run(['true'])", {"process"}),
    "a_thread": ("import threading; t = threading.Thread(target=print); t.start(); t.join()", {"threads"}),
    "a_bare_thread": ("import _thread, time; _thread.start_new_thread(int, ())", {"threads"}),
    "a_pool": ("from concurrent.futures import ThreadPoolExecutor as P\nwith P() as p: p.submit(int)", {"threads"}),
    "in_a_thread": (
        "import threading, random; t = threading.Thread(target=random.random); t.start(); t.join()",
        {"random", "threads"},
    ),
    "a_loop": ("import asyncio\nasync def main(): pass\nasyncio.run(main())", {"asyncio"}),
    "cases": (
        "import unittest\nclass C(unittest.IsolatedAsyncioTestCase):\n    async def test(self): pass\n"
        "unittest.TextTestRunner(stream=__import__('io').StringIO()).run(C('test'))",
        {"asyncio"},
    ),
    "a_log_with_the_time": (
        "import logging\nrecord = logging.makeLogRecord({})\nlogging.Formatter('%(asctime)s').format(record)",
        {"clock", "timezone"},
    ),
    "trio": ("async def main(): pass\ntrio.run(main)", {"asyncio"}),
    "the_locale": ("import locale; locale.localeconv()", {"locale"}),
    "its_zone": ("import os; os.environ.get('TZ')", {"timezone"}),
    "its_language": ("import os; os.environ.get('LC_TIME')", {"locale"}),
    "all_variables": ("import os; dict(os.environ)", {"locale", "timezone"}),
    "a_variable": ("import os; os.environ.get('HOME')", set()),
}
NOISE = {
    "a_loop": {"network"},
    "cases": {"clock", "network", "timezone"},
    "trio": {"network", "process", "random", "threads"},
    "a_program": {"file"},
    "the_locale": set[str](),
}
"""What else these consult on their way, on some versions."""


@pytest.fixture(scope="module")
def consulted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What a run of pytest noted of each way."""
    folder = tmp_path_factory.mktemp("ways")
    lines = ["import pytest"]
    for name, (body, _) in WAYS.items():
        skip = {"n": "numpy", "t": "trio"}[name[0]] if name.startswith(("numpy", "trio")) else ""
        lines += [f"def test_{name}():", *([f"    {skip} = pytest.importorskip({skip!r})"] if skip else [])]
        lines += [f"    {line}" for line in body.splitlines()]
    (folder / "test_ways.py").write_text("\n".join(lines), "utf-8")
    (folder / "noting.py").write_text(PLUGIN, "utf-8")
    return noted(folder)


def noted(folder: Path, *args: str) -> dict[str, set[str]]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-pnoting",
        "-pno:cacheprovider",
        "-q",
        "--rootdir=.",
        f"-c{os.devnull}",
        *args,
    ]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environ, check=False, stdout=subprocess.PIPE, text=True)
    assert (folder / "found.json").exists(), done.stdout
    found: dict[str, list[str]] = json.loads((folder / "found.json").read_text("utf-8"))
    return {name.rpartition("::")[2]: set(sources) & (LOOKED_FOR | {UNSEEN}) for name, sources in found.items()}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_test_consults_is_noted(consulted: dict[str, set[str]], way: str) -> None:
    if way.startswith(("numpy", "trio")):
        pytest.importorskip(way.partition("_")[0])
    found = consulted[f"test_{way}"]
    assert WAYS[way][1] <= found <= WAYS[way][1] | NOISE.get(way, set()) | {"file"}


def test_what_a_shared_fixture_consults_counts_for_all_that_use_it(tmp_path: Path) -> None:
    (tmp_path / "noting.py").write_text(PLUGIN, "utf-8")
    (tmp_path / "test_it.py").write_text(
        "import pytest, random, time\n"
        "@pytest.fixture(scope='module')\ndef drawn(): return random.random()\n"
        "@pytest.fixture(scope='session')\ndef outer(drawn_too): return 1\n"
        "@pytest.fixture(scope='session')\ndef drawn_too(): return time.time()\n"
        "def test_first(drawn, outer): pass\ndef test_second(drawn): pass\ndef test_third(outer): pass\n"
        "def test_fourth(): pass\n",
        "utf-8",
    )
    assert noted(tmp_path) == {
        "test_first": {"clock", "random"},
        "test_second": {"random"},
        "test_third": {"clock"},
        "test_fourth": set(),
    }


def test_what_cannot_be_watched_to_the_end_is_said(tmp_path: Path) -> None:
    (tmp_path / "noting.py").write_text(PLUGIN, "utf-8")
    (tmp_path / "test_it.py").write_text(
        "import os, sys, unittest\n"
        "def test_forks():\n    if not os.fork(): os._exit(0)\n    os.wait()\n"
        "def test_profiles():\n    sys.setprofile(lambda *_: None)\n    sys.setprofile(None)\n"
        "def test_plain(): pass\n"
        "class TestIt(unittest.IsolatedAsyncioTestCase):\n    async def test_awaits(self): pass\n",
        "utf-8",
    )
    found = noted(tmp_path)
    assert UNSEEN in found["test_forks"] & found["test_profiles"]
    assert found["test_plain"] == set()
    assert "asyncio" in found["test_awaits"]


def test_a_fixture_that_is_asked_for_by_name_counts(tmp_path: Path) -> None:
    (tmp_path / "noting.py").write_text(PLUGIN, "utf-8")
    (tmp_path / "test_it.py").write_text(
        "import pytest, random\n"
        "@pytest.fixture(scope='session')\ndef drawn(): return random.random()\n"
        "def test_first(request): request.getfixturevalue('drawn')\n"
        "def test_second(request): request.getfixturevalue('drawn')\n"
        "def test_third(): pass\n",
        "utf-8",
    )
    assert noted(tmp_path) == {"test_first": {"random"}, "test_second": {"random"}, "test_third": set()}


@pytest.mark.thorough
def test_every_flaky_test_of_the_zoo_consults_what_brings_it_out(tmp_path: Path) -> None:
    """So sweeps that leave out what does not consult their source lose nothing that can be found."""
    truth = runpy.run_path(str(ZOO / "truth.py"))
    (tmp_path / "noting.py").write_text(PLUGIN, "utf-8")
    found = noted(tmp_path, str(ZOO), f"--ignore={ZOO}/test_crash.py")
    wanted = {perturbation.name: sources(perturbation) for perturbation in OURS}
    causes = [*truth["CAUSES"].items(), *((nodeid, causes) for (nodeid, _), causes in truth["MODES"].items())]
    held = {
        (nodeid, cause): bool(wanted[cause] & found[nodeid.rpartition("::")[2]])
        for nodeid, causes in causes
        for cause in causes
        if wanted.get(cause)
    }
    assert len(held) > 12
    assert all(held.values()), held


@pytest.mark.thorough
def test_sweeps_leave_out_tests_that_do_not_consult_their_source(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_some="import time\ndef test_reads(): assert time.localtime().tm_year < 2027",
        test_others="import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_reads_nothing(n): pass",
    )
    found = hunt("--flakehunt-only=clock,repeat", sweeps=50)
    tests, trial = found.tests, found.report["hunt"]
    assert found.verdicts["test_reads"] == "fragile"
    assert tests["test_reads"]["runs"] == trial["sweeps"] == 50
    others = {test["runs"] for name, test in tests.items() if name != "test_reads"}
    assert max(others) < 45
    assert trial["saved"] == sum(50 - test["runs"] for test in tests.values())
    assert f"; {trial['saved']} attempts left out" in (found.result.stdout.str())


@pytest.mark.thorough
def test_a_sweep_for_what_nobody_consults_is_left_out_whole(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    found = hunt("--flakehunt-only=timezone,clock", sweeps=40)
    trial = found.report["hunt"]
    assert trial["saved"] == 40 - trial["sweeps"] > 5
    assert found.tests["test_it"]["runs"] == trial["sweeps"]


@pytest.mark.thorough
def test_a_lone_sweep_in_which_all_that_ask_fail_is_no_outage(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_some="import time, pytest\n"
        "@pytest.mark.parametrize('n', range(12))\ndef test_reads(n): assert time.localtime().tm_year < 2027",
        test_others="import pytest\n@pytest.mark.parametrize('n', range(40))\ndef test_reads_nothing(n): pass",
    )
    found = hunt("--flakehunt-only=clock,repeat", sweeps=60)
    assert found.report["outages"] == []
    assert found.verdicts["test_reads[0]"] == "fragile"
    assert found.report["hunt"]["saved"] > 0


@pytest.mark.thorough
def test_a_hunt_for_a_time_studies_too(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    found = hunt("--flakehunt-only=clock,repeat", sweeps="15s")
    assert found.verdicts == {"test_it": "steady"}
    assert found.report["hunt"]["saved"] > 0


@pytest.mark.thorough
def test_when_all_tests_are_benched_the_hunt_ends(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("import time\ndef test_it(): time.sleep(100)")
    found = hunt("--flakehunt-plan=gc=off", "--flakehunt-timeout=0.3", sweeps=1500)
    assert found.report["hunt"]["sweeps"] < 20
    assert {mode["outcome"] for mode in found.tests["test_it"]["modes"]} == {"hung"}


@pytest.mark.thorough
def test_a_short_hunt_does_not_ask(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    trial = hunt("--flakehunt-only=timezone,clock", sweeps=20).report["hunt"]
    assert (trial["saved"], trial["sweeps"]) == (0, 20)
