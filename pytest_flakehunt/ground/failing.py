"""Why a test failed, in words that no version of Python, place on the disk or option of pytest changes."""

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_flakehunt.ground import project
from pytest_flakehunt.ground.logical_lines import statement

if TYPE_CHECKING:
    import doctest
HANG = "Hang"
"""The kind of a deadlock that was seen coming, as of a test that had to be ended: it stands where it would hang."""
RENAMED = {"re.error": "re.PatternError", "pytest_flakehunt.Deadlock": HANG}
"""Types that have another name since Python 3.13, or are known by another one."""


class Failing(NamedTuple):
    """What is known of an exception."""

    exception: str
    """Its type, qualified unless it is a builtin."""
    message: str
    kind: str
    """Its type after the outermost package, or the module, that defines it; those in a group with it."""
    statement: str
    """The failing statement in the project's innermost frame, after the file and the function it stands in."""
    file: str
    """Relative to the root directory where it lies inside; empty where no code of the project was met."""
    line: int
    function: str


class Step(NamedTuple):
    """One frame of a traceback."""

    file: str
    code: CodeType
    line: int


def failing(error: BaseException, root: Path, folder: Path) -> Failing:
    """Tell what an exception says of where it came from.

    Args:
        error: as it was raised.
        root: pytest's root directory, which files are told relative to.
        folder: where the project is kept: files of it that are installed from
            there are taken for its own.
    """
    try:
        if failures := _of_doctest(error):
            return _doctest(failures, root)
        return _failing(error, root, folder)
    except Exception:  # noqa: BLE001 - an exception that cannot be looked at is still evidence, and excused by nobody
        return Failing(type(error).__name__, message_of(error), "", "", "", 0, "")


def _failing(error: BaseException, root: Path, folder: Path) -> Failing:
    step = innermost(error.__traceback__, folder)
    pieces = dict.fromkeys(_pieces(error, folder))
    name = type(error).__qualname__ if type(error).__module__ == "builtins" else _full_name(type(error))
    return Failing(
        name.removeprefix("_pytest.outcomes."),
        message_of(error),
        "+".join(kind for kind, _ in pieces),
        " & ".join(statement for _, statement in pieces if statement),
        "" if step is None else project.relative(step.file, root),
        0 if step is None else step.line,
        "" if step is None else step.code.co_name,
    )


def message_of(error: BaseException) -> str:
    """Give an exception's text."""
    try:
        return str(error)
    except Exception as failed:  # noqa: BLE001 - an exception whose text fails is still evidence
        return f"<its text cannot be had: {type(failed).__name__}>"


def innermost(traceback: TracebackType | None, folder: Path) -> Step | None:
    """Give the last frame that runs the project's code."""
    found = None
    for step in _steps(traceback):
        file = project.copied(step.file, folder)
        if project.owns(file):
            found = step._replace(file=file)
    return found


def _steps(traceback: TracebackType | None) -> Iterator[Step]:
    while traceback is not None:
        frame = traceback.tb_frame
        yield Step(_file(frame), frame.f_code, traceback.tb_lineno)
        traceback = traceback.tb_next


def _file(frame: FrameType) -> str:
    """Give the file of a frame's code as it lies now: compiled code may name the place where it lay before."""
    compiled = frame.f_code.co_filename
    file = frame.f_globals.get("__file__")
    same = type(file) is str and file.rpartition("/")[2] == compiled.rpartition("/")[2]
    return file if same and type(file) is str else compiled


