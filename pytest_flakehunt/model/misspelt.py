"""What a misspelt word may have meant."""

import difflib
from collections.abc import Iterable

ALIKE = 0.7
"""How alike two words must be, from 0 to 1: ``ordr`` and ``order`` are by 0.89, ``colour`` and ``cores`` by 0.55."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that is most like one; empty where none is.

    >>> nearest("ordr", ["cores", "order"]), nearest("colour", ["cores", "order"])
    ('order', '')
    """
    return next(iter(difflib.get_close_matches(word, list(known), 1, ALIKE)), "")


def hint(word: str, known: Iterable[str]) -> str:
    """Ask whether another word was meant, to stand within a message; empty where none is like it.

    >>> hint("ordr", ["cores", "order"])
    ' (did you mean order?)'
    """
    meant = nearest(word, known)
    return f" (did you mean {meant}?)" if meant else ""
