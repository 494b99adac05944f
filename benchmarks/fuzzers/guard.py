"""What foreign input may not bring about: watched while one example is read."""

import contextlib
import io
import os
import re
import resource
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

LONGEST, MOST_MEMORY, ENOUGH = 8.0, 3 * 2**30, 60.0
"""Seconds of CPU that one command may take, bytes of address space, and seconds of CPU after which a hang is cut short."""
STARTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
)
CHANGES = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.symlink",
    "os.link",
    "os.chmod",
    "os.truncate",
    "shutil.rmtree",
)
REACHES = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "pickle.find_class",
    "sqlite3.load_extension",
    "ctypes.dlopen",
)
OPTIONS = ("--flakehunt", "--rootdir=")
WORDS = (
    "-q",
    "-m",
    "pytest",
    "--collect-only",
    "-p",
    "pytest_flakehunt.quarantine.collecting",
    "-o",
    "console_output_style=classic",
)


class Fault(NamedTuple):
    """One thing that should not have been."""

    kind: str
    where: str
    told: str

    @property
    def name(self) -> str:
        """What tells it from others."""
        return f"{self.kind} {self.where}"


class Slow(BaseException):
    """It was cut short."""


class Guard:
    """Watches one process: set up once, as no audit hook can be taken away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.faults: list[Fault] = []
        self.watching = False
        self.ended: Counter[str] = Counter()
        """How often it was taken, and refused."""
        self.started: list[list[str]] = []
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        signal.signal(signal.SIGVTALRM, self._alarm)
        sys.addaudithook(self._seen)
        subprocess.Popen = self._popen  # type: ignore[assignment, misc]

    def _alarm(self, *_: object) -> None:
        raise Slow

    def _popen(self, words: Any, *_: Any, **more: Any) -> Any:
        """Take down what would have been started, and start nothing."""
        told = [os.fsdecode(word) for word in ([words] if isinstance(words, str | bytes) else words)]
        self.started.append(told)
        if more.get("shell"):
            self._fault("a shell", told[0])
        self.judge(told)
        raise FileNotFoundError(2, "nothing is started here", told[0])

    def judge(self, told: list[str]) -> None:
        """Look at the words that pytest would be started with."""
        if any("\0" in word for word in told):
            self._fault("a word with a zero", repr(told)[:300])
        if told[0] == "git":
            return
        if Path(told[0]).name != Path(sys.executable).name:
            self._fault("another program", told[0])
        for word in told[1:]:
            if word.startswith(OPTIONS) or word in WORDS or re.fullmatch(r"-n\d{1,4}", word):
                continue
            if word.startswith(("-", "@", "/")) or ".." in word.partition("::")[0].split("/"):
                self._fault("a word for pytest", word[:300])

    def _fault(self, kind: str, told: str) -> None:
        self.faults.append(Fault(kind, _ours(traceback.extract_stack()), told))

    def _inside(self, path: Any) -> bool:
        try:
            return Path(os.fsdecode(path)).resolve().is_relative_to(self.folder)
        except (TypeError, ValueError, OSError):
            return True

    def _seen(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.watching:
            return
        if event in STARTS or event in REACHES:
            self.watching = False
            self._fault(event, repr(args)[:300])
            self.watching = True
        elif event == "open":
            path, _, flags = args
            if isinstance(path, int) or not (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
            if not self._inside(path) and os.fsdecode(path) != os.devnull:
                self._fault("writes outside", repr(path))
        elif event in CHANGES and not all(self._inside(path) for path in args[:1]):
            self._fault("changes outside", f"{event} {args[:2]!r}")

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        signal.setitimer(signal.ITIMER_VIRTUAL, ENOUGH)
        self.watching = True
        try:
            yield
        finally:
            self.watching = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def run(self, name: str, read: Callable[[], Any], allowed: tuple[type[BaseException], ...] = ()) -> tuple[Any, str]:
        """Run one thing; give what it gives, and what it wrote."""
        out, err = io.StringIO(), io.StringIO()
        before, status = os.times(), None
        try:
            with self._limited(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = read()
        except Slow as error:
            self.faults.append(Fault("hangs", _ours(traceback.extract_tb(error.__traceback__)), name))
        except SystemExit as error:
            status = error.code
        except allowed as error:
            from pytest_flakehunt.reports.words import safe

            err.write(f"flakehunt: {safe(str(error))}")
            status = 2
        except BaseException as error:  # noqa: BLE001 - whatever it is
            where = _ours(traceback.extract_tb(error.__traceback__))
            self.faults.append(Fault(type(error).__name__, where, f"{name}\n{traceback.format_exc()[-4000:]}"))
        took = sum(os.times()[:2]) - sum(before[:2])
        if took > LONGEST:
            self.faults.append(Fault("slow", name, f"{took:.1f} s of CPU"))
        self.ended["refused" if status == 2 else "taken"] += 1
        self._said(name, status, out.getvalue(), err.getvalue())
        return status, out.getvalue()

    def _said(self, name: str, status: Any, out: str, err: str) -> None:
        if status == 2 and "flakehunt: " not in err and "usage: " not in err:
            self.faults.append(Fault("says nothing", name, err[:300]))
        if len(err) > 20_000:
            self.faults.append(Fault("says too much", name, err[:300]))
        for text in (out, err):
            odd = [letter for letter in text if letter not in "\n\t" and not letter.isprintable()]
            if odd:
                self.faults.append(Fault("writes control characters", name, f"{odd[:9]!r} in {text[:2000]!r}"))
            if any(line.lstrip().startswith("::") or "##[" in line or "##vso[" in line for line in text.splitlines()):
                self.faults.append(Fault("writes a command of a CI service", name, text[:3000]))


def _ours(stack: traceback.StackSummary) -> str:
    """Name the innermost line of ours."""
    for frame in reversed(stack):
        if "pytest_flakehunt" in frame.filename:
            return f"{frame.filename.rpartition('pytest_flakehunt/')[2]}:{frame.name}"
    return "elsewhere"
