"""Streams give less than was asked for, where real ones may; nothing is lost, and what is promised is kept."""

import asyncio
import http.client
import http.server
import multiprocessing
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.model import Contract, SettingError
from pytest_flakehunt.model.plans import read_plan
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.perturbations.cuts import OFTEN, WHOLE, cuts
from pytest_flakehunt.perturbations.pieces import Pieces

DATA = bytes(range(256)) * 20
SEEDS = range(6)


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"latency", "pieces"}:
            pytest.skip(f"already under {plugin.plan}")


@contextmanager
def under(seed: int, nodeid: str = "test_a.py::test_x") -> Iterator[None]:
    with Pieces(seed).held(), Pieces(seed).held_for(nodeid):
        yield


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def tcp() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        return one, server.accept()[0]


def received_into(connection: socket.socket) -> bytes:
    buffer = bytearray(1000)
    return bytes(buffer[: connection.recv_into(buffer)])


def received_a_part(connection: socket.socket) -> bytes:
    buffer = bytearray(1000)
    return bytes(buffer[: connection.recv_into(buffer, nbytes=500)])


READS: dict[str, Callable[[socket.socket], bytes]] = {
    "recv": lambda connection: connection.recv(1000),
    "recv_into": received_into,
    "nbytes": received_a_part,
}


@pytest.mark.parametrize("way", READS)
@pytest.mark.parametrize("connected", [socket.socketpair, tcp])
def test_sockets_give_pieces_that_make_the_whole(connected: Any, way: str) -> None:
    one, other = connected()
    seen: list[int] = []
    with one, other:
        for seed in SEEDS:
            with under(seed):
                one.sendall(DATA)
                pieces: list[bytes] = []
                while sum(map(len, pieces)) < len(DATA):
                    pieces.append(READS[way](other))
            assert b"".join(pieces) == DATA
            seen.extend(map(len, pieces))
    assert 1 in seen
    assert max(seen) == (500 if way == "nbytes" else 1000)
    assert set(seen) - {1, 500, 1000, len(DATA) % 500}


def test_a_replay_meets_the_same_pieces_and_another_test_others() -> None:
    def sizes(seed: int, nodeid: str) -> list[int]:
        found = []
        one, other = socket.socketpair()
        with one, other, under(seed, nodeid):
            one.sendall(DATA)
            left = len(DATA)
            while left:
                found.append(len(other.recv(1000)))
                left -= found[-1]
        return found

    assert sizes(1, "a") == sizes(1, "a")
    assert sizes(1, "a") != sizes(1, "b")
    assert sizes(1, "a") != sizes(2, "a")


def test_each_stream_has_a_chance_of_its_own() -> None:
    def sizes(between: int) -> list[int]:
        one, other = socket.socketpair()
        third, fourth = socket.socketpair()
        found = []
        with one, other, third, fourth, under(3):
            one.sendall(DATA)
            third.sendall(DATA)
            for _ in range(4):
                found.append(len(other.recv(100)))
                for _ in range(between):
                    fourth.recv(100)
        return found

    assert sizes(0) == sizes(1) == sizes(2)


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        (socket.SOCK_DGRAM, 0),
        (socket.SOCK_SEQPACKET, 0),
        (socket.SOCK_STREAM, socket.MSG_PEEK),
        (socket.SOCK_STREAM, socket.MSG_WAITALL),
    ],
)
def test_messages_and_flags_that_promise_more_are_left_whole(kind: int, flags: int) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    buffer = bytearray(5)
    with one, other:
        for seed in SEEDS:
            with under(seed):
                for _ in range(10):
                    one.send(b"hello")
                    assert other.recv(5, flags) == b"hello"
                    if flags == socket.MSG_PEEK:
                        other.recv(5, socket.MSG_WAITALL)
                    one.send(b"hello")
                    assert other.recv_into(buffer, 0, flags) == 5
                    if flags == socket.MSG_PEEK:
                        other.recv(5, socket.MSG_WAITALL)


