"""Sentences on a terminal: wrapped between words, and never within a command, a node id or a quotation."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

LEAST = 30
"""Columns below which nothing is wrapped: it would be torn to pieces."""
PAIRS = {"[": "]", "`": "`", '"': '"'}
"""What stands between these is one word."""


@dataclass(frozen=True, slots=True)
class Prose:
    """A sentence, or a few."""

    text: Text
    indent: str = ""

    def within(self, width: int | None) -> Text:
        """Give its lines, those after the first indented further.

        Args:
            width: columns of the terminal; None where it is not read on one: then each line stays whole.
        """
        lines = self.text.split("\n", allow_blank=True)
        further = self.indent + "  "
        if width is None or width < LEAST:
            return Text("\n").join(Text.assemble(self.indent, line) for line in lines)
        parts = []
        for line in lines:
            cuts = list(_cuts(line.plain, width - len(self.indent), width - len(further)))
            first, *rest = line.divide(cuts)
            parts += [Text.assemble(self.indent, first), *(Text.assemble(further, one) for one in rest)]
        for part in parts:
            part.rstrip()
        return Text("\n").join(parts)


def _cuts(text: str, width: int, later: int) -> Iterator[int]:
    """Yield where lines begin, from the second on."""
    start = column = 0
    for begin, end in _words(text):
        columns = cell_len(text[begin:end])
        if begin > start and column + columns > width:
            yield begin
            start, column, width = begin, 0, later
        column += cell_len(text[begin:end] + text[end : end + 1])


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each word begins and ends; blanks within brackets and quotation marks end none."""
    begin, closing = 0, ""
    for place, sign in enumerate(text):
        if closing:
            closing = "" if sign == closing else closing
        elif sign in PAIRS and PAIRS[sign] in text[place + 1 :]:
            closing = PAIRS[sign]
        elif sign == " ":
            yield begin, place
            begin = place + 1
    yield begin, len(text)
