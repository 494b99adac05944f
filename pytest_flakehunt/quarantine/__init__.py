"""Tests that are excused for a while: read, matched, written, checked, released."""


class QuarantineError(Exception):
    """A quarantine file says something that it cannot mean; the message says where, what is allowed, and what to do."""
