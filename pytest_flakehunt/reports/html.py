"""The report as one HTML file that opens anywhere: no network, and nothing in it that acts but our own script."""

import base64
import hashlib
import json
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any

from pytest_flakehunt.model import TEST, Finding, Findings, Verdict
from pytest_flakehunt.quarantine import editing
from pytest_flakehunt.reports import cards, charts, document, partings, remarks, rulers
from pytest_flakehunt.reports.redaction import handed_on
from pytest_flakehunt.reports.words import between, clean, number

if TYPE_CHECKING:  # it is loaded once there is a page to write
    from jinja2 import Environment

LIMIT = 5_000_000
"""Bytes that a page should have at most."""
STEPS = ((120, 20_000), (60, 4_000), (20, 1_000))
"""Causes that are told in full, and characters that are shown of a text: fewer where the page grows too large."""
ROOM = 2_000_000
"""Characters that tracebacks, output and stacks may have, all together."""
MOST_LEAKS = 300
MOST_LINES = 400
"""Lines of a list of what has no place else."""
CUT = "characters left out"
"""What stands where a text was cut; a command that was cut is not shown."""


def text(findings: Findings) -> str:
    """Give the page.

    Args:
        findings: with nothing secret in them.
    """
    page = ""
    for most, longest in STEPS:
        told = handed_on(findings, partial(shown, longest=longest))
        page = _page(told, cards.cards(told), most, longest)
        if len(page.encode("utf-8")) <= LIMIT:
            break
    return page


def shown(text: str, longest: int) -> str:
    """Give a text as it may be shown: no controls, nothing that turns the direction of reading, and no megabytes."""
    if len(text) > longest:
        beginning = longest // 4
        text = f"{text[:beginning]}\n… {len(text) - longest:,} {CUT} …\n{text[beginning - longest :]}"
    return clean(text)


def written(value: Any) -> str:
    """Write a value as JSON that no script element can be closed by, whatever stands in it."""
    raw = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return raw.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _page(findings: Findings, every: list[cards.Card], most: int, longest: int) -> str:
    full = every[:most]
    script, style = _script(), _ours("page.css")
    shown = {member.finding.nodeid for card in full for member in card.members[: cards.MOST_MEMBERS + 1]}
    report = {one.nodeid: document.test(findings, one) for one in findings.tests if one.nodeid in shown}
    drawn = charts.data(findings, every, len(full))
    blocks, room = [], ROOM
    for card in full:
        block = written({
            "issue": cards.issue(card),
            "entries": editing.written(cards.entries(card)),
            "evidence": cards.evidence(card, report, room, _size),
        })  # fmt: skip
        room = max(0, room - len(block))
        blocks.append(block)
    return str(
        _environment()
        .get_template("page.html.jinja")
        .render(
            findings=findings,
            trial=findings.trial,
            script=script,
            style=style,
            digest=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
            summary=remarks.summary(findings),
            cards=[{**cards.told(card, findings), "block": block} for card, block in zip(full, blocks, strict=True)],
            missing=len(every) - len(full),
            counting=sum(card.counts for card in every),
            counts=_counts(findings),
            signs=cards.SIGNS,
            data=written(drawn),
            left=drawn["left"],
            owned=any(drawn["owners"]),
            steady=charts.steady(findings),
            fewest=charts.fewest(),
            excluded=[said for said in (remarks.excluded(findings), remarks.seeds(findings.trial)) if said],
            spent=remarks.spent(findings.trial),
            leaks=_leaks(findings)[:MOST_LEAKS],
            leaks_left=max(0, len(_leaks(findings)) - MOST_LEAKS),
            most=MOST_LINES,
            longest=f"{longest:,}",
        )
    )


@cache
def _environment() -> "Environment":
    from jinja2 import DictLoader, Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=DictLoader({name: _ours(name) for name in ("page.html.jinja", "parts.html.jinja")}),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["whole"] = lambda command: CUT not in command
    environment.filters["marks"] = rulers.marks
    environment.filters["count"] = number
    environment.filters["exactly"] = partings.exactly
    environment.filters["between"] = lambda rate: between(rate).replace(" %", "\N{NO-BREAK SPACE}%")
    return environment


def _size(value: Any) -> int:
    return len(written(value))


def _script() -> str:
    parts = "".join(map(_ours, ("page.js", "map.js", "strip.js", "links.js")))
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _ours(name: str) -> str:
    return resources.files("pytest_flakehunt.reports").joinpath("page", name).read_text("utf-8")


def _counts(findings: Findings) -> list[tuple[str, str, int, str]]:
    """Give the figures at the head: sign, word, number, and where to read more."""
    tests = [finding for finding in findings.tests if not finding.excuse]
    rows = [
        (cards.SIGNS[verdict], verdict.value, sum(finding.verdict is verdict for finding in tests), _where(verdict))
        for verdict in (Verdict.FLAKY, Verdict.FRAGILE, Verdict.BROKEN, Verdict.STEADY)
    ]
    excused = sum(bool(finding.excuse and finding.modes) for finding in findings.tests)
    leaks = sum(len(finding.leaks) for finding in findings.tests)
    return [
        *rows,
        *([("‖", "set aside", excused, "aside")] if excused else []),
        *([("↯", "leak" if leaks == 1 else "leaks", leaks, "leaks")] if leaks else []),
    ]


def _where(verdict: Verdict) -> str:
    return "steady" if verdict is Verdict.STEADY else "first"


def _leaks(findings: Findings) -> list[dict[str, Any]]:
    """Give what was left behind, by whose it is; what one line leaves in many tests once."""
    found = [(finding, left) for finding in findings.tests for left in finding.leaks]
    rows = []
    for some in remarks.alike(found):
        finding, left = some[0]
        fixture = left.leak.owner != TEST
        rows.append({
            "owner": f"fixture {left.leak.owner}" if fixture else "test",
            "owned_at": str(left.leak.owned_at) if fixture else "",
            "nodeid": finding.nodeid, "left": left, "others": _names(some[1:]),
        })  # fmt: skip
    return sorted(rows, key=lambda row: (not row["left"].victims, row["owner"] == "test", row["owner"]))


def _names(some: list[tuple[Finding, Any]]) -> list[str]:
    return [finding.nodeid for finding, _ in some]
