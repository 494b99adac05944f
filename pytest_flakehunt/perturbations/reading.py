"""Reading the written form of simple settings, with one wording for every refusal."""

import re

from pytest_flakehunt.model import SettingError

SEED_LIMIT = 2**32 - 1


def whole(name: str, text: str, lowest: int, highest: int) -> int:
    """Read a whole number between two bounds, both allowed.

    >>> whole("hashseed", "7", 0, SEED_LIMIT)
    7
    """
    if re.fullmatch(r"\d{1,10}", text, re.ASCII) and lowest <= int(text) <= highest:
        return int(text)
    raise SettingError(f"{name}={text}: give a whole number from {lowest} to {highest}")


def seed(name: str, text: str) -> int:
    """Read a seed, from 0 to 4294967295."""
    return whole(name, text, 0, SEED_LIMIT)
