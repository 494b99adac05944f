"""The only place that knows execnet: from what the user wrote after ``--tx`` to a relay that answers."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import execnet

from pytest_flakehunt.machines import there
from pytest_flakehunt.machines.machine import Machine

PATIENCE = 60.0
"""Seconds in which a machine answers at all."""
LEAVING = 5.0
"""Seconds in which a gateway ends by itself."""
ALIKE = {
    "Python": "name an equal one there with python=PATH",
    "platform": "both ends must run the same system",
    "pytest-flakehunt": "install the same one there",
    "pytest": "install the same one there",
}
"""What must be the same on both ends, and what to do where it is not."""


class Unreachable(Exception):  # noqa: N818 - it says what a machine is
    """No zygote can be started on a machine; the message says why, and what to do."""


class Wire:
    """A channel of execnet's, and the gateway that it belongs to."""

    def __init__(self, group: execnet.Group, channel: Any) -> None:
        """Take up a channel through which ``there`` has said what is there."""
        self._group, self._channel = group, channel

    def begin(self) -> None:
        """Let it start the relay."""
        self._channel.send(True)

    def send(self, data: bytes) -> None:
        """Send bytes; raise OSError where that cannot be."""
        self._channel.send(data)

    def listen(self, take: Callable[[bytes | str], None]) -> None:
        """Have bytes taken in, and at last why no more come."""

        def heard(item: bytes | tuple[int, str] | None) -> None:
            if item is None:
                take("the connection ended")
            elif isinstance(item, bytes):
                take(item)
            else:
                status, words = item
                take(f"its relay ended with status {status}{words and f': {words}'}")

        self._channel.setcallback(heard, endmarker=None)

    def close(self) -> None:
        """End the gateway, and kill what carries it where it does not end by itself."""
        end(self._group)


def end(group: execnet.Group) -> None:
    """End the gateways of a group; one that hangs keeps nobody waiting for long."""
    ending = threading.Thread(target=group.terminate, args=(LEAVING,), daemon=True)
    ending.start()
    ending.join(2 * LEAVING)


def reached(group: execnet.Group, spec: str, proxies: Sequence[str]) -> tuple[Wire, dict[str, str]]:
    """Make a gateway, and let ``there`` say what is there; raise whatever execnet raises."""
    for proxy in proxies:
        group.makegateway(proxy)
    gateway = execnet.XSpec(spec)
    gateway.chdir = None  # execnet makes the folder where there is none
    channel = group.makegateway(gateway).remote_exec(there)
    return Wire(group, channel), channel.receive()


def reaching(
    spec: str,
    proxies: Sequence[str] = (),
    patience: float = PATIENCE,
    reach: Callable[[execnet.Group, str, Sequence[str]], tuple[Wire, dict[str, str]]] = reached,
) -> Callable[[], tuple[Machine, dict[str, str]]]:
    """Begin to reach a machine, in a thread of its own.

    Args:
        spec: as the user wrote it, such as ``ssh=host//python=python3.13``.
        proxies: specifications of gateways that it may go through.
        patience: seconds in which it answers.
        reach: makes the gateway.

    Returns:
        What waits for the machine and starts a relay there; gives it, and what
        ``there`` says of it, or raises :class:`Unreachable`.
    """
    came: queue.SimpleQueue[tuple[Wire, dict[str, str]] | Exception] = queue.SimpleQueue()
    group = execnet.Group()

    def try_to() -> None:
        try:
            came.put(reach(group, spec, proxies))
        except Exception as error:  # noqa: BLE001 - execnet's are of any kind
            came.put(error)

    def machine() -> tuple[Machine, dict[str, str]]:
        try:
            answer = came.get(timeout=patience)
        except queue.Empty:
            raise Unreachable(f"no answer for {patience:.0f} seconds; {advice(spec)}") from None
        try:
            if isinstance(answer, Exception):
                raise Unreachable(f"{said(answer)}; {advice(spec)}")
            wire, found = answer
            compare(there.facts(), found)
        except Unreachable:
            end(group)
            raise
        wire.begin()
        return Machine(spec, wire), found

    threading.Thread(target=try_to, daemon=True).start()
    return machine


def said(error: Exception) -> str:
    """Put into words why a machine cannot be reached."""
    text = str(error).strip().splitlines()
    return f"it cannot be reached: {text[-1] if text else type(error).__name__}"


def advice(spec: str) -> str:
    """Say what to try where a machine cannot be reached."""
    if "ssh=" in spec:
        return "see that ssh gets there without a question, and name a Python there with python=PATH"
    if "socket=" in spec:
        return "see that a socket server of execnet listens there, and serves nobody else"
    return "see that there is such a Python"


def compare(here: dict[str, str], found: dict[str, str]) -> None:
    """See that a machine can run zygotes of this hunt.

    Args:
        here: what ``there.facts`` gives on this machine.
        found: what it gives on that one.

    Raises:
        Unreachable: says what differs.
    """
    for name in ("pytest-flakehunt", "pytest", "pytest-xdist", "psutil"):
        if not found[name]:
            raise Unreachable(f"{name} is not installed there; install it")
    for name, cure in ALIKE.items():
        if here[name] != found[name]:
            raise Unreachable(f"it has {name} {found[name]}, and here is {here[name]}; {cure}")
    if here["files"] != found["files"]:
        number = found["pytest-flakehunt"]
        raise Unreachable(f"its pytest-flakehunt {number} has other files than this one; install the same one there")
