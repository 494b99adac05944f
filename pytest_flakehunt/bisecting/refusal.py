"""Why a search cannot be made as it was asked for."""


class CannotBisect(Exception):  # noqa: N818 - a refusal is no fault
    """The message says why, what is allowed, and what to do."""
