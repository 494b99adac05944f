"""Which failures of a test are one: the same exception, message and place in the project's code."""

import hashlib
import re
from collections.abc import Sequence

from pytest_flakehunt.model import Attempt, Evidence, Outcome

_VARYING = (
    (re.compile(r"0x[0-9a-fA-F]+"), "ADDRESS"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "UUID"),
    (re.compile(r"(?:/[\w.+-]+){2,}/?"), "PATH"),
    (re.compile(r"(['\"]).*?\1"), "TEXT"),
    (re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"), "#"),
    (re.compile(r"[\[({<].*[\])}>]"), "VALUE"),
)
"""What differs from failure to failure of one bug, and what stands for it."""


def normalised(message: str) -> str:
    """Give the first line of a message without what varies: addresses, paths, numbers, quoted text, values.

    >>> normalised("assert 17 == 18 at 0x7f3a2b")
    'assert # == # at ADDRESS'
    """
    line = message.strip().partition("\n")[0][:300]
    for pattern, stand_in in _VARYING:
        line = pattern.sub(stand_in, line)
    return line


def fingerprint(outcome: Outcome, evidence: Evidence) -> str:
    """Give sixteen hexadecimal digits that name the mode of a failed attempt.

    The line number is left out, so that a fingerprint outlives edits above it.
    """
    kind = outcome.value if evidence.phase == "process" else evidence.phase
    message = "" if evidence.phase == "process" else normalised(evidence.message)
    parts = (kind, evidence.exception, message, evidence.where.file, evidence.where.function)
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def fingerprints(attempts: Sequence[Attempt]) -> list[str]:
    """Name the mode of each attempt; empty where it did not fail."""
    return [
        fingerprint(attempt.outcome, attempt.evidence) if attempt.evidence is not None else "" for attempt in attempts
    ]
