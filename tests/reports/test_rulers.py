"""How the settings of a cause went with failures."""

from dataclasses import replace

import pytest

from pytest_flakehunt.model import Count, Findings, Planned
from pytest_flakehunt.reports import html, rulers
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
    text = Page(html.text(findings)).text
    assert "✕ 2028-02-29 12:00:00, 2028-02-29 23:59:58" in text


def test_two_dates_are_no_ruler(sample: Findings) -> None:
    findings = hunted(sample, *MET[:2], ("clock=whatever", 1), ("clock=+999999d", 0))
    (finding,) = findings.tests
    assert rulers.ruler(findings, finding, finding.modes[0]) is None


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
