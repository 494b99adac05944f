"""Samples of every format, made from a real hunt of ``examples/shop``: what readers of the documentation look at.

To make them again after a format has changed: ``python -m pytest tests/reports/test_golden.py`` with
``GOLDEN=write`` in the environment.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_flakehunt.model import Findings, Service
from pytest_flakehunt.reports import annotations, ctrf, document, gitlab, junit, markdown, reading, remarks, sarif
from tests.reports import grammars

GOLDEN = Path(__file__).parent / "golden"


def logged(service: Service) -> Callable[[Findings], str]:
    return lambda findings: "\n".join(annotations.lines(remarks.of_hunt(findings), service)) + "\n"


FORMATS: dict[str, tuple[Callable[[Findings], str], Callable[[str], object]]] = {
    "report.json": (document.text, reading.read),
    "report.md": (markdown.summary, str.strip),
    "report.xml": (junit.text, grammars.surefire),
    "report.sarif": (sarif.text, grammars.sarif),
    "report.ctrf.json": (ctrf.text, grammars.ctrf),
    "gl-code-quality-report.json": (gitlab.text, grammars.gitlab),
    "github.log": (logged(Service.GITHUB), grammars.github),
    "azure.log": (logged(Service.AZURE), grammars.azure),
    "teamcity.log": (logged(Service.TEAMCITY), grammars.teamcity),
}


@pytest.fixture(scope="module")
def hunted() -> Findings:
    return reading.read((GOLDEN / "report.json").read_text("utf-8"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_sample_is_what_is_written_now_and_keeps_the_rules_of_its_format(name: str, hunted: Findings) -> None:
    write, read = FORMATS[name]
    text = write(hunted)
    if os.environ.get("GOLDEN") == "write":
        (GOLDEN / name).write_text(text, "utf-8")
    assert (GOLDEN / name).read_text("utf-8") == text
    assert read(text) not in ([], "")


def test_there_is_no_sample_that_nobody_makes() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == FORMATS.keys()
