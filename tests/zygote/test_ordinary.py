"""A child beside an ordinary process: what a test can see of where it runs is the same, but for a list with reasons."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

LOOKING = """
    import asyncio, faulthandler, gc, json, locale, logging, os, resource, signal, sys, tempfile, threading, time, warnings
    from pathlib import Path

    def descriptors():
        for number in sorted(map(int, os.listdir("/proc/self/fd"))):
            try: yield number, os.readlink(f"/proc/self/fd/{number}")
            except OSError: pass

    def test_it():
        main = sys.modules["__main__"]
        root = logging.root
        seen = {
            "collector": [gc.get_threshold(), gc.get_freeze_count(), gc.isenabled(), gc.get_debug(), len(gc.callbacks)],
            "young": gc.get_count()[0] < gc.get_threshold()[0],
            "standard streams": [os.get_inheritable(number) for number in range(3)] + [os.isatty(number) for number in range(3)],
            "signal handlers": {number: str(signal.getsignal(number)) for number in sorted(signal.valid_signals())},
            "native handlers": [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("SigCgt")],
            "ignored signals": [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("SigIgn")],
            "signal mask": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
            "wakeup": [signal.set_wakeup_fd(-1), signal.getitimer(signal.ITIMER_REAL)],
            "limits": {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")},
            "environment": {name: value for name, value in os.environ.items() if name != "SEEN"},
            "arguments": sys.argv[:1],
            "command": sys.orig_argv,
            "flags": [str(sys.flags), sys._xoptions, sys.warnoptions],
            "main": [main.__name__, getattr(main, "__file__", None), main.__package__, main.__doc__, getattr(main.__spec__, "name", None)],
            "threads": [[thread.name for thread in threading.enumerate()], threading.current_thread() is threading.main_thread()],
            "tasks": len(os.listdir("/proc/self/task")),
            "folder": [os.getcwd(), tempfile.gettempdir()],
            "path": sys.path,
            "process": [os.nice(0), sorted(os.sched_getaffinity(0)), os.umask(0o22)],
            "session": [os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid()],
            "children": Path(f"/proc/self/task/{os.getpid()}/children").read_text(),
            "locale": [locale.setlocale(locale.LC_ALL), time.tzname, sys.stdout.encoding, sys.stdout.errors],
            "interpreter": [sys.getswitchinterval(), sys.getrecursionlimit(), str(sys.getprofile()), str(sys.gettrace()), sys.get_int_max_str_digits()],
            "hooks": [sys.excepthook.__qualname__, sys.displayhook.__qualname__, faulthandler.is_enabled()],
            "finders": [getattr(each, "__name__", type(each).__name__) for each in sys.meta_path],
            "logging": [root.level, root.disabled, [type(each).__name__ for each in root.handlers]],
            "warnings": len(warnings.filters),
            "loops": [type(asyncio.get_event_loop_policy()).__name__ if sys.version_info < (3, 14) else ""],
            "descriptors": [number for number, _ in descriptors()],
        }
        with open(os.environ["SEEN"], "a") as file: file.write(json.dumps(seen) + "\\n")
"""
DIFFERENT = {
    "native handlers": "a real-time signal asks a hanging child for its stacks",
    "environment": "it looks like a worker of xdist, so that databases and ports are kept apart",
    "command": "it was started by the hunt",
    "session": "it leads a session of its own, so that all it starts can be ended",
    "descriptors": "the journal, the file for stacks, and the log of what is printed past pytest are open",
}
"""What is not the same, and why."""


@pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")
@pytest.mark.isolations
def test_a_child_looks_like_an_ordinary_process(
    pytester: pytest.Pytester, hunt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(LOOKING)
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\n")
    seen = []
    for name in ("ordinary", "hunted"):
        path = pytester.path / name
        monkeypatch.setenv("SEEN", str(path))
        if name == "ordinary":
            monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            pytester.runpytest_subprocess("-pxdist.plugin", "-ppytest_flakehunt.plugin").assert_outcomes(passed=1)
        else:
            assert hunt("-n1", "--flakehunt-only=heap", sweeps=1).result.ret == 0
        seen.append(json.loads(path.read_text("utf-8")))
    ordinary, child = seen
    different = {name for name, value in ordinary.items() if child[name] != value}
    assert different <= set(DIFFERENT), {name: (ordinary[name], child[name]) for name in different - set(DIFFERENT)}
    added = child["environment"].keys() ^ ordinary["environment"].keys()
    assert all(name.startswith("PYTEST_XDIST_") for name in added - {"PYTHONHASHSEED"})
    taken = child["native handlers"][0], ordinary["native handlers"][0]
    assert (int(taken[0], 16) ^ int(taken[1], 16)).bit_count() <= 1


@pytest.mark.thorough
def test_the_collector_has_got_as_far_as_in_an_ordinary_process(
    pytester: pytest.Pytester, hunt: Callable[..., Any]
) -> None:
    pytester.makepyfile(
        test_it="""
        import gc
        from pathlib import Path
        def test_it():
            with Path(__file__).with_name("counts").open("a") as file: file.write(f"{gc.get_count()[2]}\\n")
        """
    )
    hunt("--flakehunt-only=heap", sweeps=8)
    lines = pytester.path.joinpath("counts").read_text().split()
    assert len(lines) == 8
    assert all(int(line) > 0 for line in lines)  # right after a full collection it would be 0
