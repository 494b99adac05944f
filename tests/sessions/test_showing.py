"""Whether perturbations act on this interpreter is tried, and one that does not stands down."""

import gc
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt import state
from pytest_flakehunt.perturbations import OURS
from pytest_flakehunt.sessions import showing

DESCRIPTORS = Path("/proc/self/fd")
Hunter = Callable[..., Any]
TRIED = {item.name: item for item in OURS if hasattr(item, "idle") and not getattr(item, "unavailable", "")}


@pytest.mark.parametrize("name", TRIED)
def test_each_acts_here_and_trying_changes_nothing(name: str, tmp_path: Path) -> None:
    item: Any = TRIED[name]
    item.idle()  # which imports what it needs
    before = state.Snapshot.take(tmp_path)
    drawn, frozen, descriptors = random.getstate(), gc.get_freeze_count(), len([*DESCRIPTORS.iterdir()])
    assert item.idle() == ""
    assert [f"{change.verb} {change.path}" for change in before.changes()] == []
    assert (random.getstate(), gc.get_freeze_count()) == (drawn, frozen)
    assert len([*DESCRIPTORS.iterdir()]) == descriptors


def test_what_is_tried_in_a_fork_is_what_is_tried_here() -> None:
    assert showing.idle(OURS).keys() >= TRIED.keys()
    assert set(showing.idle(TRIED.values()).values()) == {""}


def unseeded(*_: object) -> None:
    """Take the place of what seeds a generator."""


@pytest.mark.parametrize(
    ("name", "owner", "attribute", "stand_in", "reason"),
    [
        ("gc", gc, "set_threshold", unseeded, "new objects do not make the collector run"),
        ("random", random, "random", time.perf_counter, "numbers do not follow from the seed"),
        ("timezone", time, "localtime", time.gmtime, "local time is the same in Australia/Adelaide and Europe/Moscow"),
        ("cores", os, "sched_setaffinity", unseeded, "the process keeps its cores though it is pinned to one"),
    ],
)
def test_a_mechanism_that_is_broken_is_noticed(
    monkeypatch: pytest.MonkeyPatch, name: str, owner: Any, attribute: str, stand_in: object, reason: str
) -> None:
    if name not in TRIED:
        pytest.skip(f"{name} stands down here")
    if name == "cores":
        psutil = pytest.importorskip("psutil")
        owner, attribute = psutil.Process, "cpu_affinity"
        original = psutil.Process.cpu_affinity
        stand_in = lambda self, cpus=None: None if cpus else original(self)  # noqa: E731 - it takes the method's place
    monkeypatch.setattr(owner, attribute, stand_in)
    assert showing.idle([TRIED[name]]) == {name: reason}


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="line events come from trace functions")
def test_a_python_without_line_events_is_noticed() -> None:
    monitoring: Any = sys.__dict__["monitoring"]
    for tool in (3, 4):
        monitoring.use_tool_id(tool, "another")
    try:
        assert showing.idle([TRIED["threads"]]) == {"threads": "of three lines that ran 0 were seen"}
    finally:
        for tool in (3, 4):
            monitoring.free_tool_id(tool)


TRIALS = """
import json, os, time
from pytest_flakehunt.sessions import showing

class Tried:
    def __init__(self, name, idle): self.name, self.idle = name, idle

print(json.dumps(showing.idle([
    Tried("good", str),
    Tried("aborts", os.abort),
    Tried("raises", lambda: {}["no"]),
    Tried("hangs", lambda: time.sleep(1000)),
    Tried("says", lambda: "not\\ntoday"),
], longest=0.5)))
"""


def test_what_ends_hangs_or_raises_costs_one_perturbation() -> None:
    done = subprocess.run([sys.executable, "-c", TRIALS], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "good": "",
        "aborts": "trying whether it acts ended the process: SIGABRT",
        "raises": "trying whether it acts raised KeyError: 'no'",
        "hangs": "trying whether it acts took longer than 0.5 s",
        "says": "not today",
    }


def test_a_hunt_goes_on_without_it_and_says_so_everywhere(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeconftest("import gc\ngc.set_threshold = lambda *_: None")
    pytester.makepyfile("def test_it(): pass")
    found = hunt("-v", "--flakehunt-only=gc,heap", sweeps=4)
    reason = "gc stands down: new objects do not make the collector run"
    assert found.report["hunt"]["perturbations"] == ["heap"]
    assert found.report["hunt"]["stood_down"] == [reason]
    assert found.report["notes"] == [reason]
    lines = found.result.outlines
    assert lines.index(f"flakehunt: {reason}") < next(i for i, line in enumerate(lines) if line.startswith("test_a_"))
    with sqlite3.connect(pytester.path / ".flakehunt" / "ledger.sqlite") as db:
        plans = [plan for (plan,) in db.execute("SELECT plan FROM sweeps")]
        documents = db.execute("SELECT document FROM documents").fetchall()
    db.close()
    assert not [plan for plan in plans if "gc=" in plan]
    assert reason in json.dumps(documents)
