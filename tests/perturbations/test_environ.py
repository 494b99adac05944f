"""What is set up differently on another machine: one thing at a time, the suite's own left alone, all put back."""

# ruff: noqa: PTH109, PTH118 - paths as text are what these are about

import argparse
import getpass
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import process, util
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.ground import scratch
from pytest_flakehunt.ground.umask import umask
from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import SettingError
from pytest_flakehunt.perturbations import environ
from pytest_flakehunt.perturbations.environ import Difference, Differences

PYTHON = [sys.executable, "-c"]


def home_now() -> str:
    return os.path.expanduser("~")  # noqa: PTH111 - as most code asks


@contextmanager
def under(text: str) -> Iterator[None]:
    with Differences().read(text).held():
        yield


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"environ"}:
            pytest.skip(f"already under {plugin.plan}")
    # whoever runs these tests may have set something by now
    monkeypatch.setattr(environ, "AT_START", {name: os.environ.get(name) for name in environ.VARIABLES})
    monkeypatch.setattr(environ, "MASK_AT_START", umask())


@pytest.fixture
def lent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a sweep keeps what is its own."""
    monkeypatch.setattr(scratch, "_starts", [f"{tmp_path}/7"])
    return tmp_path


def told(code: str) -> str:
    return subprocess.run([*PYTHON, code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("text", [*environ.ONES, "COLUMNS=20", "COLUMNS=400"])
def test_everything_is_put_back(text: str, lent: Path) -> None:
    before = dict(os.environ), umask(), tempfile.tempdir, tempfile.gettempdir(), dict(process.current_process()._config)  # type: ignore[attr-defined]
    before = (*before[:2], tempfile.tempdir, *before[3:])
    with under(text):
        if Differences().read(text).differs():
            assert (dict(os.environ), umask()) != before[:2]
    after = dict(os.environ), umask(), tempfile.tempdir, tempfile.gettempdir(), dict(process.current_process()._config)  # type: ignore[attr-defined]
    assert after == before
    assert list(lent.iterdir()) == []


@pytest.mark.parametrize("text", ["COLUMNS=40", "LINES=10", "TERM=dumb", "NO_COLOR=1", "FORCE_COLOR=1", "CI=true"])
def test_a_variable_is_set_here_and_in_what_is_started(text: str) -> None:
    name, _, value = text.partition("=")
    with under(text):
        assert os.environ[name] == value
        assert told(f"import os; print(os.environ[{name!r}])") == value


def test_a_narrow_terminal_wraps_help() -> None:
    with under("COLUMNS=40"):
        parser = argparse.ArgumentParser()
        parser.add_argument("--verbose", help="say what is fetched, and from where")
        assert max(map(len, parser.format_help().splitlines())) < 40
        assert shutil.get_terminal_size().columns == 40


@pytest.mark.parametrize(("mask", "mode"), [("077", 0o600), ("002", 0o664)])
def test_a_mask_decides_on_modes(mask: str, mode: int, tmp_path: Path) -> None:
    with under(f"umask={mask}"):
        (tmp_path / "file").touch()
        assert told(f"import os; print('%03o' % os.umask({mode}))") == mask
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_an_empty_home_is_empty_and_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    before = home_now()
    folders = {"XDG_CACHE_HOME": f"{before}/.cache", "XDG_DATA_HOME": "/srv/data"}
    for name, folder in folders.items():
        monkeypatch.setenv(name, folder)
    monkeypatch.setattr(environ, "AT_START", {**environ.AT_START, **folders})
    with under("HOME=empty"):
        home = Path.home()
        assert str(home) == os.environ["HOME"] != before
        assert list(home.iterdir()) == []
        (home / ".fetchrc").touch()
        assert "XDG_CACHE_HOME" not in os.environ
        assert os.environ["XDG_DATA_HOME"] == "/srv/data"
        assert told("from pathlib import Path; print(Path('~/.fetchrc').expanduser().exists())") == "True"
    assert not home.exists()


def test_what_the_user_has_installed_for_python_stays_installed() -> None:
    code = "import site; print(site.getusersitepackages())"
    before = told(code)
    import site

    enabled, site.ENABLE_USER_SITE = site.ENABLE_USER_SITE, True
    try:
        with under("HOME=empty"):
            assert told(code) == before
    finally:
        site.ENABLE_USER_SITE = enabled


def test_a_home_that_cannot_be_written_has_no_right_to_it() -> None:
    with under("HOME=readonly"):
        assert stat.S_IMODE(Path.home().stat().st_mode) == 0o500
        if os.geteuid():
            with pytest.raises(PermissionError):
                (Path.home() / "file").touch()


def test_nobody_says_who_the_user_is(monkeypatch: pytest.MonkeyPatch) -> None:
    user = told("import os, pwd; print(pwd.getpwuid(os.getuid()).pw_name)")
    monkeypatch.setenv("LOGNAME", "somebody")
    monkeypatch.setattr(environ, "AT_START", {**environ.AT_START, "LOGNAME": "somebody"})
    assert getpass.getuser() == "somebody"
    with under("USER=unset"):
        assert not any(name in os.environ for name in ("USER", "LOGNAME", "USERNAME", "LNAME"))
        assert getpass.getuser() == user
    assert getpass.getuser() == "somebody"


def test_temporary_files_lie_behind_a_link() -> None:
    with under("TMPDIR=link"), tempfile.TemporaryDirectory() as folder:
        assert Path(folder).resolve() != Path(folder)
        assert Path(folder).parent == Path(tempfile.gettempdir())
        assert Path(tempfile.gettempdir()).is_symlink()
        assert told("import tempfile; print(tempfile.gettempdir())") == tempfile.gettempdir() == os.environ["TMPDIR"]


def test_temporary_files_lie_in_a_folder_with_a_space() -> None:
    with under("TMPDIR=space"), tempfile.NamedTemporaryFile() as file:
        assert " " in file.name
        tempfile.tempdir = None  # as some tests do, to have it looked for anew
        assert " " in tempfile.gettempdir()


def test_no_socket_has_room_in_a_long_folder_but_those_of_multiprocessing_have() -> None:
    with under("TMPDIR=long"):
        folder = tempfile.mkdtemp()
        assert bound(f"{folder}/s") == "AF_UNIX path too long"
        assert bound(os.path.join(util.get_temp_dir(), "listener-12345678")) == ""
        assert told("import tempfile; print(tempfile.gettempdir())") == tempfile.gettempdir()


def bound(address: str) -> str:
    with socket.socket(socket.AF_UNIX) as listening:
        try:
            listening.bind(address)
        except OSError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("text", ["TMPDIR=long", "TMPDIR=link", "TMPDIR=space"])
def test_multiprocessing_has_nothing_to_clear_when_the_folder_is_gone(text: str) -> None:
    settled = process.current_process()._config  # type: ignore[attr-defined]
    if "tempdir" in settled:
        pytest.skip("it has a folder already")
    with under(text):
        assert Path(util.get_temp_dir()).is_dir()
    assert "tempdir" not in settled
    assert not any("_remove_temp_dir" in repr(finalizer) for finalizer in util._finalizer_registry.values())  # type: ignore[attr-defined]


def test_tmp_path_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_DEBUG_TEMPROOT", raising=False)
    before = tempfile.gettempdir()
    with under("TMPDIR=long"):
        assert os.environ["PYTEST_DEBUG_TEMPROOT"] == before
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", "/somewhere")
    with under("TMPDIR=link"):
        assert os.environ["PYTEST_DEBUG_TEMPROOT"] == "/somewhere"


@pytest.mark.parametrize("text", ["COLUMNS=40", "HOME=empty", "USER=unset", "TMPDIR=link", "umask=077"])
def test_what_the_suite_sets_as_it_is_imported_stays(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Differences().read(text)
    before = os.umask(0o027) if setting.thing == "umask" else None
    try:
        if before is None:
            monkeypatch.setenv("LOGNAME" if setting.thing == "USER" else setting.thing, "/tmp")
        assert setting.withdrawn() == f"the suite sets {setting.thing} itself as it is imported"
        held = dict(os.environ), umask(), tempfile.gettempdir()
        with setting.held():
            assert (dict(os.environ), umask(), tempfile.gettempdir()) == held
        assert all(str(setting) != str(Differences().draw(3, turn)) for turn in range(len(environ.ONES)))
    finally:
        if before is not None:
            os.umask(before)


def test_a_folder_that_the_suite_gives_to_tempfile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with under("TMPDIR=long"):
        assert tempfile.gettempdir() == str(tmp_path)
    assert tempfile.tempdir == str(tmp_path)


def test_what_a_test_sets_itself_is_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with under("COLUMNS=40"), monkeypatch.context() as patch:
        patch.setenv("COLUMNS", "100")
        assert shutil.get_terminal_size().columns == 100
    with under("HOME=empty"), monkeypatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        assert Path.home() == tmp_path


@pytest.mark.parametrize("text", [*environ.ONES, "COLUMNS=20", "COLUMNS=93", "COLUMNS=400"])
def test_what_is_written_is_read_back(text: str) -> None:
    setting = Differences().read(text)
    assert str(setting) == text
    assert all(Differences().read(str(simpler)) == simpler for simpler in setting.simpler())
    assert setting not in setting.simpler()


@pytest.mark.parametrize(
    "text", ["COLUMNS=19", "COLUMNS=401", "COLUMNS=040", "COLUMNS=wide", "COLUMNS", "HOME=/", "PATH=", "umask=000", "="]
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(SettingError) as refusal:
        Differences().read(text)
    assert str(refusal.value) == (
        f"environ={text}: give TMPDIR=long, umask=077, HOME=empty, NO_COLOR=1, TMPDIR=link, USER=unset, TERM=dumb, "
        "CI=true, TMPDIR=space, FORCE_COLOR=1, umask=002, LINES=10, HOME=readonly, or COLUMNS=20 to COLUMNS=400"
    )


def test_simpler_settings_disturb_less() -> None:
    assert [str(setting) for setting in Difference("COLUMNS", "40").simpler()] == [
        "COLUMNS=80", "COLUMNS=70", "COLUMNS=60", "COLUMNS=50"
    ]  # fmt: skip
    assert [str(setting) for setting in Difference("COLUMNS", "115").simpler()] == [
        "COLUMNS=90", "COLUMNS=100", "COLUMNS=110"
    ]  # fmt: skip
    assert [str(setting) for setting in Difference("umask", "077").simpler()] == ["umask=002"]
    assert [str(setting) for setting in Difference("TMPDIR", "long").simpler()] == ["TMPDIR=link"]
    assert Difference("CI", "true").simpler() == []


def test_what_is_drawn_makes_a_difference_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR"):
        monkeypatch.setenv(name, {"CI": "true", "NO_COLOR": "1"}[name])
        monkeypatch.setattr(environ, "AT_START", {**environ.AT_START, name: os.environ[name]})
    drawn = [str(Differences().draw(5, turn)) for turn in range(40)]
    assert drawn[:2] == ["COLUMNS=40", "TMPDIR=long"]
    assert not {"CI=true", "NO_COLOR=1"} & set(drawn)
    assert ("HOME=readonly" in drawn) == (os.geteuid() != 0)
    assert len(set(drawn)) > 8


def test_a_failure_that_comes_of_what_was_read_at_import_says_nothing_of_its_test() -> None:
    knows = "it still knows the home that the machine had as the suite was imported"
    setting, home = Difference("HOME", "empty"), home_now()

    def disputed(text: str) -> str:
        return setting.disputed(AssertionError(text), None)

    with setting.held():
        assert disputed(f"assert '{home}/.fetchrc' == '{home_now()}/.fetchrc'") == knows
        assert setting.disputed(FileNotFoundError(2, "No such file", f"{home}/.fetchrc"), None) == knows
        assert disputed(f"assert '{home_now()}/.fetchrc' is None") == ""
        assert disputed(f"no {os.getcwd()}/.fetchrc") == ""
        assert disputed(f"no {sys.prefix}/.fetchrc") == ""
        assert disputed(f"no {home}-of-others") == ""
    assert Difference("CI", "true").disputed(AssertionError(home), None) == ""


def test_a_global_that_was_read_from_the_machine_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("import tempfile\nFOLDER = tempfile.gettempdir()\n")
    monkeypatch.syspath_prepend(tmp_path)
    import settings  # type: ignore[import-not-found]

    monkeypatch.delitem(sys.modules, "settings")
    monkeypatch.setitem(sys.modules, "settings", settings)
    setting = Difference("TMPDIR", "link")
    with setting.held():
        assert setting.disputed(AssertionError(), None) == (
            "settings.FOLDER was read from the machine as the suite was imported"
        )
        settings.FOLDER = "/somewhere"
        assert setting.disputed(AssertionError(), None) == ""


def test_a_sweep_moves_temporary_files_and_nothing_of_pytests_own(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        """
        import os, tempfile
        def test_is_given_a_folder(tmp_path):
            assert "link" not in str(tmp_path)
            tempfile.TemporaryFile().close()
        def test_is_where_it_says():
            with tempfile.TemporaryDirectory() as folder:
                assert os.path.realpath(folder) == folder, "is" + " a link"
        """
    )
    found = hunt("--flakehunt-plan=environ=TMPDIR=link", sweeps=2)
    assert found.verdicts == {"test_is_given_a_folder": "steady", "test_is_where_it_says": "fragile"}
    assert found.mode("test_is_where_it_says")["repro"].endswith(" --flakehunt-plan=environ=TMPDIR=link")
