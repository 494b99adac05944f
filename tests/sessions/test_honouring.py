"""The quarantine file in hunts: honoured, and written."""

import json
import subprocess
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.analysis.fingerprints import named
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.quarantine.reading import read

Hunter = Callable[..., Any]
pytestmark = pytest.mark.thorough
TODAY = realtime.now().date()
SUITE = """
    import os, time

    def test_zone():
        assert time.timezone == 0, "far away"

    def test_sound():
        pass

    def test_broken():
        assert 0
"""
ZONE = named("call", "AssertionError", 'test_it.py::test_zone assert time.timezone==0,"far away"')
FILE = "flakehunt-quarantine.toml"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    monkeypatch.setenv("TZ", "UTC")
    pytester.makeini("[pytest]")
    pytester.makepyfile(test_it=SUITE)


def entry(test: str = "test_it.py::test_zone", prints: str = ZONE, expires: int = 9) -> str:
    return (
        f'\n[[quarantined]]\ntest = "{test}"\nfingerprints = ["{prints}"]\nowner = "@shop"\nreason = "soon"\n'
        f"added = {TODAY - timedelta(days=9)}\nexpires = {TODAY + timedelta(days=expires)}\n"
    )


def zones(hunt: Hunter, *args: str, **options: Any) -> Any:
    return hunt("--flakehunt-only=timezone", *args, sweeps=10, **options)


def write(pytester: pytest.Pytester, text: str) -> Path:
    path = pytester.path / FILE
    path.write_text(f"version = 1\n{text}", "utf-8")
    return path


def test_a_known_finding_is_listed_apart_and_does_not_count(hunt: Hunter, pytester: pytest.Pytester) -> None:
    write(pytester, entry())
    found = zones(hunt, "-k", "not broken")
    assert found.result.ret == 0
    words = f"until {TODAY + timedelta(days=9)}: soon; @shop"
    found.result.stdout.fnmatch_lines([
        "quarantined (known, listed apart, not counted):", f"  fragile test_it.py::test_zone: fails * of 10; {words}",
    ])  # fmt: skip
    assert found.mode("test_zone")["quarantined"] == words
    assert found.mode("test_zone")["repro"].endswith("'") or "--flakehunt-plan" in found.mode("test_zone")["repro"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (entry(prints="0" * 16), None),
        (entry(expires=-1), f"note: its quarantine expired on {TODAY - timedelta(days=1)}"),
        (
            f'[[released]]\ntest = "test_it.py::test_zone"\nfingerprints = ["{ZONE}"]\nreleased = {TODAY}\n',
            f"note: it is back: released from quarantine on {TODAY}",
        ),
    ],
)
def test_a_new_failure_counts_and_so_does_one_that_is_over_date_or_back(
    hunt: Hunter, pytester: pytest.Pytester, text: str, note: str | None
) -> None:
    write(pytester, text)
    found = zones(hunt, "-k", "not broken")
    assert found.result.ret == 1
    assert found.mode("test_zone")["quarantined"] == ""
    if note is not None:
        assert any(note in line for line in found.result.outlines)


def test_a_quarantined_test_that_was_not_seen_failing_is_told(hunt: Hunter, pytester: pytest.Pytester) -> None:
    write(pytester, entry("test_it.py::test_sound"))
    found = zones(hunt, "-k", "sound")
    found.result.stdout.fnmatch_lines([
        "quarantined, and not seen failing in 10 attempts: test_it.py::test_sound",
        "  ready for release? flakehunt quarantine release test_it.py::test_sound",
    ])  # fmt: skip
    assert found.report["ready_for_release"] == [
        {"nodeid": "test_it.py::test_sound", "test": "test_it.py::test_sound", "runs": 10}
    ]


def test_a_broken_file_excuses_nobody_and_is_told(hunt: Hunter, pytester: pytest.Pytester) -> None:
    write(pytester, "[[quarantined]]\n")
    found = zones(hunt, "-k", "not broken")
    assert found.result.ret == 1
    found.result.stdout.fnmatch_lines([f"note: {FILE}, line 2: test is missing: *; nothing is excused"])


def test_off_honours_nothing(hunt: Hunter, pytester: pytest.Pytester) -> None:
    write(pytester, entry())
    assert zones(hunt, "-k", "not broken", "--flakehunt-quarantine=off").result.ret == 1


def test_update_writes_what_was_found_with_its_owner_and_no_broken_test(
    hunt: Hunter, pytester: pytest.Pytester
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=pytester.path, check=True)
    (pytester.path / "CODEOWNERS").write_text("*.py @shop-team\n", "utf-8")
    found = zones(hunt, "--flakehunt-quarantine=update", diagnose=200)
    path = pytester.path / FILE
    (written,) = read(path).entries
    assert (written.test, written.fingerprints, written.owner) == ("test_it.py::test_zone", (ZONE,), "@shop-team")
    assert written.at == ('call AssertionError test_it.py::test_zone assert time.timezone==0,"far away"',)
    assert written.cause.startswith("timezone: it ")
    assert written.plan.startswith("timezone=")
    assert written.seen.failures == written.seen.runs > 3
    assert (written.added, written.expires) == (TODAY, TODAY + timedelta(days=14))
    assert len(written.body) == 16
    assert written.repro.startswith(("python", "pytest"))
    raw = tomllib.loads(path.read_text("utf-8"))["quarantined"][0]
    assert (raw["issue"], raw["reason"]) == ("", "")
    shown = [line[1:] for line in found.result.outlines if line.startswith("+") and not line.startswith("+++")]
    assert shown == path.read_text("utf-8").splitlines()
    again = zones(hunt, "--flakehunt-quarantine=update", "-k", "not broken")
    assert again.result.ret == 0
    assert read(path).entries == (written,)  # what is there is neither changed nor extended


