"""Sentences on a terminal."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from pytest_flakehunt.reports.prose import LEAST, Prose

ID = "tests/test_a.py::test_it[a long name]"


def test_a_sentence_is_wrapped_between_words_and_its_lines_hang() -> None:
    said = Prose(Text("cause: order: it fails after another test that leaves the variable APP_MODE"), "  ")
    assert said.within(40).plain.splitlines() == [
        "  cause: order: it fails after another",
        "    test that leaves the variable",
        "    APP_MODE",
    ]


def test_where_no_one_reads_it_on_a_terminal_lines_stay_whole() -> None:
    said = Prose(Text("word " * 50 + "\nword"), "  ")
    assert said.within(None).plain.splitlines() == ["  " + "word " * 50, "  word"]
    assert said.within(LEAST - 1).plain == said.within(None).plain


@pytest.mark.parametrize("whole", [ID, "`flakehunt show it all`", '"quoted words of it"', "x" * 60])
def test_what_may_be_copied_is_not_torn(whole: str) -> None:
    assert whole in Prose(Text(f"fails after {whole} has run, and only then")).within(30).plain


def test_wide_signs_take_two_columns() -> None:
    lines = Prose(Text("テスト " * 20)).within(32).plain.splitlines()
    assert max(map(cell_len, lines)) in range(28, 33)


@given(st.text(alphabet='ab [`"]テ\n'), st.integers(30, 60))
def test_nothing_is_lost(text: str, width: int) -> None:
    told = Prose(Text(text)).within(width).plain
    assert re.sub(r"\s+", "", told) == re.sub(r"\s+", "", text)


def test_styles_go_on_over_lines() -> None:
    told = Prose(Text("word " * 20, style="bold")).within(40)
    assert {str(span.style) for span in told.spans} == {"bold"}


def test_what_is_never_closed_is_not_looked_for_again_and_again() -> None:
    began = time.process_time()
    assert len(Prose(Text("[" * 1_500_000)).within(80).plain) == 1_500_000
    assert time.process_time() - began < 5
