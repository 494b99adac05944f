"""What stands in for functions of Python's library while something of ours is held, and how it comes and goes.

A stand-in is a plain function with the identity of what it stands for, so
that libraries which replace, pickle, compare signatures of or reload these
functions themselves find what they expect; pyfakefs, for one, replaces
``open`` only where it is a function with its own name and module.
"""

import copyreg
import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, TypeAlias

from pytest_flakehunt.ground import project

Maker: TypeAlias = Callable[[Any], Callable[..., Any]]
"""Makes what is called in place of an original: a new plain function each time."""

TABLE: Mapping[str, tuple[str, ...]] = {
    "builtins:open": ("io:open",),
    "os:open": (),
    "os:fsync": (),
    "os:fdatasync": (),
    "os:listdir": (),
    "os:scandir": ("glob:_Globber.scandir", "glob:_StringGlobber.scandir"),
    "os:stat": (),
    "os:lstat": (),
    "os:fstat": (),
    "os:read": (),
    "os:write": (),
    "os:DirEntry.stat": (),
    "os:urandom": ("random:_urandom",),
    "random:seed": (),
    "random:setstate": (),
    "random:Random.seed": (),
    "time:sleep": (),
    "socket:getaddrinfo": (),
    "socket:gethostbyname": (),
    "socket:gethostbyname_ex": (),
    "socket:gethostbyaddr": (),
    "socket:socket._real_close": (),
    "socket:socket.accept": (),
    "socket:socket.bind": (),
    "socket:socket.connect": (),
    "socket:socket.connect_ex": (),
    "socket:socket.recv": (),
    "socket:socket.recv_into": (),
    "socket:socket.recvfrom": (),
    "socket:socket.recvfrom_into": (),
    "socket:socket.send": (),
    "socket:socket.sendto": (),
    "socket:socket.sendmsg": (),
    "sqlite3:connect": ("sqlite3.dbapi2:connect", "_sqlite3:connect"),
    "sqlite3.dump:_iterdump": (),
    "ssl:SSLSocket.read": (),
    "ssl:SSLSocket.do_handshake": (),
    "ssl:SSLObject.do_handshake": (),
    "subprocess:Popen.__init__": (),
    "_thread:start_new_thread": (),
    "_thread:start_new": (),
    "threading:_start_new_thread": (),
    "threading:Thread.start": (),
    "asyncio.runners:_cancel_all_tasks": (),
    "asyncio.base_events:BaseEventLoop.__init__": (),
    "asyncio.base_events:BaseEventLoop._asyncgen_firstiter_hook": (),
    "asyncio.base_events:BaseEventLoop._run_once": (),
    "asyncio.base_events:BaseEventLoop.call_at": (),
    "asyncio.base_events:BaseEventLoop.call_later": (),
    "asyncio.base_events:BaseEventLoop.call_exception_handler": (),
    "asyncio.base_events:BaseEventLoop.close": (),
    "asyncio.base_events:BaseEventLoop.create_task": (),
    "asyncio.base_events:BaseEventLoop.run_in_executor": (),
    "asyncio.base_events:BaseEventLoop.shutdown_asyncgens": (),
    "asyncio.selector_events:BaseSelectorEventLoop._process_events": (),
    "asyncio.selector_events:BaseSelectorEventLoop.sock_accept": (),
    "asyncio.selector_events:BaseSelectorEventLoop.sock_connect": (),
    "asyncio.selector_events:BaseSelectorEventLoop.sock_recv": (),
    "asyncio.selector_events:BaseSelectorEventLoop.sock_recv_into": (),
    "asyncio.selector_events:BaseSelectorEventLoop.sock_recvfrom": (),
    "asyncio.selector_events:_SelectorSocketTransport._read_ready": (),
    "asyncio.selector_events:_SelectorDatagramTransport._read_ready": (),
    "asyncio.unix_events:_UnixReadPipeTransport._read_ready": (),
}
"""Everything of the library that we ever stand in for, as ``module:name``, and where else the same object is kept."""

IN_C = "_flakehunt_in_c"
"""What a function is marked with that stands in for one written in C."""
OFF = "_flakehunt_off"
"""What a function is marked with that stands in no more: whoever kept it has the original by another name."""
SUPPORTING = ("supports_dir_fd", "supports_effective_ids", "supports_fd", "supports_follow_symlinks")
"""Sets in ``os`` that functions are looked up in."""
ARGUMENTS = frozenset({str, bytes, int, float, type(None)})
"""What functions written in C are usually given first: no instance of a class that keeps one of them."""


