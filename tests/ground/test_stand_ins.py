"""What stands in for the library's functions: the same to whoever looks, and gone without trace."""

import _thread
import asyncio
import functools
import glob
import importlib
import inspect
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from unittest import mock

import pytest

from pytest_flakehunt.ground.stand_ins import SUPPORTING, TABLE, Maker, standing
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.leaks.event_loops import EventLoops
from pytest_flakehunt.leaks.log import Log
from pytest_flakehunt.leaks.seeding import Seeding
from pytest_flakehunt.perturbations import foreign_clocks, random, rows, wall_clock
from pytest_flakehunt.perturbations.connections import Connections
from pytest_flakehunt.perturbations.eventloop import Scheduling
from pytest_flakehunt.perturbations.latency import Latency
from pytest_flakehunt.perturbations.listdir import Listing
from pytest_flakehunt.perturbations.network import Offline
from pytest_flakehunt.perturbations.pieces import Pieces
from pytest_flakehunt.perturbations.ports import Losing
from pytest_flakehunt.perturbations.random import Seed
from pytest_flakehunt.perturbations.resolution import Steps
from pytest_flakehunt.perturbations.threads import Switching


def all_makers() -> list[dict[str, Maker]]:
    """Give what each of our parts stands in for."""
    settings = (
        Latency(1),
        Offline(),
        Listing(1),
        Switching(1),
        Scheduling(1, shuffled=True),
        Seed(1),
        Pieces(1),
        Losing(1),
    )
    doors = EventLoops(Log(str)).stand_ins()
    return [
        *(dict(setting.stand_ins()) for setting in settings),
        dict(wall_clock.stand_ins(0.0)),
        dict(foreign_clocks.stand_ins()),
        dict(Connections(id).stand_ins()),
        dict(rows.stand_ins()),
        dict(Steps("1s").stand_ins()),
        dict(doors),
        dict(Seeding(Log(str)).stand_ins()),
        dict(random.AT_IMPORT),
    ]


MAKERS = {name: make for some in all_makers() for name, make in some.items()}
IN_C = {
    "builtins:open", "os:open", "os:fsync", "os:fdatasync", "os:listdir", "os:scandir", "os:stat", "os:lstat", "os:fstat", "os:read", "os:write", "os:urandom",
    "time:sleep", "sqlite3:connect", "socket:gethostbyname", "socket:gethostbyname_ex", "socket:gethostbyaddr", "_thread:start_new_thread", "_thread:start_new",
}  # fmt: skip
OFTEN_LOADED_ANEW = (
    "os",
    "io",
    "random",
    "time",
    "glob",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "_thread",
    "asyncio.base_events",
)
WATCHED = {"_thread", "threading:_start_new_thread"}
"""What is two names of one function, or holds it: where one was stood in for before, the other is another's."""


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.settings:
            pytest.skip(f"already under {plugin.plan}")
    asked = set(request.node.callspec.params.values()) if hasattr(request.node, "callspec") else set()
    if asked & WATCHED and isinstance(_thread.start_new_thread, FunctionType):
        pytest.skip("threads are watched for leaks already, as in every sweep of a hunt")


def parts(name: str) -> tuple[Any, str]:
    module, _, path = name.partition(":")
    owner: Any = importlib.import_module(module)
    *owners, attribute = path.split(".")
    for each in owners:
        owner = getattr(owner, each)
    return owner, attribute


@pytest.fixture(params=sorted(set(TABLE) & set(MAKERS)))
def name(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


def without_hooks(owner: Any) -> dict[str, Any]:
    """Give what something holds, but for what pytest puts there for each phase of a test."""
    return {name: value for name, value in vars(owner).items() if name != "excepthook"}


@pytest.fixture
def place(name: str) -> Iterator[tuple[Any, str]]:
    """Give what holds an attribute, and its name; see to it that nothing stays."""
    owner, attribute = parts(name)
    before = without_hooks(owner)
    sets = {each: set(getattr(os, each)) for each in SUPPORTING}
    yield owner, attribute
    assert without_hooks(owner) == before
    assert list(without_hooks(owner)) == list(before)
    assert {each: getattr(os, each) for each in SUPPORTING} == sets


def test_the_table_lists_them_all() -> None:
    before_3_12 = {"threading:_start_new_thread"}
    assert set(MAKERS) | before_3_12 == set(TABLE)


def test_it_bears_every_mark_of_what_it_stands_for(name: str, place: tuple[Any, str]) -> None:
    original = getattr(*place)
    pickled = pickle.dumps(original)
    with standing({name: MAKERS[name]}):
        ours = getattr(*place)
        assert inspect.isfunction(ours) or inspect.ismethod(original)
        assert ours is not original
        assert (ours.__name__, ours.__doc__) == (original.__name__, original.__doc__)
        assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(original)
        assert pickle.loads(pickle.dumps(ours)) is ours
        if name in IN_C or isinstance(original, FunctionType):
            assert (ours.__module__, ours.__qualname__) == (original.__module__, original.__qualname__)
            assert pickle.dumps(ours) == pickled
        assert signature(ours) == signature(original)
    assert getattr(*place) == original


def signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def test_mocks_go_on_top_and_off_again(name: str, place: tuple[Any, str]) -> None:
    original = getattr(*place)
    with standing({name: MAKERS[name]}):
        ours = getattr(*place)
        with mock.patch.object(*place) as mocked:
            assert getattr(*place) is mocked
        assert getattr(*place) is ours
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(*place, len)
            assert getattr(*place) is len
        assert getattr(*place) is ours
    assert getattr(*place) == original


def test_what_a_suite_puts_there_itself_stays(name: str, place: tuple[Any, str]) -> None:
    def theirs(*args: object) -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*place, theirs)
        with standing({name: MAKERS[name]}):
            assert getattr(*place) is theirs
    own = inspect.getattr_static(*place)
    inherited = place[1] not in vars(place[0])
    with standing({name: MAKERS[name]}):
        setattr(*place, theirs)
    assert getattr(*place) is theirs  # as after an ordinary run that leaves it
    delattr(*place) if inherited else setattr(*place, own)


