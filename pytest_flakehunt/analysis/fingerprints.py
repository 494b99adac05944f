"""Which failures of a test are one: the same exception in the same statement."""

import hashlib
from collections.abc import Sequence

from pytest_flakehunt.model import HANG, Attempt, Evidence, Outcome

VERSION = 2
"""Of what a fingerprint is made; those of another version are written after its number and a colon."""


def named(phase: str, kind: str, statement: str) -> str:
    """Give the sixteen hexadecimal digits that name a mode.

    Neither the message nor the line number is in it, so that it is the same
    for other values and after edits above.

    Args:
        phase: ``setup``, ``call`` or ``teardown``; for a crash or a hang, the outcome.
        kind: of the exception, as ``Failing`` names it; of a crash, the signal.
        statement: the failing one, after its file and function.

    >>> named("call", "AssertionError", "test_shop.py::test_price assert price()==3")
    'e2ffb94cded7257c'
    """
    text = "\0".join((str(VERSION), phase, kind, statement))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def fingerprint(outcome: Outcome, evidence: Evidence) -> str:
    """Name the mode of a failed attempt."""
    if evidence.kind == HANG:
        return named(Outcome.HUNG.value, HANG, evidence.statement)
    if evidence.phase == "process":
        return named(outcome.value, evidence.exception, evidence.statement)
    if not evidence.kind:  # a plugin says that it failed, and nothing was raised
        return named(evidence.phase, evidence.exception, f"{evidence.where.file}::{evidence.where.function}")
    return named(evidence.phase, evidence.kind, evidence.statement)


def fingerprints(attempts: Sequence[Attempt]) -> list[str]:
    """Name the mode of each attempt; empty where it did not fail."""
    return [
        fingerprint(attempt.outcome, attempt.evidence) if attempt.evidence is not None else "" for attempt in attempts
    ]
