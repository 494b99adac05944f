"""Hunts that go on after their process was killed: for real, in the survey and in experiments."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.ledger import recalling
from pytest_flakehunt.ledger.journal import Written
from pytest_flakehunt.ledger.merging import written
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.perturbations.worth import weights
from pytest_flakehunt.survey.schedule import for_survey

SUITE = """
    import pytest, time
    FLAGS = {}
    @pytest.mark.parametrize("it", [object()], ids=repr)
    def test_has_another_name_in_each_process(it): pass
    @pytest.mark.skip(reason="it is")
    def test_is_skipped(): pass
    def test_victim(): assert not FLAGS
    def test_waits(): time.sleep(0.03)
    def test_pollutes(): FLAGS[1] = True
    """
ARGS = ("-pxdist.plugin", "-ppytest_flakehunt.plugin", "--flakehunt=24", "--flakehunt-only=order,gc", "-n2")


HELD_UP = """
    import os, time
    from pathlib import Path
    import pytest
    def first(name):
        try: Path(name).touch(exist_ok=False)
        except FileExistsError: return False
        return True
    WORKER = os.environ.get("PYTEST_XDIST_WORKER")
    @pytest.fixture(scope="module")
    def down():
        if WORKER == "gw0" and first("held up"): time.sleep(1000)
        return WORKER == "gw1" and first("down")
    @pytest.mark.parametrize("n", range(12))
    def test_it(n, down): assert not down
    """


def sweeps(path: Path, purpose: str) -> int:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        (found,) = db.execute("SELECT count(*) FROM sweeps WHERE purpose = ?", (purpose,)).fetchone()
        return int(found)
    return 0


def killed(path: Path, purpose: str, number: int, how: signal.Signals, args: Sequence[str] = ARGS) -> None:
    """Begin a hunt, and kill it once so many sweeps of a kind have ended."""
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *args, "--flakehunt-seed=5"], stdout=subprocess.DEVNULL, env=dict(os.environ)
    ) as process:
        until = time.monotonic() + 100
        while sweeps(path, purpose) < number and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert process.poll() is None, "it ended before it could be killed"
        process.send_signal(how)


@pytest.mark.thorough
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("purpose", "number", "how"),
    [
        ("survey", 9, signal.SIGKILL),
        ("survey", 9, signal.SIGINT),
        ("diagnosis", 5, signal.SIGKILL),
    ],
)
def test_it_goes_on_after_any_kind_of_death(
    purpose: str, number: int, how: signal.Signals, pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    del hunt  # what it unsets
    pytester.makepyfile(test_it=SUITE)
    path = pytester.path / ".flakehunt" / "ledger.sqlite"
    killed(path, purpose, number, how)
    other = pytester.runpytest_subprocess(*ARGS, "--flakehunt-resume", "--flakehunt-seed=6")
    assert other.ret == pytest.ExitCode.USAGE_ERROR
    other.stderr.fnmatch_lines(["ERROR: --flakehunt-resume: * differ: seed 5 and 6; give all as it was, or leave*"])
    result = pytester.runpytest_subprocess(*ARGS, "--flakehunt-resume", "--flakehunt-json=report.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=3, skipped=1)  # though sweep 0 was run before
    active = [item for name, item in registry().items() if name in {"order", "gc"}]
    schedule = for_survey(5, 24, active, weights(active, {}))
    drawn = {draft.number: draft for draft in iter(schedule.next, None)}
    kept = {sweep.number: sweep for sweep, *_ in recalling.recorded(path, 1, written)}
    assert kept.keys() >= set(range(24))
    assert {n: str(draft.plan) for n, draft in drawn.items()} == {n: str(kept[n].plan) for n in range(24)}
    assert not any(sweep.torn for sweep in kept.values())
    report = json.loads((pytester.path / "report.json").read_text("utf-8"))
    assert report["hunt"]["sweeps"] == len(kept)
    renamed = "1 test has other numbers in the node id than before the hunt was interrupted, so that what ran then is in no rate: *"
    assert any(fnmatch(note, renamed) for note in report["notes"])
    (victim,) = (test for test in report["tests"] if test["modes"])
    assert victim["runs"] <= len(kept)
    assert victim["modes"][0]["causes"][0]["polluters"] == ["test_it.py::test_pollutes"]
    if purpose == "diagnosis":
        with closing(sqlite3.connect(path)) as db:
            (steps,) = db.execute("SELECT count(*) FROM steps").fetchone()
        assert steps
        assert report["hunt"]["experiments"] >= sweeps(path, "diagnosis")  # those of before are counted as well
    else:
        assert sweeps(path, "torn") >= 1
        assert any("that had not ended" in note for note in report["notes"])
    again = pytester.runpytest_subprocess(*ARGS, "--flakehunt-resume")
    again.stderr.fnmatch_lines(
        ["ERROR: --flakehunt-resume: *ledger.sqlite has no hunt that was interrupted; leave it*"]
    )
    assert not list(path.parent.glob("*.lock"))


@pytest.mark.usefixtures("interruptible")
def test_sweeps_that_ended_before_the_first_are_kept_and_judged_by_it_later(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    del hunt  # what it unsets
    pytester.makepyfile(test_it=HELD_UP)
    path, journal = pytester.path / ".flakehunt" / "ledger.sqlite", pytester.path / "sweeps.jsonl"
    args = (
        *ARGS[:2],
        "--flakehunt=8",
        "--flakehunt-only=gc",
        "-n2",
        "--flakehunt-timeout=100",
        f"--flakehunt-journal={journal}",
    )
    killed(path, "survey", 3, signal.SIGKILL, args)
    kept = {sweep.number: sweep for sweep, *_ in recalling.recorded(path, 1, written)}
    assert min(kept) > 0
    assert sorted(Written(journal).sweeps) == sorted(kept)
    result = pytester.runpytest_subprocess(*args, "--flakehunt-resume", "--flakehunt-json=report.json")
    assert result.ret == 0
    again = {sweep.number: sweep for sweep, *_ in recalling.recorded(path, 1, written)}
    assert {*range(8)} <= again.keys()
    assert {number: again[number].started for number in kept} == {number: one.started for number, one in kept.items()}
    report = json.loads((pytester.path / "report.json").read_text("utf-8"))
    (outage,) = report["outages"]
    assert [number for number, sweep in again.items() if sweep.outage] == [outage["sweep"]]
    assert outage["sweep"] in kept
    assert Written(journal).read(outage["sweep"], written)[0].outage
    assert {test["verdict"] for test in report["tests"]} == {"steady"}
