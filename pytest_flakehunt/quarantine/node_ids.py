"""Node ids as a quarantine file has them: from the configuration's folder on, with ``*`` within the parameters."""

import os
import re
from functools import cache
from pathlib import Path

from pytest_flakehunt.model import astray

STAR = re.compile(r"\[\*\]|\*")


def split(test: str) -> tuple[str, str]:
    """Give what comes before the parameters, and these with their brackets.

    >>> split("tests/[a].py::Test::test_x[1-[2]]")
    ('tests/[a].py::Test::test_x', '[1-[2]]')
    """
    file, separator, rest = test.partition("::")
    name, bracket, parameters = rest.partition("[")
    return file + separator + name, bracket + parameters


def fits(test: str, nodeid: str) -> bool:
    """Tell whether an entry's test means a node id.

    >>> fits("a.py::test_x[*-tea]", "a.py::test_x[1-tea]"), fits("a.py::test_x[*]", "a.py::test_xy[1]")
    (True, False)
    """
    if test == nodeid:
        return True
    name, parameters = split(test)
    if "*" not in parameters or not nodeid.startswith(f"{name}["):
        return False
    given, (first, *middle) = nodeid[len(name) :], _pieces(parameters)
    if not middle:
        return given == first
    last = middle.pop()
    at, end = len(first), len(given) - len(last)
    if at > end or not (given.startswith(first) and given.endswith(last)):
        return False
    for piece in middle:
        if (found := given.find(piece, at, end)) < 0:
            return False
        at = found + len(piece)
    return True


@cache
def _pieces(parameters: str) -> list[str]:
    """Give what stands before, between and after the stars of parameters.

    >>> _pieces("[*-[*]tea*]")
    ['[', '-*tea', ']']
    """
    pieces, at = [""], 0
    inner = parameters[1:-1]
    for star in STAR.finditer(inner):
        pieces[-1] += inner[at : star.start()]
        if star[0] == "*":
            pieces.append("")
        else:
            pieces[-1] += "*"
        at = star.end()
    pieces[-1] += inner[at:]
    return [f"[{pieces[0]}", *pieces[1:-1], f"{pieces[-1]}]"] if len(pieces) > 1 else [f"[{pieces[0]}]"]


def literal(test: str) -> str | None:
    """Give the one node id that an entry's test means; None where it may mean several.

    >>> literal("a.py::test_x[2[*]3]"), literal("a.py::test_x[*]")
    ('a.py::test_x[2*3]', None)
    """
    name, parameters = split(test)
    if any(star[0] == "*" for star in STAR.finditer(parameters[1:-1])):
        return None
    return name + parameters.replace("[*]", "*")


def escaped(nodeid: str) -> str:
    """Give what an entry has to say to mean one node id alone.

    >>> escaped("a.py::test_x[2*3]")
    'a.py::test_x[2[*]3]'
    """
    name, parameters = split(nodeid)
    return name + parameters.replace("*", "[*]")


def misplaced(test: str) -> str:
    """Say what is wrong with an entry's test; empty where nothing is."""
    name, parameters = split(test)
    if wrong := astray(test):
        return wrong
    if "*" in name.partition("::")[2]:
        return "* stands within the parameters only, as in test_warranty[*]: name one test"
    if parameters and not parameters.endswith("]"):
        return "the parameters have no closing bracket"
    return ""


def inside(folder: Path, test: str) -> bool:
    """Tell whether a test's file, links followed, is of the project: nothing else is run for what an entry says.

    Args:
        folder: of the configuration; with the repository around it where there is one.
        test: its node id from there on.
    """
    root = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)
    try:
        return (folder / test.partition("::")[0]).resolve().is_relative_to(root.resolve())
    except (OSError, ValueError):
        return False


def based(nodeid: str, path: Path, folder: Path, *, rebase: bool) -> str:
    """Give the node id of a test from the configuration's folder on.

    Args:
        nodeid: as pytest has it: of no use where the file lies outside its root directory.
        path: of the test's file.
        folder: of the configuration.
        rebase: whether pytest's root directory is another one.
    """
    if not rebase:
        return nodeid
    return "::".join([Path(os.path.relpath(path, folder)).as_posix(), *nodeid.split("::")[1:]])


def rebased(nodeid: str, root: Path, folder: Path) -> str:
    """Give a node id from another folder on.

    Args:
        nodeid: as pytest has it.
        root: pytest's root directory.
        folder: of the configuration.
    """
    if root == folder:
        return nodeid
    file, separator, rest = nodeid.partition("::")
    return Path(os.path.relpath(root / file, folder)).as_posix() + separator + rest