@pytest.mark.parametrize("module", OFTEN_LOADED_ANEW)
def test_a_module_can_be_loaded_anew(module: str) -> None:
    pid = os.fork()
    if not pid:
        status = 1
        try:
            status = 0 if loaded_anew(module) else 2
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


def loaded_anew(name: str) -> bool:
    """Load a module anew while everything is stood in for; tell whether nothing of ours is left in it."""
    module = importlib.import_module(name)
    with standing(MAKERS):
        importlib.reload(module)
    left = [held for held in held_by(module) if held.__code__.co_filename.startswith(OURS)]
    sets = all(
        not isinstance(function, FunctionType)
        for each in SUPPORTING
        for function in getattr(os, each)
        if function is not os.fwalk
    )
    return sets and bool(os.listdir("/")) and not any("_flakehunt_off" not in vars(held) for held in left)  # noqa: PTH208 - on trial


OURS = str(Path(sys.modules["pytest_flakehunt"].__file__ or "").parent)


def held_by(module: ModuleType) -> Iterator[FunctionType]:
    for held in [
        *vars(module).values(),
        *(inner for kind in vars(module).values() if isinstance(kind, type) for inner in vars(kind).values()),
    ]:
        function = held.__func__ if isinstance(held, staticmethod) else held
        if isinstance(function, FunctionType):
            yield function


def test_whoever_keeps_one_has_the_original_by_another_name() -> None:
    with standing({"time:sleep": lambda _: lambda seconds: 1 / 0}):
        kept = time.sleep
        with pytest.raises(ZeroDivisionError):
            kept(0)
    kept(0)


def test_a_class_that_keeps_one_does_not_bind_it() -> None:
    with standing({"os:fsync": lambda _: lambda given: given}):

        class Keeper:
            sync: Any = os.fsync

        assert Keeper().sync(3) == 3 == Keeper.sync(3)


def test_instances_of_any_kind_are_told_from_arguments(tmp_path: Path) -> None:
    with standing({name: MAKERS[name] for name in ("builtins:open", "time:sleep")}):

        class Text(str):
            __slots__ = ()
            nap: Any = time.sleep

        class Place(os.PathLike[str]):
            opened: Any = open

            def __fspath__(self) -> str:
                return str(tmp_path / "a")

        Text("x").nap(0)
        with open(Place(), "w") as file:  # noqa: PTH123 - on trial
            file.write("x")
        assert Place().opened is not None


def test_what_kept_an_original_can_be_pickled() -> None:
    task = functools.partial(time.sleep, 0)
    listing = os.listdir
    with standing({name: MAKERS[name] for name in ("os:listdir", "time:sleep")}):
        assert pickle.loads(pickle.dumps(task)).func is time.sleep
        assert pickle.loads(pickle.dumps(listing)) is os.listdir
        assert pickle.loads(pickle.dumps([].append))(1) is None
    assert pickle.loads(pickle.dumps(listing)) is listing


def test_one_on_top_of_another_is_not_bound_either() -> None:
    with standing(random.STAND_INS), standing(random.STAND_INS):

        class Ids:
            draw: Any = os.urandom

        assert len(Ids().draw(4)) == 4


def test_annotations_are_the_originals() -> None:
    before = inspect.get_annotations(os.listdir), inspect.get_annotations(asyncio.BaseEventLoop.create_task)
    with standing(MAKERS):
        assert (
            inspect.get_annotations(os.listdir),
            inspect.get_annotations(asyncio.BaseEventLoop.create_task),
        ) == before


def test_pyfakefs_replaces_each_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = pytest.importorskip("pyfakefs.fake_filesystem_unittest")
    for kind in (getattr(glob, name, None) for name in ("_Globber", "_StringGlobber")):
        if "scandir" in vars(kind or object):  # it puts back what it found there, though that was lent
            monkeypatch.setattr(kind, "scandir", vars(kind)["scandir"])
    there = tmp_path / "there"
    files = {name: make for name, make in MAKERS.items() if name.startswith(("os:", "builtins:"))}
    with standing(files):
        with fake.Patcher() as patcher:
            patcher.fs.create_dir(there)
            with open(there / "one", "w") as file:  # noqa: PTH123 - on trial
                file.write("x")
            os.close(os.open(there / "two", os.O_CREAT | os.O_WRONLY))
            assert sorted(os.listdir(there)) == ["one", "two"]  # noqa: PTH208 - on trial
            assert sorted(entry.name for entry in os.scandir(there)) == ["one", "two"]
            assert os.stat(there / "one").st_size == 1  # noqa: PTH116 - on trial
        assert not there.exists()
