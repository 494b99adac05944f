"""Annotations, read back by readers that were written from each service's own rules."""

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_flakehunt.model import Count, Findings, Interval, Leak, LeakKind, Left, Place, Service
from pytest_flakehunt.reports import annotations, remarks
from pytest_flakehunt.reports.remarks import Level, Remark
from pytest_flakehunt.reports.words import clean, harmless
from tests.reports import grammars
from tests.reports.hostile import POOLS, TEXTS, disfigured

READERS = {Service.GITHUB: grammars.github, Service.AZURE: grammars.azure, Service.TEAMCITY: grammars.teamcity}


def remark(number: int, level: Level = Level.ERROR) -> Remark:
    return Remark(level, "flaky", f"title {number}", (f"line {number}",), Place("tests/test_a.py", number + 1), "n")


def test_github_shows_verdict_and_cause_at_the_tests_own_line(sample: Findings) -> None:
    found = grammars.github("\n".join(annotations.lines(remarks.of_hunt(sample), Service.GITHUB)))
    assert [(one.name, one.properties["title"]) for one in found] == [
        ("error", "flaky: cause unknown"),
        ("error", "fragile: order"),
        ("error", "fragile: clock"),
        ("error", "broken"),
        ("warning", "fragile: cause unknown"),
        ("notice", "quarantined: clock"),
        ("notice", "leaked thread: serve"),
    ]
    assert {one.properties["file"] for one in found} == {"sub/project/tests/test_a.py"}
    assert {one.properties["line"] for one in found} == {"12"}
    assert found[1].data.splitlines() == [
        "it is the victim of tests/test_a.py::test_polluter; also, by itself: it fails with fewer than 2 cores",
        "fails 20 of 200 (6.6 % to 15 % of the time, 95 %); calm 0 of 40",
        "AssertionError: assert 1 == 2",
        "reproduce: python -m pytest tests/test_a.py::test_x --flakehunt-plan=clock=+400d",
    ]
    assert found[6].data.splitlines()[-1] == "hurts tests/test_a.py::test_victim"


def test_azure_knows_errors_and_warnings_alone(sample: Findings) -> None:
    found = grammars.azure("\n".join(annotations.lines(remarks.of_hunt(sample), Service.AZURE)))
    assert {one.name for one in found} == {"task.logissue"}
    assert [one.properties["type"] for one in found] == ["error"] * 4 + ["warning"] * 3
    assert found[0].properties["sourcepath"] == "sub/project/tests/test_a.py"
    assert found[0].properties["linenumber"] == "12"
    assert found[0].data.splitlines()[0] == (
        "flaky: cause unknown: its cause is unknown; it was seen failing under clock=+400d; suspected: clock"
    )


def test_teamcity_is_told_each_type_once_and_before_it_is_used(sample: Findings) -> None:
    found = grammars.teamcity("\n".join(annotations.lines(remarks.of_hunt(sample), Service.TEAMCITY)))
    types = [one.properties["id"] for one in found if one.name == "inspectionType"]
    used = [one.properties for one in found if one.name == "inspection"]
    assert types == ["flakehunt-flaky", "flakehunt-fragile", "flakehunt-broken", "flakehunt-leak"]
    assert [one["typeId"] for one in used][:2] == ["flakehunt-flaky", "flakehunt-fragile"]
    assert {one["SEVERITY"] for one in used} == {"ERROR", "WARNING", "INFO"}
    assert [one.name for one in found] == ["inspectionType"] * 4 + ["inspection"] * 7
    for one in found:
        assert all(
            len(value) <= (4000 if name in {"message", "description", "file"} else 255)
            for name, value in one.properties.items()
        )


@pytest.mark.parametrize(
    ("service", "levels"),
    [(Service.GITHUB, ["error", "warning", "notice"]), (Service.AZURE, ["error", "warning"])],
)
def test_no_more_is_written_than_is_shown_and_the_last_says_how_many_were_left_out(
    service: Service, levels: list[str]
) -> None:
    some = [remark(number, level) for level in Level for number in range(13)]
    found = READERS[service]("\n".join(annotations.lines(some, service)))
    for level in levels:
        here = [one for one in found if level in {one.name, one.properties.get("type")}]
        assert len(here) == 10
        left = 13 * (1 if service is Service.GITHUB or level == "error" else 2) - 9
        assert f"{left} further remarks of this level left out here: the report has all" in here[-1].data
        assert "file" not in here[-1].properties
        assert "line 8" in here[8].data
    assert len(READERS[service]("\n".join(annotations.lines(some[:10], service)))) == 10


def test_services_that_read_files_get_no_lines(sample: Findings) -> None:
    for service in (Service.GITLAB, Service.BUILDKITE):
        assert annotations.lines(remarks.of_hunt(sample), service) == []


@pytest.mark.parametrize("service", READERS)
@given(POOLS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_test_says_is_read_back_as_text_and_obeyed_by_nobody(
    service: Service, sample: Findings, pool: list[str]
) -> None:
    said = remarks.of_hunt(disfigured(sample, pool))
    log = "\n".join(annotations.lines(said, service))
    found = [one for one in READERS[service](log) if one.name != "inspectionType"]
    assert len(found) == len(said)
    for one, command in zip(said, found, strict=True):
        match service:
            case Service.GITHUB:
                assert command.data == one.text[: annotations.LONGEST_TEXT]
                assert command.properties.get("title", "") == one.title
            case Service.AZURE:
                assert command.data == f"{one.title}: {one.text}"
            case _:
                assert command.properties["message"] == f"{one.title}\n{one.text}"[: annotations.LONGEST_TEXT]


@given(TEXTS)
@settings(max_examples=100)
def test_what_is_shown_on_the_terminal_is_obeyed_by_nobody(text: str) -> None:
    for read in READERS.values():
        assert read(harmless(clean(text))) == []


def test_what_one_line_leaves_in_many_tests_is_one_remark() -> None:
    leak = Leak(LeakKind.FILE, "log", "test", Place("t.py", 3), Place("src/log.py", 8, "write"))
    left = [(f"t.py::test_{number}", Left(leak, Count(1, 1), Interval(0, 1))) for number in range(4)]
    (one,) = remarks.of_leaks(left, "sub", counting=False)
    assert (one.level, one.title, one.place) == (Level.NOTICE, "leaked file: log", Place("sub/t.py", 3))
    assert one.lines == ("left by the test t.py::test_0, and in 3 other tests", "from src/log.py:8")
    assert remarks.of_leaks(left, "sub", counting=True)[0].level is Level.ERROR


@pytest.mark.parametrize(
    ("file", "folder", "placed"),
    [
        ("t.py", "", "t.py"),
        ("t.py", "a/b", "a/b/t.py"),
        ("../x/t.py", "a/b", "a/x/t.py"),
        ("", "a", ""),
        ("/x/t.py", "a", "/x/t.py"),
    ],
)
def test_places_are_told_from_the_repositorys_root(file: str, folder: str, placed: str) -> None:
    assert remarks.placed(Place(file, 3), folder) == Place(placed, 3)
