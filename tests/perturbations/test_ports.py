"""Ports that were let go are somebody else's for a moment, and nothing else is."""

import asyncio
import errno
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.perturbations.ports import Losing, ports
from pytest_flakehunt.perturbations.taker import Taker

SEED = 1
"""Takes the first port of the test below."""
TEST = "test_a.py::test_x"


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"latency", "ports"}:
            pytest.skip(f"already under {plugin.plan}")
    if why := Taker.unavailable():
        pytest.skip(why)


@contextmanager
def under(seed: int = SEED, nodeid: str = TEST) -> Iterator[None]:
    with Losing(seed).held(), Losing(seed).held_for(nodeid):
        yield


@pytest.fixture
def held() -> Iterator[None]:
    with under():
        yield


def let_go(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, host: str = "127.0.0.1") -> Any:
    """Find a port, as tests do; give its address."""
    with closing(socket.socket(family, kind)) as asking:
        asking.bind((host, 0))
        return asking.getsockname()


def is_free(address: Any, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> bool:
    with socket.socket(family, kind) as server:
        if kind == socket.SOCK_STREAM:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(address)
        except OSError as error:
            assert error.errno == errno.EADDRINUSE
            return False
        return True


KINDS = [
    (socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"),
    (socket.AF_INET, socket.SOCK_STREAM, ""),
    (socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"),
    (socket.AF_INET6, socket.SOCK_STREAM, "::1"),
    (socket.AF_INET6, socket.SOCK_STREAM, "::"),
    (socket.AF_INET6, socket.SOCK_DGRAM, "::1"),
]


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(("family", "kind", "host"), KINDS)
def test_a_port_that_is_let_go_is_taken(family: int, kind: int, host: str) -> None:
    try:
        address = let_go(family, kind, host)
    except OSError:
        pytest.skip("this machine has no such addresses")
    assert not is_free(address, family, kind)


@pytest.mark.usefixtures("held")
def test_a_server_in_another_program_meets_it_too() -> None:
    program = "import socket, sys; socket.create_server(('127.0.0.1', int(sys.argv[1])))"
    _, port = let_go()
    done = subprocess.run([sys.executable, "-c", program, str(port)], capture_output=True, text=True, check=False)
    assert "Address already in use" in done.stderr


@pytest.mark.usefixtures("held")
def test_nobody_answers_there() -> None:
    address = let_go()
    assert not is_free(address)
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as client, pytest.raises(ConnectionRefusedError):
            client.settimeout(5)
            client.connect(address)
            client.send(b"x")
            client.recv(1)


@pytest.mark.usefixtures("held")
def test_a_port_for_datagrams_that_is_taken_takes_none() -> None:
    address = let_go(kind=socket.SOCK_DGRAM)
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(ConnectionRefusedError):
        client.settimeout(5)
        client.connect(address)
        client.send(b"x")
        client.recv(1)


@pytest.mark.parametrize("end", ["test", "sweep"])
def test_it_is_free_again_when_the_test_is_over(end: str) -> None:
    with Losing(SEED).held():
        with Losing(SEED).held_for(TEST):
            address = let_go()
            assert not is_free(address)
        if end == "test":
            deadline = time.monotonic() + 0.15  # less than any port is kept for
            while not is_free(address) and time.monotonic() < deadline:
                pass
            assert is_free(address)


def test_it_is_free_again_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_flakehunt.perturbations.ports.SHORTEST", 0.03)
    monkeypatch.setattr("pytest_flakehunt.perturbations.ports.LONGEST", 0.03)
    with under():
        address = let_go()
        taken = not is_free(address)
        time.sleep(0.1)
        assert taken
        assert is_free(address)


def test_whether_it_is_taken_follows_from_seed_and_test() -> None:
    def taken(seed: int, nodeid: str) -> list[bool]:
        with Losing(seed).held_for(nodeid):
            return [_is_taken() for _ in range(8)]

    with Losing(0).held():
        seen = {(seed, nodeid): taken(seed, nodeid) for seed in range(4) for nodeid in "abc"}
        assert taken(2, "b") == seen[2, "b"]
    assert len(set(map(tuple, seen.values()))) > 4
    assert not any(first and second for each in seen.values() for first, second in pairwise(each))
    assert 5 < sum(each[0] for each in seen.values()) < 12


def _is_taken() -> bool:
    _, port = let_go()
    return port in ports._taken  # to try it would be to meet it


@pytest.mark.usefixtures("held")
def test_who_has_met_it_is_left_alone() -> None:
    address = let_go()
    assert not is_free(address)
    assert all(is_free(let_go()) for _ in range(6))


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("kept", ["dup", "makefile", "fork", "connection"])
def test_a_port_that_is_still_held_stays_with_who_holds_it(kept: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    address = server.getsockname()
    client = socket.create_connection(address)
    match kept:
        case "dup":
            other: Any = server.dup()
        case "makefile":
            other = server.makefile("rb")
        case "connection":
            other = server.accept()[0]
        case _:
            program = [sys.executable, "-c", "input()"]
            other = subprocess.Popen(program, stdin=subprocess.PIPE, pass_fds=[server.fileno()])
    server.close()
    try:
        assert not ports._taken
        if kept in {"dup", "fork"}:
            socket.create_connection(address).close()
    finally:
        if kept == "fork":
            other.communicate()
        else:
            other.close()
        client.close()
    server.close()


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("asked", ["by number", "in the file system", "detached", "never closed"])
def test_other_sockets_are_left_alone(asked: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    match asked:
        case "by number":
            ports.end()
            _, port = let_go()
            ports.set(1)
            with socket.create_server(("127.0.0.1", port)):
                pass
        case "in the file system":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(tmp_path_factory.mktemp("s") / "s"))
        case "detached":
            with socket.socket() as server:
                server.bind(("127.0.0.1", 0))
                os.close(server.detach())
        case _:
            with socket.socket(), socket.create_server(("127.0.0.1", 0)) as server:
                assert not ports._taken
                return
    assert not ports._taken


@pytest.mark.usefixtures("held")
def test_servers_that_ask_for_their_port_are_not_disturbed() -> None:
    async def main() -> None:
        for _ in range(4):
            server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()
            server.close()
            await server.wait_closed()

    asyncio.run(main())


@pytest.mark.usefixtures("held")
def test_what_is_wrapped_counts_as_what_it_was() -> None:
    plain = socket.socket()
    plain.bind(("127.0.0.1", 0))
    wrapped = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_socket(plain, server_side=True)
    address = wrapped.getsockname()
    wrapped.close()
    assert not is_free(address)


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_test_sees_no_descriptor_and_no_child_of_ours() -> None:
    with Losing(SEED).held():
        before, children = descriptors(), psutil.Process().children()
        with Losing(SEED).held_for(TEST):
            address = let_go()
            assert descriptors() == before
            assert psutil.Process().children() == children
            assert not is_free(address)


def test_the_taker_ends_with_the_sweep_and_when_the_sweep_is_killed() -> None:
    program = (
        "import os, signal, psutil\n"
        "from pytest_flakehunt.perturbations.ports import Losing, ports\n"
        "def takers():\n"
        "    running = psutil.process_iter(['cmdline'])\n"
        "    return {each.pid for each in running if 'asking = _socket' in ' '.join(each.info['cmdline'] or ())}\n"
        "before = takers()\n"
        "with Losing(1).held():\n"
        "    assert ports.taker.take('2 1 0 127.0.0.1 0', 0.5)\n"  # so it runs by now
        "    print(*(takers() - before), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    _is_gone(ran.stdout.split())
    killing = "    os.kill(os.getpid(), signal.SIGKILL)\n"
    ran = subprocess.run(
        [sys.executable, "-c", program.replace(killing, "")], capture_output=True, text=True, check=True
    )
    _is_gone(ran.stdout.split())


def _is_gone(pids: list[str]) -> None:
    assert pids
    deadline = time.monotonic() + 10
    while any(_runs(int(pid)) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and "asking" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_a_test_that_closes_every_descriptor_ends_it_and_nothing_of_others() -> None:
    with Losing(SEED).held():
        assert ports.taker is not None
        line = ports.taker._line.fileno()
        spare = os.open(os.devnull, os.O_RDONLY)
        os.dup2(spare, line)
        with Losing(SEED).held_for(TEST):
            assert is_free(let_go())
    os.fstat(line)
    os.close(line)
    os.close(spare)


def test_an_answer_that_nobody_waited_for_is_not_taken_for_another() -> None:
    with Taker.started() as taker:
        first, second = let_go(), let_go()
        taker._number += 1
        assert taker._say(
            f"1 0.5 {int(socket.AF_INET)} {int(socket.SOCK_STREAM)} 0 127.0.0.1 1"
        )  # may not, or is in use
        assert taker.take(f"{int(socket.AF_INET)} {int(socket.SOCK_STREAM)} 0 127.0.0.1 {second[1]}", 0.5)
        assert not is_free(second)
        assert is_free(first)


def test_a_child_of_the_test_leaves_the_line_alone() -> None:
    with under():
        with closing(socket.socket()) as asking:
            asking.bind(("127.0.0.1", 0))
            address = asking.getsockname()
            if not (child := os.fork()):
                let_go()
                os._exit(7 if ports._taken else 0)
            assert os.waitpid(child, 0)[1] == 0
        assert not is_free(address)


def test_threads_do_not_wait_for_each_other() -> None:
    with under():
        threads = [threading.Thread(target=let_go) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.usefixtures("held")
def test_what_pytest_itself_lets_go_is_left_alone() -> None:
    binding = compile("asking.bind(('127.0.0.1', 0))", "<inside pytest>", "exec")
    with socket.socket() as asking:
        exec(binding, {"__name__": "_pytest.capture", "asking": asking})
    assert not ports._taken


def test_nothing_is_taken_between_tests() -> None:
    with Losing(SEED).held():
        assert is_free(let_go())


def test_what_was_there_comes_back() -> None:
    def there() -> list[Callable[..., object] | None]:
        return [vars(socket.socket).get(name) for name in ("bind", "_real_close")]

    before = there()
    with under():
        assert all(ours is not theirs for ours, theirs in zip(there(), before, strict=True))
    assert there() == before
    assert ports.taker is None


def test_a_setting_is_a_seed() -> None:
    known = registry()
    (setting,) = (setting for _, setting in read_plan("ports=7", known).settings)
    assert setting == Losing(7)
    assert str(read_plan("ports=7", known)) == "ports=7"
    assert known["ports"].draw(5, 0) == Losing(5)
    assert setting.contract is Contract.STRESS
    with pytest.raises(SettingError, match=r"^ports=-1: give a whole number from 0 to 4294967295$"):
        read_plan("ports=-1", known)
