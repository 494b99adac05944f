"""No network: names of other machines are unknown, and nothing but this machine is reached."""

import errno
import ipaddress
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.perturbations import namespace

INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
ELSEWHERE = "192.0.2.1"
"""An address that is nobody's (RFC 5737)."""
HOSTS = Path("/etc/hosts")


@dataclass(frozen=True, slots=True)
class Offline:
    """Only this machine can be reached: loopback, its own addresses, and sockets in the file system."""

    contract: ClassVar[Contract] = Contract.ENVIRONMENT
    patience: ClassVar[float] = 2.0
    from_start: ClassVar[bool] = True
    """A suite may look for a network as it is imported, and skip what needs one."""

    def __str__(self) -> str:
        return "offline"

    def prepare(self) -> None:
        """Find what it looks for in the project's modules, and import what reads the machine's addresses."""
        learn(self.stand_ins(), in_project=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Refuse what would leave the machine, in Python's sockets; elsewhere too where the kernel lets us."""
        reach = Reach.now()
        with namespace.apart(reach.addresses), standing(_stand_ins(reach), in_project=True):
            yield

    @contextmanager
    def held_at_import(self) -> Iterator[None]:
        """Refuse it in Python's sockets while the suite is imported."""
        with standing(_stand_ins(Reach.now()), in_project=True):
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what refuses to leave the machine."""
        return _stand_ins(Reach.now())


class Reach:
    """What can be reached without a network."""

    def __init__(self, addresses: set[str], names: dict[str, set[str]]) -> None:
        self.addresses = addresses
        """Of this machine."""
        self.names = names
        """By name in lower case: the addresses that the machine itself knows."""

    @classmethod
    def now(cls) -> "Reach":
        """See which addresses and names this machine has."""
        import psutil

        cards = psutil.net_if_addrs().values()
        addresses = {card.address.partition("%")[0] for cards in cards for card in cards if card.family in INTERNET}
        names: dict[str, set[str]] = {"localhost": {"127.0.0.1", "::1"}}
        with suppress(OSError):
            for line in HOSTS.read_text("utf-8", "replace").splitlines():
                address, *called = line.partition("#")[0].split() or [""]
                for name in called:
                    names.setdefault(name.lower(), set()).add(address)
        names.setdefault(socket.gethostname().lower(), {"127.0.0.1"})
        return cls(addresses, names)

    def knows(self, host: str | bytes | None) -> bool:
        """Tell whether a name or address needs no name server."""
        name = _text(host)
        return not name or _address(name) is not None or name in self.names or name.endswith(".localhost")

    def has(self, host: str | bytes) -> bool:
        """Tell whether a name or address is this machine's."""
        name = _text(host)
        address = _address(name)
        if address is None:
            return name.endswith(".localhost") or all(map(self.has, self.names.get(name, ())))
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        to_all = address.is_multicast  # the kernel knows whether loopback was chosen for it
        return to_all or address.is_loopback or address.is_unspecified or str(address) in self.addresses

    def check(self, family: int, address: Any) -> OSError | None:
        """Give the error that comes of a packet sent to an address; None where it stays here."""
        if family not in INTERNET or not isinstance(address, tuple) or not address or not is_name(address[0]):
            return None
        if not self.knows(address[0]):
            return unknown()
        if self.has(address[0]):
            return None
        return OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))


def unknown() -> socket.gaierror:
    """Give what a look-up ends with where no name server answers."""
    return socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def is_name(host: object) -> bool:
    """Tell whether this could be a host: of everything else the functions themselves say best what is wrong."""
    if not host or not isinstance(host, str | bytes | bytearray):
        return False
    with suppress(UnicodeError):
        return bool(host.encode("idna")) if isinstance(host, str) else True
    return False


def _text(host: str | bytes | None) -> str:
    if isinstance(host, bytes | bytearray):
        host = host.decode("utf-8", "replace")
    return (host or "").rstrip(".").lower()


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(name.partition("%")[0])
    with suppress(OSError):
        return ipaddress.IPv4Address(socket.inet_aton(name))  # as in 127.1
    return None


def _stand_ins(reach: Reach) -> Mapping[str, Maker]:
    return {
        **{f"socket:socket.{name}": make for name, make in _connecting(reach).items()},
        **{f"socket:{name}": make for name, make in _looking_up(reach).items()},
    }


def _connecting(reach: Reach) -> Mapping[str, Maker]:  # noqa: C901 - one list of small stand-ins
    """Give what stands in for methods of sockets that are given where to."""

    def connecting(connect: Callable[..., None]) -> Callable[..., None]:
        def connect_here(self: socket.socket, address: Any, /) -> None:
            if error := reach.check(self.family, address):
                raise error
            connect(self, address)

        return connect_here

    def trying(connect_ex: Callable[..., int]) -> Callable[..., int]:
        def connect_ex_here(self: socket.socket, address: Any, /) -> int:
            error = reach.check(self.family, address)
            if isinstance(error, socket.gaierror):
                raise error
            return connect_ex(self, address) if error is None else errno.ENETUNREACH

        return connect_ex_here

    def sending(sendto: Callable[..., int]) -> Callable[..., int]:
        def sendto_here(self: socket.socket, data: Any, *rest: Any) -> int:
            if rest and (error := reach.check(self.family, rest[-1])):
                raise error
            return sendto(self, data, *rest)

        return sendto_here

    def sending_message(sendmsg: Callable[..., int]) -> Callable[..., int]:
        def sendmsg_here(
            self: socket.socket, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None
        ) -> int:
            if error := reach.check(self.family, address):
                raise error
            return sendmsg(self, buffers, ancdata, flags, *(() if address is None else (address,)))

        return sendmsg_here

    return {"connect": connecting, "connect_ex": trying, "sendto": sending, "sendmsg": sending_message}


def _looking_up(reach: Reach) -> Mapping[str, Maker]:
    """Give what stands in for functions that ask a name server."""

    def here(original: Callable[..., Any]) -> Callable[..., Any]:
        def look_up(*args: Any, **kwargs: Any) -> Any:
            host = args[0] if args else kwargs.get("host")
            flags = args[5] if len(args) > 5 else kwargs.get("flags", 0)
            if is_name(host) and not flags & socket.AI_NUMERICHOST and not reach.knows(host):
                raise unknown()
            return original(*args, **kwargs)

        return look_up

    def back(reverse: Callable[..., Any]) -> Callable[..., Any]:
        def look_back(host: Any, /) -> Any:
            if is_name(host) and not reach.knows(host):
                raise unknown()
            if is_name(host) and not reach.has(host):
                raise socket.herror(2, "Host name lookup failure")
            return reverse(host)

        return look_back

    return {**dict.fromkeys(("getaddrinfo", "gethostbyname", "gethostbyname_ex"), here), "gethostbyaddr": back}


class Networks:
    """Whether there is a network."""

    name = "network"
    sources = frozenset({"network", "process"})
    allowed = "offline"

    @staticmethod
    def idle() -> str:
        """Say that other machines can be reached all the same; empty where they cannot. Nothing is sent."""
        with standing(_stand_ins(Reach(set(), {}))), socket.socket(type=socket.SOCK_DGRAM) as packets:
            try:
                packets.connect((ELSEWHERE, 9))
            except OSError:
                return ""
        return "a socket is connected with another machine all the same"

    def draw(self, seed: int, turn: int) -> Offline:
        """There is but one way to be offline."""
        del seed, turn
        return Offline()

    def read(self, text: str) -> Offline:
        """Read ``offline``."""
        if text != "offline":
            raise SettingError(f"network={text}: give {self.allowed}")
        return Offline()
