"""Reading of the command line, with a word for what is misspelt."""

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from pytest_flakehunt.model import misspelt

OPTION = re.compile(r"--([a-z][a-z-]*)")
CHOICE = re.compile(r".*: invalid choice: '(?P<word>[^']*)' \(choose from (?P<known>.*)\)")
"""How argparse refuses a word that is none of several; were it to say so in other words, no other would be named."""


class Parser(argparse.ArgumentParser):
    """A parser that names the word nearest to one that it does not know."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Refuse here what a command does not know, rather than in the parser of all commands."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            named = OPTION.match(unknown[0])
            meant = misspelt.nearest(named[1], OPTION.findall(self.format_usage())) if named else ""
            hint = f" (did you mean --{meant}?)" if meant else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return known, unknown

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and how to call the command."""
        refused = CHOICE.fullmatch(message)
        hint = misspelt.hint(refused["word"], re.findall(r"[\w-]+", refused["known"])) if refused else ""
        super().error(f"{message}{hint}")
