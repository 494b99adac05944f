import subprocess
import sys

import pytest


def test_output(fp):
    fp.register(["shop", "price"], stdout="3\n")
    assert subprocess.check_output(["shop", "price"], text=True) == "3\n"


def test_status(fp):
    fp.register(["shop"], returncode=2)
    assert subprocess.run(["shop"], check=False).returncode == 2


def test_unknown(fp):
    with pytest.raises(fp.exceptions.ProcessNotRegisteredError):
        subprocess.run(["other"], check=False)


def test_twice(fp):
    fp.register(["shop"], occurrences=2)
    for _ in range(2):
        subprocess.run(["shop"], check=True)
    assert fp.call_count(["shop"]) == 2


def test_allowed(fp):
    fp.allow_unregistered(True)
    assert subprocess.check_output([sys.executable, "-c", "print(3)"]) == b"3\n"


def test_real():
    assert subprocess.run([sys.executable, "-c", "raise SystemExit(3)"], check=False).returncode == 3
