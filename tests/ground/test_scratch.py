"""Folders of our own: in the sweep's place where there is one, and gone at the end."""

import os
from pathlib import Path

import pytest

from pytest_flakehunt.ground import scratch


def test_folders_lie_where_the_sweep_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_starts", [])
    scratch.begin(f"{tmp_path}/7")
    with scratch.folder() as one, scratch.folder() as other:
        assert one == f"{tmp_path.resolve()}/7.{os.getpid()}.0"
        assert other == f"{tmp_path.resolve()}/7.{os.getpid()}.1"
        Path(one, "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_without_a_sweep_a_folder_is_a_temporary_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_starts", [])
    with scratch.folder() as folder:
        assert "/flakehunt-" in folder
        assert list(Path(folder).iterdir()) == []
    assert not Path(folder).exists()
