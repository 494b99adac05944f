"""The statement that a line of source belongs to, in a form that layout does not change."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

TOKEN = re.compile(
    r"(?P<quoted>(?P<prefix>[a-z]{0,2})(?P<quote>\"{3}|'{3}|\"|'))"
    r"|(?P<comment>#[^\n]*)|(?P<opens>[(\[{])|(?P<closes>[)\]}])|(?P<joins>\\\n)|(?P<ends>\n)",
    re.IGNORECASE,
)
"""What decides where a logical line ends; anything else is between two of these."""
NEVER_WITHIN = re.compile(r"[ \t]*(?:(?:def|class|return|raise|assert|import|del|pass)\b|@)")
"""What begins no line within brackets: there a bracket was counted that is none."""
LOOSE = re.compile(r"(?<=\W)\s+|\s+(?=\W|$)")
"""White space that separates no two words."""
LONGEST = 300
"""Characters of a statement that are kept as they are."""
HELD = "\0"
"""Stands for a string, whose own white space matters."""


class LogicalLine(NamedTuple):
    """One statement, or the head of a compound one."""

    first: int
    last: int
    """Its physical lines, from 1."""
    text: str


def statement(lines: Sequence[str], line: int, function: str) -> str:
    r"""Give the statement that a line of a function belongs to.

    Where the function has had the same one before, its number among them
    stands after it: ``assert found #2``. A very long one is cut, with a
    digest of all of it.

    Args:
        lines: of the file, each with its end.
        line: the physical one, from 1.
        function: the name of the innermost function or class that has one;
            empty for a module's own code.

    >>> statement(["a = 1\n", "assert total(  # of all\n", "    'x  y', a) == 3\n"], 3, "")
    "assert total('x  y',a)==3"
    """
    before = 0
    text = ""
    seen: dict[str, int] = {}
    for found in logical_lines(lines, _begin(lines, line, function)):
        if found.last >= line:
            text, before = found.text, seen.get(found.text, 0)
            break
        seen[found.text] = seen.get(found.text, 0) + 1
    return _cut(text) + (f" #{before + 1}" if before else "")


def _begin(lines: Sequence[str], line: int, function: str) -> int:
    """Give the line on which a function is defined, going back from one of its own."""
    if function:
        defined = re.compile(rf"\s*(?:async\s+)?(?:def|class)\s+{re.escape(function)}\b")
        for number in range(min(line, len(lines)), 0, -1):
            if defined.match(lines[number - 1]):
                return number
    return 1


def logical_lines(lines: Sequence[str], first: int = 1) -> Iterator[LogicalLine]:
    """Yield logical lines; comments are left out, and white space is kept within strings and between words alone.

    Args:
        lines: of the file, each with its end.
        first: one on which a statement begins, from 1: nothing before it is looked at.
    """
    source = "".join(lines[first - 1 :])
    pieces: list[str] = []
    texts: list[str] = []
    at, depth, begun, reached = 0, 0, first, first
    while token := TOKEN.search(source, at):
        pieces.append(source[at : token.start()])
        at = token.end()
        kind = token.lastgroup
        if kind == "quoted":
            at = _closed(source, token)
            texts.append(source[token.start() : at])
            pieces.append(HELD)
        else:
            depth += (kind == "opens") - (kind == "closes")
            pieces.append(token[0] if kind in {"opens", "closes"} else " ")
        reached += source.count("\n", token.start(), at)
        if kind == "ends" and (depth <= 0 or NEVER_WITHIN.match(source, at)):
            if text := _normal(pieces, texts):
                yield LogicalLine(begun, reached - 1, text)
            pieces, texts, depth, begun = [], [], 0, reached
    pieces.append(source[at:])
    if text := _normal(pieces, texts):
        yield LogicalLine(begun, reached, text)


def _normal(pieces: Sequence[str], texts: Sequence[str]) -> str:
    words = LOOSE.sub("", " ".join("".join(pieces).split()))
    held = iter(texts)
    return "".join(next(held) if letter == HELD else letter for letter in words)


def _closed(source: str, opening: re.Match[str]) -> int:
    """Give where a string ends; in fields of an f-string there may be others, since Python 3.12 in the same quotes."""
    quote, at, fields = opening["quote"], opening.end(), 0
    formatted = "f" in opening["prefix"].lower()
    while at < len(source):
        if not fields and source.startswith(quote, at):
            return at + len(quote)
        letter = source[at]
        if letter == "\n" and len(quote) == 1:
            return at  # it is none: the line goes on as it is
        if letter == "\\" or (formatted and not fields and source[at : at + 2] in {"{{", "}}"}):
            at += 2
        elif formatted and fields and letter in "'\"" and (inner := TOKEN.match(source, at)):
            at = _closed(source, inner)
        else:
            fields += formatted and ((letter == "{") - (letter == "}" and fields > 0))
            at += 1
    return at


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{text[:LONGEST]}…{digest}"
