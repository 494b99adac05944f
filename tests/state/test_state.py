"""What a test may change in its process: how it is named, and that it can be taken back alone."""

import decimal
import functools
import gc
import html
import importlib
import json
import locale
import logging
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import unittest.mock
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.state import Snapshot, walking

APP = """
import collections, enum, functools, types

class Colour(enum.Enum):
    RED = 1

class User:
    registry = []
    limit = 1
    def __init__(self): self.name, self.tags = "ann", {"a"}
    def greet(self): return "hello"
    @functools.lru_cache
    def cached(self): return 1
    @staticmethod
    def collect(seen=[]): seen.append(1)

class Slotted:
    __slots__ = ("x", "y")
    def __init__(self): self.x = 1

class Bag(dict):
    def __setitem__(self, key, value): raise RuntimeError
    __getitem__ = __delitem__ = items = __iter__ = __eq__ = __setitem__
    __hash__ = None

FLAGS = {"colour": "red", "deep": {"x": [1, {"y": 2}]}, Colour.RED: 1, (1, "a"): 2}
ORDERED = collections.OrderedDict(a=1)
rows, seen, recent = [1, 2], {1, 2}, collections.deque([1, 2], maxlen=2)
pair = (1, [2])
user, slotted, bag, space = User(), Slotted(), Bag(a=1), types.SimpleNamespace(a=1)
LIMIT, name, frozen = 10, "app", frozenset("ab")

def collect(into=[], *, also={}): return into
def counted(): counted.calls += 1
counted.calls = 0
@functools.cache
def lookup(key): return key
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "flakehunt_app.py").write_text(APP, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("flakehunt_app")
    del sys.modules["flakehunt_app"]


def told(snapshot: Snapshot) -> list[str]:
    return [f"{change.verb} {change.path}" for change in snapshot.changes()]


def replaced(path: str) -> Callable[[Any], object]:
    """Give what assigns something else to an attribute of the project's."""
    owner, _, attribute = path.rpartition(".")
    return lambda app: setattr(functools.reduce(getattr, owner.split(".") if owner else [], app), attribute, "other")