@contextmanager
def standing(makers: Mapping[str, Maker], *, in_project: bool = False) -> Iterator[None]:
    """Let functions be stood in for, for a while; what the suite has put in their place itself stays.

    Args:
        makers: by names of ``TABLE``; what this Python lacks, or has not
            imported, is passed over.
        in_project: whether to look for the originals in the globals of the
            project's own modules, where ``from … import`` put them.
    """
    with ExitStack() as undo:
        originals = {name: original for name in makers if (original := _found(name)) is not None}
        replacing: dict[int, tuple[Any, FunctionType]] = {}
        for name, original in originals.items():
            ours = stand_in(original, makers[name](original), name)
            replacing[id(original)] = original, ours
            for place in (name, *TABLE[name], *_defining(original)):
                undo.enter_context(_placed(place, original, ours))
            undo.enter_context(_supported(original, ours))
            undo.callback(ours.__dict__.setdefault, OFF, True)
        if in_project:
            undo.enter_context(_in_project(replacing))
        undo.enter_context(_pickled(original for original, _ in replacing.values()))
        yield


def learn(names: Iterable[str], *, in_project: bool = False) -> None:
    """Find out what :func:`standing` asks of originals, so that processes which are forked need not.

    Args:
        names: of ``TABLE``.
        in_project: as there.
    """
    for name in names:
        if (original := _found(name)) is not None:
            _signature(original)
    if in_project:
        _of_project()


def stand_in(original: Any, call: Callable[..., Any], name: str) -> FunctionType:
    """Give a function the identity of what it stands for: names, module, signature, text, and its way to be pickled.

    Args:
        original: what it stands for.
        call: what it does, a function that nobody else uses.
        name: as in ``TABLE``.
    """
    module, _, path = name.partition(":")
    in_c = isinstance(original, BuiltinFunctionType)
    in_c = in_c or IN_C in getattr(original, "__dict__", ())  # what we stand in for may be ours already
    ours: Any = _like_c(call, original) if in_c else call
    assert isinstance(ours, FunctionType)
    ours.__name__, ours.__doc__ = original.__name__, original.__doc__
    if isinstance(original, FunctionType | BuiltinFunctionType):
        ours.__qualname__, ours.__module__ = original.__qualname__, original.__module__
    else:  # a method, which C or a base class defines, is pickled by where it is found
        ours.__qualname__, ours.__module__ = path, module
    ours.__dict__.update(getattr(original, "__dict__", {}))
    ours.__dict__.pop(OFF, None)
    if in_c:
        ours.__dict__[IN_C] = True
    ours.__annotations__ = dict(getattr(original, "__annotations__", {}))
    ours.__wrapped__ = original  # type: ignore[attr-defined]
    if (signature := _signature(original)) is not None:
        ours.__signature__ = signature  # type: ignore[attr-defined]
    return ours


class Started:
    """What a new thread runs in the place of a function, and what says of itself that it is that."""

    __slots__ = ("_call", "_function")

    def __init__(self, function: Callable[..., Any], call: Callable[..., Any]) -> None:
        self._function, self._call = function, call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self._function)


@functools.cache
def _signature(original: Any) -> inspect.Signature | None:
    """Give a function's signature; None where ``inspect`` itself has none, as for some functions in C."""
    try:
        return inspect.signature(original)
    except (ValueError, TypeError):
        return None


def _bound_by(first: object) -> bool:
    """Tell whether a first argument can be the instance that a function was looked up on; a path is one to open."""
    return type(first) not in ARGUMENTS and not isinstance(first, os.PathLike)


def _like_c(call: Callable[..., Any], original: Callable[..., Any]) -> FunctionType:
    """Make a function that is not bound by a class that keeps it as an attribute: functions in C are not."""
    signature = _signature(original)

    def takes(*args: Any, **kwargs: Any) -> bool:
        try:
            if signature is not None:
                signature.bind(*args, **kwargs)
        except TypeError:
            return False
        return True

    def function(*args: Any, **kwargs: Any) -> Any:
        if args and _bound_by(args[0]) and _keeps(type(args[0]), function) and takes(*args[1:], **kwargs):
            args = args[1:]
        return original(*args, **kwargs) if function.__dict__.get(OFF) else call(*args, **kwargs)

    assert isinstance(function, FunctionType)
    return function


