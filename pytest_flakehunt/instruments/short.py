"""Short texts of values for comparison: of Python's own types only, and no code of the project is run for one."""

import datetime
import re
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from pytest_flakehunt.ground import scratch

LONGEST = 60
"""Characters of a string, or bytes, whose content is told: of a longer one its length is, and no half of a secret."""
LONGEST_TEXT = 200
"""The same of the text of a container."""
MOST_ITEMS = 8
"""Items of a container that are told."""
MOST_BITS = 256
DEEPEST = 2
"""Levels of containers within each other."""
ENDS = 2000
"""Characters at each end of a long string that are compared."""
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
"""Differs from run to run by nature."""
FOREIGN = "…"
"""Stands for a value of the project's own types, which is not looked at."""
_ZONES = frozenset({type(None), datetime.timezone, ZoneInfo})
_Date, _Datetime, _Time, _Timedelta = datetime.date, datetime.datetime, datetime.time, datetime.timedelta
# as written in C, whatever a class derived from these says
_zone, _ancestors = vars(datetime.datetime)["tzinfo"].__get__, vars(type)["__mro__"].__get__


def short(value: object) -> str | None:
    """Give a value as a short text; None where it is of no type that can be told.

    >>> short({"day": 29, "names": ["a", b"b"], "of": object()})
    "{'day': 29, 'names': ['a', b'b'], 'of': …}"
    >>> short("x" * 1000), short(object())
    ('<1000 characters, crc 2908657a>', None)
    """
    text = _short(value, 0)
    if text is None or len(text) <= LONGEST_TEXT:
        return text
    return f"<{type(value).__name__} of {len(value)}, crc {crc32(text.encode()):08x}>"  # type: ignore[arg-type]


def _short(value: Any, depth: int) -> str | None:
    kind = type(value)
    if (write := _SCALARS.get(kind)) is not None:
        return write(value)
    if kind in _BRACKETS:
        return _container(value, kind, depth) if depth < DEEPEST else FOREIGN
    if kind is dict:
        return _mapping(value, depth) if depth < DEEPEST else FOREIGN
    return _moment(value, kind)


def _int(value: int) -> str:
    return repr(value) if value.bit_length() <= MOST_BITS else f"<{value.bit_length()} bits>"


def _text(value: str) -> str:
    if len(value) <= ENDS:
        value = scratch.alike(value)
    if len(value) > LONGEST:
        ends = f"{value[:ENDS]}{value[-ENDS:]}".encode("utf-8", "surrogatepass")
        return f"<{len(value)} characters, crc {crc32(ends):08x}>"
    return repr(ADDRESS.sub("0x…", value))


def _bytes(value: bytes) -> str:
    if len(value) > LONGEST:
        return f"<{len(value)} bytes, crc {crc32(value[:ENDS] + value[-ENDS:]):08x}>"
    return repr(value)


_SCALARS: dict[type, Callable[[Any], str]] = {
    type(None): repr, bool: repr, int: _int, float: repr, complex: repr, str: _text, bytes: _bytes, _Timedelta: str,
}  # fmt: skip
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), frozenset: ("{", "}"),
}  # fmt: skip


def _container(value: Collection[object], kind: type, depth: int) -> str:
    items = [_short(item, depth + 1) or FOREIGN for item in islice(value, MOST_ITEMS)]
    size = len(value)
    if size > len(items):
        return f"<{kind.__name__} of {size}>"
    opens, closes = _BRACKETS[kind]
    return f"{opens}{', '.join(sorted(items) if opens == '{' else items)}{closes}"


def _mapping(value: dict[object, object], depth: int) -> str:
    items = [
        f"{_short(key, depth + 1) or FOREIGN}: {_short(held, depth + 1) or FOREIGN}"
        for key, held in islice(value.items(), MOST_ITEMS)
    ]
    return f"<dict of {len(value)}>" if len(value) > len(items) else f"{{{', '.join(items)}}}"


def _moment(value: Any, kind: type) -> str | None:
    """Give a date or a time, also of a class that a clock's stand-in derives from them."""
    ancestors = _ancestors(kind)
    if _Datetime in ancestors:
        return _Datetime.isoformat(value, " ") if type(_zone(value)) in _ZONES else None
    if _Date in ancestors:
        return _Date.isoformat(value)
    return _Time.isoformat(value) if kind is _Time and type(value.tzinfo) in _ZONES else None