DEEDS: list[tuple[Callable[[Any], object], str]] = [
    (replaced("LIMIT"), "sets app.LIMIT"),
    (replaced("new"), "sets app.new"),
    (lambda app: delattr(app, "LIMIT"), "removes app.LIMIT"),
    (lambda app: app.FLAGS.update(colour="blue"), "sets app.FLAGS['colour']"),
    (lambda app: app.FLAGS.update({7: 1}), "sets app.FLAGS[7]"),
    (lambda app: app.FLAGS.pop("colour"), "removes app.FLAGS['colour']"),
    (lambda app: app.FLAGS.update({app.Colour.RED: 2}), "sets app.FLAGS[Colour.RED]"),
    (lambda app: app.FLAGS.update({(1, "a"): 3}), "sets app.FLAGS[(1, 'a')]"),
    (lambda app: app.FLAGS.update({app.frozen: 3}), "sets app.FLAGS[<frozenset>]"),
    (lambda app: app.FLAGS.update({app.User: 3}), "sets app.FLAGS[User]"),
    (lambda app: app.FLAGS["deep"]["x"].append(3), "adds to app.FLAGS['deep']['x']"),
    (lambda app: app.FLAGS["deep"]["x"][1].update(y=3), "sets app.FLAGS['deep']['x'][1]['y']"),
    (lambda app: app.ORDERED.update(b=1), "sets app.ORDERED['b']"),
    (lambda app: app.ORDERED.clear(), "removes app.ORDERED['a']"),
    (lambda app: dict.__setitem__(app.bag, "a", 2), "sets app.bag['a']"),
    (lambda app: app.rows.insert(0, 0), "adds to app.rows"),
    (lambda app: app.rows.pop(), "removes from app.rows"),
    (lambda app: app.rows.reverse(), "changes app.rows"),
    (lambda app: app.seen.add(3), "adds to app.seen"),
    (lambda app: app.seen.discard(2), "removes from app.seen"),
    (lambda app: app.recent.append(3), "changes app.recent"),
    (lambda app: app.pair[1].append(3), "adds to app.pair[1]"),
    (replaced("user.name"), "sets app.user.name"),
    (replaced("user.age"), "sets app.user.age"),
    (lambda app: app.user.tags.add("b"), "adds to app.user.tags"),
    (replaced("slotted.x"), "sets app.slotted.x"),
    (replaced("slotted.y"), "sets app.slotted.y"),
    (replaced("space.a"), "sets app.space.a"),
    (lambda app: app.User.registry.append(1), "adds to app.User.registry"),
    (replaced("User.limit"), "sets app.User.limit"),
    (replaced("User.greet"), "sets app.User.greet"),
    (replaced("User.__init__"), "sets app.User.__init__"),
    (lambda app: delattr(app.User, "limit"), "removes app.User.limit"),
    (lambda app: app.User.collect(), "adds to app.User.collect's default seen"),
    (lambda app: app.collect().append(1), "adds to app.collect's default into"),
    (lambda app: app.collect.__kwdefaults__["also"].update(a=1), "sets app.collect's default also['a']"),
    (lambda app: app.counted(), "sets app.counted.calls"),
    (lambda app: app.lookup(1), "fills the cache of app.lookup"),
    (lambda app: app.user.cached(), "fills the cache of app.User.cached"),
    (lambda _: os.environ.update(PATH="nowhere"), "changes os.environ['PATH']"),
    (lambda _: os.environ.update(FLAKEHUNT_NEW="1"), "sets os.environ['FLAKEHUNT_NEW']"),
    (lambda _: os.environ.pop("PATH"), "removes os.environ['PATH']"),
    (lambda _: os.chdir("/"), "changes the working directory"),
    (lambda _: os.umask(0o012), "changes the umask"),
    (lambda _: signal.signal(signal.SIGUSR2, print), "changes signal SIGUSR2's handler"),
    (lambda _: sys.setrecursionlimit(2345), "changes the recursion limit"),
    (lambda _: sys.setswitchinterval(0.125), "changes the switch interval"),
    (lambda _: gc.set_threshold(123, 45, 6), "changes the garbage collector's thresholds"),
    (lambda _: gc.disable(), "changes whether the garbage collector runs"),
    (lambda _: socket.setdefaulttimeout(99), "changes the default timeout of sockets"),
    (lambda _: setattr(decimal.getcontext(), "prec", 5), "changes decimal.getcontext().prec"),
    (lambda _: logging.disable(), "changes the level of logging.disable()"),
    (lambda _: logging.root.setLevel(3), "changes logging.root.level"),
    (lambda _: logging.root.addHandler(logging.NullHandler()), "adds to logging.root.handlers"),
    (lambda _: setattr(logging.getLogger("known"), "propagate", False), "changes logging.getLogger('known').propagate"),
    (lambda _: warnings.simplefilter("ignore", FutureWarning), "adds to warnings.filters"),
    (lambda _: sys.path.insert(0, "nowhere"), "adds to sys.path"),
    (lambda _: sys.argv.append("-x"), "adds to sys.argv"),
    (lambda _: setattr(json, "dumps", print), "sets json.dumps"),
    (lambda _: setattr(json.JSONEncoder, "encode", print), "sets json.encoder.JSONEncoder.encode"),
    (lambda _: setattr(json, "mine", print), "sets json.mine"),
    (lambda _: vars(sys)["modules"].update(nowhere=None), "sets sys.modules['nowhere']"),
    (lambda _: sys.modules.update(nowhere=types.ModuleType("nowhere")), "sets sys.modules['nowhere']"),
    (lambda _: sys.modules.update(json=html), "sets sys.modules['json']"),
    (lambda _: sys.modules.pop("json"), "removes sys.modules['json']"),
]  # fmt: skip


@pytest.mark.parametrize(("deed", "expected"), DEEDS, ids=[expected for _, expected in DEEDS])
def test_a_change_is_told_and_can_be_taken_back(
    app: Any, deed: Callable[[Any], object], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.getLogger("known")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "somewhere")
    snapshot = Snapshot.take()
    try:
        deed(app)
        assert told(snapshot) == [expected.replace(" app.", " flakehunt_app.")]
    finally:
        for change in snapshot.changes():
            change.undo()
    assert told(snapshot) == []


def test_a_method_that_handles_a_signal_may_be_put_back_by_its_name() -> None:
    class Server:
        def stop(self, *_: object) -> None: ...

    server, before = Server(), signal.getsignal(signal.SIGUSR2)
    try:
        signal.signal(signal.SIGUSR2, server.stop)
        snapshot = Snapshot.take()
        signal.signal(signal.SIGUSR2, Server().stop)
        assert told(snapshot) == ["changes signal SIGUSR2's handler"]
        signal.signal(signal.SIGUSR2, server.stop)
        assert told(snapshot) == []
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_each_change_is_taken_back_alone(app: Any) -> None:
    snapshot = Snapshot.take()
    app.LIMIT = 11
    app.FLAGS["colour"] = "blue"
    app.rows.append(3)
    first, second, third = sorted(snapshot.changes())
    assert [first.path, second.path, third.path] == [
        "flakehunt_app.FLAGS['colour']", "flakehunt_app.LIMIT", "flakehunt_app.rows",
    ]  # fmt: skip
    second.undo()
    assert (app.LIMIT, app.FLAGS["colour"], app.rows) == (10, "blue", [1, 2, 3])
    third.undo()
    assert (app.FLAGS["colour"], app.rows) == ("blue", [1, 2])


