"""How a command ends."""

OK, FOUND, REFUSED = 0, 1, 2
"""All is well; something was found; it could not be done as asked."""


class Refused(Exception):  # noqa: N818 - a refusal is no fault
    """A command cannot be done as it was asked; the message says why, what is allowed, and what to do."""
