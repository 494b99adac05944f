"""What a small hunt left behind: the real things that examples are made from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SUITE = """
import os
import threading
import time

import pytest

SEEN = []


def test_first():
    SEEN.append(1)


def test_victim():
    assert not SEEN, "somebody was here: password='correct-horse-9'"


@pytest.mark.parametrize("word", ["plain", "b*c", "a]b", "ü \\u2028"])
def test_hashed(word):
    print("said by the test")
    assert list({"a", "b", "c", "d"})[0] != "a"


def test_cores():
    assert len(os.sched_getaffinity(0)) > 1


def test_leaks():
    threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()


def test_broken():
    raise KeyError("x")
"""
NAMES = (
    "ledger.sqlite",
    "report.json",
    "flakehunt-quarantine.toml",
    "shard-1-of-2.jsonl",
    "shard-2-of-2.jsonl",
    "test_a.py",
    "pytest.ini",
)


def made(folder: Path) -> Path:
    """Hunt once, where that was not done, and give the folder of what came of it."""
    found = folder / "materials"
    if all((found / name).exists() for name in NAMES):
        return found
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir(parents=True)
    (found / "test_a.py").write_text(SUITE, "utf-8")
    (found / "pytest.ini").write_text("[pytest]\n", "utf-8")
    _pytest(
        found,
        "--flakehunt=24",
        "--flakehunt-ledger=ledger.sqlite",
        "--flakehunt-json=report.json",
        "--flakehunt-diagnose=60",
        "--flakehunt-quarantine=update",
    )
    for index in (1, 2):
        more = (
            f"--flakehunt-shard={index}/2",
            f"--flakehunt-ledger=other{index}.sqlite",
            f"--flakehunt-journal=shard-{index}-of-2.jsonl",
        )
        _pytest(found, "--flakehunt=8", "--flakehunt-quarantine=off", *more)
    for name in NAMES:
        assert (found / name).exists(), f"the hunt left no {name}"
    return found


def _pytest(folder: Path, *words: str) -> None:
    plain = {name: text for name, text in os.environ.items() if name != "CI"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "--flakehunt-seed=7",
        "--flakehunt-annotate=none",
        *words,
    ]
    subprocess.run(command, cwd=folder, env=plain, check=False, timeout=600, stdout=subprocess.DEVNULL)
