"""What stands on a terminal: sentences, wrapped between words and never within a quotation; and lines as they are."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
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


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one style, however many: nothing is ever wrapped or cut, so that commands can be copied."""

    text: str
    indent: str = "  "
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Give what is written, to rich."""
        del options
        style = console.get_style(self.style) if self.style else None
        for line in self.text.split("\n"):
            yield Segment(self.indent + line, style)
            yield Segment.line()


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
    last = {sign: text.rfind(sign) for sign in PAIRS.values()}
    for place, sign in enumerate(text):
        if closing:
            closing = "" if sign == closing else closing
        elif sign in PAIRS and last[PAIRS[sign]] > place:
            closing = PAIRS[sign]
        elif sign == " ":
            yield begin, place
            begin = place + 1
    yield begin, len(text)
