"""The statement that a line of source belongs to, in a form that layout does not change."""

import hashlib
import re
from collections.abc import Sequence

TOKEN = re.compile(
    r"(?P<text>[rbuf]{0,2}(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))"
    r"|(?P<comment>#[^\n]*)|(?P<opens>[(\[{])|(?P<closes>[)\]}])|(?P<joins>\\\n)|(?P<ends>\n)",
    re.DOTALL | re.IGNORECASE,
)
"""What decides where a logical line ends; anything else is between two of these."""
LOOSE = re.compile(r"(?<=\W)\s+|\s+(?=\W|$)")
"""White space that separates no two words."""
HELD = "\0"
"""Stands for a string, whose own white space matters."""
LONGEST = 300
"""Characters of a statement that are kept as they are."""


def logical_line(lines: Sequence[str], line: int, first: int = 1) -> str:
    r"""Give the logical line that a physical one belongs to: one statement, or the head of a compound one.

    Comments are left out, and white space is kept within strings and between
    words alone. A very long one is cut, with a digest of all of it.

    Args:
        lines: of the file, each with its end.
        line: the physical one, from 1.
        first: one on which a statement begins, from 1 to ``line``: nothing
            before it is looked at.

    >>> logical_line(["a = 1\n", "assert total(  # of all\n", "    'x  y', a) == 3\n"], 3)
    "assert total('x  y',a)==3"
    """
    source = "".join(lines[first - 1 :])
    pieces: list[str] = []
    texts: list[str] = []
    at, depth, reached = 0, 0, first
    for token in TOKEN.finditer(source):
        pieces.append(source[at : token.start()])
        at = token.end()
        depth += (token.lastgroup == "opens") - (token.lastgroup == "closes")
        if token.lastgroup == "ends" and depth <= 0:
            if reached >= line:
                break
            pieces, texts, depth = [], [], 0
        elif token.lastgroup == "text":
            pieces.append(HELD)
            texts.append(token[0])
        else:
            pieces.append(token[0] if token.lastgroup in {"opens", "closes"} else " ")
        reached += token[0].count("\n")
    else:
        pieces.append(source[at:])
    if reached < line:
        return ""
    words = LOOSE.sub("", " ".join("".join(pieces).split()))
    held = iter(texts)
    return _cut("".join(next(held) if letter == HELD else letter for letter in words))


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{text[:LONGEST]}…{digest}"
