"""What is set up differently on another machine, one thing at a time: widths, homes, names, folders, modes."""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from pytest_flakehunt.ground import project, scratch
from pytest_flakehunt.ground.failing import message_of
from pytest_flakehunt.ground.umask import umask
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations.replacing import replaced, set_variable

UMASK = "umask"
"""The one thing that is no variable."""
NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")
"""Variables that ``getpass`` asks who the user is."""
FOLDERS = ("TMPDIR", "TEMP", "TMP")
"""Variables that ``tempfile`` asks where to put files."""
WITHIN_HOME = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
"""Variables that may name folders in the home."""
TOGETHER: Mapping[str, tuple[str, ...]] = {"USER": NAMES, "TMPDIR": FOLDERS, "HOME": ("HOME", *WITHIN_HOME)}
"""Variables that say the same thing: the suite's whole where it has set one."""
NARROWEST, WIDEST = 20, 400
ONES = (
    "COLUMNS=40",
    "TMPDIR=long",
    "umask=077",
    "HOME=empty",
    "NO_COLOR=1",
    "TMPDIR=link",
    "USER=unset",
    "TERM=dumb",
    "CI=true",
    "TMPDIR=space",
    "COLUMNS=200",
    "FORCE_COLOR=1",
    "umask=002",
    "LINES=10",
    "HOME=readonly",
)
"""The most telling first."""
OTHERS = tuple(one for one in ONES if not one.startswith("COLUMNS"))
LONG = 120
"""Bytes of a folder's path in which no socket has room: an address has 108 at most."""
LONG_NAME = "a-folder-whose-name-is-long"
VARIABLES = ("COLUMNS", "LINES", "TERM", "NO_COLOR", "FORCE_COLOR", "CI", *TOGETHER["HOME"], *NAMES, *FOLDERS)
AT_START: Mapping[str, str | None] = {name: os.environ.get(name) for name in VARIABLES}
"""Variables before the suite was imported."""
MASK_AT_START = umask()
_machines_folder: list[str] = []
"""Where temporary files lie but for us."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing as another machine may have it; what the suite sets itself stays as it is."""

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 1.0
    from_start: ClassVar[bool] = True
    """No process meets a change of it."""
    thing: str
    """A variable, or ``umask``."""
    value: str
    """What it is there: the variable's value, the mask, or what kind of folder it names."""

    def __str__(self) -> str:
        return f"{self.thing}={self.value}"

    def simpler(self) -> list["Difference"]:
        """Give those that are nearer to what most machines have: a wider terminal, a milder mask or folder."""
        match self.thing, self.value:
            case "COLUMNS", value:
                widths = range(80, int(value), -10) if int(value) < 80 else range(90, int(value), 10)
                return [Difference(self.thing, str(width)) for width in widths if width != int(value)]
            case "umask", "077":
                return [Difference(self.thing, "002")]
            case "TMPDIR", "long" | "space":
                return [Difference(self.thing, "link")]
            case "HOME", "readonly" if os.geteuid():
                return [Difference(self.thing, "empty")]
        return []

    @property
    def graded(self) -> bool:
        """Some tests need one width, or one folder."""
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let it be so in this process, and in those that it starts."""
        if self.withdrawn():
            yield
            return
        with WAYS.get(self.thing, _variable)(self):
            yield

    def held_at_import(self) -> AbstractContextManager[None]:
        """Let it be so while the suite is imported: where a machine has it, it has it from the start."""
        return self.held()

    def withdrawn(self) -> str:
        """Say why it is none of the machine's business here; empty where it is."""
        if self.thing == UMASK:
            settled = umask() != MASK_AT_START
        else:
            settled = any(os.environ.get(name) != AT_START[name] for name in TOGETHER.get(self.thing, (self.thing,)))
            settled |= self.thing == "TMPDIR" and tempfile.tempdir not in {None, default_folder()}
        return f"the suite sets {self.thing} itself as it is imported" if settled else ""

    def differs(self) -> bool:
        """Tell whether this machine has it otherwise."""
        match self.thing, self.value:
            case "umask", value:
                return umask() != int(value, 8)
            case "USER", _:
                return any(name in os.environ for name in NAMES)
            case "HOME", "readonly":
                return os.geteuid() != 0  # root writes everywhere
            case thing, value:
                return os.environ.get(thing) != value

    def disputed(self, error: BaseException, test: object) -> str:
        """Say what the suite has read as it was imported: on another machine that would differ too."""
        del test
        if self.thing == "HOME" and (home := (AT_START["HOME"] or "").rstrip("/")):
            if any(_of_home(path, home) for path in re.findall(rf"{re.escape(home)}[^\s'\"]*", message_of(error))):
                return "it still knows the home that the machine had as the suite was imported"
            return _kept(lambda path: _of_home(path, home), home)
        if self.thing == "TMPDIR" and _machines_folder:
            return _kept(lambda path: path == _machines_folder[0], _machines_folder[0])
        return ""


