"""The table of doors: which room may import which."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pytest_flakehunt"
DOORS: dict[str, dict[str, str]] = {
    "": {},
    "ground": {},
    "model": {},
    "analysis": {"model": "nouns"},
    "hookspecs": {"model": "types"},
    "replays": {"model": "counts"},
    "quarantine": {"analysis": "fingerprints", "ground": "commands", "model": "entries", "replays": "hunts"},
    "bisecting": {
        "analysis": "runs", "ground": "git", "model": "counts", "replays": "hunts", "reports": "words",
    },
    "ledger": {"ground": "folders", "model": "nouns"},
    "changes": {"ground": "git"},
    "state": {"ground": "ownership"},
    "asked": {"ground": "ownership", "model": "kinds"},
    "instruments": {"ground": "ownership", "model": "settings"},
    "perturbations": {"ground": "stand-ins", "model": "settings", "steering": "baton"},
    "steering": {"ground": "seeds", "model": "tapes"},
    "reports": {"analysis": "wording", "ground": "clock", "model": "findings", "quarantine": "entries as text"},
    "leaks": {"asked": "grace", "ground": "events", "model": "leaks", "state": "comparison"},
    "zygote": {
        "asked": "takeover", "ground": "clock", "instruments": "stage", "leaks": "watch", "model": "evidence",
        "perturbations": "registry", "state": "snapshot",
    },
    "machines": {
        "ground": "clock", "instruments": "artefacts", "model": "settings", "perturbations": "registry", "zygote": "host",
    },
    "pool": {"ground": "clock", "instruments": "artefacts", "model": "attempts", "zygote": "link"},
    "survey": {
        "analysis": "fingerprints", "ground": "seeds", "model": "plans", "pool": "sweeps", "zygote": "studies",
    },
    "diagnosis": {
        "analysis": "attribution", "asked": "takeover", "ground": "clock", "instruments": "artefacts",
        "ledger": "attempts", "model": "plans", "perturbations": "randomness", "pool": "experiments",
        "survey": "tallies", "zygote": "journal",
    },
    "sessions": {
        "analysis": "verdicts", "asked": "options", "changes": "choice", "diagnosis": "causes", "ground": "clock",
        "instruments": "stage",
        "leaks": "watch", "ledger": "recording", "machines": "relays", "model": "findings", "perturbations": "registry",
        "pool": "slots",
        "quarantine": "entries", "reports": "text", "survey": "schedule", "zygote": "origin",
    },
    "cli": {
        "analysis": "comparison", "asked": "names", "bisecting": "search", "ground": "clock", "ledger": "history", "model": "entries",
        "perturbations": "registry", "quarantine": "commands", "reports": "text",
    },
    "__main__": {"cli": "command"},
    "plugin": {"asked": "flags", "hookspecs": "hooks", "sessions": "registration"},
}  # fmt: skip
"""Room by room, from the ground up: which others it may import, and what for."""
ONE_DOOR = {
    "sqlite3": {
        "ledger/store.py",
        "ledger/archive.py",
        "ledger/copying.py",
        "ledger/opening.py",
        "ledger/recalling.py",
        "ledger/pruning.py",
        "perturbations/connections.py",
        "perturbations/foreign_clocks.py",
        "perturbations/rows.py",
    },  # and the project's own databases
    "xml": {"reports/junit.py"},
    "jinja2": {"reports/html.py"},
    "tomlkit": {"quarantine/editing.py"},
    "tomllib": {"quarantine/reading.py", "quarantine/looking_up.py"},
    "rich": {
        "reports/terminal.py",
        "reports/tables.py",
        "reports/changes.py",
        "reports/progress.py",
        "reports/prose.py",
    },
    "freezegun": {"perturbations/wall_clock.py"},
    "time_machine": {"perturbations/wall_clock.py"},
    "argcomplete": {"cli/main.py"},
    "execnet": {"machines/gateways.py"},
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
    left = {name: {*doors} for name, doors in DOORS.items()}
    while left:
        ground = [name for name, doors in left.items() if not doors & left.keys()]
        assert ground, f"a circle among {sorted(left)}"
        for name in ground:
            del left[name]


def test_every_door_is_used() -> None:
    used: dict[str, set[str]] = {}
    for path in FILES:
        targets = (name.split(".")[1] for name in imports(path) if name.startswith("pytest_flakehunt."))
        used.setdefault(room(path), set()).update(target for target in targets if target != room(path))
    assert used == {name: {*doors} for name, doors in DOORS.items()}


def test_only_the_fork_room_forks() -> None:
    forking = [path.name for path in FILES if "os.fork(" in path.read_text("utf-8")]
    assert forking == ["fork.py"]


def test_no_module_waits_for_itself() -> None:
    """Imports form no circle within a room either: which module comes first must not matter."""
    left = {}
    for path in FILES:
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        left[name] = {found for found in imports(path) if found.startswith("pytest_flakehunt.")}
    for name, found in left.items():
        known = {one if one in left else one.rpartition(".")[0] for one in found}
        left[name] = {one for one in known if one in left and one != name}
    while left:
        ready = [name for name, others in left.items() if not others & left.keys()]
        assert ready, f"a circle among {sorted(left)}"
        for name in ready:
            del left[name]
