"""Options that nobody declared, and that look like ours."""

import copy
from collections.abc import Sequence

import pytest

from pytest_flakehunt.asked.flags import NAMES, PREFIX
from pytest_flakehunt.model import misspelt

OURS = "flakehunt-"


def refuse(config: pytest.Config, parser: pytest.Parser, words: Sequence[str]) -> None:
    """Refuse a misspelt option of ours, now that plugins and conftests have declared theirs.

    Whatever is not like one of ours, pytest refuses as ever.

    Raises:
        pytest.UsageError: names the option that was meant.
    """
    given = config.known_args_namespace
    if given.help or given.version:  # are given in any case
        return
    _, unknown = parser.parse_known_and_unknown_args(words, copy.copy(config.option))
    for word in unknown:
        if word.startswith(PREFIX) and (meant := _meant(word.partition("=")[0][2:])):
            raise pytest.UsageError(f"{word}: there is no such option; did you mean --{meant}?")


def _meant(name: str) -> str:
    """Give the option that is most like a name; what all of them begin with makes none alike."""
    if not name.startswith(OURS):
        return misspelt.nearest(name, NAMES)
    meant = misspelt.nearest(name.removeprefix(OURS), [one.removeprefix(OURS) for one in NAMES])
    return f"{OURS}{meant}" if meant else ""
