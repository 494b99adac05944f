"""Reports for machines, read back by readers that were written from each format's own rules, and by libraries."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import junitparser
import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from pytest_flakehunt.analysis.naming import FIXES, KINDS
from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports import ctrf, gitlab, junit, markdown, sarif
from tests.reports import grammars
from tests.reports.hostile import POOLS, disfigured

WRITERS: dict[str, tuple[Callable[[Findings], str], Callable[[str], object]]] = {
    "junit": (junit.text, grammars.surefire),
    "sarif": (sarif.text, grammars.sarif),
    "ctrf": (ctrf.text, grammars.ctrf),
    "gitlab": (gitlab.text, grammars.gitlab),
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_keeps_the_rules_of_its_format(name: str, sample: Findings) -> None:
    write, read = WRITERS[name]
    read(write(sample))
    read(write(replace(sample, tests=())))


@pytest.mark.parametrize("name", WRITERS)
@given(POOLS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_keeps_them_whatever_a_test_says(name: str, sample: Findings, pool: list[str]) -> None:
    write, read = WRITERS[name]
    read(write(disfigured(sample, pool)))


def test_jenkins_sees_flaky_tests_pass_and_broken_ones_fail(sample: Findings) -> None:
    cases = {case.name: case for case in grammars.jenkins(junit.text(sample))}
    assert {name: case.status for name, case in cases.items()} == {
        "test_polluter": "passed",
        "test_victim": "passed",
        "test_dated": "passed",
        "test_now_and_then": "passed",
        "test_broken": "failed",
        "test_known": "skipped",
        "test_stressed": "passed",
        "test_idle": "skipped",
    }
    assert {case.class_name for case in cases.values()} == {"tests.test_a"}
    assert (
        cases["test_dated"].flaky
        == [("assert 1 == 2 (under clock=+400d)", "AssertionError", "Traceback\n  assert 1 == 2")] * 2
    )
    assert len(cases["test_broken"].rerun) == 1
    assert cases["test_known"].message == "quarantined until 2026-12-01: clock; @team"
    assert cases["test_victim"].stdout.splitlines() == [
        "fragile: fails 20 of 200 (6.6 % to 15 % of the time, 95 %); calm 0 of 40",
        "20 times AssertionError at src/a.py:40",
        "  cause: it is the victim of tests/test_a.py::test_polluter; also, by itself: it fails with fewer than 2 cores",
        "  plan: calm",
        "  reproduce: python -m pytest tests/test_a.py::test_x --flakehunt-plan=clock=+400d",
    ]


def test_junitparser_reads_it(sample: Findings, tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_text(junit.text(sample), "utf-8")
    (suite,) = junitparser.JUnitXml.fromfile(str(path))
    assert (suite.tests, suite.failures, suite.skipped, suite.errors) == (8, 1, 2, 0)
    properties = {one.name: one.value for one in suite.properties()}  # type: ignore[no-untyped-call]
    assert properties["flakehunt.seed"] == "1"
    assert properties["flakehunt.sweeps"] == "200"


def test_sarif_has_a_result_for_each_cause_and_test(sample: Findings) -> None:
    text = sarif.text(sample)
    Sarif.model_validate(json.loads(text))
    (run,) = json.loads(text)["runs"]
    found = {(one["ruleId"], one["message"]["text"].split("::")[1].split(":")[0]): one for one in run["results"]}
    assert {(rule, name, one["level"]) for (rule, name), one in found.items()} == {
        ("order", "test_victim", "error"),
        ("clock", "test_dated", "error"),
        ("unknown", "test_dated", "error"),
        ("unknown", "test_now_and_then", "error"),
        ("broken", "test_broken", "error"),
        ("clock", "test_known", "note"),
        ("unknown", "test_stressed", "warning"),
        ("leak", "test_broken\nin 200 of 200 sweeps\nhurts tests/test_a.py", "note"),
    }
    victim = found["order", "test_victim"]
    said = [one["message"]["text"] for one in victim["relatedLocations"]]
    assert said == ["polluter: tests/test_a.py::test_polluter", "calls date.today()"]
    (flow,) = victim["codeFlows"][0]["threadFlows"]
    assert [step["location"]["message"]["text"] for step in flow["locations"]] == [
        "tests/test_a.py::test_polluter runs",
        "it sets a.CURRENCY",
        "tests/test_a.py::test_victim runs after it",
        "AssertionError",
    ]
    assert found["clock", "test_known"]["suppressions"][0]["justification"].startswith("until 2026-12-01")
    assert "sub/project/src/a.py" in json.dumps(victim)


def test_what_a_result_is_known_by_does_not_change_with_lines_messages_or_settings(sample: Findings) -> None:
    def prints(findings: Findings) -> set[str]:
        return {
            one["partialFingerprints"]["flakehunt/v1"] for one in json.loads(sarif.text(findings))["runs"][0]["results"]
        }

    moved = replace(sample, tests=tuple(
        replace(finding, line=99, modes=tuple(replace(mode, plan="x=1", failures=3) for mode in finding.modes))
        for finding in sample.tests
    ))  # fmt: skip
    assert prints(moved) == prints(sample)
    assert {*grammars.gitlab(gitlab.text(moved))} == {*grammars.gitlab(gitlab.text(sample))}


def test_no_more_results_are_written_than_github_keeps_and_the_weightiest_stay(sample: Findings) -> None:
    broken = next(finding for finding in sample.tests if finding.nodeid.endswith("broken"))
    known = next(finding for finding in sample.tests if finding.nodeid.endswith("known"))
    many = [replace(known, nodeid=f"a.py::test_{number}") for number in range(sarif.MOST_RESULTS + 3)]
    (run,) = json.loads(sarif.text(replace(sample, tests=(*many, broken))))["runs"]
    assert len(run["results"]) == sarif.MOST_RESULTS
    assert run["results"][0]["ruleId"] == "broken"
    notes = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert notes[0] == "5 results of least weight were left out, as GitHub keeps 5000"


def test_every_cause_has_a_rule_with_help() -> None:
    assert FIXES.keys() <= KINDS.keys()


def test_ctrf_tells_flaky_from_failed(sample: Findings) -> None:
    document = json.loads(ctrf.text(sample))
    tests = {test["name"]: test for test in document["results"]["tests"]}
    assert {name for name, test in tests.items() if test["flaky"]} == {
        "test_victim", "test_dated", "test_now_and_then", "test_stressed",
    }  # fmt: skip
    assert document["results"]["summary"]["flaky"] == 4
    dated = tests["test_dated"]
    assert [attempt["status"] for attempt in dated["retryAttempts"]] == ["passed", "failed", "failed"]
    assert (dated["retries"], dated["status"], dated["extra"]["modes"][0]["plan"]) == (3, "passed", "clock=+400d")
    assert document["runId"].replace("-", "") == sample.trial.uid
    assert dated["filePath"] == "sub/project/tests/test_a.py"


def test_a_summary_says_first_what_to_do(sample: Findings) -> None:
    text = markdown.summary(sample)
    assert text.startswith(
        "## flakehunt: 4 findings that count\n\n200 sweeps of 8 tests in 1 min 1 s, seed 1, 8 zygotes"
    )
    heads = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
    assert heads == ["What to do first", "Findings", "Quarantined", "Left behind", "Notes"]
    first = text[text.index("What to do first") : text.index("### Findings")]
    assert "Usual fix: let each test set up what it needs" in first
    assert "python -m pytest tests/test_a.py::test_x --flakehunt-plan=clock=+400d" in first
    assert "| fragile | `tests/test_a.py::test_victim` | 20 of 200, calm 0 of 40 | it is the victim of" in text
    assert "locale stands down: none is installed" in text


def test_a_summary_shows_each_of_two_causes_with_its_experiments_and_command(sample: Findings) -> None:
    text = markdown.summary(sample)
    victim = text[text.index("<summary>fragile: tests/test_a.py::test_victim") :]
    victim = victim[: victim.index("</details>")]
    assert "also, by itself: it fails with fewer than 2 cores" in victim
    assert "| with it | 20 | 20 |" in victim
    assert "| with cores=1 | 5 | 5 |" in victim.replace("\\", "")
    assert "python -m pytest tests/test_a.py::test_x --flakehunt-plan=cores=1" in victim
    assert "src/a.py:9 calls cpu" in victim


def test_a_summary_keeps_its_limit_by_leaving_out_the_least_telling_and_says_so(sample: Findings) -> None:
    dated = next(finding for finding in sample.tests if finding.nodeid.endswith("dated"))
    many = replace(sample, tests=tuple(replace(dated, nodeid=f"a.py::test_é{number}") for number in range(300)))
    whole = markdown.summary(many)
    assert "Left out" not in whole
    for limit in (200_000, 60_000, 20_000, 3_000):
        text = markdown.summary(many, limit)
        assert len(text.encode()) <= limit
        assert "*Left out, as there is no more room: " in text
        assert "a.py::test_é0" in text
    assert markdown.summary(many, 200_000).count("<details>") > markdown.summary(many, 60_000).count("<details>") > 0


def shape(text: str) -> list[str]:
    """Give headings, rows, folds, blocks and links, as a parser of GitHub's Markdown sees them."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inner = [child for token in tokens for child in token.children or ()]
    marks = {"heading_open", "tr_open", "td_open", "fence", "code_block", "list_item_open", "html_block", "link_open",
             "html_inline", "image", "strong_open", "em_open", "s_open", "hr", "blockquote_open"}  # fmt: skip
    return [token.type for token in (*tokens, *inner) if token.type in marks]


@given(POOLS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_in_a_summary_means_anything_but_what_we_wrote(sample: Findings, pool: list[str]) -> None:
    text = markdown.summary(disfigured(sample, [text.strip() or "x" for text in pool]))
    assert shape(text) == shape(markdown.summary(disfigured(sample, ["x"])))
    assert markdown.html("@me <b> https://x.org www.x.org") == "&#64;me &lt;b&gt; https&#58;//x.org www&#46;x.org"
