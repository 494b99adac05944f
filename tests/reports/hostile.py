"""Texts that mean something to somebody who reads a report, and findings that are full of them."""

from collections.abc import Callable, Sequence
from itertools import cycle

from hypothesis import strategies as st

from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports.redaction import Redactor, redacted

NASTY = (
    "::error::x", "::stop-commands::t", "\n  ::warning file=a::b", "##vso[task.complete result=Failed;]", "##[error]x",
    "##teamcity[buildProblem description='x']", "%0A", "%25", "%AZP25", "\r\n", "]", "[", "|", "|n", "'", '"', ";", ",",
    "</testcase>", "]]>", "&", "<script>alert(1)</script>", "```", "`", "| a | b |", "\x1b[31m", "\x00", "\u2028",
    "\u202e", "\ud800", "{0}", "{", "}", "](1)", "[x](1)", "<details>", "@everyone", "https://x.org", "\\", "*b*", "\u200b:",
    "🦆", "é" * 9, "# x", "1. x", "- x", "\n\n    code", "~~~", "$x$", "<!--", "<a href=x>", "![x](y)", "---", "===",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(NASTY) | st.text(max_size=4), max_size=4).map("".join)
POOLS = st.lists(TEXTS, min_size=1, max_size=5)


def disfigured(findings: Findings, pool: Sequence[str], kept: Callable[[str], bool] = lambda _: False) -> Findings:
    """Give findings in which texts of a pool, by turns, stand for every text but for those that are kept."""
    trial, turns = findings.trial, cycle(pool)
    given: dict[str, str] = {}
    redact = Redactor({})

    def swap(text: str) -> str:
        if text in {
            trial.uid,
            trial.started,
            *trial.fail_on,
            trial.folder,
            "",
            "clock",
            "order",
            "tests/test_a.py",
        } or kept(text):
            return text
        if text not in given:
            odd = redact(next(turns))
            given[text] = f"{text}[{odd}]" if text.startswith("tests/test_a.py::") else odd
        return given[text]

    return redacted(findings, swap)
