"""Values out of a file that anybody may have written: each is what it should be, or an error."""

import math
import re
from datetime import datetime

MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)
"""What Python raises where a value is not as a hunt writes it."""
MOST_TEXT = 100_000
"""Characters of a name, or of a few words."""


def text(told: object, most: int = MOST_TEXT) -> str:
    """Give a text of at most so many characters."""
    if not isinstance(told, str) or len(told) > most:
        raise TypeError("a text is expected")
    return told


def uid(told: object) -> str:
    """Give which hunt it is, as 32 hexadecimal digits: files are named after it."""
    if not re.fullmatch(r"[0-9a-f]{32}", text(told)):
        raise ValueError("its hunt has no id")
    return text(told)


def moment(told: object) -> str:
    """Give when something was, in ISO 8601, as it is written."""
    datetime.fromisoformat(text(told))
    return text(told)


def texts(told: object) -> dict[str, str]:
    """Give names with their texts."""
    if not isinstance(told, dict):
        raise TypeError("names with texts are expected")
    return {text(name): text(said) for name, said in told.items()}


def several(told: object) -> tuple[str, ...]:
    """Give texts."""
    if not isinstance(told, list):
        raise TypeError("texts are expected")
    return tuple(text(one) for one in told)


def number(told: object) -> int:
    """Give a number, 0 or more."""
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told < 2**53:
        raise TypeError("a number is expected, 0 or more")
    return told


def seconds(told: object) -> float:
    """Give seconds, 0 or more."""
    if not isinstance(told, int | float) or isinstance(told, bool) or not math.isfinite(told) or told < 0:
        raise TypeError("seconds are expected, 0 or more")
    return float(told)
