"""Small things that every report writes alike."""

import hashlib
import re

from pytest_flakehunt.model import Count, Interval

COMMAND = re.compile(r"^([ \t]*):(?=:)|#(?=#(?:\[|vso\[|teamcity\[))", re.MULTILINE)
"""What a CI service takes for a command when it stands in a log."""


def number(count: int, noun: str) -> str:
    """Count things.

    >>> number(1, "sweep"), number(2, "sweep")
    ('1 sweep', '2 sweeps')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(share: float) -> str:
    """Write a share with two digits that matter.

    >>> percent(0.0036816), percent(0.155), percent(1.0)
    ('0.37 %', '16 %', '100 %')
    """
    hundredths = 100 * share
    return f"{hundredths:.0f} %" if hundredths >= 10 else f"{hundredths:.2g} %"


def clean(text: str) -> str:
    """Take out what a terminal would obey: escape sequences and control characters.

    >>> clean(f"a{chr(27)}[31mb")
    'a?[31mb'
    """
    return "\n".join(line if line.isprintable() else _printable(line) for line in text.split("\n"))


def _printable(line: str) -> str:
    return "".join(letter if letter == "\t" or letter.isprintable() else "?" for letter in line)


def harmless(text: str) -> str:
    r"""Break what a CI service would obey where a text stands in its log.

    >>> print(harmless("ok\n  ::stop-commands::x, ##vso[task.complete] ##[error] ##teamcity[x]"))
    ok
      ?:stop-commands::x, ?#vso[task.complete] ?#[error] ?#teamcity[x]
    """
    return COMMAND.sub(lambda match: f"{match[1] or ''}?", text)


def harmless_json(text: str) -> str:
    r"""Do the same in a text of JSON, which is read back as it was.

    >>> print(harmless_json('{"owner": "##vso[task.complete]"}'))
    {"owner": "\u0023#vso[task.complete]"}
    """
    return COMMAND.sub(lambda match: match[0].replace("#", "\\u0023"), text)


def safe(text: str) -> str:
    """Give a text of whatever origin as it may stand on a terminal, and in the log of a CI service."""
    return harmless(clean(text))


def digest_of(*parts: str) -> str:
    """Give 32 digits by which a service knows something again."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def between(interval: Interval) -> str:
    """Say how often something happens.

    >>> between(Interval(0.066, 0.149))
    '6.6 % to 15 % of the time, 95 %'
    """
    return f"{percent(interval.low)} to {percent(interval.high)} of the time, 95 %"


def bound(total: Count, rate: Interval) -> str:
    """Say what a test that never failed excludes.

    >>> bound(Count(1000, 0), Interval(0.0, 0.00368))
    '0 of 1000; fails less than 0.37 % of the time (95 %)'
    """
    if not total.runs:
        return "no attempt ran to a result"
    return f"0 of {total.runs}; fails less than {percent(rate.high)} of the time (95 %)"
