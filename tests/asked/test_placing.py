"""What xdist's options say of where zygotes run."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from pytest_flakehunt.asked.placing import KEYS, Elsewhere, Placing, placing

Configured = Callable[..., pytest.Config]
PROXIES = tuple(map(int, version("pytest-xdist").split(".")[:2])) >= (3, 6)
"""Whether the installed pytest-xdist reaches machines through others."""


@pytest.fixture
def configured(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Configured:
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "6")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def made(*args: str) -> pytest.Config:
        return pytester.parseconfig("-pxdist.plugin", "-ppytest_flakehunt.plugin", *args)

    return made


A = Elsewhere("ssh=a//chdir=/srv/shop//env:LANG=C", 2, "/srv/shop", {"LANG": "C"}, here=False)
OTHER = Elsewhere("popen//python=/usr/bin/python3", 1, "", {}, here=True)
FAR = Elsewhere("popen//via=gate", 1, "", {}, here=False)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], Placing(6, grows=True)),
        (["--maxprocesses=3"], Placing(3)),
        (["-n3"], Placing(3)),
        (["-n0"], Placing(1)),
        (["--tx=popen"], Placing(1)),
        (["--tx=2*popen", "--tx=popen//id=x"], Placing(3)),
        ([f"--tx=2*{A.spec}"], Placing(0, (A,))),
        ([f"--tx={A.spec}", f"--tx={A.spec}", "-n4", "--maxprocesses=2"], Placing(2, (A,))),
        (["-n0", f"--tx=2*{A.spec}"], Placing(0, (A,))),
        ([f"--tx={OTHER.spec}", "--tx=popen"], Placing(1, (OTHER,))),
        pytest.param(
            ["--px=id=gate//ssh=a", f"--tx={FAR.spec}"],
            Placing(0, (FAR,), ("id=gate//ssh=a",)),
            marks=pytest.mark.skipif(not PROXIES, reason="this pytest-xdist has no --px"),
        ),
    ],
)
def test_n_counts_zygotes_here_and_tx_adds_others(configured: Configured, args: list[str], expected: Placing) -> None:
    assert placing(configured(*args)) == expected


@pytest.mark.parametrize(
    ("args", "refusal"),
    [
        (["--tx=0*popen"], "--tx=0*popen: give how many zygotes run there, 1 or more"),
        (["--tx=popen//colour=red"], f"--tx=popen//colour=red: colour is none of {', '.join(KEYS)}, env:NAME"),
        (["--tx=ssh=a//ssh=b"], "--tx=ssh=a//ssh=b: something is given twice; give it once"),
        *(
            (
                [f"--tx={spec}"],
                f"--tx={spec}: give one of popen, ssh=HOST, vagrant_ssh=BOX or socket=HOST:PORT, and further keys after //",
            )
            for spec in ("python=python3", "popen//ssh=a")
        ),
        (
            ["--tx=socket=8888"],
            "--tx=socket=8888: give the address of a socket server, such as socket=127.0.0.1:8888",
        ),
        (
            ["--tx=socket=a:1//python=x"],
            "--tx=socket=a:1//python=x: a socket server has one Python, that which runs it; leave python= out",
        ),
        (
            ["--tx=popen//env:PYTHONHASHSEED=1"],
            "--tx=popen//env:PYTHONHASHSEED=1: hash seeds are drawn; leave it out, or give "
            "--flakehunt-plan=hashseed=SEED",
        ),
        (
            ["--tx=ssh=a", "--rsyncdir=."],
            "--rsyncdir, rsyncdirs: a hunt copies nothing to other machines; bring the project there yourself, name its "
            "folder by chdir= in --tx if it is another, and leave these out",
        ),
    ],
)
def test_refusals_say_what_is_allowed(configured: Configured, args: list[str], refusal: str) -> None:
    with pytest.raises(pytest.UsageError) as raised:
        placing(configured(*args))
    assert str(raised.value) == refusal


def test_where_sweeps_must_not_meet_there_is_one_zygote(configured: Configured, monkeypatch: Any) -> None:
    monkeypatch.setattr("pytest_flakehunt.asked.takeover.apart", lambda config: ["approvaltests"])
    assert placing(configured("-n4", f"--tx={A.spec}")) == Placing(1)
    only = Elsewhere(A.spec, 1, A.chdir, A.environ, A.here)
    assert placing(configured(f"--tx=3*{A.spec}")) == Placing(0, (only,))
