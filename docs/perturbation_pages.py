"""The pages about causes: prose that stands in them, and between two marks what follows from the code and from a real hunt."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "perturbations"
SAMPLES = Path(__file__).parent / "samples" / "causes.json"
BLOCK = re.compile(r"(?<=<!-- generated: )(\w+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)
TEST = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^python -m pytest (\S+\.py)(.*?) +# (passes|fails|fails in some runs)$", re.MULTILINE)
SECTIONS = (
    "The bug",
    "What a finding looks like",
    "What it touches",
    "What it cannot reach",
    "Replay it",
    "Fix it",
    "Switch it off",
)
"""What every page says, in this order."""


class Command(NamedTuple):
    """How a page's test is run, and what comes of it."""

    file: str
    options: str
    outcome: str


def names() -> list[str]:
    """Name every cause that has a page: our perturbations, and what is found without one."""
    from pytest_flakehunt.analysis.naming import FIXES
    from pytest_flakehunt.perturbations import OURS

    ours = [item.name for item in OURS]
    return [*ours, *(name for name in FIXES if name not in ours)]


def test_of(name: str) -> str:
    """Give the test that a page shows."""
    found = TEST.search((FOLDER / f"{name}.md").read_text("utf-8"))
    assert found is not None, f"{name}.md shows no test"
    return found[1]


def commands_of(name: str) -> list[Command]:
    """Give the commands that run it."""
    return [Command(*found) for found in COMMAND.findall((FOLDER / f"{name}.md").read_text("utf-8"))]


def page(name: str) -> str:
    """Give a page with its generated blocks as they are now."""
    text = (FOLDER / f"{name}.md").read_text("utf-8")
    return BLOCK.sub(lambda block: f"{block[1]}{block[2]}{BLOCKS[block[1]](name)}", text)


def _facts(name: str) -> str:
    """Say what it is: from the perturbation's own words, its weight, and what tests must read to meet it."""
    from pytest_flakehunt.analysis.naming import KINDS
    from pytest_flakehunt.perturbations import OURS, worth

    head = f"A test that {KINDS[name]}.\n"
    item = next((each for each in OURS if each.name == name), None)
    if item is None:
        return f"{head}\nThis is a cause without a perturbation: a hunt finds it by comparing its sweeps.\n"
    said = " ".join((type(item).__doc__ or "").split())
    weight = worth.worth(name)
    reads = ", ".join(sorted(getattr(item, "sources", ())))
    rows = {
        "what varies": said,
        "settings": item.allowed,
        "contract": f"{item.draw(1, 0).contract.value} ([what that means](../reference/perturbations.md))",
        "weight": f"{weight.weight:g}: {weight.why}",
        "sweeps for it alone run": f"tests that were seen to read one of these: {reads}" if reads else "all tests",
    }
    table = "".join(f"| {what} | {text} |\n" for what, text in rows.items())
    return f"{head}\n| | |\n|---|---|\n{table}"


def _finding(name: str) -> str:
    """Show what a hunt of the page's own test says."""
    sample = json.loads(SAMPLES.read_text("utf-8"))[name]
    return f"`{sample['command']}` says:\n\n```text\n{sample['shown']}\n```\n"


def _replay(name: str) -> str:
    """Give the commands of that finding."""
    mode = json.loads(SAMPLES.read_text("utf-8"))[name]["mode"]
    lines = [mode["repro"], *([f"{mode['repro_without']}  # without the cause"] if mode["repro_without"] else [])]
    return "```sh\n" + "\n".join(lines) + "\n```\n\nSee [Make a failure come back](../how-to/replay.md).\n"


def _off(name: str) -> str:
    """Say how to leave a perturbation alone."""
    return (
        f"```sh\npytest --flakehunt=200 --flakehunt-without={name}\n```\n\n"
        f"`flakehunt_without = {name}` in the configuration does so for every hunt. It concerns all tests of a hunt, and those that fail for this reason are then not found; one that is known is excused by [quarantine](../how-to/quarantine.md).\n"
    )


BLOCKS: Mapping[str, Callable[[str], str]] = {"facts": _facts, "finding": _finding, "replay": _replay, "off": _off}
"""By the word in their mark."""


def index() -> str:
    """List the pages."""
    from pytest_flakehunt.analysis.naming import KINDS

    rows = [f"| [`{name}`]({name}.md) | a test that {KINDS[name]} |" for name in names()]
    tree = ["```{toctree}", ":hidden:", "", *names(), "```"]
    return "\n".join([INDEX, "| cause | what it is about |", "|---|---|", *rows, "", *tree, ""])


INDEX = """# Causes, one by one

What a report calls a cause is the name of a page here: the bug in a few lines of Python, what a hunt says of it, what the perturbation touches and what it cannot reach, how to make a failure come back, how to mend it, and how to
switch the perturbation off. All of them in one table: [perturbations](../reference/perturbations.md).
"""


def fixes() -> str:
    """List the usual fix of each cause."""
    from pytest_flakehunt.analysis.naming import FIXES

    rows = [f"| [`{name}`](../perturbations/{name}.md#fix-it) | {FIXES[name]} |" for name in names()]
    return "\n".join([HOW_TO_FIX, "| cause | usual fix |", "|---|---|", *rows, ""])


HOW_TO_FIX = """# Fix a flaky test by its cause

Every named cause in a report ends with its usual fix in a line; its page says more. Whatever you change, run the printed command again: it must pass now. Where no cause is named, look at the suspects and their numbers, and at the difference between a run that failed and one that passed.
"""