def test_ends_and_nothing_stay_what_they_are(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    for seed in SEEDS:
        with under(seed):
            one.sendall(b"x")
            assert other.recv(0) == b""
            assert other.recv(1) == b"x"
            other.setblocking(False)
            with pytest.raises(BlockingIOError):
                other.recv(100)
            other.setblocking(True)
    with under(1):
        one.close()
        assert [other.recv(100) for _ in range(9)] == [b""] * 9


def test_bad_arguments_are_told_as_ever(pair: tuple[socket.socket, socket.socket]) -> None:
    def told() -> list[str]:
        calls: list[Callable[[], object]] = [
            lambda: other.recv("many"),  # type: ignore[arg-type]
            lambda: other.recv(-1),
            lambda: other.recv_into(b"constant"),
            lambda: other.recv_into("text"),  # type: ignore[arg-type]
            lambda: other.recv_into(bytearray(2), 5),
            lambda: other.send("text"),  # type: ignore[arg-type]
            lambda: os.read(-1, 100),
            lambda: os.read(999_999, 100),
            lambda: os.read("name", 100),  # type: ignore[arg-type]
            lambda: os.write(-1, DATA),
            lambda: os.write(999_999, DATA),
            lambda: os.write(1, "text"),  # type: ignore[arg-type]
        ]
        found = []
        for call in calls:
            with pytest.raises((TypeError, ValueError, OSError)) as refused:
                call()
            found.append(f"{type(refused.value).__name__}: {refused.value}")
        return found

    _, other = pair
    before = told()
    with under(1):
        assert told() == before


def test_a_socket_that_may_not_wait_sends_a_part_and_never_less_than_fits(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, other = pair
    one.settimeout(5)
    sent = set()
    for seed in range(20):
        with under(seed):
            assert one.send(DATA[:WHOLE]) == WHOLE
            sent.add(one.send(memoryview(DATA)))
            one.sendall(b"end")
        received = b""
        while not received.endswith(b"end"):
            received += other.recv(20_000)
        assert DATA.startswith(received[WHOLE:-3])
    assert {WHOLE, len(DATA)} < sent
    assert min(sent) == WHOLE
    one.settimeout(None)
    for seed in SEEDS:
        with under(seed):
            assert one.send(DATA) == len(DATA)


def test_regular_files_and_pipes_give_what_they_must(tmp_path: Path) -> None:
    path = tmp_path / "file"
    readable, writable = os.pipe()
    for seed in SEEDS:
        with under(seed):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            assert os.write(descriptor, DATA) == len(DATA)
            os.lseek(descriptor, 0, os.SEEK_SET)
            assert os.read(descriptor, 10_000) == DATA
            os.close(descriptor)
            assert os.write(writable, DATA) == len(DATA)
            assert os.read(readable, 10_000) == DATA
            os.write(writable, b"hello")
            assert os.read(readable, 10_000) == b"hello"
    os.close(readable)
    os.close(writable)


def test_a_pipe_that_another_process_fills_gives_a_part() -> None:
    program = "import os, sys; os.write(1, bytes(20000)); sys.stderr.write('x'); sys.stderr.flush(); sys.stdin.read()"
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", program], **streams) as process:  # type: ignore[call-overload]
        assert process.stderr.read(1) == b"x"
        descriptor = process.stdout.fileno()
        with under(0):
            assert WHOLE <= len(os.read(descriptor, 65536)) < 20000
        process.stdin.close()
        process.wait()
        with under(0):
            rest = os.read(descriptor, 65536)
            assert os.read(descriptor, 65536) == b"", "who has ended has written everything"
        assert rest


def test_a_terminal_gives_pieces() -> None:
    shown, typed = pty.openpty()
    seen: set[int] = set()
    try:
        for seed in SEEDS:
            with under(seed):
                os.write(typed, b"hello")
                received: list[bytes] = []
                while sum(map(len, received)) < 5:
                    received.append(os.read(shown, 100))
            assert b"".join(received) == b"hello"
            seen.update(map(len, received))
    finally:
        os.close(typed)
        os.close(shown)
    assert 1 in seen


def test_a_pipe_that_never_waits_takes_a_part() -> None:
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    taken = set()
    for seed in range(20):
        with under(seed):
            assert os.write(writable, bytes(WHOLE)) == WHOLE
            taken.add(os.write(writable, DATA))
        os.read(readable, 65536)
    os.close(readable)
    os.close(writable)
    assert {WHOLE, len(DATA)} < taken
    assert min(taken) == WHOLE


def test_what_reads_to_the_end_is_not_disturbed() -> None:
    async def talk() -> bytes:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            size = int(await reader.readline())
            writer.write(await reader.readexactly(size))
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"%d\n" % len(DATA * 20) + DATA * 20)
            received = await reader.read()
            writer.close()
            await writer.wait_closed()
        await asyncio.to_thread(int)  # wakes the loop through a socket
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import sys; print(len(sys.stdin.buffer.read()))", stdin=-1, stdout=-1
        )
        assert (await program.communicate(DATA * 20))[0] == b"%d\n" % len(DATA * 20)
        return received

    for seed in (1, 2):
        with under(seed):
            assert asyncio.run(talk()) == DATA * 20
            done = subprocess.run(["/bin/cat"], input=DATA * 20, stdout=subprocess.PIPE, check=True)
            assert done.stdout == DATA * 20
            with pytest.raises(FileNotFoundError):
                subprocess.run(["/no/such/program"], check=False)


