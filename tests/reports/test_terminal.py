from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from pytest_flakehunt.analysis.naming import FIXES
from pytest_flakehunt.model import (
    Cause,
    Condition,
    Contract,
    Count,
    Diagnosis,
    Evidence,
    Finding,
    Findings,
    Interval,
    Leak,
    LeakKind,
    Left,
    Mode,
    Outage,
    Outcome,
    Parting,
    Place,
    Progress,
    Spot,
    Suspect,
    Trial,
    Verdict,
)  # fmt: skip
from pytest_flakehunt.reports import document, markdown, progress, terminal

TRIAL = Trial(1, 200, 61.2, "2026-11-23T06:00:00+00:00", "3.13.0", "9.2.0", "linux", ("clock", "order"), zygotes=8)
EVIDENCE = Evidence(
    "call", "AssertionError", "assert 1 == 2\n + more\n + more\n + more\n + more", Place("src/a.py", 40)
)
SUSPECT = Suspect("clock", "+400d", Count(20, 20), Count(180, 0), 1e-11)
REPRO = "pytest 'tests/test_a.py::test_x[" + "long " * 60 + "]' '--flakehunt-plan=clock=+400d'"
MODE = Mode("f" * 16, Outcome.FAILED, EVIDENCE, 20, 0, "clock=+400d", Contract.ENVIRONMENT, (SUSPECT,), REPRO)
FRAGILE = Finding(
    "tests/test_a.py::test_x", "tests/test_a.py", 12, Verdict.FRAGILE, Count(200, 20), Interval(0.066, 0.149),
    Count(40, 0), Interval(0, 0.088), Contract.ENVIRONMENT, (MODE,), notes=("noted",),
)  # fmt: skip
STEADY = Finding(
    "tests/test_a.py::test_y", "tests/test_a.py", 20, Verdict.STEADY, Count(1000, 0), Interval(0, 0.00368),
    Count(200, 0), Interval(0, 0.0183),
)  # fmt: skip


def shown(findings: Findings, verbosity: int = 0) -> str:
    return terminal.rendered(terminal.parts(findings, verbosity, Path("ledger.sqlite")))


def test_a_finding_says_how_often_under_what_and_how_to_see_it_again() -> None:
    text = shown(Findings(TRIAL, (FRAGILE, STEADY)))
    assert text.startswith("200 sweeps of 2 tests in 1 min 1 s, seed 1, 8 zygotes\n")
    assert "FRAGILE tests/test_a.py::test_x\n" in text
    assert "  fails 20 of 200 (6.6 % to 15 % of the time, 95 %); calm 0 of 40\n" in text
    assert "  at src/a.py:40 in call\n" in text
    assert "clock=+400d    20      20           180       0  1e-11" in text
    assert "1 test never failed: 0 of 1000; fails less than 0.37 % of the time (95 %)" in text
    assert text.count(" + more") == terminal.MOST_LINES - 1


def test_more_than_a_few_findings_begin_with_what_there_is_the_most_costly_first() -> None:
    often = replace(FRAGILE, verdict=Verdict.FLAKY)
    some = [
        replace(often, nodeid=f"t{place}", total=Count(200, failures), modes=(replace(MODE, failures=failures),))
        for place, failures in enumerate((20, 150, 1, 60, 90))
    ]
    text = shown(Findings(TRIAL, (*some, STEADY)))
    assert "findings" not in text
    text = shown(Findings(TRIAL, (*some, FRAGILE, STEADY)))
    assert text.splitlines()[1] == "6 findings: 5 flaky, 1 fragile; causes: not looked for 6"
    looked = replace(TRIAL, experiments=9)
    assert "causes: unknown 6" in shown(Findings(looked, (*some, FRAGILE, STEADY)))
    heads = [line.split()[1] for line in text.splitlines() if line.startswith(("FLAKY", "FRAGILE"))]
    assert heads == ["t1", "t4", "t3", "t0", FRAGILE.nodeid, "t2"]


def test_two_causes_are_each_shown_with_what_shows_them_and_a_command(sample: Findings) -> None:
    lines = shown(sample).splitlines()
    start = lines.index("FRAGILE tests/test_a.py::test_victim")
    block = lines[start : lines.index("", start)]
    first = block.index("  cause: order: it is the victim of tests/test_a.py::test_polluter")
    other = block.index("  another cause, by itself: cores: it fails with fewer than 2 cores")
    assert first < other
    assert ["with", "it", "20", "20"] in [line.split() for line in block[first:other]]
    assert block[other + 1 : other + 3] == ["  note: in forks only", "  src/a.py:9 calls cpu_count()"]
    assert [line.split() for line in block if line.startswith("  with cores=1")] == [["with", "cores=1", "5", "5"]]
    again = "  reproduce: python -m pytest tests/test_a.py::test_x --flakehunt-plan=cores=1"
    assert f"  usual fix: {FIXES['cores']} (docs: perturbations/cores)" in block[other : block.index(again)]


