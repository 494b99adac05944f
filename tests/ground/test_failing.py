"""What a failure is called: the same wherever and however it happens, and another where it is another."""

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_flakehunt.ground.failing import Failing, failing, kind_of, scope
from pytest_flakehunt.ground.logical_lines import LONGEST, statement

SOURCE = """
import json


class Refused(Exception):
    pass


def check(left, right):
    assert left == right, (
        "they differ"  # always
    )


def squares(values):
    return [
        1 / value for value in values
    ]


class Till:
    def open(self):
        raise Refused(self.missing)


def nested():
    return list(map(lambda value: value["x"], [{}]))


def read():
    return json.loads("{")


def lazily():
    return sum(1 / value for value in [0])


def grouped():
    errors = []
    for function in (read, nested):
        try:
            function()
        except Exception as error:  # noqa: BLE001 - whatever it is
            errors.append(error)
    raise ExceptionGroup("both", errors)


def unsaid():
    class Mute(Exception):
        def __str__(self):
            raise OSError

    raise Mute
"""
CASES: dict[str, tuple[Callable[[Any], object], str, str]] = {
    "assertion": (
        lambda shop: shop.check(1, 2),
        "AssertionError",
        'shop.py::check assert left==right,("they differ")',
    ),
    "comprehension": (
        lambda shop: shop.squares([0]),
        "ZeroDivisionError",
        "shop.py::squares return[1/value for value in values]",
    ),
    "generator": (
        lambda shop: shop.lazily(),
        "ZeroDivisionError",
        "shop.py::lazily return sum(1/value for value in[0])",
    ),
    "method": (lambda shop: shop.Till().open(), "AttributeError", "shop.py::Till.open raise Refused(self.missing)"),
    "lambda": (
        lambda shop: shop.nested(),
        "KeyError",
        'shop.py::nested return list(map(lambda value:value["x"],[{}]))',
    ),
    "library": (lambda shop: shop.read(), "json.JSONDecodeError", 'shop.py::read return json.loads("{")'),
    "group": (
        lambda shop: shop.grouped(),
        "ExceptionGroup+KeyError+json.JSONDecodeError",
        'shop.py::grouped raise ExceptionGroup("both",errors) & '
        'shop.py::nested return list(map(lambda value:value["x"],[{}])) & '
        'shop.py::read return json.loads("{")',
    ),
}


def imported(folder: Path, source: str = SOURCE) -> ModuleType:
    path = folder / "shop.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")
    linecache.checkcache(str(path))
    module = ModuleType("shop")
    module.__file__ = str(path)
    sys.modules["shop"] = module
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def said(call: Callable[[Any], object], shop: ModuleType, folder: Path) -> Failing:
    try:
        call(shop)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return failing(error, folder, folder)
    pytest.fail("it did not fail")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("place", ["", "src", "deep/down"])
@pytest.mark.parametrize("above", ["", "# a line\n\nx = 1\n"])
def test_a_failure_is_called_the_same_wherever_its_source_lies(
    tmp_path: Path, case: str, place: str, above: str
) -> None:
    call, kind, statement = CASES[case]
    found = said(call, imported(tmp_path / place, above + SOURCE), tmp_path)
    test, _, source = found.statement.partition(" & ")
    assert found.kind == kind
    assert (source if test.startswith("test_failing.py") else found.statement) == statement


def test_an_installed_copy_of_the_project_is_the_projects(tmp_path: Path) -> None:
    imported(tmp_path / "src")
    shop = imported(tmp_path / "env" / "lib" / "site-packages")
    found = said(lambda shop: shop.check(1, 2), shop, tmp_path)
    assert found.statement.startswith("shop.py::check assert")
    assert found.file == "src/shop.py"


def test_somebody_elses_package_is_not(tmp_path: Path) -> None:
    shop = imported(tmp_path / "env" / "lib" / "site-packages")
    assert said(lambda shop: shop.check(1, 2), shop, tmp_path).statement.startswith(
        "tests/ground/test_failing.py" if (Path(__file__).parent / "__init__.py").exists() else "test_failing.py"
    )


def test_a_type_is_named_by_its_package_and_its_own_name(tmp_path: Path) -> None:
    shop = imported(tmp_path)
    assert kind_of(shop.Refused) == "shop.Refused"
    assert kind_of(pytest.fail.Exception) == "Failed"
    assert kind_of(type("Loose", (Exception,), {"__module__": "nowhere.at.all"})) == "nowhere.Loose"


def test_an_exception_whose_text_fails_is_still_told(tmp_path: Path) -> None:
    found = said(lambda shop: shop.unsaid(), imported(tmp_path), tmp_path)
    assert found.message == "<its text cannot be had: OSError>"


