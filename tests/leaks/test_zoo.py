"""The zoo of leaks: all of them are found with owner and line, and no sound twin is reported."""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ZOO = Path(__file__).parent / "zoo"


class Told(NamedTuple):
    kind: str
    owner: str
    started_at: str


def expected() -> set[Told]:
    """Read what the comments in the zoo say."""
    found = set()
    for path in ZOO.glob("*.py"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if said := re.search(r"# LEAK (\w+)(?: (\w+))?", line):
                found.add(Told(said[1], said[2] or "test", f"{path.name}:{number}"))
    return found


@pytest.fixture(scope="module")
def report(hunted_once: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    def prepare(folder: Path) -> None:
        shutil.copytree(ZOO, folder)
        (folder / "none.ini").write_text("[pytest]\n", "utf-8")

    found = hunted_once(
        "leaks",
        [
            "-cnone.ini", "--flakehunt=5", "--flakehunt-seed=3", "--flakehunt-without=latency",
            "--flakehunt-diagnose=0", ".",
        ],
        prepare,
    )  # fmt: skip
    for left in Path(tempfile.gettempdir()).glob("zoo-*"):
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return found


def leaks(report: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(test["nodeid"], leak) for test in report["tests"] for leak in test["leaks"]]


def test_all_leaks_are_found_with_owner_and_line(report: dict[str, Any]) -> None:
    assert {Told(leak["kind"], leak["owner"], leak["started_at"]) for _, leak in leaks(report)} == expected()
    assert len(expected()) >= 25


def test_no_sound_twin_is_reported(report: dict[str, Any]) -> None:
    assert [leak for nodeid, leak in leaks(report) if nodeid.startswith("test_sound.py")] == []
    assert sum(test["nodeid"].startswith("test_sound.py") for test in report["tests"]) >= 25


def test_all_of_them_happen_every_time(report: dict[str, Any]) -> None:
    rates = {(nodeid, leak["what"]): (leak["leaked"], leak["runs"]) for nodeid, leak in leaks(report)}
    bare = ("test_left.py::test_raw_thread", "_thread (nap)")
    left, runs = rates.pop(bare)
    assert left >= runs - 1 > 0  # on a busy machine it may not have begun to run when it is looked for
    assert {key: rate for key, rate in rates.items() if rate[0] != rate[1]} == {}


def test_a_fixture_that_two_tests_share_is_told_once(report: dict[str, Any]) -> None:
    found = [nodeid for nodeid, leak in leaks(report) if leak["owner"] == "live_server"]
    assert found == ["test_left.py::test_fixture_of_a_module"]


@pytest.mark.parametrize(("name", "last"), [("test_thread", "in nap"), ("test_task", "in sleep")])
def test_threads_and_tasks_say_where_they_are_now(report: dict[str, Any], name: str, last: str) -> None:
    (now,) = [leak["now"] for nodeid, leak in leaks(report) if nodeid.endswith(f"::{name}")]
    assert now.splitlines()[-1].endswith(last)


def test_nothing_is_wrong_with_the_tests_themselves(report: dict[str, Any]) -> None:
    assert {test["nodeid"]: test["modes"] for test in report["tests"] if test["verdict"] != "steady"} == {}


def test_the_report_follows_its_schema(report: dict[str, Any]) -> None:
    import jsonschema

    schema = Path(sys.modules["pytest_flakehunt"].__file__ or "").parent / "reports" / "schema.json"
    jsonschema.validate(report, json.loads(schema.read_text("utf-8")))
