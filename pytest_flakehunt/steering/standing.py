"""How gates come to stand where the real things are, and how they go again."""

import _thread
import os
import selectors
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

from pytest_flakehunt.ground import stand_ins
from pytest_flakehunt.steering import gates, premade
from pytest_flakehunt.steering.baton import Baton
from pytest_flakehunt.steering.gates import Steered

Start = Callable[[], Baton | None]
"""Gives the baton of the running test, which begins with the first thread that it starts."""
OURS = ("pytest_flakehunt", "_pytest", "pytest", "pluggy", "xdist", "execnet", "importlib", "_thread")
"""Packages whose modules keep the real things."""


class _Kind(type):
    """A class in whose place a gate's stands: what is an instance of the one is one of the other."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, gates.REAL_LOCK)


def _lock_class() -> Any:
    """Give a class to stand for ``threading.Lock`` where that is one."""

    def new(cls: type) -> gates.Lock:
        del cls
        return gates.Lock()

    def refuse(cls: type) -> None:
        del cls
        message = f"type '{gates.REAL_LOCK.__module__}.{gates.REAL_LOCK.__name__}' is not an acceptable base type"
        raise TypeError(message)

    space = {"__new__": new, "__module__": gates.REAL_LOCK.__module__, "__init_subclass__": classmethod(refuse)}
    return _Kind(gates.REAL_LOCK.__name__, (), space)


def _replacements(start: Start) -> list[tuple[Any, Any]]:
    """Give pairs of real things and what stands for them."""
    lock: Any = threading.Lock
    pairs: list[tuple[Any, Any]] = [(_thread.allocate_lock, _function(_thread.allocate_lock, gates.Lock))]
    if isinstance(lock, type):
        pairs.append((lock, _lock_class()))
    pairs.append((gates.RealQueue, gates.SimpleQueue))
    pairs.append((gates.REAL_RLOCK, gates.RLock))
    for name in ("start_new_thread", "start_joinable_thread"):
        original = getattr(_thread, name, None)
        if original is not None:
            pairs.append((original, _function(original, _starting(original, start))))
    pairs.append((time.sleep, _function(time.sleep, gates.napped(time.sleep))))
    return pairs


def _function(original: Any, call: Callable[..., Any]) -> Any:
    def function(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return stand_ins.stand_in(original, function, f"_thread:{original.__name__}")


def _starting(original: Callable[..., Any], start: Start) -> Callable[..., Any]:
    """Make what starts a thread: one that waits for its turn, if the thread that starts it is steered."""

    def start_thread(function: Any, *args: Any, **kwargs: Any) -> Any:
        baton = start()
        thread = getattr(function, "__self__", None)
        named = thread.name if isinstance(thread, threading.Thread) else getattr(function, "__name__", "a thread")
        started = thread if isinstance(thread, threading.Thread) else None
        member = baton.starts(str(named), started) if baton is not None and callable(function) else None
        if baton is None or member is None:
            return original(function, *args, **kwargs)
        if started is not None:
            started._flakehunt_member = member  # type: ignore[attr-defined]  # noqa: SLF001 - ours
        return _started(original, baton, member, function, *args, **kwargs)

    return start_thread


def _started(original: Callable[..., Any], baton: Baton, member: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    def run(*args: Any, **kwargs: Any) -> Any:
        baton.begins(member)
        try:
            return function(*args, **kwargs)
        finally:
            baton.ends(member)

    try:
        return original(stand_ins.Started(function, run), *args, **kwargs)
    except BaseException:
        baton.never_began(member)
        raise


def _methods() -> Iterator[tuple[type, str, stand_ins.Maker]]:
    """Give methods of the standard library's that stand-ins take the place of."""
    yield threading.Thread, "join", gates.joined
    yield threading.Thread, "is_alive", gates.alive
    for found in vars(selectors).values():
        if isinstance(found, type) and issubclass(found, selectors._BaseSelectorImpl) and "select" in vars(found):  # noqa: SLF001 - what waits
            yield found, "select", gates.selected
    trio = getattr(sys.modules.get("trio._core._io_epoll"), "EpollIOManager", None)
    if isinstance(trio, type) and "get_events" in vars(trio):
        yield trio, "get_events", gates.selected


def _modules() -> list[ModuleType]:
    """Give modules that keep what gates stand for; those of ``threading`` itself are left alone."""
    everything: list[Any] = list(sys.modules.values())  # tests put other things there, too
    modules = [module for module in everything if isinstance(module, ModuleType) and module is not threading]
    return [module for module in modules if str(module.__name__).partition(".")[0] not in OURS]


def learn() -> None:
    """Find where gates will stand, so that processes which are forked need not."""
    premade.learned.learn(_modules(), {id(real) for real, _ in _replacements(lambda: None)})


@contextmanager
def standing(start: Start) -> Iterator[None]:
    """Let gates stand where the real things are, in every module that is imported by now.

    Args:
        start: gives the baton when a test starts a thread.
    """
    with ExitStack() as undo:
        stands = {id(real): (real, ours) for real, ours in _replacements(start)}
        starts = {address: both for address, both in stands.items() if both[0].__name__.startswith("start_")}
        undo.enter_context(_swapped(vars(threading), stands))
        undo.enter_context(premade.gated(_modules(), stands))
        undo.enter_context(_swapped(vars(_thread), starts))
        for owner, name, make in _methods():
            original = vars(owner)[name]
            ours = stand_ins.stand_in(original, make(original), f"{owner.__module__}:{owner.__qualname__}.{name}")
            undo.enter_context(_set(owner, name, original, ours))
        yield


@contextmanager
def _swapped(variables: dict[str, Any], pairs: dict[int, tuple[Any, Any]]) -> Iterator[None]:
    swapped = [(name, *pairs[id(held)]) for name, held in list(variables.items()) if id(held) in pairs]
    variables.update({name: ours for name, _, ours in swapped})
    try:
        yield
    finally:
        for name, real, ours in swapped:
            if variables.get(name) is ours:
                variables[name] = real


@contextmanager
def _set(owner: type, name: str, original: Any, ours: Any) -> Iterator[None]:
    setattr(owner, name, ours)
    try:
        yield
    finally:
        if vars(owner).get(name) is ours:
            setattr(owner, name, original)


def _alone() -> None:
    baton, Steered.baton = Steered.baton, None
    if baton is not None:
        baton.over = True  # none of the other threads lives here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)
