"""Putting another value in an attribute's place, or a variable's, for a while; for functions see ``stand_ins``."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced(owner: Any, attribute: str, value: Any) -> Iterator[None]:
    """Give ``owner`` another value under ``attribute``, and put back just what was there.

    What a test puts there meanwhile and leaves behind is taken away with it.
    """
    own = vars(owner)
    inherited = attribute not in own
    before = None if inherited else own[attribute]
    setattr(owner, attribute, value)
    try:
        yield
    finally:
        if inherited:
            delattr(owner, attribute)
        else:
            setattr(owner, attribute, before)


@contextmanager
def set_variable(name: str, value: str | None) -> Iterator[None]:
    """Set an environment variable, or take it away, and put back what was there."""
    before = os.environ.get(name)
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
