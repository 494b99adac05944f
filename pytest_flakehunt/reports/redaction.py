"""Hiding what looks like a secret in everything that leaves the machine."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, cast
from urllib.parse import quote

HIDDEN = "***"
SHORTEST = 8
"""Characters that the value of a variable must have to be hidden: shorter ones are words that stand everywhere."""
NAMED = re.compile(
    r"(?:^|_)(?:PASS|PASSWD|PASSWORD|PASSPHRASE|SECRETS?|TOKENS?|(?:API|ACCESS|PRIVATE|SECRET|ENCRYPTION|SIGNING)_?KEYS?|"
    r"APIKEY|CREDENTIALS?|CREDS|AUTH|PAT|DSN)(?:_|\d|$)",
    re.IGNORECASE,
)
"""Names of variables whose value is taken for a secret."""
PLACES = re.compile(r"(?:[A-Za-z]:)?[/~.][\w./~-]*")
"""Values that are paths, such as that of SSH_AUTH_SOCK."""
PATTERNS: Mapping[str, str] = {
    "GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{22,}",
    "GitLab": r"\bgl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas|imt)-[\w-]{20,}",
    "AWS": r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{16}\b",
    "Azure storage": r"\bAccountKey=([A-Za-z0-9+/=]{40,})",
    "Google": r"\bAIza[\w-]{35}|\bya29\.[\w-]{20,}",
    "Slack": r"\bxox[abeoprs]-[\w-]{10,}|\bxapp-[\w-]{10,}|hooks\.slack\.com/services/([\w/]{20,})",
    "Stripe": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "OpenAI, Anthropic": r"\bsk-[A-Za-z0-9_-]{20,}",
    "Hugging Face": r"\bhf_[A-Za-z0-9]{30,}",
    "PyPI": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "npm": r"\bnpm_[A-Za-z0-9]{36}",
    "Docker Hub": r"\bdckr_(?:pat|oat)_[\w-]{20,}",
    "DigitalOcean": r"\bdo[opr]_v1_[a-f0-9]{64}",
    "SendGrid": r"\bSG\.[\w-]{16,}\.[\w-]{16,}",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    "a password in an address": r"\b[A-Za-z][\w+.-]*://[^\s/:@'\"]*:([^\s/@'\"]+)@",
    "a header": r"(?i)\b(?:bearer|basic)\s+([\w.~+/-]{16,}=*)|\bx-api-key['\"]?\s*[:=]\s*['\"]?([\w.~+/-]{8,})",
    "a named value": r"(?i)(?:password|passwd|passphrase|secret|token|api_?key|access_?key)['\"]?\s*[:=]\s*"
    r"(?:'([^'\n]{8,})'|\"([^\"\n]{8,})\")",
    "a named value in an address": r"(?i)[?&](?:password|secret|token|access_token|api_?key|sig(?:nature)?)="
    r"([^&\s'\"]{8,})",
}
"""What is hidden wherever it stands, by whose it is: what a group fits, or else all."""

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
        self._patterns = [re.compile(pattern) for pattern in (*PATTERNS.values(), *more)]
        if literal:
            self._patterns.insert(0, re.compile("|".join(map(re.escape, literal))))
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Give a text with ``***`` in the place of each secret; what no file can hold is written by its number."""
        found = self._known.get(text)
        if found is None:
            found = text.encode("utf-8", "backslashreplace").decode("utf-8")
            for pattern in self._patterns:
                found = pattern.sub(_hide, found)
            if len(text) < 200:
                self._known[text] = found
        return found


def _values(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of variables named like secrets, each as it may be written."""
    for name, value in environ.items():
        if not NAMED.search(name) or PLACES.fullmatch(value):
            continue
        for part in {value, *value.splitlines()}:
            if len(part.strip()) >= SHORTEST:
                yield part
                yield from {
                    repr(part)[1:-1],
                    quote(part, safe=""),
                    base64.b64encode(part.encode("utf-8", "replace")).decode(),
                }


def _hide(match: re.Match[str]) -> str:
    """Hide what a group of the match fits, or else all of it."""
    places = [match.span(group) for group in range(1, (match.re.groups or 0) + 1) if match[group] is not None]
    if not places:
        return HIDDEN
    (begin, end), start = places[0], match.start()
    return match[0][: begin - start] + HIDDEN + match[0][end - start :]


def redacted(value: Value, redact: Callable[[str], str]) -> Value:
    """Give a value of the model with secrets hidden in every text of it."""
    found: Any = value
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        found = redact(value)
    elif isinstance(value, tuple):
        items = [redacted(item, redact) for item in value]
        found = type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    elif is_dataclass(value) and not isinstance(value, type):
        found = type(value)(**{field.name: redacted(getattr(value, field.name), redact) for field in fields(value)})
    return cast("Value", found)