def test_update_leaves_a_new_failure_of_a_quarantined_test_to_people(hunt: Hunter, pytester: pytest.Pytester) -> None:
    path = write(pytester, entry(prints="0" * 16))
    before = path.read_text("utf-8")
    found = zones(hunt, "--flakehunt-quarantine=update")
    assert found.result.ret == 1
    assert path.read_text("utf-8") == before
    found.result.stdout.fnmatch_lines([
        "note: test_it.py::test_zone is quarantined already, and call AssertionError test_it.py::test_zone assert "
        f'time.timezone==0,"far away" is new: look at it; to excuse it as well, add "{ZONE}" to the fingerprints of its '
        "entry",
    ])  # fmt: skip


def test_update_does_not_put_back_what_was_released_and_is_back(hunt: Hunter, pytester: pytest.Pytester) -> None:
    text = f'[[released]]\ntest = "test_it.py::test_zone"\nfingerprints = ["{ZONE}"]\nreleased = {TODAY}\n'
    path = write(pytester, text)
    found = zones(hunt, "--flakehunt-quarantine=update")
    assert not read(path).entries
    said = f"note: test_it.py::test_zone is not added: it is back: released from quarantine on {TODAY}"
    assert said in found.result.outlines


def test_what_no_run_would_excuse_is_not_written(hunt: Hunter, pytester: pytest.Pytester) -> None:
    suite = "import time, pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_zone():\n    assert time.timezone\n"
    pytester.makepyfile(test_it=suite)
    zones(hunt, "--flakehunt-quarantine=update")
    assert not (pytester.path / FILE).exists()


def test_update_adds_no_more_than_the_file_allows(hunt: Hunter, pytester: pytest.Pytester) -> None:
    write(pytester, "max_entries = 1\n" + entry("test_it.py::test_other"))
    found = zones(hunt, "--flakehunt-quarantine=update")
    found.result.stdout.fnmatch_lines(["note: not added, as max_entries allows 1: test_it.py::test_zone"])


def test_update_of_a_broken_file_is_refused_before_anything_runs(hunt: Hunter, pytester: pytest.Pytester) -> None:
    write(pytester, "[[quarantined]]\n")
    refused = zones(hunt, "--flakehunt-quarantine=update").result
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines([f"ERROR: --flakehunt-quarantine=update: {FILE}, line 2: test is missing: *"])


def test_where_the_file_cannot_be_written_the_findings_are_shown_all_the_same(
    hunt: Hunter, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\nflakehunt_quarantine_file = nowhere/q.toml\n")
    found = zones(hunt, "--flakehunt-quarantine=update")
    assert found.result.ret == 1
    found.result.stdout.fnmatch_lines([
        "FRAGILE test_it.py::test_zone",
        "note: --flakehunt-quarantine=update: q.toml cannot be written: No such file or directory: make it writable; -v "
        "shows what was to be added",
    ])  # fmt: skip


def test_v_shows_entries_to_paste(hunt: Hunter, pytester: pytest.Pytester) -> None:
    found = zones(hunt, "-v")
    assert not (pytester.path / FILE).exists()
    lines = found.result.outlines
    at = lines.index("to be pasted into the quarantine file, if it has to be:")
    end = next(place for place in range(at, len(lines)) if lines[place].startswith("="))
    text = "version = 1\n" + "\n".join(lines[at + 1 : end])
    (pytester.path / FILE).write_text(text, "utf-8")
    assert read(pytester.path / FILE).entries[0].fingerprints == (ZONE,)
    json.dumps(found.report)


def test_a_reproduction_is_never_excused(hunt: Hunter, pytester: pytest.Pytester) -> None:
    suite = "import os\n\ndef test_zone():\n    assert 'SEEN' not in os.environ\n\ndef test_later():\n    os.environ['SEEN'] = '1'\n"
    pytester.makepyfile(test_it=suite)
    known = named("call", "AssertionError", "test_it.py::test_zone assert'SEEN'not in os.environ")
    write(pytester, entry(prints=known))
    found = hunt("--flakehunt-only=order", sweeps=10, diagnose=120)
    repro = found.mode("test_zone")["repro"]
    assert repro.endswith("--flakehunt-plan=calm")
    assert found.mode("test_zone")["verified"]["failures"] > 0


def test_a_report_has_the_entry_that_update_would_add_and_who_owns_the_test(
    hunt: Hunter, pytester: pytest.Pytester
) -> None:
    (pytester.path / ".git").mkdir()
    (pytester.path / "CODEOWNERS").write_text("test_it.py @zones @time\n", "utf-8")
    found = zones(hunt, "--flakehunt-quarantine=update")
    told = {test["nodeid"].partition("::")[2]: test for test in found.report["tests"]}
    assert {test["owner"] for test in told.values()} == {"@zones @time"}
    assert [name for name, test in told.items() if test["quarantine_entry"]] == ["test_zone"]
    (written,) = tomllib.loads((pytester.path / FILE).read_text("utf-8"))["quarantined"]
    entry = told["test_zone"]["quarantine_entry"]
    dates = {name: date.fromisoformat(entry[name]) for name in ("added", "expires")}
    assert {**entry, **dates, "issue": "", "reason": "", **written} == {**entry, **dates, "issue": "", "reason": ""}