def test_a_command_is_never_wrapped_or_cut() -> None:
    assert f"  reproduce: {REPRO}\n" in shown(Findings(TRIAL, (FRAGILE,)))


def test_quiet_is_short_and_verbose_names_every_test() -> None:
    findings = Findings(TRIAL, (FRAGILE, STEADY))
    assert "reproduce:" not in shown(findings, -1)
    assert "steady tests/test_a.py::test_y: 0 of 1000; fails less than 0.37 %" in shown(findings, 1)


def test_a_cause_ends_with_its_evidence_its_fix_and_the_command_verified() -> None:
    cause = Cause("clock", "+400d", "fails from 2027-03-01 on", Count(20, 20), Count(20, 0), 7e-12)
    rows = (
        Condition("calm, alone", Count(8, 0)),
        Condition("with clock=+400d", Count(20, 20), decisive=True),
        Condition("without clock", Count(20, 0), decisive=True),
    )
    found = Diagnosis(
        (cause,), tried=rows, places=("src/a.py:42 calls date.today()",), verified=Count(20, 19), control=Count(20, 0)
    )
    findings = Findings(TRIAL, (replace(FRAGILE, modes=(replace(MODE, diagnosis=found),)),))
    text = shown(findings)
    assert "  cause: clock: it fails from 2027-03-01 on\n  src/a.py:42 calls date.today()\n" in text
    assert "with clock=+400d    20      20" in text
    assert "calm, alone" not in text
    assert "calm, alone" in shown(findings, 1)
    assert f"  usual fix: {FIXES['clock']} (docs: perturbations/clock)\n" in text
    assert text.index("reproduce:") < text.index("  verified: fails 19/20; without it 0/20\n")
    mode = document.report(findings)["tests"][0]["modes"][0]
    assert (mode["verified"], mode["control"]) == ({"runs": 20, "failures": 19}, {"runs": 20, "failures": 0})


AT = Spot(Place("a.py", 41, "due"), "if today.day > 28:", ("today=2028-02-29",), ("today=2026-11-26",))
BARE = Spot(Place("a.py", 7, "due"), "pay()")
ELSEWHERE = Spot(Place("test_a.py", 3, "test_x"), "", ("n=1", "m=2"), ("n=3", "m=\n\x1b4"))


@pytest.mark.parametrize(
    ("parting", "lines"),
    [
        (None, []),
        (
            Parting(AT, "raises KeyError", "goes on at a.py:44", ELSEWHERE),
            [
                "a failing and a passing run part at a.py:41 (if today.day > 28:): fails with today=2028-02-29, "
                "passes with today=2026-11-26; the failing one raises KeyError, the passing one goes on at a.py:44",
                "their values differ first at test_a.py:3: fails with n=1, m=2, passes with n=3, m= ?4",
            ],
        ),
        (
            Parting(BARE, "ends", "goes on at a.py:8"),
            ["a failing and a passing run part at a.py:7 (pay()): the failing one ends, the passing one goes on at a.py:8"],
        ),
        (
            Parting(AT, cut=True),
            [
                "a failing and a passing run differ in values at a.py:41 (if today.day > 28:): fails with today=2028-02-29, "
                "passes with today=2026-11-26, and were followed no further"
            ],
        ),
        (
            Parting(BARE, cut=True),
            ["a failing and a passing run go the same way up to a.py:7 (pay()), and were followed no further"],
        ),
    ],
)  # fmt: skip
def test_where_attempts_go_apart_stands_below_the_cause(parting: Parting | None, lines: list[str]) -> None:
    cause = Cause("clock", "+400d", "fails from 2027-03-01 on", Count(20, 20), Count(20, 0), 7e-12)
    mode = replace(MODE, diagnosis=Diagnosis((cause,), parting=parting))
    findings = Findings(TRIAL, (replace(FRAGILE, modes=(mode,)),))
    said = "".join(f"  {line}\n" for line in lines)
    assert f"  cause: clock: it fails from 2027-03-01 on\n{said}  experiment" in shown(findings)
    assert markdown.summary(findings).count("run part at ") == any("run part at" in line for line in lines)


