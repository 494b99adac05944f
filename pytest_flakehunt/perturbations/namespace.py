"""A network with loopback only, where the kernel grants one."""

import ipaddress
import os
import re
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
IFF_UP = 1
OWN = "/proc/thread-self/ns/net"
LISTENING = {"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"}
"""By table of ``/proc/net``: the state of a socket that waits for others."""
RESOLVERS = re.compile(r"0B00007F:|[0-9A-F]+:0035$")
"""The local ends of name servers' stand-ins: port 53, and 127.0.0.11, where containers keep theirs."""


@contextmanager
def apart(addresses: Iterable[str]) -> Iterator[None]:
    """Move this thread, and what it starts, to a network of its own with loopback only, where that hurts nothing.

    So drivers in C and processes that tests start are offline too. It hurts
    where a service of this machine, such as a database, is reached over
    loopback: it would be gone. And it is done only with the kernel's own
    permission, not in a user namespace, which would change users and groups.

    Args:
        addresses: those that this machine has; it keeps them.
    """
    import ctypes

    with ExitStack() as undo:
        with suppress(OSError):  # a kernel may grant half of it
            if sys.platform == "linux" and alone() and not listening():
                before = undo.enter_context(open(OWN, "rb"))  # noqa: PTH123 - a name space, not a file
                libc = ctypes.CDLL(None, use_errno=True)
                if not libc.unshare(CLONE_NEWNET):
                    back = undo.enter_context(ExitStack())
                    back.callback(libc.setns, before.fileno(), CLONE_NEWNET)
                    try:
                        loopback(addresses)
                    except OSError:
                        back.close()
        yield


def alone() -> bool:
    """Tell whether this process has one thread: another would stay in the network it was in."""
    return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - numbers, not paths


def listening() -> list[str]:
    """Give the local ends of this machine's sockets that wait for others, name servers aside."""
    found: list[str] = []
    for table, state in LISTENING.items():
        with suppress(OSError):
            rows = [line.split() for line in Path("/proc/net", table).read_text("ascii").splitlines()[1:]]
            found.extend(row[1] for row in rows if row[3] == state and not RESOLVERS.search(row[1]))
    with suppress(OSError):
        rows = [line.split() for line in Path("/proc/net/unix").read_text("utf-8", "replace").splitlines()[1:]]
        found.extend(row[7] for row in rows if len(row) > 7 and row[7].startswith("@") and row[3] == "00010000")
    return found


def loopback(addresses: Iterable[str]) -> None:
    """Bring up the loopback of a new network, and give it the addresses that this machine had."""
    import fcntl

    own = [address for address in map(ipaddress.ip_address, sorted(addresses)) if not address.is_loopback]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = struct.unpack("16xh14x", fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16s16x", b"lo")))[0]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
        for number, v4 in enumerate(address for address in own if isinstance(address, ipaddress.IPv4Address)):
            alias = f"lo:{number}".encode()
            for request, value in ((SIOCSIFADDR, v4.packed), (SIOCSIFNETMASK, b"\xff" * 4)):
                fcntl.ioctl(control, request, struct.pack("16sHH4s8x", alias, socket.AF_INET, 0, value))
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
        for address in own:
            if isinstance(address, ipaddress.IPv6Address):
                fcntl.ioctl(control, SIOCSIFADDR, address.packed + struct.pack("Ii", 128, socket.if_nametoindex("lo")))
