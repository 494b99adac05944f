"""What was got hold of at import: locks, and what makes locks, wherever a project keeps them."""

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from types import ModuleType
from typing import Any

import pytest

from pytest_flakehunt.perturbations.steered import Steering
from pytest_flakehunt.steering import gates, premade
from tests.steering.conftest import steering


@dataclass
class Account:
    lock: Any = field(default_factory=Lock)


class Shelf:
    def __init__(self, make: Callable[[], Any] = threading.Lock) -> None:
        self.lock = make()

    @staticmethod
    def in_a_static_method(*, lock: Any = threading.Lock()) -> Any:  # noqa: B008 - what is tested
        return lock


def guarded(function: Callable[[Any], Any]) -> Callable[[], Any]:
    lock = threading.Lock()

    @functools.wraps(function)
    def guard() -> Any:
        with lock:
            return function(lock)

    guard.kept = lock  # type: ignore[attr-defined]
    return guard


@guarded
def in_a_decorator(lock: object) -> object:
    return lock


def written(make: object) -> Callable[[], Any]:
    """Give a function with globals of its own, as attrs writes them."""
    space = {"make": make}
    exec("def function(): return make()", space)
    function: Any = space["function"]
    function.__module__ = __name__
    return function  # type: ignore[no-any-return]


in_globals_of_its_own = written(threading.Lock)


def naps(sleep: Callable[[float], None] = time.sleep) -> Callable[[float], None]:
    return sleep


PLACES: dict[str, Callable[[], Any]] = {
    "the factory of a field": lambda: Account().lock,
    "a default": lambda: Shelf().lock,
    "a default of keywords": Shelf.in_a_static_method,
    "a closure": in_a_decorator,
    "an attribute of what wraps": lambda: in_a_decorator.kept,  # type: ignore[attr-defined]
    "globals of a function alone": in_globals_of_its_own,
}


@pytest.mark.parametrize("place", PLACES)
def test_gates_stand_there_for_the_sweep(place: str) -> None:
    real = type(PLACES[place]())
    with steering(1):
        inside = PLACES[place]()
    assert isinstance(inside, gates.Lock)
    assert type(PLACES[place]()) is real is gates.REAL_LOCK


def test_naps_let_others_run_by_any_name() -> None:
    plain = naps()
    if time.sleep is not plain:
        pytest.skip("something else stands in for it already")
    with steering(1):
        assert naps() is time.sleep is not plain
    assert naps() is time.sleep is plain


def test_what_a_test_changed_meanwhile_stays() -> None:
    before = Shelf.__init__.__defaults__
    try:
        with steering(1):
            Shelf.__init__.__defaults__ = (dict,)
        assert Shelf().lock == {}
    finally:
        Shelf.__init__.__defaults__ = before


def test_what_is_imported_after_forks_were_made_ready_is_looked_at_and_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(premade, "learned", premade.Learned())
    looked: list[str] = []
    holders = premade.holders

    def seen(modules: list[ModuleType]) -> Iterator[premade.Holder]:
        looked.extend(module.__name__ for module in modules)
        return holders(modules)

    monkeypatch.setattr(premade, "holders", seen)
    Steering(1).prepare()
    assert {"time", __name__} < set(looked)
    late: Any = ModuleType("imported_late")
    late.lock = threading.Lock()
    monkeypatch.setitem(sys.modules, "imported_late", late)
    looked.clear()
    with steering(1):
        inside = late.lock, Account().lock, in_a_decorator()
    assert looked == ["imported_late"]
    assert [type(lock) for lock in inside] == [gates.Lock] * 3
    assert type(late.lock) is gates.REAL_LOCK