@pytest.mark.parametrize("cause", FIXES)
def test_every_mend_has_its_page(cause: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "perturbations" / f"{cause}.md"
    assert "\n## Fix it\n" in page.read_text("utf-8")


def test_stress_is_listed_apart() -> None:
    text = shown(Findings(TRIAL, (replace(FRAGILE, contract=Contract.STRESS),)))
    assert text.index("under stress alone") < text.index("FRAGILE")


def test_outages_notes_and_an_early_end_are_said() -> None:
    outage = Outage(17, "cores=1", Count(50, 49), "OSError", "no route\nto host")
    text = shown(Findings(replace(TRIAL, interrupted=True), (), (outage,), notes=("something odd",)))
    assert "ended early: this is what was seen until then" in text
    assert (
        "outage: sweep 17 (cores=1) set aside: 49 of 50 tests failed that pass when calm; the first with OSError: "
        "no route\n"
    ) in text
    assert "note: something odd" in text


def test_what_tests_print_cannot_command_the_terminal() -> None:
    evil = replace(MODE, evidence=replace(EVIDENCE, message="\x1b]0;owned\x07 [bold]x[/bold]"))
    text = shown(Findings(TRIAL, (replace(FRAGILE, modes=(evil,)),)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]x[/bold]" in text


def test_lines_that_are_shown_as_they_are_cost_nothing_but_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    made, makes = [], Text.__init__

    def counted(text: Text, *args: Any, **more: Any) -> None:
        made.append(text)
        makes(text, *args, **more)

    monkeypatch.setattr(Text, "__init__", counted)
    many = "\n".join(f"line {number}" for number in range(2_000))
    evidence = replace(EVIDENCE, message=many, traceback=many)
    row = Condition("with it", Count(1, 1))
    found = replace(MODE, evidence=evidence, diagnosis=Diagnosis(tried=(row,) * 2_000))
    said = shown(Findings(TRIAL, (replace(FRAGILE, modes=(found,)),)), 1)
    assert said.count("    line 1999\n") == 2
    assert said.count("  with it        1       1\n") == 2_000
    assert len(made) < 200


def test_only_some_of_many_modes_are_shown() -> None:
    text = shown(Findings(TRIAL, (replace(FRAGILE, modes=(MODE,) * 5),)))
    assert text.count("reproduce:") == 3
    assert "2 further modes: see the ledger" in text


def test_counts_and_words_agree_in_number() -> None:
    one = replace(TRIAL, sweeps=1, zygotes=1)
    assert shown(Findings(one, (STEADY,))).startswith("1 sweep of 1 test in 1 min 1 s, seed 1, 1 zygote\n")


def test_progress_in_words() -> None:
    assert progress.sentence(Progress(3, 20, 65.0, 300.0, 1, ())) == (
        "sweep 3 of 20, 1 test failed so far, 1 min 5 s gone, 5 min 0 s left"
    )
    assert progress.sentence(Progress(3, None, 5.0, None, 2, ())) == "sweep 3, 2 tests failed so far, 5 s gone"
    assert progress.sentence(Progress(41, None, 75.0, 60.0, 2, (), "experiments on finding 1 of 2, a.py::test_x")) == (
        "run 41, 1 min 15 s gone: experiments on finding 1 of 2, a.py::test_x"
    )


def test_what_one_line_leaves_in_many_tests_is_told_once() -> None:
    leak = Leak(LeakKind.FILE, "log", "test", Place("t.py", 3), Place("src/log.py", 8, "write"))
    left = [
        (f"t.py::test_{number}", Left(replace(leak, owned_at=Place("t.py", number)), Count(9, number), Interval(0, 1)))
        for number in range(1, 4)
    ]
    assert written(terminal.leaks(left, 0)) == [
        "",
        "LEAK file log",
        "  left by the test t.py::test_1, and in 2 other tests",
        "  in 1 of 9 sweeps (0 % to 100 % of the time, 95 %)",
        "  from src/log.py:8 in write",
    ]
    assert written(terminal.leaks(left, -1)) == ["", "3 leaks: -v shows all"]
    assert sum(line.startswith("LEAK") for line in written(terminal.leaks(left, 1))) == 3


def written(pieces: Iterable[terminal.Piece]) -> list[str]:
    return terminal.rendered(pieces).splitlines()


def test_on_a_terminal_sentences_are_wrapped_and_commands_and_ids_are_not() -> None:
    mode = replace(MODE, repro="python -m pytest " + "tests/test_a.py::test_x " * 8)
    findings = Findings(TRIAL, (replace(FRAGILE, modes=(mode,), notes=("a remark " * 20,)), STEADY))
    whole = terminal.rendered(terminal.parts(findings, 0, Path("ledger.sqlite")))
    lines = terminal.rendered(terminal.parts(findings, 0, Path("ledger.sqlite")), width=60).splitlines()
    assert [line for line in lines if line.startswith("  reproduce: ")] == [f"  reproduce: {mode.repro}"]
    assert sum("a remark" in line for line in lines) > 2
    assert all(len(line) <= 60 for line in lines if "remark" in line)
    assert whole.split() == " ".join(lines).split()
