"""Offline: what leaves the machine is refused as a machine without a network refuses it, what stays works."""

import asyncio
import errno
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import SettingError
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.perturbations.network import Offline, Reach

FAR = "192.0.2.1"
"""Kept for documentation: nobody has it."""


@pytest.fixture
def offline(request: pytest.FixtureRequest) -> Iterator[None]:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"latency", "network"}:
            pytest.skip(f"already under {plugin.plan}")
    with Offline().held():
        yield


@pytest.mark.usefixtures("offline")
def test_other_machines_are_out_of_reach() -> None:
    with socket.socket() as stream, pytest.raises(OSError, match="unreachable") as refused:
        stream.connect((FAR, 80))
    assert refused.value.errno == errno.ENETUNREACH
    with socket.socket() as stream:
        assert stream.connect_ex((FAR, 80)) == errno.ENETUNREACH
    with socket.socket(type=socket.SOCK_DGRAM) as packets:
        with pytest.raises(OSError, match="unreachable"):
            packets.sendto(b"x", (FAR, 9))
        with pytest.raises(OSError, match="unreachable"):
            packets.sendto(b"x", 0, (FAR, 9))
        with pytest.raises(OSError, match="unreachable"):
            packets.sendmsg([b"x"], (), 0, (FAR, 9))
    with socket.socket(socket.AF_INET6) as stream, pytest.raises(OSError, match="unreachable"):
        stream.connect(("2001:db8::1", 80, 0, 0))
    with pytest.raises(OSError, match="unreachable"):
        socket.create_connection((FAR, 80), timeout=5)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"])
def test_names_of_other_machines_are_unknown(name: str) -> None:
    ask = getattr(socket, name)
    with pytest.raises(socket.gaierror, match="Temporary failure in name resolution") as refused:
        ask("flakehunt.invalid", *((80,) if name == "getaddrinfo" else ()))
    assert refused.value.errno == socket.EAI_AGAIN
    assert ask("localhost", *((80,) if name == "getaddrinfo" else ()))


@pytest.mark.usefixtures("offline")
def test_a_name_given_to_a_socket_is_looked_up_nowhere() -> None:
    with socket.socket() as stream, pytest.raises(socket.gaierror):
        stream.connect(("flakehunt.invalid", 80))
    with socket.socket() as stream, pytest.raises(socket.gaierror):
        stream.connect_ex(("flakehunt.invalid", 80))
    with pytest.raises(socket.herror):
        socket.gethostbyaddr(FAR)
    assert socket.getfqdn(FAR) == FAR


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.9.9.9", "0.0.0.0"])
def test_this_machine_is_in_reach(host: str) -> None:
    with socket.create_server(("", 0)) as server, socket.create_connection((host, server.getsockname()[1])) as client:
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"ping")
            assert accepted.recv(4, socket.MSG_WAITALL) == b"ping"


@pytest.mark.usefixtures("offline")
def test_its_own_addresses_and_sockets_without_addresses_are_in_reach() -> None:
    cards = [
        card.address for cards in psutil.net_if_addrs().values() for card in cards if card.family == socket.AF_INET
    ]
    for address in cards:
        with socket.socket(type=socket.SOCK_DGRAM) as packets, socket.socket(type=socket.SOCK_DGRAM) as other:
            other.bind((address, 0))
            packets.sendto(b"x", other.getsockname())
            assert other.recv(1) == b"x"
    one, other = socket.socketpair()
    with one, other:
        one.sendmsg([b"ab", b"c"])
        assert other.recv(3, socket.MSG_WAITALL) == b"abc"


@pytest.mark.usefixtures("offline")
def test_event_loops_are_offline_too() -> None:
    async def main() -> None:
        with pytest.raises(OSError, match="unreachable"):
            await asyncio.open_connection(FAR, 80)
        with pytest.raises(socket.gaierror):
            await asyncio.open_connection("flakehunt.invalid", 80)
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        server.close()

    asyncio.run(main())


def test_what_was_there_comes_back() -> None:
    before = socket.getaddrinfo, socket.gethostbyaddr, socket.socket.connect, vars(socket.socket).get("sendto")
    with Offline().held():
        assert socket.getaddrinfo is not before[0]
    assert (
        socket.getaddrinfo,
        socket.gethostbyaddr,
        socket.socket.connect,
        vars(socket.socket).get("sendto"),
    ) == before


def test_names_that_the_machine_knows_itself_count_by_where_they_lead() -> None:
    reach = Reach({"10.1.2.3"}, {"box": {"10.1.2.3"}, "printer": {"10.9.9.9"}})
    assert reach.knows("printer")
    assert not reach.has("printer")
    assert reach.has("BOX.")
    assert reach.has("app.localhost")
    assert reach.has(b"box")
    assert reach.has("::ffff:127.0.0.1")
    assert not reach.knows("elsewhere")


@pytest.mark.usefixtures("offline")
def test_bad_arguments_are_told_as_ever() -> None:
    with pytest.raises(TypeError):
        socket.getaddrinfo(5, 80)  # type: ignore[arg-type]
    with pytest.raises(UnicodeError):
        socket.getaddrinfo("a" * 64 + ".com", 80)
    with socket.socket() as stream, pytest.raises(TypeError):
        stream.connect(())
    with pytest.raises(socket.gaierror) as refused:
        socket.getaddrinfo("flakehunt.invalid", 80, flags=socket.AI_NUMERICHOST)
    assert refused.value.errno == socket.EAI_NONAME
    assert pickle.loads(pickle.dumps(socket.getaddrinfo)) is socket.getaddrinfo


def test_there_is_but_one_setting() -> None:
    known = registry()
    assert str(read_plan("network=offline", known)) == "network=offline"
    with pytest.raises(SettingError, match=r"^network=slow: give offline$"):
        read_plan("network=slow", known)


PROGRAM = """
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2]))).close()
try:
    socket.create_connection(("198.51.100.1", 80))
except OSError as error:
    print(error.errno)
"""
APART = """
import ctypes, os, socket, subprocess, sys
from pytest_flakehunt.perturbations import namespace

def network():
    return os.stat("/proc/thread-self/ns/net").st_ino

if ctypes.CDLL(None).unshare(namespace.CLONE_NEWNET):
    sys.exit(77)  # not allowed to
namespace.loopback({"192.0.2.7"})
outside = network()
with namespace.apart({"192.0.2.7"}):
    inside = network()
    assert inside != outside
    with socket.create_server(("192.0.2.7", 0)) as server:
        host, port = server.getsockname()
        subprocess.run([sys.executable, "-c", sys.argv[1], host, str(port)], check=True)
        with namespace.apart(set()):
            assert network() == inside, "somebody waits for connections here"
assert network() == outside
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has name spaces")
def test_programs_that_tests_start_are_offline_where_the_kernel_lets_us() -> None:
    done = subprocess.run([sys.executable, "-c", APART, PROGRAM], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("no right to make a network")
    assert (done.returncode, done.stdout.strip()) == (0, str(errno.ENETUNREACH))