def test_what_is_put_back_is_itself_as_it_was(app: Any) -> None:
    snapshot, rows = Snapshot.take(), app.rows
    app.rows.append(3)
    app.rows = []
    (change,) = snapshot.changes()
    change.undo()
    assert app.rows is rows == [1, 2]


def test_the_environment_of_the_c_library_is_put_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAKEHUNT_OLD", "before")
    snapshot = Snapshot.take()
    os.environ["FLAKEHUNT_OLD"] = "after"
    snapshot.changes()[0].undo()
    assert subprocess.check_output(["printenv", "FLAKEHUNT_OLD"]) == b"before\n"


def test_the_time_zone_and_its_variable_are_two_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    snapshot = Snapshot.take()
    try:
        os.environ["TZ"] = "XYZ-5"
        time.tzset()
        assert told(snapshot) == ["changes os.environ['TZ']", "changes the time zone"]
        snapshot.changes()[1].undo()
        assert (os.environ["TZ"], time.tzname) == ("XYZ-5", ("UTC", "UTC"))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_zone_that_no_variable_set_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    time.tzset()
    snapshot, before = Snapshot.take(), time.tzname
    try:
        os.environ["TZ"] = "XYZ-5"
        time.tzset()
        for change in snapshot.changes():
            change.undo()
        assert (os.environ.get("TZ"), time.tzname) == (None, before)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_locale_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    before = locale.setlocale(locale.LC_ALL)
    other = "C" if before != "C" else "C.UTF-8"
    snapshot = Snapshot.take()
    locale.setlocale(locale.LC_ALL, other)
    (change,) = snapshot.changes()
    change.undo()
    assert (change.verb, change.path, locale.setlocale(locale.LC_ALL)) == ("changes", "the locale", before)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("__init__", *(f"part{number}" for number in range(25))):
        (tmp_path / "flakehunt_pack").mkdir(exist_ok=True)
        (tmp_path / "flakehunt_pack" / f"{name}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield "flakehunt_pack"
    for name in [name for name in sys.modules if name.startswith("flakehunt_pack")]:
        del sys.modules[name]


def test_a_module_imported_anew_is_taken_out_of_its_package_too(package: str) -> None:
    pack = importlib.import_module(package)
    snapshot = Snapshot.take()
    importlib.import_module(f"{package}.part1")
    assert told(snapshot) == ["imports flakehunt_pack.part1"]
    snapshot.changes()[0].undo()
    assert told(snapshot) == []
    assert not hasattr(pack, "part1")


def test_of_many_imports_only_the_packages_are_told(package: str) -> None:
    snapshot = Snapshot.take()
    for number in range(25):
        importlib.import_module(f"{package}.part{number}")
    assert told(snapshot) == ["imports flakehunt_pack"]
    snapshot.changes()[0].undo()
    assert told(snapshot) == []


def test_modules_that_extension_modules_make_are_imports(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = Snapshot.take()
    importlib.import_module(package)
    for name in ("flakehunt_pack.in_c", "cython_runtime"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        snapshot.parts[-1].before.pop(name, None)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    assert told(snapshot) == ["imports flakehunt_pack", "imports flakehunt_pack.in_c", "imports cython_runtime"]


def test_the_most_telling_comes_first(app: Any, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = Snapshot.take()
    importlib.import_module(package)
    monkeypatch.setattr(json, "dumps", print)
    monkeypatch.setenv("FLAKEHUNT_NEW", "1")
    app.LIMIT = 11
    assert told(snapshot) == [
        "sets flakehunt_app.LIMIT", "sets os.environ['FLAKEHUNT_NEW']", "sets json.dumps", "imports flakehunt_pack",
    ]  # fmt: skip


def test_what_lies_below_the_root_comes_before_the_rest(app: Any, tmp_path: Path) -> None:
    here = sys.modules[__name__]
    snapshots = [Snapshot.take(tmp_path), Snapshot.take(Path(__file__).parent)]
    app.LIMIT = 11
    vars(here)["NEW"] = 1
    try:
        mine, theirs = f"sets {__name__}.NEW", "sets flakehunt_app.LIMIT"
        assert [told(snapshot) for snapshot in snapshots] == [[theirs, mine], [mine, theirs]]
    finally:
        del vars(here)["NEW"]


def test_equal_values_and_values_put_back_are_no_change(app: Any) -> None:
    snapshot = Snapshot.take()
    app.name = str(b"app", "ascii")
    app.pair = (*app.pair,)
    app.frozen = frozenset(list(app.frozen))
    app.FLAGS["colour"] = "blue"
    app.FLAGS["colour"] = "red"
    with unittest.mock.patch("json.dumps"), unittest.mock.patch.dict(os.environ, clear=True):
        pass
    assert told(snapshot) == []


def test_ordinary_work_is_no_change() -> None:
    snapshot = Snapshot.take()
    random.random()
    logging.getLogger("known").warning("told")
    re.compile("never seen before")
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("quiet", stacklevel=1)
    os.environ["PYTEST_CURRENT_TEST"] = "now"
    assert told(snapshot) == []


def test_odd_objects_are_neither_run_nor_in_the_way(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __getattribute__(self, name: str) -> object:
            raise RuntimeError(name)

        __eq__ = __setattr__ = __bool__ = __len__ = __iter__ = __repr__ = __getattribute__  # type: ignore[assignment, misc]

        def __hash__(self) -> int:
            return 1

    app.Refusing = Refusing
    Refusing.__module__ = "flakehunt_app"
    app.refusing = Refusing()
    app.odd = [Refusing(), {app.refusing: Refusing()}, unittest.mock.MagicMock()]
    app.odd.append(app.odd)
    app.__getattr__ = Refusing.__getattribute__
    for number, odd in enumerate([None, app.refusing, unittest.mock.MagicMock(), object(), 5]):
        monkeypatch.setitem(sys.modules, f"flakehunt_odd{number}", odd)
    snapshot = Snapshot.take()
    assert told(snapshot) == []
    app.odd[1][app.refusing] = 1
    app.odd[0] = Refusing()
    object.__setattr__(app.refusing, "x", 1)
    assert sorted(told(snapshot)) == [
        "changes flakehunt_app.odd", "sets flakehunt_app.odd[1][<Refusing>]", "sets flakehunt_app.refusing.x",
    ]  # fmt: skip


def test_keys_written_alike_have_paths_of_their_own(app: Any) -> None:
    snapshot = Snapshot.take()
    app.FLAGS.update({object(): 1, object(): 2})
    assert told(snapshot) == ["sets flakehunt_app.FLAGS[<object>]", "sets flakehunt_app.FLAGS[<object>] (2)"]


def test_huge_and_deep_things_are_left_alone(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app.huge, app.deep = [0] * 20_000, []
    inner = app.deep
    for _ in range(20):
        inner.append([])
        inner = inner[0]
    snapshot = Snapshot.take()
    app.huge.append(1)
    inner.append(1)
    assert told(snapshot) == []
    monkeypatch.setattr(walking, "OBJECTS", 0)
    snapshot = Snapshot.take()
    app.rows.append(1)
    app.LIMIT = 1
    assert told(snapshot) == ["sets flakehunt_app.LIMIT"]


def test_a_working_directory_that_is_gone_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    snapshot = Snapshot.take()
    os.chdir(tmp_path)
    assert told(snapshot) == ["changes the working directory"]


def test_nothing_of_pytest_itself_is_told(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest
        from pytest_flakehunt.state import Snapshot

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(item, nextitem):
            before = Snapshot.take(item.config.rootpath)
            result = yield
            for change in before.changes():
                print(f"\\ntold: {change.verb} {change.path}")
            return result
        """
    )
    pytester.makepyfile(
        """
        import logging, unittest, warnings, pytest

        state = {}

        def setup_module(): pass

        @pytest.fixture(scope="module")
        def made(): yield object()

        class TestClass:
            def setup_method(self): self.x = 1
            @pytest.mark.parametrize("n", [1, 2])
            def test_one(self, made, n, caplog, capsys, tmp_path, monkeypatch):
                monkeypatch.setenv("X", "1"); monkeypatch.chdir(tmp_path)
                caplog.set_level("DEBUG"); logging.info("told"); assert made

        class TestUnit(unittest.TestCase):
            def test_two(self): self.assertLogs
            @unittest.expectedFailure
            def test_three(self): assert [1] == [2]

        def test_last(): state["x"] = 1
        """
    )
    result = pytester.runpytest_subprocess("-s", "-p", "no:cacheprovider")
    lines = [line for line in result.outlines if line.startswith("told: ") and "imports" not in line]
    assert lines == ["told: sets test_nothing_of_pytest_itself_is_told.state['x']"]
