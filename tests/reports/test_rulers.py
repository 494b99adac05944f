"""How the settings of a cause went with failures."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_flakehunt.model import Count, Findings, Planned
from pytest_flakehunt.reports import document, html, rulers, terminal
from tests.reports.pages import Page


def hunted(sample: Findings, *met: tuple[str, int]) -> Findings:
    """Give findings of one test with a clock cause, under plans, and what each sweep said of it."""
    dated = next(finding for finding in sample.tests if finding.nodeid.endswith("dated"))
    sweeps = tuple(Planned(number, plan, ()) for number, (plan, _) in enumerate(met))
    return replace(sample, sweeps=sweeps, groups=(), tests=(replace(dated, strip=tuple(mark for _, mark in met)),))


MET = (
    ("clock=2026-06-01T00:00:00 random=1", 1),
    ("clock=2028-02-29T23:59:58", 2),
    ("clock=frozen:2028-02-29T12:00:00 order=alone", 2),
    ("clock=2027-12-31T23:59:59.998", 3),
    ("clock=2027-06-01", 0),
    ("clock=+400d", 1),
    ("random=2", 1),
    ("", 1),
)


def test_dates_stand_on_a_ruler_with_those_at_which_it_failed_in_this_way(sample: Findings) -> None:
    findings = hunted(sample, *MET)
    (finding,) = findings.tests
    ruler = rulers.ruler(findings, finding, finding.modes[0])
    assert ruler is not None
    assert [(point.date, point.fails) for point in ruler.points] == [
        ("2026-06-01 00:00:00", False),
        ("2027-12-31 06:00:00", False),
        ("2028-02-29 12:00:00", True),
        ("2028-02-29 23:59:58", True),
    ]
    assert (ruler.points[0].place, ruler.points[-1].place) == (0.0, 1.0)
    assert [year for _, year in ruler.years] == [2027, 2028]


def test_the_same_dates_are_told_on_the_terminal_on_the_page_and_in_json(sample: Findings) -> None:
    findings = hunted(sample, *MET)
    said = (
        "it failed at 2 from 2028-02-29 12:00:00 to 2028-02-29 23:59:58; passed at 2 from 2026-06-01 00:00:00 to "
        "2027-12-31 06:00:00"
    )
    assert f"  in the survey {said}\n" in terminal.rendered(terminal.parts(findings, 0, Path("ledger")))
    assert f"In the survey {said}" in Page(html.text(findings)).text
    first, second = document.report(findings)["tests"][0]["modes"]
    assert first["dates"] == {
        "failed": ["2028-02-29T12:00:00", "2028-02-29T23:59:58"],
        "passed": ["2026-06-01T00:00:00", "2027-12-31T06:00:00"],
    }
    assert second["dates"] is None


def test_dates_are_told_as_stretches_and_few_of_them(sample: Findings) -> None:
    """A date between stands for itself; one at which it did both, as other settings may have had a part, is told so."""
    often = [(f"clock=20{20 + year}-01-01", 1 + year % 2) for year in range(20)]
    findings = hunted(
        sample,
        ("clock=2019-12-31T23:59:59.998", 2),
        ("clock=2020-01-01T12:00", 2),
        *often,
        often[0],
        ("clock=2020-01-01", 2),
    )
    (finding,) = findings.tests
    assert str(rulers.dates(findings, finding, finding.modes[0])) == (
        "failed at 2019-12-31 23:59:59.998, 2 from 2020-01-01 12:00:00 to 2021-01-01 00:00:00, 2023-01-01 00:00:00, "
        "2025-01-01 00:00:00, 2027-01-01 00:00:00, 2029-01-01 00:00:00, and 5 more; passed at 2022-01-01 00:00:00, "
        "2024-01-01 00:00:00, 2026-01-01 00:00:00, 2028-01-01 00:00:00, 2030-01-01 00:00:00, 2032-01-01 00:00:00, "
        "and 3 more; failed and passed at 2020-01-01 00:00:00"
    )


def test_two_dates_are_no_ruler(sample: Findings) -> None:
    findings = hunted(sample, *MET[:2], ("clock=whatever", 1), ("clock=+999999d", 0))
    (finding,) = findings.tests
    assert rulers.ruler(findings, finding, finding.modes[0]) is None
    assert "it failed at 2028-02-29 23:59:58; passed at 2026-06-01 00:00:00" in Page(html.text(findings)).text


@pytest.mark.parametrize(("first", "last"), [("1970-01-02", "9998-06-01"), ("2026-01-01", "2026-01-03")])
def test_a_ruler_names_few_years(sample: Findings, first: str, last: str) -> None:
    findings = hunted(sample, (f"clock={first}", 1), (f"clock={last}", 2), ("clock=2026-01-02", 1))
    (finding,) = findings.tests
    ruler = rulers.ruler(findings, finding, finding.modes[0])
    assert ruler is not None
    assert len(ruler.years) <= rulers.MOST_YEARS


def test_doses_rise(sample: Findings) -> None:
    plans = [
        ("latency=100ms", 2),
        ("latency=20ms", 1),
        ("latency=100ms cores=1", 2),
        ("latency=5ms", 1),
        ("latency=20ms", 2),
    ]
    findings = hunted(sample, *plans)
    (finding,) = findings.tests
    mode = finding.modes[0]
    assert rulers.doses(findings, finding, mode, "latency") == [
        ("5ms", Count(1, 0)), ("20ms", Count(2, 1)), ("100ms", Count(2, 2)),
    ]  # fmt: skip
    assert rulers.doses(findings, finding, mode, "cores") == []
    assert rulers.doses(findings, finding, mode, "heap") == []
