import stat
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_flakehunt.model import Count, Entry, Excusing, Released
from pytest_flakehunt.quarantine import QuarantineError, editing
from pytest_flakehunt.quarantine.reading import parse

ENTRY = Entry(
    "a.py::test_x", date(2026, 12, 1), date(2026, 12, 20), ("0123456789abcdef",), owner="@shop", seen=Count(20, 3)
)
STYLED = """\
version = 1   # ours

# about the first
[[quarantined]]  # one
  test='a.py::test_x'
  fingerprints = [
    '0123456789abcdef', # known
  ]
  # inside
  added = 2026-11-01
  expires = 2026-12-01
  severity = "odd"

# loose

# about the second
[[quarantined]]
test = "a.py::test_y"
fingerprints = ["0123456789abcdef"]
added = 2026-11-01
expires = 2026-12-01

# old ones
[[released]]
test = "a.py::test_z"
released = 2026-10-10
# the end
"""


def test_an_added_entry_stands_after_the_others_and_nothing_else_moves() -> None:
    after = editing.with_added(STYLED, [replace(ENTRY, test="a.py::test_new")])
    added = editing.written([replace(ENTRY, test="a.py::test_new")])
    assert after == STYLED.replace("# old ones\n", f"{added}\n# old ones\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_released_entry_moves_with_its_comments(end: str) -> None:
    released = Released("a.py::test_x", date(2026, 12, 5), "clock", ("0123456789abcdef",), "abc", "0 of 3 calm")
    after = editing.with_released(STYLED.replace("\n", end), [released])
    assert after.count("\n") == after.count(end)
    text = after.replace(end, "\n")
    first, second = STYLED.index("# about the first"), STYLED.index("# loose")
    assert text.startswith(STYLED[:first] + STYLED[second : STYLED.index("# the end")].rstrip())
    assert '\n# about the first\n  # inside\n[[released]]\ntest = "a.py::test_x"\ncause = "clock"\n' in text
    assert text.count("# the end") == 1


def test_a_removed_entry_takes_only_what_is_its_own() -> None:
    after = editing.without(STYLED, ["a.py::test_y"])
    cut = STYLED[STYLED.index("# about the second") : STYLED.index("# old ones")]
    assert after == STYLED.replace(cut, "")


def test_an_entry_is_renamed_in_its_place() -> None:
    entry = replace(ENTRY, test="b.py::test_w")
    assert editing.renamed(STYLED, "a.py::test_x", entry).replace('"b.py::test_w"', "'a.py::test_x'") == STYLED


FOREIGN = STYLED.replace("# the end", "").replace(
    'severity = "odd"', 'severity = "odd"  # agreed\n\n[notes]\npolicy = "keep me"'
)


def test_tables_of_others_stay_where_they_are() -> None:
    after = editing.without(FOREIGN, ["a.py::test_x"])
    assert '[notes]\npolicy = "keep me"' in after
    assert tomllib.loads(after)["notes"] == {"policy": "keep me"}


def test_unknown_keys_and_comments_beside_keys_are_kept_in_the_released_entry() -> None:
    released = Released("a.py::test_x", date(2026, 12, 5))
    text = editing.with_released(FOREIGN, [released])
    assert tomllib.loads(text)["released"][1]["severity"] == "odd"
    assert "# agreed" in text
    assert 'policy = "keep me"' in text


def test_a_new_file_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    shown = editing.changed(path, lambda text: editing.with_added(text, [ENTRY]))
    text = path.read_text("utf-8")
    assert text.startswith(
        "# Tests that are excused for a while: their known failures do not fail a run.\nversion = 1\n"
    )
    assert parse(text, "q.toml").entries[0].owner == "@shop"
    assert [line[1:] for line in shown.splitlines()[3:]] == text.splitlines()


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    assert editing.changed(path, lambda text: text) == ""
    assert not path.exists()


def test_a_dry_run_shows_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    path.write_text(STYLED, "utf-8")
    assert "-test = " in editing.changed(path, lambda text: editing.without(text, ["a.py::test_y"]), dry=True)
    assert path.read_text("utf-8") == STYLED


def test_mode_and_link_stay_as_they_are(tmp_path: Path) -> None:
    target = tmp_path / "real.toml"
    target.write_text(STYLED, "utf-8")
    target.chmod(0o640)
    link = tmp_path / "q.toml"
    link.symlink_to(target)
    editing.changed(link, lambda text: editing.without(text, ["a.py::test_y"]))
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert "test_y" not in target.read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_a_change_of_somebody_elses_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    path.write_text(STYLED, "utf-8")

    def change(text: str) -> str:
        path.write_text("version = 1\n# theirs\n", "utf-8")
        return editing.without(text, ["a.py::test_y"])

    with pytest.raises(QuarantineError, match=r"q.toml was changed meanwhile: nothing was written; try again"):
        editing.changed(path, change)
    assert path.read_text("utf-8") == "version = 1\n# theirs\n"


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    path.write_text("version = 1\n[[quarantined]]\n", "utf-8")
    with pytest.raises(QuarantineError, match="test is missing"):
        editing.changed(path, lambda text: editing.with_added(text, [ENTRY]))
    assert path.read_text("utf-8") == "version = 1\n[[quarantined]]\n"


def test_a_change_that_would_break_the_file_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    path.write_text(STYLED, "utf-8")
    with pytest.raises(QuarantineError, match=r"has an entry already.*so nothing was written"):
        editing.changed(path, lambda text: text + STYLED[STYLED.index("[[quarantined]]\ntest") : STYLED.index("# old")])
    assert path.read_text("utf-8") == STYLED


def test_where_it_cannot_be_written_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(QuarantineError, match=r"q.toml cannot be written: No such file or directory: make it writable"):
        editing.changed(tmp_path / "nowhere" / "q.toml", lambda text: editing.with_added(text, [ENTRY]))


def test_a_layout_that_pieces_do_not_tell_is_left_to_its_people() -> None:
    text = STYLED.replace('severity = "odd"', 'severity = """\n[[quarantined]]\ntest = "a.py::test_y"\n"""')
    with pytest.raises(QuarantineError, match="cannot be rewritten as it is laid out: write the change by hand"):
        editing.without(text, ["a.py::test_y"])
    with pytest.raises(QuarantineError, match="cannot be rewritten as it is laid out: write the change by hand"):
        editing.renamed("version = 1\nquarantined = []\n", "a.py::test_x", ENTRY)


words = st.text(max_size=20).map(lambda text: text.replace("\0", "0"))  # which no command can have


@settings(max_examples=40)
@given(words, words, st.lists(words, max_size=3), st.booleans())
def test_whatever_an_entry_says_is_read_back(parameters: str, reason: str, at: list[str], skips: bool) -> None:
    entry = replace(
        ENTRY, test=f"a.py::test_x[{parameters}]", reason=reason, at=tuple(at), after=tuple(f"a.py::{one}" for one in at), message=reason,
        mode=Excusing.SKIP if skips else Excusing.RUN,
    )  # fmt: skip
    text = editing.with_added(editing.NEW, [entry])
    (read,) = parse(text, "q.toml").entries
    assert replace(read, line=0) == entry
    assert editing.without(text, [entry.test]) == editing.NEW
