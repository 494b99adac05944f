"""What a quarantine file says of one test, without reading all of it anew in every process."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_flakehunt.quarantine import QuarantineError, node_ids
from pytest_flakehunt.quarantine.texts import HEADER, text_of

if TYPE_CHECKING:
    from pytest_flakehunt.model import Entry, Limits, Quarantine, Released

PLAIN = re.compile(r"[\w./:\[\]()+=,@ -]+", re.ASCII)
"""Node ids that TOML has no two ways to write; others are looked for in all of the file."""
NUMBERED = ("\\u", "\\U", "\\x")
"""With which letters begin that are written by their number."""
HARD = (*NUMBERED, '"' * 3, "'" * 3)
"""What makes pieces hard to tell: a header may stand within a text, and a name in two ways."""
SKIP = "skip"


class QuarantineFile:
    """A file as it was when a run began.

    Text that is known to be right is looked at piece by piece: a piece is a
    table with what belongs to it. Nothing at all is looked at until a test
    that the text names has failed.
    """

    def __init__(self, path: Path, trusted: str = "") -> None:
        """Read the text.

        Args:
            path: of the file.
            trusted: the digest of a text that is known to be right.

        Raises:
            QuarantineError: it cannot be read.
        """
        self.path = path
        self.text = text_of(path)
        self.digest = hashlib.blake2b(self.text.encode("utf-8"), digest_size=16).hexdigest()
        self.right = self.digest == trusted
        self.plain = self.right and not self._contains(HARD)
        """Whether what is right of it can be told from its pieces."""
        self._whole: Quarantine | None = None

    def whole(self) -> "Quarantine":
        """Give all that it says.

        Raises:
            QuarantineError: it is wrong.
        """
        if self._whole is None:
            from pytest_flakehunt.quarantine.reading import parse

            self._whole = parse(self.text, self.path.name)
            self.right = True
            tables = len(self._whole.entries) + len(self._whole.released)
            self.plain = len(HEADER.findall(self.text)) == tables and not self._contains(HARD)
        return self._whole

    @property
    def read(self) -> bool:
        """Whether all of it was read."""
        return self._whole is not None

    @property
    def skips(self) -> bool:
        """Whether some tests are not to be run."""
        return SKIP in self.text or self._contains(NUMBERED)

    def names(self, test: str) -> bool:
        """Tell whether the text may name a test, given its node id from the configuration's folder on."""
        name, _ = node_ids.split(test)
        return name in self.text or not PLAIN.fullmatch(name) or self._contains(NUMBERED)

    def _contains(self, marks: Iterable[str]) -> bool:
        return any(mark in self.text for mark in marks)

    def changed(self) -> bool:
        """Tell whether it is another one by now."""
        try:
            return text_of(self.path) != self.text
        except QuarantineError:
            return True

    def of(self, test: str) -> "tuple[list[Entry], list[Released], Limits]":
        """Give what concerns one test: its entries, its releases, and the limits.

        Args:
            test: its node id, from the configuration's folder on.

        Raises:
            QuarantineError: the file is wrong.
        """
        name, _ = node_ids.split(test)
        said = self._pieces(re.escape(name)) if PLAIN.fullmatch(name) else self.whole()
        return (
            [entry for entry in said.entries if node_ids.fits(entry.test, test)],
            [item for item in said.released if node_ids.fits(item.test, test)],
            said.limits,
        )

    def skipping(self) -> "Quarantine":
        """Give the entries of tests that are not to be run, among others.

        Raises:
            QuarantineError: the file is wrong.
        """
        return self._pieces(SKIP)

    def limits(self) -> "Limits":
        """Give how much may be excused.

        Raises:
            QuarantineError: the file is wrong.
        """
        return self._pieces("(?!)").limits

    def _pieces(self, pattern: str) -> "Quarantine":
        """Give what the tables say in which an expression is found; at least that."""
        if self._whole is not None or not self.plain:
            return self.whole()
        import tomllib

        from pytest_flakehunt.model import Limits
        from pytest_flakehunt.quarantine.reading import VERSION, parse

        first = HEADER.search(self.text)
        head = tomllib.loads(self.text[: first.start()] if first else self.text)
        limits = [f"{key} = {value}" for key, value in head.items() if key in Limits.__slots__]
        tables = self._around(pattern)
        return parse("\n".join([f"version = {VERSION}", *limits, *tables]), self.path.name)

    def _around(self, pattern: str) -> Iterator[str]:
        """Yield the tables, each once, in which an expression is found."""
        end = 0
        for match in re.finditer(pattern, self.text):
            if match.start() < end:
                continue
            begin = match.start()
            while (begin := self.text.rfind("[[", 0, begin)) >= 0 and not self._header(begin):
                pass
            if begin >= 0:
                following = HEADER.search(self.text, match.end())
                end = following.start() if following else len(self.text)
                yield self.text[begin:end]

    def _header(self, at: int) -> bool:
        line = self.text.rfind("\n", 0, at) + 1
        return not self.text[line:at].strip() and HEADER.match(self.text, line) is not None
