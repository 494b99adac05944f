"""The pages about the command line: each command from the parser, each refusal from the code that says it."""

import argparse
import ast
import builtins
import contextlib
import importlib
import io
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1] / "pytest_flakehunt"


def commands() -> str:
    """Describe every command, from the parser."""
    from pytest_flakehunt.cli.main import parser

    reads = parser()
    parts = ["# Commands", str(reads.description), INTRODUCTION]
    parts += [section for found in _inner(reads) for section in _sections(*found)]
    return "\n\n".join([*parts, ""])


INTRODUCTION = """`python -m pytest_flakehunt` is the same as `flakehunt`. What follows ` -- ` is given to pytest, by the commands that start it. `--help` after any command says what stands here. See [exit statuses](exit-statuses.md) and
[messages](messages.md).

With `pip install 'pytest-flakehunt[completion]'` and `eval "$(register-python-argcomplete flakehunt)"` in its start-up file, a shell completes commands and options."""


EXAMPLES = {
    "report": ["flakehunt report --hunt 12 --html hunt.html", "flakehunt report report.json --annotate github"],
    "show": ["flakehunt show test_warranty", "flakehunt show tests/test_shop.py::test_warranty report.json"],
    "history": ["flakehunt history test_warranty"],
    "compare": ["flakehunt compare main.json branch.json", "flakehunt compare v1.2 HEAD --fail-on new,worse"],
    "bisect": ["flakehunt bisect 'tests/test_shop.py::test_warranty' v1.2 HEAD"],
    "diagnose": ["flakehunt diagnose --hunt 12 -- --flakehunt-diagnose=2000 tests"],
    "quarantine list": ["flakehunt quarantine list --markdown"],
    "quarantine check": ["flakehunt quarantine check --base origin/main"],
    "quarantine release": ["flakehunt quarantine release --from-commits origin/main..HEAD"],
    "quarantine add": ["flakehunt quarantine add 'tests/test_shop.py::test_warranty' --owner @shop-team"],
    "quarantine remove": ["flakehunt quarantine remove 'tests/test_shop.py::test_warranty'"],
    "plan": [
        "flakehunt plan hashseed=7 latency=500ms",
        "flakehunt plan hashseed=7 latency=500ms --without hashseed",
        "flakehunt plan hashseed=7 latency=500ms --simpler latency",
    ],
    "prune": ["flakehunt prune --keep 20", "flakehunt prune --older-than 90d --yes"],
    "doctor": ["flakehunt doctor", "flakehunt doctor -- -n4 tests/integration"],
}
"""What is shown of each command."""
RUN = {"plan"}
"""Commands whose examples are run here: they read nothing of this machine."""


def _inner(reads: argparse.ArgumentParser) -> list[tuple[str, str, argparse.ArgumentParser]]:
    """Give the commands of a parser: name and help of each."""
    groups = [action for action in reads._actions if isinstance(action, argparse._SubParsersAction)]
    return [
        (listed.dest, listed.help or "", group.choices[listed.dest])
        for group in groups
        for listed in group._choices_actions
    ]


def _sections(name: str, said: str, reads: argparse.ArgumentParser, depth: str = "##") -> Iterator[str]:
    """Describe a command, and those within it."""
    yield f"{depth} flakehunt {name}"
    inner = _inner(reads)
    actions = [action for action in reads._actions if action.help != argparse.SUPPRESS and action.dest != "help"]
    if not inner:
        words = [_positional(action) for action in actions if not action.option_strings]
        options = ["[OPTIONS]"] if any(action.option_strings for action in actions) else []
        yield f"```text\n{' '.join(['flakehunt', name, *words, *options])}\n```"
    yield reads.description or f"{said[:1].upper()}{said[1:]}."
    if actions and not inner:
        rows = [f"| {_shown(action)} | {(action.help or '').replace('|', chr(92) + '|')} |" for action in actions]
        yield "\n".join(["| argument | what it means |", "|---|---|", *rows])
    if name in EXAMPLES:
        shown = [f"$ {line}\n{_output(line)}" if name in RUN else f"$ {line}\n" for line in EXAMPLES[name]]
        yield f"```console\n{''.join(shown)}```"
    for word, text, command in inner:
        yield from _sections(f"{name} {word}", text, command, f"{depth}#")


def _output(line: str) -> str:
    """Give what a command writes."""
    from pytest_flakehunt.cli.main import main

    with contextlib.redirect_stdout(io.StringIO()) as written:
        assert main(line.split()[1:]) == 0
    return written.getvalue()


def _positional(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest)
    return {None: name, "?": f"[{name}]", "*": f"[{name}…]", "+": f"{name}…"}[action.nargs]