def _keeps(kind: type, function: object) -> bool:
    return any(held is function for ancestor in type.mro(kind) for held in list(vars(ancestor).values()))


def _owner(name: str) -> tuple[Any, str]:
    """Give what holds an attribute, None where it is not there; and the attribute."""
    module, _, path = name.partition(":")
    *owners, attribute = path.split(".")
    held: Any = sys.modules.get(module)
    for owner in owners:
        held = getattr(held, owner, None)
    return held, attribute


def _found(name: str) -> Any:
    """Give the library's own function; None where there is none, or the suite has put something else there."""
    owner, attribute = _owner(name)
    if not isinstance(owner, type | ModuleType):
        return None
    held = inspect.getattr_static(owner, attribute, None)
    kinds = FunctionType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType, MethodType
    if not isinstance(held, kinds):
        return None
    defined = getattr(held, "__module__", None) or getattr(held, "__objclass__", type(None)).__module__
    package = str(defined).partition(".")[0]
    return held if package in sys.stdlib_module_names and package != "test" else None


def _defining(original: Any) -> list[str]:
    """Name the module in C that a function comes from: it is pickled by that name."""
    module = getattr(original, "__module__", None)
    if isinstance(original, BuiltinFunctionType) and isinstance(module, str):
        return [f"{module}:{original.__name__}"]
    return []


@contextmanager
def _placed(place: str, original: Any, ours: FunctionType) -> Iterator[None]:
    """Put a stand-in where the original is; take it away again unless something else stands there by then."""
    owner, attribute = _owner(place)
    held = None if owner is None else inspect.getattr_static(owner, attribute, None)
    static = isinstance(held, staticmethod)
    if (held.__func__ if static else held) is not original:  # type: ignore[union-attr]
        yield
        return
    value: Any = staticmethod(ours) if static else ours
    inherited = attribute not in vars(owner)
    setattr(owner, attribute, value)
    try:
        yield
    finally:
        if vars(owner).get(attribute) is value:
            if inherited:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, held)


@contextmanager
def _pickled(originals: Iterable[Any]) -> Iterator[None]:
    """Let originals in C that somebody has kept be pickled by name, though that name leads to a stand-in."""
    known = {id(original): original for original in originals if isinstance(original, BuiltinFunctionType)}

    def reduced(function: Any) -> Any:
        if id(function) in known:
            return named, (function.__module__, function.__qualname__)
        return function.__reduce__() if before is None else before(function)

    before = copyreg.dispatch_table.get(BuiltinFunctionType)
    copyreg.dispatch_table[BuiltinFunctionType] = reduced
    try:
        yield
    finally:
        if before is None:
            copyreg.dispatch_table.pop(BuiltinFunctionType, None)
        else:
            copyreg.dispatch_table[BuiltinFunctionType] = before


def named(module: str, name: str) -> Any:
    """Give a function of the library by its name; what stands in for it, if anything does."""
    return getattr(importlib.import_module(module), name)


@contextmanager
def _supported(original: Any, ours: FunctionType) -> Iterator[None]:
    """Let ``os`` say of a stand-in what it says of the original."""
    _name_too(original, ours)
    try:
        yield
    finally:
        _name_too(ours, original)  # where os was loaded anew, it knew ours only
        for name in SUPPORTING:
            getattr(os, name, set()).discard(ours)


def _name_too(named: Any, other: Any) -> None:
    for name in SUPPORTING:
        functions: set[Any] = getattr(os, name, set())
        if named in functions:
            functions.add(other)


def _of_project() -> list[ModuleType]:
    modules = list(sys.modules.values())
    return [module for module in modules if (file := getattr(module, "__file__", None)) and project.owns(file)]


@contextmanager
def _in_project(replacing: Mapping[int, tuple[Any, FunctionType]]) -> Iterator[None]:
    places = [
        (vars(module), name, *replacing[id(held)])
        for module in _of_project()
        for name, held in list(vars(module).items())
        if id(held) in replacing
    ]
    for variables, name, _, ours in places:
        variables[name] = ours
    try:
        yield
    finally:
        for variables, name, original, ours in places:
            if variables.get(name) is ours:
                variables[name] = original
