"""The page as text: what stands in it, how large it is, and that nothing in it acts but our own script."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_flakehunt.analysis.intervals import rate
from pytest_flakehunt.model import Count, Findings, Verdict
from pytest_flakehunt.quarantine.reading import parse
from pytest_flakehunt.reports import cards, charts, document, html, reading
from tests.reports.hostile import NASTY, POOLS, disfigured
from tests.reports.pages import Page, many


def page(findings: Findings) -> Page:
    return Page(html.text(findings))


def test_a_page_says_what_to_do_first_and_what_the_rest_is_worth(sample: Findings) -> None:
    text = page(sample).text
    assert re.findall("<h[12]>(.*?)</h", html.text(sample)) == [
        "5 causes to mend",
        "What to do first",
        "Set aside",
        "Ready for release?",
        "The map",
        "The strip",
        "Steady, with what that is worth",
        "Left behind",
        "Notes",
    ]
    for said in (
        "200 sweeps of 8 tests in 1 min 1 s, seed 1, 8 zygotes",
        "2026-11-26 06:00 UTC",
        "It is the victim of tests/test_a.py::test_polluter; also, by itself: it fails with fewer than 2 cores.",
        "polluter tests/test_a.py::test_polluter changed state sets a.CURRENCY victim: fails after that tests/test_a.py::test_victim",
        "20 of 200 6.6 % to 15 % of the time, 95 %",
        "What fails assert 1 == 2 AssertionError : assert 1 == 2",
        "reads the source src/a.py:42 calls date.today()",
        "with it ● 20 20",
        "python -m pytest tests/test_a.py::test_x --flakehunt-plan=clock=+400d",
        "run again as printed: fails 19 of 20; without the cause 0 of 20",
        "usual fix let each test set up what it needs",
        "✕ fails with today=2028-02-29 ✓ passes with today=2026-11-26",
        "Another cause, by itself cores It fails with fewer than 2 cores.",
        "1 test 0 of 200; fails less than 15 % of the time (95 %)",
        "1 test no attempt ran to a result",
        "locale stands down: none is installed",
        "Sweep 17 cores=1 : 49 of 50 tests failed, the first with OSError: no route",
        "thread serve by tests/test_a.py::test_broken , in 200 of 200 sweeps; from src/s.py:88 in start",
        "✕ hurts tests/test_a.py::test_victim",
        "7 hash seeds tried".capitalize(),
        "something odd",
    ):
        assert said in text


def test_cards_of_what_counts_come_first_the_most_costly_ahead_and_what_is_excused_last(sample: Findings) -> None:
    made = cards.cards(sample)
    assert [
        (card.lead.finding.nodeid.rpartition("_")[2], card.lead.cause, card.counts, card.excused) for card in made
    ] == [
        ("broken", "broken", True, False),
        ("victim", "order", True, False),
        ("dated", "clock", True, False),
        ("dated", "unknown", True, False),
        ("then", "unknown", True, False),
        ("stressed", "unknown", False, False),
        ("known", "clock", False, True),
    ]


def test_what_does_not_count_comes_after_what_does_however_costly_it_is(sample: Findings) -> None:
    dear = tuple(
        replace(finding, modes=tuple(replace(mode, failures=199) for mode in finding.modes))
        if finding.nodeid.endswith("stressed")
        else finding
        for finding in sample.tests
    )
    names = [card.lead.finding.nodeid.rpartition("_")[2] for card in cards.cards(replace(sample, tests=dear))]
    assert names == ["broken", "victim", "dated", "dated", "then", "stressed", "known"]


def test_tests_that_share_a_cause_stand_on_one_card(sample: Findings) -> None:
    known = next(finding for finding in sample.tests if finding.nodeid.endswith("known"))
    counting = replace(known, modes=(replace(known.modes[0], quarantined=""),))
    tests = tuple(counting if finding is known else finding for finding in sample.tests)
    (card,) = (card for card in cards.cards(replace(sample, tests=tests)) if len(card.members) > 1)
    assert [member.finding.nodeid for member in card.members] == [
        "tests/test_a.py::test_dated",
        "tests/test_a.py::test_known",
    ]
    text = page(replace(sample, tests=tests)).text
    assert "tests/test_a.py::test_dated and 1 other test" in text
    assert "So do 1 other test tests/test_a.py::test_known 20 of 200; AssertionError at src/a.py:40" in text


def test_a_tool_that_fixes_gets_what_the_json_report_says_and_people_the_text_of_an_issue(sample: Findings) -> None:
    blocks = {name: json.loads(text) for name, text in page(sample).scripts.items() if name.startswith("block-")}
    assert len(blocks) == 7
    block = blocks["block-1"]
    told = document.report(sample)["tests"][1]
    (one,) = block["evidence"]
    assert one["mode"] == told["modes"][0]
    assert (one["nodeid"], one["rate"]) == (told["nodeid"], told["rate"])
    assert block["issue"].startswith("**fragile**: `tests/test_a.py::test_victim`\n\nit is the victim of")
    assert "```sh\npython -m pytest tests/test_a.py::test_x" in block["issue"]
    assert "Traceback" not in block["issue"]


def test_what_would_quarantine_a_card_is_on_it_as_it_would_stand_in_the_file(sample: Findings) -> None:
    found = page(sample)
    entry = sample.tests[1].entry
    assert entry is not None
    text = json.loads(found.scripts["block-1"])["entries"]
    assert parse(f"version = 1\n{text}", "x").entries == (replace(entry, line=2),)
    assert "Copy the quarantine entry" in found.text
    assert json.loads(found.scripts["block-0"])["entries"] == ""  # broken
    names = ("tests/test_a.py::test_dated", "tests/test_a.py::test_known")
    prints = {name: one.modes[0].fingerprint for one in sample.tests for name in names if one.nodeid == name}
    tests = tuple(
        replace(
            one, modes=tuple(replace(mode, quarantined="") for mode in one.modes),
            entry=replace(entry, test=one.nodeid, fingerprints=(prints[one.nodeid],)) if one.nodeid in names else None,
        )
        for one in sample.tests
    )  # fmt: skip
    told = page(replace(sample, tests=tests))
    assert "Copy the quarantine entries of 2 tests" in told.text
    assert told.text.count("Copy the quarantine") == 1  # the other way in which one of them fails is in no entry


def test_the_map_and_the_strip_have_what_the_report_has(sample: Findings) -> None:
    found = page(sample)
    data, names = found.data, found.names
    kinds = [data["kinds"][kind] for _, _, kind in data["tests"]]
    assert sorted(names) == sorted(finding.nodeid for finding in sample.tests)
    assert names[-1] == "tests/test_a.py::test_idle"
    victim = names.index("tests/test_a.py::test_victim")
    assert data["rows"][kinds[victim][1]] == [[40, 0], [20, 20], [5, 0], [0, 0]]
    assert data["strips"][str(victim)] == {"marks": "..0-.0", "modes": ["AssertionError: assert 1 == 2"]}
    assert data["strips"][str(names.index("tests/test_a.py::test_dated"))]["marks"] == "..0-.1"
    assert data["sweeps"][:4] == [
        [0, "", 0, ""], [1, "order=reversed random=1", 1, "order"], [2, "clock=+400d random=2", 1, "clock"], [3, "clock=+400d order=alone", 2, ""],
    ]  # fmt: skip
    assert data["owners"][kinds[victim][5]] == "@team @shop"
    dated = kinds[names.index("tests/test_a.py::test_dated")]
    assert data["groups"][dated[2]] == ["it fails from 2027-03-01 on", "clock", 2, 0]  # the first of its two
    assert data["worth"]["0/40"] == ["fails less than 8.8 % of the time (95 %)", 0]
    assert data["worth"]["0/5"] == ["fails less than 52 % of the time (95 %)", 1]
    assert data["worth"]["0/0"][0] == "it never ran to a result"


def test_a_report_of_before_has_no_map_and_all_else(sample: Findings) -> None:
    document_of_before = document.report(sample)
    for name in ("columns", "sweeps"):
        del document_of_before[name]
    for test in document_of_before["tests"]:
        del test["under"], test["strip"]
    before = reading.read(json.dumps(document_of_before))
    assert before == replace(
        sample, columns=(), sweeps=(), tests=tuple(replace(one, under=(), strip=()) for one in sample.tests)
    )
    found = page(before)
    assert (found.data["columns"], found.data["strips"]) == ([], {})
    assert "It is the victim of" in found.text


def test_nothing_found_is_said_plainly(sample: Findings) -> None:
    steady = replace(sample, tests=sample.tests[:1], groups=(), outages=(), ready=())
    text = page(steady).text
    assert "No test failed" in text
    assert "What that is worth stands below." in text
    assert "Nothing that counts" in page(replace(sample, tests=tuple(t for t in sample.tests if t.quarantined))).text
    assert page(replace(sample, tests=(), columns=(), sweeps=())).data["tests"] == []


@given(POOLS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_test_says_is_text(sample: Findings, pool: list[str]) -> None:
    odd = page(disfigured(sample, [f"x {text.strip() or 'y'}" for text in pool[:1]]))
    plain = page(disfigured(sample, ["x y"]))
    assert odd.elements == plain.elements
    assert odd.scripts.keys() == plain.scripts.keys()
    assert odd.scripts[""] == plain.scripts[""]
    assert all(json.loads(text) for name, text in odd.scripts.items() if name)


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "\u202e",
        "\x1b[31m",
        "\x00",
        "\u2028",
        '" onmouseover="x',
        "{{ 7 * 7 }}",
    ],
)
def test_nothing_that_acts_is_left_of_it(sample: Findings, text: str) -> None:
    whole = html.text(disfigured(sample, [f"<< {text}>>"]))
    found = Page(whole)
    assert found.elements == page(disfigured(sample, ["x y"])).elements
    assert all(letter.isprintable() or letter in "\n\t\N{NO-BREAK SPACE}" for letter in whole)
    assert not re.search(r"\\u202e|\\u2028|\\u001b|\\u0000", whole)
    assert whole.count("<script>") == 1
    assert not any(re.search("[<>&]", script) for name, script in found.scripts.items() if name)
    assert ("{{ 7 * 7 }}" in text) == ("{{ 7 * 7 }}" in found.text)


def test_scripts_but_our_own_are_forbidden_and_nothing_is_fetched(sample: Findings) -> None:
    whole = html.text(disfigured(sample, list(NASTY)))
    found = Page(whole)
    digest = base64.b64encode(hashlib.sha256(found.scripts[""].encode()).digest()).decode()
    (policy,) = (text for text in found.values["content"] if "default-src" in text)
    assert policy.startswith(f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'")
    assert {tag for tag, _ in found.elements} & {"link", "img", "iframe", "object", "base", "form"} == set()
    assert "src" not in found.values
    assert all(value.startswith("#") for value in found.values["href"])
    assert not any(name.startswith("on") for name in found.values)


def test_a_text_of_megabytes_is_cut_in_the_middle_and_that_is_said(sample: Findings) -> None:
    long = "begin" + "x" * 3_000_000 + "end"
    modes = tuple(
        replace(mode, evidence=replace(mode.evidence, message=long, traceback=long, sections=(("out", long),)))
        for mode in sample.tests[1].modes
    )
    text = html.text(replace(sample, tests=(replace(sample.tests[1], modes=modes),)))
    assert len(text) < 250_000
    assert "2,980,008 characters left out" in text
    assert "xxend" in text


def test_a_command_that_would_be_cut_is_not_shown(sample: Findings) -> None:
    mode = replace(sample.tests[3].modes[0], repro="python -m pytest " + "a.py::test_b " * 3_000)
    text = page(replace(sample, tests=(replace(sample.tests[3], modes=(mode,)),))).text
    assert "The command is too long for this page; the JSON report has it." in text
    assert "python -m pytest a.py" not in text


def test_five_thousand_tests_under_twenty_perturbations_fit_and_each_text_stands_once(sample: Findings) -> None:
    text = html.text(many(sample, 5_000, 60))
    assert len(text.encode()) < html.LIMIT / 2
    found = Page(text)
    assert len(found.data["tests"]) == 5_000
    assert found.data["left"] == 0
    assert len(found.data["rows"]) <= 6
    assert len(found.elements) < 8_000
    assert len(found.names) == len({*found.names}) == 5_000
    assert text.count("TestSomething") < 1_000  # what differs from the name before


def test_of_too_many_tests_those_that_fit_are_listed_those_that_failed_first_and_the_rest_is_said(
    sample: Findings,
) -> None:
    found = many(sample, 10_000, 60, columns=2)
    tests = tuple(
        replace(one, nodeid=f"{one.nodeid}[{number * 7919:x}-{'𝄞é' * (number % 40)}]")
        for number, one in enumerate(found.tests)
    )
    text = html.text(replace(found, tests=tests))
    assert len(text.encode()) < html.LIMIT
    page = Page(text)
    left = page.data["left"]
    assert 0 < left < 9_000
    assert page.names == [one.nodeid for one in tests[: 10_000 - left]]
    assert f"{left} tests would make this page too large, and are in no list of it" in page.text
    assert "9940 tests 0 of 200" in page.text


def test_what_does_not_fit_is_left_out_of_the_least_costly_and_that_is_said(sample: Findings) -> None:
    traceback = "".join(f"line {number} of a long traceback\n" for number in range(700))
    found = many(sample, 5_000, 400, traceback=traceback)
    text = html.text(found)
    assert len(text.encode()) < html.LIMIT
    page = Page(text)
    assert f"{400 - html.STEPS[0][0]} further causes, of less cost, would make this page too large" in page.text
    blocks = [json.loads(block) for name, block in page.scripts.items() if name.startswith("block-")]
    left = [block["evidence"][0]["mode"]["evidence"] for block in blocks]
    assert len(left) == html.STEPS[0][0]
    assert left[0]["traceback"].startswith("line 0 of")
    assert left[-1]["traceback"] == ""
    assert left[-1]["left_out"]


def test_where_all_texts_are_long_fewer_are_told_and_more_is_cut(sample: Findings) -> None:
    found = many(sample, 300, 300)
    tests = tuple(
        replace(
            one,
            modes=(
                replace(
                    one.modes[0], repro="x " * 9_000, evidence=replace(one.modes[0].evidence, message="m" * 30_000)
                ),
            ),
        )
        for one in found.tests
    )
    text = html.text(replace(found, tests=tests))
    assert len(text.encode()) < html.LIMIT
    most, longest = html.STEPS[1]
    assert f"Texts longer than {longest:,} characters are cut" in text
    assert f"{300 - most} further causes" in text


def test_where_there_is_little_room_the_test_that_a_card_is_led_by_keeps_its_texts(sample: Findings) -> None:
    known = next(finding for finding in sample.tests if finding.nodeid.endswith("known"))
    silent = replace(known.modes[0].evidence, traceback="", sections=())
    others = [replace(known, nodeid=f"{known.nodeid}_{turn}", modes=(replace(known.modes[0], evidence=said),))
              for turn, said in enumerate((known.modes[0].evidence, silent))]  # fmt: skip
    first, second = ((one.nodeid, one.modes[0].fingerprint) for one in others)
    group = replace(sample.groups[0], members=((known.nodeid, known.modes[0].fingerprint), first, second))
    (card,) = cards.cards(replace(sample, tests=(known, *others), groups=(group,)))
    report = {one.nodeid: test for one, test in zip((known, *others), document.report(
        replace(sample, tests=(known, *others)))["tests"], strict=True)}  # fmt: skip

    def kept(room: int) -> list[tuple[str, bool]]:
        said = cards.evidence(card, report, room, lambda value: len(json.dumps(value)))
        left = [one["mode"]["evidence"] for one in said]
        return [(one["traceback"], one.get("left_out", False)) for one in left]

    whole = len(json.dumps(cards.evidence(card, report, 10**9, lambda _: 0)))
    text = known.modes[0].evidence.traceback
    assert kept(whole) == [(text, False), (text, False), ("", False)]
    assert kept(whole - 10) == [(text, False), ("", True), ("", False)]
    assert kept(100) == [("", True), ("", True), ("", False)]
    assert report[known.nodeid]["modes"][0]["evidence"]["traceback"] == text


def test_steady_tests_stand_in_few_bands_each_with_its_worst_bound(sample: Findings) -> None:
    def steady(*runs: int) -> Findings:
        model = sample.tests[0]
        tests = tuple(
            replace(model, nodeid=f"a.py::test_{place}", total=Count(one, 0), rate=rate(0, one))
            for place, one in enumerate(runs)
        )
        return replace(sample, tests=tests)

    few = charts.steady(steady(50, 20, 0, 20))
    assert [(band["bound"], band["number"]) for band in few] == [
        ("no attempt ran to a result", 1),
        ("0 of 20; fails less than 17 % of the time (95 %)", 2),
        ("0 of 50; fails less than 7.1 % of the time (95 %)", 1),
    ]
    bands = charts.steady(steady(*range(100), *[99] * 50))
    assert len(bands) <= charts.MOST_BANDS + 1
    assert sum(band["number"] for band in bands) == 150
    assert bands[0]["bound"] == "no attempt ran to a result"
    assert bands[1]["bound"] == "0 of 1 to 19; none fails more than 98 % of the time (95 %)"
    assert all(one["most"] < other["least"] for one, other in pairwise(bands))
    beside = charts.steady(replace(sample, tests=(replace(sample.tests[0], company=True),)))
    assert beside[0]["bound"].startswith("ran beside what changed: 0 of 200; ")


def test_every_verdict_has_a_sign_beside_its_colour() -> None:
    assert cards.SIGNS.keys() == set(Verdict)
    assert len(set(cards.SIGNS.values())) == len(Verdict)


def test_the_package_ships_what_the_page_is_made_of() -> None:
    folder = resources.files("pytest_flakehunt.reports").joinpath("page")
    assert {one.name for one in folder.iterdir()} == {
        "page.css", "page.js", "map.js", "strip.js", "links.js", "page.html.jinja", "parts.html.jinja",
    }  # fmt: skip
    for one in folder.iterdir():
        text = one.read_text("utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\b", text)


def test_a_button_is_called_by_the_words_that_it_shows(sample: Findings) -> None:
    """Who tells a browser by voice what to press says what stands there."""
    buttons = re.findall(r'<button [^>]*aria-label="([^"]*)"[^>]*>([^<]+)</button>', html.text(sample))
    assert len(buttons) > 20
    assert [pair for pair in buttons if not pair[0].startswith(pair[1])] == []
