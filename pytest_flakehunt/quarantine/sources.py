"""The source of tests, as files have it: to recognise one that was renamed, and to see what a change touches."""

import ast
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pytest_flakehunt.analysis.fingerprints import named
from pytest_flakehunt.ground import project
from pytest_flakehunt.ground.failing import scope
from pytest_flakehunt.ground.logical_lines import logical_lines, statement
from pytest_flakehunt.model import Entry
from pytest_flakehunt.quarantine import node_ids

LEFT_OUT = frozenset({"node_modules", "build", "dist", "venv", "__pycache__", "site-packages"})


class Function(NamedTuple):
    """One function, method or class."""

    name: str
    """Qualified, as ``Test.test_x``."""
    first: int
    """Its first line, decorators included, from 1."""
    line: int
    """That with its name."""
    last: int
    runs: bool
    """False for a class."""


@lru_cache(maxsize=256)
def functions(path: Path) -> tuple[Function, ...]:
    """Give all functions and classes of a file, those within others too; none where it cannot be read."""
    try:
        if not path.is_file():  # a device, for one, is read for ever
            return ()
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(_functions(tree, ""))


def _functions(node: ast.AST, before: str) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            name = f"{before}{child.name}"
            runs = not isinstance(child, ast.ClassDef)
            yield Function(name, first, child.lineno, child.end_lineno or child.lineno, runs)
            yield from _functions(child, f"{name}.")
        else:
            yield from _functions(child, before)


def _body(path: Path, function: Function) -> str:
    """Make a hash of a function's logical lines, whose layout does not matter, without its name."""
    lines = project.lines(str(path))[: function.last]
    text = "\n".join(found.text for found in logical_lines(lines, function.first))
    name = next(logical_lines(lines, function.line)).text.partition("(")[0]
    digest = hashlib.blake2b(text.replace(name, "def", 1).encode("utf-8", "surrogatepass"), digest_size=8)
    return digest.hexdigest()


def function_of(folder: Path, test: str) -> Function | None:
    """Give the function of a test; None where its file has none of that name, as where it is inherited.

    Args:
        folder: which its node id begins from.
        test: its node id, with or without parameters.
    """
    file, name = _told(test)
    return next((one for one in functions(folder / file) if one.runs and one.name == name), None)


def body_of(folder: Path, test: str) -> str:
    """Give the hash of a test's source; empty where there is none."""
    function = function_of(folder, test)
    return "" if function is None else _body(folder / _told(test)[0], function)


def renamed(folder: Path, entry: Entry, test: str) -> Entry:
    """Give an entry for a test under its new name: what its failures are told by has the function's name in it.

    Args:
        folder: of the configuration.
        entry: as it is.
        test: the new node id.
    """
    (old, old_name), (new, new_name) = (_told(each) for each in (entry.test, test))
    place = re.compile(rf"\S*{re.escape(Path(old).name)}::{re.escape(old_name)}(?= |$)")
    here = scope(str(folder / new), new_name)
    prints = dict.fromkeys(entry.fingerprints)
    moved = {}
    for text in (each for each in entry.at if each.count(" ") >= 2):
        moved[text] = place.sub(lambda _: here, text)
        before, after = (named(*each.split(" ", 2)) for each in (text, moved[text]))
        prints = dict.fromkeys(after if each == before else each for each in prints)
    return replace(
        entry,
        test=test,
        fingerprints=tuple(prints),
        at=tuple(moved.get(text, text) for text in entry.at),
        body=body_of(folder, test) or entry.body,
        repro=entry.repro.replace(entry.test, test),
    )


def _told(test: str) -> tuple[str, str]:
    """Give the file of a test, and its function's qualified name."""
    file, _, name = node_ids.split(test)[0].partition("::")
    return file, name.replace("::", ".")


def alike(folder: Path, body: str) -> list[str]:
    """Give the tests below a folder whose source has a hash, without parameters."""
    return [
        f"{path.relative_to(folder).as_posix()}::{function.name.replace('.', '::')}"
        for path in (_test_files(folder) if body else ())
        for function in functions(path)
        if function.runs and _body(path, function) == body
    ]


def _test_files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT and not name.startswith("."))
        yield from (Path(place, name) for name in sorted(files) if "test" in name and name.endswith(".py"))


def statements(path: Path, lines: set[int]) -> set[str]:
    """Give the statements that some lines of a file belong to, each after its file and function, as failures name them.

    Args:
        path: of the file.
        lines: their numbers, from 1.
    """
    source = project.lines(str(path))
    spans = sorted(functions(path), key=lambda function: function.line)
    found = set()
    for line in lines:
        around = [function.name for function in spans if function.line <= line <= function.last]
        name = around[-1] if around else ""
        text = statement(source, line, name.rpartition(".")[2])
        found.add(f"{scope(str(path.resolve()), name)} {text}")
    return found