def _of_home(path: str, home: str) -> bool:
    """Tell whether a path was made from the home: code may lie there as well, and what is lent."""
    if path.rstrip("/") == home:
        return True
    code = os.getcwd(), sys.prefix, sys.base_prefix, *sys.path  # noqa: PTH109 - a plain path
    others = *code, os.environ.get("HOME"), tempfile.gettempdir()
    return path.startswith(f"{home}/") and not any(f"{path}/".startswith(f"{other}/") for other in others if other)


def _kept(matches: Callable[[str], bool], literal: str) -> str:
    """Name a global of the project's that was read from the machine, unless it is written there; empty for none."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or not project.owns(file):
            continue
        for attribute, value in list(vars(module).items()):
            if type(value) is str or isinstance(value, PurePath):
                path = str(value)
                if matches(path) and not any(f'"{literal}' in line or f"'{literal}" in line for line in _lines(file)):
                    return f"{name}.{attribute} was read from the machine as the suite was imported"
    return ""


_lines = project.lines


def default_folder() -> str:
    """Give the folder that ``tempfile`` would find now."""
    with replaced(tempfile, "tempdir", None):
        return tempfile.gettempdir()


def _variable(setting: Difference) -> AbstractContextManager[None]:
    return set_variable(setting.thing, setting.value)


@contextmanager
def _masked(setting: Difference) -> Iterator[None]:
    before = os.umask(int(setting.value, 8))
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _unset(_: Difference) -> Iterator[None]:
    with ExitStack() as undo:
        for name in NAMES:
            undo.enter_context(set_variable(name, None))
        yield


@contextmanager
def _other_home(setting: Difference) -> Iterator[None]:
    """Give an empty home; what the user has installed for Python stays installed."""
    import site

    home = os.environ.get("HOME", "")
    with scratch.folder() as folder, ExitStack() as undo:
        for name in WITHIN_HOME:
            if home and os.environ.get(name, "").startswith(f"{home}/"):
                undo.enter_context(set_variable(name, None))
        if site.ENABLE_USER_SITE and "PYTHONUSERBASE" not in os.environ:
            undo.enter_context(set_variable("PYTHONUSERBASE", site.getuserbase()))
        if setting.value == "readonly":
            os.chmod(folder, 0o500)  # noqa: PTH101 - a plain path
        undo.enter_context(set_variable("HOME", folder))
        yield


@contextmanager
def _other_folder(setting: Difference) -> Iterator[None]:
    """Give another folder for temporary files, to those who ask from now on; ``tmp_path`` stays where it is."""
    machines = default_folder()
    _machines_folder[:] = [machines]
    with scratch.folder() as around, ExitStack() as undo:
        folder = f"{around}/{'a folder' if setting.value == 'space' else 'folder'}"
        os.mkdir(folder)  # noqa: PTH102 - a plain path
        if setting.value == "link":
            os.symlink(folder, f"{around}/link")  # noqa: PTH211 - a plain path
            folder = f"{around}/link"
        elif setting.value == "long":
            while len(os.fsencode(folder)) < LONG:
                folder = f"{folder}/{LONG_NAME}"
            os.makedirs(folder)  # noqa: PTH103 - a plain path
        _apart_for_multiprocessing(around, undo)
        if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
            undo.enter_context(set_variable("PYTEST_DEBUG_TEMPROOT", machines))
        for name in FOLDERS:
            undo.enter_context(set_variable(name, folder if name == "TMPDIR" else None))
        undo.enter_context(replaced(tempfile, "tempdir", folder))
        yield


def _apart_for_multiprocessing(folder: str, undo: ExitStack) -> None:
    """Leave room for its sockets, as it takes any folder for short; nor may it clear one that is gone at exit."""
    from multiprocessing import process

    settled = process.current_process()._config  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
    if "tempdir" not in settled:
        settled["tempdir"] = folder
        undo.callback(settled.pop, "tempdir", None)


WAYS: Mapping[str, Callable[[Difference], AbstractContextManager[None]]] = {
    UMASK: _masked,
    "USER": _unset,
    "HOME": _other_home,
    "TMPDIR": _other_folder,
}
"""How those are held that are more than one variable with a value."""


class Differences:
    """What is set up differently on another machine: one variable, folder or mask at a time."""

    name = "environ"
    allowed = f"{', '.join(OTHERS)}, or COLUMNS={NARROWEST} to COLUMNS={WIDEST}"

    @property
    def unavailable(self) -> str:
        """Say why nothing of it can be set here; empty where it can."""
        return (
            ""
            if os.name == "posix" and hasattr(os, "geteuid")
            else "it knows what differs between machines of the Unix kind only"
        )

    def draw(self, seed: int, turn: int) -> Difference:
        """The most telling first, then any: of those that are otherwise here, and that the suite leaves alone."""
        settings = [self.read(one) for one in ONES]
        settings = [setting for setting in settings if setting.differs() and not setting.withdrawn()] or settings
        return settings[turn] if turn < len(settings) else settings[seed % len(settings)]

    def read(self, text: str) -> Difference:
        """Read what differs, and how."""
        thing, _, value = text.partition("=")
        width = thing == "COLUMNS" and re.fullmatch(r"[1-9]\d{1,2}", value, re.ASCII)
        if text not in OTHERS and not (width and NARROWEST <= int(value) <= WIDEST):
            raise SettingError(f"environ={text}: give {self.allowed}")
        return Difference(thing, value)
