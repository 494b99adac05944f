"""Programs that run in sessions of their own, so that an interruption reaches them once and they may end in order."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

PATIENCE = 20.0
"""Seconds that a program may take to end once it was interrupted."""


class Ended(NamedTuple):
    """How a program ended."""

    status: int
    out: str
    err: str

    def tail(self, most: int) -> str:
        """Give the last lines it wrote, of its errors if there are any.

        Args:
            most: of them.
        """
        return "\n".join((_lines(self.err) or _lines(self.out))[-most:]) or NOTHING


NOTHING = "it said nothing"


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str], longest: float) -> Ended:
    """Run a program to its end.

    What it leaves running in the background does not hold this up: its
    output goes to files, not to pipes that somebody may hold open.

    Args:
        command: its words.
        folder: where it is run.
        environ: its environment.
        longest: seconds that it may take.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it took too long, and was ended.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(  # noqa: S603 - what the user asked for, without a shell
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        try:
            status = process.wait(longest)
        except BaseException:
            _end(process)
            raise
        return Ended(status, *(_read(file) for file in (out, err)))


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program: by an interruption, as by hand, and by force where it does not listen."""
    if sys.platform == "win32":  # the console has interrupted it already
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
