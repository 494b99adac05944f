"""What the documentation shows on a command line is taken: commands by their parser, names of options as they are."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from pytest_flakehunt.asked import options
from pytest_flakehunt.asked.flags import INI_ONLY, NAMES
from pytest_flakehunt.cli.main import main, parser

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs" / "how-to" / "ci" / "jobs").iterdir()]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(
    r"^\s*(?:[-$>] |run: )*(?:python -m pytest_flakehunt|flakehunt) (?P<words>.*[^:\s])\s*$", re.MULTILINE
)
"""A line that calls a command: at a prompt, in a script, or in a job's list of them; one that ends in a colon is a key."""
WITHIN = re.compile(r"\$\(flakehunt (?P<words>[^)]+)\)")
"""A command whose output stands within another."""


class Shown(NamedTuple):
    """A command that a page shows."""

    page: str
    words: str


def shown() -> Iterator[Shown]:
    for page in PAGES:
        text = page.read_text("utf-8")
        blocks = FENCE.findall(text) if page.suffix == ".md" else [("sh", text)]
        for kind, block in blocks:
            if kind == "text" and page.name == "commands.md":
                continue  # how a command is written, with names for what stands in it
            for found in (*COMMAND.finditer(block), *WITHIN.finditer(block)):
                yield Shown(page.relative_to(ROOT).as_posix(), found["words"])


def words_of(line: str) -> list[str]:
    """Give the words of a command up to what the shell does with it."""
    words = shlex.split(line, comments=True)
    ends = [at for at, word in enumerate(words) if re.fullmatch(r"\|\|?|&&?|;|2?>+\S*", word)]
    return words[: ends[0]] if ends else words


SHOWN = sorted(set(shown()))


def test_there_are_commands_to_check() -> None:
    assert {command.words.split()[0] for command in SHOWN} >= {"report", "quarantine", "plan", "prune", "doctor"}
    assert {command.page for command in SHOWN} >= {"docs/how-to/html.md", "docs/how-to/ci/jobs/nightly.sh"}


@pytest.mark.parametrize("command", SHOWN, ids=lambda command: f"{command.page}: {command.words}")
def test_every_command_that_is_shown_is_taken(command: Shown) -> None:
    words = words_of(command.words)
    if "--" in words:
        words = words[: words.index("--")]
    parser().parse_args(words)


def test_every_option_that_is_named_is_there() -> None:
    for page in PAGES:
        text = page.read_text("utf-8")
        for name in re.findall(r"(?<![\w-])--(flakehunt(?:-[a-z]+)*)(?![\w-])", text):
            assert name in NAMES, f"{page}: --{name}"
        for name in re.findall(r"(?<![\w./-])(flakehunt_[a-z_]*[a-z])(?![\w.(])", text):
            assert name in INI_ONLY or name.replace("_", "-") in NAMES, f"{page}: {name}"


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("command_pages", ROOT / "docs" / "command_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_and_every_option_of_one_is_described(pages: ModuleType) -> None:
    text = pages.commands()

    def check(name: str, said: str, reads: object) -> None:
        assert f"# flakehunt {name}\n" in text
        assert said, f"{name} has no help"
        for action in reads._actions:  # type: ignore[attr-defined]
            if action.option_strings and action.dest != "help":
                assert action.help, f"{name} {action.option_strings[0]} has no help"
                assert f"`{action.option_strings[-1]}" in text
        for inner in pages._inner(reads):
            check(f"{name} {inner[0]}", *inner[1:])

    for found in pages._inner(parser()):
        check(*found)


@pytest.fixture(scope="module")
def patterns(pages: ModuleType) -> list[re.Pattern[str]]:
    """Give what the messages of the page fit, with a path before them where they are about a file's content."""
    lines = [line for block in FENCE.findall(pages.messages()) for line in block[1].splitlines()]
    return [re.compile("(?:.*: )?" + ".*".join(map(re.escape, re.split(r"\{[^{}]+\}", line)))) for line in lines]


@pytest.mark.parametrize(
    "words",
    [
        ["report", "none"],
        ["report", "--list", "--html", "x.html"],
        ["diagnose", "none"],
        ["prune"],
        ["prune", "--hunt", "1", "--keep", "1"],
        ["plan", "clok=1"],
        ["plan", "hashseed=x"],
        ["plan", "gc=off", "--without", "order"],
        ["quarantine", "list", "--file", "none.toml"],
        ["quarantine", "add", "a.py::test_a"],
    ],
)
def test_refusals_are_on_their_page(
    words: list[str], patterns: list[re.Pattern[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".flakehunt").mkdir()
    (tmp_path / ".flakehunt" / "ledger.sqlite").write_text("{}")
    status = main(words)
    said = capsys.readouterr().err.removeprefix("flakehunt: ").strip()
    assert status == 2
    assert any(pattern.fullmatch(said) for pattern in patterns), said


@pytest.mark.parametrize("text", ["0", "-3", "often"])
def test_refusals_of_options_are_on_their_page(text: str, patterns: list[re.Pattern[str]]) -> None:
    with pytest.raises(pytest.UsageError) as error:
        options.length(text)
    assert any(pattern.fullmatch(str(error.value)) for pattern in patterns)


def test_every_room_that_refuses_is_on_the_page(pages: ModuleType) -> None:
    package = ROOT / "pytest_flakehunt"
    refusing = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if re.search(rf"\b({'|'.join(pages.REFUSALS)})\(f?\"", path.read_text("utf-8"))
    }
    assert refusing - set(pages.ROOMS) == set()
