"""Why a test failed, in words that no version of Python, place on the disk or option of pytest changes."""

import linecache
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pytest_flakehunt.ground import project
from pytest_flakehunt.ground.logical_lines import logical_line

if TYPE_CHECKING:
    import doctest


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
    if failure := _of_doctest(error):
        return _doctest(failure, root)
    step = innermost(error.__traceback__, folder)
    kinds, statements = zip(*_pieces(error, folder), strict=True)
    name = type(error).__qualname__ if type(error).__module__ == "builtins" else _full_name(type(error))
    return Failing(
        name.removeprefix("_pytest.outcomes."),
        message_of(error),
        "+".join(dict.fromkeys(kinds)),
        " & ".join(dict.fromkeys(statement for statement in statements if statement)),
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
    module = kind.__module__
    if module == "builtins" or module.startswith("_pytest."):
        return kind.__qualname__
    file = _file_of_module(module)
    package = project.within_package(file).partition("/")[0] if file else module.partition(".")[0]
    return f"{package.removesuffix('.py')}.{kind.__qualname__}"


def _file_of_module(name: str) -> str:
    file = getattr(sys.modules.get(name), "__file__", None)
    return file if type(file) is str else ""


def _full_name(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _statement(error: BaseException, folder: Path) -> str:
    step = innermost(error.__traceback__, folder)
    if step is None:
        return _foreign(error.__traceback__)
    lines = linecache.getlines(step.file)
    code = step.code
    # the lines of a lambda, or of a comprehension before Python 3.12, begin anywhere in a statement
    first = 1 if code.co_name.startswith("<") else min(code.co_firstlineno, step.line)
    return f"{scope(step.file, code.co_qualname)} {logical_line(lines, step.line, max(1, first))}".rstrip()


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


def _of_doctest(error: BaseException) -> "doctest.DocTestFailure | doctest.UnexpectedException | None":
    """Give the first failure of a doctest: with pytest several may come in one exception."""
    doctest: Any = sys.modules.get("doctest")
    failures = getattr(error, "failures", None)
    if type(error).__name__ == "MultipleDoctestFailures" and failures:
        error = failures[0]
    known = doctest is not None and isinstance(error, doctest.DocTestFailure | doctest.UnexpectedException)
    return cast("doctest.DocTestFailure", error) if known else None


def _doctest(failure: "doctest.DocTestFailure | doctest.UnexpectedException", root: Path) -> Failing:
    """Tell what was expected, what came instead, and the line of the example."""
    test, example = failure.test, failure.example
    name, kind = "DocTestFailure", "DocTestFailure"
    if not hasattr(failure, "exc_info"):
        message = f"expected {example.want.strip()}, got {failure.got.strip()}"
    else:
        raised, value, _ = failure.exc_info
        name, kind, message = raised.__qualname__, kind_of(raised), message_of(value)
    file = test.filename or ""
    statement = logical_line(example.source.splitlines(keepends=True), 1)
    line = (test.lineno or 0) + example.lineno + 1
    return Failing(
        name,
        message,
        kind,
        f"{project.within_package(file)}::{test.name.rpartition('.')[2]} {statement}",
        project.relative(file, root),
        line,
        test.name,
    )
