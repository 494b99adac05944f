"""A process that takes ports: its descriptors are not the test's, and it is nobody's child."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_flakehunt.perturbations.load import APART

PROGRAM = """
import _socket, select, sys, time
DGRAM = _socket.SOCK_DGRAM
asking = _socket.socket(fileno=int(sys.argv[1]))
taken, heard = [], b""

def take(family, kind, only, host, port, *more):
    family, kind, port = int(family), int(kind), int(port)
    taker = _socket.socket(family, kind)
    address = host, port, *map(int, more)
    try:
        if family == _socket.AF_INET6:
            taker.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, int(only))
        taker.bind(address)
        if kind == DGRAM:
            taker.connect(taker.getsockname())
    except OSError:
        taker.close()
        return None
    return taker

while True:
    wait = max(0, min(until for until, _ in taken) - time.monotonic()) if taken else None
    ready = select.select([asking], [], [], wait)[0]
    for entry in [entry for entry in taken if entry[0] <= time.monotonic()]:
        taken.remove(entry)
        entry[1].close()
    if not ready:
        continue
    more = asking.recv(4096)
    if not more:
        break
    *lines, heard = (heard + more).split(b"\\n")
    for line in lines:
        number, seconds, *words = line.decode().split(" ")
        if not words:
            while taken:
                taken.pop()[1].close()
            continue
        taker = take(*words)
        if taker is not None:
            taken.append((time.monotonic() + float(seconds), taker))
        asking.sendall(f"{number} {int(taker is not None)}\\n".encode())
"""
"""Binds what it is told to, and keeps it as long as it is told to; nobody's datagrams reach it but its own."""
PATIENCE = 2.0
"""Seconds that a test waits for an answer, once: on a very busy machine ports stay free."""


class _Socket:
    """Held on to: a test may replace these, and so do perturbations."""

    send = socket.socket.send
    recv = socket.socket.recv


_fstat, _samestat = os.fstat, os.path.samestat


class Taker:
    """The line to the process that takes ports."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._status = _fstat(line.fileno())
        self._number = 0
        self._works = True

    @staticmethod
    def unavailable() -> str:
        """Say why there can be no such process here; empty where there can."""
        return "" if os.path.exists("/bin/sh") else "there is no /bin/sh"  # noqa: PTH110 - asked before anything is imported

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["Taker"]:
        """Start the process, and have it end, which it also does when this one is gone."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = ["/bin/sh", "-c", APART, "sh", sys.executable, "-I", "-S", "-c", PROGRAM, str(theirs.fileno())]
            subprocess.run(command, stdout=subprocess.PIPE, pass_fds=[theirs.fileno()], check=True)  # noqa: S603 - our own words
        ours.settimeout(PATIENCE)
        taker = cls(ours)
        try:
            yield taker
        finally:
            if taker._is_ours():
                ours.close()
            else:
                ours.detach()  # a test has closed it, and somebody else may have its number

    def _is_ours(self) -> bool:
        try:
            return _samestat(_fstat(self._line.fileno()), self._status)
        except OSError:
            return False

    def _say(self, words: str) -> bool:
        self._works = self._works and self._is_ours()
        try:
            if self._works:
                _Socket.send(self._line, f"{words}\n".encode())
        except OSError:
            self._works = False
        return self._works

    def take(self, bound: str, seconds: float) -> bool:
        """Have a port taken; tell whether it is.

        Args:
            bound: what is bound, in words.
            seconds: how long.
        """
        self._number += 1
        return self._say(f"{self._number} {seconds} {bound}") and self._heard()

    def release(self) -> None:
        """Have all ports let go."""
        self._say("0 0")

    def _heard(self) -> bool:
        """Wait for the answer to the last request; earlier ones may be left of a test that was interrupted."""
        heard = b""
        try:
            while not heard.endswith(b"\n") or int(heard.split()[-2]) != self._number:
                more = _Socket.recv(self._line, 100)
                if not more:
                    raise ConnectionError
                heard += more
        except OSError:
            self._works = False
            return False
        return heard.split()[-1] == b"1"