def _pieces(error: BaseException, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield type and failing statement of an exception, and of those that it groups."""
    yield kind_of(type(error)), _statement(error, folder)
    if isinstance(error, BaseExceptionGroup):
        yield from sorted(piece for inner in error.exceptions for piece in _pieces(inner, folder))


def kind_of(kind: type[BaseException]) -> str:
    """Name an exception's type as it is named wherever its project lies: by the outermost package, not the module.

    >>> import json
    >>> kind_of(json.JSONDecodeError), kind_of(ValueError)
    ('json.JSONDecodeError', 'ValueError')
    """
    module = str(kind.__module__)
    if module == "builtins" or module.startswith("_pytest."):
        return kind.__qualname__
    file = _file_of_module(module)
    package = project.within_package(file).partition("/")[0] if file else module.partition(".")[0]
    name = f"{package.removesuffix('.py')}.{kind.__qualname__}"
    return RENAMED.get(name, name)


def _file_of_module(name: str) -> str:
    file = getattr(sys.modules.get(name), "__file__", None)
    return file if type(file) is str else ""


def _full_name(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _statement(error: BaseException, folder: Path) -> str:
    step = innermost(error.__traceback__, folder)
    if step is None:
        return _foreign(error.__traceback__)
    if kind_of(type(error)) == HANG:
        return scope(step.file, step.code.co_name)  # all that is known of one that had to be ended
    named = scope(step.file, step.code.co_qualname)
    text = statement(project.lines(step.file), step.line, named.partition("::")[2].rpartition(".")[2])
    return f"{named} {text}" if text else named


def _foreign(traceback: TracebackType | None) -> str:
    """Name the function of another package that pytest has called, where no code of the project was met."""
    while traceback is not None:
        frame = traceback.tb_frame
        if project.package_of(frame) not in {*project.RUNNING_TESTS, "pytest_flakehunt"}:
            return f"{frame.f_globals.get('__name__')}::{frame.f_code.co_qualname}"
        traceback = traceback.tb_next
    return ""


@cache
def scope(file: str, function: str) -> str:
    """Name a function after its file, as it is named wherever the project lies.

    Args:
        file: its absolute path.
        function: its qualified name; what has no name of its own is left out.

    >>> scope("/nowhere/test_a.py", "Test.test_x.<locals>.<listcomp>")
    'test_a.py::Test.test_x'
    """
    names = [name for name in function.split(".") if name and not name.startswith("<")]
    return "::".join([project.within_package(file), *([".".join(names)] if names else [])])


def _of_doctest(error: BaseException) -> "list[doctest.DocTestFailure | doctest.UnexpectedException]":
    """Give the failures of a doctest: with pytest several may come in one exception."""
    doctest: Any = sys.modules.get("doctest")
    if doctest is None:
        return []
    several = type(error).__name__ == "MultipleDoctestFailures" and type(error).__module__ == "_pytest.doctest"
    failures: Any = error.failures if several else [error]  # type: ignore[attr-defined]
    return [one for one in failures if isinstance(one, doctest.DocTestFailure | doctest.UnexpectedException)]


def _doctest(failures: "Sequence[doctest.DocTestFailure | doctest.UnexpectedException]", root: Path) -> Failing:
    """Tell what was expected, what came instead, and the line of the first example; all of them tell the failure."""
    pieces = dict.fromkeys((_example(failure)[2], _example(failure)[3]) for failure in failures)
    test, example = failures[0].test, failures[0].example
    name, message, _, _ = _example(failures[0])
    line = (test.lineno or 0) + example.lineno + 1
    kinds = "+".join(kind for kind, _ in pieces)
    statements = " & ".join(text for _, text in pieces)
    return Failing(name, message, kinds, statements, project.relative(test.filename or "", root), line, test.name)


def _example(failure: "doctest.DocTestFailure | doctest.UnexpectedException") -> tuple[str, str, str, str]:
    """Give the name, the message, the kind and the statement of one failing example."""
    test, example = failure.test, failure.example
    text = statement(example.source.splitlines(keepends=True), 1, "")
    place = f"{project.within_package(test.filename or '')}::{test.name.rpartition('.')[2]} {text}"
    if hasattr(failure, "exc_info"):
        raised, value, _ = failure.exc_info
        return raised.__qualname__, message_of(value), kind_of(raised), place
    message = f"expected {example.want.strip()}, got {failure.got.strip()}"
    return "DocTestFailure", message, "DocTestFailure", place
