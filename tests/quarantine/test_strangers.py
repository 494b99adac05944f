"""Quarantine files that somebody else wrote."""

import json
import os
import re
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pytest_flakehunt.cli.main import main
from pytest_flakehunt.model import Entry
from pytest_flakehunt.quarantine import QuarantineError, node_ids, releasing, sources
from pytest_flakehunt.quarantine.reading import parse, read

PRINT = "0" * 16
ENTRY = Entry("a.py::test_x", date(2026, 11, 1), date(2026, 12, 1), (PRINT,))


def told(test: str = "a.py::test_x", after: str = "", more: str = "") -> str:
    before = f'after = ["{after}"]' if after else ""
    return (
        f'version = 1\n{more}\n[[quarantined]]\ntest = "{test}"\nfingerprints = ["{PRINT}"]\nadded = 2026-11-01\n'
        f"expires = 2026-12-01\n{before}\n"
    )


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("-pevil::x", "pytest would take it for something else than a test: no node id begins with -"),
        ("@words::x", "pytest would take it for something else than a test: no node id begins with @"),
        ("/tmp/evil.py::test_x", "it leads out of the project"),
        (r"C:\\evil.py::test_x", "it leads out of the project"),
        (r"a.py::test_x[\u0000]", "no command can have the letter of number zero in it"),
        ("--collect-only", "give the node id of a test"),
    ],
)
def test_pytest_is_given_nothing_but_tests(test: str, why: str) -> None:
    for text in (told(test), told(after=test)):
        with pytest.raises(QuarantineError, match=why):
            parse(text, "q.toml")


@pytest.mark.parametrize("change", [{"test": "../evil.py::test_x"}, {"after": ("link/evil.py::test_x",)}])
def test_nothing_outside_of_the_project_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    inner = tmp_path / "project"
    inner.mkdir()
    (inner / "link").symlink_to(tmp_path)
    (tmp_path / "evil.py").write_text("def test_x(): pass")
    monkeypatch.setattr("pytest_flakehunt.replays.processes.run", None)
    found = releasing.replay(replace(ENTRY, **change), inner, ())  # type: ignore[arg-type]
    assert found.why_not.endswith("evil.py::test_x lies outside of the project, and is not run")


def test_nor_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    inner = tmp_path / "project"
    inner.mkdir()
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef test_x(): pass")
    (inner / "flakehunt-quarantine.toml").write_text(told("../evil.py::test_x"), "utf-8")
    monkeypatch.chdir(inner)
    main(["quarantine", "check"])
    assert "../evil.py::test_x" in capsys.readouterr().out
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("form", ["--json", "--markdown", None])
def test_no_list_of_them_commands_a_service(
    form: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = "##vso[task.complete result=Failed;] ##teamcity[x] ##[error]"
    (tmp_path / "flakehunt-quarantine.toml").write_text(f'{told()}owner = "{owner}"\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    main(["quarantine", "list", *([form] if form else [])])
    said = capsys.readouterr().out
    assert "task.complete" in said
    assert not re.search(r"##(\[|vso|teamcity)", said)
    if form == "--json":
        assert json.loads(said)["entries"][0]["owner"] == owner


def test_a_test_of_many_stars_is_matched_at_once() -> None:
    began = time.process_time()
    assert not node_ids.fits(f"a.py::test_x[{'*a' * 20}*b]", f"a.py::test_x[{'a' * 200}]")
    assert time.process_time() - began < 1  # it took longer than anybody waits


@pytest.mark.parametrize(
    ("test", "parameters", "fits"),
    [
        ("[*]", "[]", True), ("[a*]", "[a]", True), ("[a*a]", "[a]", False), ("[a*a]", "[aa]", True), ("[*b*]", "[abc]", True), ("[*[*]*]", "[a*]", True),
        ("[*[*]*]", "[ab]", False), ("[*ab*ab]", "[ab]", False), ("[*ab*ab]", "[abab]", True), ("[**]", "[x]", True), ("[a*]", "[b]", False), ("[[*]]", "[*]", True),
    ],
)  # fmt: skip
def test_stars_mean_any_text(test: str, parameters: str, fits: bool) -> None:
    assert node_ids.fits(f"a.py::test_x{test}", f"a.py::test_x{parameters}") is fits


@pytest.mark.parametrize(
    "more", [f"max_days = {'9' * 5000}", f"max_days = {'[' * 100_000}", "a = 1e400\nmax_days = nan"]
)
def test_numbers_and_nesting_beyond_reason_are_refused(more: str) -> None:
    with pytest.raises(QuarantineError, match=r"^q\.toml: .*(mend it|give a whole number)"):
        parse(told(more=more), "q.toml")


@pytest.mark.parametrize(
    "line",
    ["a." * 200_000 + "a = 1", f"[{'a.' * 200_000}a]", "x = {" + "'a' . " * 200_000 + "a = 1}", '"a".' * 64 + "a = 1"],
)
def test_names_of_many_parts_are_refused_at_once(line: str) -> None:
    began = time.process_time()
    with pytest.raises(QuarantineError, match=r"^q\.toml, line 2: a name of more than 64 parts means nothing to us$"):
        parse(f"version = 1\n{line}\n", "q.toml")
    assert time.process_time() - began < 1  # it took hours
    assert parse(f'version = 1\nx = "{"." * 100} {"1." * 63}"\n{"a" * 100_000} = 1\n', "q.toml").unknown


def test_what_is_no_file_and_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "q.toml")
    with pytest.raises(QuarantineError, match=r"^q\.toml is no file: give the path of one$"):
        read(tmp_path / "q.toml")
    (tmp_path / "r.toml").write_text(told() + "#" * 3_000_000, "utf-8")
    with pytest.raises(QuarantineError, match=r"^r\.toml has more than 2,097,152 bytes"):
        read(tmp_path / "r.toml")
    os.mkfifo(tmp_path / "pipe.py")
    assert sources.functions(tmp_path / "pipe.py") == ()


def test_what_is_shown_of_it_obeys_no_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "flakehunt-quarantine.toml"
    path.write_text(told() + '# \x9b2J\u202e\nreason = """\n::error::x\n"""\n', "utf-8")
    assert main(["quarantine", "remove", "a.py::test_x"]) == 0
    said = capsys.readouterr().out
    assert "?2J" in said
    assert "\x9b" not in said
    assert not any(line.lstrip().startswith("::") for line in said.splitlines())
