"""Hiding what looks like a secret in everything that leaves the machine."""

import base64
import json
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import product
from typing import Any, TypeVar, cast
from urllib.parse import quote, quote_plus

from pytest_flakehunt.model import Count, Findings, Interval

HIDDEN = "***"
SHORTEST = 8
"""Characters that the value of a variable must have to be hidden: shorter ones are words that stand everywhere."""
LONG = 16
"""Letters from which on a single word is taken for a secret as well."""
NAMED = re.compile(
    r"PASSW(?:OR)?D|PASSPHRASE|(?:^|_)PASS(?:_|$)|PASS$|[A-Z]_PWD$|SECRET|TOKEN|(?:^|_)KEYS?\d*$|API_?KEY|CREDENTIAL|"
    r"(?:^|_)(?:CREDS|AUTH|PAT|DSN)(?:_|\d|$)",
    re.IGNORECASE,
)
"""Names of variables whose value is taken for a secret."""
PATTERNS: Mapping[str, str] = {
    "GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{22,}",
    "GitLab": r"\bgl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas|imt)-[\w-]{20,}",
    "AWS": r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{16}\b",
    "Azure storage": r"\bAccountKey=([A-Za-z0-9+/=]{40,})",
    "Google": r"\bAIza[\w-]{35}|\bya29\.[\w-]{20,}",
    "Slack": r"\bxox[abeoprs]-[\w-]{10,}|\bxapp-[\w-]{10,}|hooks\.slack\.com/services/([\w/]{20,})",
    "Stripe": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "OpenAI, Anthropic": r"\bsk-(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Z])[\w-]{20,}",
    "Hugging Face": r"\bhf_[A-Za-z0-9]{30,}",
    "PyPI": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "npm": r"\bnpm_[A-Za-z0-9]{36}",
    "Docker Hub": r"\bdckr_(?:pat|oat)_[\w-]{20,}",
    "DigitalOcean": r"\bdo[opr]_v1_[a-f0-9]{64}",
    "SendGrid": r"\bSG\.[\w-]{16,64}\.[\w-]{16,64}",
    "a JSON web token": r"\beyJ[\w-]{10,4000}\.eyJ[\w-]{10,8000}\.[\w-]*",
    "a private key": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
    "a password in an address": r"\b[A-Za-z][A-Za-z+.-]{1,20}://[^\s/:@'\"]{0,200}:(?!\d+/)([^\s'\"]{1,500})@",
    "a token in an address": r"\b[A-Za-z][A-Za-z+.-]{1,20}://((?=[\w.~-]{0,500}\d)[\w.~-]{16,500})@",
    "a header": r"(?i)\bbearer ((?=\S{0,500}\d)[\w.~+/-]{16,}=*)|\bauthorization\\{0,4}['\"]?\s{0,9}[:=]\s{0,9}"
    r"\\{0,4}['\"]?(?:basic |token )?([A-Za-z0-9+/._~-]{8,}=*)|\bx-api-key\\{0,4}['\"]?\s{0,9}[:=]\s{0,9}"
    r"\\{0,4}['\"]?([\w.~+/-]{8,})",
    "a named value": r"(?i)(?:password|passwd|passphrase|secret|token|api_?key|access_?key)\\{0,4}['\"]?\s{0,9}"
    r"[:=]\s{0,9}[bru]{0,2}\\{0,4}(?:'([^'\s]{8,})'|\"([^\"\s]{8,})\")",
    "a named value in an address": r"(?i)[?&](?:password|secret|token|access_token|api_?key|sig(?:nature)?)="
    r"([^&\s'\"]{8,})",
    "a variable that is set": r"\b[A-Z0-9_]{0,60}(?:PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|ACCESS_KEY)[A-Z0-9_]{0,60}="
    r"([^\s'\"]{8,})",
}
"""What is hidden wherever it stands, by whose it is: what groups fit, or else all."""

ESCAPED = re.compile(
    r"(?:\x1b|\\+(?:x1b|033|e))\[[0-9;]{0,20}m|\\+(?:[abfnrtv]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})|%[0-9A-Fa-f]{2}"
)
"""What is one letter, written with several: those of it would be taken for the beginning of a word."""
WORDLESS = (Enum, int, float, Count, Interval)
"""What has no text to look at: most of what a big suite's findings are made of."""
Value = TypeVar("Value")


