"""The table of doors: which room may import which."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pytest_flakehunt"
DOORS: dict[str, set[str]] = {
    "": set(),
    "model": set(),
    "seeds": set(),
    "realtime": set(),
    "project": set(),
    "stand_ins": {"project"},
    "state": {"project"},
    "surroundings": set(),
    "consulting": {"model", "project"},
    "relevance": {"consulting", "model", "project"},
    "flags": set(),
    "hookspecs": {"model"},
    "options": {"flags", "model"},
    "auditing": set(),
    "artefacts": {"auditing", "project"},
    "other_plugins": set(),
    "closing": {"mirror", "reports"},
    "perturbations": {"model", "seeds", "realtime", "project", "stand_ins"},
    "plan": {"model", "seeds"},
    "stage": {"model"},
    "takeover": {"artefacts", "model", "other_plugins"},
    "leaks": {"auditing", "model", "options", "project", "realtime", "stand_ins", "state"},
    "zygote": {
        "artefacts", "consulting", "flags", "leaks", "model", "options", "perturbations", "plan", "project", "realtime", "relevance", "stage", "stand_ins", "state",
        "takeover",
    },
    "sweeping": {"model", "plan", "zygote", "realtime", "project"},
    "ledger": {"model"},
    "analysis": {"model"},
    "tallies": {"model"},
    "watching": {"model"},
    "places": {"model", "plan", "seeds", "sweeping", "zygote"},
    "workshop": {"artefacts", "model", "places", "plan", "realtime", "sweeping", "tallies", "watching", "zygote"},
    "hunt": {"model", "places", "plan", "realtime", "analysis", "tallies", "watching", "workshop", "zygote"},
    "casebook": {"analysis", "diagnosis", "hunt", "ledger", "model", "plan", "tallies"},
    "witness": {"artefacts", "perturbations", "takeover", "zygote"},
    "rerun": {"analysis", "artefacts", "flags", "model", "realtime", "repro", "witness", "zygote"},
    "diagnosis": {"analysis", "model", "places", "plan", "realtime", "tallies", "watching", "workshop", "zygote"},
    "mirror": {"model", "watching"},
    "repro": {"model"},
    "reports": {"analysis", "model", "watching", "realtime"},
    "foreground": {"model", "perturbations", "plan", "stage"},
    "ordinary": {"leaks", "model", "reports", "zygote"},
    "run": {
        "analysis", "casebook", "closing", "diagnosis", "flags", "foreground", "hunt", "ledger", "mirror", "model", "options", "ordinary", "perturbations", "places", "plan",
        "realtime", "repro", "reports", "rerun", "surroundings", "takeover", "tallies", "witness", "workshop", "zygote",
    },
    "plugin": {"flags", "hookspecs", "run"},
}  # fmt: skip
ONE_DOOR = {
    "sqlite3": {"ledger/store.py"},
    "tomlkit": set[str](),
    "rich": {"reports/terminal.py", "reports/progress.py"},
    "freezegun": {"perturbations/hands.py"},
    "time_machine": {"perturbations/hands.py"},
    "_pytest": {"zygote/child.py"},
}
"""Outside things, and the files that may touch them."""


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports go by full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py").removeprefix("__init__")


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_through_allowed_doors(path: Path) -> None:
    for name in imports(path):
        if name.startswith("pytest_flakehunt."):
            target = name.split(".")[1]
            assert target == room(path) or target in DOORS[room(path)], f"{path}: {name}"
        outside = name.partition(".")[0]
        if outside in ONE_DOOR:
            assert path.relative_to(PACKAGE).as_posix() in ONE_DOOR[outside], f"{path}: {name}"


def test_doors_form_no_circle() -> None:
    left = {name: set(doors) for name, doors in DOORS.items()}
    while left:
        ground = [name for name, doors in left.items() if not doors & left.keys()]
        assert ground, f"a circle among {sorted(left)}"
        for name in ground:
            del left[name]


def test_only_the_fork_room_forks() -> None:
    forking = [path.name for path in FILES if "os.fork(" in path.read_text("utf-8")]
    assert forking == ["fork.py"]
