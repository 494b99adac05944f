"""Scratch folders that outlive their process: it is killed for real."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pytest_flakehunt.ground import claimed

CLAIMS = """
import time
from pytest_flakehunt.ground.claimed import Folder
folder = Folder()
print(folder.path, flush=True)
time.sleep(60)
"""


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_those_of_the_dead_go_and_all_others_stay(around: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", CLAIMS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        other = Path(process.stdout.readline().strip())
        (other / "3").mkdir()
        precious = around / "precious"
        for path in (precious, around / f"{claimed.PREFIX}unclaimed", around / "flakehunt-else"):
            path.mkdir()
        (precious / claimed.CLAIM).touch()
        (around / f"{claimed.PREFIX}link").symlink_to(precious)
        claimed.Folder().close()
        assert other.is_dir()
        process.kill()
    claimed.Folder().close()
    assert sorted(path.name for path in around.iterdir()) == [
        "flakehunt-else", f"{claimed.PREFIX}link", f"{claimed.PREFIX}unclaimed", "precious",
    ]  # fmt: skip
    assert (precious / claimed.CLAIM).exists()


def test_one_that_was_deleted_is_made_again_and_still_claimed(around: Path) -> None:
    folder = claimed.Folder()
    assert not folder.renew()
    (folder.path / claimed.CLAIM).unlink()
    folder.path.rmdir()
    assert not folder.cramped()
    assert folder.renew()
    claimed.clear(around)
    assert folder.path.is_dir()
    folder.close()
    assert not list(around.iterdir())