def test_where_no_code_of_the_project_was_met_the_function_that_was_called_is_named() -> None:
    with pytest.raises(ValueError, match="json") as raised:
        raise ValueError("json")
    raised.value.__traceback__ = None
    assert failing(raised.value, Path("/"), Path("/"))[:5] == ("ValueError", "json", "ValueError", "", "")


def test_code_that_was_compiled_elsewhere_is_looked_up_where_it_lies(tmp_path: Path) -> None:
    shop = imported(tmp_path)
    exec(compile(SOURCE, "/moved/since/shop.py", "exec"), shop.__dict__)
    assert said(lambda shop: shop.check(1, 2), shop, tmp_path).file == "shop.py"


@pytest.mark.parametrize(
    ("lines", "line", "text"),
    [
        ("if x: y()\n", 1, "if x:y()"),
        ("a = 1; b(2)  # both\n", 1, "a=1;b(2)"),
        ("with a() as b, \\\n        c():\n    pass\n", 2, "with a()as b,c():"),
        ("x = {\n  'a  b': [1,\n 2]}\n", 3, "x={'a  b':[1,2]}"),
        ('x = """\n  a\n"""\ny = 1\n', 2, 'x="""\n  a\n"""'),
        ("assert not x", 1, "assert not x"),
        ("return (yield)\n", 1, "return(yield)"),
        ("f(\n    'it''s',\n    # a ' in a comment\n    \"#\")\n", 4, "f('it''s',\"#\")"),
        ("x = f\"{'('}\" + f'{{(' + f'{a[\"(\"]:>{w}}' \nassert x\n", 2, "assert x"),
        ('x = f"{"("}"\nassert x\n', 2, "assert x"),  # since Python 3.12
        ("x = it's (\nassert x\n", 2, "assert x"),  # it is no Python: what comes after is read all the same
        ("x = (\n  1\ndef f():\n  pass\n", 4, "pass"),
        ("a = 1\n", 7, ""),
        ("", 1, ""),
    ],
)
def test_a_logical_line_is_one_statement_whatever_its_layout(lines: str, line: int, text: str) -> None:
    assert statement(lines.splitlines(keepends=True), line, "") == text


def test_the_second_of_two_equal_statements_is_another_one() -> None:
    source = "def f():\n    assert x\n\ndef g():\n    assert x\n    y()\n    assert  x  # again\n".splitlines(
        keepends=True
    )
    assert [statement(source, line, name) for line, name in ((2, "f"), (5, "g"), (7, "g"))] == [
        "assert x",
        "assert x",
        "assert x #2",
    ]


class HollowError(Exception):
    @property
    def failures(self) -> object:
        raise OSError

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


class NowhereError(Exception):
    __module__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("kind", [HollowError, NowhereError])
def test_an_exception_that_cannot_be_looked_at_is_told_by_its_name(kind: type[Exception]) -> None:
    try:
        raise kind
    except kind as error:
        found = failing(error, Path("/"), Path("/"))
    assert found.exception.rpartition(".")[2] == kind.__name__


def test_functions_that_look_at_files_may_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = imported(tmp_path)

    def no(*_: object, **__: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        for name in ("os.stat", "builtins.open", "os.open", "os.path.isfile"):
            patched.setattr(name, no)
        found = said(lambda shop: shop.check(1, 2), shop, tmp_path)
    assert found.statement == 'shop.py::check assert left==right,("they differ")'


def test_all_failing_examples_of_a_doctest_tell_it() -> None:
    import doctest

    from _pytest.doctest import MultipleDoctestFailures

    examples = [doctest.Example(f"{number}\n", "0\n", lineno=number) for number in (1, 2)]
    test = doctest.DocTest(examples, {}, "shop.price", "/nowhere/shop.py", 3, None)
    failures = [doctest.DocTestFailure(test, example, "got") for example in examples]
    found = failing(MultipleDoctestFailures(failures), Path("/nowhere"), Path("/nowhere"))
    assert (found.statement, found.line) == ("shop.py::price 1 & shop.py::price 2", 5)


def test_layout_makes_no_difference() -> None:
    wide = ["assert total(cart, tax) == price\n"]
    tall = ["assert total(\n", "    cart,\n", "    tax\n", ") == price\n"]
    assert {statement(tall, line, "") for line in (1, 2, 3, 4)} == {statement(wide, 1, "")}


def test_a_very_long_statement_is_cut_and_still_told_from_others() -> None:
    one, other = (statement([f"x = '{'y' * 2 * LONGEST}{end}'\n"], 1, "") for end in "ab")
    assert one != other
    assert len(one) == LONGEST + 17


def test_a_function_is_named_after_its_file() -> None:
    assert scope("/nowhere/a.py", "<module>") == "a.py"
    assert scope("/nowhere/a.py", "A.f.<locals>.<lambda>") == "a.py::A.f"
