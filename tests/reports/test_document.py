import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from pytest_flakehunt.model import Finding, Findings
from pytest_flakehunt.reports import document, reading
from tests.reports.hostile import POOLS, disfigured

SCHEMA = json.loads(resources.files("pytest_flakehunt.reports").joinpath("schema.json").read_text("utf-8"))


def test_it_keeps_its_schema(sample: Findings) -> None:
    jsonschema.validate(document.report(sample), SCHEMA)


def test_every_member_is_in_the_schema(sample: Findings) -> None:
    """Nothing is written that is not documented."""

    def look(value: object, schema: dict[str, Any], path: str) -> None:
        if value is not None and "$ref" in schema.get("anyOf", [{}])[-1]:
            schema = schema["anyOf"][-1]
        if "$ref" in schema:
            schema = {**SCHEMA["$defs"][str(schema["$ref"]).rpartition("/")[2]], **schema}
        if isinstance(value, dict):
            known = schema.get("properties")
            assert isinstance(known, dict), path
            assert value.keys() <= known.keys(), f"{path}: {value.keys() - known.keys()}"
            for name, item in value.items():
                look(item, known[name], f"{path}.{name}")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            items = schema["items"]
            assert isinstance(items, dict)
            for item in value:
                look(item, items, f"{path}[]")

    look(document.report(sample), SCHEMA, "$")


def test_it_reads_back_as_it_was(sample: Findings) -> None:
    assert reading.read(document.text(sample)) == sample


def apart(test: Finding, name: str) -> Finding:
    """Give a test whose name no other has, and whose modes have fingerprints of their own."""
    modes = (replace(mode, fingerprint=f"{place} {mode.fingerprint}") for place, mode in enumerate(test.modes))
    return replace(test, nodeid=f"{test.nodeid} {name}", modes=tuple(modes))


@given(POOLS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_reads_back(sample: Findings, pool: list[str]) -> None:
    odd = disfigured(sample, pool, kept=lambda text: text == "src/a.py:42 calls date.today()")
    odd = replace(odd, tests=tuple(apart(test, str(place)) for place, test in enumerate(odd.tests)))
    assert reading.read(document.text(odd)) == odd


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no ledger, and no JSON report of a hunt"),
        ("[" * 100_000, "it is no ledger, and no JSON report of a hunt"),
        ("[]", "it is no report of a hunt: its schema is None, and 'pytest-flakehunt/1' is wanted"),
        ('{"schema": "pytest-flakehunt/2"}', "its schema is 'pytest-flakehunt/2'"),
        ('{"schema": "pytest-flakehunt/1"}', "it is no whole report of a hunt: KeyError: 'hunt'"),
        ('{"schema": "pytest-flakehunt/1", "hunt": []}', "it is no whole report of a hunt: TypeError"),
    ],
)
def test_what_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(reading.DocumentError) as error:
        reading.read(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("hunt", "seed"), "<img>", "report.trial.seed is no int"),
        (("hunt", "seconds"), float("nan"), "report.trial.seconds is no number"),
        (("hunt", "started"), "yesterday", "Invalid isoformat string"),
        (("hunt", "id"), "x", "badly formed hexadecimal UUID string"),
        (("notes",), [1], "report.notes[0] is no str"),
        (("tests", 1, "line"), "1' x='", "report.tests[1].line is no int"),
        (("tests", 1, "runs"), True, "report.tests[1].total.runs is no int"),
        (("tests", 1, "modes", 0, "outcome"), "odd", "'odd' is not a valid Outcome"),
        (("groups", 0, "members"), [], "a group has no members"),
        (("columns",), ["calm"], "report.tests[0] has other columns or sweeps than the report"),
        (("tests", 1, "strip"), ".", "report.tests[1] has other columns or sweeps than the report"),
        (("tests", 1, "runs"), -1, "report.tests[1].total has "),
        (("tests", 1, "under"), "2/1 0/0 0/0 0/0", "report.tests[1].under[0] has 2 failures of 1 runs"),
        (("tests", 1, "runs"), 10**400, "report.tests[1].total.runs is larger than any number of a hunt"),
        (("tests", 1, "runs"), 10**10, "report.tests[1].total has 20 failures of 1"),
        (("notes",), "odd", "'odd' is no list"),
        (("tests",), {}, "'{}' is no list"),
        (("hunt", "perturbations"), "clock", "'clock' is no list"),
        (("tests", 1, "modes", 0, "places"), "a.py:1", "'a.py:1' is no list"),
        (("tests", 1, "modes", 0, "causes", 0, "with", "failures"), 99, "causes[0].present has 99 failures of 20"),
        (("tests", 1, "rate", "high"), 10**400, "OverflowError"),
        (("tests", 1, "nodeid"), "{first}", "report.tests[1] has the nodeid of another test"),
        (("tests", 1, "quarantine_entry", "added"), "today", "Invalid isoformat string"),
    ],
)
def test_what_a_stranger_wrote_is_looked_at(
    sample: Findings, path: tuple[str | int, ...], value: object, said: str
) -> None:
    report = inner = document.report(sample)
    for name in path[:-1]:
        inner = inner[name]  # type: ignore[index]
    inner[path[-1]] = sample.tests[0].nodeid if value == "{first}" else value  # type: ignore[index]
    with pytest.raises(reading.DocumentError, match="it is no whole report of a hunt: ") as error:
        reading.read(json.dumps(report))
    assert said in str(error.value)


def test_the_package_ships_the_schema() -> None:
    assert Path(str(resources.files("pytest_flakehunt.reports").joinpath("schema.json"))).is_file()