def _shown(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{_positional(action)}`"
    value = ""
    if action.nargs != 0:
        choices = "{" + ",".join(map(str, action.choices or ())) + "}"
        value = f" {action.metavar or (choices if action.choices else action.dest.upper())}"
    return ", ".join(f"`{option}{value}`" for option in action.option_strings)


REFUSALS = {
    "Refused",
    "UsageError",
    "SettingError",
    "LedgerError",
    "QuarantineError",
    "DocumentError",
    "ArgumentTypeError",
    "Unreachable",
}
"""What a refusal is raised as."""
ROOMS = {
    "cli": "The command `flakehunt`",
    "asked": "Options of pytest",
    "sessions": "Options, once suite and machine are known; what `flakehunt doctor` finds wrong",
    "machines": "Other machines, after `--tx=…: `",
    "model": "Plans",
    "perturbations": "Settings",
    "ledger": "The ledger",
    "quarantine": "The quarantine file",
    "reports": "JSON reports that are read",
}
"""Where refusals are raised, and what they are about."""


def messages() -> str:
    """List every refusal, from the code that raises it."""
    parts = ["# Messages", HEAD]
    for room, title in ROOMS.items():
        found = dict.fromkeys(text for path in sorted((PACKAGE / room).rglob("*.py")) for text in refusals(path))
        parts.append(f"## {title}\n\n```text\n{chr(10).join(found)}\n```")
    return "\n\n".join([*parts, ""])


HEAD = """All refusals, as they are written: `{…}` stands for what differs. Each names what was given, what is allowed, and what to do. A command writes `flakehunt: ` before it, and its exit status is 2;
an option that cannot be read is told by argparse, with `argument --NAME: ` before it. In a hunt, pytest writes `ERROR: ` before it, and its exit status is 4; of a plan, `--flakehunt-plan: ` stands before it as well."""


def refusals(path: Path) -> Iterator[str]:
    """Give the texts of the refusals that a file raises; those that only pass another one on are left out."""
    dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    reader = _Reader(vars(importlib.import_module(dotted)))
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        reader.assigned = _assigned(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and node.args:
                texts = reader.texts(node.args[0]) if _refuses(node.func) else []
                yield from (text.replace("\n", " ") for text in texts if any(map(str.isalpha, _bare(text))))


def _refuses(called: ast.expr) -> bool:
    """Tell whether what is called makes a refusal, or takes one."""
    match called:
        case ast.Attribute(ast.Attribute(_, "wrong"), "append"):
            return True
        case ast.Attribute(_, name) | ast.Name(name):
            return name in REFUSALS
    return False


def _bare(text: str) -> str:
    """Give what of a text does not stand for something else."""
    return "".join(part.partition("}")[2] if at else part for at, part in enumerate(text.split("{")))


def _assigned(function: ast.FunctionDef) -> dict[str, ast.expr]:
    """Give the names that a function gives to one text, and the expressions of those."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return {
        name: values[0]
        for name, values in found.items()
        if len(values) == 1 and isinstance(values[0], (ast.IfExp, ast.JoinedStr))
    }


class _Reader:
    """Tells which texts an expression can have."""

    def __init__(self, module: Mapping[str, Any]) -> None:
        self.module = module
        self.assigned: dict[str, ast.expr] = {}

    def texts(self, node: ast.expr) -> list[str]:  # noqa: PLR0911 - a case for each kind of expression
        match node:
            case ast.Constant(str(text)):
                return [text]
            case ast.JoinedStr(parts):
                return ["".join(some) for some in product(*map(self.texts, parts))]
            case ast.FormattedValue(value, conversion):
                quoted = conversion == ord("r")
                return [repr(text) if quoted and not text.startswith("{") else text for text in self.texts(value)]
            case ast.BinOp(left, ast.Add(), right):
                return ["".join(some) for some in product(self.texts(left), self.texts(right))]
            case ast.BinOp(left, ast.Mult(), _):
                return ["", *self.texts(left)]
            case ast.IfExp(_, body, otherwise):
                return [*self.texts(body), *self.texts(otherwise)]
            case ast.Name(name) if name in self.assigned:
                texts = self.texts(self.assigned[name])
                return texts if any(map(_bare, texts)) else [f"{{{_name(node)}}}"]
        known = self._constant(node)
        return [f"{{{_name(node)}}}" if known is None else known]

    def _constant(self, node: ast.expr) -> str | None:
        """Give the text of an expression in which all names are those of constants; None where one is not."""
        names = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        if not all(name[:1].isupper() and name in self.module for name in names):
            return None
        with contextlib.suppress(Exception):
            value = eval(compile(ast.Expression(node), "message", "eval"), dict(self.module))
            return str(value) if isinstance(value, str | int) else None
        return None


def _name(node: ast.expr) -> str:  # noqa: PLR0911 - as above
    """Name what an expression is made of."""
    match node:
        case ast.Name(name) | ast.Attribute(_, name):
            return name.strip("_").lower()
        case ast.Call(ast.Attribute(_, "join"), [inner]):
            return _name(inner)
        case ast.Call(ast.Name(name), [inner, *_]) if hasattr(builtins, name):
            return _name(inner)
        case ast.Call(ast.Name(), _):
            return _name(node.func)
        case ast.Call(ast.Attribute(inner, _), _) | ast.Subscript(inner, _) | ast.Starred(inner):
            return _name(inner)
        case ast.BoolOp(_, [inner, *_]) | ast.BinOp(inner, _, _):
            return _name(inner)
        case ast.GeneratorExp(_, [first, *_]) | ast.ListComp(_, [first, *_]):
            return _name(first.iter)
    return "…"
