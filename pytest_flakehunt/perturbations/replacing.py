"""Putting something else in an attribute's place, for a while."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_flakehunt import project


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


@contextmanager
def replaced_in_project(original: Any, value: Any) -> Iterator[None]:
    """Replace an object in the globals of the project's own modules, where ``from … import`` put it."""
    places = [
        (module, name)
        for module in list(sys.modules.values())
        if (file := getattr(module, "__file__", None)) and project.owns(file)
        for name, held in list(vars(module).items())
        if held is original
    ]
    for module, name in places:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, original)