class Redactor:
    """What hides secrets in a text."""

    def __init__(self, environ: Mapping[str, str], more: Iterable[str] = ()) -> None:
        """Look up what is secret here.

        Args:
            environ: the variables, of which those named like secrets have values that are.
            more: further patterns.
        """
        literal = sorted(set(_values(environ)), key=len, reverse=True)
        self.met: set[str] = set()
        """Values of variables that it has hidden."""
        self._patterns = [re.compile(pattern) for pattern in (*PATTERNS.values(), *more)]
        self._literal = re.compile("|".join(map(re.escape, literal))) if literal else None
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Give a text with ``***`` in the place of each secret; what no file can hold is written by its number."""
        found = self._known.get(text)
        if found is None:
            found = _covered(plain := text.encode("utf-8", "backslashreplace").decode("utf-8"), self._secret(plain))
            if len(text) < 200:
                self._known[text] = found
        return found

    def _secret(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where secrets stand: one may begin within another."""
        at = 0
        while self._literal is not None and (match := self._literal.search(text, at)) is not None:
            self.met.add(match[0])
            yield match.span()
            at = match.start() + 1
        spaced = ESCAPED.sub(lambda match: " " * len(match[0]), text)
        for told, pattern in product(dict.fromkeys((text, spaced)), self._patterns):
            for match in pattern.finditer(told):
                groups = [match.span(group) for group in range(1, match.re.groups + 1) if match[group]]
                yield from groups or [match.span()]


def _values(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of variables named like secrets, each as it may be written."""
    for name, value in environ.items():
        if not NAMED.search(name) or os.path.exists(value):  # noqa: PTH110 - any text, as it is
            continue
        for part in {value, *value.splitlines()}:
            if len(part.strip()) >= SHORTEST and not (part.isalpha() and len(part) < LONG):
                yield from filter(None, _written(part))


def _written(secret: str) -> Iterator[str]:
    """Yield the ways in which Python, pytest, a shell, JSON and an address write a text."""
    raw = secret.encode("utf-8", "surrogateescape")
    yield from (secret, repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1])
    yield secret.encode("unicode_escape").decode("ascii")
    yield shlex.quote(secret).strip("'")
    for address in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield address
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), address)
    for ahead in range(3):  # wherever it begins in what is encoded
        encoded = base64.b64encode(bytes(ahead) + raw)
        inner = encoded[(0, 2, 3)[ahead] : len(encoded) - (0, 3, 2)[(ahead + len(raw)) % 3]].decode("ascii")
        if len(inner) >= SHORTEST:
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))


def _covered(text: str, places: Iterable[tuple[int, int]]) -> str:
    """Give a text with each of some places hidden, and those together that overlap.

    >>> _covered("a secret and more", [(2, 8), (5, 12)])
    'a *** more'
    """
    found, at = "", 0
    for begin, end in sorted(places):
        if begin >= at:
            found += text[at:begin] + HIDDEN
        at = max(at, end)
    return found + text[at:]


def handed_on(findings: Findings, redact: Callable[[str], str]) -> Findings:
    """Give findings with secrets hidden in every text; tests whose names become equal by that are numbered."""
    names: dict[str, str] = {}
    seen = Counter[str]()
    for finding in findings.tests:
        name = numbered = redact(finding.nodeid)
        while numbered in seen:  # another one may have been called so from the beginning
            seen[name] += 1
            numbered = f"{name} #{seen[name]}"
        seen[numbered] = 1
        names[finding.nodeid] = numbered
    return redacted(findings, lambda text: names.get(text) or redact(text))


def redacted(value: Value, redact: Callable[[str], str]) -> Value:
    """Give a value of the model with secrets hidden in every text of it."""
    found: Any = value
    if isinstance(value, WORDLESS):
        return value
    if isinstance(value, str):
        found = redact(value)
    elif isinstance(value, tuple):
        items = [redacted(item, redact) for item in value]
        found = type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    elif is_dataclass(value) and not isinstance(value, type):
        found = type(value)(**{field.name: redacted(getattr(value, field.name), redact) for field in fields(value)})
    return cast("Value", found)
