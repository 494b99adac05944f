"""What runs first on another machine: it says what is there, and starts a relay, whose bytes it passes on.

Its source is sent there, whatever is installed: it imports nothing of ours, and runs on Pythons that are refused.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from typing import Any

PACKAGE = "pytest_flakehunt"
RELAY = f"from {PACKAGE}.machines.relay import main; main()"
CHUNK = 1 << 16
"""Bytes that are passed on at once."""


def facts() -> dict[str, str]:
    """Say what is there, as far as both ends must have the same; empty for what is not there."""
    threading = " (free-threaded)" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return {
        "Python": f"{platform.python_implementation()} {platform.python_version()}{threading}",
        "platform": sys.platform,
        "pytest-flakehunt": version("pytest-flakehunt"),
        "pytest": version("pytest"),
        "pytest-xdist": version("pytest-xdist"),
        "psutil": version("psutil"),
        "files": digest(),
        "cores": str(os.cpu_count() or 1),
        "folder": os.getcwd(),  # noqa: PTH109 - as it is called there
    }


def version(name: str) -> str:
    """Give the version of a distribution; empty where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def digest() -> str:
    """Give what the sources of our package amount to: two versions under development may have one number."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return ""
    folder = os.path.dirname(found.origin)  # noqa: PTH120 - Path is not needed for anything else
    summed = hashlib.sha256()
    paths = [
        os.path.join(place, name)  # noqa: PTH118
        for place, _, names in os.walk(folder)
        for name in names
        if name.endswith((".py", ".sql"))
    ]
    for path in sorted(paths):
        with open(path, "rb") as file:  # noqa: PTH123
            summed.update(os.path.relpath(path, folder).encode() + b"\0" + file.read())
    return summed.hexdigest()


def serve(channel: Any) -> None:
    """Say what is there; where that will do, start a relay, and pass on what it and the controller say.

    Args:
        channel: execnet's, to the controller.
    """
    channel.send(facts())
    if not channel.receive():
        return
    with tempfile.TemporaryFile() as words:
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
        relay = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, *flags, "-c", RELAY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            start_new_session=True,
        )
        assert relay.stdin is not None
        assert relay.stdout is not None
        commands, events = relay.stdin, relay.stdout

        def command(data: bytes | None) -> None:
            try:
                if data is None:
                    commands.close()
                else:
                    commands.write(data)
                    commands.flush()
            except (OSError, ValueError):  # the relay is gone, which its other end tells
                pass

        channel.setcallback(command, endmarker=None)
        while data := os.read(events.fileno(), CHUNK):
            channel.send(data)
        status = relay.wait()
        words.seek(0)
        channel.send((status, words.read().decode("utf-8", "replace").strip()[-1000:]))


if __name__ == "__channelexec__":
    serve(globals()["channel"])
