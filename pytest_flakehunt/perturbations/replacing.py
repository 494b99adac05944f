"""Putting something else in an attribute's place, for a while."""

import functools
import os
import sys
from collections.abc import Callable, Iterator
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


PUBLIC = {"posix": "os", "_socket": "socket", "_io": "io"}
"""By module in C: the one whose names people use, and that something else can stand in."""


class Stand:
    """What stands for a function: called like it, equal to it, never bound to an instance, and pickled by its name."""

    def __init__(self, original: Callable[..., Any], call: Callable[..., Any]) -> None:
        functools.update_wrapper(self, original)
        self.__module__ = PUBLIC.get(original.__module__, original.__module__)
        self._original, self._call = original, call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do what stands for it."""
        return self._call(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return self is other or bool(other == self._original)

    def __hash__(self) -> int:
        return hash(self._original)

    def __reduce__(self) -> str:
        return self._original.__qualname__


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