def test_chunks_of_asyncios_pipes_are_pieces_too() -> None:
    async def chunks() -> list[bytes]:
        readable, writable = os.pipe()
        found: list[bytes] = []
        done = asyncio.get_running_loop().create_future()

        class Keeping(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                found.append(data)

            def connection_lost(self, _: Exception | None) -> None:
                done.set_result(None)

        with os.fdopen(readable, "rb") as stream:
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(Keeping, stream)
            os.write(writable, DATA)
            os.close(writable)
            await done
            assert transport.max_size == 256 * 1024  # type: ignore[attr-defined]
        return found

    counts = []
    for seed in SEEDS:
        with under(seed):
            found = asyncio.run(chunks())
        assert b"".join(found) == DATA
        counts.append(len(found))
    assert max(counts) > 1


class Answering(http.server.BaseHTTPRequestHandler):
    """Gives back what it is given."""

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def test_http_and_other_processes_are_not_disturbed() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for seed in (1, 2):
            with under(seed):
                connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
                connection.request("POST", "/", DATA)
                assert connection.getresponse().read() == DATA
                connection.close()
                one, other = multiprocessing.Pipe()
                one.send([DATA, "and more"])
                assert other.recv() == [DATA, "and more"]
                one.close()
                other.close()
        server.shutdown()
        thread.join()


def test_a_test_that_reads_much_meets_few_pieces(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    reads = 0
    with under(1):
        for _ in range(2000):
            one.sendall(bytes(1000))
            left = 1000
            while left:
                left -= len(other.recv(left))
                reads += 1
        assert OFTEN < cuts.met < OFTEN + 150
    assert reads < 2000 + OFTEN + 150


def test_nothing_is_cut_between_tests(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    with Pieces(1).held():
        for _ in range(20):
            one.sendall(b"hello")
            assert other.recv(100) == b"hello"


def test_what_pytest_itself_reads_is_whole(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    asking = compile("got = other.recv(100)", "<inside pytest>", "exec")
    for seed in SEEDS:
        one.sendall(b"hello")
        variables: dict[str, Any] = {"__name__": "_pytest.capture", "other": other}
        with under(seed):
            exec(asking, variables)
        assert variables["got"] == b"hello"


def test_what_was_there_comes_back() -> None:
    def there() -> list[object]:
        return [os.read, os.write, *(vars(socket.socket).get(name) for name in ("recv", "recv_into", "send"))]

    before = there()
    with under(1):
        assert all(ours is not theirs for ours, theirs in zip(there(), before, strict=True))
    assert there() == before
    assert not cuts.nodeid


def test_a_setting_is_a_seed() -> None:
    known = registry()
    (setting,) = (setting for _, setting in read_plan("pieces=7", known).settings)
    assert setting == Pieces(7)
    assert str(read_plan("pieces=7", known)) == "pieces=7"
    assert known["pieces"].draw(5, 0) == Pieces(5)
    assert setting.contract is Contract.ENVIRONMENT
    with pytest.raises(SettingError, match=r"^pieces=few: give a whole number from 0 to 4294967295$"):
        read_plan("pieces=few", known)
